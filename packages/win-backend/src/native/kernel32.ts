/**
 * The few functions of Windows itself that are needed: memory, events, loading of libraries. `kernel32.dll` is mapped
 * into every process before it starts, so asking for it by name searches no folder.
 */
import { type Koffi, requireKoffi } from "./native-support.ts";

/** A handle or an address; addresses of a process are below 2^47 and exact in a number, handles are kept as they come. */
export type NativePointer = bigint;

/** `kernel32.dll`, under its own names. `BOOL` results are numbers; a null pointer is `null`. */
export interface Kernel32 {
  GetSystemDirectoryW(buffer: Uint8Array, characters: number): number;
  LoadLibraryExW(path: string, reserved: null, flags: number): NativePointer | null;
  GetProcAddress(module: NativePointer, name: string): NativePointer | null;
  GetLastError(): number;
  IsProcessorFeaturePresent(feature: number): number;
  VirtualAlloc(address: null, size: number, type: number, protection: number): NativePointer | null;
  VirtualFree(address: NativePointer, size: number, type: number): number;
  CreateEventW(attributes: null, manualReset: number, initialState: number, name: null): NativePointer | null;
  SetEvent(event: NativePointer): number;
  CloseHandle(handle: NativePointer): number;
  RegisterWaitForSingleObject(
    wait: BigUint64Array,
    object: NativePointer,
    callback: NativePointer,
    context: number,
    milliseconds: number,
    flags: number,
  ): number;
  UnregisterWait(wait: NativePointer): number;
}

const signatures: Readonly<Record<keyof Kernel32, readonly [string, readonly string[]]>> = {
  GetSystemDirectoryW: ["uint32", ["void *", "uint32"]],
  LoadLibraryExW: ["void *", ["str16", "void *", "uint32"]],
  GetProcAddress: ["void *", ["void *", "str"]],
  GetLastError: ["uint32", []],
  IsProcessorFeaturePresent: ["int", ["uint32"]],
  VirtualAlloc: ["void *", ["void *", "size_t", "uint32", "uint32"]],
  VirtualFree: ["int", ["void *", "size_t", "uint32"]],
  CreateEventW: ["void *", ["void *", "int", "int", "void *"]],
  SetEvent: ["int", ["void *"]],
  CloseHandle: ["int", ["void *"]],
  RegisterWaitForSingleObject: ["int", ["void *", "void *", "void *", "uint64", "uint32", "uint32"]],
  UnregisterWait: ["int", ["void *"]],
};

let bound: Kernel32 | undefined;

/** The functions, bound when first asked for. @throws WhvError with `E_NOTIMPL` where there is no Windows. */
export function kernel32(operation: string): Kernel32 {
  bound ??= bind(requireKoffi(operation));
  return bound;
}

function bind(koffi: Koffi): Kernel32 {
  const library = koffi.load("kernel32.dll");
  const functions: Record<string, unknown> = {};
  for (const [name, [result, parameters]] of Object.entries(signatures))
    functions[name] = library.func(name, result, [...parameters]);
  return functions as unknown as Kernel32;
}

/** The HRESULT for what `GetLastError` says: `HRESULT_FROM_WIN32`. */
export function lastErrorHresult(windows: Kernel32): number {
  const error = windows.GetLastError();
  return error === 0 ? 0x80004005 : (0x80070000 | (error & 0xffff)) >>> 0;
}
