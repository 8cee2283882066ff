/**
 * The emitter: one Ir to WebAssembly instructions inside a function that somebody else opened. Narrow integers live in
 * i32 with zeros above their width, i64 and v128 in locals of their own type. Nothing is decided here about where an
 * instruction's fields come from (`field-source.ts`), how memory is reached (`machine-access.ts`), or what follows
 * the instruction: handlers and compiled regions use the same emitter.
 */
import { makesValue } from "../ir/dataflow.ts";
import { STATUS_FLAGS } from "../ir/flag.ts";
import type { OperandShape } from "../ir/form.ts";
import { formName } from "../ir/instruction-form.ts";
import type {
  EffectOperation,
  IntegerType,
  Ir,
  Operation,
  RegisterReference,
  SegmentReference,
  Type,
  ValueOperation,
} from "../ir/operation.ts";
import { Vector } from "../machine/machine.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import type { FieldSource, StateBase } from "./field-source.ts";
import { FlagWrites } from "./flag-writes.ts";
import { MachineAccess, type MachineImports } from "./machine-access.ts";
import type { Code, Local, LocalScope } from "./module/code.ts";
import type { LoadName, StoreName } from "./module/instruction-set.ts";
import { isOperator, maskOf, OperatorCode, valueTypeOf } from "./operator-code.ts";
import { IMPLICIT_SEGMENT_OPERAND, OPMASK_OPERAND, RECORD_OPERANDS } from "./record.ts";
import type { Routines } from "./routines.ts";
import { planValues, type ValuePlan, wantedFlags } from "./value-plan.ts";

/** Where the code of an instruction goes and what it may use. @public */
export interface EmitterTarget {
  /** The function that the instruction is emitted into. */
  readonly code: Code;
  /** Where the processor's state lies. */
  readonly state: StateBase;
  /** Where the fields of the instruction come from. */
  readonly fields: FieldSource;
  /** The functions of the machine. */
  readonly imports: MachineImports;
  /** Functions of the module that instructions share. */
  readonly routines: Routines;
  /** Emits what leaves the instruction with the status (i32, not 0) on the stack; control does not come back. */
  readonly leave: () => void;
  /** Makes the accesses of one instruction; by default calls of the imports alone. */
  readonly access?: (...parts: ConstructorParameters<typeof MachineAccess>) => MachineAccess;
  /** Status flags that are read after the instruction (bits of RFLAGS); all by default. Others may keep old values. */
  readonly wantedFlags?: number;
}

/**
 * Emits the instruction. The code falls through when the instruction is done, with the operand stack as it was.
 *
 * @throws Error that names the operation, when there is one that the compiler does not know or that is ill-typed.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, emitInstruction, IMPORT_MEMORY, IMPORT_MODULE, importMachine, irOf, KnownFields, ModuleWriter, Routines, StateBase } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
 * const ir = irOf(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
 * const { code, reference } = module.function("load", { parameters: [], result: "i32" });
 * const state = new StateBase(0);
 * const fields = new KnownFields(state, instruction);
 * emitInstruction(ir, { code, state, fields, imports, routines: new Routines(module), leave: () => code.return() });
 * code.i32(Abort.none);
 * module.export("load", reference);
 * WebAssembly.validate(module.finish()); // true
 * ```
 *
 * @public
 */
export function emitInstruction(ir: Ir, target: EmitterTarget): void {
  new InstructionEmitter(ir, target).emit();
}

const CR4_LA57 = 0x1000;
const RFLAGS: number = RegisterOffset.rflags;
const MEMORY_SHAPES: ReadonlySet<OperandShape> = new Set(["memory", "stringSource", "maskDestination"]);

type MemoryType = IntegerType | "v128";
const REGISTER_LOAD: Readonly<Record<MemoryType, LoadName>> = {
  i8: "i32.load8_u",
  i16: "i32.load16_u",
  i32: "i32.load",
  i64: "i64.load",
  v128: "v128.load",
};
const NARROW_STORE: Readonly<Record<number, StoreName>> = { 1: "i32.store8", 2: "i32.store16", 4: "i32.store" };
class InstructionEmitter {
  readonly #ir: Ir;
  readonly #target: EmitterTarget;
  readonly #code: Code;
  readonly #scope: LocalScope;
  readonly #access: MachineAccess;
  readonly #operators: OperatorCode;
  readonly #flags: FlagWrites;
  readonly #plan: ValuePlan;
  readonly #wanted: number;
  readonly #locals: (Local | undefined)[] = [];

  constructor(ir: Ir, target: EmitterTarget) {
    this.#ir = ir;
    this.#target = target;
    this.#code = target.code;
    this.#wanted = target.wantedFlags ?? STATUS_FLAGS;
    this.#scope = target.code.scope();
    const { code, state, imports, leave, access } = target;
    this.#access =
      access?.(code, this.#scope, state, imports, leave) ?? new MachineAccess(code, this.#scope, state, imports, leave);
    this.#flags = new FlagWrites(code, this.#scope, state);
    this.#operators = new OperatorCode(code, target.routines, {
      push: (index) => this.#push(index),
      typeOf: (index) => this.#typeOf(index),
      fail: (op, why) => this.#fail(op, why),
    });
    this.#plan = planValues(ir.operations, this.#wanted);
  }

  emit(): void {
    const { operations } = this.#ir;
    for (let i = 0; i < operations.length; i++) {
      if (this.#plan.needed[i] === 0) continue;
      const operation = operations[i] as Operation;
      if (!makesValue(operation)) {
        this.#effect(operation, i);
      } else if (this.#plan.atUse[i] === 0) {
        this.#define(operation, i);
      }
    }
    this.#flags.store();
    this.#scope.release();
  }

  #fail(operation: Operation | string, why: string): never {
    const what = typeof operation === "string" ? operation : operation.op;
    throw new Error(`${formName(this.#ir.form)}: ${what}: ${why}`);
  }

  #operation(index: number): ValueOperation {
    const operation = this.#ir.operations[index];
    if (operation === undefined || !makesValue(operation)) {
      throw new Error(`${formName(this.#ir.form)}: operation ${index} makes no value`);
    }
    return operation;
  }

  #typeOf(index: number): Type {
    return this.#operation(index).type;
  }

  // ---- values in places ------------------------------------------------------------------------------------------

  /** Computes a value at its own place: into a local. */
  #define(operation: ValueOperation, index: number): void {
    const { op, type } = operation;
    // A constant costs no more at each use than a local.
    if (op === "const" || op === "const128" || op === "callSecond") return;
    const local = this.#scope.local(valueTypeOf(type));
    this.#locals[index] = local;
    switch (op) {
      case "load":
        this.#access.load(
          operation.type,
          this.#segment(operation.segment),
          this.#local(operation.address),
          operation.intent,
          local,
        );
        return;
      case "loadIf":
        this.#loadIf(operation, local);
        return;
      case "in":
        this.#access.in(operation.type, () => this.#push(operation.port), local);
        return;
      case "call":
        this.#call(operation, index, local);
        return;
      default:
        this.#compute(operation);
        this.#code.set(local);
    }
  }

  #loadIf(operation: Extract<ValueOperation, { readonly op: "loadIf" }>, local: Local): void {
    const code = this.#code;
    const { type } = operation;
    const address = this.#local(operation.address);
    if (type === "v128") code.v128([0, 0, 0, 0]);
    else if (type === "i64") code.i64(0);
    else code.i32(0);
    code.set(local);
    this.#push(operation.condition);
    code.if();
    this.#access.load(type, this.#segment(operation.segment), address, operation.intent, local);
    code.end();
  }

  /** The local that holds a value. */
  #local(index: number): Local {
    const known = this.#locals[index];
    if (known !== undefined) return known;
    const operation = this.#operation(index);
    if (operation.op !== "const" && operation.op !== "const128") this.#fail(operation, "used before it is made");
    const local = this.#scope.local(valueTypeOf(operation.type));
    this.#compute(operation);
    this.#code.set(local);
    return local;
  }

  /** Pushes a value. */
  #push(index: number): void {
    const local = this.#locals[index];
    if (local !== undefined) this.#code.get(local);
    else this.#compute(this.#operation(index));
  }

  // ---- computing values ------------------------------------------------------------------------------------------

  #compute(operation: ValueOperation): void {
    if (isOperator(operation)) {
      this.#operators.push(operation);
      return;
    }
    const code = this.#code;
    const { type } = operation;
    switch (operation.op) {
      case "const":
        if (type === "i64") code.i64(operation.low, operation.high);
        else code.i32(operation.low & maskOf(type));
        return;
      case "const128":
        code.v128(operation.words);
        return;
      case "field":
        this.#field(operation.field, operation.type);
        return;
      case "registerNumber":
        this.#registerNumber(operation.operand);
        return;
      case "register":
        if (type === "i1") this.#fail(operation, "a register holds no i1");
        code.load(REGISTER_LOAD[type], this.#register(operation.register));
        return;
      case "flag":
        this.#flags.load();
        if (operation.bit > 0) {
          code.i32(operation.bit);
          code.op("i32.shr_u");
        }
        code.i32(1);
        code.op("i32.and");
        return;
      case "effectiveAddress":
        this.#target.fields.effectiveAddress(code, this.#ir.form.addressSize, operation.stackStep);
        return;
      case "linearAddress":
        this.#linearAddress(operation.segment, operation.offset);
        return;
      case "load":
      case "loadIf":
      case "in":
      case "call":
      case "callSecond":
        this.#fail(operation, "used before it is made");
        return;
      default:
        this.#unknown(operation);
        return;
    }
  }

  /** The Ir has an operation that this compiler does not know: the type checker says so first, this does at run time. */
  #unknown(operation: never): never {
    return this.#fail(operation as Operation, "the compiler to WebAssembly has no such operation");
  }

  // ---- fields, registers, addresses ------------------------------------------------------------------------------

  #field(field: "immediate" | "immediate2" | "length", type: IntegerType): void {
    const { fields } = this.#target;
    if (field !== "length") {
      fields[field](this.#code, type);
      return;
    }
    fields.length(this.#code);
    if (type === "i64") this.#code.op("i64.extend_i32_u");
  }

  #registerNumber(operand: number): void {
    const shape = this.#ir.form.operands[operand]?.shape;
    // Other registers have a place in the state, and the record has only that.
    if (shape !== "segment" && shape !== "control" && shape !== "debug") {
      this.#fail("registerNumber", `of an operand that is ${shape}`);
    }
    this.#target.fields.registerNumber(this.#code, operand, shape === "segment");
  }

  /** Pushes an address; the register is at it plus the answer. */
  #register(reference: RegisterReference): number {
    const { fields, state } = this.#target;
    if (reference.from === "fixed") return state.at(this.#code, reference.offset);
    if (reference.from === "opmask") return fields.operandRegister(this.#code, OPMASK_OPERAND);
    if (reference.operand >= RECORD_OPERANDS) this.#fail("register", `of operand ${reference.operand}`);
    return fields.operandRegister(this.#code, reference.operand) + reference.delta;
  }

  #segment(reference: SegmentReference): () => void {
    return () => {
      if (reference === "memory") this.#target.fields.segment(this.#code);
      else this.#code.i32(reference);
    };
  }

  #linearAddress(segment: SegmentReference, offset: number): void {
    const code = this.#code;
    const { long } = this.#ir.form;
    this.#push(offset);
    const base = this.#segmentBase(segment);
    if (base !== null) {
      code.load("i64.load", base);
      code.op("i64.add");
    }
    if (!long) {
      // Modulo 2^32.
      code.i64(-1, 0);
      code.op("i64.and");
    }
  }

  #segmentBase(segment: SegmentReference): number | null {
    if (segment === "memory") {
      const operand = this.#ir.form.operands.findIndex(({ shape }) => MEMORY_SHAPES.has(shape));
      if (operand >= RECORD_OPERANDS) this.#fail("linearAddress", `memory is operand ${operand}`);
      return this.#target.fields.segmentBase(this.#code, operand < 0 ? IMPLICIT_SEGMENT_OPERAND : operand);
    }
    if (this.#ir.form.long && segment !== Segment.fs && segment !== Segment.gs) return null;
    return this.#target.state.at(this.#code, RegisterOffset.segments + 16 * segment);
  }

  // ---- calls -----------------------------------------------------------------------------------------------------

  #call(operation: Extract<ValueOperation, { readonly op: "call" }>, index: number, local: Local): void {
    const code = this.#code;
    const { form, operations } = this.#ir;
    const { a, b, c } = operation;
    const second =
      c === null
        ? ([
            { name: "i32.store", word: 2, value: () => code.i32(form.operandSize) },
            { name: "i32.store", word: 3, value: () => this.#target.fields.length(code) },
          ] as const)
        : ([{ name: "i64.store", word: 2, value: () => this.#push(c) }] as const);
    let secondResult: Local | null = null;
    operations.forEach((other, i) => {
      if (other.op !== "callSecond" || other.call !== index || this.#plan.needed[i] === 0) return;
      secondResult ??= this.#scope.local("i64");
      this.#locals[i] = secondResult;
    });
    this.#access.helper(
      operation.helper,
      a === null ? null : this.#local(a),
      b === null ? null : this.#local(b),
      second,
      { first: local, second: secondResult },
    );
  }

  // ---- effects ---------------------------------------------------------------------------------------------------

  #effect(operation: EffectOperation, index: number): void {
    const code = this.#code;
    switch (operation.op) {
      case "store": {
        const type = this.#typeOf(operation.value);
        if (type === "i1") this.#fail(operation, "of i1");
        const [address, value] = [this.#local(operation.address), this.#local(operation.value)];
        this.#access.store(type, this.#segment(operation.segment), address, value, operation.intent);
        return;
      }
      case "out": {
        const type = this.#typeOf(operation.value);
        if (type !== "i8" && type !== "i16" && type !== "i32") this.#fail(operation, `of ${type}`);
        this.#access.out(
          type,
          () => this.#push(operation.port),
          () => this.#push(operation.value),
        );
        return;
      }
      case "probe":
        this.#access.probe(
          this.#segment(operation.segment),
          this.#local(operation.address),
          operation.size,
          operation.intent,
        );
        return;
      case "faultIf":
        this.#push(operation.condition);
        this.#access.raiseIf(operation.vector, operation.errorCode);
        return;
      case "checkBranch":
        this.#checkBranch(this.#local(operation.target));
        this.#access.raiseIf(Vector.GP, 0);
        return;
      case "if":
        this.#push(operation.condition);
        code.if();
        return;
      case "endIf":
        code.end();
        return;
      case "setRegister":
        this.#setRegister(operation);
        return;
      case "setFlag":
        this.#setFlags(index);
        return;
      case "flags":
        this.#setGroup(operation);
        return;
      default:
        this.#unknown(operation);
        return;
    }
  }

  /** Pushes 1 when the target is no place to go on. */
  #checkBranch(target: Local): void {
    const code = this.#code;
    const { state } = this.#target;
    if (!this.#ir.form.long) {
      code.get(target);
      code.load("i64.load32_u", state.at(code, RegisterOffset.segments + 16 * Segment.cs + 8));
      code.op("i64.gt_u");
      return;
    }
    const shift = this.#scope.local("i64");
    code.i64(7);
    code.i64(16);
    code.load("i32.load", state.at(code, RegisterOffset.cr4));
    code.i32(CR4_LA57);
    code.op("i32.and");
    code.select();
    code.set(shift);
    code.get(target);
    code.get(shift);
    code.op("i64.shl");
    code.get(shift);
    code.op("i64.shr_s");
    code.get(target);
    code.op("i64.ne");
  }

  #setRegister({ register, value }: Extract<EffectOperation, { readonly op: "setRegister" }>): void {
    const code = this.#code;
    if (register.from === "fixed" && register.offset < RFLAGS + 8 && register.offset + register.size > RFLAGS) {
      this.#flags.store();
    }
    const type = this.#typeOf(value);
    const { size } = register;
    const at = this.#register(register);
    this.#push(value);
    if (type === "v128") {
      code.store("v128.store", at);
      this.#clearRegister(register, 16);
      return;
    }
    if (size < 8) {
      const name = NARROW_STORE[size];
      if (name === undefined) this.#fail("setRegister", `of ${size} bytes`);
      if (type === "i64") code.op("i32.wrap_i64");
      code.store(name, at);
      return;
    }
    if (type !== "i64") code.op("i64.extend_i32_u");
    code.store("i64.store", at);
    this.#clearRegister(register, 8);
  }

  /** Writes zeros to a register from byte `from` of it. */
  #clearRegister(register: RegisterReference, from: number): void {
    const code = this.#code;
    for (let byte = from; byte < register.size; ) {
      const at = this.#register(register) + byte;
      if (byte % 16 === 0 && register.size - byte >= 16) {
        code.v128([0, 0, 0, 0]);
        code.store("v128.store", at);
        byte += 16;
      } else {
        code.i64(0);
        code.store("i64.store", at);
        byte += 8;
      }
    }
  }

  // ---- flags -----------------------------------------------------------------------------------------------------

  /** Writes the run of single flags that starts at operation `index`, all at once. */
  #setFlags(index: number): void {
    const { operations } = this.#ir;
    const { needed } = this.#plan;
    const run = new Map<number, number>();
    for (let i = index; i < operations.length; i++) {
      const operation = operations[i] as Operation;
      if (operation.op !== "setFlag" || run.has(operation.bit)) break;
      if (i > index && needed[i] === 0) continue;
      needed[i] = 0;
      run.set(operation.bit, operation.value);
    }
    this.#flags.setBits(run, (value) => this.#push(value));
  }

  #setGroup(operation: Extract<EffectOperation, { readonly op: "flags" }>): void {
    const { kind, type } = operation;
    const [x, y, r] = [this.#local(operation.x), this.#local(operation.y), this.#local(operation.r)];
    this.#flags.setGroup({ kind, type, x, y, r }, wantedFlags(operation, this.#wanted));
  }
}
