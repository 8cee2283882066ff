/**
 * Bringing events to the guest: exceptions with their double and triple faults, interrupts and NMIs that the host
 * injected, debug traps. Pushing the frame is the system operations' work; here is the order of things (Intel SDM
 * volume 3, sections 6.9, 6.15).
 */

import { WHV_RUN_VP_EXIT_REASON, WHV_X64_UNSUPPORTED_FEATURE_CODE } from "@whvkit/whv-types";
import { Abort, deliverEvent, EventKind, RegisterOffset, Vector } from "@whvkit/x86-semantics";
import type { GuestMachine } from "../memory/guest-machine.ts";
import type { EventState } from "./event-state.ts";

const ripWord = RegisterOffset.rip >> 2;
const cr2Word = RegisterOffset.cr2 >> 2;
const dr6Word = RegisterOffset.dr6 >> 2;
const dr7Word = RegisterOffset.dr7 >> 2;

/** How a delivery ended. */
export const Delivery = {
  /** CS:RIP is the handler. */
  done: 0,
  /** `machine.exit` says what the host must do first; the event is kept in PendingInterruption. */
  exit: 1,
  /** A fault while delivering a double fault: the processor shuts down. */
  tripleFault: 2,
  /** Another exception came up that the partition wants to see; it is in `machine.fault`. */
  intercepted: 3,
} as const;

/** `WHV_X64_PENDING_INTERRUPTION_TYPE` of each event kind that can be kept. */
const PENDING_TYPE: Readonly<Record<number, number>> = {
  [EventKind.external]: 0,
  [EventKind.nmi]: 2,
  [EventKind.exception]: 3,
};

/** Classes of exceptions that decide about double faults (SDM volume 3, table 6-4). */
function isContributory(vector: number): boolean {
  return vector === Vector.DE || (vector >= Vector.TS && vector <= Vector.GP);
}

function makesDoubleFault(first: number, second: number): boolean {
  if (first === Vector.PF) return second === Vector.PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}

export class EventDelivery {
  private readonly machine: GuestMachine;
  private readonly events: EventState;
  private readonly settings: { readonly exceptionBitmap: number };

  constructor(machine: GuestMachine, events: EventState, settings: { readonly exceptionBitmap: number }) {
    this.machine = machine;
    this.events = events;
    this.settings = settings;
  }

  /** Does the partition want to see this exception instead of having it delivered? */
  intercepts(vector: number): boolean {
    return ((this.settings.exceptionBitmap >>> vector) & 1) !== 0;
  }

  /** Delivers the exception in `machine.fault`; the frame saves the current RIP. */
  exception(): number {
    const { fault } = this.machine;
    return this.deliver(fault.vector, EventKind.exception, fault.errorCode, fault.cr2Low, fault.cr2High);
  }

  /** Delivers an interrupt or NMI. */
  interrupt(vector: number, kind: number): number {
    return this.deliver(vector, kind, -1, 0, 0);
  }

  /** Delivers PendingInterruption, and takes it away once it is delivered. */
  pendingInterruption(): number {
    const { events } = this;
    const event = events.interruption[0];
    const type = (event >> 1) & 7;
    const errorCode = type === 3 && (event & 0x10) !== 0 ? events.interruption[1] : -1;
    const { words } = this.machine.registers;
    events.interruption[0] = 0;
    const kind = type === 0 ? EventKind.external : type === 2 ? EventKind.nmi : EventKind.exception;
    // The host has put the address into CR2 itself.
    return this.deliver(event >>> 16, kind, errorCode, words[cr2Word], words[cr2Word + 1]);
  }

  /** The debug trap that is pending: its reasons go to DR6. */
  debugTrap(): number {
    const { events, machine } = this;
    const { words } = machine.registers;
    words[dr6Word] |= (events.pendingDebug & 0xf) | ((events.pendingDebug & 0x10) !== 0 ? 0x4000 : 0);
    events.pendingDebug = 0;
    machine.raise(Vector.DB, -1);
    return this.exception();
  }

  private deliver(vector: number, kind: number, errorCode: number, cr2Low: number, cr2High: number): number {
    const { machine, events } = this;
    const { words } = machine.registers;
    for (;;) {
      if (vector === Vector.PF && kind === EventKind.exception) {
        words[cr2Word] = cr2Low;
        words[cr2Word + 1] = cr2High;
      }
      const abort = deliverEvent(machine, vector, kind, errorCode, words[ripWord], words[ripWord + 1]);
      if (abort === Abort.none) {
        if (kind === EventKind.nmi) events.nmiMasked = true;
        if (kind === EventKind.exception && vector === Vector.DB) words[dr7Word] &= ~0x2000;
        events.interruptShadow = false;
        machine.refresh();
        return Delivery.done;
      }
      if (abort !== Abort.fault) {
        this.keep(vector, kind, errorCode);
        if (abort === Abort.unsupported) this.reportTaskGate(vector);
        return Delivery.exit;
      }
      const { fault } = machine;
      if (kind === EventKind.exception && vector === Vector.DF) return Delivery.tripleFault;
      if (kind === EventKind.exception && makesDoubleFault(vector, fault.vector)) {
        fault.vector = Vector.DF;
        fault.errorCode = 0;
      }
      if (this.intercepts(fault.vector)) return Delivery.intercepted;
      vector = fault.vector;
      errorCode = fault.errorCode;
      cr2Low = fault.cr2Low;
      cr2High = fault.cr2High;
      kind = EventKind.exception;
    }
  }

  /** An event that could not be delivered before an exit stays pending, as on the platform. */
  private keep(vector: number, kind: number, errorCode: number): void {
    const { events } = this;
    const hasCode = errorCode !== -1;
    events.interruption[0] = 1 | ((PENDING_TYPE[kind] ?? 3) << 1) | (hasCode ? 0x10 : 0) | (vector << 16);
    events.interruption[1] = hasCode ? errorCode : 0;
  }

  private reportTaskGate(vector: number): void {
    const { exit } = this.machine;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonUnsupportedFeature;
    exit.featureCode = WHV_X64_UNSUPPORTED_FEATURE_CODE.WHvUnsupportedFeatureTaskSwitchTss;
    exit.detail = `vector ${vector} leads to a task gate`;
  }
}
