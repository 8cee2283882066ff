/**
 * Tells a person what happened in an emulation: the exit, the instruction and its meaning, each callback in order, what
 * the status says and what to do. The numbers are those of the outcome; nothing is computed anew but the decoding.
 */
import {
  describeStatus,
  EmulatorTranslation,
  hresultMessage,
  registerByShortName,
  WHV_TRANSLATE_GVA_FLAGS,
  WHV_TRANSLATE_GVA_RESULT_CODE,
} from "@whvkit/whv-types";
import { Decoder, DecodeStatus, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import type { EmulationCase } from "../emulation/emulation-case.ts";
import type { DiagnosticJson, EmulationOutcome } from "../emulation/emulation-run.ts";
import { CaseHost } from "../host/case-host.ts";
import type { CallbackCall, TranslateCall } from "../host/transcript.ts";
import { hexNumber } from "../json/json-fields.ts";
import { type RegisterJson, registerJson } from "../registers/register-json.ts";
import { adviceFor } from "./advice.ts";

/** What the caller may add to an explanation. @public */
export interface ExplanationOptions {
  /** Says what an instruction means, in lines; `@whvkit/x86-semantics` can. */
  readonly describe?: (instruction: Instruction) => readonly string[];
}

const longestInstruction = 15;

/**
 * Explains a case and its outcome.
 *
 * @param emulationCase - the case that was run
 * @param outcome - what `runEmulationCase` answered for it
 * @returns text of several lines, without a line end at the end
 *
 * @example
 * ```ts
 * import { explainEmulation, readEmulationCase, runEmulationCase } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const out = readEmulationCase({
 *   kind: "io",
 *   vp: { rip: 0, cs: { attributes: "0xa09b" }, instructionLength: 2 },
 *   exit: { instructionBytes: "e680", isWrite: true, accessSize: 1, port: 128, rax: "0x41" }, // out 0x80, al
 * });
 * const text = explainEmulation(out, runEmulationCase(out, { createEmulator }));
 * text.split("\n").at(0); // "Exit"
 * text.includes("out 0x80, al"); // true
 * ```
 *
 * @public
 */
export function explainEmulation(
  emulationCase: EmulationCase,
  outcome: EmulationOutcome,
  options: ExplanationOptions = {},
): string {
  const sections: [string, readonly string[]][] = [
    ["Exit", exitLines(emulationCase)],
    ["Instruction", instructionLines(emulationCase, outcome.diagnostic, options)],
    ["Callbacks, in order", callLines(emulationCase, outcome)],
    ["Result", resultLines(outcome)],
    ["What to do", [adviceFor(outcome)]],
  ];
  const title = outcome.id === null ? [] : [`Case ${outcome.id}`, ""];
  const text = sections.flatMap(([heading, lines]) => [heading, ...lines.map((line) => `  ${line}`), ""]);
  return [...title, ...text].join("\n").trimEnd();
}

/** Bitness of the code at the exit: what CS and EFER.LMA say. */
export function codeMode({ vp }: EmulationCase): 16 | 32 | 64 {
  const attributes = vp.cs[3] >>> 16;
  if (vp.eferLma && (attributes & 0x2000) !== 0) return 64;
  return (attributes & 0x4000) !== 0 ? 32 : 16;
}

/** The bytes at the instruction: those of the exit, then what the case's memory holds behind them. */
export function instructionBytes(emulationCase: EmulationCase): Uint8Array {
  const given = emulationCase.exit.instructionBytes.subarray(0, 16);
  const bytes = [...given];
  const host = new CaseHost(emulationCase);
  const { vp } = emulationCase;
  const base = codeMode(emulationCase) === 64 ? 0n : (BigInt(vp.cs[1]) << 32n) | BigInt(vp.cs[0]);
  while (bytes.length < longestInstruction) {
    const linear = BigInt.asUintN(64, base + vp.rip + BigInt(bytes.length));
    const byte = codeByte(host, linear);
    if (byte < 0) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function codeByte(host: CaseHost, linear: bigint): number {
  const page = new EmulatorTranslation();
  page.gvaPageLow = Number(linear & 0xffff_f000n) | 0;
  page.gvaPageHigh = Number(linear >> 32n) | 0;
  page.flags = WHV_TRANSLATE_GVA_FLAGS.WHvTranslateGvaFlagValidateExecute;
  if (host.answerTranslation(page) !== 0) return -1;
  return host.memory.read(page.gpaPage + Number(linear & 0xfffn));
}

function exitLines(emulationCase: EmulationCase): string[] {
  const { vp, exit } = emulationCase;
  const lines: string[] = [];
  if (exit.kind === "mmio") {
    const access = ["read", "write", "execute"][exit.accessType] ?? `access type ${exit.accessType}`;
    const gva = exit.gvaValid ? `, guest-virtual ${hexNumber(exit.gva)}` : "";
    const ram = exit.gpaUnmapped ? " (no RAM is mapped there)" : "";
    lines.push(`memory access: ${access} at guest-physical ${hexNumber(exit.gpa)}${gva}${ram}`);
  } else {
    const what = `${exit.repPrefix ? "repeated " : ""}${exit.stringOp ? "string " : ""}${exit.isWrite ? "OUT" : "IN"}`;
    lines.push(`port access: ${what}, ${plural(exit.accessSize, "byte")}, port ${hexNumber(exit.port)}`);
  }
  const modes = { 16: vp.cr0Pe ? "16-bit code" : "real mode", 32: "32-bit code", 64: "64-bit code" };
  lines.push(
    `${modes[codeMode(emulationCase)]}, CPL ${vp.cpl}, RIP ${hexNumber(vp.rip)}, RFLAGS ${hexNumber(vp.rflags)}`,
  );
  if (vp.interruptionPending) lines.push("an event was being delivered");
  if (vp.interruptShadow) lines.push("in an interrupt shadow (after STI or a load of SS)");
  return lines;
}

function instructionLines(
  emulationCase: EmulationCase,
  diagnostic: DiagnosticJson | null,
  { describe }: ExplanationOptions,
): string[] {
  const bytes = instructionBytes(emulationCase);
  const instruction = new Instruction();
  const status = new Decoder(codeMode(emulationCase)).decode(bytes, 0, instruction);
  if (status === DecodeStatus.ok) {
    const text = formatInstruction(instruction, { ip: emulationCase.vp.rip });
    const shown = spaced(bytes.subarray(0, instruction.length));
    return [`${shown}   ${text}`, ...(describe?.(instruction) ?? []).map((line) => `  ${line}`)];
  }
  if (diagnostic?.text != null) return [`${diagnostic.bytes}   ${diagnostic.text}`];
  if (bytes.length === 0) return ["unknown: neither the exit nor the memory of the case holds its bytes"];
  const why = status === DecodeStatus.truncated ? "incomplete" : "no instruction in this mode";
  return [`${spaced(bytes)}   ${why}`];
}

function callLines(emulationCase: EmulationCase, { calls }: EmulationOutcome): string[] {
  if (calls.length === 0) return ["none"];
  const host = new CaseHost(emulationCase);
  return calls.map((call, index) => {
    const failure = call.hresult === undefined ? "" : `: failed with ${hresultMessage(Number(call.hresult))}`;
    return `${index + 1}. ${callText(call, host)}${failure}`;
  });
}

function callText(call: CallbackCall, host: CaseHost): string {
  switch (call.callback) {
    case "getRegisters":
      return `read ${call.names.map((name) => `${name} = ${registerText(registerBefore(host, name))}`).join(", ")}`;
    case "setRegisters":
      return `write ${call.names.join(", ")}`;
    case "translate":
      return translateText(call);
    case "memory": {
      const data = call.data === "" ? "" : ` = ${spaced(call.data)}`;
      return `memory ${call.direction}, ${plural(call.size, "byte")} at ${call.gpa}${data}`;
    }
    case "ioPort": {
      const data = call.data === "" ? "" : ` = ${call.data}`;
      return `port ${call.direction}, ${plural(call.size, "byte")} at ${hexNumber(call.port)}${data}`;
    }
  }
}

function translateText({ gvaPage, flags, result, gpaPage }: TranslateCall): string {
  const asked = namesOfBits(WHV_TRANSLATE_GVA_FLAGS, flags, /^WHvTranslateGvaFlag(?:Validate)?/).join(", ");
  const code = Object.entries(WHV_TRANSLATE_GVA_RESULT_CODE).find(([, value]) => value === result)?.[0];
  const answer = result === 0 ? gpaPage : (code ?? `result ${result}`).replace("WHvTranslateGvaResult", "");
  return `translate page ${gvaPage} (${asked}) -> ${answer}`;
}

function resultLines(outcome: EmulationOutcome): string[] {
  const lines = [hresultMessage(Number(outcome.hresult))];
  if (Number(outcome.hresult) === 0)
    lines.push(`status ${hexNumber(outcome.statusBits)}: ${describeStatus(outcome.statusBits)}`);
  const { diagnostic } = outcome;
  if (diagnostic !== null) {
    lines.push(`${diagnostic.reason}, in phase ${diagnostic.phase}: ${diagnostic.message}`);
    if (diagnostic.repCompleted > 0)
      lines.push(`${plural(diagnostic.repCompleted, "REP iteration")} had been finished`);
  }
  if (outcome.set === null) lines.push("registers: not written");
  for (const [name, value] of Object.entries(outcome.set ?? {})) lines.push(`${name} = ${registerText(value)}`);
  for (const { gpa, bytes } of outcome.memory) lines.push(`RAM at ${gpa} = ${spaced(bytes)}`);
  return lines;
}

function registerBefore(host: CaseHost, name: string): RegisterJson {
  const code = registerByShortName(name) ?? Number(name);
  return registerJson(code, host.register(code));
}

function registerText(value: RegisterJson): string {
  if (typeof value === "string") return value;
  const fields = Object.entries(value).map(([field, content]) => `${field} ${content}`);
  return `{${fields.join(", ")}}`;
}

function namesOfBits(names: Readonly<Record<string, number>>, bits: number, prefix: RegExp): string[] {
  const set = Object.entries(names).filter(([, bit]) => bit !== 0 && (bits & bit) === bit);
  return set.length === 0 ? ["no flags"] : set.map(([name]) => name.replace(prefix, ""));
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function spaced(bytes: Uint8Array | string): string {
  const pairs =
    typeof bytes === "string"
      ? (bytes.match(/../g) ?? [])
      : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const longest = 64;
  return pairs.length <= longest ? pairs.join(" ") : `${pairs.slice(0, longest).join(" ")} … (${pairs.length} bytes)`;
}
