/**
 * The world of one command: its three streams and environment, so that tests can hand in their own, and output that
 * waits for slow readers and notices readers that went away.
 */
import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";
import { describeSystemError, WorkError } from "./command-error.ts";

/** A stream that may be a terminal. @public */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream that may be a terminal, whose keys can then be read one by one. @public */
export type InputStream = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** What {@link main} runs in. @public */
export interface CommandHost {
  /** What the command reads; keys, where it is a terminal. */
  readonly stdin: InputStream;
  /** What was asked for. */
  readonly stdout: OutputStream;
  /** Errors and progress. */
  readonly stderr: OutputStream;
  /** Environment variables; only `NO_COLOR` is looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The streams and environment of this process. */
export function processHost(): CommandHost {
  return { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env };
}

/** The reader of standard output went away (a closed pipe): the command ends quietly. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/** A style that people see on a terminal. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const CONTROLS = new RegExp(CONTROL, "g");
/** What {@link Output.style} puts around text, or a control character. */
const STYLE_OR_CONTROL = new RegExp(`\\u001b\\[(?:1|2|22|31|32|33|36|39)m|${CONTROL.source}`, "g");

/** Text output on a stream. Styles appear only on a terminal, and not under `NO_COLOR` (https://no-color.org). */
export class Output {
  readonly stream: OutputStream;
  private readonly coloured: boolean;
  private failure: Error | null = null;
  private pending = "";

  constructor(stream: OutputStream, environment: CommandHost["environment"]) {
    this.stream = stream;
    this.coloured = stream.isTTY === true && (environment["NO_COLOR"] ?? "") === "";
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.failure ??=
        error.code === "EPIPE"
          ? new ReaderGone()
          : new WorkError(`cannot write the output: ${describeSystemError(error)}`);
    });
  }

  /** The text in a style, or as it is where styles do not show. */
  style(style: Style, text: string): string {
    return this.coloured ? styleText(style, text, { validateStream: false }) : text;
  }

  /**
   * Writes text and a line end. Many short lines go out together. Control characters in it, which come from files of other
   * people and would be commands to a terminal, are shown as `\\u001b`: JSON stays what it was.
   */
  async line(text = ""): Promise<void> {
    this.pending += `${CONTROL.test(text) ? text.replace(STYLE_OR_CONTROL, (found) => this.harmless(found)) : text}\n`;
    if (this.pending.length >= 1 << 16) await this.flush();
  }

  /** Writes out what waits. Throws {@link ReaderGone} when nobody reads any more. */
  async flush(): Promise<void> {
    const text = this.pending;
    this.pending = "";
    if (this.failure === null && text !== "") await this.write(text);
    this.check();
  }

  /** Writes bytes at once, without waiting for the reader: for a guest's console. */
  writeBytes(bytes: Uint8Array): void {
    if (this.failure === null) this.stream.write(bytes);
  }

  /** Throws {@link ReaderGone}, or what else the stream failed with. */
  check(): void {
    if (this.failure !== null) throw this.failure;
  }

  /** Whether the stream's reader went away or the stream failed. */
  get failed(): boolean {
    return this.failure !== null;
  }

  private harmless(found: string): string {
    if (found.length > 1 && this.coloured) return found;
    return found.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }

  private write(text: string): Promise<void> {
    return new Promise((resolve) => this.stream.write(text, () => resolve()));
  }
}
