/** One emulator on one test host, with the device page most tests use. */
import { type EmulationResult, type Emulator, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { createEmulator, type EmulatorOptions } from "../src/index.ts";
import { type MemoryInit, memoryExit, type PortInit, portExit, type VpInit, vpExit } from "./exits.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

/** A device register block; nothing of it is RAM. */
export const DEVICE = 0xfee0_0020;
/** RAM that tests put bytes into. */
export const RAM = 0x2000;

/** A host whose rDI points at the device and rSI at RAM. */
export class TestBed {
  readonly host: TestHost = new TestHost();
  readonly emulator: Emulator<TestHost>;

  constructor(options: EmulatorOptions<TestHost> = {}) {
    this.emulator = createEmulator(hostCallbacks, options);
    this.host.put(WHV_REGISTER_NAME.WHvX64RegisterRdi, BigInt(DEVICE));
    this.host.put(WHV_REGISTER_NAME.WHvX64RegisterRsi, BigInt(RAM));
  }

  mmio(vp: VpInit, access: MemoryInit): EmulationResult {
    return this.emulator.tryMmioEmulation(this.host, vpExit(vp), memoryExit(access));
  }

  io(vp: VpInit, access: PortInit): EmulationResult {
    return this.emulator.tryIoEmulation(this.host, vpExit(vp), portExit(access));
  }

  /** What the set callback carried, by name; empty before. */
  get set(): Record<string, bigint> {
    return Object.fromEntries(this.host.set ?? []);
  }
}

/** Words of WHvRegisterPendingEvent for an exception. */
export function pendingEvent(vector: number, errorCode: number | null, cr2 = 0n): bigint {
  const deliver = errorCode === null ? 0n : 1n << 8n;
  return 1n | deliver | (BigInt(vector) << 16n) | (BigInt(errorCode ?? 0) << 32n) | (cr2 << 64n);
}
