/**
 * The engine that runs on the evaluator of x86-semantics: fetch, decode once, evaluate. It is the reference against
 * which a compiled engine is judged, and it works where WebAssembly may not be compiled.
 */

import { WHV_RUN_VP_EXIT_REASON, WHV_X64_UNSUPPORTED_FEATURE_CODE } from "@whvkit/whv-types";
import { Decoder, DecodeStatus, Instruction, Mnemonic, mnemonicName } from "@whvkit/x86-decoder";
import {
  Abort,
  codeBits,
  Evaluator,
  type Program,
  programFor,
  RegisterOffset,
  RepeatDriver,
  Segment,
  Vector,
} from "@whvkit/x86-semantics";
import type { GuestMachine } from "../memory/guest-machine.ts";
import { type CachedCode, CodeCache, type CodePage } from "./code-cache.ts";
import { type Engine, type EngineContext, type EngineDescription, EngineStop } from "./engine.ts";
import { PortInstruction } from "./port-instruction.ts";
import { stateFault } from "./required-state.ts";

/** The most elements of a repeated string instruction before the budget is looked at again. */
const REPEAT_SLICE = 4096;
/** Elements that cost as much of the budget as one instruction. */
const ELEMENTS_PER_UNIT = 16;

const ripWord = RegisterOffset.rip >> 2;
const csBaseWord = (RegisterOffset.segments + Segment.cs * 16) >> 2;

/** How a record is run. */
const RecordKind = {
  plain: 0,
  /** Calls helpers: afterwards mode, privilege and events may be others. */
  system: 1,
  string: 2,
  port: 3,
  unsupported: 4,
  /** Needs processor state that may be off, or an encoding that the mode may not have. */
  stateful: 5,
} as const;

class CodeRecord implements CachedCode {
  readonly program: Program;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly kind: number;
  readonly port: PortInstruction | null;
  /** VEX, XOP or EVEX. */
  readonly isVectorEncoded: boolean;
  verified = 0;

  constructor(program: Program, bytes: Uint8Array, port: PortInstruction | null, isVectorEncoded: boolean) {
    this.program = program;
    this.length = program.length;
    this.bytes = bytes;
    this.port = port;
    this.isVectorEncoded = isVectorEncoded;
    if (port !== null) this.kind = RecordKind.port;
    else if (isVectorEncoded || program.requires !== null) this.kind = RecordKind.stateful;
    else if (program.unsupported !== null) this.kind = RecordKind.unsupported;
    else if (program.string !== null) this.kind = RecordKind.string;
    else if (program.helpers.length > 0 || writesFlagsBeyondStatus(program)) this.kind = RecordKind.system;
    else this.kind = RecordKind.plain;
  }
}

/** CLAC and STAC change what an access may do although they need no helper. */
function writesFlagsBeyondStatus(program: Program): boolean {
  return program.mnemonic === Mnemonic.clac || program.mnemonic === Mnemonic.stac;
}

/** An engine without code generation. */
export class EvaluatorEngine implements Engine {
  readonly description: EngineDescription;
  retired = 0;
  /** What repeated elements have cost beyond their instructions. */
  private repeated = 0;
  /** Changes whenever mode, privilege, segments or translations may have changed. */
  modeVersion = 0;
  instructionLength = 0;
  readonly instructionBytes: Uint8Array = new Uint8Array(16);

  private readonly machine: GuestMachine;
  private readonly words: Int32Array;
  private readonly context: EngineContext;
  private readonly cache: CodeCache<CodeRecord>;
  private readonly evaluator: Evaluator;
  private readonly driver: RepeatDriver;
  private readonly decoders: readonly Decoder[];
  private readonly instruction = new Instruction();
  private readonly fetched = new Uint8Array(16);

  /** Mode of CS: 0, 1, 2 for 16, 32, 64 bits; and what follows from it. */
  private mode = 0;
  private wide = false;
  private ipMask = 0xffff;
  private csBase = 0;
  private csLimit = 0;
  /** The page that execution is in: linear page (its low 12 bits ones), arena page start, and its records. */
  private pageLow = 0;
  private pageHigh = 0;
  private pageOffset = 0;
  private page: CodePage<CodeRecord> = [];

  /**
   * @param reason - why it is not another engine; see {@link EngineDescription}.
   * @param codePages - marks of pages with decoded instructions, where another cache marks its own there too.
   */
  constructor(context: EngineContext, reason: string | null = null, codePages?: Uint8Array) {
    this.description = { name: "evaluator", reason };
    this.context = context;
    this.machine = context.machine;
    this.words = context.registers.words;
    this.cache = new CodeCache<CodeRecord>(context.arena, codePages);
    this.evaluator = new Evaluator(context.machine);
    this.driver = new RepeatDriver(this.evaluator, context.machine, { maxIterations: REPEAT_SLICE });
    this.decoders = [new Decoder(16), new Decoder(32), new Decoder(64)];
  }

  get spent(): number {
    return this.retired + this.repeated;
  }

  /** What stores to decoded memory are reported to. */
  get observer(): CodeCache<CodeRecord> {
    return this.cache;
  }

  resume(): void {
    this.cache.nextGeneration();
    this.enterMode();
  }

  registersChanged(): void {
    this.enterMode();
  }

  dispose(): void {
    this.cache.clear();
  }

  run(budget: number): number {
    const { words, machine, evaluator } = this;
    const { events } = this.context;
    const end = this.retired + this.repeated + budget;
    do {
      const ip = words[ripWord];
      const low = this.wide ? ip : (this.csBase + ip) | 0;
      const high = this.wide ? words[ripWord + 1] : 0;
      if ((low | 0xfff) !== this.pageLow || high !== this.pageHigh) {
        const stop = this.enterPage(low, high);
        if (stop !== EngineStop.budget) return stop;
      }
      const inPage = low & 0xfff;
      let record = this.page[inPage];
      if (record === null || record.verified !== this.cache.generation) {
        const stop = this.fetch(low, high, inPage, record);
        if (stop !== EngineStop.budget) return stop;
        record = this.current as CodeRecord;
      }
      const { program, length } = record;
      if (!this.wide && (ip >>> 0) + length - 1 > this.csLimit) return this.faultAt(record, Vector.GP, 0);

      if (record.kind === RecordKind.plain) {
        const abort = evaluator.evaluate(program);
        if (abort !== Abort.none) return this.stopFor(record, abort);
        if (!program.writesIp) this.advance(ip, length);
        this.retired++;
        continue;
      }
      let abort: number;
      switch (record.kind) {
        case RecordKind.system:
          abort = evaluator.evaluate(program);
          if (abort === Abort.exit && machine.exit.reason === WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Halt) {
            this.advance(ip, length);
            this.retired++;
            return this.stopFor(record, abort);
          }
          if (abort !== Abort.none) return this.stopFor(record, abort);
          if (!program.writesIp) this.advance(ip, length);
          this.retired++;
          machine.refresh();
          this.enterMode();
          break;
        case RecordKind.string:
          abort = this.driver.run(program);
          this.repeated += this.driver.completed / ELEMENTS_PER_UNIT;
          if (abort !== Abort.none) return this.stopFor(record, abort);
          if (this.driver.finished) {
            this.advance(ip, length);
            this.retired++;
          } else if (this.driver.completed < REPEAT_SLICE) {
            // Single-stepped: its trap comes before the next iteration.
            events.attention = true;
          }
          break;
        case RecordKind.port:
          abort = (record.port as PortInstruction).execute(machine);
          if (abort !== Abort.none) return this.stopFor(record, abort);
          this.advance(ip, length);
          this.retired++;
          break;
        case RecordKind.stateful: {
          const vector = stateFault(program, record.isVectorEncoded, this.context.registers);
          if (vector >= 0) return this.faultAt(record, vector, -1);
          if (program.unsupported !== null) return this.unsupported(record);
          abort = evaluator.evaluate(program);
          if (abort !== Abort.none) return this.stopFor(record, abort);
          this.advance(ip, length);
          this.retired++;
          break;
        }
        default:
          return this.unsupported(record);
      }
      if (events.attention) return EngineStop.attention;
    } while (this.retired + this.repeated < end);
    return EngineStop.budget;
  }

  /** Takes over what CS says; the page has to be found anew. */
  private enterMode(): void {
    this.modeVersion++;
    const { registers } = this.context;
    const bits = codeBits(registers);
    this.mode = bits === 16 ? 0 : bits === 32 ? 1 : 2;
    this.wide = bits === 64;
    this.ipMask = bits === 16 ? 0xffff : -1;
    this.csBase = this.words[csBaseWord];
    this.csLimit = this.words[csBaseWord + 2] >>> 0;
    this.pageLow = 0;
  }

  /** Translates the page that execution goes on in. */
  private enterPage(low: number, high: number): number {
    if (!this.wide && this.words[ripWord] >>> 0 > this.csLimit) {
      this.instructionLength = 0;
      this.machine.raise(Vector.GP, 0);
      return EngineStop.fault;
    }
    const at = this.machine.translateFetch(low, high);
    if (at < 0) {
      this.instructionLength = 0;
      return -1 - at === Abort.fault ? EngineStop.fault : EngineStop.exit;
    }
    this.pageLow = low | 0xfff;
    this.pageHigh = high;
    this.pageOffset = at & ~0xfff;
    this.page = this.cache.page(at >>> 12, this.mode);
    return EngineStop.budget;
  }

  /** The record that {@link EvaluatorEngine.fetch} found. */
  private current: CodeRecord | null = null;

  /** Finds the record at a place of the current page: checks the old one against memory, or decodes. */
  private fetch(low: number, high: number, inPage: number, old: CodeRecord | null): number {
    const at = this.pageOffset + inPage;
    if (old !== null && inPage + old.length <= 0x1000 && this.cache.matches(old, at, old.length)) {
      old.verified = this.cache.generation;
      this.current = old;
      return EngineStop.budget;
    }
    const { fetched, instruction } = this;
    const decoder = this.decoders[this.mode] as Decoder;
    const here = Math.min(15, 0x1000 - inPage);
    const { bytes } = this.context.arena;
    fetched.fill(0);
    for (let i = 0; i < here; i++) fetched[i] = bytes[at + i];
    let status = decoder.decode(fetched.subarray(0, here), 0, instruction);
    if (status === DecodeStatus.truncated) {
      // The instruction goes on in the next page, which may be anywhere, or not there.
      const nextLow = ((low | 0xfff) + 1) | 0;
      const next = this.machine.translateFetch(nextLow, nextLow === 0 && this.wide ? (high + 1) | 0 : high);
      if (next < 0) {
        this.instructionLength = 0;
        return -1 - next === Abort.fault ? EngineStop.fault : EngineStop.exit;
      }
      for (let i = here; i < 15; i++) fetched[i] = bytes[next + i - here];
      status = decoder.decode(fetched.subarray(0, 15), 0, instruction);
    }
    if (status !== DecodeStatus.ok) {
      this.instructionLength = 0;
      this.machine.raise(
        status === DecodeStatus.tooLong ? Vector.GP : Vector.UD,
        status === DecodeStatus.tooLong ? 0 : -1,
      );
      return EngineStop.fault;
    }
    const record = new CodeRecord(
      programFor(instruction),
      fetched.slice(0, instruction.length),
      PortInstruction.from(instruction),
      instruction.vectorLength !== 0,
    );
    // One that straddles pages is decoded every time: its second page may be mapped elsewhere tomorrow.
    if (inPage + record.length <= 0x1000) {
      record.verified = this.cache.generation;
      this.page[inPage] = record;
    }
    this.current = record;
    return EngineStop.budget;
  }

  private advance(ip: number, length: number): void {
    const { words } = this;
    const sum = (ip >>> 0) + length;
    words[ripWord] = sum & this.ipMask;
    if (this.wide && sum > 0xffff_ffff) words[ripWord + 1]++;
  }

  private stopFor(record: CodeRecord, abort: number): number {
    this.remember(record);
    if (abort === Abort.fault) return EngineStop.fault;
    if (abort === Abort.exit) return EngineStop.exit;
    return this.unsupported(record);
  }

  private faultAt(record: CodeRecord, vector: number, errorCode: number): number {
    this.remember(record);
    this.machine.raise(vector, errorCode);
    return EngineStop.fault;
  }

  private remember(record: CodeRecord): void {
    this.instructionLength = record.length;
    this.instructionBytes.fill(0);
    this.instructionBytes.set(record.bytes);
  }

  /** An instruction without a meaning yet: the host is told, never the guest. */
  private unsupported(record: CodeRecord): number {
    this.remember(record);
    const { exit } = this.machine;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonUnsupportedFeature;
    exit.featureCode = WHV_X64_UNSUPPORTED_FEATURE_CODE.WHvUnsupportedFeatureIntercept;
    exit.detail = `${mnemonicName(record.program.mnemonic)}: ${record.program.unsupported ?? "not possible here"}`;
    return EngineStop.exit;
  }
}
