/**
 * System instructions. What they do beyond data flow is a helper's; here stand their operands, results and order. Intel SDM
 * volume 3, chapters 2, 3 and 5; each instruction's page in volume 2.
 */
import { type Builder, type Definition, General, type Operand, type Value } from "../ir/builder.ts";
import { type IntegerType, integerOfSize } from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import type { Family } from "./family.ts";

const CR4 = { umip: 11, fsgsbase: 16, pke: 22 } as const;

/** CPL is the DPL of SS. */
export function privilegeIsNotZero(b: Builder): Value {
  const attributes = b.registerAt(RegisterOffset.segments + 16 * Segment.ss + 14, "i16");
  return b.not(b.isZero(b.and(attributes, b.constant("i16", 0x60))));
}

const controlBit = (b: Builder, bit: number): Value => b.bit(b.registerAt(RegisterOffset.cr4, "i32"), bit);

/** SGDT, SIDT, SLDT, STR and SMSW are #GP(0) outside CPL 0 when CR4.UMIP is set. */
const checkUmip = (b: Builder): void => {
  b.faultIf(b.and(controlBit(b, CR4.umip), privilegeIsNotZero(b)), Vector.GP, 0);
};

/** Limit, then base: 8 bytes in 64-bit mode, else 4, of which a 16-bit LGDT takes 3. */
const loadTable =
  (which: 0 | 1): Definition =>
  (b) => {
    const type: IntegerType = b.long ? "i64" : "i32";
    b.probe("memory", b.memoryAddress(), 2, Intent.read);
    b.probe("memory", b.memoryAddress(2), b.long ? 8 : 4, Intent.read);
    const limit = b.load("memory", b.memoryAddress(), "i16");
    let base = b.load("memory", b.memoryAddress(2), type);
    if (!b.long && b.form.operandSize === 2) base = b.and(base, b.constant("i32", 0x00ff_ffff));
    b.call(Helper.loadTable, b.constant("i64", which), base, limit);
  };

const storeTable =
  (offset: number): Definition =>
  (b) => {
    checkUmip(b);
    const type: IntegerType = b.long ? "i64" : "i32";
    b.probe("memory", b.memoryAddress(), b.long ? 10 : 6, Intent.write);
    b.store("memory", b.memoryAddress(), b.registerAt(offset + 6, "i16"));
    b.store("memory", b.memoryAddress(2), b.registerAt(offset + 8, type));
  };

/** A 16-bit value to memory, or zero-extended to a register of the operand size. */
function writeWord(b: Builder, target: Operand, value: Value): void {
  b.write(target, b.resize(value, integerOfSize(target.size)));
}

const storeSelector =
  (segment: Segment): Definition =>
  (b) => {
    checkUmip(b);
    writeWord(b, b.operand(0), b.registerAt(RegisterOffset.segments + 16 * segment + 12, "i16"));
  };

const loadSystemSegment =
  (which: 0 | 1): Definition =>
  (b) => {
    b.call(Helper.loadSystemSegment, b.constant("i64", which), b.read(b.operand(0), "i16"));
  };

const smsw: Definition = (b) => {
  checkUmip(b);
  const target = b.operand(0);
  b.write(target, b.registerAt(RegisterOffset.cr0, integerOfSize(target.size)));
};

/** LMSW writes the low four bits of CR0, but cannot clear PE. */
const lmsw: Definition = (b) => {
  const low = b.and(b.zeroExtend(b.read(b.operand(0), "i16"), "i64"), b.constant("i64", 15));
  const kept = b.and(b.registerAt(RegisterOffset.cr0, "i64"), b.constant("i64", ~14));
  b.call(Helper.writeControl, b.constant("i64", 0), b.or(kept, low));
};

const lowHalf = (b: Builder, value: Value): Value => b.truncate(value, "i32");
const highHalf = (b: Builder, value: Value): Value => b.truncate(b.shr(value, b.constant("i32", 32)), "i32");

const edxEax = (b: Builder): Value =>
  b.or(
    b.shl(b.zeroExtend(b.register(General.rdx, "i32"), "i64"), b.constant("i32", 32)),
    b.zeroExtend(b.register(General.rax, "i32"), "i64"),
  );

function setEdxEax(b: Builder, value: Value): void {
  b.setRegister(General.rax, lowHalf(b, value));
  b.setRegister(General.rdx, highHalf(b, value));
}

const cpuid: Definition = (b) => {
  const first = b.call(Helper.cpuid, b.register(General.rax, "i32"), b.register(General.rcx, "i32"));
  const second = b.callSecond(first);
  b.setRegister(General.rax, lowHalf(b, first));
  b.setRegister(General.rbx, highHalf(b, first));
  b.setRegister(General.rcx, lowHalf(b, second));
  b.setRegister(General.rdx, highHalf(b, second));
};

/** A helper by ECX with its result in EDX:EAX. */
const readByCount =
  (helper: Helper): Definition =>
  (b) =>
    setEdxEax(b, b.call(helper, b.register(General.rcx, "i32")));

const writeByCount =
  (helper: Helper): Definition =>
  (b) => {
    b.call(helper, b.register(General.rcx, "i32"), edxEax(b));
  };

const rdtscp: Definition = (b) => {
  const value = b.call(Helper.readTimestamp);
  setEdxEax(b, value);
  b.setRegister(General.rcx, lowHalf(b, b.callSecond(value)));
};

/** LAR and LSL write their target only for a selector that may be seen. */
const inspectTo =
  (which: 0 | 1): Definition =>
  (b) => {
    const target = b.operand(0);
    const type = integerOfSize(target.size);
    const value = b.call(Helper.inspectSelector, b.read(b.operand(1), "i16"), b.constant("i64", which));
    const visible = b.truncate(b.callSecond(value), "i1");
    const kept: IntegerType = type === "i32" ? "i64" : type;
    const low = b.resize(b.truncate(value, "i32"), kept);
    b.setOperandRegister(target, b.select(visible, low, b.operandRegister(target, kept)));
    b.setFlags({ ZF: visible });
  };

const verify =
  (which: 2 | 3): Definition =>
  (b) => {
    const value = b.call(Helper.inspectSelector, b.read(b.operand(0), "i16"), b.constant("i64", which));
    b.setFlags({ ZF: b.truncate(b.callSecond(value), "i1") });
  };

/** ARPL raises the target's RPL to the source's; only in protected mode, which the decoder cannot know. */
const arpl: Definition = (b) => {
  const cr0 = b.registerAt(RegisterOffset.cr0, "i32");
  const virtual = b.bit(b.registerAt(RegisterOffset.rflags, "i32"), 17);
  b.faultIf(b.or(b.not(b.bit(cr0, 0)), virtual), Vector.UD);
  const target = b.operand(0);
  const selector = b.read(target);
  const three = b.constant("i16", 3);
  const wanted = b.and(b.read(b.operand(1)), three);
  const lower = b.unsignedLess(b.and(selector, three), wanted);
  const raised = b.or(b.and(selector, b.not(three)), wanted);
  // Memory whose RPL is not lower is not written, and need not be writable.
  if (target.shape === "memory") b.when(lower, () => b.store("memory", b.memoryAddress(), raised));
  else b.write(target, b.select(lower, raised, selector));
  b.setFlags({ ZF: lower });
};

/** The far pointer in memory, an offset of the pointer's size less 2 and a selector; both are checked before either is read. */
export function readFarPointer(b: Builder, pointer: Operand): { readonly offset: Value; readonly selector: Value } {
  const size = pointer.size - 2;
  b.probe("memory", b.memoryAddress(), size, Intent.read);
  b.probe("memory", b.memoryAddress(size), 2, Intent.read);
  const offset = b.load("memory", b.memoryAddress(), integerOfSize(size));
  return { offset, selector: b.load("memory", b.memoryAddress(size), "i16") };
}

/** LDS, LES, LSS, LFS, LGS: a far pointer into a segment register and a general one. */
const loadFarPointer =
  (segment: Segment): Definition =>
  (b) => {
    const { offset, selector } = readFarPointer(b, b.operand(1));
    b.call(Helper.loadSegment, b.constant("i64", segment), selector);
    b.write(b.operand(0), b.resize(offset, integerOfSize(b.operand(0).size)));
  };

/** RDFSBASE and its kin are #UD unless CR4.FSGSBASE is set. */
const readBase =
  (segment: Segment): Definition =>
  (b) => {
    b.faultIf(b.not(controlBit(b, CR4.fsgsbase)), Vector.UD);
    const target = b.operand(0);
    b.write(target, b.registerAt(RegisterOffset.segments + 16 * segment, integerOfSize(target.size)));
  };
const writeBase =
  (segment: Segment): Definition =>
  (b) => {
    b.faultIf(b.not(controlBit(b, CR4.fsgsbase)), Vector.UD);
    const base = b.zeroExtend(b.read(b.operand(0)), "i64");
    b.checkBranch(base);
    b.setRegisterAt(RegisterOffset.segments + 16 * segment, 8, base);
  };

/** RDPKRU and WRPKRU need CR4.PKE and a zero ECX (and EDX to write). */
const checkPkru = (b: Builder, mustBeZero: readonly General[]): void => {
  b.faultIf(b.not(controlBit(b, CR4.pke)), Vector.UD);
  for (const register of mustBeZero) b.faultIf(b.not(b.isZero(b.register(register, "i32"))), Vector.GP, 0);
};
const rdpkru: Definition = (b) => {
  checkPkru(b, [General.rcx]);
  b.setRegister(General.rax, b.registerAt(RegisterOffset.pkru, "i32"));
  b.setRegister(General.rdx, b.constant("i32", 0));
};
const wrpkru: Definition = (b) => {
  checkPkru(b, [General.rcx, General.rdx]);
  b.setRegisterAt(RegisterOffset.pkru, 4, b.register(General.rax, "i32"));
};

const rdpid: Definition = (b) => {
  const target = b.operand(0);
  const value = b.call(Helper.readProcessorId);
  b.write(target, b.truncate(value, integerOfSize(target.size)));
};

/** CLFLUSH and its kin check their address like a one-byte read. */
const touchLine: Definition = (b) => b.probe("memory", b.memoryAddress(), 1, Intent.read);

/** CLZERO (AMD): the 64-byte line of rAX becomes zero. */
const clzero: Definition = (b) => {
  const start = b.and(b.register(General.rax, b.addressType), b.constant(b.addressType, ~63));
  for (let i = 0; i < 64; i += 8) {
    const offset = b.add(start, b.constant(b.addressType, i));
    b.store("memory", b.linearAddress("memory", offset), b.constant("i64", 0));
  }
};

const byHelper =
  (helper: Helper): Definition =>
  (b) => {
    b.call(helper);
  };
const transfer =
  (helper: Helper): Definition =>
  (b) => {
    b.call(helper);
    b.helperWritesIp();
  };

const monitor: Definition = (b) => {
  const address = b.linearAddress("memory", b.register(General.rax, b.addressType));
  b.call(Helper.monitor, b.constant("i64", 0), address);
};
const mwait: Definition = (b) => {
  b.call(Helper.monitor, b.constant("i64", 1));
};

const nothing: Definition = () => {};

export const system: Family = {
  name: "system",
  meanings: {
    lgdt: loadTable(0),
    lidt: loadTable(1),
    sgdt: storeTable(RegisterOffset.gdtr),
    sidt: storeTable(RegisterOffset.idtr),
    lldt: loadSystemSegment(0),
    ltr: loadSystemSegment(1),
    sldt: storeSelector(Segment.ldtr),
    str: storeSelector(Segment.tr),
    smsw,
    lmsw,
    clts: byHelper(Helper.clearTaskSwitched),
    lar: inspectTo(0),
    lsl: inspectTo(1),
    verr: verify(2),
    verw: verify(3),
    arpl,
    lds: loadFarPointer(Segment.ds),
    les: loadFarPointer(Segment.es),
    lss: loadFarPointer(Segment.ss),
    lfs: loadFarPointer(Segment.fs),
    lgs: loadFarPointer(Segment.gs),
    hlt: byHelper(Helper.halt),
    cpuid,
    rdmsr: readByCount(Helper.readMsr),
    wrmsr: writeByCount(Helper.writeMsr),
    wrmsrns: writeByCount(Helper.writeMsr),
    rdpmc: readByCount(Helper.readPerformanceCounter),
    rdtsc: (b) => setEdxEax(b, b.call(Helper.readTimestamp)),
    rdtscp,
    rdpid,
    xgetbv: readByCount(Helper.readExtendedControl),
    xsetbv: writeByCount(Helper.writeExtendedControl),
    invlpg: (b) => {
      b.call(Helper.invalidatePage, b.memoryAddress());
    },
    invpcid: (b) => {
      b.call(Helper.invalidateProcessContext, b.read(b.operand(0)), b.memoryAddress());
    },
    invd: byHelper(Helper.writeBackCaches),
    wbinvd: byHelper(Helper.writeBackCaches),
    wbnoinvd: byHelper(Helper.writeBackCaches),
    swapgs: byHelper(Helper.swapGs),
    syscall: transfer(Helper.systemCall),
    sysret: transfer(Helper.systemReturn),
    sysretq: transfer(Helper.systemReturn),
    sysenter: transfer(Helper.sysenter),
    sysexit: transfer(Helper.sysexit),
    sysexitq: transfer(Helper.sysexit),
    iret: transfer(Helper.interruptReturn),
    iretd: transfer(Helper.interruptReturn),
    iretq: transfer(Helper.interruptReturn),
    monitor,
    monitorx: monitor,
    mwait,
    mwaitx: mwait,
    rdfsbase: readBase(Segment.fs),
    rdgsbase: readBase(Segment.gs),
    wrfsbase: writeBase(Segment.fs),
    wrgsbase: writeBase(Segment.gs),
    rdpkru,
    wrpkru,
    clflush: touchLine,
    clflushopt: touchLine,
    clwb: touchLine,
    clzero,
    // Nothing that a program can see: hints, fences in a machine that performs accesses in order, landing pads.
    nop: nothing,
    reservednop: nothing,
    pause: nothing,
    endbr32: nothing,
    endbr64: nothing,
    prefetch: nothing,
    prefetchw: nothing,
    prefetchwt1: nothing,
    prefetchnta: nothing,
    prefetcht0: nothing,
    prefetcht1: nothing,
    prefetcht2: nothing,
    prefetchit0: nothing,
    prefetchit1: nothing,
    cldemote: nothing,
    lfence: nothing,
    sfence: nothing,
    mfence: nothing,
    serialize: nothing,
  },
};
