/** Reading what a command works on: whole files, and the lines of a file or of standard input. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { describeSystemError, WorkError } from "./command-error.ts";
import type { CommandHost, InputStream } from "./command-host.ts";
import type { CommandContext } from "./main.ts";

/** One line of input. */
export interface InputLine {
  /** Counted from 1. */
  readonly number: number;
  /** Without the line end; `null` where the line is longer than {@link longestLine} bytes. */
  readonly text: string | null;
}

/** Bytes of the longest line that is read; a longer one is answered by an error, not by running out of memory. */
export const longestLine: number = 64 * 1024 * 1024;

/** Reads a whole file. */
async function readWholeFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new WorkError(`${file}: ${describeSystemError(error)}`);
  }
}

/** Reads a whole file, or all of standard input where `file` is `-`. */
export async function readInput(file: string, host: CommandHost): Promise<Uint8Array> {
  if (file !== "-") return readWholeFile(file);
  const chunks: Uint8Array[] = [];
  for await (const chunk of host.stdin as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk as string));
  return Buffer.concat(chunks);
}

/** The lines of a file, or of standard input where `file` is absent or `-`. */
export async function* inputLines(file: string | undefined, context: CommandContext): AsyncGenerator<InputLine> {
  const { host, errors, quiet } = context;
  const fromStandardInput = file === undefined || file === "-";
  if (fromStandardInput && host.stdin.isTTY === true && !quiet) {
    await errors.line(errors.style("dim", "reading lines from the terminal; Ctrl-D ends them"));
    await errors.flush();
  }
  const stream: InputStream = fromStandardInput ? host.stdin : createReadStream(file);
  const source = fromStandardInput ? "standard input" : file;
  let number = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): InputLine => {
    const text = length > longestLine ? null : decodeText(parts);
    parts = [];
    length = 0;
    return { number: number++, text };
  };
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        length += end - start;
        if (length <= longestLine) parts.push(bytes.subarray(start, end));
        yield take();
        start = end + 1;
      }
      length += bytes.length - start;
      if (length <= longestLine && start < bytes.length) parts.push(bytes.subarray(start));
    }
  } catch (error) {
    throw new WorkError(`${source}: ${describeSystemError(error)}`);
  }
  if (length > 0) yield take();
}

/** UTF-8 text; bytes that are none become U+FFFD, a carriage return before the line end goes. */
function decodeText(parts: readonly Uint8Array[]): string {
  const text = new TextDecoder().decode(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
