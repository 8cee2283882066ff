/**
 * Events on their way to the guest: what the host injects, what waits for what, faults while delivering, traps (Intel SDM
 * volume 3, chapter 6; the WHv registers PendingInterruption, PendingEvent, InterruptState, DeliverabilityNotifications,
 * PendingDebugException).
 */
import { WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { get, guest, hex, REAL_MODE, set, type TestGuest } from "./guest-image.ts";

/**
 * Real-mode code at 1000h, stack below 8000h. Every vector's handler is at 2000h + 16 * vector: it halts (F4), so that
 * IP tells which one ran.
 */
function real(code: string, registers: Record<string, bigint | number> = {}): TestGuest {
  const made = guest(0x1_0000);
  const { bytes } = made.ram;
  bytes.set(hex(code), 0x1000);
  for (let vector = 0; vector < 256; vector++) {
    bytes.set([(vector * 16) & 0xff, 0x20 + (vector >> 4), 0, 0], vector * 4);
    bytes[0x2000 + vector * 16] = 0xf4;
  }
  set(made.processor, { ...REAL_MODE, Rip: 0x1000, Rsp: 0x8000, ...registers });
  return made;
}

/** The vector whose handler halted, and the IP that its frame saved. */
function handled({ processor, ram }: TestGuest): { vector: number; ip: number } {
  const exit = processor.run();
  expect(exit.exitReason).toBe(Reason.WHvRunVpExitReasonX64Halt);
  const at = Number(exit.vpContext.rip) - 1;
  expect(at).toBeGreaterThanOrEqual(0x2000);
  const stack = Number(get(processor, "Rsp"));
  return { vector: (at - 0x2000) / 16, ip: ram.bytes[stack] | (ram.bytes[stack + 1] << 8) };
}

const PENDING = 1n;
const interrupt = (vector: number): bigint => (BigInt(vector) << 16n) | PENDING;
const NMI = (2n << 16n) | (2n << 1n) | PENDING;

describe("PendingInterruption", () => {
  test("an interrupt is delivered before the next instruction, and only once", () => {
    const made = real("90 f4", { Rflags: 0x202, PendingInterruption: interrupt(0x33) });
    expect(handled(made)).toEqual({ vector: 0x33, ip: 0x1000 });
    expect(get(made.processor, "PendingInterruption")).toBe(0n);
    expect(get(made.processor, "Rflags") & 0x200n).toBe(0n);
  });

  test("an NMI needs no IF, and masks the next until IRET", () => {
    const made = real("f4", { PendingInterruption: NMI });
    expect(handled(made)).toEqual({ vector: 2, ip: 0x1000 });
    expect(get(made.processor, "InterruptState")).toBe(2n);
    made.ram.bytes.set(hex("cf"), 0x2021);
    made.processor.step(1);
    expect(get(made.processor, "InterruptState")).toBe(0n);
  });

  test("an exception", () => {
    const made = real("90", { PendingInterruption: (6n << 16n) | (3n << 1n) | PENDING });
    expect(handled(made)).toEqual({ vector: 6, ip: 0x1000 });
  });

  test("stays pending when its frame is device memory", () => {
    const made = real("90", { Rflags: 0x202, PendingInterruption: interrupt(0x40) });
    set(made.processor, { Ss: [0xd_0000n, 0xffff, 0xd000, 0x93] });
    const exit = made.processor.run();
    expect(exit.exitReason).toBe(Reason.WHvRunVpExitReasonMemoryAccess);
    expect(exit.vpContext.executionState.interruptionPending).toBe(true);
    expect(get(made.processor, "PendingInterruption") & 0xffff_0001n).toBe(interrupt(0x40));
    expect(get(made.processor, "Rip")).toBe(0x1000n);
  });
});

describe("PendingEvent", () => {
  test("an external interrupt waits for IF", () => {
    const made = real("90 fb 40 90", { PendingEvent: (0x50n << 8n) | (5n << 1n) | PENDING });
    // STI's shadow covers INC.
    expect(handled(made)).toEqual({ vector: 0x50, ip: 0x1003 });
    expect([get(made.processor, "Rax"), get(made.processor, "PendingEvent")]).toEqual([1n, 0n]);
  });

  test("a page fault brings its CR2", () => {
    const made = real("90", { PendingEvent: (0x1234_5678n << 64n) | (14n << 16n) | PENDING });
    expect(handled(made)).toEqual({ vector: 14, ip: 0x1000 });
    expect(get(made.processor, "Cr2")).toBe(0x1234_5678n);
  });
});

describe("DeliverabilityNotifications", () => {
  const window = (made: TestGuest): { rip: bigint; type: number } => {
    const exit = made.processor.run();
    if (exit.exitReason !== Reason.WHvRunVpExitReasonX64InterruptWindow) throw new Error(`exit ${exit.exitReason}`);
    return { rip: exit.vpContext.rip, type: exit.interruptWindow.deliverableType };
  };

  test("an interrupt window opens when IF is set and no shadow is left; it is told once", () => {
    const made = real("90 fb 90 90 f4", { DeliverabilityNotifications: 2 });
    expect(window(made)).toEqual({ rip: 0x1003n, type: 0 });
    expect(get(made.processor, "DeliverabilityNotifications")).toBe(0n);
    expect(made.processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonX64Halt);
  });

  test("is told at once where the window is open", () => {
    expect(window(real("90", { Rflags: 0x202, DeliverabilityNotifications: 2 }))).toEqual({ rip: 0x1000n, type: 0 });
  });

  test("an NMI window does not need IF", () => {
    expect(window(real("90", { DeliverabilityNotifications: 1 }))).toEqual({ rip: 0x1000n, type: 2 });
  });

  test("a priority waits until CR8 is below it", () => {
    const made = real("90 f4", { Rflags: 0x202, Cr8: 5, DeliverabilityNotifications: 2 | (5 << 2) });
    expect(made.processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonX64Halt);
    set(made.processor, { Cr8: 4, Rip: 0x1000 });
    expect(window(made)).toEqual({ rip: 0x1000n, type: 0 });
  });
});

describe("the interrupt shadow", () => {
  test.each([
    ["STI with IF clear", "fb 90 90", 1n],
    ["STI with IF set casts none", "fb 90 90", 0n, 0x202],
    ["MOV SS", "8ed0 90 90", 1n],
    ["POP SS", "17 90 90", 1n],
  ])("%s", (_name, code, shadow, rflags = 2) => {
    const { processor } = real(code, { Rflags: rflags });
    processor.step(1);
    expect(get(processor, "InterruptState")).toBe(shadow);
    processor.step(1);
    expect(get(processor, "InterruptState")).toBe(0n);
  });

  test("is not lengthened by a second MOV SS in it", () => {
    const { processor } = real("8ed0 8ed0 90 90");
    processor.step(1);
    expect(get(processor, "InterruptState")).toBe(1n);
    processor.step(1);
    expect(get(processor, "InterruptState")).toBe(0n);
  });

  test("is told in the exit", () => {
    const { processor } = real("fb e460");
    const exit = processor.run();
    expect(exit.exitReason).toBe(Reason.WHvRunVpExitReasonX64IoPortAccess);
    expect(exit.vpContext.executionState.interruptShadow).toBe(true);
  });
});

describe("single step", () => {
  test("traps after each instruction, with DR6.BS and TF saved in the frame", () => {
    const made = real("40 40", { Rflags: 0x102 });
    expect(handled(made)).toEqual({ vector: 1, ip: 0x1001 });
    expect(get(made.processor, "Dr6") & 0x4000n).toBe(0x4000n);
    expect(get(made.processor, "Rflags") & 0x100n).toBe(0n);
    const stack = Number(get(made.processor, "Rsp"));
    expect(made.ram.bytes[stack + 5] & 1).toBe(1);
  });

  test("traps after each iteration of REP, before the instruction ends", () => {
    const made = real("f3aa 90", { Rflags: 0x102, Rcx: 3, Rdi: 0x3000 });
    expect(handled(made)).toEqual({ vector: 1, ip: 0x1000 });
    expect(get(made.processor, "Rcx")).toBe(2n);
  });

  test("INT n gets no trap of its own", () => {
    expect(handled(real("cd30", { Rflags: 0x102 }))).toEqual({ vector: 0x30, ip: 0x1002 });
  });

  test("PendingDebugException delivers the trap that an emulator owes", () => {
    const made = real("40", { PendingDebugException: 0x10 });
    expect(handled(made)).toEqual({ vector: 1, ip: 0x1000 });
    expect(get(made.processor, "Dr6") & 0x4000n).toBe(0x4000n);
  });
});

describe("instruction breakpoints", () => {
  test("fault before the instruction; RF lets it pass", () => {
    const made = real("40 40 f4", { Dr0: 0x1001, Dr7: 0x402 });
    expect(handled(made)).toEqual({ vector: 1, ip: 0x1001 });
    expect([get(made.processor, "Rax"), get(made.processor, "Dr6") & 0xfn]).toEqual([1n, 1n]);
    set(made.processor, { Rip: 0x1001, Rflags: 0x1_0002 });
    expect(made.processor.run().vpContext.rip).toBe(0x1003n);
    expect(get(made.processor, "Rflags") & 0x1_0000n).toBe(0n);
  });
});

describe("faults while delivering", () => {
  test("a contributory fault while delivering one is a double fault, a third one ends it", () => {
    // In real mode a vector outside of the table faults with #GP; the table ends behind vector 12, so #GP cannot be delivered.
    const made = real("0f0b", { Idtr: [0n, 12 * 4 + 3, 0, 0] as never });
    expect(handled(made)).toEqual({ vector: 6, ip: 0x1000 });
    set(made.processor, { Rip: 0x1000, Idtr: [0n, 8 * 4 + 3, 0, 0] });
    made.ram.bytes.set(hex("cd40"), 0x1000);
    // INT 40h is benign: its #GP is delivered as #GP, which is outside as well: double fault.
    expect(handled(made)).toEqual({ vector: 8, ip: 0x1000 });
    set(made.processor, { Rip: 0x1000, Idtr: [0n, 7 * 4 + 3, 0, 0] });
    expect(made.processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonUnrecoverableException);
  });
});

describe("step", () => {
  test("reports the first exception and does not deliver it", () => {
    const made = real("40 31c9 f7f1 40");
    const result = made.processor.step(10);
    expect(result).toEqual({ instructions: 2, exit: null, exception: { vector: 0, errorCode: null, cr2: null } });
    expect([get(made.processor, "Rip"), get(made.processor, "Rsp")]).toEqual([0x1003n, 0x8000n]);
    expect(made.ram.bytes.slice(0x7ff0, 0x8000)).toEqual(new Uint8Array(16));
  });

  test("runs exactly the count", () => {
    const made = real("40 40 40 40");
    expect(made.processor.step(3)).toEqual({ instructions: 3, exit: null, exception: null });
    expect([get(made.processor, "Rax"), get(made.processor, "Rip")]).toEqual([3n, 0x1003n]);
  });

  test("reports an exit", () => {
    const made = real("40 e460");
    const { instructions, exit, exception } = made.processor.step(5);
    expect([instructions, exit?.exitReason, exception]).toEqual([1, Reason.WHvRunVpExitReasonX64IoPortAccess, null]);
  });
});
