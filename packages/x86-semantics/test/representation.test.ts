/**
 * What the representation promises its consumers, over a stream of instructions of every kind: well-formed Ir, register
 * intervals that say all that is read and written, and no register changed by an instruction that stops in the middle.
 */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { describe, expect, it } from "vitest";
import {
  Abort,
  describeIr,
  describeProgram,
  Evaluator,
  irOf,
  type Program,
  programFor,
  REGISTER_FILE_SIZE,
  type RegisterInterval,
  RegisterOffset,
  verifyIr,
} from "../src/index.ts";
import { forEachInstruction, randomWords } from "./instruction-stream.ts";
import { FlatMachine } from "./machine/flat-machine.ts";

/** A machine whose memory is everywhere (bytes follow from the address) and which can be made to stop at an access. */
class BoundlessMachine extends FlatMachine {
  /** The access, counted from 1, that stops; 0 for none. */
  stopAt = 0;
  accesses = 0;
  stores: string[] = [];

  #stops(): boolean {
    this.accesses++;
    return this.accesses === this.stopAt;
  }
  #fill(low: number, size: number): void {
    for (let i = 0; i < 4; i++) this.data[i] = 0;
    this.data[0] = Math.imul(low ^ 0x5bd1_e995, 0x9e37_79b1) & (size >= 4 ? -1 : (1 << (8 * size)) - 1);
    for (let i = 1; i < size / 4; i++) this.data[i] = Math.imul(low + i, 0x85eb_ca6b);
  }
  override load(_segment: number, low: number, _high: number, size: number): number {
    if (this.#stops()) return Abort.fault;
    this.#fill(low, size);
    return Abort.none;
  }
  override store(
    segment: number,
    low: number,
    high: number,
    size: number,
    valueLow: number,
    valueHigh: number,
  ): number {
    if (this.#stops()) return Abort.fault;
    this.stores.push([segment, low, high, size, valueLow, size === 8 ? valueHigh : 0].join());
    return Abort.none;
  }
  override store128(segment: number, low: number, high: number): number {
    if (this.#stops()) return Abort.fault;
    this.stores.push([segment, low, high, ...this.data].join());
    return Abort.none;
  }
  override probe(): number {
    return this.#stops() ? Abort.fault : Abort.none;
  }
  override in(port: number, size: number): number {
    if (this.#stops()) return Abort.fault;
    this.#fill(port, size);
    return Abort.none;
  }
  override out(port: number, size: number, value: number): number {
    if (this.#stops()) return Abort.fault;
    this.stores.push(`out ${port} ${size} ${value & (size === 4 ? -1 : (1 << (8 * size)) - 1)}`);
    return Abort.none;
  }
  override helper(): number {
    if (this.#stops()) return Abort.fault;
    this.#fill(7, 16);
    return Abort.none;
  }
}

const inside = (intervals: readonly RegisterInterval[], byte: number): boolean =>
  intervals.some(({ offset, size }) => byte >= offset && byte < offset + size);

function randomise(machine: FlatMachine, random: () => number, keep: readonly RegisterInterval[] = []): void {
  for (let i = 0; i < REGISTER_FILE_SIZE; i++) if (!inside(keep, i)) machine.registers.bytes[i] = random();
}

function run(machine: BoundlessMachine, program: Program): number {
  machine.accesses = 0;
  machine.stores = [];
  return new Evaluator(machine).evaluate(program);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("every form", () => {
  it("keeps the rules of the representation, and can be described", () => {
    const seen = new Set<string>();
    let supported = 0;
    forEachInstruction(1, 3000, (instruction, bytes) => {
      const ir = irOf(instruction);
      if (ir === null) return;
      supported++;
      seen.add(ir.form.mnemonic);
      expect(verifyIr(ir), hex(bytes)).toEqual([]);
      expect(describeIr(ir).length).toBeGreaterThan(0);
      expect(describeProgram(programFor(instruction))).not.toContain("?:");
    });
    expect(supported).toBeGreaterThan(5000);
    expect(seen.size).toBeGreaterThan(300);
  });

  it("writes only the intervals it names, and depends only on those it reads", () => {
    const random = randomWords(99);
    const [first, second] = [new BoundlessMachine(), new BoundlessMachine()];
    forEachInstruction(2, 1000, (instruction, bytes) => {
      const program = programFor(instruction);
      if (program.unsupported !== null) return;
      randomise(first, random);
      second.registers.bytes.set(first.registers.bytes);
      // What the program does not name is different in the second machine.
      randomise(second, random, [...program.reads, ...program.writes]);
      const before = first.registers.bytes.slice();
      const before2 = second.registers.bytes.slice();
      const what = `${hex(bytes)} in ${instruction.mode}-bit mode`;
      expect(run(second, program), what).toBe(run(first, program));
      expect(second.stores, what).toEqual(first.stores);
      for (let i = 0; i < REGISTER_FILE_SIZE; i++) {
        const written = inside(program.writes, i);
        if (!written && first.registers.bytes[i] !== before[i]) expect.fail(`${what} writes byte ${i}`);
        if (written && first.registers.bytes[i] !== second.registers.bytes[i]) {
          // A byte that the program kept, without reading it, is the only one that may differ.
          const kept = first.registers.bytes[i] === before[i] && second.registers.bytes[i] === before2[i];
          if (!kept) expect.fail(`${what}: byte ${i} depends on what it does not read`);
        }
      }
    });
  });

  it("changes no register when it stops at any of its accesses", () => {
    const random = randomWords(3);
    const machine = new BoundlessMachine();
    let stopped = 0;
    forEachInstruction(4, 800, (instruction, bytes) => {
      const program = programFor(instruction);
      if (program.unsupported !== null) return;
      randomise(machine, random);
      const before = machine.registers.bytes.slice();
      for (let at = 1; at < 50; at++) {
        machine.registers.bytes.set(before);
        machine.stopAt = at;
        const abort = run(machine, program);
        if (machine.accesses < at) break;
        stopped++;
        expect(abort, hex(bytes)).toBe(Abort.fault);
        expect(Buffer.compare(machine.registers.bytes, before), `${hex(bytes)} stopped at access ${at}`).toBe(0);
      }
      machine.stopAt = 0;
    });
    expect(stopped).toBeGreaterThan(500);
  });

  it("has nothing after a store that the definition could have found out before", () => {
    const late = new Set<string>();
    forEachInstruction(6, 2000, (instruction) => {
      const ir = irOf(instruction);
      if (ir === null) return;
      const first = ir.operations.findIndex(({ op }) => op === "store");
      const last = Math.max(
        ...(["load", "faultIf", "checkBranch"] as const).map((name) =>
          ir.operations.map(({ op }) => op).lastIndexOf(name),
        ),
      );
      if (first >= 0 && last > first) late.add(ir.form.mnemonic);
    });
    // ENTER interleaves the frame pointers that it reads with those that it pushes (Intel SDM volume 2, ENTER).
    expect([...late].filter((name) => name !== "enter")).toEqual([]);
  });
});

describe("intervals", () => {
  const instruction = new Instruction();
  const programOf = (mode: 16 | 32 | 64, ...bytes: number[]): Program => {
    new Decoder(mode).decode(Uint8Array.from(bytes), 0, instruction);
    return programFor(instruction);
  };
  const general = (number: number, size = 8): RegisterInterval => ({ offset: 8 * number, size });

  it("names address registers and targets, and no segment that has no base", () => {
    const program = programOf(64, 0x8b, 0x44, 0xcf, 0x08); // mov eax, [rdi + rcx*8 + 8]
    expect(program.reads).toEqual([general(1), general(7)]);
    expect(program.writes).toEqual([general(0)]);
    expect([program.accessesMemory, program.accessesPort, program.writesIp]).toEqual([true, false, false]);
  });

  it("names the segment in 32-bit code, and FS in 64-bit code", () => {
    const ds = { offset: RegisterOffset.segments + 48, size: 16 };
    expect(programOf(32, 0x8b, 0x07).reads).toEqual([general(7, 4), ds]);
    expect(programOf(64, 0x64, 0x8b, 0x07).reads).toContainEqual({ offset: RegisterOffset.segments + 64, size: 16 });
  });

  it("names RIP for relative addresses, and the flags for what they change", () => {
    expect(programOf(64, 0x8b, 0x05, 0, 0, 0, 0).reads).toEqual([{ offset: RegisterOffset.rip, size: 8 }]);
    const rflags = { offset: RegisterOffset.rflags, size: 8 };
    expect(programOf(64, 0x01, 0x0f).writes).toEqual([rflags]);
  });

  it("names the byte that AH is, and the whole of a vector register that VEX clears", () => {
    expect(programOf(64, 0x88, 0x27).reads).toContainEqual({ offset: 1, size: 1 });
    const written = programOf(64, 0xc5, 0xf8, 0x10, 0x0f).writes; // vmovups xmm1, [rdi]
    expect(written.reduce((sum, { size }) => sum + size, 0)).toBe(64);
  });

  it("names the count of a repeated string instruction", () => {
    const program = programOf(64, 0xf3, 0xaa);
    expect(program.string).toEqual({ kind: "stos", size: 1, addressSize: 8, repeat: 0xf3, segment: 3 });
    expect(program.reads).toContainEqual(general(1));
    expect(program.writes).toContainEqual(general(1));
  });
});
