/**
 * The body of one WebAssembly function, written instruction by instruction. The writer keeps the types of the operand
 * stack as the specification's validation does (WebAssembly core specification 2.0, appendix A.3), so an ill-typed
 * instruction throws where it is written, not as a `CompileError` about byte 61234.
 */
import { ByteWriter } from "./byte-writer.ts";
import {
  CONTROL,
  EMPTY_BLOCK,
  LANE,
  type LaneName,
  LOAD,
  type LoadName,
  PLAIN,
  type PlainInstruction,
  type PlainName,
  SIMD_PREFIX,
  STORE,
  type StoreName,
  TYPE_CODE,
  type ValueType,
} from "./instruction-set.ts";

const LATIN1: InstanceType<typeof TextDecoder> = /* @__PURE__ */ new TextDecoder("latin1");

/** The type of a function. One result at most. @public */
export interface FunctionType {
  /** Types of the parameters. */
  readonly parameters: readonly ValueType[];
  /** Type of the result; null for none. */
  readonly result: ValueType | null;
}

/** A function as others call it. @public */
export interface FunctionReference extends FunctionType {
  /** Index in the module, imports counted. */
  readonly index: number;
  /** Name for messages and for profiles. */
  readonly name: string;
}

/** A local variable or parameter. @public */
export interface Local {
  /** Index in the function, parameters counted. */
  readonly index: number;
  /** Its type. */
  readonly type: ValueType;
}

type FreeLocals = Readonly<Record<ValueType, Local[]>>;

/**
 * Locals that a part of a function uses; one function may hold hundreds of such parts.
 *
 * @example
 * ```ts
 * import { LocalScope, ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const { code } = module.function("scratch", { parameters: [], result: null });
 * const scope: LocalScope = code.scope();
 * const first = scope.local("i32");
 * scope.release(); // its locals may be used again
 * code.scope().local("i32").index === first.index; // true
 * ```
 *
 * @public
 */
export class LocalScope {
  readonly #code: Code;
  readonly #free: FreeLocals;
  readonly #taken: Local[] = [];

  /** @internal */
  constructor(code: Code, free: FreeLocals) {
    this.#code = code;
    this.#free = free;
  }

  /** A local of a type, for this part of the function. */
  local(type: ValueType): Local {
    const local = this.#free[type].pop() ?? this.#code.local(type);
    this.#taken.push(local);
    return local;
  }

  /** Lets later parts use the locals of this one. */
  release(): void {
    for (const local of this.#taken) this.#free[local.type].push(local);
    this.#taken.length = 0;
  }
}

/** A place to branch to: an open block, loop or if. @public */
export interface Label {
  /** How many frames were open before it. */
  readonly depth: number;
}

interface Frame extends Label {
  readonly isLoop: boolean;
  readonly result: ValueType | null;
  /** Height of the operand stack at its start. */
  readonly height: number;
  isIf: boolean;
  /** What follows cannot be reached: the stack has any type. */
  unreachable: boolean;
}

/**
 * A function under way. Each method appends one instruction; the module asks for the finished body.
 *
 * @example
 * ```ts
 * import { ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const { code, reference } = module.function("twice", { parameters: ["i32"], result: "i32" });
 * code.get(code.parameter(0));
 * code.get(code.parameter(0));
 * code.op("i32.add");
 * module.export("twice", reference);
 * const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()));
 * (instance.exports.twice as (x: number) => number)(21); // 42
 * ```
 *
 * @public
 */
export class Code {
  /** Name for messages and for profiles. */
  readonly name: string;
  /** Parameters and result. */
  readonly type: FunctionType;
  /** The type of addresses: i32, or i64 where the memory is addressed with 64 bits. */
  readonly addressType: "i32" | "i64";
  /** The parameters, as locals. */
  readonly parameters: readonly Local[];
  readonly #writer: ByteWriter = new ByteWriter(128);
  readonly #stack: ValueType[] = [];
  readonly #frames: Frame[] = [];
  /** The innermost frame; null once the function has ended. */
  #frame: Frame | null;
  readonly #localTypes: ValueType[] = [];
  readonly #free: FreeLocals = { i32: [], i64: [], v128: [] };

  constructor(name: string, type: FunctionType, addressType: "i32" | "i64") {
    this.name = name;
    this.type = type;
    this.addressType = addressType;
    this.parameters = type.parameters.map((parameter, index) => ({ index, type: parameter }));
    this.#frame = { depth: 0, isLoop: false, result: type.result, height: 0, isIf: false, unreachable: false };
    this.#frames.push(this.#frame);
  }

  // ---- the operand stack -----------------------------------------------------------------------------------------

  #fail(what: string): never {
    throw new TypeError(`${this.name}: ${what}`);
  }
  /** local.get. */
  get #open(): Frame {
    return this.#frame ?? this.#fail("written after its end");
  }
  #pop(type: ValueType | null): ValueType | null {
    const stack = this.#stack;
    const frame = this.#open;
    if (stack.length > frame.height) {
      const found = stack.pop() as ValueType;
      if (type !== null && found !== type) this.#fail(`${type} expected, found ${found}`);
      return found;
    }
    if (!frame.unreachable) this.#fail(`${type ?? "a value"} expected, the stack is empty`);
    return type;
  }
  #push(type: ValueType | null): void {
    if (type !== null) this.#stack.push(type);
  }
  #apply({ code, operands, result }: PlainInstruction): void {
    for (let i = operands.length - 1; i >= 0; i--) this.#pop(operands[i] as ValueType);
    this.#push(result);
    this.#code(code);
  }
  #code(code: number): void {
    if (code < 0x100) {
      this.#writer.byte(code);
    } else {
      this.#writer.byte(SIMD_PREFIX);
      this.#writer.unsigned(code - 0x100);
    }
  }
  #cannotGoOn(): void {
    const frame = this.#open;
    this.#stack.length = frame.height;
    frame.unreachable = true;
  }

  // ---- instructions ----------------------------------------------------------------------------------------------

  /** An instruction without immediates. */
  op(name: PlainName): void {
    this.#apply(PLAIN[name]);
  }
  /** An instruction with a lane number. */
  lane(name: LaneName, lane: number): void {
    this.#apply(LANE[name]);
    this.#writer.byte(lane);
  }
  /** i8x16.shuffle: byte i of the result is byte bytes[i] of the two vectors, the first one's being 0 to 15. */
  shuffle(bytes: readonly number[]): void {
    if (bytes.length !== 16 || bytes.some((byte) => !(byte >= 0 && byte < 32))) this.#fail(`shuffle of ${bytes}`);
    this.#pop("v128");
    this.#pop("v128");
    this.#push("v128");
    this.#code(CONTROL.shuffle);
    this.#writer.bytes(bytes);
  }
  /** i32.const. */
  i32(value: number): void {
    this.#push("i32");
    this.#code(CONTROL.i32Const);
    this.#writer.signed32(value);
  }
  /** An i64 constant in two words. */
  i64(low: number, high: number = low >> 31): void {
    this.#push("i64");
    this.#code(CONTROL.i64Const);
    this.#writer.signed64(low, high);
  }
  /** A v128 constant in four words, lowest first. */
  v128(words: readonly [number, number, number, number]): void {
    this.#push("v128");
    this.#code(CONTROL.v128Const);
    for (const word of words) this.#writer.bytes([word, word >> 8, word >> 16, word >> 24]);
  }
  /** A constant of the address type. */
  address(value: number): void {
    if (this.addressType === "i32") this.i32(value);
    else this.i64(value | 0, Math.floor(value / 0x1_0000_0000));
  }
  /** Memory instructions; `offset` is added to the address on the stack. */
  load(name: LoadName, offset = 0): void {
    const { code, value, alignment } = LOAD[name];
    this.#pop(this.addressType);
    this.#push(value);
    this.#code(code);
    this.#writer.unsigned(alignment);
    this.#writer.unsigned(offset);
  }
  /** A store; address and value are on the stack, `offset` in bytes is added to the address. */
  store(name: StoreName, offset = 0): void {
    const { code, value, alignment } = STORE[name];
    this.#pop(value);
    this.#pop(this.addressType);
    this.#code(code);
    this.#writer.unsigned(alignment);
    this.#writer.unsigned(offset);
  }
  /** drop. */
  drop(): void {
    this.#pop(null);
    this.#code(CONTROL.drop);
  }
  /** a, b, condition: a when the condition is not 0. */
  select(): void {
    this.#pop("i32");
    const type = this.#pop(null);
    this.#push(this.#pop(type));
    this.#code(CONTROL.select);
  }
  /** call; the arguments are on the stack. */
  call(callee: FunctionReference): void {
    this.#consume(callee);
    this.#code(CONTROL.call);
    this.#writer.unsigned(callee.index);
  }
  /** Calls what stands in table 0 at the index on the stack. `typeIndex` is the module's number of `type`. */
  callIndirect(type: FunctionType, typeIndex: number): void {
    this.#pop("i32");
    this.#consume(type);
    this.#code(CONTROL.callIndirect);
    this.#writer.unsigned(typeIndex);
    this.#writer.unsigned(0);
  }
  #consume({ parameters, result }: FunctionType): void {
    for (let i = parameters.length - 1; i >= 0; i--) this.#pop(parameters[i] as ValueType);
    this.#push(result);
  }

  // ---- locals ----------------------------------------------------------------------------------------------------

  /** A new local variable; 0 at first. */
  local(type: ValueType): Local {
    const local = { index: this.parameters.length + this.#localTypes.length, type };
    this.#localTypes.push(type);
    return local;
  }
  /** Locals for a while: what a scope took is free for others once it is released. They hold anything at first. */
  scope(): LocalScope {
    return new LocalScope(this, this.#free);
  }
  /** The parameter at an index from 0. */
  parameter(index: number): Local {
    return this.parameters[index] ?? this.#fail(`no parameter ${index}`);
  }
  /** local.get. */
  get(local: Local): void {
    this.#push(local.type);
    this.#code(CONTROL.localGet);
    this.#writer.unsigned(local.index);
  }
  /** local.set. */
  set(local: Local): void {
    this.#pop(local.type);
    this.#code(CONTROL.localSet);
    this.#writer.unsigned(local.index);
  }
  /** Sets and keeps the value on the stack. */
  tee(local: Local): void {
    this.#pop(local.type);
    this.#push(local.type);
    this.#code(CONTROL.localTee);
    this.#writer.unsigned(local.index);
  }

  // ---- control ---------------------------------------------------------------------------------------------------

  #openFrame(code: number, isLoop: boolean, isIf: boolean, result: ValueType | null): Label {
    this.#code(code);
    this.#writer.byte(result === null ? EMPTY_BLOCK : TYPE_CODE[result]);
    const frame: Frame = {
      depth: this.#frames.length,
      isLoop,
      result,
      height: this.#stack.length,
      isIf,
      unreachable: false,
    };
    this.#frames.push(frame);
    this.#frame = frame;
    return frame;
  }
  /** Opens a block; a branch to its label goes to its end. */
  block(result: ValueType | null = null): Label {
    return this.#openFrame(CONTROL.block, false, false, result);
  }
  /** Opens a loop; a branch to its label goes to its start. */
  loop(): Label {
    return this.#openFrame(CONTROL.loop, true, false, null);
  }
  /** Opens what happens only when the i32 on the stack is not 0. */
  if(result: ValueType | null = null): Label {
    this.#pop("i32");
    return this.#openFrame(CONTROL.if, false, true, result);
  }
  /** else of the innermost if. */
  else(): void {
    const frame = this.#open;
    if (!frame.isIf) this.#fail("else without if");
    this.#close(frame);
    frame.isIf = false;
    frame.unreachable = false;
    this.#code(CONTROL.else);
  }
  /** Closes the innermost block, loop or if. */
  end(): void {
    const frame = this.#open;
    if (frame.isIf && frame.result !== null) this.#fail("an if with a result needs an else");
    this.#close(frame);
    this.#frames.pop();
    this.#frame = this.#frames.at(-1) ?? null;
    if (this.#frame !== null) this.#push(frame.result);
    this.#code(CONTROL.end);
  }
  #close(frame: Frame): void {
    if (frame.result !== null) this.#pop(frame.result);
    if (this.#stack.length !== frame.height) this.#fail(`${this.#stack.length - frame.height} values left over`);
  }
  #branchDepth(label: Label): number {
    if (this.#frames[label.depth] !== label) this.#fail("a branch to a closed block");
    return this.#frames.length - 1 - label.depth;
  }
  #branchResult(label: Label): ValueType | null {
    const frame = label as Frame;
    return frame.isLoop ? null : frame.result;
  }
  /** br: to the end of a block, or to the beginning of a loop. */
  branch(label: Label): void {
    const depth = this.#branchDepth(label);
    const result = this.#branchResult(label);
    if (result !== null) this.#pop(result);
    this.#code(CONTROL.branch);
    this.#writer.unsigned(depth);
    this.#cannotGoOn();
  }
  /** Branches when the i32 on the stack is not 0. */
  branchIf(label: Label): void {
    this.#pop("i32");
    const depth = this.#branchDepth(label);
    const result = this.#branchResult(label);
    if (result !== null) this.#push(this.#pop(result));
    this.#code(CONTROL.branchIf);
    this.#writer.unsigned(depth);
  }
  /** Branches to label number i of the list for an i32 i on the stack, else to the last one. Labels without results. */
  branchTable(labels: readonly Label[], otherwise: Label): void {
    this.#pop("i32");
    this.#code(CONTROL.branchTable);
    this.#writer.unsigned(labels.length);
    for (const label of [...labels, otherwise]) {
      if (this.#branchResult(label) !== null) this.#fail("a branch table to a block with a result");
      this.#writer.unsigned(this.#branchDepth(label));
    }
    this.#cannotGoOn();
  }
  /** return; the result, where there is one, is on the stack. */
  return(): void {
    if (this.type.result !== null) this.#pop(this.type.result);
    this.#code(CONTROL.return);
    this.#cannotGoOn();
  }
  /** unreachable: traps. */
  unreachable(): void {
    this.#code(CONTROL.unreachable);
    this.#cannotGoOn();
  }

  // ---- the result ------------------------------------------------------------------------------------------------

  #end(): void {
    if (this.#frames.length === 1) this.end();
    if (this.#frames.length !== 0) this.#fail(`${this.#frames.length - 1} blocks are open`);
  }

  /** A text that functions with the same locals and instructions share, and no others. Ends the function. */
  key(): string {
    this.#end();
    // That encoding gives every byte a character of its own.
    return `${this.#localTypes.join()}:${LATIN1.decode(this.#writer.view())}`;
  }

  /** Writes the body as the code section holds it: size, runs of locals, instructions. Ends the function. */
  writeTo(section: ByteWriter): void {
    this.#end();
    const locals = new ByteWriter(16);
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#localTypes) {
      const run = runs.at(-1);
      if (run?.type === type) run.count++;
      else runs.push({ type, count: 1 });
    }
    locals.unsigned(runs.length);
    for (const { type, count } of runs) {
      locals.unsigned(count);
      locals.byte(TYPE_CODE[type]);
    }
    section.unsigned(locals.length + this.#writer.length);
    section.append(locals);
    section.append(this.#writer);
  }
}
