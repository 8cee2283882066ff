/**
 * A library of the Windows Hypervisor Platform, loaded by absolute path from the system directory and from nowhere else,
 * and its functions by name. Which prototypes they have is `function-binding.ts`'s.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { E_INVALIDARG, E_NOTIMPL, WhvError } from "@whvkit/whv-types";
import type { LibraryHandle } from "koffi";
import { kernel32, lastErrorHresult, type NativePointer } from "./kernel32.ts";
import { requireKoffi, unsupportedHost } from "./native-support.ts";

/** The libraries that are bound. */
export type LibraryName = "WinHvPlatform.dll" | "WinHvEmulation.dll";

/**
 * Where the libraries come from.
 *
 * @public
 */
export interface NativeLibraryOptions {
  /**
   * For tests: an absolute path of a folder that holds the libraries instead of the Windows system directory. Leave it
   * out in production: nobody but the administrator can write to the system directory.
   */
  readonly libraryDirectory?: string;
}

// LoadLibraryExW: search these folders, and no other, for what the library itself depends on.
const LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR = 0x100;
const LOAD_LIBRARY_SEARCH_SYSTEM32 = 0x800;

// HRESULT_FROM_WIN32(ERROR_MOD_NOT_FOUND): what Windows says of a library that is not there.
const MODULE_NOT_FOUND = 0x8007007e;

/** A loaded library. Libraries stay loaded until the process ends. */
export class SystemLibrary {
  /** Absolute. */
  readonly path: string;
  private readonly module: NativePointer;
  private readonly handle: LibraryHandle;

  /** @throws WhvError that names `operation` where the library is missing or cannot be loaded. */
  constructor(name: LibraryName, options: NativeLibraryOptions, operation: string) {
    const koffi = requireKoffi(operation);
    const windows = kernel32(operation);
    this.path = libraryPath(name, options, operation);
    if (!existsSync(this.path)) {
      const remedy = "enable the Windows feature HypervisorPlatform (`whv doctor` tells how)";
      throw new WhvError(operation, MODULE_NOT_FOUND, `${this.path} is not there; ${remedy}`);
    }
    const ownFolder = options.libraryDirectory === undefined ? 0 : LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR;
    const module = windows.LoadLibraryExW(this.path, null, LOAD_LIBRARY_SEARCH_SYSTEM32 | ownFolder);
    if (module === null) throw new WhvError(operation, lastErrorHresult(windows), `${this.path} cannot be loaded`);
    this.module = module;
    this.handle = koffi.load(this.path);
  }

  /** Whether the library exports the function. */
  exports(name: string): boolean {
    return kernel32(name).GetProcAddress(this.module, name) !== null;
  }

  /** @throws WhvError with `E_NOTIMPL` where this version of Windows lacks the function. */
  bind(name: string, result: string, parameters: string[]): ReturnType<LibraryHandle["func"]> {
    if (!this.exports(name)) {
      throw new WhvError(name, E_NOTIMPL, `${path.win32.basename(this.path)} of this version of Windows lacks it`);
    }
    return this.handle.func(name, result, parameters);
  }
}

const libraries = new Map<string, SystemLibrary>();

/** The library, loaded once for each place that it comes from. */
export function systemLibrary(name: LibraryName, options: NativeLibraryOptions, operation: string): SystemLibrary {
  const key = `${options.libraryDirectory ?? ""}|${name}`;
  let library = libraries.get(key);
  if (library === undefined) {
    library = new SystemLibrary(name, options, operation);
    libraries.set(key, library);
  }
  return library;
}

/** Where the library lies, or would lie. @throws WhvError where there is no Windows or the folder is not absolute. */
export function libraryPath(name: LibraryName, options: NativeLibraryOptions, operation: string): string {
  const unsupported = unsupportedHost();
  if (unsupported !== null) throw new WhvError(operation, E_NOTIMPL, unsupported);
  const folder = options.libraryDirectory ?? systemDirectory(operation);
  // `\folder` and `C:folder` depend on the current drive and folder.
  if (!/^(?:[A-Za-z]:[\\/]|\\\\)/.test(folder))
    throw new WhvError(operation, E_INVALIDARG, `libraryDirectory must be an absolute path; it is "${folder}"`);
  return path.win32.join(folder, name);
}

function systemDirectory(operation: string): string {
  const windows = kernel32(operation);
  const buffer = Buffer.alloc(2 * 32768);
  const length = windows.GetSystemDirectoryW(buffer, buffer.length / 2);
  if (length === 0 || length > buffer.length / 2)
    throw new WhvError(operation, lastErrorHresult(windows), "GetSystemDirectoryW gave no path");
  return buffer.toString("utf16le", 0, 2 * length);
}
