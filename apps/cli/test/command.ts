/** Runs the command in this process, with its streams in hand. The executable itself is run by executable.test.ts. */
import { PassThrough, Readable, Writable } from "node:stream";
import { type CommandHost, main } from "../src/index.ts";

/** How a command ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the command is started with. */
export interface Start {
  /** Bytes or text on standard input; none when left out. */
  readonly input?: string | Uint8Array;
  /** Make output streams terminals. */
  readonly terminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs `whv` with these arguments. */
export async function whv(
  args: readonly string[],
  { input = "", terminal = false, environment = {} }: Start = {},
): Promise<Ended> {
  const stdout = new Collector(terminal);
  const stderr = new Collector(terminal);
  const stdin = Readable.from(input.length === 0 ? [] : [Buffer.from(input as string)]);
  const host: CommandHost = { stdin, stdout, stderr, environment };
  const status = await main(args, host);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

/** The lines of JSON that a command printed. */
// biome-ignore lint/suspicious/noExplicitAny: parsed JSON, whose shape is what the tests check
export function jsonLines({ stdout }: Ended): any[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** A terminal that a test types at: raw mode is remembered, keys go in one write at a time. */
export class TypingTerminal extends PassThrough {
  readonly isTTY = true;
  readonly rawModes: boolean[] = [];
  setRawMode(raw: boolean): this {
    this.rawModes.push(raw);
    return this;
  }
}

/** Collects what is written; `onText` sees it as it comes. */
export class Collector extends Writable {
  readonly isTTY: boolean;
  private readonly chunks: Buffer[] = [];
  private readonly onText: (text: string) => void;

  constructor(isTTY = false, onText: (text: string) => void = () => {}) {
    super();
    this.isTTY = isTTY;
    this.onText = onText;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    this.onText(this.text);
    done();
  }
}
