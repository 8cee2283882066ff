/**
 * The way of one exit: checks, the instruction, its registers in one get, execution, and the end: one set and success,
 * an exception for the guest, or a failure. The work of each step is in the file of its name; this one is their order.
 */
import { describesExit, IoExecutor } from "@whvkit/io-executor";
import { MmioExecutor, refusalOf } from "@whvkit/mmio-executor";
import {
  type EmulationPhase,
  type EmulationResult,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  type VpExitContextView,
  WHV_REGISTER_NAME,
} from "@whvkit/whv-types";
import { mnemonicName } from "@whvkit/x86-decoder";
import { Abort, GuestFault, type Program, RegisterFile, RegisterOffset, Vector } from "@whvkit/x86-semantics";
import { Answers, type InstructionProgress } from "./answers.ts";
import { CallbackMachine } from "./callback-machine.ts";
import { DataBreakpoints } from "./data-breakpoints.ts";
import type { ResolvedOptions } from "./emulator-options.ts";
import { ExitContext } from "./exit-context.ts";
import { ExitVerification } from "./exit-verification.ts";
import { type EmulatorCallbackSet, EmulatorExtendedState } from "./extra-callbacks.ts";
import { Failure } from "./failure.ts";
import { FaultInjection, InjectionOutcome } from "./fault-injection.ts";
import { HostCallbacks } from "./host-callbacks.ts";
import { FetchOutcome, InstructionFetch } from "./instruction-fetch.ts";
import { loadAccumulator, PortAccess } from "./port-access.ts";
import type { PreparedInstruction } from "./program-cache.ts";
import { RegisterExchange } from "./register-exchange.ts";
import { NO_PLAN, planRegisters, type RegisterPlan } from "./register-plan.ts";
import { NO_EFFECTS, type RetireEffects, Retirement } from "./retire.ts";
import { Segmentation } from "./segmentation.ts";
import { SystemOperations } from "./system-operations.ts";
import { Translation } from "./translation.ts";
import { VectorEnables } from "./vector-enables.ts";

const RAX = RegisterOffset.general >> 2;
const RDX = RAX + 4;
const XCR0 = RegisterOffset.xcr0 >> 2;
const X87_AND_SSE = 3;

/** More tries than processors that could be faster have; a host that never exchanges must not hang. */
const EXCHANGE_ATTEMPTS = 10_000;

export class Emulation<Context> implements InstructionProgress {
  readonly answers: Answers;
  readonly #options: ResolvedOptions<Context>;
  readonly #failure: Failure = new Failure();
  readonly #port: PortAccess = new PortAccess();
  readonly #registers: RegisterFile = new RegisterFile();
  readonly #exit: ExitContext = new ExitContext(this.#registers);
  readonly #fault: GuestFault = new GuestFault();
  readonly #extendedState: EmulatorExtendedState = new EmulatorExtendedState(this.#registers);
  readonly #host: HostCallbacks<Context>;
  readonly #translation: Translation<Context>;
  readonly #fetch: InstructionFetch<Context>;
  readonly #exchange: RegisterExchange<Context>;
  readonly #breakpoints: DataBreakpoints<Context>;
  readonly #ioExecutor: IoExecutor;
  readonly #mmioExecutor: MmioExecutor;
  readonly #retirement: Retirement<Context>;
  readonly #injection: FaultInjection<Context>;
  readonly #verification: ExitVerification<Context>;
  readonly #enables: VectorEnables<Context>;
  #context: Context | undefined = undefined;
  #completed = 0;
  /** Only RIP, RFLAGS and the instruction's registers come into question. */
  #plain = true;
  /** The search for the instruction has begun. */
  #searched = false;
  /** How the search for the instruction ended. */
  #outcome: number = FetchOutcome.found;

  constructor(callbacks: EmulatorCallbackSet<Context>, options: ResolvedOptions<Context>) {
    this.#options = options;
    const exit = this.#exit;
    const registers = this.#registers;
    const fault = this.#fault;
    const failure = this.#failure;
    const host = new HostCallbacks(callbacks, failure);
    const exchange = new RegisterExchange(registers, host);
    const translation = new Translation(exit, host, failure, fault, options.gpaUnmapped);
    const fiveLevelPaging = (): boolean | null => exchange.readFiveLevelPaging();
    const segmentation = new Segmentation(exit, registers, fault, fiveLevelPaging);
    const breakpoints = new DataBreakpoints(exit, exchange, options.dataBreakpoints);
    const retirement = new Retirement(exit, registers, exchange, breakpoints, options);
    const system = new SystemOperations(failure, retirement, fiveLevelPaging);
    const machine = new CallbackMachine({
      exit,
      registers,
      fault,
      segmentation,
      translation,
      host,
      breakpoints,
      system,
    });
    const { shouldYield } = options;
    const repeat = {
      maxIterations: options.maxRepIterations,
      ...(shouldYield === null ? undefined : { shouldYield }),
    };
    this.answers = new Answers(exit, failure, this);
    this.#host = host;
    this.#exchange = exchange;
    this.#translation = translation;
    this.#fetch = new InstructionFetch(exit, registers, segmentation, translation, host, fault, options);
    this.#breakpoints = breakpoints;
    this.#ioExecutor = new IoExecutor(machine, repeat);
    this.#mmioExecutor = new MmioExecutor(machine, repeat);
    this.#retirement = retirement;
    this.#verification = new ExitVerification(exit, exchange, failure, options.verifyExitContext);
    this.#enables = new VectorEnables(exit, exchange, fault);
    this.#injection = new FaultInjection(exit, registers, exchange, fault, options);
  }

  /** The instruction's bytes as far as they are known. */
  get bytes(): Uint8Array {
    if (!this.#searched) this.#fetch.begin();
    return this.#fetch.bytes.known.slice();
  }

  /** Finished REP iterations. */
  get repCompleted(): number {
    return this.#completed;
  }

  begin(context: Context, vpContext: VpExitContextView): void {
    this.#context = context;
    this.#host.bind(context);
    this.#translation.begin();
    this.#exchange.begin();
    this.#completed = 0;
    this.#searched = false;
    this.#exit.readProcessor(vpContext);
  }

  /** Nothing of the caller's is kept beyond the call. */
  finish(): void {
    this.#context = undefined;
    this.#host.bind(undefined);
    if (!this.#plain) this.#breakpoints.disarm();
  }

  /** `WHvEmulatorTryIoEmulation`. */
  io(context: IoPortAccessContextView): EmulationResult {
    const exit = this.#exit;
    const port = this.#port;
    if (!exit.readPortAccess(context)) return this.answers.malformed("InstructionByteCount is above 16.");
    if (!port.read(exit.access))
      return this.answers.malformed("AccessInfo.AccessSize of the port access is not 1, 2 or 4.");
    if (exit.interruptionPending) return this.answers.interruptCausedIntercept();
    // The exit says all there is to know of IN and OUT, as a rule their length too.
    if (!port.stringOp && exit.instructionLength !== 0) return this.#accumulatorTransfer(exit.instructionLength);

    const prepared = this.#findInstruction();
    if (prepared === null) return this.#withoutInstruction();
    const { program } = prepared;
    if (!describesExit(program, port)) return this.#mismatch(program);
    if (!port.stringOp) return this.#accumulatorTransfer(program.length);
    port.loadRegisters(exit.access, this.#registers);
    prepared.portPlan ??= planRegisters(program, "port");
    if (!this.#getRegisters(prepared, prepared.portPlan)) return this.answers.failed();
    const abort = this.#ioExecutor.executeString(program);
    this.#completed = this.#ioExecutor.completed;
    return this.#end(abort, program, prepared.portPlan, this.#ioExecutor.finished);
  }

  /** `WHvEmulatorTryMmioEmulation`. */
  mmio(context: MemoryAccessContextView): EmulationResult {
    const exit = this.#exit;
    if (!exit.readMemoryAccess(context)) return this.#malformedMemoryAccess();
    if (exit.interruptionPending) return this.answers.interruptCausedIntercept();

    const prepared = this.#findInstruction();
    if (prepared === null) return this.#withoutInstruction();
    if (prepared.memoryPlan === null || this.#options.recheckEnables) {
      const refused = this.#refuse(prepared.program);
      if (refused !== null) return refused;
      prepared.memoryPlan ??= planRegisters(prepared.program, "memory");
    }
    const { program, memoryPlan: plan } = prepared;
    if (!this.#getRegisters(prepared, plan)) return this.answers.failed();
    const executor = this.#mmioExecutor;
    let abort = executor.execute(program);
    if (abort === Abort.exit) abort = this.#executeAgain(program);
    this.#completed = executor.completed;
    return this.#end(abort, program, plan, executor.finished);
  }

  #malformedMemoryAccess(): EmulationResult {
    const countWrong = this.#exit.byteCount > 16;
    return this.answers.malformed(
      countWrong ? "InstructionByteCount is above 16." : "AccessInfo.AccessType is 3, which is none.",
    );
  }

  /** The answer for an instruction that is not to be carried out; null for the others. */
  #refuse(program: Program): EmulationResult | null {
    if (this.#options.recheckEnables && program.requires !== null) {
      const disabled = this.#enables.check(program.requires);
      if (disabled !== Abort.none) return this.#stopped(disabled, "decode");
    }
    const refusal = refusalOf(program);
    if (refusal === "unsupported-instruction") return this.#unsupported(program);
    if (refusal !== null && this.#options.noMemoryOperand !== "execute") return this.#noMemoryOperand(program);
    return null;
  }

  /** An atomic exchange found that another processor was faster. Nothing has changed, so the instruction starts again. */
  #executeAgain(program: Program): number {
    for (let attempt = 1; attempt < EXCHANGE_ATTEMPTS; attempt++) {
      const abort = this.#mmioExecutor.execute(program);
      if (abort !== Abort.exit) return abort;
    }
    const message = `The compareExchange callback answered ${EXCHANGE_ATTEMPTS} times that memory had changed.`;
    this.#failure.internal("exchange-contended", "store", message);
    return Abort.host;
  }

  /** IN and OUT: one port access, RAX and RIP. */
  #accumulatorTransfer(length: number): EmulationResult {
    const { words } = this.#registers;
    loadAccumulator(this.#exit.access, this.#registers);
    const low = words[RAX];
    const high = words[RAX + 1];
    this.#plain = this.#exit.plain && !this.#options.verifyExitContext;
    if (!this.#plain) {
      this.#askMore(NO_EFFECTS);
      if (!this.#exchange.fetchExtra() || !this.#takeMore()) return this.answers.failed();
    }
    const abort = this.#ioExecutor.execute(this.#port);
    if (abort !== Abort.none) return this.answers.failed();
    if (words[RAX] !== low || words[RAX + 1] !== high)
      this.#exchange.put(WHV_REGISTER_NAME.WHvX64RegisterRax, words[RAX], words[RAX + 1]);
    return this.#complete(NO_PLAN, length, true);
  }

  // ---- the instruction and its registers -------------------------------------------------------------------------

  /** The instruction at RIP, or null with why in {@link Emulation.#outcome}. */
  #findInstruction(): PreparedInstruction | null {
    // In 64-bit mode CS has neither base nor limit.
    if (this.#exit.mode !== 64) this.#exit.loadCodeSegment();
    const known = this.#fetch.recall();
    if (known !== null) return known;
    this.#searched = true;
    this.#fetch.begin();
    this.#outcome = this.#fetch.find();
    return this.#outcome === FetchOutcome.found ? this.#fetch.prepared : null;
  }

  #withoutInstruction(): EmulationResult {
    if (this.#outcome === FetchOutcome.stopped) return this.#stopped(this.#fetch.abort, "fetch");
    const tooLong = this.#outcome === FetchOutcome.tooLong;
    if (this.#options.invalidEncoding === "legacy") {
      const why = tooLong
        ? "The instruction is longer than 15 bytes."
        : `The bytes are no instruction in ${this.#exit.mode}-bit mode.`;
      return this.answers.internal("invalid-encoding", "decode", why);
    }
    return tooLong ? this.#raise(Vector.GP, 0, "decode") : this.#raise(Vector.UD, -1, "decode");
  }

  #getRegisters(prepared: PreparedInstruction, plan: RegisterPlan): boolean {
    this.#plain = this.#exit.plain && prepared.effects === NO_EFFECTS && !this.#options.verifyExitContext;
    return this.#plain && plan.simple ? this.#exchange.fetchSimple(plan) : this.#getMore(prepared, plan);
  }

  /** Gets also what is no general register, and what does not come from the instruction. */
  #getMore(prepared: PreparedInstruction, plan: RegisterPlan): boolean {
    const { usesExtendedState, selectsState } = plan;
    const reaches = usesExtendedState && this.#host.reachesExtendedState;
    if (usesExtendedState && !reaches && !selectsState) return this.#cannotReachRegisters(prepared.program);
    if (reaches && !this.#host.getExtendedState(this.#extendedState)) return false;
    if (!this.#plain) this.#askMore(prepared.effects);
    if (!this.#exchange.fetch(plan)) return false;
    if (selectsState && !reaches && this.#selectsBeyondNames()) return this.#cannotReachRegisters(prepared.program);
    if (plan.usesMode) this.#exit.imposeMode();
    this.#exchange.remember(plan);
    return this.#plain || this.#takeMore();
  }

  /** Do XCR0 and EDX:EAX select more than x87 and SSE state, which has names? */
  #selectsBeyondNames(): boolean {
    const { words } = this.#registers;
    const low = words[XCR0] & words[RAX] & ~X87_AND_SSE;
    return (low | (words[XCR0 + 1] & words[RDX])) !== 0;
  }

  #cannotReachRegisters(program: Program): false {
    const which =
      "YMM, ZMM or opmask state, PKRU; the callbacks getExtendedState and setExtendedState would reach them";
    const message = `${nameOf(program)} needs registers that have no WHV_REGISTER_NAME (${which}).`;
    this.#failure.internal("unreachable-registers", "registers", message);
    return false;
  }

  /** Puts into the get to come what shadow, traps, breakpoints and verification need. */
  #askMore(effects: RetireEffects): void {
    this.#breakpoints.prepare();
    this.#retirement.prepare(effects);
    this.#verification.prepare();
  }

  /** Takes what the get gave of that. */
  #takeMore(): boolean {
    this.#breakpoints.arm();
    return this.#verification.agrees();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------

  #end(abort: number, program: Program, plan: RegisterPlan, finished: boolean): EmulationResult {
    if (abort === Abort.none) return this.#complete(plan, program.writesIp ? -1 : program.length, finished);
    return this.#stop(abort, program, plan);
  }

  /** The instruction did not come to its end. */
  #stop(abort: number, program: Program, plan: RegisterPlan): EmulationResult {
    // The iterations before the one that stopped have happened; without REP nothing has.
    const repeated = this.#completed > 0;
    if (abort === Abort.fault) {
      if (repeated) this.#exchange.putChanged(plan);
      return this.#inject("execute");
    }
    if (abort === Abort.unsupported) {
      if (this.#options.unsupported === "hyperv") return this.#raise(Vector.UD, -1, "execute");
      // A named operation does not know whose it is.
      this.#failure.message = `${nameOf(program)} ${this.#failure.message}`;
    }
    if (repeated && this.#options.commitPartialRep) this.#commitPartialRep(plan);
    return this.answers.failed();
  }

  /** Retires the instruction, and makes the one set. `length` is -1 where the instruction itself wrote RIP. */
  #complete(plan: RegisterPlan, length: number, finished: boolean): EmulationResult {
    if (finished) this.#exit.advance(length);
    if (plan.changesExtendedState && this.#host.reachesExtendedState) {
      if (!this.#host.setExtendedState(this.#extendedState)) return this.answers.failed();
    }
    const done = this.#plain ? this.#exchange.commitPlain(plan, this.#exit, finished) : this.#retire(plan, finished);
    return done ? this.answers.successful() : this.answers.failed();
  }

  #retire(plan: RegisterPlan, finished: boolean): boolean {
    this.#exchange.putChanged(plan);
    this.#retirement.retire(finished, this.#completed > 0);
    return this.#exchange.commit();
  }

  /** The failure stays the answer, whatever the set answers. */
  #commitPartialRep(plan: RegisterPlan): void {
    const { status, reason, phase, message, callback, callbackHresult, thrown } = this.#failure;
    this.#exchange.putChanged(plan);
    if (this.#exchange.count > 0 && !this.#exchange.commit()) {
      this.#failure.record(status, reason, phase, `${message} The finished iterations could not be committed either.`);
      Object.assign(this.#failure, { callback, callbackHresult, thrown });
    }
  }

  #stopped(abort: number, phase: EmulationPhase): EmulationResult {
    return abort === Abort.fault ? this.#inject(phase) : this.answers.failed();
  }

  #raise(vector: number, errorCode: number, phase: EmulationPhase): EmulationResult {
    this.#fault.vector = vector;
    this.#fault.errorCode = errorCode;
    return this.#inject(phase);
  }

  /** Gives the guest the exception in `#fault`. */
  #inject(phase: EmulationPhase): EmulationResult {
    const outcome = this.#injection.inject(this.#context as Context);
    const { exception } = this.#injection;
    const where = exception.vector === Vector.PF ? "translate" : phase;
    switch (outcome) {
      case InjectionOutcome.host:
        return this.answers.failed();
      case InjectionOutcome.eventPending:
        return this.answers.cannotBeFaulted(exception, where, "another event is pending already");
      case InjectionOutcome.refused:
        return this.answers.cannotBeFaulted(exception, where, "the host says that it cannot (option canFault)");
      default:
        return this.#exchange.commit() ? this.answers.faulted(exception, where) : this.answers.failed();
    }
  }

  // ---- instructions that are not carried out ---------------------------------------------------------------------

  #unsupported(program: Program): EmulationResult {
    if (this.#options.unsupported === "hyperv") return this.#raise(Vector.UD, -1, "decode");
    const message = `${nameOf(program)} is a valid instruction that the emulator does not carry out: ${program.unsupported}.`;
    return this.answers.internal("unsupported-instruction", "decode", message);
  }

  #noMemoryOperand(program: Program): EmulationResult {
    if (this.#options.noMemoryOperand === "hyperv") return this.#raise(Vector.GP, 0, "decode");
    const message = `${nameOf(program)} has no memory operand, so it cannot have caused a memory exit.`;
    return this.answers.internal("no-memory-operand", "decode", message);
  }

  #mismatch(program: Program): EmulationResult {
    const { isWrite, stringOp, accessSize } = this.#port;
    const reported = `${isWrite ? "OUT" : "IN"}${stringOp ? "S" : ""} of ${accessSize} byte${accessSize === 1 ? "" : "s"}`;
    const message = `The exit reports ${reported}, but the instruction at RIP is ${nameOf(program)}.`;
    return this.answers.internal("instruction-mismatch", "decode", message);
  }
}

function nameOf(program: Program): string {
  return mnemonicName(program.mnemonic).toUpperCase();
}
