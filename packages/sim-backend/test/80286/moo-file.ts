/**
 * Reader of the MOO format of SingleStepTests: a file of chunks, each test an instruction with registers and memory
 * before and after, as captured on a processor.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Order of the registers in a REGS chunk. */
export const REGISTERS = [
  "ax",
  "bx",
  "cx",
  "dx",
  "cs",
  "ss",
  "ds",
  "es",
  "sp",
  "bp",
  "si",
  "di",
  "ip",
  "flags",
] as const;
export type RegisterName = (typeof REGISTERS)[number];

/** Registers and memory at one moment; a final state names only what changed. */
export interface MooState {
  readonly registers: ReadonlyMap<RegisterName, number>;
  /** Address and byte. */
  readonly memory: readonly (readonly [address: number, value: number])[];
}

export interface MooTest {
  readonly index: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly initial: MooState;
  readonly final: MooState;
  /** The exception that the instruction raised, and where its frame holds the flags. */
  readonly exception: { readonly vector: number; readonly flagsAddress: number } | null;
}

export function readMoo(path: string): MooTest[] {
  const file = gunzipSync(readFileSync(path));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tests: MooTest[] = [];
  for (const chunk of chunks(view, 0, view.byteLength)) {
    if (chunk.kind === "TEST") tests.push(readTest(view, chunk.start, chunk.end));
  }
  return tests;
}

interface Chunk {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

function* chunks(view: DataView, start: number, end: number): Generator<Chunk> {
  for (let at = start; at + 8 <= end; ) {
    const kind = String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
    const size = view.getUint32(at + 4, true);
    yield { kind, start: at + 8, end: at + 8 + size };
    at += 8 + size;
  }
}

function readTest(view: DataView, start: number, end: number): MooTest {
  const empty: MooState = { registers: new Map(), memory: [] };
  let name = "";
  let bytes = new Uint8Array();
  let initial = empty;
  let final = empty;
  let exception: MooTest["exception"] = null;
  for (const chunk of chunks(view, start + 4, end)) {
    const body = new Uint8Array(view.buffer, view.byteOffset + chunk.start, chunk.end - chunk.start);
    if (chunk.kind === "NAME") name = new TextDecoder().decode(body.subarray(4));
    else if (chunk.kind === "BYTS") bytes = body.slice(4);
    else if (chunk.kind === "INIT") initial = readState(view, chunk);
    else if (chunk.kind === "FINA") final = readState(view, chunk);
    else if (chunk.kind === "EXCP")
      exception = { vector: view.getUint8(chunk.start), flagsAddress: view.getUint32(chunk.start + 1, true) };
  }
  return { index: view.getUint32(start, true), name, bytes, initial, final, exception };
}

function readState(view: DataView, state: Chunk): MooState {
  const registers = new Map<RegisterName, number>();
  const memory: [number, number][] = [];
  for (const chunk of chunks(view, state.start, state.end)) {
    if (chunk.kind === "REGS") {
      const present = view.getUint16(chunk.start, true);
      let at = chunk.start + 2;
      REGISTERS.forEach((register, bit) => {
        if (((present >> bit) & 1) === 0) return;
        registers.set(register, view.getUint16(at, true));
        at += 2;
      });
    } else if (chunk.kind === "RAM ") {
      const count = view.getUint32(chunk.start, true);
      for (let i = 0; i < count; i++) {
        const at = chunk.start + 4 + i * 5;
        memory.push([view.getUint32(at, true), view.getUint8(at + 4)]);
      }
    }
  }
  return { registers, memory };
}
