/**
 * Where compiled code finds what instructions of one form differ in: registers of operands, immediates, address
 * components. Two answers to one interface: {@link RecordFields} reads a decoded record while it runs (a handler serves
 * every instruction of its form), {@link KnownFields} has the instruction at hand while it compiles (code for one
 * particular instruction, as compiled regions are made of).
 */
import type { Instruction } from "@whvkit/x86-decoder";
import type { IntegerType } from "../ir/operation.ts";
import { memorySegment } from "../ir/register-location.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import type { Code, Local } from "./module/code.ts";
import type { LoadName } from "./module/instruction-set.ts";
import {
  addressRegisterOffset,
  LENGTH_MASK,
  operandOffset,
  RecordOffset,
  recordDisplacement,
  SCALE_SHIFT,
  segmentBaseOffset,
} from "./record.ts";
import { ADDRESS_TYPE, StateOffset } from "./state-layout.ts";

/**
 * Where the processor's state is: at an address known now, or at the one that a local holds.
 *
 * @example
 * ```ts
 * import { ModuleWriter, RegisterOffset, StateBase } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const { code, reference } = module.function("rip", { parameters: [], result: "i32" });
 * const state = new StateBase(0); // the processor's state begins at byte 0
 * code.load("i32.load", state.at(code, RegisterOffset.rip));
 * module.export("rip", reference);
 * code.name; // "rip"
 * ```
 *
 * @public
 */
export class StateBase {
  readonly #base: number | Local;

  constructor(base: number | Local) {
    this.#base = base;
  }

  /** Pushes an address; the state's byte `offset` is at that address plus the answer. */
  at(code: Code, offset: number): number {
    if (typeof this.#base === "number") {
      code.address(0);
      return this.#base + offset;
    }
    code.get(this.#base);
    return offset;
  }

  /** The same for the byte whose offset `pushOffset` pushes, as an address. */
  atComputed(code: Code, pushOffset: () => void): number {
    pushOffset();
    if (typeof this.#base === "number") return this.#base;
    code.get(this.#base);
    code.op(ADDRESS_TYPE === "i32" ? "i32.add" : "i64.add");
    return 0;
  }
}

/**
 * What a form's code asks of an instruction. Methods push a value on the operand stack of the code they are given.
 *
 * @public
 */
export interface FieldSource {
  /** Pushes an address; operand `operand`'s register is at that address plus the answer. */
  operandRegister(code: Code, operand: number): number;
  /** Number of the register that the operand names, i32: a segment register's, or one that has no place in the state. */
  registerNumber(code: Code, operand: number, isSegment: boolean): void;
  /** Narrow types zero-extended in an i32. */
  immediate(code: Code, type: IntegerType): void;
  /** The second immediate, like the first one. */
  immediate2(code: Code, type: IntegerType): void;
  /** Length of the instruction in bytes, i32. */
  length(code: Code): void;
  /** base + index * scale + displacement modulo the address size, as i64; `stackStep` more where the base is rSP. */
  effectiveAddress(code: Code, addressSize: 2 | 4 | 8, stackStep: number): void;
  /** Number of the memory operand's segment, i32. */
  segment(code: Code): void;
  /** Like `operandRegister`, of the 8 bytes of the memory operand's segment base; null when it is known to have none. */
  segmentBase(code: Code, operand: number): number | null;
}

const FIELD_LOAD: Readonly<Record<IntegerType, LoadName>> = {
  i8: "i32.load8_u",
  i16: "i32.load16_u",
  i32: "i32.load",
  i64: "i64.load",
};
/** Offset of RSP in the state. */
const STACK_POINTER: number = RegisterOffset.general + 8 * 4;
const OFFSET_LOAD: LoadName = ADDRESS_TYPE === "i32" ? "i32.load16_u" : "i64.load16_u";

/**
 * Fields of the record whose address a local holds.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { emitInstruction, IMPORT_MEMORY, IMPORT_MODULE, importMachine, irOf, ModuleWriter, RecordFields, Routines, StateBase } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const ir = irOf(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
 * const { code, reference } = module.function("handler", { parameters: ["i32"], result: null });
 * const state = new StateBase(0);
 * const fields = new RecordFields(state, code.parameter(0)); // its registers stand in the record, see writeRecord
 * emitInstruction(ir, { code, state, fields, imports, routines: new Routines(module), leave: () => code.return() });
 * module.export("handler", reference);
 * WebAssembly.validate(module.finish()); // true
 * ```
 *
 * @public
 */
export class RecordFields implements FieldSource {
  readonly #state: StateBase;
  readonly #record: Local;

  constructor(state: StateBase, record: Local) {
    this.#state = state;
    this.#record = record;
  }

  #load(code: Code, name: LoadName, offset: number): void {
    code.get(this.#record);
    code.load(name, offset);
  }

  #register(code: Code, recordOffset: number): number {
    return this.#state.atComputed(code, () => this.#load(code, OFFSET_LOAD, recordOffset));
  }

  operandRegister(code: Code, operand: number): number {
    return this.#register(code, RecordOffset.operands + 2 * operand);
  }

  registerNumber(code: Code, operand: number, isSegment: boolean): void {
    this.#load(code, "i32.load16_u", RecordOffset.operands + 2 * operand);
    if (!isSegment) return;
    // The record has the selector's offset, 16 bytes from one segment register to the next.
    code.i32(RegisterOffset.segments);
    code.op("i32.sub");
    code.i32(4);
    code.op("i32.shr_u");
  }

  immediate(code: Code, type: IntegerType): void {
    this.#load(code, FIELD_LOAD[type], RecordOffset.immediate);
  }

  immediate2(code: Code, type: IntegerType): void {
    this.#load(code, FIELD_LOAD[type], RecordOffset.immediate2);
  }

  length(code: Code): void {
    this.#load(code, "i32.load8_u", RecordOffset.lengthAndScale);
    code.i32(LENGTH_MASK);
    code.op("i32.and");
  }

  effectiveAddress(code: Code, addressSize: 2 | 4 | 8, stackStep: number): void {
    if (addressSize === 8) {
      code.load("i64.load", this.#register(code, RecordOffset.base));
      code.load("i64.load", this.#register(code, RecordOffset.index));
      this.#load(code, "i64.load8_u", RecordOffset.lengthAndScale);
      code.i64(SCALE_SHIFT);
      code.op("i64.shr_u");
      code.op("i64.shl");
      code.op("i64.add");
      this.#load(code, "i64.load", RecordOffset.displacement);
      code.op("i64.add");
      if (stackStep !== 0) {
        this.#stackStep(code, stackStep);
        code.op("i64.extend_i32_u");
        code.op("i64.add");
      }
      return;
    }
    code.load("i32.load", this.#register(code, RecordOffset.base));
    code.load("i32.load", this.#register(code, RecordOffset.index));
    this.#load(code, "i32.load8_u", RecordOffset.lengthAndScale);
    code.i32(SCALE_SHIFT);
    code.op("i32.shr_u");
    code.op("i32.shl");
    code.op("i32.add");
    this.#load(code, "i32.load", RecordOffset.displacement);
    code.op("i32.add");
    if (stackStep !== 0) {
      this.#stackStep(code, stackStep);
      code.op("i32.add");
    }
    extendAddress(code, addressSize);
  }

  /** Pushes the step where the base is rSP, else 0. */
  #stackStep(code: Code, stackStep: number): void {
    code.i32(stackStep);
    code.i32(0);
    this.#load(code, "i32.load16_u", RecordOffset.base);
    code.i32(STACK_POINTER);
    code.op("i32.eq");
    code.select();
  }

  segment(code: Code): void {
    this.#load(code, "i32.load8_u", RecordOffset.segment);
  }

  segmentBase(code: Code, operand: number): number {
    return this.operandRegister(code, operand);
  }
}

/**
 * Fields of an instruction that is known while code for it is written.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { emitInstruction, IMPORT_MEMORY, IMPORT_MODULE, importMachine, irOf, KnownFields, ModuleWriter, Routines, StateBase } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const ir = irOf(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
 * const { code, reference } = module.function("instruction", { parameters: [], result: null });
 * const state = new StateBase(0);
 * const fields = new KnownFields(state, instruction); // its registers are constants of the code
 * emitInstruction(ir, { code, state, fields, imports, routines: new Routines(module), leave: () => code.return() });
 * module.export("instruction", reference);
 * WebAssembly.validate(module.finish()); // true
 * ```
 *
 * @public
 */
export class KnownFields implements FieldSource {
  readonly #state: StateBase;
  readonly #instruction: Instruction;

  constructor(state: StateBase, instruction: Instruction) {
    this.#state = state;
    this.#instruction = instruction;
  }

  operandRegister(code: Code, operand: number): number {
    return this.#state.at(code, operandOffset(this.#instruction, operand));
  }

  registerNumber(code: Code, operand: number): void {
    code.i32(this.#instruction.operandRegister(operand) & 31);
  }

  #constant(code: Code, type: IntegerType, low: number, high: number): void {
    if (type === "i64") code.i64(low, high);
    else code.i32(type === "i8" ? low & 0xff : type === "i16" ? low & 0xffff : low);
  }

  immediate(code: Code, type: IntegerType): void {
    this.#constant(code, type, this.#instruction.immediateLow, this.#instruction.immediateHigh);
  }

  immediate2(code: Code, type: IntegerType): void {
    this.#constant(code, type, this.#instruction.immediate2, 0);
  }

  length(code: Code): void {
    code.i32(this.#instruction.length);
  }

  effectiveAddress(code: Code, addressSize: 2 | 4 | 8, stackStep: number): void {
    const instruction = this.#instruction;
    const type = addressSize === 8 ? "i64" : "i32";
    const onStack = addressRegisterOffset(instruction.memoryBase) === STACK_POINTER;
    const { low, high } = recordDisplacement(instruction, onStack ? stackStep : 0);
    if (type === "i64") code.i64(low, high);
    else code.i32(low);
    for (const [register, scale] of [
      [instruction.memoryBase, 0],
      [instruction.memoryIndex, 31 - Math.clz32(instruction.memoryScale)],
    ] as const) {
      const offset = addressRegisterOffset(register);
      if (offset === StateOffset.zero) continue;
      code.load(`${type}.load`, this.#state.at(code, offset));
      if (scale > 0) {
        if (type === "i64") code.i64(scale);
        else code.i32(scale);
        code.op(`${type}.shl`);
      }
      code.op(`${type}.add`);
    }
    if (addressSize !== 8) extendAddress(code, addressSize);
  }

  segment(code: Code): void {
    code.i32(memorySegment(this.#instruction));
  }

  segmentBase(code: Code): number | null {
    const offset = segmentBaseOffset(memorySegment(this.#instruction), this.#instruction.mode === 64);
    return offset === StateOffset.zero ? null : this.#state.at(code, offset);
  }
}

/** From an i32 sum to the i64 address of 16 or 32 bits. */
function extendAddress(code: Code, addressSize: 2 | 4): void {
  if (addressSize === 2) {
    code.i32(0xffff);
    code.op("i32.and");
  }
  code.op("i64.extend_i32_u");
}
