/** What exits have in common: the processor's context and the instruction bytes, and how strictly they are compared. */
import type { VpExitContextView } from "@whvkit/whv-types";
import { hexBytes } from "../../json/json-fields.ts";
import { Difference, expectMatch, OneOf } from "../check.ts";

/** Where exits are documented. */
export const documents = "WHvRunVirtualProcessor";

/** The fields that every exit has: mode, CS, RIP, RFLAGS; the length may be unknown (0). */
export function expectVpContext(
  context: VpExitContextView,
  length: number,
  fields: Readonly<Record<string, unknown>>,
): void {
  expectMatch("vpContext", context.toObject(), {
    instructionLength: new OneOf(length, 0),
    rflags: 2n,
    cr8: 0,
    ...fields,
    executionState: {
      cpl: 0,
      cr0Am: false,
      debugActive: false,
      interruptionPending: false,
      interruptShadow: false,
      ...(fields["executionState"] as object | undefined),
    },
  });
}

/** Fields of an exit from flat 32-bit code. */
export const protectedContext = {
  executionState: { cr0Pe: true, eferLma: false },
  cs: { base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xc09b },
};

/** Fields of an exit from real mode. */
export const realContext = {
  executionState: { cr0Pe: false, eferLma: false },
  cs: { base: 0n, limit: 0xffff, selector: 0 },
};

/** Instruction bytes may be absent; what is there must be the code. */
export function expectInstructionBytes(
  context: { readonly instructionByteCount: number; readonly instructionBytes: Uint8Array },
  code: string,
): void {
  const { instructionByteCount: count } = context;
  if (count > 16) throw new Difference("instructionByteCount", "at most 16", count);
  const expected = hexBytes(code, "code");
  const known = Math.min(count, expected.length);
  expectMatch("instructionBytes", context.instructionBytes.slice(0, known), expected.slice(0, known));
}
