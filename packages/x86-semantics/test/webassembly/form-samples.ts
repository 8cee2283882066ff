/**
 * Instructions for every form that has a meaning: all opcodes of all maps, in all modes, under the prefixes that
 * matter, with register and memory operands; what the opcode leaves open (registers, displacement, immediate) comes
 * from a seed. Forms are told apart by their Ir.
 */
import { Decoder, DecodeStatus, Instruction, OperandKind } from "@whvkit/x86-decoder";
import { formKey, formName, type Ir, irOf, type Program, programFor, supportOf } from "../../src/index.ts";
import { hash } from "./hashed-machine.ts";

export interface Sample {
  readonly ir: Ir;
  readonly instruction: Instruction;
  readonly program: Program;
  readonly bytes: Uint8Array;
  readonly family: string;
}

/** How many instructions are kept of one form, and of forms that differ in their immediates only. */
const SAMPLES_PER_FORM = 2;
const SAMPLES_PER_KEY = 6;
const LEGACY_PREFIXES = [[], [0x66], [0x67], [0x66, 0x67], [0xf2], [0xf3], [0xf0], [0x66, 0xf0], [0x64], [0x26, 0x66]];
const REX_PREFIXES = [[], [0x41], [0x48], [0x4f]];
const MAPS = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

/** Opcodes of instruction groups in VEX and EVEX maps (Intel SDM volume 2, table A-6). */
const VEX_GROUPS = new Set([0x71, 0x72, 0x73, 0xae, 0xf3, 0xc6, 0xc7]);

export class SampleCollector {
  readonly samples: Sample[] = [];
  /** Instructions that got the meaning of a string instruction of the same name. */
  readonly mistaken = new Set<string>();
  readonly #count = new Map<Ir, number>();
  readonly #countByKey = new Map<number, number>();
  readonly #scratch = new Instruction();
  readonly #seed: number;
  readonly #maps: "all" | "legacy";
  #step = 0;

  /** @param maps - "legacy" leaves out the opcode maps of VEX, XOP and EVEX, which take most of the time. */
  constructor(seed: number, maps: "all" | "legacy" = "all") {
    this.#seed = seed;
    this.#maps = maps;
  }

  collect(): readonly Sample[] {
    for (const mode of [64, 32, 16] as const) {
      const decoder = new Decoder(mode);
      for (const map of MAPS) {
        for (const legacy of LEGACY_PREFIXES) {
          for (const rex of mode === 64 ? REX_PREFIXES : [[]]) {
            for (let opcode = 0; opcode < 256; opcode++) this.#opcode(decoder, [...legacy, ...rex, ...map, opcode]);
          }
        }
      }
      // With 16 bits only addresses differ from those of 32, and they are the same in all maps.
      if (mode === 16 || this.#maps === "legacy") continue;
      for (const map of [1, 2, 3, 5, 6, 8, 9, 10]) {
        // VEX: inverted R, X, B, then W, inverted vvvv, L, pp. XOP has the same layout and its own maps.
        const first = map < 8 ? 0xc4 : 0x8f;
        for (let low = 0; low < 8; low++) {
          for (const w of [0, 0x80]) {
            for (let opcode = 0; opcode < 256; opcode++) {
              for (const vvvv of [0x78, this.#random() & 0x78]) {
                this.#opcode(decoder, [first, 0xe0 | map, w | vvvv | low, opcode]);
              }
            }
          }
        }
        if (map > 6) continue;
        // EVEX: pp and W, inverted vvvv; L'L, V', mask, zeroing, broadcast.
        for (let low = 0; low < 8; low++) {
          for (const length of [0, 0x20, 0x40]) {
            for (let opcode = 0; opcode < 256; opcode++) {
              for (const vvvv of [0x78, this.#random() & 0x78]) {
                const second = ((low & 4) << 5) | vvvv | 4 | (low & 3);
                for (const third of [0, this.#random() & 7, this.#random() & 0x97]) {
                  this.#opcode(decoder, [0x62, 0xf0 | map, second, length | 8 | third, opcode]);
                }
              }
            }
          }
        }
      }
    }
    return this.samples;
  }

  #random(): number {
    return hash(this.#seed, this.#step++);
  }

  /** Tries an opcode with each /digit, as register and as memory operand. */
  #opcode(decoder: Decoder, start: readonly number[]): void {
    const bytes = new Uint8Array(32);
    for (let i = 0; i < bytes.length; i += 4) {
      const random = this.#random();
      for (let j = 0; j < 4; j++) bytes[i + j] = random >>> (8 * j);
    }
    bytes.set(start);
    // Behind VEX and EVEX few opcodes are told apart by /digit; the others take it as a register.
    const isExtended = start[0] === 0xc4 || start[0] === 0x62;
    const digits = isExtended && !VEX_GROUPS.has(start.at(-1) as number) ? 1 : 8;
    for (let digit = 0; digit < digits; digit++) {
      for (const mod of [0xc0, this.#random() & 0x80, 0x40]) {
        const register = digits === 1 ? (this.#random() >> 8) & 7 : digit;
        bytes[start.length] = mod | (register << 3) | (this.#random() & 7);
        this.#try(decoder, bytes);
      }
      // 0F 01 and its like tell instructions apart by all of ModRM.
      for (let rm = 0; rm < 8 && start.at(-2) === 0x0f; rm++) {
        bytes[start.length] = 0xc0 | (digit << 3) | rm;
        this.#try(decoder, bytes);
      }
    }
  }

  #try(decoder: Decoder, bytes: Uint8Array): void {
    // Most tries end here: what is kept is decoded again into an instruction of its own.
    const scratch = this.#scratch;
    if (decoder.decode(bytes, 0, scratch) !== DecodeStatus.ok) return;
    const key = formKey(scratch);
    const countOfKey = this.#countByKey.get(key) ?? 0;
    if (countOfKey >= SAMPLES_PER_KEY) return;
    this.#countByKey.set(key, countOfKey + 1);
    const instruction = new Instruction();
    decoder.decode(bytes, 0, instruction);
    const support = supportOf(instruction.mnemonic);
    if (!support.supported) return;
    const ir = irOf(instruction);
    if (ir === null) return; // a mnemonic that two instructions share, of which one has a meaning
    if (ir.string !== null && !hasStringOperand(instruction)) {
      this.mistaken.add(`${support.family}: ${formName(ir.form)}`);
      return;
    }
    const count = this.#count.get(ir) ?? 0;
    if (count >= SAMPLES_PER_FORM) return;
    this.#count.set(ir, count + 1);
    this.samples.push({
      ir,
      instruction,
      program: programFor(instruction),
      bytes: bytes.slice(0, instruction.length),
      family: support.family,
    });
  }
}

function hasStringOperand(instruction: Instruction): boolean {
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.stringSource || kind === OperandKind.stringDestination) return true;
  }
  return false;
}
