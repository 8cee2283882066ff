/** IN and OUT. Intel SDM volume 1, chapter 19; whether the port may be reached is the machine's to check. */
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import { integerOfSize } from "../ir/operation.ts";
import type { Family } from "./family.ts";

type PortType = "i8" | "i16" | "i32";

/** DX, or an immediate byte. */
const portOf = (b: Builder, operand: Operand): Value =>
  operand.shape === "immediate" ? b.zeroExtend(b.field("immediate", "i8"), "i16") : b.register(General.rdx, "i16");

const input: Definition = (b) => {
  const accumulator = b.operand(0);
  b.write(accumulator, b.in(portOf(b, b.operand(1)), integerOfSize(accumulator.size) as PortType));
};

const output: Definition = (b) => b.out(portOf(b, b.operand(0)), b.read(b.operand(1)));

export const ports: Family = { name: "ports", meanings: { in: input, out: output } };
