/**
 * XSAVE and its kin: with five callbacks as long as the guest asks for x87 and SSE state alone, with getExtendedState and
 * setExtendedState whatever it asks for (Intel SDM volume 1, chapter 13).
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { createEmulator, type EmulatorExtendedState } from "../src/index.ts";
import { memoryExit, vpExit } from "./exits.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const XSAVE = [0x0f, 0xae, 0x27];
const XSAVEC = [0x0f, 0xc7, 0x27];
const XRSTOR = [0x0f, 0xae, 0x2f];
const RDPKRU = [0x0f, 0x01, 0xee];
/** In RAM, 64-byte aligned. */
const AREA = 0x5000;
const AREA_SIZE = 1024;

const LEGACY = 0x3;
const AVX = 0x4;
const PKRU = 0x200;

/** A processor that has enabled `xcr0`, and asks for `asked`. */
function hostOf(xcr0: number, asked: number): TestHost {
  const host = new TestHost();
  host.put(NAME.WHvX64RegisterRdi, BigInt(AREA)).put(NAME.WHvX64RegisterRax, BigInt(asked));
  host.put(NAME.WHvX64RegisterCr4, 0x44_0600n).put(NAME.WHvX64RegisterXCr0, BigInt(xcr0));
  host.registers.set(NAME.WHvX64RegisterXmmControlStatus, [0, 0, 0x1f80, 0xffff]);
  host.registers.set(NAME.WHvX64RegisterXmm3, [1, 2, 3, 4]);
  host.putBytes(AREA, ...Array.from({ length: AREA_SIZE }, () => 0));
  return host;
}

const five = createEmulator(hostCallbacks);
const run = (host: TestHost, bytes: readonly number[], emulator = five): ReturnType<typeof five.tryMmioEmulation> =>
  emulator.tryMmioEmulation(host, vpExit(), memoryExit({ bytes }));

/** The callbacks for a processor whose state is `state`. */
function withState(state: { vectors: Uint8Array; pkru: Uint8Array }): typeof five {
  const copy = (to: Uint8Array, from: Uint8Array): void => to.set(from.subarray(0, to.length));
  return createEmulator<TestHost>({
    ...hostCallbacks,
    getExtendedState: (_host, asked: EmulatorExtendedState) => {
      copy(asked.vectors, state.vectors);
      copy(asked.pkru, state.pkru);
      return 0;
    },
    setExtendedState: (_host, given: EmulatorExtendedState) => {
      copy(state.vectors, given.vectors);
      copy(state.pkru, given.pkru);
      return 0;
    },
  });
}

describe("with the five callbacks", () => {
  test.each([
    ["XCR0 enables no more", LEGACY, 0xffff_ffff],
    ["EDX:EAX asks for no more", LEGACY | AVX | PKRU, LEGACY],
  ])("x87 and SSE state is saved and restored: %s", (_why, xcr0, asked) => {
    const host = hostOf(xcr0, asked);
    for (const bytes of [XSAVE, XSAVEC]) {
      const saved = run(host, bytes);
      expect(saved.diagnostic).toBe(null);
      expect(saved.statusBits).toBe(1);
      expect(host.bytesAt(AREA + 160 + 3 * 16, 16)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
      expect(host.bytesAt(AREA + 512, 8)).toEqual([LEGACY, 0, 0, 0, 0, 0, 0, 0]);
      expect([...(host.set?.keys() ?? [])]).toEqual(["Rip"]);
      host.registers.set(NAME.WHvX64RegisterXmm3, [0, 0, 0, 0]);
      expect(run(host, XRSTOR).diagnostic).toBe(null);
      expect(host.set?.get("Xmm3")).toBe(0x0000_0004_0000_0003_0000_0002_0000_0001n);
    }
  });

  test.each([
    ["XSAVE of YMM state", XSAVE, AVX],
    ["XSAVEC of PKRU", XSAVEC, PKRU],
    ["XRSTOR of YMM state", XRSTOR, AVX],
  ])("%s is named as what they do not reach, before memory is touched", (_name, bytes, asked) => {
    const host = hostOf(LEGACY | AVX | PKRU, LEGACY | asked);
    const result = run(host, bytes);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "unreachable-registers", phase: "registers" });
    expect([...new Set(host.calls.map(({ callback }) => callback))]).toEqual(["getVirtualProcessorRegisters"]);
  });
});

describe("with the callbacks for extended state", () => {
  test("YMM state and PKRU go to the area and come back", () => {
    const state = { vectors: Uint8Array.from({ length: 2048 }, (_, i) => i & 0xff), pkru: Uint8Array.of(4, 3, 2, 1) };
    const emulator = withState(state);
    const host = hostOf(LEGACY | AVX | PKRU, 0xffff_ffff);
    expect(run(host, XSAVEC, emulator).diagnostic).toBe(null);
    // Compacted: YMM0 to YMM15 behind the header, PKRU behind them.
    expect(host.bytesAt(AREA + 576, 16)).toEqual([...state.vectors.subarray(16, 32)]);
    expect(host.bytesAt(AREA + 576 + 256, 4)).toEqual([4, 3, 2, 1]);
    state.vectors.fill(0);
    state.pkru.fill(0);
    expect(run(host, XRSTOR, emulator).diagnostic).toBe(null);
    expect([...state.vectors.subarray(16, 32)]).toEqual(Array.from({ length: 16 }, (_, i) => 16 + i));
    expect([...state.pkru]).toEqual([4, 3, 2, 1]);
  });

  test("RDPKRU reads it", () => {
    const emulator = createEmulator<TestHost>(
      {
        ...hostCallbacks,
        getExtendedState: (_host, asked) => {
          asked.pkru.set([0x54, 0x55, 0x55, 0x55]);
          return 0;
        },
        setExtendedState: () => 0,
      },
      { noMemoryOperand: "execute" },
    );
    const host = hostOf(LEGACY | PKRU, 0);
    expect(run(host, RDPKRU, emulator).diagnostic).toBe(null);
    expect(host.set?.get("Rax")).toBe(0x5555_5554n);
  });
});
