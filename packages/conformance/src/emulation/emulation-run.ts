/**
 * Runs one emulation case on an emulator that the caller hands in, and puts what happened into the result object that
 * `whv emulate` prints. It works for any implementation of `Emulator`: ours, and the native one.
 */
import {
  type EmulationDiagnostic,
  type EmulationResult,
  type Emulator,
  IoPortAccessContextView,
  MemoryAccessContextView,
  statusNames,
  VpExitContextView,
  type WHV_X64_SEGMENT_REGISTER,
} from "@whvkit/whv-types";
import type { CreateEmulator } from "../capture/case-recorder.ts";
import { CaseHost, caseCallbacks, MAX_CALLS } from "../host/case-host.ts";
import type { CallbackCall } from "../host/transcript.ts";
import { CaseError, hexNumber, hexString } from "../json/json-fields.ts";
import type { RegisterJson, RegisterWords } from "../registers/register-json.ts";
import { caseFormat } from "./case-reader.ts";
import {
  type CallbackName,
  type CaseIoExit,
  type CaseMemoryExit,
  type CaseVpContext,
  callbackNames,
  type EmulationCase,
} from "./emulation-case.ts";

/** Where a case's emulator comes from; `@whvkit/emulator-core`'s `createEmulator` fits. @public */
export interface EmulatorSource {
  /** Creates an emulator over the callbacks; `options` are the case's, unchecked. */
  readonly createEmulator: CreateEmulator;
}

/** `EmulationDiagnostic` as JSON. @public */
export interface DiagnosticJson {
  /** A stable code, for instance `"callback-failed"`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** Where the emulation stopped. */
  readonly phase: string;
  /** Intel syntax; `null` where the bytes are no instruction. */
  readonly text: string | null;
  /** The instruction as far as it is known, hex digits. */
  readonly bytes: string;
  /** `"0x…"`. */
  readonly rip: string;
  /** Bitness of the code. */
  readonly mode: 16 | 32 | 64;
  /** Finished REP iterations. */
  readonly repCompleted: number;
  /** The callback that failed, or `null`. */
  readonly callback: CallbackName | null;
  /** What it answered, `"0x…"`. */
  readonly callbackHresult: string;
  /** What the callback threw, as text; `null` where it did not throw. */
  readonly thrown: string | null;
  /** The exception that the guest was given, or `null`. */
  readonly exception: {
    readonly vector: number;
    readonly errorCode: string | null;
    readonly cr2: string | null;
  } | null;
}

/** What running a case answers: the result line of `whv emulate`. @public */
export interface EmulationOutcome {
  /** Version of the format. */
  readonly format: typeof caseFormat;
  /** The case's. */
  readonly id: string | number | null;
  /** What the call returned, `"0x…"`. */
  readonly hresult: string;
  /** `WHV_EMULATOR_STATUS.AsUINT32`. */
  readonly statusBits: number;
  /** The set status bits by the names of `WHV_EMULATOR_STATUS`. */
  readonly status: readonly string[];
  /** What the SetVirtualProcessorRegisters call carried; `null` where it was not called. */
  readonly set: Readonly<Record<string, RegisterJson>> | null;
  /** Every callback, in order. */
  readonly calls: readonly CallbackCall[];
  /** RAM whose value changed. */
  readonly memory: readonly { readonly gpa: string; readonly bytes: string }[];
  /** Why, where the emulation did not succeed or faulted the guest; else `null`. */
  readonly diagnostic: DiagnosticJson | null;
}

/**
 * Runs one case.
 *
 * @param emulationCase - from `readEmulationCase`
 * @param source - what creates the emulator
 * @returns what the emulator answered and what it did to the host
 * @throws CaseError for a case that leads to more than 1,000,000 callbacks, and what `createEmulator` throws, for instance for options that it does not know
 *
 * @example
 * ```ts
 * import { readEmulationCase, runEmulationCase } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const out = readEmulationCase({
 *   kind: "io",
 *   vp: { rip: "0x1000", cs: { attributes: "0xa09b" }, instructionLength: 2 },
 *   exit: { instructionBytes: "e680", isWrite: true, accessSize: 1, port: 128, rax: "0x41" }, // out 0x80, al
 * });
 * const outcome = runEmulationCase(out, { createEmulator });
 * outcome.status; // ["EmulationSuccessful"]
 * outcome.set; // { Rip: "0x1002" }
 * ```
 *
 * @public
 */
export function runEmulationCase(emulationCase: EmulationCase, source: EmulatorSource): EmulationOutcome {
  const runner = new EmulationRunner(source);
  try {
    return runner.run(emulationCase);
  } finally {
    runner.dispose();
  }
}

/**
 * Runs many cases, one after the other, on one emulator as long as their options are the same: what an emulator keeps
 * between calls (decoded instructions) is kept, as on a real host.
 *
 * @example
 * ```ts
 * import { EmulationRunner, readEmulationCase } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const runner = new EmulationRunner({ createEmulator });
 * const load = {
 *   kind: "mmio",
 *   vp: { rip: 0, cs: { attributes: "0xa09b" }, executionState: { cr0Pe: true, eferLma: true }, instructionLength: 2 },
 *   exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020", gva: "0xfee00020" }, // mov eax, [rdi]
 *   registers: { Rdi: "0xfee00020" },
 *   deviceReads: "efbeadde",
 * };
 * runner.run(readEmulationCase(load)).set; // { Rax: "0xdeadbeef", Rip: "0x2" }
 * runner.dispose();
 * ```
 *
 * @public
 */
export class EmulationRunner {
  private readonly source: EmulatorSource;
  private emulator: Emulator<CaseHost> | null = null;
  private options = "";

  constructor(source: EmulatorSource) {
    this.source = source;
  }

  /**
   * Runs one case.
   *
   * @throws CaseError for a case that leads to more than 1,000,000 callbacks, and what `createEmulator` throws, for instance for options that it does not know
   */
  run(emulationCase: EmulationCase): EmulationOutcome {
    const options = JSON.stringify(emulationCase.options);
    if (this.emulator === null || options !== this.options) {
      this.dispose();
      this.emulator = this.source.createEmulator(caseCallbacks, emulationCase.options);
      this.options = options;
    }
    return runOn(emulationCase, this.emulator);
  }

  /** Destroys the emulator. */
  dispose(): void {
    this.emulator?.destroy();
    this.emulator = null;
  }
}

/** The exit context of a case as the platform lays it out. */
export function vpExitContext(vp: CaseVpContext): VpExitContextView {
  return VpExitContextView.from({
    executionState: {
      cpl: vp.cpl,
      cr0Pe: vp.cr0Pe,
      cr0Am: vp.cr0Am,
      eferLma: vp.eferLma,
      debugActive: vp.debugActive,
      interruptionPending: vp.interruptionPending,
      interruptShadow: vp.interruptShadow,
    },
    instructionLength: vp.instructionLength,
    cr8: vp.cr8,
    cs: segment(vp.cs),
    rip: vp.rip,
    rflags: vp.rflags,
  });
}

function runOn(emulationCase: EmulationCase, emulator: Emulator<CaseHost>): EmulationOutcome {
  const host = new CaseHost(emulationCase);
  const vp = vpExitContext(emulationCase.vp);
  const { exit } = emulationCase;
  const result =
    exit.kind === "mmio"
      ? emulator.tryMmioEmulation(host, vp, memoryAccessContext(exit))
      : emulator.tryIoEmulation(host, vp, ioPortAccessContext(exit));
  if (host.exhausted)
    throw new CaseError("", `leads to more than ${MAX_CALLS} callbacks; options.maxRepIterations bounds a repetition`);
  return outcome(emulationCase, host, result);
}

function outcome(emulationCase: EmulationCase, host: CaseHost, result: EmulationResult): EmulationOutcome {
  return {
    format: caseFormat,
    id: emulationCase.id,
    hresult: hexNumber(result.hresult >>> 0),
    statusBits: result.statusBits,
    status: statusNames(result.statusBits),
    set: host.set,
    calls: host.calls,
    memory: host.memory.changes().map(({ gpa, bytes }) => ({ gpa: hexNumber(gpa), bytes: hexString(bytes) })),
    diagnostic: result.diagnostic === null ? null : diagnosticJson(result.diagnostic),
  };
}

function diagnosticJson(diagnostic: EmulationDiagnostic): DiagnosticJson {
  const { callback, thrown, exception } = diagnostic;
  return {
    reason: diagnostic.reason,
    message: diagnostic.message,
    phase: diagnostic.phase,
    text: diagnostic.text,
    bytes: hexString(diagnostic.bytes),
    rip: hexNumber(diagnostic.rip),
    mode: diagnostic.mode,
    repCompleted: diagnostic.repCompleted,
    callback: callback === null ? null : callbackNames[callback],
    callbackHresult: hexNumber(diagnostic.callbackHresult >>> 0),
    thrown: thrown === undefined || thrown === null ? null : String(thrown),
    exception:
      exception === null
        ? null
        : {
            vector: exception.vector,
            errorCode: exception.errorCode === null ? null : hexNumber(exception.errorCode),
            cr2: exception.cr2 === null ? null : hexNumber(exception.cr2),
          },
  };
}

function memoryAccessContext(exit: CaseMemoryExit): MemoryAccessContextView {
  const context = MemoryAccessContextView.from({
    instructionByteCount: exit.instructionBytes.length,
    accessInfo: { accessType: exit.accessType, gpaUnmapped: exit.gpaUnmapped, gvaValid: exit.gvaValid },
    gpa: exit.gpa,
    gva: exit.gva,
  });
  context.instructionBytes.set(exit.instructionBytes.subarray(0, 16));
  return context;
}

function ioPortAccessContext(exit: CaseIoExit): IoPortAccessContextView {
  const context = IoPortAccessContextView.from({
    instructionByteCount: exit.instructionBytes.length,
    accessInfo: {
      isWrite: exit.isWrite,
      accessSize: exit.accessSize,
      stringOp: exit.stringOp,
      repPrefix: exit.repPrefix,
    },
    portNumber: exit.port,
    rax: exit.rax,
    rcx: exit.rcx,
    rsi: exit.rsi,
    rdi: exit.rdi,
    ds: segment(exit.ds),
    es: segment(exit.es),
  });
  context.instructionBytes.set(exit.instructionBytes.subarray(0, 16));
  return context;
}

function segment([baseLow, baseHigh, limit, visible]: RegisterWords): WHV_X64_SEGMENT_REGISTER {
  return {
    base: (BigInt(baseHigh) << 32n) | BigInt(baseLow),
    limit,
    selector: visible & 0xffff,
    attributes: visible >>> 16,
  };
}
