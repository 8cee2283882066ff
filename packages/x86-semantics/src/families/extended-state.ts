/**
 * XSAVE, XSAVEOPT, XSAVEC and XRSTOR. A component that XCR0 and EDX:EAX name is saved or restored: x87, SSE and AVX state in
 * both formats of the area; opmasks, the rest of ZMM and PKRU in the compacted one, where their places follow from their
 * sizes. In the standard format those places are each processor's own (CPUID leaf 0DH), and the machine is asked. All
 * components count as in use, which the manual allows. Intel SDM volume 1, chapter 13.
 */
import { type Builder, type Definition, General, type Value } from "../ir/builder.ts";
import { bytesOf, type IntegerType } from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import type { Family } from "./family.ts";
import { top, turned, withSummary } from "./x87-state.ts";

const { fpuControl, fpuStatus, fpuTag, fpuOpcode, fpuInstructionPointer, fpuDataPointer } = RegisterOffset;

/** Bits of XCR0. */
const Component = { x87: 0, sse: 1, avx: 2, opmask: 5, upperZmm: 6, highZmm: 7, pkru: 9 } as const;
const FIRST_THREE = 7;
const KNOWN = 0b10_1110_0111;

const MXCSR_AT = 24;
const ST_AT = 32;
const XMM_AT = 160;
const HEADER_AT = 512;
const EXTENDED_AT = 576;
const INITIAL_MXCSR = 0x1f80;
const CR0_TS = 3;
const CR4_OSXSAVE = 18;

/** Where a part of a register lies in its component. */
interface Part {
  readonly offset: number;
  readonly type: IntegerType | "v128";
  readonly at: number;
}

const vectorParts = (first: number, count: number, from: number, to: number): Part[] =>
  Array.from({ length: (count * (to - from)) / 16 }, (_, i) => {
    const perRegister = (to - from) / 16;
    const register = first + Math.floor(i / perRegister);
    const lane = from + 16 * (i % perRegister);
    return { offset: RegisterOffset.vector + 64 * register + lane, type: "v128", at: 16 * i };
  });

interface ExtendedComponent {
  readonly bit: number;
  /** Bytes in the area. */
  readonly size: number;
  readonly parts: (long: boolean) => readonly Part[];
}

/** Those behind the header, in order. Outside 64-bit mode only registers 0 to 7 exist. */
const EXTENDED: readonly ExtendedComponent[] = [
  { bit: Component.avx, size: 256, parts: (long) => vectorParts(0, long ? 16 : 8, 16, 32) },
  {
    bit: Component.opmask,
    size: 64,
    parts: () => Array.from({ length: 8 }, (_, i) => ({ offset: RegisterOffset.mask + 8 * i, type: "i64", at: 8 * i })),
  },
  { bit: Component.upperZmm, size: 512, parts: (long) => vectorParts(0, long ? 16 : 8, 32, 64) },
  { bit: Component.highZmm, size: 1024, parts: (long) => (long ? vectorParts(16, 16, 0, 64) : []) },
  { bit: Component.pkru, size: 8, parts: () => [{ offset: RegisterOffset.pkru, type: "i32", at: 0 }] },
];

/** The components that XCR0 and EDX:EAX name (i64), after the checks that all of these instructions make. */
function requested(b: Builder): Value {
  b.faultIf(b.not(b.bit(b.registerAt(RegisterOffset.cr4, "i32"), CR4_OSXSAVE)), Vector.UD);
  b.faultIf(b.bit(b.registerAt(RegisterOffset.cr0, "i32"), CR0_TS), Vector.NM);
  b.faultIf(b.not(b.isZero(b.and(b.memoryAddress(), b.constant("i64", 63)))), Vector.GP, 0);
  const low = b.zeroExtend(b.register(General.rax, "i32"), "i64");
  const high = b.shl(b.zeroExtend(b.register(General.rdx, "i32"), "i64"), b.constant("i32", 32));
  return b.and(b.registerAt(RegisterOffset.xcr0, "i64"), b.or(high, low));
}

/** Asks the machine about components that are not known here. */
function refuseOthers(b: Builder, components: Value, known: number): void {
  const others = b.and(components, b.constant("i64", ~known));
  b.when(b.not(b.isZero(others)), () => b.call(Helper.otherExtendedState, others));
}

/** Address of each component in the area, with those of `present` packed. */
function places(b: Builder, present: Value): { readonly component: ExtendedComponent; readonly start: Value }[] {
  let start = b.constant("i64", EXTENDED_AT);
  return EXTENDED.map((component) => {
    const place = { component, start };
    const step = b.select(b.bit(present, component.bit), b.constant("i64", component.size), b.constant("i64", 0));
    start = b.add(start, step);
    return place;
  });
}

const partAddress = (b: Builder, start: Value, at: number): Value =>
  b.memoryAddress(at === 0 ? start : b.add(start, b.constant("i64", at)));

const vectorCount = (b: Builder): number => (b.long ? 16 : 8);

interface LegacyPart {
  readonly at: number;
  readonly value: Value;
}

/** The x87 state as the area holds it; the wide form has whole pointers. */
function x87Image(b: Builder, wide: boolean): LegacyPart[] {
  const status = b.registerAt(fpuStatus, "i16");
  const pointer = (offset: number): Value => {
    const value = b.registerAt(offset, "i64");
    return wide ? value : b.zeroExtend(b.truncate(value, "i32"), "i64");
  };
  const physical = Array.from({ length: 8 }, (_, i) => b.registerAt(RegisterOffset.fpu + 16 * i, "v128"));
  const eightyBits = b.constant128([-1, -1, 0xffff, 0]);
  return [
    { at: 0, value: b.registerAt(fpuControl, "i16") },
    { at: 2, value: status },
    { at: 4, value: b.zeroExtend(b.registerAt(fpuTag, "i8"), "i16") },
    { at: 6, value: b.registerAt(fpuOpcode, "i16") },
    { at: 8, value: pointer(fpuInstructionPointer) },
    { at: 16, value: pointer(fpuDataPointer) },
    ...turned(b, top(b, status), physical).map((value, i) => ({ at: ST_AT + 16 * i, value: b.and(value, eightyBits) })),
  ];
}

function mxcsrMask(b: Builder): Value {
  const mask = b.registerAt(RegisterOffset.mxcsrMask, "i32");
  return b.select(b.isZero(mask), b.constant("i32", 0xffbf), mask);
}

const save =
  (format: "standard" | "compacted", wide: boolean): Definition =>
  (b) => {
    const compacted = format === "compacted";
    const components = requested(b);
    refuseOthers(b, components, compacted ? KNOWN : FIRST_THREE);
    const [x87, sse] = [b.bit(components, Component.x87), b.bit(components, Component.sse)];
    const extended = compacted ? places(b, components) : places(b, components).slice(0, 1);
    b.probe("memory", b.memoryAddress(), EXTENDED_AT, Intent.write);
    for (const { component, start } of extended) {
      const address = b.memoryAddress(start);
      b.when(b.bit(components, component.bit), () => b.probe("memory", address, component.size, Intent.write));
    }
    const storeAll = (condition: Value, parts: readonly LegacyPart[]): void => {
      const stores = parts.map(({ at, value }) => ({ address: b.memoryAddress(at), value }));
      b.when(condition, () => {
        for (const { address, value } of stores) b.store("memory", address, value);
      });
    };
    storeAll(x87, x87Image(b, wide));
    storeAll(compacted ? sse : b.or(sse, b.bit(components, Component.avx)), [
      { at: MXCSR_AT, value: b.registerAt(RegisterOffset.mxcsr, "i32") },
      { at: MXCSR_AT + 4, value: mxcsrMask(b) },
    ]);
    const xmm = Array.from({ length: vectorCount(b) }, (_, i) => ({
      at: XMM_AT + 16 * i,
      value: b.registerAt(RegisterOffset.vector + 64 * i, "v128"),
    }));
    storeAll(sse, xmm);
    for (const { component, start } of extended) {
      const stores = component.parts(b.long).map(({ offset, type, at }) => {
        const value = b.registerAt(offset, type);
        return { address: partAddress(b, start, at), value: type === "i32" ? b.zeroExtend(value, "i64") : value };
      });
      b.when(b.bit(components, component.bit), () => {
        for (const { address, value } of stores) b.store("memory", address, value);
      });
    }
    // The header last: what it names is there then.
    if (compacted) {
      b.store("memory", b.memoryAddress(HEADER_AT), components);
      b.store("memory", b.memoryAddress(HEADER_AT + 8), b.or(components, b.constant("i64", 0, -0x8000_0000)));
    } else {
      const before = b.load("memory", b.memoryAddress(HEADER_AT), "i64");
      b.store("memory", b.memoryAddress(HEADER_AT), b.or(before, components));
    }
  };

/** The header: which components the area holds, whether it is compacted, and where components stand in it. */
function readHeader(b: Builder): { readonly held: Value; readonly compacted: Value; readonly present: Value } {
  b.probe("memory", b.memoryAddress(), EXTENDED_AT, Intent.read);
  const word = (at: number): Value => b.load("memory", b.memoryAddress(HEADER_AT + at), "i64");
  const held = word(0);
  const layout = word(8);
  const compacted = b.sign(layout);
  const present = b.and(layout, b.constant("i64", -1, 0x7fff_ffff));
  const notEnabled = b.not(b.registerAt(RegisterOffset.xcr0, "i64"));
  const third = word(16);
  const rest = [24, 32, 40, 48, 56].reduce((sum, at) => b.or(sum, word(at)), third);
  // The standard format has zeros in bytes 8 to 23; the compacted one names no component that it has no place for.
  const standardWrong = b.or(layout, third);
  const compactedWrong = b.or(rest, b.or(b.and(present, notEnabled), b.and(held, b.not(present))));
  const wrong = b.or(b.and(held, notEnabled), b.select(compacted, compactedWrong, standardWrong));
  b.faultIf(b.not(b.isZero(wrong)), Vector.GP, 0);
  return { held, compacted, present };
}

const restore =
  (wide: boolean): Definition =>
  (b) => {
    const components = requested(b);
    const { held, compacted, present } = readHeader(b);
    const loaded = b.and(components, held);
    refuseOthers(b, b.and(loaded, b.select(compacted, b.constant("i64", 0), b.constant("i64", -1))), FIRST_THREE);
    refuseOthers(b, components, KNOWN);
    const has = (bit: number): Value => b.bit(components, bit);
    const loads = (bit: number): Value => b.bit(loaded, bit);
    const extended = places(b, b.select(compacted, present, b.constant("i64", 1 << Component.avx)));
    for (const { component, start } of extended) {
      const address = b.memoryAddress(start);
      b.when(loads(component.bit), () => b.probe("memory", address, component.size, Intent.read));
    }
    const replace = (bit: number, offset: number, type: IntegerType | "v128", value: Value): void =>
      b.setRegisterAt(offset, bytesOf(type), b.select(has(bit), value, b.registerAt(offset, type)));

    restoreX87(b, wide, loads(Component.x87), (offset, type, value) => replace(Component.x87, offset, type, value));

    const [sse, avx] = [has(Component.sse), has(Component.avx)];
    const loadsMxcsr = b.select(compacted, loads(Component.sse), b.or(sse, avx));
    const mxcsr = b.loadIf(loadsMxcsr, "memory", b.memoryAddress(MXCSR_AT), "i32");
    b.faultIf(b.not(b.isZero(b.and(mxcsr, b.not(mxcsrMask(b))))), Vector.GP, 0);
    const initializes = b.and(b.and(compacted, sse), b.not(loadsMxcsr));
    const kept = b.registerAt(RegisterOffset.mxcsr, "i32");
    const other = b.select(initializes, b.constant("i32", INITIAL_MXCSR), kept);
    b.setRegisterAt(RegisterOffset.mxcsr, 4, b.select(loadsMxcsr, mxcsr, other));

    for (let i = 0; i < vectorCount(b); i++) {
      const value = b.loadIf(loads(Component.sse), "memory", b.memoryAddress(XMM_AT + 16 * i), "v128");
      replace(Component.sse, RegisterOffset.vector + 64 * i, "v128", value);
    }
    for (const { component, start } of extended) {
      for (const { offset, type, at } of component.parts(b.long)) {
        const value = b.loadIf(loads(component.bit), "memory", partAddress(b, start, at), type);
        replace(component.bit, offset, type, value);
      }
    }
  };

/** x87 state from the area, or as FNINIT leaves it, with empty registers of zeros. */
function restoreX87(
  b: Builder,
  wide: boolean,
  loads: Value,
  replace: (offset: number, type: IntegerType | "v128", value: Value) => void,
): void {
  const load = (at: number, type: IntegerType | "v128"): Value => b.loadIf(loads, "memory", b.memoryAddress(at), type);
  const image = b.or(b.and(load(0, "i16"), b.constant("i16", 0x1f3f)), b.constant("i16", 0x40));
  const control = b.select(loads, image, b.constant("i16", 0x37f));
  const status = load(2, "i16");
  replace(fpuControl, "i16", control);
  replace(fpuStatus, "i16", withSummary(b, status, control));
  replace(fpuTag, "i8", load(4, "i8"));
  replace(fpuOpcode, "i16", b.and(load(6, "i16"), b.constant("i16", 0x7ff)));
  for (const [at, offset] of [
    [8, fpuInstructionPointer],
    [16, fpuDataPointer],
  ] as const) {
    replace(offset, "i64", wide ? load(at, "i64") : b.zeroExtend(load(at, "i32"), "i64"));
  }
  const eightyBits = b.constant128([-1, -1, 0xffff, 0]);
  const stack = Array.from({ length: 8 }, (_, i) => b.and(load(ST_AT + 16 * i, "v128"), eightyBits));
  const back = b.and(b.sub(b.constant("i32", 8), top(b, status)), b.constant("i32", 7));
  for (const [j, value] of turned(b, back, stack).entries()) replace(RegisterOffset.fpu + 16 * j, "v128", value);
}

export const extendedState: Family = {
  name: "extended-state",
  meanings: {
    xsave: save("standard", false),
    xsave64: save("standard", true),
    xsaveopt: save("standard", false),
    xsaveopt64: save("standard", true),
    xsavec: save("compacted", false),
    xsavec64: save("compacted", true),
    xrstor: restore(false),
    xrstor64: restore(true),
  },
};
