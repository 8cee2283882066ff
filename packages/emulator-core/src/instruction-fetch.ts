/**
 * From RIP to a prepared instruction: the bytes that the exit holds, those that are missing through the memory callback
 * (Execute translation, at most eight bytes a callback, never past the page that is needed), decoding, and the cache of
 * what has been decoded before.
 */
import { Decoder, DecodeStatus, Instruction } from "@whvkit/x86-decoder";
import {
  Abort,
  type GuestFault,
  Intent,
  programFor,
  type RegisterFile,
  RegisterOffset,
  Segment,
  type SemanticOptions,
  Vector,
} from "@whvkit/x86-semantics";
import type { ResolvedOptions } from "./emulator-options.ts";
import type { ExitContext } from "./exit-context.ts";
import type { HostCallbacks } from "./host-callbacks.ts";
import { InstructionBytes } from "./instruction-bytes.ts";
import { PreparedInstruction, ProgramCache } from "./program-cache.ts";
import { effectsOf } from "./retire.ts";
import type { Segmentation } from "./segmentation.ts";
import type { Translation } from "./translation.ts";

/** Longest instruction (Intel SDM volume 2, section 2.3.11). */
const MAX_LENGTH = 15;
const LARGEST_CALLBACK = 8;
const CS = RegisterOffset.segments + Segment.cs * 16;

/** How a search for the instruction ended. */
export const FetchOutcome = {
  found: 0,
  /** A guest fault or a failed callback, in {@link InstructionFetch.abort}. */
  stopped: 1,
  invalidEncoding: 2,
  /** More than 15 bytes. */
  tooLong: 3,
} as const;

export class InstructionFetch<Context> {
  /** Why {@link FetchOutcome.stopped}: an `Abort`. */
  abort: number = Abort.none;
  readonly bytes: InstructionBytes = new InstructionBytes();
  prepared: PreparedInstruction | null = null;
  readonly #exit: ExitContext;
  readonly #registers: RegisterFile;
  readonly #segmentation: Segmentation;
  readonly #translation: Translation<Context>;
  readonly #host: HostCallbacks<Context>;
  readonly #fault: GuestFault;
  readonly #cache: ProgramCache;
  readonly #semantics: SemanticOptions;
  readonly #instruction: Instruction = new Instruction();
  readonly #decoders = { 16: new Decoder(16), 32: new Decoder(32), 64: new Decoder(64) } as const;

  constructor(
    exit: ExitContext,
    registers: RegisterFile,
    segmentation: Segmentation,
    translation: Translation<Context>,
    host: HostCallbacks<Context>,
    fault: GuestFault,
    options: ResolvedOptions<Context>,
  ) {
    this.#exit = exit;
    this.#registers = registers;
    this.#segmentation = segmentation;
    this.#translation = translation;
    this.#host = host;
    this.#fault = fault;
    this.#cache = new ProgramCache(options.programCacheSize);
    this.#semantics = { compareExchangeWritesBack: options.cmpxchgAlwaysWrites };
  }

  /** Starts with the bytes that the exit holds. */
  begin(): void {
    this.bytes.take(this.#exit.access, this.#exit.byteCount);
  }

  /** The instruction, where the exit holds its bytes and it came before; `bytes` is left alone. */
  recall(): PreparedInstruction | null {
    const exit = this.#exit;
    return this.#cache.find(exit.ripLow, exit.access, exit.byteCount, exit.mode);
  }

  /** Finds the instruction that the exit is about; it is in `prepared` when the answer is `found`. */
  find(): number {
    const { bytes } = this;
    if (bytes.count === 0 && !this.#fetchMore(1)) return FetchOutcome.stopped;
    for (;;) {
      const known = this.#cache.find(this.#exit.ripLow, bytes.words, bytes.count, this.#exit.mode);
      if (known !== null) {
        this.prepared = known;
        return FetchOutcome.found;
      }
      const status = this.#decode();
      if (status === DecodeStatus.ok) return FetchOutcome.found;
      if (status === DecodeStatus.invalid) return FetchOutcome.invalidEncoding;
      if (status === DecodeStatus.tooLong || bytes.count >= MAX_LENGTH) return FetchOutcome.tooLong;
      if (!this.#fetchMore(Math.max(1, this.#instruction.bytesNeeded))) return FetchOutcome.stopped;
    }
  }

  #decode(): number {
    const { mode } = this.#exit;
    const status = this.#decoders[mode].decode(this.bytes.known, 0, this.#instruction);
    if (status !== DecodeStatus.ok) return status;
    const program = programFor(this.#instruction, this.#semantics);
    this.prepared = new PreparedInstruction(this.bytes, mode, program, effectsOf(program));
    this.#cache.insert(this.#exit.ripLow, this.prepared);
    return status;
  }

  /**
   * Reads the bytes that follow, at least one: as many as InstructionLength asks for, else eight; never more than a
   * callback carries, the page holds, the code segment allows or an instruction can have. `needed` is what the decoder asks for.
   */
  #fetchMore(needed: number): boolean {
    const exit = this.#exit;
    const words = this.#registers.words;
    const known = this.bytes.count;
    let low = ((exit.ripLow >>> 0) + known) | 0;
    let high = 0;
    let allowed = MAX_LENGTH - known;
    if (exit.mode === 64) {
      high = (exit.ripHigh + ((exit.ripLow >>> 0) + known > 0xffffffff ? 1 : 0)) | 0;
      const canonical = this.#segmentation.check(Segment.cs, low, high, 1, Intent.execute);
      if (canonical !== Abort.none) return this.#stop(canonical);
    } else {
      const offset = low >>> 0;
      const limit = words[(CS + 8) >> 2] >>> 0;
      if (offset > limit) return this.#stop(this.#raise(Vector.GP, 0));
      allowed = Math.min(allowed, limit - offset + 1);
      low = (low + words[CS >> 2]) | 0;
    }
    const told = exit.instructionLength - known;
    const wanted = told >= needed ? told : LARGEST_CALLBACK;
    const length = Math.min(wanted, LARGEST_CALLBACK, 4096 - (low & 0xfff), allowed);
    const abort = this.#translation.translate(low, high, Intent.execute);
    if (abort !== Abort.none) return this.#stop(abort);
    this.#host.memoryAccess.gpaAddress = this.#translation.page + (low & 0xfff);
    if (!this.#host.readMemory(length, "fetch")) return this.#stop(Abort.host);
    this.bytes.append(this.#host.memoryAccess.data, length);
    return true;
  }

  #raise(vector: number, errorCode: number): number {
    this.#fault.vector = vector;
    this.#fault.errorCode = errorCode;
    return Abort.fault;
  }

  #stop(abort: number): boolean {
    this.abort = abort;
    return false;
  }
}
