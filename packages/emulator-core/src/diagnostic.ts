/**
 * The diagnostic: everything a person needs to know about an emulation that did not succeed or that faulted the guest.
 * It is made at the end of such a call and of no other, so it may take its time.
 */
import type { EmulationDiagnostic, EmulationPhase, EmulatorCallbacks } from "@whvkit/whv-types";
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import type { GuestException } from "./emulator-options.ts";
import type { ExitContext } from "./exit-context.ts";
import type { EmulationReason } from "./failure.ts";

/** What the parts of the emulator say of the end. */
export interface DiagnosticParts {
  readonly reason: EmulationReason;
  readonly message: string;
  readonly phase: EmulationPhase;
  /** The instruction's bytes as far as they are known; bytes after it may follow. */
  readonly bytes: Uint8Array;
  readonly repCompleted: number;
  readonly callback: keyof EmulatorCallbacks | null;
  readonly callbackHresult: number;
  readonly thrown: unknown;
  readonly exception: GuestException | null;
}

export function makeDiagnostic(exit: ExitContext, parts: DiagnosticParts): EmulationDiagnostic {
  const { bytes, text } = readInstruction(exit, parts.bytes);
  const rip = (BigInt(exit.ripHigh >>> 0) << 32n) | BigInt(exit.ripLow >>> 0);
  return { ...parts, bytes, text, rip, mode: exit.mode };
}

/** Cuts the bytes after the instruction, and writes it in Intel syntax. */
function readInstruction(exit: ExitContext, known: Uint8Array): { bytes: Uint8Array; text: string | null } {
  const instruction = new Instruction();
  const bytes = known.slice();
  if (bytes.length === 0 || new Decoder(exit.mode).decode(bytes, 0, instruction) !== DecodeStatus.ok)
    return { bytes, text: null };
  return { bytes: bytes.slice(0, instruction.length), text: formatInstruction(instruction) };
}

/** Names of the exception vectors, for messages. */
const VECTOR_NAMES: Readonly<Record<number, string>> = {
  0: "#DE",
  1: "#DB",
  3: "#BP",
  4: "#OF",
  5: "#BR",
  6: "#UD",
  7: "#NM",
  8: "#DF",
  10: "#TS",
  11: "#NP",
  12: "#SS",
  13: "#GP",
  14: "#PF",
  16: "#MF",
  17: "#AC",
  18: "#MC",
  19: "#XM",
  21: "#CP",
};

/** `#PF(0x2) at 0x1000`, `#UD`, … */
export function describeException({ vector, errorCode, cr2 }: GuestException): string {
  const name = VECTOR_NAMES[vector] ?? `exception ${vector}`;
  const code = errorCode === null ? "" : `(0x${errorCode.toString(16)})`;
  return `${name}${code}${cr2 === null ? "" : ` at 0x${cr2.toString(16)}`}`;
}
