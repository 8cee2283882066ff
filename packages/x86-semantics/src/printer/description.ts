/**
 * The printer: what an instruction does, in lines a person can read. It prints the form's operations with the
 * instruction's registers and immediates put in; a value that is used once stands where it is used.
 */
import type { InstructionFields } from "../evaluator/instruction-fields.ts";
import type { Program } from "../evaluator/program.ts";
import { canStop, makesValue, usesOf } from "../ir/dataflow.ts";
import { formName } from "../ir/instruction-form.ts";
import type {
  EffectOperation,
  Ir,
  Operation,
  RegisterReference,
  SegmentReference,
  ValueOperation,
} from "../ir/operation.ts";
import { Helper } from "../machine/helper.ts";
import { Intent, Vector } from "../machine/machine.ts";
import { flagName, flagNames, intervalName, segmentName } from "./register-names.ts";

const nameIn = (table: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(table).find(([, number]) => number === value)?.[0] ?? String(value);

const INFIX: Readonly<Partial<Record<Operation["op"], string>>> = {
  add: "+",
  sub: "-",
  mul: "*",
  and: "&",
  or: "|",
  xor: "^",
  eq: "==",
  ult: "<",
  slt: "<s",
  divide: "/",
  remainder: "%",
};

/**
 * What a program does, a line for each step: reads and writes of memory and ports, then registers and flags.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { describeProgram, programFor } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
 * const lines = describeProgram(programFor(instruction)).split("\n");
 * lines[0]; // "t0 = load i32 ds:[rdi], to modify"
 * lines.at(-1); // "CF PF AF ZF SF OF = flags of add(t0, ecx) -> t1"
 * ```
 *
 * @public
 */
export function describeProgram(program: Program): string {
  const { ir, unsupported } = program;
  if (ir === null) return `not supported: ${unsupported}`;
  return new Description(ir, program.fields).text();
}

/**
 * What a form does, with "operand 0" and "immediate" where instructions of the form differ.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { describeIr, irOf } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const ir = irOf(instruction);
 * if (ir !== null) console.log(describeIr(ir)); // an operation a line; operands are still fields of the instruction
 * ir?.form.mnemonic; // "mov"
 * ```
 *
 * @public
 */
export function describeIr(ir: Ir): string {
  return `${formName(ir.form)}\n${new Description(ir, null).text()}`;
}

class Description {
  readonly #ir: Ir;
  readonly #fields: InstructionFields | null;
  readonly #uses: number[];
  readonly #texts: string[] = [];
  readonly #lines: string[] = [];
  #temporaries = 0;
  #indent = "";

  constructor(ir: Ir, fields: InstructionFields | null) {
    this.#ir = ir;
    this.#fields = fields;
    this.#uses = ir.operations.map(() => 0);
    for (const operation of ir.operations)
      for (const use of usesOf(operation)) this.#uses[use] = (this.#uses[use] ?? 0) + 1;
  }

  text(): string {
    this.#ir.operations.forEach((operation, index) => {
      if (!makesValue(operation)) {
        this.#effect(operation);
        return;
      }
      const text = this.#value(operation);
      const leaf = usesOf(operation).length === 0 || operation.op === "linearAddress";
      const inline = !canStop(operation) && (leaf || this.#uses[index] === 1);
      if (inline) {
        this.#texts[index] = text;
        return;
      }
      const name = `t${this.#temporaries++}`;
      this.#texts[index] = name;
      this.#line(`${name} = ${text}`);
    });
    const repeats = this.#ir.string === null ? [] : ["(one element; REP repeats it)"];
    return [...(this.#lines.length === 0 ? ["nothing"] : this.#lines), ...repeats].join("\n");
  }

  #line(text: string): void {
    this.#lines.push(this.#indent + text);
  }

  #at(value: number): string {
    return this.#texts[value] ?? "?";
  }

  #register(reference: RegisterReference): string {
    if (reference.from === "fixed") return intervalName(reference);
    if (reference.from === "opmask") return this.#fields === null ? "opmask" : `k${this.#fields.opmask & 31}`;
    const location = this.#fields?.operandRegister(reference.operand) ?? null;
    if (location === null) return `operand ${reference.operand}`;
    return intervalName({ offset: location.offset + reference.delta, size: reference.size });
  }

  #segment(reference: SegmentReference): string {
    if (reference !== "memory") return segmentName(reference);
    return this.#fields === null ? "segment" : segmentName(this.#fields.segment);
  }

  #place(segment: SegmentReference, address: number): string {
    return `${this.#segment(segment)}:[${this.#at(address)}]`;
  }

  #effectiveAddress(stackStep: number): string {
    const fields = this.#fields;
    if (fields === null) return "effective address";
    const { base, index, scale, displacementLow, displacementHigh } = fields;
    const parts: string[] = [];
    if (base !== null) parts.push(intervalName(base));
    if (index !== null) parts.push(scale === 1 ? intervalName(index) : `${intervalName(index)}*${scale}`);
    if (displacementLow !== 0 || displacementHigh !== 0 || parts.length === 0) {
      parts.push(number(displacementLow, displacementHigh));
    }
    if (stackStep !== 0) parts.push(String(stackStep));
    return parts.join(" + ").replaceAll("+ -", "- ");
  }

  #value(operation: ValueOperation): string {
    const infix = INFIX[operation.op];
    if (infix !== undefined && "b" in operation && "a" in operation) {
      return `(${this.#at(operation.a as number)} ${infix} ${this.#at(operation.b as number)})`;
    }
    switch (operation.op) {
      case "const":
        return number(operation.low, operation.type === "i64" ? operation.high : operation.low >> 31);
      case "const128":
        return `0x${[...operation.words]
          .reverse()
          .map((word) => (word >>> 0).toString(16).padStart(8, "0"))
          .join("")}`;
      case "field":
        return this.#field(operation.field);
      case "registerNumber":
        return `number of operand ${operation.operand}`;
      case "register":
        return this.#register(operation.register);
      case "flag":
        return flagName(operation.bit);
      case "effectiveAddress":
        return this.#effectiveAddress(operation.stackStep);
      case "linearAddress":
        return this.#at(operation.offset);
      case "load": {
        const modify = (operation.intent & Intent.modify) === Intent.modify ? ", to modify" : "";
        const locked = (operation.intent & Intent.locked) !== 0 ? ", locked" : "";
        return `load ${operation.type} ${this.#place(operation.segment, operation.address)}${modify}${locked}`;
      }
      case "loadIf": {
        const load = `load ${operation.type} ${this.#place(operation.segment, operation.address)}`;
        return `${this.#at(operation.condition)} ? ${load} : 0`;
      }
      case "in":
        return `in ${operation.type} port ${this.#at(operation.port)}`;
      case "select":
        return `(${this.#at(operation.condition)} ? ${this.#at(operation.a)} : ${this.#at(operation.b)})`;
      case "call": {
        const given = [operation.a, operation.b, operation.c].filter((value) => value !== null);
        return `${nameIn(Helper, operation.helper)}(${given.map((value) => this.#at(value)).join(", ")})`;
      }
      case "shuffle":
        return `shuffle(${this.#at(operation.a)}, ${this.#at(operation.b)}, ${operation.bytes.join(" ")})`;
      case "lane":
        return `${this.#at(operation.a)}.${operation.type}[${operation.lane}]`;
      case "withLane":
        return `${this.#at(operation.a)} with [${operation.lane}] = ${this.#at(operation.value)}`;
      case "zext":
      case "sext":
      case "trunc":
        return `${operation.op} ${operation.type} ${this.#at(operation.a)}`;
      default:
        return `${operation.op}(${usesOf(operation)
          .map((value) => this.#at(value))
          .join(", ")})`;
    }
  }

  #field(field: "immediate" | "immediate2" | "length"): string {
    const fields = this.#fields;
    if (fields === null || field === "length") return field;
    return field === "immediate2" ? number(fields.immediate2, 0) : number(fields.immediateLow, fields.immediateHigh);
  }

  #effect(operation: EffectOperation): void {
    switch (operation.op) {
      case "store":
        this.#line(`store ${this.#place(operation.segment, operation.address)} = ${this.#at(operation.value)}`);
        break;
      case "out":
        this.#line(`out port ${this.#at(operation.port)} = ${this.#at(operation.value)}`);
        break;
      case "probe":
        this.#line(`check ${operation.size} bytes at ${this.#place(operation.segment, operation.address)}`);
        break;
      case "faultIf": {
        const code = operation.errorCode >= 0 ? `(${operation.errorCode})` : "";
        this.#line(`#${nameIn(Vector, operation.vector)}${code} if ${this.#at(operation.condition)}`);
        break;
      }
      case "checkBranch":
        this.#line(`#GP(0) unless execution may go on at ${this.#at(operation.target)}`);
        break;
      case "if":
        this.#line(`if ${this.#at(operation.condition)}:`);
        this.#indent += "  ";
        break;
      case "endIf":
        this.#indent = this.#indent.slice(2);
        break;
      case "setRegister":
        this.#line(`${this.#register(operation.register)} = ${this.#at(operation.value)}`);
        break;
      case "setFlag":
        this.#line(`${flagName(operation.bit)} = ${this.#at(operation.value)}`);
        break;
      case "flags": {
        const [x, y, r] = [this.#at(operation.x), this.#at(operation.y), this.#at(operation.r)];
        this.#line(`${flagNames(operation.mask)} = flags of ${operation.kind}(${x}, ${y}) -> ${r}`);
        break;
      }
    }
  }
}

/** A signed 64-bit number: decimal when small, else hexadecimal. */
function number(low: number, high: number): string {
  if (high === low >> 31 && Math.abs(low) < 1024) return String(low);
  if (high === 0 || high === low >> 31)
    return high < 0 ? `-0x${(-low >>> 0).toString(16)}` : `0x${(low >>> 0).toString(16)}`;
  return `0x${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, "0")}`;
}
