/**
 * Keys typed at a terminal while a guest runs: raw mode, restored at the end, and the escape key Ctrl-A. Everything else
 * goes to the guest, Ctrl-C included.
 */
import type { InputStream } from "../command-host.ts";

const escapeKey = 0x01;

/** What to do with typed bytes. */
export interface ConsoleKeysOptions {
  /** Takes what is for the guest. */
  readonly type: (bytes: Uint8Array) => void;
  /** Ctrl-A X was typed. */
  readonly leave: () => void;
}

/** Takes the keys of a terminal from {@link ConsoleKeys.start} to {@link ConsoleKeys.stop}. */
export class ConsoleKeys {
  private readonly stream: InputStream;
  private readonly options: ConsoleKeysOptions;
  private escaped = false;
  private readonly onData = (chunk: Uint8Array | string): void => this.take(chunk);

  constructor(stream: InputStream, options: ConsoleKeysOptions) {
    this.stream = stream;
    this.options = options;
  }

  start(): void {
    this.stream.setRawMode?.(true);
    this.stream.on("data", this.onData);
    this.stream.resume();
  }

  /** Gives the terminal back as it was. */
  stop(): void {
    this.stream.off("data", this.onData);
    this.stream.pause();
    this.stream.setRawMode?.(false);
  }

  /** Ctrl-A X leaves, Ctrl-A twice types one Ctrl-A, Ctrl-A before any other key types nothing. */
  private take(chunk: Uint8Array | string): void {
    const forGuest: number[] = [];
    for (const byte of typeof chunk === "string" ? Buffer.from(chunk) : chunk) {
      if (!this.escaped) {
        if (byte === escapeKey) this.escaped = true;
        else forGuest.push(byte);
        continue;
      }
      this.escaped = false;
      if (byte === escapeKey) forGuest.push(escapeKey);
      else if (byte === 0x78 || byte === 0x58) this.options.leave();
    }
    if (forGuest.length > 0) this.options.type(Uint8Array.from(forGuest));
  }
}
