/**
 * AVX10.2's VMOVD and VMOVW between vector registers, which no processor here can judge: they move 4 or 2 bytes and clear
 * the rest of the register (AVX10.2 Architecture Specification 361050, VMOVD and VMOVW), where VMOVQ moves 8.
 */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import { expect, it } from "vitest";
import { CODE } from "../../../tooling/oracle/src/vectors.js";
import { Abort, Evaluator, programFor, RegisterOffset } from "../src/index.ts";
import { ProcessMachine } from "./machine/process-machine.ts";

const REGISTER_BYTES = 64;
const machine = new ProcessMachine();
const evaluator = new Evaluator(machine);
const instruction = new Instruction();

it.each([
  ["vmovd xmm30, xmm29 (7E)", "62017e087ef5", 4],
  ["vmovd xmm30, xmm29 (D6)", "62017d08d6ee", 4],
  ["vmovw xmm30, xmm29 (6E)", "62057e086ef5", 2],
  ["vmovw xmm30, xmm29 (7E)", "62057e087eee", 2],
  ["vmovq xmm30, xmm29 (7E)", "6201fe087ef5", 8],
])("%s moves and clears the rest", (_, hex, moved) => {
  expect(new Decoder(64).decode(Buffer.from(hex, "hex"), 0, instruction)).toBe(DecodeStatus.ok);
  const program = programFor(instruction);
  expect(program.unsupported).toBeNull();
  const { registers } = machine;
  machine.enter(64);
  registers.set64(RegisterOffset.rip, BigInt(CODE));
  const [target, source] = [30, 29].map((number) => RegisterOffset.vector + REGISTER_BYTES * number) as [
    number,
    number,
  ];
  registers.bytes.fill(0xee, target, target + REGISTER_BYTES);
  for (let i = 0; i < REGISTER_BYTES; i++) registers.bytes[source + i] = i + 1;
  expect(evaluator.evaluate(program)).toBe(Abort.none);
  const expected = Array.from({ length: REGISTER_BYTES }, (__, i) => (i < moved ? i + 1 : 0));
  expect([...registers.bytes.subarray(target, target + REGISTER_BYTES)]).toEqual(expected);
});
