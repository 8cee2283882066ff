/** Events that the host gives to the guest, and when it is told that it can. */
import { WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import { type BackendCheck, expectMatch, OneOf } from "../check.ts";
import { backendCheck, codeStart, deviceGpa, type Guest, type GuestPlan, type Registers, withGuest } from "./guest.ts";

/** Handlers of real mode at 0x2000 + 16 * vector, each HLT, so that IP tells which one ran. */
function realPlan(code: string, registers: Registers = {}): GuestPlan {
  const vectors = Array.from({ length: 256 }, (_, vector) => {
    const handler = 0x2000 + 16 * vector;
    return [handler & 0xff, handler >> 8, 0, 0].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });
  const handlers = Array.from({ length: 256 }, () => `f4${"90".repeat(15)}`);
  return {
    code,
    registers: { Rsp: 0x8000, ...registers },
    bytes: [
      [0, vectors.join("")],
      [0x2000, handlers.join("")],
    ],
  };
}

/** The vector whose handler halted, and the IP that its frame saved. */
function expectHandled(guest: Guest, vector: number, ip: number): void {
  const { vpContext } = guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
  const handler = BigInt(0x2000 + 16 * vector);
  expectMatch("rip in the handler", vpContext.rip, new OneOf(handler, handler + 1n));
  const stack = Number(guest.get("Rsp") & 0xffffn);
  const saved = (guest.ram.bytes[stack] ?? 0) | ((guest.ram.bytes[stack + 1] ?? 0) << 8);
  expectMatch("saved IP", saved, ip);
}

const pending = 1n;
/** `WHV_X64_PENDING_INTERRUPTION_REGISTER`: types 0 interrupt, 2 NMI, 3 exception. */
const interruption = (type: bigint, vector: bigint): bigint => pending | (type << 1n) | (vector << 16n);

function check(
  id: string,
  title: string,
  reference: string,
  plan: GuestPlan,
  body: (guest: Guest) => void,
): BackendCheck {
  return backendCheck(`event.${id}`, title, reference, (hypervisor) => withGuest(hypervisor, plan, body));
}

/** Checks of events. */
export const eventInjectionChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  check(
    "pending-interruption",
    "PendingInterruption with an interrupt is delivered before the next instruction, once",
    "WHvRegisterPendingInterruption",
    realPlan("90f4", { Rflags: 0x202, PendingInterruption: interruption(0n, 0x33n) }),
    (guest) => {
      expectHandled(guest, 0x33, codeStart);
      expectMatch("PendingInterruption", guest.get("PendingInterruption") & 1n, 0n);
      expectMatch("RFLAGS.IF in the handler", guest.get("Rflags") & 0x200n, 0n);
    },
  ),
  check(
    "nmi",
    "PendingInterruption with an NMI needs no IF",
    "WHvRegisterPendingInterruption",
    realPlan("90f4", { PendingInterruption: interruption(2n, 2n) }),
    (guest) => expectHandled(guest, 2, codeStart),
  ),
  check(
    "exception",
    "PendingInterruption with an exception",
    "WHvRegisterPendingInterruption",
    realPlan("90f4", { PendingInterruption: interruption(3n, 6n) }),
    (guest) => expectHandled(guest, 6, codeStart),
  ),
  check(
    "pending-event-exception",
    "PendingEvent with a page fault brings its CR2",
    "WHvRegisterPendingEvent",
    realPlan("90f4", { PendingEvent: (0x1234_5678n << 64n) | (14n << 16n) | pending }),
    (guest) => {
      expectHandled(guest, 14, codeStart);
      expectMatch("Cr2", guest.get("Cr2"), 0x1234_5678n);
    },
  ),
  check(
    "pending-event-interrupt",
    "PendingEvent with an external interrupt waits for IF, and for the end of STI's shadow",
    "WHvRegisterPendingEvent",
    // nop; sti; inc ax; nop
    realPlan("90fb4090f4", { PendingEvent: (0x50n << 8n) | (5n << 1n) | pending }),
    (guest) => {
      expectHandled(guest, 0x50, codeStart + 3);
      expectMatch("Rax", guest.get("Rax"), 1n);
    },
  ),
  check(
    "stays-pending",
    "An interrupt whose frame is device memory exits with InterruptionPending, and stays pending",
    "WHV_VP_EXECUTION_STATE.InterruptionPending",
    realPlan("90f4", {
      Rflags: 0x202,
      PendingInterruption: interruption(0n, 0x40n),
      Ss: [BigInt(deviceGpa), 0xffff, 0xd000, 0x93],
    }),
    (guest) => {
      const exit = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
      expectMatch("interruptionPending", exit.vpContext.executionState.interruptionPending, true);
      expectMatch("Rip", guest.get("Rip"), BigInt(codeStart));
    },
  ),
  check(
    "interrupt-window",
    "DeliverabilityNotifications: InterruptWindow when IF is set and no shadow is left",
    "WHV_X64_INTERRUPTION_DELIVERABLE_CONTEXT",
    // nop; sti; nop; nop; hlt
    realPlan("90fb9090f4", { DeliverabilityNotifications: 2 }),
    (guest) => {
      const { vpContext, interruptWindow } = guest.runTo(Reason.WHvRunVpExitReasonX64InterruptWindow);
      expectMatch("deliverableType", interruptWindow.deliverableType, 0);
      expectMatch("rip", vpContext.rip, BigInt(codeStart + 3));
    },
  ),
  check(
    "nmi-window",
    "DeliverabilityNotifications: the window for an NMI needs no IF",
    "WHV_X64_INTERRUPTION_DELIVERABLE_CONTEXT",
    realPlan("90f4", { DeliverabilityNotifications: 1 }),
    (guest) => {
      const { interruptWindow } = guest.runTo(Reason.WHvRunVpExitReasonX64InterruptWindow);
      expectMatch("deliverableType", interruptWindow.deliverableType, 2);
    },
  ),
  check(
    "shadow-in-exit",
    "An exit behind STI has InterruptShadow",
    "WHV_VP_EXECUTION_STATE.InterruptShadow",
    // sti; in al, 0x60
    realPlan("fbe460f4"),
    (guest) => {
      const exit = guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
      expectMatch("interruptShadow", exit.vpContext.executionState.interruptShadow, true);
      expectMatch("InterruptState", guest.get("InterruptState") & 1n, 1n);
    },
  ),
  check(
    "software-interrupt",
    "INT n in the guest runs its handler",
    "WHvRunVirtualProcessor",
    realPlan("cd30f4"),
    (guest) => expectHandled(guest, 0x30, codeStart + 2),
  ),
  check(
    "pending-debug-exception",
    "PendingDebugException delivers the single-step trap that an emulator owes",
    "WHvX64RegisterPendingDebugException",
    realPlan("40f4", { PendingDebugException: 0x10 }),
    (guest) => {
      expectHandled(guest, 1, codeStart);
      expectMatch("DR6.BS", guest.get("Dr6") & 0x4000n, 0x4000n);
    },
  ),
  check(
    "single-step",
    "RFLAGS.TF traps behind the instruction",
    "WHvRunVirtualProcessor",
    realPlan("4040f4", { Rflags: 0x102 }),
    (guest) => {
      expectHandled(guest, 1, codeStart + 1);
      expectMatch("Rax", guest.get("Rax"), 1n);
    },
  ),
];
