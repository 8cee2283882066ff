/**
 * Addition, subtraction, logic and comparison, and the exchanges built on them. Intel SDM volume 1, 5.1.2 and 5.1.4;
 * each instruction's page in volume 2.
 */
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import { Flag, STATUS_FLAGS } from "../ir/flag.ts";
import { type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Vector } from "../machine/machine.ts";
import type { Family } from "./family.ts";

const typeOf = (operand: Operand): IntegerType => integerOfSize(operand.size);

type Compute = (b: Builder, x: Value, y: Value) => Value;

const withCarry = (b: Builder, y: Value): Value => b.zeroExtend(b.flag("CF"), y.type);

/** target = target ∘ source, with all flags of the kind. */
const binary =
  (kind: "add" | "sub" | "logic", compute: Compute): Definition =>
  (b) => {
    const target = b.operand(0);
    const place = b.place(target);
    const y = b.read(b.operand(1), typeOf(target));
    const x = place.modify();
    const r = compute(b, x, y);
    place.write(r);
    b.flags(kind, x, y, r);
  };

/** CMP and TEST: the flags alone. */
const compare =
  (kind: "sub" | "logic", compute: Compute): Definition =>
  (b) => {
    const target = b.operand(0);
    const x = b.read(target);
    const y = b.read(b.operand(1), typeOf(target));
    b.flags(kind, x, y, compute(b, x, y));
  };

/** INC and DEC leave CF alone. */
const step =
  (kind: "add" | "sub"): Definition =>
  (b) => {
    const place = b.place(b.operand(0));
    const x = place.modify();
    const one = b.constant(x.type as IntegerType, 1);
    const r = kind === "add" ? b.add(x, one) : b.sub(x, one);
    place.write(r);
    b.flags(kind, x, one, r, STATUS_FLAGS & ~Flag.CF);
  };

const neg: Definition = (b) => {
  const place = b.place(b.operand(0));
  const x = place.modify();
  const zero = b.constant(x.type as IntegerType, 0);
  const r = b.sub(zero, x);
  place.write(r);
  b.flags("sub", zero, x, r);
};

const not: Definition = (b) => {
  const place = b.place(b.operand(0));
  place.write(b.not(place.modify()));
};

/** The sum is written last: `xadd eax, eax` leaves it (volume 2, XADD). */
const xadd: Definition = (b) => {
  const [target, source] = [b.operand(0), b.operand(1)];
  const place = b.place(target);
  const y = b.read(source);
  const x = place.modify();
  const r = b.add(x, y);
  if (target.shape === "memory") place.write(r);
  b.write(source, x);
  if (target.shape !== "memory") place.write(r);
  b.flags("add", x, y, r);
};

/**
 * CMPXCHG. On a mismatch memory gets its old value back (volume 2, CMPXCHG: "the destination operand is written back");
 * the option `compareExchangeWritesBack` can leave that out. A 32-bit register that is not written keeps its upper half.
 */
const cmpxchg: Definition = (b) => {
  const [target, source] = [b.operand(0), b.operand(1)];
  const type = typeOf(target);
  const place = b.place(target);
  const replacement = b.read(source);
  const old = place.modify();
  const accumulator = b.register(General.rax, type);
  const equal = b.equal(old, accumulator);
  // Before the target, which may be the accumulator itself: it equals itself, and takes the source.
  if (type === "i32") {
    const wide = b.select(equal, b.register(General.rax, "i64"), b.zeroExtend(old, "i64"));
    b.setRegister(General.rax, wide);
  } else {
    b.setRegister(General.rax, b.select(equal, accumulator, old));
  }
  if (target.shape === "memory") {
    writeIfEqual(
      b,
      equal,
      () => place.write(b.select(equal, replacement, old)),
      () => place.write(replacement),
    );
  } else {
    place.write(b.select(equal, replacement, old));
    if (type === "i32") {
      // The accumulator is written only on a mismatch, and the target only on a match.
      const wide = b.select(equal, b.zeroExtend(replacement, "i64"), b.operandRegister(target, "i64"));
      b.setOperandRegister(target, wide);
    }
  }
  b.flags("sub", accumulator, old, b.sub(accumulator, old));
};

/** The store of a compare-exchange: always, or only on a match. */
function writeIfEqual(b: Builder, equal: Value, always: () => void, onMatch: () => void): void {
  if (b.form.options.compareExchangeWritesBack) always();
  else b.when(equal, onMatch);
}

/** CMPXCHG8B: EDX:EAX against 8 bytes, ECX:EBX for them. Only ZF changes. */
const cmpxchg8b: Definition = (b) => {
  const place = b.place(b.operand(0));
  const old = place.modify();
  const pair = (high: General, low: General): Value =>
    b.or(
      b.shl(b.zeroExtend(b.register(high, "i32"), "i64"), b.constant("i32", 32)),
      b.zeroExtend(b.register(low, "i32"), "i64"),
    );
  const equal = b.equal(old, pair(General.rdx, General.rax));
  const replacement = pair(General.rcx, General.rbx);
  writeIfEqual(
    b,
    equal,
    () => place.write(b.select(equal, replacement, old)),
    () => place.write(replacement),
  );
  const half = (value: Value): Value => b.zeroExtend(b.truncate(value, "i32"), "i64");
  const high = b.shr(old, b.constant("i32", 32));
  b.setRegister(General.rax, b.select(equal, b.register(General.rax, "i64"), half(old)));
  b.setRegister(General.rdx, b.select(equal, b.register(General.rdx, "i64"), half(high)));
  b.setFlags({ ZF: equal });
};

/** CMPXCHG16B: RDX:RAX against 16 bytes, which must be aligned (#GP otherwise). */
const cmpxchg16b: Definition = (b) => {
  const address = b.memoryAddress();
  b.faultIf(b.not(b.isZero(b.and(address, b.constant("i64", 15)))), Vector.GP, 0);
  const place = b.place(b.operand(0));
  const old = place.modify();
  const [low, high] = [b.lane(old, "i64", 0), b.lane(old, "i64", 1)];
  const [rax, rdx] = [b.register(General.rax, "i64"), b.register(General.rdx, "i64")];
  const equal = b.and(b.equal(low, rax), b.equal(high, rdx));
  const replacement = b.withLane(
    b.zeroExtend(b.register(General.rbx, "i64"), "v128"),
    1,
    b.register(General.rcx, "i64"),
  );
  writeIfEqual(
    b,
    equal,
    () => place.write(b.select(equal, replacement, old)),
    () => place.write(replacement),
  );
  b.setRegister(General.rax, b.select(equal, rax, low));
  b.setRegister(General.rdx, b.select(equal, rdx, high));
  b.setFlags({ ZF: equal });
};

/** ADCX and ADOX: an addition that carries through one flag only. */
const addWithFlag =
  (flag: "CF" | "OF"): Definition =>
  (b) => {
    const target = b.operand(0);
    const x = b.read(target);
    const y = b.read(b.operand(1));
    const sum = b.add(x, y);
    const r = b.add(sum, b.zeroExtend(b.flag(flag), x.type));
    b.write(target, r);
    b.setFlags({ [flag]: b.or(b.unsignedLess(sum, x), b.unsignedLess(r, sum)) });
  };

/** RAO-INT: memory = memory ∘ register, atomically and without flags; the address must be aligned (volume 2, AADD). */
const remoteAtomic =
  (compute: Compute): Definition =>
  (b) => {
    const target = b.operand(0);
    const address = b.memoryAddress();
    b.faultIf(b.not(b.isZero(b.and(address, b.constant("i64", target.size - 1)))), Vector.GP, 0);
    const place = b.place(target, null, true);
    const y = b.read(b.operand(1));
    place.write(compute(b, place.modify(), y));
  };

/**
 * CMPccXADD memory, register, addend: compares memory with the register; adds to memory when the condition holds of that
 * comparison; the register gets the old value (volume 2, CMPccXADD). Memory is written either way, and must be aligned.
 */
const compareAndAdd =
  (holds: (b: Builder, flags: Comparison) => Value): Definition =>
  (b) => {
    const [target, register] = [b.operand(0), b.operand(1)];
    const address = b.memoryAddress();
    b.faultIf(b.not(b.isZero(b.and(address, b.constant("i64", target.size - 1)))), Vector.GP, 0);
    const place = b.place(target, null, true);
    const y = b.read(register);
    const addend = b.read(b.operand(2));
    const x = place.modify();
    const r = b.sub(x, y);
    const overflow = b.sign(b.and(b.xor(x, y), b.xor(x, r)));
    const comparison = {
      carry: b.unsignedLess(x, y),
      zero: b.isZero(r),
      sign: b.sign(r),
      parity: b.parity(r),
      overflow,
    };
    place.write(b.select(holds(b, comparison), b.add(x, addend), x));
    b.write(register, x);
    b.flags("sub", x, y, r);
  };

interface Comparison {
  readonly carry: Value;
  readonly zero: Value;
  readonly sign: Value;
  readonly parity: Value;
  readonly overflow: Value;
}

/** The even conditions of CMPccXADD by their suffix, and the names of their opposites. */
const COMPARE_CONDITIONS: readonly (readonly [yes: string, no: string, holds: (b: Builder, c: Comparison) => Value])[] =
  [
    ["o", "no", (_, c) => c.overflow],
    ["b", "nb", (_, c) => c.carry],
    ["z", "nz", (_, c) => c.zero],
    ["be", "nbe", (b, c) => b.or(c.carry, c.zero)],
    ["s", "ns", (_, c) => c.sign],
    ["p", "np", (_, c) => c.parity],
    ["l", "nl", (b, c) => b.xor(c.sign, c.overflow)],
    ["le", "nle", (b, c) => b.or(c.zero, b.xor(c.sign, c.overflow))],
  ];

const compareAndAdds: Family["meanings"] = Object.fromEntries(
  COMPARE_CONDITIONS.flatMap(([yes, no, holds]) => [
    [`cmp${yes}xadd`, compareAndAdd(holds)],
    [`cmp${no}xadd`, compareAndAdd((b, c) => b.not(holds(b, c)))],
  ]),
);

/** CRC-32C, polynomial 0x11EDC6F41 reflected, bit by bit from the low end (volume 2, CRC32). */
const crc32: Definition = (b) => {
  const target = b.operand(0);
  const source = b.operand(1);
  const value = b.read(source);
  const one = b.constant("i32", 1);
  let crc = b.operandRegister(target, "i32");
  for (let byte = 0; byte < source.size; byte++) {
    const shifted = byte === 0 ? value : b.shr(widen(b, value), b.constant("i32", 8 * byte));
    crc = b.xor(crc, b.zeroExtend(b.truncate(shifted, "i8"), "i32"));
    for (let bit = 0; bit < 8; bit++) {
      const polynomial = b.select(b.bit(crc, 0), b.constant("i32", 0x82f6_3b78), b.constant("i32", 0));
      crc = b.xor(b.shr(crc, one), polynomial);
    }
  }
  b.write(target, target.size === 8 ? b.zeroExtend(crc, "i64") : crc);
};

const widen = (b: Builder, value: Value): Value => (value.type === "i64" ? value : b.zeroExtend(value, "i32"));

const add: Compute = (b, x, y) => b.add(x, y);
const sub: Compute = (b, x, y) => b.sub(x, y);
const and: Compute = (b, x, y) => b.and(x, y);

export const arithmetic: Family = {
  name: "arithmetic",
  meanings: {
    add: binary("add", add),
    adc: binary("add", (b, x, y) => b.add(b.add(x, y), withCarry(b, y))),
    sub: binary("sub", sub),
    sbb: binary("sub", (b, x, y) => b.sub(b.sub(x, y), withCarry(b, y))),
    and: binary("logic", and),
    or: binary("logic", (b, x, y) => b.or(x, y)),
    xor: binary("logic", (b, x, y) => b.xor(x, y)),
    cmp: compare("sub", sub),
    test: compare("logic", and),
    inc: step("add"),
    dec: step("sub"),
    neg,
    not,
    xadd,
    cmpxchg,
    cmpxchg8b,
    cmpxchg16b,
    adcx: addWithFlag("CF"),
    adox: addWithFlag("OF"),
    crc32,
    aadd: remoteAtomic(add),
    aand: remoteAtomic(and),
    aor: remoteAtomic((b, x, y) => b.or(x, y)),
    axor: remoteAtomic((b, x, y) => b.xor(x, y)),
    ...compareAndAdds,
  },
};
