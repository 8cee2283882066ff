// Runs a decoder and iced-x86 over byte strings and collects where they differ.

import { Code, Decoder as IcedDecoder } from "iced-x86";
import { type Decoder, Instruction } from "../../src/index.ts";
import { type Difference, explain } from "./differences.ts";
import { compare, type IcedInstruction } from "./iced.ts";

/** Where the instructions stand; above 32 bits in 64-bit mode, so that cut addresses show. */
export const addresses: Readonly<Record<16 | 32 | 64, bigint>> = { 16: 0x1234n, 32: 0x1234_5678n, 64: 0x1_2345_6789n };

/** What a run found. */
export interface Outcome {
  readonly compared: number;
  readonly valid: number;
  /** Reports that no listed difference explains, with an example each; at most 50 kinds. */
  readonly unexplained: readonly string[];
  readonly explained: number;
}

export type Check = (own: Instruction, iced: IcedInstruction, bytes: Uint8Array) => string;

/** Compares all byte strings of `source`; further checks see the instructions that both accept. Options are those of iced-x86. */
export function compareAll(
  decoder: Decoder,
  source: Iterable<Uint8Array>,
  differences: readonly Difference[],
  check: Check = () => "",
  icedOptions = 0,
): Outcome {
  const instruction = new Instruction();
  const ip = addresses[decoder.mode];
  const unexplained = new Map<string, string>();
  let compared = 0;
  let valid = 0;
  let explained = 0;
  for (const bytes of source) {
    const status = decoder.decode(bytes, 0, instruction, 15);
    const theirs = new IcedDecoder(decoder.mode, bytes.subarray(0, 15), icedOptions);
    theirs.ip = ip;
    const iced = theirs.decode();
    compared++;
    let report = compare(status, instruction, iced, ip);
    if (report === "" && iced.code !== Code.INVALID) {
      valid++;
      report = check(instruction, iced, bytes);
    }
    if (report !== "") {
      if (explain(differences, report)) explained++;
      else if (unexplained.size < 50)
        unexplained.set(report.replace(/-?\d{5,}/g, "N"), Buffer.from(bytes.subarray(0, 15)).toString("hex"));
    }
    iced.free();
    theirs.free();
  }
  return { compared, valid, explained, unexplained: [...unexplained].map(([report, hex]) => `${hex}: ${report}`) };
}
