/**
 * The registers that a program lists as written, from which the emulator makes its set, against what the decoder's table says
 * that the instruction writes: two lists that nobody derives from each other, for every form.
 */
import { Decoder, Instruction, instructionInfo, registerName } from "@whvkit/x86-decoder";
import { expect, test } from "vitest";
import { everyForm } from "../../x86-decoder/test/oracle/form-encodings.ts";
import { programFor, type RegisterInterval, RegisterOffset } from "../src/index.ts";
import { registerLocation } from "../src/ir/register-location.ts";

/** The whole register around a location: a write of AL may be one of RAX, and one of XMM0 clears ZMM0. */
function whole({ offset }: RegisterInterval): RegisterInterval {
  if (offset >= RegisterOffset.vector) {
    const start = offset - ((offset - RegisterOffset.vector) % 64);
    return { offset: start, size: 64 };
  }
  if (offset >= RegisterOffset.fpuControl && offset < RegisterOffset.mask) return FPU;
  return offset < RegisterOffset.segments ? { offset: offset & ~7, size: 8 } : { offset: offset & ~15, size: 16 };
}

/** MMX instructions change the tags of x87 registers with each access. */
const FPU: RegisterInterval = {
  offset: RegisterOffset.fpuControl,
  size: RegisterOffset.mask - RegisterOffset.fpuControl,
};
const ALWAYS: readonly RegisterInterval[] = [FPU, { offset: RegisterOffset.rip, size: 16 }];

/** Instructions that load state which is in no operand, so that the decoder does not list it. */
const LOADS_STATE = /^(fxrstor(64)?|v?ldmxcsr|wr[fg]sbase|wrpkru|vzeroall|vzeroupper)$/;

const inside = (inner: RegisterInterval, outer: RegisterInterval): boolean =>
  inner.offset >= outer.offset && inner.offset + inner.size <= outer.offset + outer.size;

test("a program writes no register that the instruction does not", () => {
  const instruction = new Instruction();
  const wrong = new Set<string>();
  for (const { form, mode, bytes } of everyForm()) {
    new Decoder(mode).decode(Uint8Array.from(bytes), 0, instruction);
    const program = programFor(instruction);
    // What named operations write is a list of its own; `helper-registers.ts` has it.
    if (program.unsupported !== null || program.helpers.length > 0 || LOADS_STATE.test(form.name)) continue;
    const { registers } = instructionInfo(instruction);
    const allowed = [...ALWAYS];
    for (const { register, access } of registers) {
      const location = registerLocation(register);
      if (location === null) continue;
      if (/write/.test(access)) allowed.push(whole(location));
    }
    for (const interval of program.writes)
      if (!allowed.some((outer) => inside(interval, outer)))
        wrong.add(
          `${form.name} ${form.opcode}: ${interval.offset}+${interval.size}, not in ${registers.map(({ register, access }) => `${registerName(register)} ${access}`).join(", ")}`,
        );
  }
  expect([...wrong]).toEqual([]);
});
