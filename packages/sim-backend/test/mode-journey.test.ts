/** One guest through every mode: ports, memory that is not there, paging, an injected interrupt, HLT. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WHV_RUN_VP_EXIT_REASON as Reason, type RunVpExit } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { get, guest, hex, image, REAL_MODE, set, type TestGuest } from "./guest-image.ts";

function start(): TestGuest {
  const made = guest(0x4_0000);
  made.ram.bytes.set(image("mode-journey"), 0x7c00);
  set(made.processor, { ...REAL_MODE, Rip: 0x7c00 });
  return made;
}

/** Steps over the instruction that exited, as a host that finishes it does. */
function skip({ processor }: TestGuest, exit: RunVpExit, registers: Record<string, bigint> = {}): void {
  const { vpContext } = exit;
  set(processor, { Rip: vpContext.rip + BigInt(vpContext.instructionLength), ...registers });
}

describe("a guest from real mode to long mode", () => {
  test("exits exactly where a host has to act", () => {
    const made = start();
    const { processor, ram } = made;
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) {
      const exit = processor.run();
      switch (exit.exitReason) {
        case Reason.WHvRunVpExitReasonX64IoPortAccess: {
          const { accessInfo, portNumber, rax, rcx } = exit.ioPortAccess;
          const direction = accessInfo.isWrite ? "out" : "in";
          if (accessInfo.stringOp) {
            const count = accessInfo.repPrefix ? rcx : 1n;
            const text = String.fromCharCode(
              ...ram.bytes.subarray(Number(exit.ioPortAccess.rsi)).subarray(0, Number(count)),
            );
            seen.push(`rep ${direction}s ${portNumber.toString(16)} ${text}`);
            skip(made, exit, { Rcx: 0n, Rsi: exit.ioPortAccess.rsi + count });
          } else {
            seen.push(`${direction} ${portNumber.toString(16)} ${(rax & 0xffn).toString(16)}`);
            skip(made, exit, accessInfo.isWrite ? {} : { Rax: (rax & ~0xffn) | 0xa5n });
          }
          break;
        }
        case Reason.WHvRunVpExitReasonMemoryAccess: {
          const { accessInfo, gpa, gva } = exit.memoryAccess;
          seen.push(`${["read", "write"][accessInfo.accessType]} ${gpa.toString(16)} ${gva.toString(16)}`);
          skip(made, exit, accessInfo.accessType === 0 ? { Rax: 0xbeefn } : {});
          break;
        }
        case Reason.WHvRunVpExitReasonX64Halt:
          seen.push("halt");
          if ((exit.vpContext.rflags & 0x200n) === 0n) i = 30;
          else set(processor, { PendingInterruption: (0x40n << 16n) | 1n });
          break;
        default:
          throw new Error(`exit ${exit.exitReason}: ${processor.exitDetail}`);
      }
    }
    expect(seen).toEqual([
      "out 3f8 52",
      "out 80 16",
      "write d0004 d0004",
      "in 81 0",
      "out 80 32",
      "write d0008 d0008",
      "out 80 64",
      "read d0010 ffff8000000d0010",
      "rep outs 3f8 long",
      "halt",
      "out 80 40",
      "out 80 77",
      "halt",
    ]);
    expect(ram.bytes[0x600]).toBe(0xa5);
    expect(ram.bytes.slice(0x608, 0x60c)).toEqual(hex("efbe0000"));
    expect(get(processor, "Rsp")).toBe(0x7000n);
    expect(get(processor, "Cs") >= 0n).toBe(true);
    expect(get(processor, "Efer")).toBe(0x500n);
  });

  test.skipIf(!hasNasm())("the image is what its source assembles to (needs nasm)", () => {
    const folder = mkdtempSync(join(tmpdir(), "whvkit-guest-"));
    try {
      const source = fileURLToPath(new URL("./guests/mode-journey.asm", import.meta.url));
      execFileSync("nasm", ["-f", "bin", "-o", join(folder, "image.bin"), source]);
      expect(new Uint8Array(readFileSync(join(folder, "image.bin")))).toEqual(image("mode-journey"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function hasNasm(): boolean {
  try {
    execFileSync("nasm", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
