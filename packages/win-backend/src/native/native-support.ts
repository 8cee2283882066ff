/**
 * Whether this process can call Windows at all: 64-bit x86 Windows, and the koffi package with its binary. Nothing native
 * is touched before somebody asks.
 */
import { createRequire } from "node:module";
import { E_NOTIMPL, WhvError } from "@whvkit/whv-types";
import type koffi from "koffi";

/** The foreign-function interface. */
export type Koffi = typeof koffi;

let loaded: Koffi | undefined;

/**
 * Why the platform's libraries cannot be called here, in words; `null` where they can. The structures of `whv-types` are
 * those of x64, so Windows on ARM is not served.
 */
export function unsupportedHost(): string | null {
  if (process.platform === "win32" && process.arch === "x64") return null;
  return `the Windows Hypervisor Platform needs 64-bit Windows on x64; this is ${process.platform} on ${process.arch}`;
}

/**
 * koffi, loaded when first asked for. It is an optional dependency: an installation without it can be imported and says so
 * here.
 *
 * @throws WhvError with `E_NOTIMPL`, naming `operation`.
 */
export function requireKoffi(operation: string): Koffi {
  if (loaded !== undefined) return loaded;
  const unsupported = unsupportedHost();
  if (unsupported !== null) throw new WhvError(operation, E_NOTIMPL, unsupported);
  try {
    loaded = createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
    throw new WhvError(
      operation,
      E_NOTIMPL,
      `the package koffi could not be loaded (${reason}); run \`npm install koffi@3\`, where @whvkit/win-backend is`,
    );
  }
  return loaded;
}

/**
 * The address of memory that C reads or fills again and again: passing it costs half of what passing the array does. The
 * array's memory stays where it is as long as somebody holds the array.
 */
export function addressOf(array: Uint8Array, operation: string): bigint {
  return requireKoffi(operation).address(array);
}
