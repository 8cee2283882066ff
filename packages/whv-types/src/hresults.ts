/**
 * The HRESULTs that platform and emulator answer, as unsigned 32-bit numbers (in C they are signed: `E_FAIL` is
 * -2147467259 there). Source: winerror.h.
 */

/** The operation succeeded. @public */
export const S_OK = 0;
/** The operation succeeded, and the answer is no. @public */
export const S_FALSE = 1;
/** Not implemented. @public */
export const E_NOTIMPL = 0x80004001;
/** No such interface. @public */
export const E_NOINTERFACE = 0x80004002;
/** A pointer is not valid. @public */
export const E_POINTER = 0x80004003;
/** The operation was aborted. @public */
export const E_ABORT = 0x80004004;
/** Something failed that no other code says. @public */
export const E_FAIL = 0x80004005;
/** A failure that should not happen. @public */
export const E_UNEXPECTED = 0x8000ffff;
/** The caller may not do this. `HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED)`. @public */
export const E_ACCESSDENIED = 0x80070005;
/** A handle is not valid. `HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE)`. @public */
export const E_HANDLE = 0x80070006;
/** Out of memory. `HRESULT_FROM_WIN32(ERROR_OUTOFMEMORY)`. @public */
export const E_OUTOFMEMORY = 0x8007000e;
/** An argument is not valid. `HRESULT_FROM_WIN32(ERROR_INVALID_PARAMETER)`. @public */
export const E_INVALIDARG = 0x80070057;
/** The platform does not know the capability. @public */
export const WHV_E_UNKNOWN_CAPABILITY = 0x80370300;
/** The buffer is too small for the answer. @public */
export const WHV_E_INSUFFICIENT_BUFFER = 0x80370301;
/** The platform does not know the property. @public */
export const WHV_E_UNKNOWN_PROPERTY = 0x80370302;
/** The hypervisor is configured in a way that the platform does not support. @public */
export const WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG = 0x80370303;
/** The partition's properties do not fit together, or the partition is not set up. @public */
export const WHV_E_INVALID_PARTITION_CONFIG = 0x80370304;
/** No such range of guest-physical memory is mapped. @public */
export const WHV_E_GPA_RANGE_NOT_FOUND = 0x80370305;
/** The virtual processor exists already. @public */
export const WHV_E_VP_ALREADY_EXISTS = 0x80370306;
/** The virtual processor does not exist. @public */
export const WHV_E_VP_DOES_NOT_EXIST = 0x80370307;
/** The virtual processor is in a state that does not allow this. @public */
export const WHV_E_INVALID_VP_STATE = 0x80370308;
/** The virtual processor has no such register. @public */
export const WHV_E_INVALID_VP_REGISTER_NAME = 0x80370309;
/** The host's processor cannot do what the partition asks for. @public */
export const WHV_E_UNSUPPORTED_PROCESSOR_CONFIG = 0x80370310;

/** Code, name and meaning. A function, so that a bundle without it carries no table. */
function hresultTable(): readonly (readonly [number, string, string])[] {
  return [
    [S_OK, "S_OK", "the operation succeeded"],
    [S_FALSE, "S_FALSE", "the operation succeeded, and the answer is no"],
    [E_NOTIMPL, "E_NOTIMPL", "not implemented"],
    [E_NOINTERFACE, "E_NOINTERFACE", "no such interface"],
    [E_POINTER, "E_POINTER", "a pointer is not valid"],
    [E_ABORT, "E_ABORT", "the operation was aborted"],
    [E_FAIL, "E_FAIL", "unspecified failure"],
    [E_UNEXPECTED, "E_UNEXPECTED", "a failure that should not happen"],
    [E_ACCESSDENIED, "E_ACCESSDENIED", "the caller may not do this"],
    [E_HANDLE, "E_HANDLE", "a handle is not valid"],
    [E_OUTOFMEMORY, "E_OUTOFMEMORY", "out of memory"],
    [E_INVALIDARG, "E_INVALIDARG", "an argument is not valid"],
    [WHV_E_UNKNOWN_CAPABILITY, "WHV_E_UNKNOWN_CAPABILITY", "the platform does not know the capability"],
    [WHV_E_INSUFFICIENT_BUFFER, "WHV_E_INSUFFICIENT_BUFFER", "the buffer is too small for the answer"],
    [WHV_E_UNKNOWN_PROPERTY, "WHV_E_UNKNOWN_PROPERTY", "the platform does not know the property"],
    [
      WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG,
      "WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG",
      "the hypervisor is configured in a way that the platform does not support",
    ],
    [
      WHV_E_INVALID_PARTITION_CONFIG,
      "WHV_E_INVALID_PARTITION_CONFIG",
      "the partition's properties do not fit together, or it is not set up",
    ],
    [WHV_E_GPA_RANGE_NOT_FOUND, "WHV_E_GPA_RANGE_NOT_FOUND", "no such range of guest-physical memory is mapped"],
    [WHV_E_VP_ALREADY_EXISTS, "WHV_E_VP_ALREADY_EXISTS", "the virtual processor exists already"],
    [WHV_E_VP_DOES_NOT_EXIST, "WHV_E_VP_DOES_NOT_EXIST", "the virtual processor does not exist"],
    [WHV_E_INVALID_VP_STATE, "WHV_E_INVALID_VP_STATE", "the virtual processor is in a state that does not allow this"],
    [WHV_E_INVALID_VP_REGISTER_NAME, "WHV_E_INVALID_VP_REGISTER_NAME", "the virtual processor has no such register"],
    [
      WHV_E_UNSUPPORTED_PROCESSOR_CONFIG,
      "WHV_E_UNSUPPORTED_PROCESSOR_CONFIG",
      "the host's processor cannot do what the partition asks for",
    ],
  ];
}

/**
 * Whether an HRESULT, signed or unsigned, is a success: its top bit is 0.
 *
 * @example
 * ```ts
 * import { E_INVALIDARG, S_OK, succeeded } from "@whvkit/whv-types";
 * succeeded(S_OK); // true
 * succeeded(E_INVALIDARG); // false
 * succeeded(-2147024809); // false
 * ```
 *
 * @public
 */
export function succeeded(hresult: number): boolean {
  return hresult >>> 31 === 0;
}

/**
 * The name of an HRESULT, or `undefined` for one that has none here.
 *
 * @param hresult - signed or unsigned.
 *
 * @example
 * ```ts
 * import { hresultName } from "@whvkit/whv-types";
 * hresultName(0x80070057); // "E_INVALIDARG"
 * hresultName(-2147024809); // "E_INVALIDARG"
 * hresultName(0x8007001f); // undefined
 * ```
 *
 * @public
 */
export function hresultName(hresult: number): string | undefined {
  const code = hresult >>> 0;
  return hresultTable().find(([known]) => known === code)?.[1];
}

/**
 * An HRESULT for people: name, code and meaning.
 *
 * @example
 * ```ts
 * import { hresultMessage } from "@whvkit/whv-types";
 * hresultMessage(0x80070057); // "E_INVALIDARG (0x80070057): an argument is not valid"
 * hresultMessage(-2147024809); // "E_INVALIDARG (0x80070057): an argument is not valid"
 * hresultMessage(0x8007001f); // "HRESULT 0x8007001f (Win32 error 31)"
 * ```
 *
 * @param hresult - signed or unsigned.
 * @public
 */
export function hresultMessage(hresult: number): string {
  const code = hresult >>> 0;
  const hex = `0x${code.toString(16).padStart(8, "0")}`;
  const known = hresultTable().find(([value]) => value === code);
  if (known) return `${known[1]} (${hex}): ${known[2]}`;
  // Facility 7 carries a Win32 error in its low 16 bits.
  return code >>> 16 === 0x8007 ? `HRESULT ${hex} (Win32 error ${code & 0xffff})` : `HRESULT ${hex}`;
}
