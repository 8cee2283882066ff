/** Where the bytes of a guest go: the terminal, files, nowhere; and logs of bytes as hex. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { ByteSink } from "@whvkit/microvm";
import { describeSystemError, WorkError } from "../command-error.ts";
import type { Output } from "../command-host.ts";

const bufferSize = 1024;

/** All sinks of one run; they are flushed and closed together. */
export class ByteSinks {
  private readonly flushes: (() => void)[] = [];
  private readonly files: Map<string, number> = new Map();

  /** Bytes to a stream: a line at a time, or what has gathered at {@link flush}. */
  toOutput(output: Output): ByteSink {
    return this.buffered((bytes) => output.writeBytes(bytes));
  }

  /** Bytes to a file, as they are. */
  toFile(file: string): ByteSink {
    const descriptor = this.open(file);
    return this.buffered((bytes) => this.write(file, descriptor, bytes));
  }

  /** Bytes to a file as two hex digits each, a line each. */
  toHexLog(file: string): ByteSink {
    const sink = this.toFile(file);
    return (byte) => {
      for (const character of Buffer.from(`${byte.toString(16).padStart(2, "0")}\n`)) sink(character);
    };
  }

  /** Lines of text to a file. */
  toLines(file: string): (line: string) => void {
    const descriptor = this.open(file);
    return (line) => this.write(file, descriptor, Buffer.from(`${line}\n`));
  }

  /** Hands on what has gathered. */
  flush(): void {
    for (const flush of this.flushes) flush();
  }

  close(): void {
    this.flush();
    for (const descriptor of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  private buffered(write: (bytes: Uint8Array) => void): ByteSink {
    const buffer = new Uint8Array(bufferSize);
    let length = 0;
    const flush = (): void => {
      if (length === 0) return;
      const bytes = buffer.slice(0, length);
      length = 0;
      write(bytes);
    };
    this.flushes.push(flush);
    return (byte) => {
      buffer[length++] = byte;
      if (byte === 10 || length === bufferSize) flush();
    };
  }

  private open(file: string): number {
    let descriptor = this.files.get(file);
    if (descriptor === undefined) {
      try {
        descriptor = openSync(file, "w");
      } catch (error) {
        throw new WorkError(`${file}: ${describeSystemError(error)}`);
      }
      this.files.set(file, descriptor);
    }
    return descriptor;
  }

  private write(file: string, descriptor: number, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    } catch (error) {
      throw new WorkError(`${file}: ${describeSystemError(error)}`);
    }
  }
}
