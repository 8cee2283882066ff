/**
 * Arguments that would be cut silently on their way to C (fractions, negative numbers, more than 32 bits) are refused
 * here, with the HRESULT that the platform has for a bad argument. What the platform checks itself is left to it.
 */
import { E_INVALIDARG, succeeded, WhvError } from "@whvkit/whv-types";

/** @throws WhvError with the HRESULT, unless it is a success. */
export function check(operation: string, hresult: number, detail?: string): void {
  if (!succeeded(hresult)) throw new WhvError(operation, hresult, detail);
}

export function requireUint32(operation: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new WhvError(operation, E_INVALIDARG, `${name} must be an integer from 0 to 4294967295; it is ${value}`);
}

/** A guest-physical address or a size. */
export function requireSafeInteger(operation: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new WhvError(operation, E_INVALIDARG, `${name} must be an integer from 0 to 2^53-1; it is ${value}`);
}

export function requireUint64(operation: string, name: string, value: bigint): void {
  if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value)
    throw new WhvError(operation, E_INVALIDARG, `${name} must be a bigint from 0 to 2^64-1; it is ${String(value)}`);
}

/** Memory that C reads or writes from its start. */
export function requireBytes(operation: string, name: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array))
    throw new WhvError(operation, E_INVALIDARG, `${name} must be a Uint8Array; it is ${typeof bytes}`);
}
