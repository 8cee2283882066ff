/** The optional callbacks: vector state beyond the WHv names, and atomic read-modify-write. */
import { type EmulationResult, WHV_REGISTER_NAME, WhvError } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { createEmulator, type EmulatorCallbackSet } from "../src/index.ts";
import { code } from "./assembly.ts";
import { memoryExit, vpExit } from "./exits.ts";
import { DEVICE } from "./test-bed.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;

function run(
  extra: Partial<EmulatorCallbackSet<TestHost>>,
  bytes: readonly number[],
  host: TestHost,
  accessType = 0,
): EmulationResult {
  host.put(NAME.WHvX64RegisterRdi, BigInt(DEVICE));
  const emulator = createEmulator<TestHost>({ ...hostCallbacks, ...extra });
  return emulator.tryMmioEmulation(host, vpExit(), memoryExit({ bytes, gpa: DEVICE, accessType }));
}

describe("extended state", () => {
  const VMOVUPS_LOAD_XMM1 = [0xc5, 0xf8, 0x10, 0x0f];
  const VMOVUPS_STORE_YMM1 = [0xc5, 0xfc, 0x11, 0x0f];

  /** A processor's vector state, and the calls in order. */
  function vectors(host: TestHost): { zmm: Uint8Array; extra: Partial<EmulatorCallbackSet<TestHost>> } {
    const zmm = Uint8Array.from({ length: 2048 }, (_, i) => i & 0xff);
    const note = (text: string): number => {
      host.calls.push({ callback: "getVirtualProcessorRegisters", text });
      return 0;
    };
    return {
      zmm,
      extra: {
        getExtendedState: (_context, state) => {
          state.vectors.set(zmm);
          return note("get extended");
        },
        setExtendedState: (_context, state) => {
          zmm.set(state.vectors);
          return note("set extended");
        },
      },
    };
  }

  test("a VEX load clears the upper halves of its register and of no other", () => {
    const host = new TestHost();
    const { zmm, extra } = vectors(host);
    const before = zmm.slice();
    host.deviceReads = Array.from({ length: 16 }, (_, i) => 0xa0 + i);
    expect(run(extra, VMOVUPS_LOAD_XMM1, host).diagnostic).toBe(null);
    expect([...zmm.subarray(64, 80)]).toEqual(Array.from({ length: 16 }, (_, i) => 0xa0 + i));
    expect(zmm.subarray(80, 128).every((byte) => byte === 0)).toBe(true);
    expect(zmm.subarray(0, 64)).toEqual(before.subarray(0, 64));
    expect(zmm.subarray(128)).toEqual(before.subarray(128));
    expect(host.texts()).toEqual([
      "get extended",
      "get Rdi",
      "read 8@fee00020",
      "read 8@fee00028",
      "set extended",
      "set Xmm1 Rip",
    ]);
  });

  test("a YMM store reads it and writes none back", () => {
    const host = new TestHost();
    const { extra } = vectors(host);
    host.registers.set(NAME.WHvX64RegisterXmm1, [0x43424140, 0x47464544, 0x4b4a4948, 0x4f4e4d4c]);
    expect(run(extra, VMOVUPS_STORE_YMM1, host, 1).diagnostic).toBe(null);
    expect(host.texts("memory")).toEqual([
      "write 8@fee00020=0x4746454443424140",
      "write 8@fee00028=0x4f4e4d4c4b4a4948",
      "write 8@fee00030=0x5756555453525150",
      "write 8@fee00038=0x5f5e5d5c5b5a5958",
    ]);
    expect(host.texts()).not.toContain("set extended");
  });

  test("is not asked for by instructions that do not need it", () => {
    const host = new TestHost();
    run(vectors(host).extra, code["mov eax, [rdi]"], host);
    expect(host.texts()).not.toContain("get extended");
  });

  test.each([
    ["getExtendedState", 1 << 6],
    ["setExtendedState", 1 << 7],
  ] as const)("%s that fails or throws is the register callback's failure, and no register is set", (name, bit) => {
    for (const fail of [
      () => 0x8000_4005,
      () => {
        throw new Error("no");
      },
    ]) {
      const host = new TestHost();
      const result = run({ ...vectors(host).extra, [name]: fail }, VMOVUPS_LOAD_XMM1, host);
      expect(result.statusBits).toBe(bit);
      expect(result.diagnostic?.message).toContain(name);
      expect(host.set).toBe(null);
    }
  });

  test("one of the two alone counts for nothing", () => {
    const host = new TestHost();
    const result = run({ getExtendedState: () => 0 }, VMOVUPS_LOAD_XMM1, host);
    expect(result.diagnostic?.reason).toBe("unreachable-registers");
  });

  test("what is no function is refused", () => {
    expect(() => createEmulator({ ...hostCallbacks, getExtendedState: 5 } as never)).toThrow(WhvError);
  });
});

describe("compareExchange", () => {
  const LOCK_ADD = code["lock add [rdi], ecx"];

  /** Memory of four bytes that another processor changes before the first so many exchanges. */
  function atomic(host: TestHost, disturbances: number): Partial<EmulatorCallbackSet<TestHost>> {
    host.put(NAME.WHvX64RegisterRcx, 1n).putBytes(DEVICE, 5, 0, 0, 0);
    let left = disturbances;
    return {
      compareExchange: (context, exchange) => {
        const { gpaAddress, accessSize, expected, desired } = exchange;
        context.calls.push({ callback: "memory", text: `exchange ${accessSize}@${gpaAddress.toString(16)}` });
        if (left-- > 0) context.ram.set(gpaAddress, 0x40);
        exchange.exchanged = Array.from({ length: accessSize }, (_, i) => context.ram.get(gpaAddress + i)).every(
          (byte, i) => byte === expected[i],
        );
        if (exchange.exchanged)
          for (let i = 0; i < accessSize; i++) context.ram.set(gpaAddress + i, desired[i] as number);
        return 0;
      },
    };
  }

  test("performs the write of a locked instruction", () => {
    const host = new TestHost();
    const result = run(atomic(host, 0), LOCK_ADD, host);
    expect(result.diagnostic).toBe(null);
    expect(host.texts("memory")).toEqual(["read 4@fee00020", "exchange 4@fee00020"]);
    expect(host.bytesAt(DEVICE, 4)).toEqual([6, 0, 0, 0]);
  });

  test("of memory that changed meanwhile: the instruction runs again", () => {
    const host = new TestHost();
    const result = run(atomic(host, 1), LOCK_ADD, host);
    expect(result.emulationSuccessful).toBe(true);
    expect(host.texts("memory")).toEqual([
      "read 4@fee00020",
      "exchange 4@fee00020",
      "read 4@fee00020",
      "exchange 4@fee00020",
    ]);
    expect(host.bytesAt(DEVICE, 4)).toEqual([0x41, 0, 0, 0]);
    expect(host.set?.get("Rip")).toBe(0x1003n);
  });

  test.each(["xchg [rdi], ecx", "lock add [rdi], ecx"] as const)("is for locked instructions: %s", (instruction) => {
    const host = new TestHost();
    run(atomic(host, 0), code[instruction], host);
    expect(host.texts("memory")).toContain("exchange 4@fee00020");
  });

  test("is not for others", () => {
    const host = new TestHost();
    run(atomic(host, 0), code["add [rdi], ecx"], host);
    expect(host.texts("memory")).toEqual(["read 4@fee00020", "write 4@fee00020=0x6"]);
  });

  test("that never succeeds ends the emulation, not in a hang", () => {
    const host = new TestHost();
    const result = run({ compareExchange: () => 0 }, LOCK_ADD, host);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "exchange-contended", phase: "store" });
    expect(host.set).toBe(null);
  });

  test("that fails is the memory callback's failure", () => {
    const host = new TestHost();
    host.put(NAME.WHvX64RegisterRcx, 1n);
    const result = run({ compareExchange: () => 0x8000_4005 }, LOCK_ADD, host);
    expect(result.statusBits).toBe(1 << 3);
    expect(result.diagnostic?.message).toContain("compareExchange");
    expect(host.set).toBe(null);
  });
});
