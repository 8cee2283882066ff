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
    if (!this.has("WHvGetVirtualProcessorState")) {
      if (type === StateType.WHvVirtualProcessorStateTypeXsaveState)
        return this.readXsave(partition, index, destination);
      if (type === StateType.WHvVirtualProcessorStateTypeInterruptControllerState2)
        return this.readInterruptController(partition, index, destination);
    }
    const operation = "WHvGetVirtualProcessorState";
    const { WHvGetVirtualProcessorState: get } = this.functions;
    requireUint32(operation, "type", type);
    requireBytes(operation, "destination", destination);
    return readInto(operation, destination, (buffer, size, written) =>
      get(partition, index, type, buffer, size, written),
    );
  }

  write(partition: bigint, index: number, type: StateType, source: Uint8Array): void {
    if (!this.has("WHvSetVirtualProcessorState")) {
      if (type === StateType.WHvVirtualProcessorStateTypeXsaveState) return this.writeXsave(partition, index, source);
      if (type === StateType.WHvVirtualProcessorStateTypeInterruptControllerState2)
        return this.writeInterruptController(partition, index, source);
    }
    const operation = "WHvSetVirtualProcessorState";
    const { WHvSetVirtualProcessorState: set } = this.functions;
    requireUint32(operation, "type", type);
    requireBytes(operation, "source", source);
    check(operation, set(partition, index, type, source, source.length));
  }

  readXsave(partition: bigint, index: number, destination: Uint8Array): number {
    const type = StateType.WHvVirtualProcessorStateTypeXsaveState;
    if (this.has("WHvGetVirtualProcessorState")) return this.read(partition, index, type, destination);
    const operation = "WHvGetVirtualProcessorXsaveState";
    const { WHvGetVirtualProcessorXsaveState: get } = this.functions;
    requireBytes(operation, "destination", destination);
    return readInto(operation, destination, (buffer, size, written) => get(partition, index, buffer, size, written));
  }

  writeXsave(partition: bigint, index: number, source: Uint8Array): void {
    const type = StateType.WHvVirtualProcessorStateTypeXsaveState;
    if (this.has("WHvSetVirtualProcessorState")) return this.write(partition, index, type, source);
    const operation = "WHvSetVirtualProcessorXsaveState";
    requireBytes(operation, "source", source);
    check(operation, this.functions.WHvSetVirtualProcessorXsaveState(partition, index, source, source.length));
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
