/** The printer's text, on instructions that show each kind of line. */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { expect, it } from "vitest";
import { describeProgram, programFor } from "../src/index.ts";

function describe(mode: 16 | 32 | 64, text: string): string {
  const instruction = new Instruction();
  expect(new Decoder(mode).decode(Uint8Array.from(Buffer.from(text, "hex")), 0, instruction)).toBe(DecodeStatus.ok);
  return describeProgram(programFor(instruction));
}

it("prints loads, arithmetic, stores and flag groups", () => {
  expect(describe(64, "010f")).toBe(
    [
      "t0 = load i32 ds:[rdi], to modify",
      "t1 = (t0 + ecx)",
      "store ds:[rdi] = t1",
      "CF PF AF ZF SF OF = flags of add(t0, ecx) -> t1",
    ].join("\n"),
  );
});

it("prints conditions, branches and faults", () => {
  expect(describe(64, "7410")).toBe(
    [
      "t0 = (rip + length)",
      "t1 = (t0 + 16)",
      "if ZF:",
      "  #GP(0) unless execution may go on at t1",
      "rip = (ZF ? t1 : t0)",
    ].join("\n"),
  );
  expect(describe(64, "f7f1")).toContain("#DE if");
});

it("prints ports, segments, 16-bit addresses and locked accesses", () => {
  expect(describe(64, "ee")).toBe("out port dx = al");
  expect(describe(16, "268a4005")).toBe("t0 = load i8 es:[bx + si + 5]\nal = t0");
  expect(describe(64, "f0ff07")).toContain("load i32 ds:[rdi], to modify, locked");
});

it("prints one element of a string instruction, and helpers by name", () => {
  expect(describe(64, "f3aa")).toContain("(one element; REP repeats it)");
  expect(describe(64, "0fa2")).toContain("cpuid(");
});

it("says why an instruction has no meaning", () => {
  expect(describe(64, "0fc7f0")).toBe("not supported: random numbers need a source that the host does not give");
});
