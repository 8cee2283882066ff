/**
 * Binding: from a form's Ir and one instruction to a {@link Program}. Resolves the references to registers, immediates,
 * address components and segments, gives each value its place in the evaluator's slots, writes the operations in the
 * evaluator's layout, and lists the registers that the program touches.
 */
import { type Instruction, OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { makesValue } from "../ir/dataflow.ts";
import {
  bitsOf,
  bytesOf,
  type EffectOperation,
  type Ir,
  type Operation,
  type RegisterReference,
  type SegmentReference,
  type Type,
  type ValueOperation,
} from "../ir/operation.ts";
import { memorySegment, opmaskOffset, registerLocation, segmentLocation } from "../ir/register-location.ts";
import type { Helper } from "../machine/helper.ts";
import { helperRegisters } from "../machine/helper-registers.ts";
import { type RegisterInterval, RegisterOffset, Segment } from "../machine/register-file.ts";
import { InstructionFields } from "./instruction-fields.ts";
import { Opcode, ShiftFlags, STRIDE } from "./opcode.ts";
import type { Program, StringOperation } from "./program.ts";
import { ProgramWriter } from "./program-writer.ts";
import { transferOf } from "./transfer.ts";

const RFLAGS_INTERVAL: RegisterInterval = { offset: RegisterOffset.rflags, size: 8 };

/** The program of an instruction whose meaning is `ir`. */
export function bind(ir: Ir, instruction: Instruction): Program {
  return new Binding(ir, instruction).program();
}

/** The program of an instruction that has no meaning here. */
export function bindUnsupported(instruction: Instruction, reason: string): Program {
  return {
    mnemonic: instruction.mnemonic,
    length: instruction.length,
    mode: instruction.mode,
    code: Int32Array.from({ length: STRIDE }, (_, i) => (i === 0 ? Opcode.unsupported : 0)),
    transfer: null,
    reads: [],
    writes: [],
    writesIp: false,
    namesMemory: namesMemory(instruction),
    accessesMemory: false,
    accessesPort: false,
    string: null,
    helpers: [],
    requires: null,
    unsupported: reason,
    ir: null,
    fields: null,
  };
}

function namesMemory(instruction: Instruction): boolean {
  for (let i = 0; i < instruction.operandCount; i++) if (instruction.operandKind(i) === OperandKind.memory) return true;
  return false;
}

class Binding {
  readonly #ir: Ir;
  readonly #instruction: Instruction;
  readonly #long: boolean;
  readonly #writer: ProgramWriter = new ProgramWriter();
  /** Word index of each value in the slots. */
  readonly #places: number[] = [];
  readonly #helpers: Helper[] = [];
  #accessesMemory = false;
  #accessesPort = false;

  constructor(ir: Ir, instruction: Instruction) {
    this.#ir = ir;
    this.#instruction = instruction;
    this.#long = instruction.mode === 64;
  }

  program(): Program {
    const { operations } = this.#ir;
    const open: number[] = [];
    operations.forEach((operation, index) => {
      if (operation.op === "if") {
        open.push(this.#writer.position);
        this.#writer.emit(Opcode.unless, this.#at(operation.condition), 0);
      } else if (operation.op === "endIf") {
        this.#writer.closeCondition(open.pop() as number);
      } else if (makesValue(operation)) {
        this.#places[index] = this.#valueOf(operation);
      } else {
        this.#effect(operation);
      }
    });
    this.#writer.emit(Opcode.end);
    const string = this.#string();
    const writer = this.#writer;
    const instruction = this.#instruction;
    const { code } = writer;
    return {
      mnemonic: instruction.mnemonic,
      length: instruction.length,
      mode: instruction.mode,
      code,
      transfer: transferOf(code),
      reads: writer.reads,
      writes: writer.writes,
      writesIp: this.#ir.writesIp,
      namesMemory: namesMemory(instruction),
      accessesMemory: this.#accessesMemory,
      accessesPort: this.#accessesPort,
      string,
      helpers: this.#helpers,
      requires: this.#ir.requires,
      unsupported: null,
      ir: this.#ir,
      fields: new InstructionFields(instruction),
    };
  }

  #string(): StringOperation | null {
    const element = this.#ir.string;
    if (element === null) return null;
    const repeat = this.#instruction.repeat;
    if (repeat !== 0) {
      const count: RegisterInterval = { offset: RegisterOffset.general + 8, size: element.addressSize };
      this.#writer.read(count);
      this.#writer.write(count);
    }
    return { ...element, repeat, segment: this.#segment("memory") };
  }

  #at(value: number): number {
    return this.#places[value] as number;
  }

  #typeOf(value: number): Type {
    const operation = this.#ir.operations[value] as Operation;
    if (!makesValue(operation)) throw new Error("an effect has no type");
    return operation.type;
  }

  // ---- references ------------------------------------------------------------------------------------------------

  #register(reference: RegisterReference): RegisterInterval {
    if (reference.from === "fixed") return { offset: reference.offset, size: reference.size };
    if (reference.from === "opmask") return { offset: opmaskOffset(this.#instruction.opmask), size: reference.size };
    const register = this.#instruction.operandRegister(reference.operand);
    const location = registerLocation(register);
    if (location === null) throw new Error(`register ${register} is not in the register file`);
    return { offset: location.offset + reference.delta, size: reference.size };
  }

  #segment(reference: SegmentReference): number {
    if (reference !== "memory") return reference;
    return memorySegment(this.#instruction);
  }

  /** Does the segment have a base (and so have to be fetched)? */
  #hasBase(segment: number): boolean {
    return !this.#long || segment === Segment.fs || segment === Segment.gs;
  }

  #segmentUse(reference: SegmentReference): number {
    const segment = this.#segment(reference);
    if (this.#hasBase(segment)) this.#writer.read(segmentLocation(segment));
    this.#accessesMemory = true;
    return segment;
  }

  #readWord(register: number): number {
    const location = registerLocation(register);
    if (location === null) throw new Error(`register ${register} cannot address memory`);
    this.#writer.read(location);
    return location.offset >> 2;
  }

  // ---- values ----------------------------------------------------------------------------------------------------

  /** Emits what makes the value and answers its place. */
  #valueOf(operation: ValueOperation): number {
    const { type } = operation;
    const wide = type === "i64";
    switch (operation.op) {
      case "trunc":
      case "zext":
        return this.#resize(operation.op, operation.a, type);
      case "callSecond":
        return this.#at(operation.call) + 2;
      case "linearAddress": {
        const segment = this.#segmentOf(operation.segment);
        if (!this.#hasBase(segment)) return this.#at(operation.offset);
        const d = this.#writer.slot(type);
        const base = (RegisterOffset.segments + 16 * segment) >> 2;
        this.#writer.emit(this.#long ? Opcode.linear64 : Opcode.linear32, d, this.#at(operation.offset), base);
        return d;
      }
      case "call": {
        const d = this.#writer.slot("v128");
        this.#call(operation, d);
        return d;
      }
      default:
    }
    const d = this.#writer.slot(type);
    const mask = maskOf(type);
    switch (operation.op) {
      case "const":
        if (wide) this.#writer.emit(Opcode.const64, d, operation.low, operation.high);
        else this.#writer.emit(Opcode.const32, d, operation.low & mask);
        break;
      case "const128":
        this.#writer.emit(Opcode.const128, d, ...operation.words);
        break;
      case "field":
        this.#field(operation.field, type, d);
        break;
      case "registerNumber":
        this.#writer.emit(Opcode.const32, d, this.#instruction.operandRegister(operation.operand) & 31);
        break;
      case "register":
        this.#get(d, type, this.#register(operation.register));
        break;
      case "flag":
        this.#writer.read(RFLAGS_INTERVAL);
        this.#writer.emit(Opcode.getFlag, d, operation.bit);
        break;
      case "effectiveAddress":
        this.#effectiveAddress(d, operation.stackStep);
        break;
      case "load": {
        const segment = this.#segmentUse(operation.segment);
        this.#writer.emit(LOADS[type] as number, d, this.#at(operation.address), segment, operation.intent);
        break;
      }
      case "loadIf": {
        const segment = this.#segmentUse(operation.segment);
        this.#zero(d, type);
        const skip = this.#writer.position;
        this.#writer.emit(Opcode.unless, this.#at(operation.condition), 0);
        this.#writer.emit(LOADS[type] as number, d, this.#at(operation.address), segment, operation.intent);
        this.#writer.closeCondition(skip);
        break;
      }
      case "in":
        this.#accessesPort = true;
        this.#writer.emit(Opcode.in, d, this.#at(operation.port), bytesOf(type));
        break;
      case "add":
      case "sub":
      case "mul":
        this.#writer.emit(
          Opcode[`${operation.op}${wide ? 64 : 32}`],
          d,
          this.#at(operation.a),
          this.#at(operation.b),
          mask,
        );
        break;
      case "and":
      case "or":
      case "xor":
        this.#writer.emit(Opcode[`${operation.op}${widthOf(type)}`], d, this.#at(operation.a), this.#at(operation.b));
        break;
      case "mulHighUnsigned":
      case "mulHighSigned":
        this.#writer.emit(Opcode[`${operation.op}64`], d, this.#at(operation.a), this.#at(operation.b));
        break;
      case "divide":
      case "remainder":
        this.#writer.emit(Opcode[`${operation.op}${wide ? 64 : 32}`], d, this.#at(operation.a), this.#at(operation.b));
        break;
      case "divideWide":
      case "remainderWide":
        this.#writer.emit(
          Opcode[operation.op],
          d,
          this.#at(operation.upper),
          this.#at(operation.lower),
          this.#at(operation.b),
        );
        break;
      case "shl":
      case "shr":
      case "sar":
      case "rotl":
      case "rotr":
        this.#writer.emit(
          Opcode[`${operation.op}${wide ? 64 : 32}`],
          d,
          this.#at(operation.a),
          this.#at(operation.count),
        );
        break;
      case "eq":
      case "ult": {
        const name = operation.op === "eq" ? "equal" : "less";
        const sourceWide = this.#typeOf(operation.a) === "i64";
        this.#writer.emit(Opcode[`${name}${sourceWide ? 64 : 32}`], d, this.#at(operation.a), this.#at(operation.b));
        break;
      }
      case "slt": {
        const source = this.#typeOf(operation.a);
        const opcode = source === "i64" ? Opcode.signedLess64 : Opcode.signedLess32;
        this.#writer.emit(opcode, d, this.#at(operation.a), this.#at(operation.b), signShift(source));
        break;
      }
      case "not":
        this.#writer.emit(Opcode[`not${widthOf(type)}`], d, this.#at(operation.a), mask);
        break;
      case "bswap":
        this.#writer.emit(Opcode[`bswap${bitsOf(type) as 16 | 32 | 64}`], d, this.#at(operation.a));
        break;
      case "clz":
      case "ctz":
      case "popcnt":
        this.#writer.emit(Opcode[`${operation.op}${wide ? 64 : 32}`], d, this.#at(operation.a));
        break;
      case "parity":
        this.#writer.emit(Opcode.parity, d, this.#at(operation.a));
        break;
      case "sext": {
        const shift = signShift(this.#typeOf(operation.a));
        if (wide) this.#writer.emit(Opcode.signExtend64, d, this.#at(operation.a), shift);
        else this.#writer.emit(Opcode.signExtend32, d, this.#at(operation.a), shift, mask);
        break;
      }
      case "select": {
        const [condition, a, b] = [this.#at(operation.condition), this.#at(operation.a), this.#at(operation.b)];
        this.#writer.emit(Opcode[`select${widthOf(type)}`], d, condition, a, b);
        break;
      }
      case "lane":
        this.#writer.emit(Opcode.lane, d, this.#at(operation.a), operation.lane * bytesOf(type), bytesOf(type));
        break;
      case "withLane": {
        const size = bytesOf(this.#typeOf(operation.value));
        this.#writer.emit(
          Opcode.withLane,
          d,
          this.#at(operation.a),
          operation.lane * size,
          size,
          this.#at(operation.value),
        );
        break;
      }
      case "shuffle": {
        const words = [0, 0, 0, 0];
        operation.bytes.forEach((byte, i) => {
          words[i >> 2] = (words[i >> 2] as number) | (byte << ((i & 3) * 8));
        });
        this.#writer.emit(Opcode.shuffle, d, this.#at(operation.a), this.#at(operation.b), ...words);
        break;
      }
      default: {
        const unknown: never = operation;
        throw new Error(`no lowering for ${JSON.stringify(unknown)}`);
      }
    }
    return d;
  }

  #zero(d: number, type: Type): void {
    if (type === "v128") this.#writer.emit(Opcode.const128, d);
    else if (type === "i64") this.#writer.emit(Opcode.const64, d);
    else this.#writer.emit(Opcode.const32, d);
  }

  /** Like {@link Binding.#segmentUse}, but the address alone makes no access. */
  #segmentOf(reference: SegmentReference): number {
    const segment = this.#segment(reference);
    if (this.#hasBase(segment)) this.#writer.read(segmentLocation(segment));
    return segment;
  }

  #resize(op: "trunc" | "zext", a: number, type: Type): number {
    const place = this.#at(a);
    const source = this.#typeOf(a);
    // Narrow values are zero-extended to 32 bits already, and the low word of an i64 is its truncation.
    if (op === "zext" && type !== "i64" && type !== "v128") return place;
    if (op === "trunc" && type === "i32") return place;
    const d = this.#writer.slot(type);
    if (type === "v128") this.#writer.emit(Opcode.zeroExtend128, d, place, source === "i64" ? 2 : 1);
    else if (op === "zext") this.#writer.emit(Opcode.zeroExtend64, d, place);
    else this.#writer.emit(Opcode.mask32, d, place, maskOf(type));
    return d;
  }

  #field(field: "immediate" | "immediate2" | "length", type: Type, d: number): void {
    const instruction = this.#instruction;
    let low = instruction.length;
    let high = 0;
    if (field === "immediate") {
      low = instruction.immediateLow;
      high = instruction.immediateHigh;
    } else if (field === "immediate2") {
      low = instruction.immediate2;
    }
    if (type === "i64") this.#writer.emit(Opcode.const64, d, low, high);
    else this.#writer.emit(Opcode.const32, d, low & maskOf(type));
  }

  #get(d: number, type: Type, location: RegisterInterval): void {
    this.#writer.read(location);
    const { offset } = location;
    switch (type) {
      case "i8":
        this.#writer.emit(Opcode.get8, d, offset);
        break;
      case "i16":
        this.#writer.emit(Opcode.get16, d, offset >> 1);
        break;
      case "i32":
        this.#writer.emit(Opcode.get32, d, offset >> 2);
        break;
      case "i64":
        this.#writer.emit(Opcode.get64, d, offset >> 2);
        break;
      case "v128":
        this.#writer.emit(Opcode.get128, d, offset >> 2);
        break;
      default:
        throw new Error("a register holds no i1");
    }
  }

  #effectiveAddress(d: number, stackStep: number): void {
    const instruction = this.#instruction;
    const base = instruction.memoryBase;
    const index = instruction.memoryIndex;
    let low = instruction.displacementLow;
    let high = instruction.displacementHigh;
    // RIP holds the address of this instruction; the displacement counts from the next one.
    const step = base >> 5 === RegisterClass.ip ? instruction.length : isStackPointer(base) ? stackStep : 0;
    const sum = (low >>> 0) + step;
    low = sum | 0;
    high = (high + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    const scale = Math.log2(instruction.memoryScale);
    const indexWord = index === 0 ? -1 : this.#readWord(index);
    const baseWord = base === 0 ? -1 : this.#readWord(base);
    if (instruction.addressSize === 8) {
      if (indexWord >= 0) this.#writer.emit(Opcode.address64indexed, d, baseWord, low, high, indexWord, scale);
      else if (baseWord >= 0) this.#writer.emit(Opcode.address64, d, baseWord, low, high);
      else this.#writer.emit(Opcode.const64, d, low, high);
      return;
    }
    const mask = instruction.addressSize === 2 ? 0xffff : -1;
    if (baseWord < 0 && indexWord < 0) this.#writer.emit(Opcode.const64, d, low & mask, 0);
    else this.#writer.emit(Opcode.address32, d, baseWord, low, mask, indexWord, scale);
  }

  #call(operation: Extract<Operation, { readonly op: "call" }>, d: number): void {
    const { helper } = operation;
    const touched = helperRegisters(helper);
    this.#helpers.push(helper);
    for (const interval of touched.reads) this.#writer.read(interval);
    for (const interval of touched.writes) this.#writer.write(interval);
    const place = (value: number | null): number => (value === null ? -1 : this.#at(value));
    const { operandSize, length } = this.#instruction;
    this.#writer.emit(
      Opcode.call,
      d,
      helper,
      place(operation.a),
      place(operation.b),
      place(operation.c),
      operandSize,
      length,
    );
  }

  // ---- effects ---------------------------------------------------------------------------------------------------

  #effect(operation: EffectOperation): void {
    switch (operation.op) {
      case "store": {
        const segment = this.#segmentUse(operation.segment);
        const opcode = STORES[this.#typeOf(operation.value)] as number;
        this.#writer.emit(opcode, this.#at(operation.value), this.#at(operation.address), segment, operation.intent);
        break;
      }
      case "out":
        this.#accessesPort = true;
        this.#writer.emit(
          Opcode.out,
          this.#at(operation.value),
          this.#at(operation.port),
          bytesOf(this.#typeOf(operation.value)),
        );
        break;
      case "probe": {
        const segment = this.#segmentUse(operation.segment);
        this.#writer.emit(Opcode.probe, this.#at(operation.address), segment, operation.size, operation.intent);
        break;
      }
      case "faultIf":
        this.#writer.emit(Opcode.faultIf, this.#at(operation.condition), operation.vector, operation.errorCode);
        break;
      case "checkBranch":
        this.#checkBranch(operation.target);
        break;
      case "setRegister":
        this.#set(this.#register(operation.register), operation.value);
        break;
      case "setFlag":
        this.#flagsTouched();
        this.#writer.emit(Opcode.setFlag, operation.bit, this.#at(operation.value));
        break;
      case "flags":
        this.#flags(operation);
        break;
      default:
        throw new Error(`no lowering for ${operation.op}`);
    }
  }

  #checkBranch(target: number): void {
    if (this.#long) {
      this.#writer.read({ offset: RegisterOffset.cr4, size: 8 });
      this.#writer.emit(Opcode.checkBranchCanonical, this.#at(target), RegisterOffset.cr4 >> 2);
    } else {
      this.#writer.read(segmentLocation(Segment.cs));
      const limit = (RegisterOffset.segments + 16 * Segment.cs + 8) >> 2;
      this.#writer.emit(Opcode.checkBranchLimit, this.#at(target), limit);
    }
  }

  #set(location: RegisterInterval, value: number): void {
    this.#writer.write(location);
    const { offset, size } = location;
    const place = this.#at(value);
    const type = this.#typeOf(value);
    if (size === 8 && type === "i64") this.#writer.emit(Opcode.set64, offset >> 2, place);
    else if (size === 8) this.#writer.emit(Opcode.set32zero, offset >> 2, place);
    else if (size === 4) this.#writer.emit(Opcode.set32, offset >> 2, place);
    else if (size === 2) this.#writer.emit(Opcode.set16, offset >> 1, place);
    else if (size === 1) this.#writer.emit(Opcode.set8, offset, place);
    else if (size === 16 && type === "v128") this.#writer.emit(Opcode.set128, offset >> 2, place);
    else throw new Error(`no write of ${type} to ${size} bytes`);
  }

  #flagsTouched(): void {
    this.#writer.read(RFLAGS_INTERVAL);
    this.#writer.write(RFLAGS_INTERVAL);
  }

  #flags({ kind, type, x, y, r, mask }: Extract<Operation, { readonly op: "flags" }>): void {
    this.#flagsTouched();
    const [px, py, pr] = [this.#at(x), this.#at(y), this.#at(r)];
    const wide = type === "i64";
    switch (kind) {
      case "add":
        if (wide) this.#writer.emit(Opcode.flagsAdd64, px, py, pr, mask);
        else this.#writer.emit(Opcode.flagsAdd32, px, py, pr, signShift(type), mask);
        break;
      case "sub":
        if (wide) this.#writer.emit(Opcode.flagsSub64, px, py, pr, mask);
        else this.#writer.emit(Opcode.flagsSub32, px, py, pr, signShift(type), mask);
        break;
      case "logic":
        if (wide) this.#writer.emit(Opcode.flagsLogic64, pr, mask);
        else this.#writer.emit(Opcode.flagsLogic32, pr, signShift(type), mask);
        break;
      default:
        this.#writer.emit(Opcode.flagsShift, px, py, pr, bitsOf(type), mask, ShiftFlags[kind]);
    }
  }
}

const LOADS: Readonly<Partial<Record<Type, number>>> = {
  i8: Opcode.load8,
  i16: Opcode.load16,
  i32: Opcode.load32,
  i64: Opcode.load64,
  v128: Opcode.load128,
};
const STORES: Readonly<Partial<Record<Type, number>>> = {
  i8: Opcode.store8,
  i16: Opcode.store16,
  i32: Opcode.store32,
  i64: Opcode.store64,
  v128: Opcode.store128,
};

function isStackPointer(register: number): boolean {
  return (register >> 5 === RegisterClass.gpr64 || register >> 5 === RegisterClass.gpr32) && (register & 31) === 4;
}

function widthOf(type: Type): 32 | 64 | 128 {
  return type === "v128" ? 128 : type === "i64" ? 64 : 32;
}

/** Mask of a type of up to 32 bits; all ones for the wider ones. */
function maskOf(type: Type): number {
  const bits = bitsOf(type);
  return bits < 32 ? (1 << bits) - 1 : -1;
}

/** How far left the highest bit of a type of up to 32 bits is from bit 31. */
function signShift(type: Type): number {
  return Math.max(0, 32 - bitsOf(type));
}
