/** The work of `whv decode`: instructions given as hex digits, and the listing of a raw file. */
import { Decoder, DecodeStatus, describeInstruction, formatInstruction, Instruction } from "@whvkit/x86-decoder";
import { exitStatus } from "../command-error.ts";
import { inputLines, longestLine } from "../input-lines.ts";
import type { CommandContext } from "../main.ts";

/** How to decode. */
export interface DecodeOptions {
  readonly mode: 16 | 32 | 64;
  /** Address of the instruction. */
  readonly ip: bigint;
  readonly json?: true;
}

/** Bytes to decode, or what is wrong with the text that should have been them. */
type Wanted = { readonly bytes: Uint8Array } | { readonly error: string };

const longestInstruction = 15;

/** Decodes each text, or each line of standard input, as one instruction, and prints a line for it. */
export async function decodeLines(
  hex: readonly string[],
  options: DecodeOptions,
  context: CommandContext,
): Promise<void> {
  const decoder = new Decoder(options.mode);
  for await (const { text, where } of wantedTexts(hex, context)) {
    const wanted: Wanted = text === null ? { error: `longer than ${longestLine} bytes` } : readHex(text);
    const line = options.json
      ? jsonAnswer(wanted, where, decoder, options)
      : answer(wanted, text ?? "", decoder, options, context);
    await context.output.line(line);
  }
}

/** The arguments, with the lines of standard input where `-` stands or where there are none. */
async function* wantedTexts(
  hex: readonly string[],
  context: CommandContext,
): AsyncGenerator<{ text: string | null; where: string }> {
  for (const [index, text] of (hex.length === 0 ? ["-"] : hex).entries()) {
    if (text !== "-") yield { text, where: `argument ${index + 1}` };
    else for await (const line of inputLines("-", context)) yield { text: line.text, where: `line ${line.number}` };
  }
}

function readHex(text: string): Wanted {
  const digits = text.replaceAll(/\s+/g, "").replace(/^0x/i, "");
  const wrong = /[^0-9a-f]/i.exec(digits);
  if (wrong !== null) return { error: `"${wrong[0]}" at digit ${wrong.index} is not a hex digit` };
  if (digits.length % 2 !== 0) return { error: `${digits.length} hex digits do not make whole bytes` };
  return { bytes: Uint8Array.from(Buffer.from(digits, "hex")) };
}

function jsonAnswer(wanted: Wanted, where: string, decoder: Decoder, { ip }: DecodeOptions): string {
  if ("error" in wanted) return JSON.stringify({ format: 1, id: null, error: `${where}: ${wanted.error}` });
  const instruction = new Instruction();
  const status = decoder.decode(wanted.bytes, 0, instruction);
  return JSON.stringify(describeInstruction(instruction, wanted.bytes, status, { ip }));
}

function answer(
  wanted: Wanted,
  text: string,
  decoder: Decoder,
  { ip }: DecodeOptions,
  context: CommandContext,
): string {
  const { output } = context;
  if ("error" in wanted) {
    context.status = exitStatus.failure;
    return output.style("red", `${text.trim().slice(0, 60)}: ${wanted.error}`);
  }
  const instruction = new Instruction();
  const status = decoder.decode(wanted.bytes, 0, instruction);
  if (status !== DecodeStatus.ok) {
    context.status = exitStatus.failure;
    const shown = spaced(wanted.bytes.subarray(0, longestInstruction + 1));
    return `${shown}  ${output.style("red", failureText(status, instruction))}`;
  }
  const shown = spaced(wanted.bytes.subarray(0, instruction.length));
  return `${output.style("dim", shown)}  ${formatInstruction(instruction, { ip, absolute: true })}`;
}

function failureText(status: number, { bytesNeeded }: Instruction): string {
  if (status === DecodeStatus.tooLong) return "longer than 15 bytes";
  if (status === DecodeStatus.invalid) return "no instruction in this mode";
  return `the instruction is not complete: at least ${bytesNeeded} more ${bytesNeeded === 1 ? "byte" : "bytes"}`;
}

/** A linear disassembly: bytes that are no instruction are listed one by one as data. */
export async function listFile(
  bytes: Uint8Array,
  { mode, ip }: DecodeOptions,
  { output }: CommandContext,
): Promise<void> {
  const decoder = new Decoder(mode);
  const instruction = new Instruction();
  const digits = (ip + BigInt(bytes.length)).toString(16).length;
  const addressDigits = Math.max(digits, mode === 16 ? 4 : 8);
  for (let offset = 0; offset < bytes.length; ) {
    const address = ip + BigInt(offset);
    const decoded = decoder.decode(bytes, offset, instruction) === DecodeStatus.ok;
    const length = decoded ? instruction.length : 1;
    const text = decoded
      ? formatInstruction(instruction, { ip: address, absolute: true })
      : `db 0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`;
    const shown = Buffer.from(bytes.subarray(offset, offset + length)).toString("hex");
    await output.line(
      `${output.style("dim", `${address.toString(16).padStart(addressDigits, "0")}  ${shown.padEnd(20)}`)}  ${text}`,
    );
    offset += length;
  }
}

function spaced(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
