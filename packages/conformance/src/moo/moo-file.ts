/**
 * Reads MOO files, the RIFF-like format of the SingleStepTests suites: single instructions captured on real processors
 * with registers, memory and bus cycles (https://github.com/dbalsom/moo, doc/moo_format_v1.md). Compressed files are to be
 * unpacked first; what the vectors mean for an emulator is moo-case.ts.
 */

/** A 16-bit register of a captured state. @public */
export type MooRegister =
  | "ax"
  | "bx"
  | "cx"
  | "dx"
  | "cs"
  | "ss"
  | "ds"
  | "es"
  | "sp"
  | "bp"
  | "si"
  | "di"
  | "ip"
  | "flags";

/** The registers in the order of the format's bit mask. */
const mooRegisters: readonly MooRegister[] = [
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
];

/** Registers and memory at one point; a final state holds only what changed. @public */
export interface MooState {
  /** By name; a final state lists only those that changed. */
  readonly registers: ReadonlyMap<MooRegister, number>;
  /** Single bytes, in the file's order. */
  readonly memory: readonly { readonly address: number; readonly byte: number }[];
}

/** One clock cycle of the bus. @public */
export interface MooCycle {
  /** Bit 0 is the address latch's. */
  readonly pins: number;
  /** What stands on the address bus, 24 bits. */
  readonly address: number;
  /** True where the upper half of the data bus is in use (BHE asserted). */
  readonly byteHighEnable: boolean;
  /** What stands on the data bus, 16 bits. */
  readonly data: number;
  /** The processor's status lines; on the 80286 9 is an I/O read, 10 an I/O write. */
  readonly busStatus: number;
  /** 1 in the first cycle of a transfer. */
  readonly tState: number;
}

/** One captured instruction. @public */
export interface MooTest {
  /** Number of the test in its file. */
  readonly index: number;
  /** Disassembly, for people. */
  readonly name: string;
  /** The instruction, with the HLT that ends the capture. */
  readonly bytes: Uint8Array;
  /** Before the instruction. */
  readonly initial: MooState;
  /** After it, and after the HLT behind it. */
  readonly final: MooState;
  /** The exception that the instruction raised; the final state is then that after its delivery. */
  readonly exception: { readonly vector: number; readonly flagsAddress: number } | null;
  /** None where the file leaves them out. */
  readonly cycles: readonly MooCycle[];
}

/** A MOO file. @public */
export interface MooFile {
  /** Processor, for instance `"C286"`. */
  readonly cpu: string;
  /** In the file's order. */
  readonly tests: readonly MooTest[];
}

/**
 * A file that is not a MOO file, or a broken one: what is wrong, and where.
 *
 * @example
 * ```ts
 * import { MooError, readMooFile } from "@whvkit/conformance";
 * try {
 *   readMooFile(new TextEncoder().encode("MOO?"));
 * } catch (error) {
 *   if (!(error instanceof MooError)) throw error;
 *   error.message; // "at byte 0: not a MOO file"
 * }
 * ```
 *
 * @public
 */
export class MooError extends Error {
  /** Tells this error from others where classes cannot be compared. */
  override readonly name = "MooError";

  constructor(offset: number, what: string) {
    super(`at byte ${offset}: ${what}`);
  }
}

interface Chunk {
  readonly id: string;
  readonly body: Section;
}

/**
 * Reads an unpacked MOO file.
 *
 * @param bytes - the whole file; a compressed one is unpacked first
 * @throws {@link MooError} that names the byte where it cannot go on
 *
 * @example
 * ```ts
 * import { readMooFile } from "@whvkit/conformance";
 * const header = [0x4d, 0x4f, 0x4f, 0x20, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x32, 0x38, 0x36, 0x20];
 * readMooFile(Uint8Array.from(header)); // { cpu: "286", tests: [] }
 * readMooFile(Uint8Array.of(1)); // MooError: at byte 0: not a MOO file
 * ```
 *
 * @public
 */
export function readMooFile(bytes: Uint8Array): MooFile {
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "MOO ") throw new MooError(0, "not a MOO file");
  const [header, ...chunks] = new Section(bytes, 0, bytes.length).chunks();
  if (header === undefined) throw new MooError(0, "no header");
  header.body.skip(8);
  const cpu = header.body.text(4).trimEnd();
  return { cpu, tests: chunks.filter(({ id }) => id === "TEST").map(({ body }) => readTest(body)) };
}

function readTest(section: Section): MooTest {
  const index = section.uint32();
  const chunks = new Map<string, Section>();
  for (const { id, body } of section.chunks()) chunks.set(id, body);
  const chunk = (id: string): Section => {
    const body = chunks.get(id);
    if (body === undefined) throw new MooError(section.start, `test ${index} has no ${id} chunk`);
    return body;
  };
  const name = chunk("NAME");
  const bytes = chunk("BYTS");
  const exception = chunks.get("EXCP");
  const cycles = chunks.get("CYCL");
  return {
    index,
    name: name.text(name.uint32()),
    bytes: bytes.bytes(bytes.uint32()).slice(),
    initial: readState(chunk("INIT")),
    final: readState(chunk("FINA")),
    exception: exception === undefined ? null : { vector: exception.uint8(), flagsAddress: exception.uint32() },
    cycles: cycles === undefined ? [] : readCycles(cycles),
  };
}

function readState(section: Section): MooState {
  const registers = new Map<MooRegister, number>();
  const memory: { address: number; byte: number }[] = [];
  for (const { id, body } of section.chunks()) {
    if (id === "REGS") {
      const present = body.uint16();
      for (const [position, register] of mooRegisters.entries()) {
        if ((present & (1 << position)) !== 0) registers.set(register, body.uint16());
      }
    } else if (id === "RAM ") {
      for (let left = body.uint32(); left > 0; left--) memory.push({ address: body.uint32(), byte: body.uint8() });
    }
  }
  return { registers, memory };
}

function readCycles(section: Section): MooCycle[] {
  const cycles: MooCycle[] = [];
  for (let left = section.uint32(); left > 0; left--) {
    const pins = section.uint8();
    const address = section.uint32();
    section.skip(3);
    const byteHighEnable = (section.uint8() & 1) === 0;
    const data = section.uint16();
    const busStatus = section.uint8();
    const tState = section.uint8();
    section.skip(2);
    cycles.push({ pins, address, byteHighEnable, data, busStatus, tState });
  }
  return cycles;
}

/** A part of the file that is read forwards; reading past its end is an error. */
class Section {
  readonly start: number;
  private readonly file: Uint8Array;
  private readonly end: number;
  private at: number;

  constructor(file: Uint8Array, start: number, end: number) {
    this.file = file;
    this.start = start;
    this.end = end;
    this.at = start;
  }

  /** The chunks from here to the end: four characters, a 32-bit length, that many bytes. */
  *chunks(): Generator<Chunk> {
    while (this.at < this.end) {
      const id = this.text(4);
      const length = this.uint32();
      const start = this.take(length);
      yield { id, body: new Section(this.file, start, start + length) };
    }
  }

  uint8(): number {
    return this.file[this.take(1)] as number;
  }

  uint16(): number {
    return this.uint8() | (this.uint8() << 8);
  }

  uint32(): number {
    return (this.uint16() | (this.uint16() << 16)) >>> 0;
  }

  bytes(length: number): Uint8Array {
    const start = this.take(length);
    return this.file.subarray(start, start + length);
  }

  text(length: number): string {
    return String.fromCharCode(...this.bytes(length));
  }

  skip(length: number): void {
    this.take(length);
  }

  /** Moves on by `length` bytes and answers where it stood. */
  private take(length: number): number {
    const start = this.at;
    if (length > this.end - start) {
      throw new MooError(start, `${length} bytes wanted, ${this.end - start} left in this chunk`);
    }
    this.at = start + length;
    return start;
  }
}
