/**
 * The rules of an Ir, checked: what `operation.ts` promises its consumers. The builder refuses most mistakes as they are
 * made; this looks at the finished list, and the tests hold every form to it.
 */
import { canStop, makesValue, usesOf } from "./dataflow.ts";
import { bitsOf, type Ir, type Operation, type Type } from "./operation.ts";

/**
 * What is wrong with an Ir, one line each; empty when all is well.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { irOf, verifyIr } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
 * const ir = irOf(instruction);
 * if (ir === null) throw new Error("ADD has a meaning");
 * verifyIr(ir); // []
 * verifyIr({ ...ir, operations: ir.operations.slice(1) }).length > 0; // true
 * ```
 *
 * @public
 */
export function verifyIr(ir: Ir): string[] {
  const problems: string[] = [];
  const { operations } = ir;
  let writesBegan = -1;
  /** The condition that each value was made in: a path of open `if`s. */
  const regions: string[] = [];
  const open: number[] = [];
  operations.forEach((operation, index) => {
    const complain = (text: string): void => {
      problems.push(`${ir.form.mnemonic}, operation ${index} (${operation.op}): ${text}`);
    };
    for (const use of usesOf(operation)) {
      const made = operations[use];
      if (use >= index || made === undefined || !makesValue(made))
        complain(`uses ${use}, which makes no value before it`);
      else if (!open.join().startsWith(regions[use] as string)) complain(`uses ${use}, made inside another condition`);
    }
    regions[index] = open.join();
    if (operation.op === "if") open.push(index);
    if (operation.op === "endIf" && open.pop() === undefined) complain("closes nothing");
    if (isWrite(operation)) {
      if (writesBegan < 0) writesBegan = index;
      if (open.length > 0) complain("writes inside a condition");
    } else if (canStop(operation) && writesBegan >= 0) {
      complain(`can stop the instruction after the write at ${writesBegan}`);
    }
    for (const text of typeProblems(operation, (value) => typeOf(operations, value))) complain(text);
  });
  if (open.length > 0) problems.push(`${ir.form.mnemonic}: a condition stays open`);
  return problems;
}

const isWrite = (operation: Operation): boolean =>
  operation.op === "setRegister" || operation.op === "setFlag" || operation.op === "flags";

function typeOf(operations: readonly Operation[], value: number): Type | null {
  const operation = operations[value];
  return operation !== undefined && makesValue(operation) ? operation.type : null;
}

function typeProblems(operation: Operation, type: (value: number) => Type | null): string[] {
  const problems: string[] = [];
  const expect = (value: number, wanted: Type, what: string): void => {
    if (type(value) !== wanted) problems.push(`${what} is ${type(value)}, not ${wanted}`);
  };
  switch (operation.op) {
    case "add":
    case "sub":
    case "mul":
    case "and":
    case "or":
    case "xor":
    case "divide":
    case "remainder":
    case "mulHighSigned":
    case "mulHighUnsigned":
      expect(operation.a, operation.type, "a");
      expect(operation.b, operation.type, "b");
      break;
    case "shl":
    case "shr":
    case "sar":
    case "rotl":
    case "rotr":
      expect(operation.a, operation.type, "a");
      expect(operation.count, "i32", "the count");
      break;
    case "eq":
    case "ult":
    case "slt":
      if (type(operation.a) !== type(operation.b)) problems.push("compares different types");
      break;
    case "zext":
    case "sext":
      if (bitsOf(type(operation.a) ?? "v128") >= bitsOf(operation.type)) problems.push("does not widen");
      break;
    case "trunc":
      if (bitsOf(type(operation.a) ?? "i1") <= bitsOf(operation.type)) problems.push("does not narrow");
      break;
    case "select":
      expect(operation.condition, "i1", "the condition");
      expect(operation.a, operation.type, "a");
      expect(operation.b, operation.type, "b");
      break;
    case "load":
    case "store":
    case "probe":
      expect(operation.address, "i64", "the address");
      break;
    case "loadIf":
      expect(operation.address, "i64", "the address");
      expect(operation.condition, "i1", "the condition");
      break;
    case "faultIf":
    case "if":
      expect(operation.condition, "i1", "the condition");
      break;
    case "checkBranch":
      expect(operation.target, "i64", "the target");
      break;
    case "setFlag":
      expect(operation.value, "i1", "the flag");
      break;
    case "setRegister": {
      const bits = bitsOf(type(operation.value) ?? "v128");
      if (bits > operation.register.size * 8) problems.push(`${bits} bits into ${operation.register.size} bytes`);
      break;
    }
    case "flags":
      expect(operation.x, operation.type, "x");
      expect(operation.r, operation.type, "r");
      expect(operation.y, isShift(operation.kind) ? "i32" : operation.type, "y");
      break;
    default:
  }
  return problems;
}

const isShift = (kind: string): boolean => kind !== "add" && kind !== "sub" && kind !== "logic";
