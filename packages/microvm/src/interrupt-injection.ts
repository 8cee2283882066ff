/**
 * Brings interrupts of the PIC to the processor the way hosts of the platform do: through
 * `WHvRegisterPendingInterruption` when the processor can take one, else by asking for an exit when it can
 * (`WHvX64RegisterDeliverabilityNotifications`, answered by `WHvRunVpExitReasonX64InterruptWindow`).
 */
import type { PicPair } from "@whvkit/devices";
import {
  DeliverabilityNotificationsRegisterView,
  InterruptStateRegisterView,
  PendingInterruptionRegisterView,
  REGISTER_VALUE_SIZE,
  RegisterValues,
  type VirtualProcessor,
  WHV_REGISTER_NAME,
  WHV_X64_PENDING_INTERRUPTION_TYPE,
} from "@whvkit/whv-types";

const R = WHV_REGISTER_NAME;
/** What decides whether an interrupt can be taken; entries of the value array in this order. */
const STATE = Uint32Array.of(
  R.WHvX64RegisterRflags,
  R.WHvRegisterInterruptState,
  R.WHvRegisterPendingInterruption,
  R.WHvRegisterPendingEvent,
);
const PENDING_INTERRUPTION = Uint32Array.of(R.WHvRegisterPendingInterruption);
const NOTIFICATIONS = Uint32Array.of(R.WHvX64RegisterDeliverabilityNotifications);
const RFLAGS_IF = 0x200;
/** Bit 0 of `WHV_X64_PENDING_*_EVENT`: there is an event. */
const EVENT_PENDING = 1;

export class InterruptInjection {
  /** Interrupts injected. */
  count = 0;

  readonly #processor: VirtualProcessor;
  readonly #pic: PicPair;
  readonly #values = new RegisterValues(STATE.length);
  readonly #interruptState = new InterruptStateRegisterView(this.#values.view, REGISTER_VALUE_SIZE);
  readonly #pendingInterruption = new PendingInterruptionRegisterView(this.#values.view, 2 * REGISTER_VALUE_SIZE);
  readonly #event = new RegisterValues(1);
  readonly #eventView = new PendingInterruptionRegisterView(this.#event.view, 0);
  readonly #notificationView = new DeliverabilityNotificationsRegisterView(this.#event.view, 0);
  #windowRequested = false;

  constructor(processor: VirtualProcessor, pic: PicPair) {
    this.#processor = processor;
    this.#pic = pic;
  }

  /** Whether RFLAGS.IF is set: a halted processor without it waits for ever. */
  get enabled(): boolean {
    this.#processor.getRegisters(STATE, 1, this.#values);
    return (this.#values.low(0) & RFLAGS_IF) !== 0;
  }

  /** To be called before each run: injects what the PIC asks for, or asks for a window. */
  beforeRun(): void {
    if (!this.#pic.requesting) return;
    this.#processor.getRegisters(STATE, STATE.length, this.#values);
    if (this.#deliverable) this.#inject(this.#pic.acknowledge());
    else if (!this.#windowRequested) this.#requestWindow();
  }

  /** The window came: the platform has forgotten that it was asked for. */
  windowOpened(): void {
    this.#windowRequested = false;
  }

  get #deliverable(): boolean {
    const values = this.#values;
    return (
      (values.low(0) & RFLAGS_IF) !== 0 &&
      !this.#interruptState.interruptShadow &&
      !this.#pendingInterruption.interruptionPending &&
      (values.low(3) & EVENT_PENDING) === 0
    );
  }

  #inject(vector: number): void {
    this.#event.setHalves(0, 0, 0);
    this.#eventView.assign({
      interruptionPending: true,
      interruptionType: WHV_X64_PENDING_INTERRUPTION_TYPE.WHvX64PendingInterrupt,
      interruptionVector: vector,
    });
    this.#processor.setRegisters(PENDING_INTERRUPTION, 1, this.#event);
    this.count += 1;
  }

  #requestWindow(): void {
    this.#event.setHalves(0, 0, 0);
    this.#notificationView.assign({ interruptNotification: true });
    this.#processor.setRegisters(NOTIFICATIONS, 1, this.#event);
    this.#windowRequested = true;
  }
}
