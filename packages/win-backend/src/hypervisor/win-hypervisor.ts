/** The native hypervisor: what it can do, and the partitions that it makes. */
import type { Hypervisor, WHV_CAPABILITY_CODE, WinHvPlatformFunctions } from "@whvkit/whv-types";
import { bindWinHvPlatform } from "../native/function-binding.ts";
import { check, requireBytes, requireUint32, requireUint64 } from "./argument-checks.ts";
import { checkRunLimit, type WinHypervisorOptions } from "./run-watch.ts";
import { readInteger, readInto } from "./variable-output.ts";
import { NativePartition, type WinPartition } from "./win-partition.ts";

/**
 * The hypervisor of Windows: every operation of {@link Hypervisor}.
 *
 * @public
 */
export interface WinHypervisor extends Required<Hypervisor> {
  /** As {@link Hypervisor.createPartition}. */
  createPartition(): WinPartition;
  /** As {@link Hypervisor.acceptMigration}. */
  acceptMigration(handle: bigint): WinPartition;
}

class NativeHypervisor implements WinHypervisor {
  readonly name = "win";
  private readonly functions: WinHvPlatformFunctions;
  private readonly options: WinHypervisorOptions;

  constructor(options: WinHypervisorOptions) {
    checkRunLimit(options);
    this.options = options;
    this.functions = bindWinHvPlatform(options);
  }

  getCapability(code: number): bigint {
    const operation = "WHvGetCapability";
    requireUint32(operation, "code", code);
    const { WHvGetCapability: get } = this.functions;
    const known = code as WHV_CAPABILITY_CODE;
    return readInteger(operation, (buffer, size, written) => get(known, buffer, size, written));
  }

  readCapability(code: number, destination: Uint8Array): number {
    const operation = "WHvGetCapability";
    requireUint32(operation, "code", code);
    requireBytes(operation, "destination", destination);
    const { WHvGetCapability: get } = this.functions;
    const known = code as WHV_CAPABILITY_CODE;
    return readInto(operation, destination, (buffer, size, written) => get(known, buffer, size, written));
  }

  createPartition(): WinPartition {
    const handle = new BigUint64Array(1);
    check("WHvCreatePartition", this.functions.WHvCreatePartition(new Uint8Array(handle.buffer)));
    return new NativePartition(this.functions, handle[0] as bigint, this.options);
  }

  acceptMigration(migration: bigint): WinPartition {
    const operation = "WHvAcceptPartitionMigration";
    requireUint64(operation, "handle", migration);
    const handle = new BigUint64Array(1);
    check(operation, this.functions.WHvAcceptPartitionMigration(migration, new Uint8Array(handle.buffer)));
    return new NativePartition(this.functions, handle[0] as bigint, this.options);
  }
}

/**
 * The hypervisor of Windows with a limit for the time of a run, or, for tests, over a `WinHvPlatform.dll` that is not the
 * one of Windows; {@link winHypervisor} for everything else.
 *
 * @param options - see {@link WinHypervisorOptions}
 * @throws WhvError with `E_INVALIDARG` where the limit is no number from 1 to 1,000,000
 *
 * @example
 * ```ts windows
 * import { createWinHypervisor } from "@whvkit/win-backend";
 * // The host's thread is never held for longer than about 10 ms, whatever the guest does.
 * const hypervisor = createWinHypervisor({ maxRunMilliseconds: 10 });
 * const partition = hypervisor.createPartition();
 * partition.handle !== 0n; // true
 * partition.dispose();
 * ```
 *
 * @public
 */
export function createWinHypervisor(options: WinHypervisorOptions = {}): WinHypervisor {
  return new NativeHypervisor(options);
}

/**
 * The Windows Hypervisor Platform of this machine. Nothing is loaded before it is first used; where there is no Windows,
 * or no platform, every operation throws a WhvError that says what is missing. {@link describeHost} tells what to enable.
 *
 * @example
 * ```ts windows
 * import { WHV_PARTITION_PROPERTY_CODE } from "@whvkit/whv-types";
 * import { winHypervisor } from "@whvkit/win-backend";
 * const partition = winHypervisor.createPartition();
 * try {
 *   partition.setProperty(WHV_PARTITION_PROPERTY_CODE.WHvPartitionPropertyCodeProcessorCount, 1n);
 *   partition.setup();
 *   partition.allocateMemory(0x1000).size; // 0x1000
 * } finally {
 *   partition.dispose();
 * }
 * ```
 *
 * @public
 */
export const winHypervisor: WinHypervisor = /* @__PURE__ */ createWinHypervisor();
