/**
 * The functions of both libraries as JavaScript functions, from the prototypes that `whv-types` carries as data. Each is
 * looked up when it is first used, so an older Windows lacks only what it lacks.
 */
import {
  SynicEventParametersView,
  WIN_HV_EMULATION_FUNCTIONS,
  WIN_HV_PLATFORM_FUNCTIONS,
  type WinHvEmulationFunctions,
  type WinHvPlatformFunctions,
} from "@whvkit/whv-types";
import type { KoffiFunction } from "./koffi-function.ts";
import { type LibraryName, type NativeLibraryOptions, systemLibrary } from "./system-library.ts";

interface Prototype {
  readonly result: string;
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
}

/** Types that are passed as one 64-bit integer; the last two are a structure and a union of that size. */
const INTEGERS_64: readonly string[] = [
  "UINT64",
  "WHV_GUEST_PHYSICAL_ADDRESS",
  "WHV_GUEST_VIRTUAL_ADDRESS",
  "WHV_NOTIFICATION_PORT_PROPERTY",
  "WHV_ACCESS_GPA_CONTROLS",
  "WHV_SYNIC_EVENT_PARAMETERS",
];

/**
 * How a C type of the prototypes crosses the ABI. All handles are pointers; what is left are enums, flags and `UINT32`.
 * `HRESULT` is unsigned here, as everywhere in whvkit.
 */
export function nativeType(type: string): "void *" | "uint64" | "uint32" {
  if (type.includes("*") || /(?:^|_)HANDLE$/.test(type) || type === "PVOID") return "void *";
  return INTEGERS_64.includes(type) ? "uint64" : "uint32";
}

/** Binds one function. */
export function bindFunction(
  library: LibraryName,
  options: NativeLibraryOptions,
  name: string,
  { result, parameters }: Prototype,
): KoffiFunction {
  const types = parameters.map(({ type }) => nativeType(type));
  return systemLibrary(library, options, name).bind(name, nativeType(result), types) as KoffiFunction;
}

/** An object with a member for each prototype, which is bound when it is first read. */
function lazyFunctions(
  library: LibraryName,
  options: NativeLibraryOptions,
  prototypes: Readonly<Record<string, Prototype>>,
): object {
  const functions = {};
  for (const [name, prototype] of Object.entries(prototypes)) {
    Object.defineProperty(functions, name, {
      configurable: true,
      enumerable: true,
      get(): unknown {
        const bound = adapt(name, bindFunction(library, options, name, prototype));
        Object.defineProperty(functions, name, { value: bound, enumerable: true });
        return bound;
      },
    });
  }
  return functions;
}

/** The one function that takes a structure by value takes its object form in TypeScript. */
function adapt(name: string, bound: KoffiFunction): unknown {
  if (name !== "WHvSignalVirtualProcessorSynicEvent") return bound;
  const signal: WinHvPlatformFunctions["WHvSignalVirtualProcessorSynicEvent"] = (
    partition,
    synicEvent,
    newlySignaled,
  ) => {
    const { view } = SynicEventParametersView.from(synicEvent);
    return bound(partition, view.getBigUint64(0, true), newlySignaled) as number;
  };
  return signal;
}

/**
 * The functions of `WinHvPlatform.dll` as C has them, for what the objects of this package do not offer. Arguments are
 * not checked: a wrong size or address ends the process, as in C.
 *
 * @returns an object whose members are bound when they are first read. Reading one that this version of Windows lacks, or
 * any where there is no Windows, throws a WhvError with `E_NOTIMPL`.
 *
 * @example
 * ```ts windows
 * import { WHV_CAPABILITY_CODE } from "@whvkit/whv-types";
 * import { bindWinHvPlatform } from "@whvkit/win-backend";
 * const platform = bindWinHvPlatform();
 * const present = new Uint8Array(4);
 * platform.WHvGetCapability(WHV_CAPABILITY_CODE.WHvCapabilityCodeHypervisorPresent, present, 4, null); // 0
 * ```
 *
 * @public
 */
export function bindWinHvPlatform(options: NativeLibraryOptions = {}): WinHvPlatformFunctions {
  return lazyFunctions("WinHvPlatform.dll", options, WIN_HV_PLATFORM_FUNCTIONS) as WinHvPlatformFunctions;
}

/**
 * The functions of `WinHvEmulation.dll` as C has them. See {@link bindWinHvPlatform}.
 *
 * @example
 * ```ts windows
 * import { bindWinHvEmulation } from "@whvkit/win-backend";
 * const emulation = bindWinHvEmulation();
 * const { WHvEmulatorDestroyEmulator } = emulation; // bound when it is read
 * typeof WHvEmulatorDestroyEmulator; // "function"
 * ```
 *
 * @public
 */
export function bindWinHvEmulation(options: NativeLibraryOptions = {}): WinHvEmulationFunctions {
  return lazyFunctions("WinHvEmulation.dll", options, WIN_HV_EMULATION_FUNCTIONS) as WinHvEmulationFunctions;
}
