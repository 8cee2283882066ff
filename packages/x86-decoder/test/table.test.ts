// Every row of the form table: it can be asked about and says consistent things.

import { describe, expect, test } from "vitest";
import { type FormInformation, formCount, formInfo, OperandKind } from "../src/index.ts";

const forms: FormInformation[] = Array.from({ length: formCount }, (_, index) => formInfo(index + 1));

test("there are as many forms as the table has rows", () => {
  expect(forms.length).toBeGreaterThan(4500);
  expect(() => formInfo(0)).toThrow(RangeError);
  expect(() => formInfo(formCount + 1)).toThrow(RangeError);
});

describe("each row", () => {
  test("exists in some mode and has a mnemonic and an opcode", () => {
    for (const form of forms) {
      expect(form.legacyModes || form.longMode, form.opcode).toBe(true);
      expect(form.opcode, form.name).toMatch(/[0-9A-F]{2}/);
      expect(form.name).not.toBe("invalid");
    }
  });

  test("has each flag in at most one of written, undefined, cleared and set", () => {
    for (const { name, flags } of forms) {
      const all = [...flags.written, ...flags.undefined, ...flags.cleared, ...flags.set];
      expect(new Set(all).size, name).toBe(all.length);
    }
  });

  test("has operands with sizes, and at most one that may be memory through ModRM", () => {
    for (const { name, opcode, operands } of forms) {
      expect(operands.filter((operand) => operand.allowsMemory).length, `${name} ${opcode}`).toBeLessThanOrEqual(1);
      for (const operand of operands) {
        const sized = operand.size > 0 || operand.kind === OperandKind.memory || operand.registerClass === 16;
        expect(sized, `${name} ${opcode}`).toBe(true);
        expect(operand.allowsMemory || operand.kind !== OperandKind.none, `${name} ${opcode}`).toBe(true);
      }
    }
  });

  test("that LOCK may precede writes its first operand, which may be memory", () => {
    for (const { name, lockable, operands } of forms) {
      if (!lockable) continue;
      expect(operands[0]?.allowsMemory, name).toBe(true);
      expect(operands[0]?.access, name).toMatch(/write/);
    }
  });

  test("names CPUID features", () => {
    for (const { name, opcode, cpuid } of forms) expect(cpuid.length, `${name} ${opcode}`).toBeGreaterThan(0);
  });
});
