/**
 * Exits field by field, as the platform documents them (WHvRunVirtualProcessor and its exit contexts), and the state of
 * the processor that goes with each.
 */
import {
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
  type RunVpExit,
} from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import {
  get,
  guest,
  hex,
  PROTECTED_MODE,
  READ_WRITE_EXECUTE,
  REAL_MODE,
  type SegmentTuple,
  set,
  type TestGuest,
} from "./guest-image.ts";
import { P, pagingGuest, U, W } from "./paging-guest.ts";

type ExitOf<R extends RunVpExit["exitReason"]> = Extract<RunVpExit, { readonly exitReason: R }>;

/** The exit, which must be of this reason. */
function expectExit<R extends RunVpExit["exitReason"]>(exit: RunVpExit, reason: R): ExitOf<R> {
  expect(exit.exitReason).toBe(reason);
  return exit as ExitOf<R>;
}

/** 32-bit flat code at 0x1000. */
function flat(
  code: string,
  registers: Record<string, bigint | number | SegmentTuple> = {},
  configure?: Parameters<typeof guest>[2],
): TestGuest {
  const made = guest(0x10_0000, {}, configure);
  made.ram.bytes.set(hex(code), 0x1000);
  set(made.processor, { ...PROTECTED_MODE, Rip: 0x1000, Rsp: 0x8000, ...registers });
  return made;
}

function extended(bits: bigint, exceptions = 0n): Parameters<typeof guest>[2] {
  return (partition) => {
    partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, bits);
    if (exceptions !== 0n) partition.setProperty(Property.WHvPartitionPropertyCodeExceptionExitBitmap, exceptions);
  };
}

describe("MemoryAccess", () => {
  test("a load from memory that is not mapped: every field", () => {
    const { processor } = flat("8b8310000000 f4", { Rbx: 0xfee0_0000, Rflags: 0x202, Cr8: 5 });
    const { vpContext, memoryAccess } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect(vpContext.toObject()).toMatchObject({
      executionState: {
        cpl: 0,
        cr0Pe: true,
        cr0Am: false,
        eferLma: false,
        debugActive: false,
        interruptionPending: false,
        interruptShadow: false,
      },
      instructionLength: 6,
      cr8: 5,
      cs: { base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xc09b },
      rip: 0x1000n,
      rflags: 0x202n,
    });
    expect(memoryAccess.toObject()).toMatchObject({
      instructionByteCount: 6,
      accessInfo: { accessType: 0, gpaUnmapped: true, gvaValid: true },
      gpa: 0xfee0_0010,
      gva: 0xfee0_0010n,
    });
    expect(memoryAccess.instructionBytes).toEqual(hex("8b8310000000 00000000000000000000"));
  });

  test.each([
    ["mov [ebx], eax", "8903", 1],
    ["add [ebx], eax asks for the write at once", "0103", 1],
    ["cmp [ebx], eax", "3903", 0],
    ["push dword [ebx]", "ff33", 0],
    ["xchg [ebx], eax", "8703", 1],
    ["lock bts dword [ebx], 3", "f00fba2b03", 1],
  ])("%s (%s) exits and has changed nothing", (_name, code, type) => {
    const { processor, ram } = flat(code, { Rbx: 0x20_0000, Rax: 0x1234_5678, Rflags: 0x8d7 });
    const before = ram.bytes.slice();
    const { memoryAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect(memoryAccess.accessInfo.accessType).toBe(type);
    expect(vpContext.rip).toBe(0x1000n);
    expect([get(processor, "Rip"), get(processor, "Rax"), get(processor, "Rsp"), get(processor, "Rflags")]).toEqual([
      0x1000n,
      0x1234_5678n,
      0x8000n,
      0x8d7n,
    ]);
    expect(Buffer.compare(ram.bytes, before)).toBe(0);
    expect(processor.instructionCount).toBe(0);
  });

  test("execution where nothing is mapped", () => {
    const { processor } = flat("ffe3", { Rbx: 0x30_0004 });
    const { memoryAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect(memoryAccess.accessInfo.toObject()).toMatchObject({ accessType: 2, gpaUnmapped: true, gvaValid: true });
    expect([memoryAccess.gpa, memoryAccess.gva, memoryAccess.instructionByteCount]).toEqual([0x30_0004, 0x30_0004n, 0]);
    expect(vpContext.instructionLength).toBe(0);
    expect(get(processor, "Rip")).toBe(0x30_0004n);
  });

  test("a write to memory that is mapped without Write", () => {
    const { processor, partition } = flat("8b03 8903", { Rbx: 0x20_0000 });
    partition.mapGpaRange(partition.allocateMemory(0x1000), 0, 0x20_0000, 0x1000, 1);
    const { memoryAccess } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect(memoryAccess.accessInfo.toObject()).toMatchObject({ accessType: 1, gpaUnmapped: false });
    expect(get(processor, "Rip")).toBe(0x1002n);
  });

  test("paging: Gva and Gpa differ, and CPL 3 is told", () => {
    const { processor, ram, tables } = pagingGuest("4-level", { cpl: 3 });
    tables.map(0x40_3000n, 0xd000_0000n, [P | W | U]);
    ram.bytes.set(hex("8a4301"), 0x1000);
    set(processor, { Rbx: 0x40_3000 });
    const { memoryAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect([memoryAccess.gva, memoryAccess.gpa]).toEqual([0x40_3001n, 0xd000_0001]);
    expect(vpContext.executionState.toObject()).toMatchObject({ cpl: 3, cr0Pe: true, eferLma: true });
  });

  test("a load across RAM and device memory names the part that is not RAM", () => {
    const { processor } = flat("8b03", { Rbx: 0xf_fffe });
    const { memoryAccess } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect([memoryAccess.gva, memoryAccess.gpa]).toEqual([0x10_0000n, 0x10_0000]);
  });

  test("REP STOSD runs up to the device and can go on from there", () => {
    const { processor, ram } = flat("f3ab f4", { Rdi: 0xf_fff8, Rcx: 5, Rax: 0xaabb_ccdd });
    const { memoryAccess } = expectExit(processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect(memoryAccess.gpa).toBe(0x10_0000);
    expect([get(processor, "Rcx"), get(processor, "Rdi"), get(processor, "Rip")]).toEqual([3n, 0x10_0000n, 0x1000n]);
    expect(ram.bytes.slice(0xf_fff8)).toEqual(hex("ddccbbaa ddccbbaa"));
  });

  test("omitInstructionBytes leaves them out", () => {
    const made = guest(0x1_0000, { omitInstructionBytes: true });
    made.ram.bytes.set(hex("8b03"), 0x1000);
    set(made.processor, { ...PROTECTED_MODE, Rip: 0x1000, Rbx: 0x20_0000 });
    const { memoryAccess, vpContext } = expectExit(made.processor.run(), Reason.WHvRunVpExitReasonMemoryAccess);
    expect([memoryAccess.instructionByteCount, vpContext.instructionLength]).toEqual([0, 2]);
    expect(memoryAccess.instructionBytes).toEqual(new Uint8Array(16));
  });
});

describe("X64IoPortAccess", () => {
  test.each([
    ["in al, 0x60", "e460", { isWrite: false, accessSize: 1, stringOp: false, repPrefix: false }, 0x60],
    ["in ax, dx", "66ed", { isWrite: false, accessSize: 2, stringOp: false, repPrefix: false }, 0x3f8],
    ["in eax, dx", "ed", { isWrite: false, accessSize: 4, stringOp: false, repPrefix: false }, 0x3f8],
    ["out dx, al", "ee", { isWrite: true, accessSize: 1, stringOp: false, repPrefix: false }, 0x3f8],
    ["out 0xcf, eax", "e7cf", { isWrite: true, accessSize: 4, stringOp: false, repPrefix: false }, 0xcf],
    ["outsb", "6e", { isWrite: true, accessSize: 1, stringOp: true, repPrefix: false }, 0x3f8],
    ["rep insw", "f3666d", { isWrite: false, accessSize: 2, stringOp: true, repPrefix: true }, 0x3f8],
    ["rep outsd", "f36f", { isWrite: true, accessSize: 4, stringOp: true, repPrefix: true }, 0x3f8],
  ])("%s", (_name, code, info, port) => {
    const registers = { Rax: 0x1122_3344_5566_7788n, Rcx: 3, Rdx: 0xabcd_03f8, Rsi: 0x2000, Rdi: 0x3000 };
    const { processor } = flat(code, { ...registers, Es: [0x100n, 0xffff_ffff, 24, 0xc093] });
    const { ioPortAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonX64IoPortAccess);
    expect(ioPortAccess.toObject()).toMatchObject({
      instructionByteCount: hex(code).length,
      accessInfo: info,
      portNumber: port,
      rax: 0x1122_3344_5566_7788n,
      rcx: 3n,
      rsi: 0x2000n,
      rdi: 0x3000n,
      ds: { base: 0n, limit: 0xffff_ffff, selector: 16, attributes: 0xc093 },
      es: { base: 0x100n, limit: 0xffff_ffff, selector: 24, attributes: 0xc093 },
    });
    expect(ioPortAccess.instructionBytes.slice(0, hex(code).length)).toEqual(hex(code));
    expect(vpContext.instructionLength).toBe(hex(code).length);
    expect(get(processor, "Rip")).toBe(0x1000n);
  });

  test("a repeated one with count 0 does nothing and does not exit", () => {
    const { processor } = flat("f36e f4", { Rcx: 0 });
    expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
    expect(processor.instructionCount).toBe(2);
  });

  /** A TSS at 0x4000 whose I/O bitmap (offset 104) allows only port 0x61. */
  const bitmapTask = (made: TestGuest): void => {
    made.ram.bytes.set([104, 0], 0x4000 + 102);
    made.ram.bytes.fill(0xff, 0x4000 + 104, 0x4000 + 104 + 0x20);
    made.ram.bytes[0x4000 + 104 + (0x60 >> 3)] = 0xff & ~2;
  };
  const user = {
    Cs: [0n, 0xffff_ffff, 0x1b, 0xc0fb],
    Ss: [0n, 0xffff_ffff, 0x23, 0xc0f3],
    Ds: [0n, 0xffff_ffff, 0x23, 0xc0f3],
    Tr: [0x4000n, 104 + 0x1f, 0x28, 0x8b],
  } as const;

  test.each([
    ["IOPL 3 allows every port", "e460", 0x3002, null],
    ["the bitmap allows port 0x61", "e461", 2, null],
    ["the bitmap forbids port 0x60", "e460", 2, { vector: 13, errorCode: 0, cr2: null }],
    ["a word at 0x61 needs both bits", "66e561", 2, { vector: 13, errorCode: 0, cr2: null }],
    ["a port beyond the limit is forbidden", "66ed", 2, { vector: 13, errorCode: 0, cr2: null }],
  ])("at CPL 3 the right to the port comes before the exit: %s", (_name, code, rflags, exception) => {
    const made = flat(code, { ...user, Rflags: rflags, Rdx: 0x3f8 });
    bitmapTask(made);
    const result = made.processor.step(1);
    expect(result.exception).toEqual(exception);
    expect(result.exit?.exitReason ?? null).toBe(exception === null ? Reason.WHvRunVpExitReasonX64IoPortAccess : null);
  });
});

describe("X64Halt", () => {
  test("RIP is behind the instruction, and the next run goes on", () => {
    const { processor } = flat("f4 40 f4");
    const { vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
    expect([vpContext.rip, vpContext.instructionLength]).toEqual([0x1001n, 0]);
    expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
    expect(get(processor, "Rax")).toBe(1n);
  });

  test("is #GP(0) at CPL 3", () => {
    const { processor } = flat("f4", { Cs: [0n, 0xffff_ffff, 0x1b, 0xc0fb], Ss: [0n, 0xffff_ffff, 0x23, 0xc0f3] });
    expect(processor.step(1).exception).toEqual({ vector: 13, errorCode: 0, cr2: null });
  });
});

describe("X64Cpuid", () => {
  test("without the property CPUID answers the model", () => {
    const { processor } = flat("0fa2 f4", { Rax: 0 });
    expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
    const text = ["Rbx", "Rdx", "Rcx"].map((name) => {
      const value = Number(get(processor, name));
      return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
    });
    expect(text.join("")).toBe("AuthenticAMD");
  });

  test("with the property it exits, with the registers and the model's answer", () => {
    const { processor } = flat("0fa2", { Rax: 0x8000_0008, Rcx: 7, Rdx: 8, Rbx: 9 }, extended(1n));
    const { cpuidAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Cpuid);
    expect(cpuidAccess.toObject()).toMatchObject({
      rax: 0x8000_0008n,
      rcx: 7n,
      rdx: 8n,
      rbx: 9n,
      defaultResultRax: 0x3930n,
      defaultResultRcx: 0n,
      defaultResultRdx: 0n,
      defaultResultRbx: 0n,
    });
    expect([vpContext.rip, vpContext.instructionLength]).toEqual([0x1000n, 2]);
  });

  test("cpuidExitList and cpuidResults", () => {
    const options = { cpuidExitList: [0x4000_0000], cpuidResults: [{ function: 1, eax: 1, ebx: 2, ecx: 3, edx: 4 }] };
    const made = guest(0x1_0000, options, extended(1n));
    made.ram.bytes.set(hex("0fa2 b800000040 0fa2"), 0x1000);
    set(made.processor, { ...PROTECTED_MODE, Rip: 0x1000, Rax: 1 });
    const { vpContext } = expectExit(made.processor.run(), Reason.WHvRunVpExitReasonX64Cpuid);
    expect(vpContext.rip).toBe(0x1007n);
    expect(["Rbx", "Rcx", "Rdx"].map((name) => get(made.processor, name))).toEqual([2n, 3n, 4n]);
  });
});

describe("X64MsrAccess", () => {
  test("an MSR that the model lacks is #GP(0), and an exit where the property says so", () => {
    expect(flat("0f32", { Rcx: 0x1234 }).processor.step(1).exception).toEqual({ vector: 13, errorCode: 0, cr2: null });
    const { processor } = flat("0f30", { Rcx: 0x1234, Rax: 5, Rdx: 6 }, extended(2n));
    const { msrAccess, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonX64MsrAccess);
    expect(msrAccess.toObject()).toMatchObject({ accessInfo: { isWrite: true }, msrNumber: 0x1234, rax: 5n, rdx: 6n });
    expect(vpContext.instructionLength).toBe(2);
  });

  test("an MSR that the model has does not exit", () => {
    const { processor } = flat("0f30 0f32 f4", { Rcx: 0xc000_0082, Rax: 0x1122_3344, Rdx: 0x55 }, extended(2n));
    expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
    expect(get(processor, "Lstar")).toBe(0x55_1122_3344n);
  });
});

describe("X64Rdtsc", () => {
  test.each([
    ["rdtsc", "0f31", false],
    ["rdtscp", "0f01f9", true],
  ])("%s exits with the property", (_name, code, isRdtscp) => {
    const { processor } = flat(code, { Tsc: 0x1_0000_0005n, TscAux: 7 }, extended(8n));
    const { readTsc } = expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Rdtsc);
    expect(readTsc.toObject()).toMatchObject({ tsc: 0x1_0000_0005n, tscAux: 7n, rdtscInfo: { isRdtscp } });
  });

  test("the counter counts instructions", () => {
    const { processor } = flat("90 90 90 0f31 f4", { Tsc: 0xffff_ffffn });
    processor.run();
    expect([get(processor, "Rax"), get(processor, "Rdx")]).toEqual([2n, 1n]);
  });
});

describe("Exception", () => {
  test("a page fault, before it is delivered: CR2 is as before", () => {
    const { processor, ram } = pagingGuest("4-level", {}, extended(4n, 1n << 14n));
    ram.bytes.set(hex("8903"), 0x1000);
    set(processor, { Rbx: 0xffff_8000_0000_1234n, Cr2: 0x77 });
    const { vpException } = expectExit(processor.run(), Reason.WHvRunVpExitReasonException);
    expect(vpException.toObject()).toMatchObject({
      exceptionInfo: { errorCodeValid: true },
      exceptionType: 14,
      errorCode: 2,
      exceptionParameter: 0xffff_8000_0000_1234n,
    });
    expect([get(processor, "Cr2"), get(processor, "Rip")]).toEqual([0x77n, 0x1000n]);
  });

  test("a divide error: the instruction and no error code", () => {
    const made = flat("31c9 f7f1", {}, extended(4n, 1n | (1n << 3n)));
    const { vpException, vpContext } = expectExit(made.processor.run(), Reason.WHvRunVpExitReasonException);
    expect(vpException.toObject()).toMatchObject({
      instructionByteCount: 2,
      exceptionInfo: { errorCodeValid: false, softwareException: false },
      exceptionType: 0,
    });
    expect(vpException.instructionBytes.slice(0, 2)).toEqual(hex("f7f1"));
    expect([vpContext.rip, vpContext.instructionLength]).toEqual([0x1002n, 2]);
  });

  test("INT3 is a software exception, and stands before the instruction", () => {
    const { processor } = flat("cc", {}, extended(4n, 1n << 3n));
    const { vpException, vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonException);
    expect(vpException.exceptionInfo.softwareException).toBe(true);
    expect([vpException.exceptionType, vpContext.rip, vpContext.instructionLength]).toEqual([3, 0x1000n, 1]);
  });

  test("an error code and its parameter", () => {
    const configured = guest(0x1_0000, {}, extended(4n, 1n << 13n));
    configured.ram.bytes.set(hex("8ed8"), 0x1000);
    set(configured.processor, { ...PROTECTED_MODE, Rip: 0x1000, Rax: 0x1234, Gdtr: [0n, 0x17, 0, 0] });
    const { vpException } = expectExit(configured.processor.run(), Reason.WHvRunVpExitReasonException);
    expect(vpException.toObject()).toMatchObject({
      exceptionType: 13,
      errorCode: 0x1234,
      exceptionInfo: { errorCodeValid: true },
    });
  });
});

describe("Canceled", () => {
  test("cancelRun before run", () => {
    const { processor } = flat("40 f4");
    processor.cancelRun();
    const { cancelReason } = expectExit(processor.run(), Reason.WHvRunVpExitReasonCanceled);
    expect(cancelReason.cancelReason).toBe(0);
    expect(processor.instructionCount).toBe(0);
    expectExit(processor.run(), Reason.WHvRunVpExitReasonX64Halt);
  });

  test("the budget ends a run that would not end by itself, at an instruction boundary", () => {
    const made = guest(0x1_0000, { instructionBudget: 1001 });
    made.ram.bytes.set(hex("40 ebfd"), 0x1000);
    set(made.processor, { ...PROTECTED_MODE, Rip: 0x1000 });
    expectExit(made.processor.run(), Reason.WHvRunVpExitReasonCanceled);
    expect(made.processor.instructionCount).toBe(1001);
    expect([get(made.processor, "Rax"), get(made.processor, "Rip")]).toEqual([501n, 0x1001n]);
  });

  test("a long REP spends the budget too, and goes on where it stopped", () => {
    const made = guest(0x1_0000, { instructionBudget: 1000 });
    made.ram.bytes.set(hex("f3ae f4"), 0x1000);
    set(made.processor, { ...PROTECTED_MODE, Rip: 0x1000, Rdi: 0x2000, Rcx: 0xc000 });
    let runs = 1;
    while (made.processor.run().exitReason === Reason.WHvRunVpExitReasonCanceled) runs++;
    expect(runs).toBeGreaterThan(2);
    expect([get(made.processor, "Rcx"), get(made.processor, "Rdi")]).toEqual([0n, 0xe000n]);
    expect(made.processor.instructionCount).toBe(2);
  });

  test("a guest that faults without end does not hang its host", () => {
    const made = guest(0x2_0000, { instructionBudget: 1000 });
    // The invalid-opcode handler of real mode is invalid itself; the stack is out of its way.
    made.ram.bytes.set(hex("0f0b"), 0x1000);
    made.ram.bytes.set(hex("00100000"), 6 * 4);
    set(made.processor, { ...REAL_MODE, Ss: [0x1_0000n, 0xffff, 0x1000, 0x93], Rip: 0x1000, Rsp: 0x8000 });
    expectExit(made.processor.run(), Reason.WHvRunVpExitReasonCanceled);
    expect([made.processor.instructionCount, get(made.processor, "Rip")]).toEqual([0, 0x1000n]);
  });
});

describe("UnrecoverableException", () => {
  test("a triple fault", () => {
    const { processor } = flat("0f0b", { Idtr: [0n, 0, 0, 0] });
    const { vpContext } = expectExit(processor.run(), Reason.WHvRunVpExitReasonUnrecoverableException);
    expect(vpContext.rip).toBe(0x1000n);
  });
});

describe("InvalidVpRegisterValue", () => {
  test.each([
    ["PG without PE", { Cr0: 0x8000_0010 }],
    ["NW without CD", { Cr0: 0x2000_0011 }],
    ["LMA that does not follow", { Cr0: 0x8000_0011, Cr4: 0x20, Efer: 0x100 }],
    ["RIP above 4 GiB outside of 64-bit code", { Rip: 0x1_0000_0000n }],
    ["an interrupt to inject with IF clear", { PendingInterruption: (0x20n << 16n) | 1n }],
    ["CS that is not present", { Cs: [0n, 0xffff, 8, 0] as SegmentTuple }],
  ])("%s", (_name, registers) => {
    const { processor } = flat("f4");
    set(processor, registers);
    expectExit(processor.run(), Reason.WHvRunVpExitReasonInvalidVpRegisterValue);
    expect(processor.exitDetail).not.toBe("");
    expect(processor.instructionCount).toBe(0);
  });
});

describe("UnsupportedFeature", () => {
  test("a task gate", () => {
    const { processor } = flat("ea00000000 0800", { Gdtr: [0x5000n, 0x1f, 0, 0] });
    const made = flat("ea00000000 0800", { Gdtr: [0x5000n, 0x1f, 0, 0] });
    made.ram.bytes.set(hex("0000 1000 00 85 0000"), 0x5008);
    const { unsupportedFeature } = expectExit(made.processor.run(), Reason.WHvRunVpExitReasonUnsupportedFeature);
    expect(unsupportedFeature.featureCode).toBe(2);
    expect(made.processor.exitDetail).toMatch(/task gate/);
    expect(processor.step(1).exception?.vector).toBe(13);
  });
});

describe("the record", () => {
  test("is the same object each time, and carries nothing over", () => {
    const { processor } = flat("e460 f4");
    const first = processor.run();
    expectExit(first, Reason.WHvRunVpExitReasonX64IoPortAccess);
    set(processor, { Rip: 0x1002 });
    const second = processor.run();
    expect(second).toBe(first);
    const bytes = (second as unknown as { bytes: Uint8Array }).bytes;
    expect(bytes.length).toBe(224);
    expect(bytes.slice(48)).toEqual(new Uint8Array(176));
  });
});

test("mapping a second range of the same memory shows the same bytes", () => {
  const { processor, partition, ram } = flat("c60342 f4", { Rbx: 0x20_0010 });
  partition.mapGpaRange(ram, 0x3000, 0x20_0000, 0x1000, READ_WRITE_EXECUTE);
  processor.run();
  expect(ram.bytes[0x3010]).toBe(0x42);
});
