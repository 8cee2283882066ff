/**
 * The run loop: runs the processor, turns each exit into the call that finishes it, lets guest time pass and brings
 * interrupts. Every port and memory exit goes to the emulator; nothing is finished here by knowing an instruction.
 */
import {
  describeStatus,
  type EmulationResult,
  type Emulator,
  hresultMessage,
  type RunVpExit,
  S_OK,
  type VirtualProcessor,
  WHV_RUN_VP_EXIT_REASON,
} from "@whvkit/whv-types";
import type { Board } from "./board.ts";
import type { ConsoleText } from "./console-text.ts";
import { ExitCounts, exitReasonName } from "./exit-statistics.ts";
import type { GuestTime } from "./guest-time.ts";
import type { CountingProcessor } from "./instruction-count.ts";
import { finishCpuid, refuseMsr } from "./intercepted-instructions.ts";
import { InterruptInjection } from "./interrupt-injection.ts";
import type { MachineLimits } from "./machine-options.ts";
import type { MachineEnd, MachineEndReason } from "./machine-result.ts";

const Exit = WHV_RUN_VP_EXIT_REASON;
/** How many exits pass between two looks at the host's clock. */
const EXITS_PER_CLOCK_CHECK = 64;

/** What the loop drives. */
export interface RunLoopParts {
  readonly processor: VirtualProcessor;
  readonly counter: CountingProcessor | null;
  readonly emulator: Emulator;
  readonly board: Board;
  readonly time: GuestTime;
  readonly consoleText: ConsoleText;
  readonly limits: MachineLimits;
  readonly interactive: boolean;
  readonly onExit: ((exit: RunVpExit) => void) | null;
}

export class RunLoop {
  readonly exits: ExitCounts = new ExitCounts();
  readonly emulations = { io: 0, mmio: 0 };
  readonly injection: InterruptInjection;
  /** How the run ended, `null` before. */
  end: MachineEnd | null = null;

  readonly #parts: RunLoopParts;
  #halted = false;
  #canceled = false;
  /** Host time at which the time limit strikes. Starts with the first run. */
  #deadline = Number.NaN;

  constructor(parts: RunLoopParts) {
    this.#parts = parts;
    this.injection = new InterruptInjection(parts.processor, parts.board.pic);
  }

  /** Guest instructions so far, those that the emulator finished included; `null` where nobody counts. */
  get instructions(): number | null {
    const { counter } = this.#parts;
    return counter === null ? null : counter.instructionCount + this.emulations.io + this.emulations.mmio;
  }

  /** Milliseconds of host time until the loop has something to do: the guest's next timer, or the time limit. */
  get waitMilliseconds(): number {
    const limit = Number.isNaN(this.#deadline) ? Number.POSITIVE_INFINITY : this.#deadline - performance.now();
    return Math.max(0, Math.min(this.#parts.time.waitMilliseconds, limit));
  }

  /** Ends the run; the first reason wins. */
  finish(reason: MachineEndReason, message: string, more: Partial<MachineEnd> = {}): void {
    this.end ??= { reason, message, debugExitValue: null, diagnostic: null, ...more };
  }

  cancel(): void {
    this.#canceled = true;
    this.#parts.processor.cancelRun();
  }

  /**
   * Runs until the end, a halt without anything to do, or `maxExits` exits (a leap from timer to timer counts as one).
   * `leap` says whether a halt may leap over host time to the next timer; without it a run that was cut short, because the
   * guest computes, gives the host its turn too.
   */
  run(maxExits: number, leap: boolean): "running" | "waiting" | "ended" {
    const { limits } = this.#parts;
    if (Number.isNaN(this.#deadline))
      this.#deadline = performance.now() + 1000 * (limits.timeoutSeconds ?? Number.POSITIVE_INFINITY);
    for (let i = 0; i < maxExits; i++) {
      if (i % EXITS_PER_CLOCK_CHECK === 0) this.#checkHost();
      const halt = this.#halted && this.end === null ? this.#wake(leap) : "awake";
      if (this.end !== null) return "ended";
      if (halt === "waiting") return "waiting";
      if (halt === "awake" && this.#runOnce() === Exit.WHvRunVpExitReasonCanceled && !leap) break;
    }
    return this.end === null ? "running" : "ended";
  }

  /** Answers the reason of the exit; `null` where there was no run. */
  #runOnce(): RunVpExit["exitReason"] | null {
    const { processor, time, consoleText, limits, onExit } = this.#parts;
    const left = (limits.maxInstructions ?? Number.POSITIVE_INFINITY) - (this.instructions ?? 0);
    if (left <= 0) {
      this.finish("instruction-limit", `The guest ran ${limits.maxInstructions} instructions.`);
      return null;
    }
    this.injection.beforeRun();
    time.limitRun(left);
    const exit = processor.run();
    const { exitReason } = exit;
    this.exits.count(exitReason);
    onExit?.(exit);
    this.#handle(exit);
    time.afterExit();
    if (consoleText.matches()) this.finish("until", `The console shows ${limits.until}.`);
    return exitReason;
  }

  #handle(exit: RunVpExit): void {
    const { emulator, processor } = this.#parts;
    switch (exit.exitReason) {
      case Exit.WHvRunVpExitReasonX64IoPortAccess:
        this.#judge("io", emulator.tryIoEmulation(null, exit.vpContext, exit.ioPortAccess));
        break;
      case Exit.WHvRunVpExitReasonMemoryAccess:
        this.#judge("mmio", emulator.tryMmioEmulation(null, exit.vpContext, exit.memoryAccess));
        break;
      case Exit.WHvRunVpExitReasonX64Halt:
        this.#halted = true;
        break;
      case Exit.WHvRunVpExitReasonX64InterruptWindow:
        this.injection.windowOpened();
        break;
      case Exit.WHvRunVpExitReasonCanceled: // the budget was used up, or someone cancelled: seen to before the next run
        this.#checkHost();
        break;
      case Exit.WHvRunVpExitReasonX64Cpuid:
        finishCpuid(processor, exit);
        break;
      case Exit.WHvRunVpExitReasonX64MsrAccess:
        refuseMsr(processor, exit);
        break;
      case Exit.WHvRunVpExitReasonUnrecoverableException:
        this.finish("triple-fault", `The guest triple-faulted at ${place(exit)}.`);
        break;
      default:
        this.finish(
          "unexpected-exit",
          `The processor stopped with ${exitReasonName(exit.exitReason)} at ${place(exit)}, which this machine cannot finish.`,
        );
    }
  }

  #judge(kind: "io" | "mmio", result: EmulationResult): void {
    if (result.hresult === S_OK && result.emulationSuccessful) {
      this.emulations[kind] += 1;
      return;
    }
    const { diagnostic } = result;
    const what =
      diagnostic?.message ??
      (result.hresult === S_OK ? describeStatus(result.statusBits) : hresultMessage(result.hresult));
    this.finish("emulation-failure", `The emulator could not finish an exit: ${what}`, { diagnostic });
  }

  /**
   * One step towards the end of a halt: `"awake"` when the processor may run, `"asleep"` after a leap that woke nobody,
   * `"waiting"` when only the host can bring what is missing (input, or its time). Ends the run when nothing can.
   */
  #wake(leap: boolean): "awake" | "asleep" | "waiting" {
    const { board, time, interactive } = this.#parts;
    if (!this.injection.enabled) {
      this.finish("halted", "The guest halted with interrupts disabled; nothing can wake it.");
      return "asleep";
    }
    if (board.pic.requesting) {
      this.#halted = false;
      return "awake";
    }
    if (board.clock.nextDeadline === Number.POSITIVE_INFINITY) {
      if (interactive && !leap) return "waiting";
      this.finish("halted", "The guest halted and waits for an interrupt, but no device will raise one.");
      return "asleep";
    }
    if (!leap && time.waitMilliseconds > 0) return "waiting";
    time.leap();
    return "asleep";
  }

  #checkHost(): void {
    if (this.#canceled) this.finish("timeout", "The run was cancelled.");
    if (performance.now() >= this.#deadline) {
      this.finish("timeout", `The time limit of ${this.#parts.limits.timeoutSeconds} seconds was reached.`);
    }
  }
}

/** CS:RIP of an exit, for messages. */
function place({ vpContext }: RunVpExit): string {
  return `${vpContext.cs.selector.toString(16).padStart(4, "0")}:${vpContext.rip.toString(16).padStart(8, "0")}`;
}
