/**
 * State that the system has to enable: which exception an instruction raises when it is off (Intel SDM volume 3, tables 2-2
 * and 14-1).
 */
import { describe, expect, test } from "vitest";
import { guest, hex, PROTECTED_MODE, REAL_MODE, type SegmentTuple, set } from "./guest-image.ts";

const EM = 4;
const TS = 8;
const MP = 2;
const OSFXSR = 0x200;
const OSXSAVE = 0x4_0000;

const FNINIT = "dbe3";
const WAIT = "9b";
const MMX = "0feff6"; // pxor mm6, mm6
const SSE = "660fefc0"; // pxor xmm0, xmm0
const AVX = "c5f9efc0"; // vpxor xmm0, xmm0, xmm0

describe("an instruction whose state is off", () => {
  test.each([
    ["x87", FNINIT, 0, 0, 1, null],
    ["x87 with EM", FNINIT, EM, 0, 1, 7],
    ["x87 with TS", FNINIT, TS, 0, 1, 7],
    ["WAIT with TS alone", WAIT, TS, 0, 1, null],
    ["WAIT with MP and TS", WAIT, MP | TS, 0, 1, 7],
    ["MMX", MMX, 0, 0, 1, null],
    ["MMX with EM", MMX, EM, 0, 1, 6],
    ["MMX with TS", MMX, TS, 0, 1, 7],
    ["SSE", SSE, 0, OSFXSR, 1, null],
    ["SSE without OSFXSR", SSE, 0, 0, 1, 6],
    ["SSE with EM", SSE, EM, OSFXSR, 1, 6],
    ["SSE with TS", SSE, TS, OSFXSR, 1, 7],
    ["AVX", AVX, 0, OSFXSR | OSXSAVE, 7, null],
    ["AVX without OSXSAVE", AVX, 0, OSFXSR, 7, 6],
    ["AVX without its state component", AVX, 0, OSFXSR | OSXSAVE, 3, 6],
    ["AVX with TS", AVX, TS, OSFXSR | OSXSAVE, 7, 7],
  ])("%s", (_what, code, cr0, cr4, xcr0, vector) => {
    const { processor, ram } = guest(0x1_0000);
    ram.bytes.set(hex(code), 0x1000);
    set(processor, { ...PROTECTED_MODE, Cr0: 0x11 | cr0, Cr4: cr4, XCr0: xcr0, Rip: 0x1000 });
    const { instructions, exit, exception } = processor.step(1);
    expect(exit).toBeNull();
    expect(exception?.vector ?? null).toBe(vector);
    expect(instructions).toBe(vector === null ? 1 : 0);
  });

  test("VEX encodings are invalid in real and virtual-8086 mode", () => {
    const virtual: SegmentTuple = [0n, 0xffff, 0, 0xf3];
    for (const state of [
      REAL_MODE,
      { Cr0: 0x11, Rflags: 0x2_0002, Cs: virtual, Ss: virtual, Ds: virtual, Es: virtual, Fs: virtual, Gs: virtual },
    ]) {
      const { processor, ram } = guest(0x1_0000);
      ram.bytes.set(hex(AVX), 0x1000);
      set(processor, { Cr4: OSFXSR | OSXSAVE, XCr0: 7, ...state, Rip: 0x1000 });
      expect(processor.step(1).exception?.vector).toBe(6);
    }
  });
});
