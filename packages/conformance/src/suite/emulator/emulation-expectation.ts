/**
 * What an emulation must have done, compared in a way that any emulator can satisfy: the order of its accesses to memory
 * and ports, the registers as they are afterwards, RAM, status and the rule of the one set. How it groups its register
 * calls and when it translates is its own affair; what it reads of its own code does not count as an access.
 */
import { registerByShortName, S_OK } from "@whvkit/whv-types";
import type { CreateEmulator } from "../../capture/case-recorder.ts";
import { readEmulationCase } from "../../emulation/case-reader.ts";
import type { EmulationCase } from "../../emulation/emulation-case.ts";
import { type EmulationOutcome, runEmulationCase } from "../../emulation/emulation-run.ts";
import { CaseHost } from "../../host/case-host.ts";
import type { CallbackCall } from "../../host/transcript.ts";
import { type RegisterJson, registerJson } from "../../registers/register-json.ts";
import { Difference, type EmulatorCheck, expectMatch, type OneOf } from "../check.ts";
import { codeRange, type ExitSituation, situationCase } from "./exit-situation.ts";

/** What must be true after an emulation. */
export interface EmulationExpectation {
  /** `"0x0"` when left out. */
  readonly hresult?: string;
  /** Names of the status bits; EmulationSuccessful when left out. Counts only with S_OK. */
  readonly status?: readonly string[];
  /** Accesses in order, as {@link accessText} writes them; none when left out. `null`: not looked at. */
  readonly accesses?: readonly string[] | OneOf | null;
  /** Registers with new values; all others must be as before. */
  readonly registers?: Readonly<Record<string, RegisterJson>>;
  /** Registers that may hold anything. */
  readonly free?: readonly string[];
  /** RAM that changed; none when left out. */
  readonly memory?: readonly { readonly gpa: string; readonly bytes: string }[];
  /** Instruction bytes must have been read from memory, or must not. Not looked at when left out. */
  readonly fetched?: boolean;
  /** The kinds of callbacks in order, code reads as `"fetch"`. Not looked at when left out. */
  readonly callbacks?: readonly string[];
  /** Translations asked for: page and flags. Not looked at when left out. */
  readonly translations?: readonly string[];
}

/** A check that runs one exit. */
export interface EmulationRow {
  readonly id: string;
  readonly title: string;
  readonly reference: string;
  readonly choice?: boolean;
  readonly exit: ExitSituation;
  readonly expect: EmulationExpectation;
}

/** The rows as checks. */
export function emulationChecks(rows: readonly EmulationRow[]): EmulatorCheck[] {
  return rows.map(({ id, title, reference, choice = false, exit, expect }) => ({
    id: `emulator.${id}`,
    title,
    reference,
    choice,
    subject: "emulator",
    run: (createEmulator) => checkEmulation(createEmulator, exit, expect),
  }));
}

/** Runs one exit and compares. */
export function checkEmulation(create: CreateEmulator, exit: ExitSituation, expected: EmulationExpectation): void {
  const emulationCase = readEmulationCase(situationCase(exit));
  expectOutcome(emulationCase, exit, runEmulationCase(emulationCase, { createEmulator: create }), expected);
}

/** Compares what an emulation did with what it must have done. */
export function expectOutcome(
  emulationCase: EmulationCase,
  exit: ExitSituation,
  outcome: EmulationOutcome,
  expected: EmulationExpectation,
): void {
  const hresult = expected.hresult ?? "0x0";
  const status = expected.status ?? ["EmulationSuccessful"];
  expectMatch("hresult", outcome.hresult, hresult);
  if (Number(hresult) === S_OK) expectMatch("status", outcome.status, status);
  if (expected.accesses !== null) {
    expectMatch("accesses", accessesOf(outcome.calls, exit).map(accessText), expected.accesses ?? []);
  }
  expectOneSet(outcome, Number(hresult) === S_OK && status.includes("EmulationSuccessful"));
  expectRegisters(emulationCase, outcome, expected);
  expectMatch("memory", outcome.memory, expected.memory ?? []);
  if (expected.fetched !== undefined) {
    expectMatch(
      "instruction bytes read",
      outcome.calls.some((call) => isFetch(call, exit)),
      expected.fetched,
    );
  }
  if (expected.callbacks !== undefined) {
    const kinds = outcome.calls.map((call) => (isFetch(call, exit) ? "fetch" : call.callback));
    expectMatch("callbacks", kinds, expected.callbacks);
  }
  if (expected.translations !== undefined) {
    const asked = outcome.calls.flatMap((call) =>
      call.callback === "translate" ? [`${call.gvaPage} flags 0x${call.flags.toString(16)}`] : [],
    );
    expectMatch("translations", asked, expected.translations);
  }
}

/** A success has one set, which is the last call; everything else has none that succeeded. */
function expectOneSet({ calls }: EmulationOutcome, succeeded: boolean): void {
  const sets = calls.filter(({ callback, hresult }) => callback === "setRegisters" && hresult === undefined).length;
  expectMatch("calls of SetVirtualProcessorRegisters", sets, succeeded ? 1 : 0);
  if (succeeded) expectMatch("the last callback", calls.at(-1)?.callback, "setRegisters");
}

function expectRegisters(
  emulationCase: EmulationCase,
  outcome: EmulationOutcome,
  expected: EmulationExpectation,
): void {
  const host = new CaseHost(emulationCase);
  const { registers = {}, free = [] } = expected;
  const committed = outcome.calls.some(({ callback, hresult }) => callback === "setRegisters" && hresult === undefined);
  const set: Readonly<Record<string, RegisterJson>> = committed ? (outcome.set ?? {}) : {};
  for (const name of new Set([...Object.keys(registers), ...Object.keys(set)])) {
    if (free.includes(name)) continue;
    const code = registerByShortName(name);
    if (code === undefined) throw new Difference("registers written", "names of registers", name);
    const before = registerJson(code, host.register(code));
    expectMatch(`register ${name}`, set[name] ?? before, registers[name] ?? before);
  }
}

/** Whether a call reads the instruction itself. */
export function isFetch(call: CallbackCall, exit: ExitSituation): boolean {
  if (call.callback !== "memory" || call.direction !== "read") return false;
  const { start, size } = codeRange(exit);
  return BigInt(call.gpa) >= start && BigInt(call.gpa) < start + size;
}

/** The calls that a device could see: memory and ports without the fetch. */
export function accessesOf(calls: readonly CallbackCall[], exit: ExitSituation): CallbackCall[] {
  return calls.filter((call) => (call.callback === "memory" || call.callback === "ioPort") && !isFetch(call, exit));
}

/** `"read 0xfee00020 12345678"` (bytes in memory order), `"out 0x3f8/1 0x41"`; a failed call ends in `"failed"`. */
export function accessText(call: CallbackCall): string {
  const end = call.hresult === undefined ? "" : " failed";
  if (call.callback === "memory") return `${call.direction} ${call.gpa} ${call.data || `${call.size} bytes`}${end}`;
  if (call.callback === "ioPort")
    return `${call.direction} 0x${call.port.toString(16)}/${call.size} ${call.data}${end}`;
  return call.callback;
}
