/** `whv decode`: one instruction an argument or a line, or the listing of a raw file. */
import { type Command, Option } from "commander";
import { integerValue, modeValue } from "../argument-values.ts";
import { UsageError } from "../command-error.ts";
import type { DecodeOptions } from "../decode/decode-lines.ts";
import { readInput } from "../input-lines.ts";
import type { CommandContext } from "../main.ts";

export function addDecodeCommand(program: Command, context: CommandContext): void {
  program
    .command("decode")
    .description("Decode each argument, or each line of standard input, as one instruction.")
    .argument("[hex...]", "bytes as hex digits; - or nothing reads lines of them from standard input")
    .addOption(new Option("--mode <bits>", "mode of the code: 16, 32 or 64").default(64).argParser(modeValue))
    .addOption(
      new Option("--ip <address>", "address of the instruction, for branch targets")
        .default(0n, "0")
        .argParser(integerValue(0xffff_ffff_ffff_ffffn)),
    )
    .option("--json", "one JSON object a line: text, operands, memory accesses, flags, CPUID features")
    .option("--listing <file>", "disassemble a raw file (- for standard input) from its first byte to its last")
    .addHelpText(
      "after",
      `
Bytes after the first instruction are ignored. Exit status 1 when something could not be decoded; with --json that is
an answer like any other, and the exit status is 0.

Examples:
  $ whv decode 8b07 "f3 a4"
  $ echo 8b07 | whv decode --json -
  $ whv decode --mode 16 --ip 0x7c00 --listing boot.bin`,
    )
    .action(async (hex: readonly string[], options: DecodeOptions & { readonly listing?: string }) => {
      const { decodeLines, listFile } = await import("../decode/decode-lines.ts");
      if (options.listing === undefined) return decodeLines(hex, options, context);
      if (hex.length > 0) throw new UsageError("--listing takes no bytes as arguments");
      if (options.json) throw new UsageError("--listing has no JSON form; give the bytes as lines");
      return listFile(await readInput(options.listing, context.host), options, context);
    });
}
