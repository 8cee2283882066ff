/**
 * Blocks of processor state, over two generations of functions: `WHvGet/SetVirtualProcessorState`, which Windows 10 lacks,
 * and the functions for one kind of state that came before them.
 */
import {
  E_NOTIMPL,
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE as StateType,
  WhvError,
  type WinHvPlatformFunctions,
} from "@whvkit/whv-types";
import { check, requireBytes, requireUint32 } from "./argument-checks.ts";
import { readInto } from "./variable-output.ts";

type Name = keyof WinHvPlatformFunctions;

export class ProcessorState {
  private readonly functions: WinHvPlatformFunctions;

  constructor(functions: WinHvPlatformFunctions) {
    this.functions = functions;
  }

  read(partition: bigint, index: number, type: StateType, destination: Uint8Array): number {
    requireBytes("WHvGetVirtualProcessorState", "destination", destination);
    if (!this.has("WHvGetVirtualProcessorState")) {
      if (type === StateType.WHvVirtualProcessorStateTypeXsaveState)
        return this.readOlderXsave(partition, index, destination);
      if (type === StateType.WHvVirtualProcessorStateTypeInterruptControllerState2)
        return this.readInterruptController(partition, index, destination);
    }
    const operation = "WHvGetVirtualProcessorState";
    const { WHvGetVirtualProcessorState: get } = this.functions;
    requireUint32(operation, "type", type);
    return readInto(operation, destination, (buffer, size, written) =>
      get(partition, index, type, buffer, size, written),
    );
  }

  write(partition: bigint, index: number, type: StateType, source: Uint8Array): void {
    const operation = "WHvSetVirtualProcessorState";
    requireBytes(operation, "source", source);
    const general = this.has(operation);
    if (!general && type === StateType.WHvVirtualProcessorStateTypeXsaveState) {
      const { WHvSetVirtualProcessorXsaveState: set } = this.functions;
      check("WHvSetVirtualProcessorXsaveState", set(partition, index, source, source.length));
    } else if (!general && type === StateType.WHvVirtualProcessorStateTypeInterruptControllerState2) {
      this.writeInterruptController(partition, index, source);
    } else {
      const { WHvSetVirtualProcessorState: set } = this.functions;
      requireUint32(operation, "type", type);
      check(operation, set(partition, index, type, source, source.length));
    }
  }

  private readOlderXsave(partition: bigint, index: number, destination: Uint8Array): number {
    const { WHvGetVirtualProcessorXsaveState: get } = this.functions;
    return readInto("WHvGetVirtualProcessorXsaveState", destination, (buffer, size, written) =>
      get(partition, index, buffer, size, written),
    );
  }

  readInterruptController(partition: bigint, index: number, destination: Uint8Array): number {
    const newer = "WHvGetVirtualProcessorInterruptControllerState2";
    const name = this.has(newer) ? newer : "WHvGetVirtualProcessorInterruptControllerState";
    const get = this.functions[name];
    requireBytes(name, "destination", destination);
    return readInto(name, destination, (buffer, size, written) => get(partition, index, buffer, size, written));
  }

  writeInterruptController(partition: bigint, index: number, source: Uint8Array): void {
    const newer = "WHvSetVirtualProcessorInterruptControllerState2";
    const name = this.has(newer) ? newer : "WHvSetVirtualProcessorInterruptControllerState";
    requireBytes(name, "source", source);
    check(name, this.functions[name](partition, index, source, source.length));
  }

  /** Whether this version of Windows has the function. */
  private has(name: Name): boolean {
    try {
      return this.functions[name] !== undefined;
    } catch (error) {
      if (error instanceof WhvError && error.hresult === E_NOTIMPL) return false;
      throw error;
    }
  }
}
