/**
 * What a virtual processor remembers between instructions besides its registers: events on their way to the guest, the
 * interrupt shadow, and what the host wants to be told. The bits are those of the WHv registers of the same names.
 */

/** Bits of `WHvRegisterInterruptState`. */
export const InterruptStateBit = { interruptShadow: 1, nmiMasked: 2 } as const;

/** Bits of `WHvX64RegisterDeliverabilityNotifications`. */
export const NotificationBit = { nmi: 1, interrupt: 2, priority: 0x3c } as const;

/** Bits of `WHvX64RegisterPendingDebugException`, and of DR6: breakpoints 0 to 3, then single step. */
export const PendingDebugBit = { breakpoints: 0xf, singleStep: 0x10 } as const;

export class EventState {
  interruptShadow = false;
  nmiMasked = false;
  /** `WHV_X64_PENDING_INTERRUPTION_REGISTER`: word 0 the event, word 1 the error code. */
  readonly interruption: Int32Array = new Int32Array(2);
  /** `WHvRegisterPendingEvent`, 16 bytes. */
  readonly event: Int32Array = new Int32Array(4);
  /** `WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER`. */
  notifications = 0;
  /** `WHV_X64_PENDING_DEBUG_EXCEPTION`. */
  pendingDebug = 0;
  /** `WHV_INTERNAL_ACTIVITY_REGISTER`. */
  activity = 0;
  /**
   * Set by an instruction after which the processor must look at its events before it goes on: IF or TF changed, NMIs
   * unmasked, a breakpoint armed, a shadow begun.
   */
  attention = false;
  /** The instruction that just ran began an interrupt shadow. */
  shadowBegun = false;

  /** The instruction that just ran entered a handler: it gets no single-step trap of its own. */
  enteredHandler = false;

  /** Starts an interrupt shadow: it covers the next instruction. */
  inhibitInterrupts(): void {
    this.shadowBegun = true;
    this.attention = true;
  }

  reset(): void {
    this.interruptShadow = false;
    this.nmiMasked = false;
    this.interruption.fill(0);
    this.event.fill(0);
    this.notifications = 0;
    this.pendingDebug = 0;
    this.activity = 0;
    this.attention = false;
    this.shadowBegun = false;
    this.enteredHandler = false;
  }
}
