// RegisterValues: an array of WHV_REGISTER_VALUE, 16 bytes each, in the forms that registers have.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  PendingExceptionEventView,
  RegisterValues,
  RegisterValueView,
  registerForm,
  registerName,
  WHV_REGISTER_NAME,
} from "../src/index.ts";

const seed = Number(process.env.FAST_CHECK_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));
const names = [...new Set(Object.values(WHV_REGISTER_NAME))];

describe("integers", () => {
  test("halves, 64 and 128 bits are the same memory, little-endian", () => {
    const values = new RegisterValues(3);
    values.set128(1, 0x0f0e0d0c_0b0a0908_07060504_03020100n);
    expect([...values.bytes.subarray(16, 32)]).toEqual(Array.from({ length: 16 }, (_, index) => index));
    expect(values.low(1)).toBe(0x03020100);
    expect(values.high(1)).toBe(0x07060504);
    expect(values.get64(1)).toBe(0x07060504_03020100n);
    expect([...values.words.subarray(4, 8)]).toEqual([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);
    expect(values.get64(0)).toBe(0n);
    expect(values.get64(2)).toBe(0n);
  });

  test("writing 64 bits clears the upper ones", () => {
    const values = new RegisterValues(1);
    values.set128(0, (1n << 128n) - 1n);
    values.set64(0, 5n);
    expect(values.get128(0)).toBe(5n);
    values.set128(0, (1n << 128n) - 1n);
    values.setHalves(0, -1, -2);
    expect(values.get128(0)).toBe(0xffff_fffe_ffff_ffffn);
    expect(values.low(0)).toBe(0xffff_ffff);
  });

  test("what does not fit is refused", () => {
    const values = new RegisterValues(1);
    expect(() => values.set64(0, 1n << 64n)).toThrow("WHV_REGISTER_VALUE.Reg64");
    expect(() => values.set64(0, -1n)).toThrow(RangeError);
    expect(() => values.set128(0, 1n << 128n)).toThrow("WHV_REGISTER_VALUE.Reg128");
    expect(() => values.set64(1, 0n)).toThrow(RangeError);
  });
});

describe("memory", () => {
  test("lies over a part of a given buffer, shared ones too", () => {
    const buffer = new SharedArrayBuffer(64);
    const values = new RegisterValues(buffer, 16, 2);
    expect(values.capacity).toBe(2);
    values.set64(1, 7n);
    expect(new Uint8Array(buffer)[32]).toBe(7);
    expect(new RegisterValues(buffer, 16).capacity).toBe(3);
    expect(() => new RegisterValues(buffer, 16, 4)).toThrow(RangeError);
  });

  test("entries are copied and cleared whole", () => {
    const from = new RegisterValues(2);
    const to = new RegisterValues(2);
    from.set128(1, 0x1234_5678_9abc_def0_1122_3344_5566_7788n);
    to.copy(0, from, 1);
    expect(to.get128(0)).toBe(from.get128(1));
    to.clear(0);
    expect(to.get128(0)).toBe(0n);
  });
});

describe("forms", () => {
  test("segments and tables are views made once", () => {
    const values = new RegisterValues(2);
    expect(values.segment(1)).toBe(values.segment(1));
    expect(values.table(1)).toBe(values.table(1));
    values.segment(1).assign({ base: 0xffff_0000n, limit: 0xffff, selector: 0xf000, attributes: 0x9b });
    expect(values.segment(1).descriptorPrivilegeLevel).toBe(0);
    expect(values.segment(1).present).toBe(true);
    expect(values.low(1)).toBe(0xffff_0000);
  });

  test.each([
    ["WHvX64RegisterRax", "integer64"],
    ["WHvX64RegisterRflags", "integer64"],
    ["WHvX64RegisterEs", "segment"],
    ["WHvX64RegisterTr", "segment"],
    ["WHvX64RegisterIdtr", "table"],
    ["WHvX64RegisterGdtr", "table"],
    ["WHvX64RegisterCr0", "integer64"],
    ["WHvX64RegisterXmm0", "integer128"],
    ["WHvX64RegisterFpMmx7", "integer128"],
    ["WHvX64RegisterFpControlStatus", "fpControlStatus"],
    ["WHvX64RegisterXmmControlStatus", "xmmControlStatus"],
    ["WHvRegisterPendingEvent", "integer128"],
    ["WHvRegisterPendingInterruption", "integer64"],
    ["WHvX64RegisterPendingDebugException", "integer64"],
  ] as const)("%s is %s", (name, form) => {
    expect(registerForm(WHV_REGISTER_NAME[name])).toBe(form);
  });

  test(`a value of any register is read as it was written (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ minLength: 16, maxLength: 16 }), (name, bytes) => {
        const values = new RegisterValues(2);
        values.bytes.set(bytes, 16);
        if (registerForm(name) === "integer64") values.set64(1, values.get64(1));
        const again = new RegisterValues(1);
        again.setValue(name, 0, values.toValue(name, 1));
        expect(again.bytes).toEqual(values.bytes.subarray(16));
      }),
      { seed, numRuns: 500 },
    );
  });

  test("setting an object clears what it leaves out", () => {
    const values = new RegisterValues(1);
    values.set128(0, (1n << 128n) - 1n);
    values.setValue(WHV_REGISTER_NAME.WHvX64RegisterCs, 0, { selector: 8 });
    expect(values.toValue(WHV_REGISTER_NAME.WHvX64RegisterCs, 0)).toEqual({
      base: 0n,
      limit: 0,
      selector: 8,
      attributes: 0,
    });
  });

  test("a value of another form is refused by the register's name", () => {
    const values = new RegisterValues(1);
    expect(() => values.setValue(WHV_REGISTER_NAME.WHvX64RegisterCs, 0, 8n)).toThrow("Cs takes an object, not bigint");
    expect(() => values.setValue(WHV_REGISTER_NAME.WHvX64RegisterRax, 0, { selector: 8 })).toThrow(
      "Rax takes an integer",
    );
    values.setValue(WHV_REGISTER_NAME.WHvX64RegisterRax, 0, 8);
    expect(values.get64(0)).toBe(8n);
  });

  test("all views of the native union read the same entry", () => {
    const values = new RegisterValues(1);
    const union = new RegisterValueView(values.view, 0);
    union.exceptionEvent.assign({
      eventPending: true,
      deliverErrorCode: true,
      vector: 14,
      errorCode: 2,
      exceptionParameter: 0x1000n,
    });
    expect(union.toObject("exceptionEvent").exceptionEvent?.vector).toBe(14);
    expect(new PendingExceptionEventView(values.view).exceptionParameter).toBe(0x1000n);
    expect(values.low(0)).toBe(1 | (1 << 8) | (14 << 16));
    // biome-ignore lint/suspicious/noExplicitAny: a name that the type refuses
    expect(() => union.toObject("nothing" as any)).toThrow("WHV_REGISTER_VALUE has no member nothing");
  });

  test("every register has a name", () => {
    for (const name of names) expect(registerName(name)).toMatch(/^WHv(X64)?Register/);
  });
});
