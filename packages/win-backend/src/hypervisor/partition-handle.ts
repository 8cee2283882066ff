/**
 * A `WHV_PARTITION_HANDLE` and the functions that take it, for everything that belongs to the partition: processors,
 * signals, devices. It knows whether the partition still is.
 */
import { E_INVALIDARG, WhvError, type WinHvPlatformFunctions } from "@whvkit/whv-types";
import type { NativePointer } from "../native/kernel32.ts";

export class PartitionHandle {
  readonly functions: WinHvPlatformFunctions;
  private handle: NativePointer | null;

  constructor(functions: WinHvPlatformFunctions, handle: NativePointer) {
    this.functions = functions;
    this.handle = handle;
  }

  get live(): boolean {
    return this.handle !== null;
  }

  /** The handle, to pass to C. @throws WhvError with `E_INVALIDARG` after the partition was deleted. */
  of(operation: string): NativePointer {
    if (this.handle === null) throw new WhvError(operation, E_INVALIDARG, "the partition is deleted");
    return this.handle;
  }

  /** Takes the handle away, for the one who deletes the partition. */
  take(): NativePointer | null {
    const { handle } = this;
    this.handle = null;
    return handle;
  }
}
