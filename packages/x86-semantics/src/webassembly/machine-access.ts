/**
 * How compiled code reaches the machine: memory, ports, helpers, exceptions. Each is a call of an import that answers
 * a status (`Abort`), never an exception: a status costs 10 ns, a throw a microsecond. Addresses and values cross the
 * border as two i32, because an i64 becomes a `bigint` in JavaScript; results come back in `Machine.data`.
 *
 * {@link MachineAccess.load} and {@link MachineAccess.store} are the only places that touch guest memory. An inline
 * look-up in a translation cache is a subclass that overrides the two and falls back on them when it finds nothing.
 */
import type { IntegerType } from "../ir/operation.ts";
import type { Machine } from "../machine/machine.ts";
import type { StateBase } from "./field-source.ts";
import type { Code, FunctionReference, FunctionType, Local, LocalScope } from "./module/code.ts";
import type { LoadName, StoreName } from "./module/instruction-set.ts";
import type { ModuleWriter } from "./module/module.ts";
import { StateOffset } from "./state-layout.ts";

/** Name of the module that all imports belong to. @public */
export const IMPORT_MODULE = "machine";
/** Name of the imported memory. @public */
export const IMPORT_MEMORY = "memory";

const i32s = (count: number): FunctionType => ({ parameters: new Array(count).fill("i32"), result: "i32" });
const IMPORTS = {
  /** segment, low, high, size, intent */
  load: i32s(5),
  /** segment, low, high, size, value low, value high, intent */
  store: i32s(7),
  /** segment, low, high, intent; the value is in `data` */
  store128: i32s(4),
  /** segment, low, high, size, intent */
  probe: i32s(5),
  /** port, size */
  in: i32s(2),
  /** port, size, value */
  out: i32s(3),
  /** vector, error code */
  raise: i32s(2),
  /** helper, a low, a high, b low, b high */
  helper: i32s(5),
} as const;
/** Names of the imported functions, which are those of the methods of `Machine`. @public */
export type ImportName = keyof typeof IMPORTS;
/** All of them. @public */
export const IMPORT_NAMES: readonly ImportName[] = Object.keys(IMPORTS) as ImportName[];

/** The imported functions of one module. @public */
export type MachineImports = Readonly<Record<ImportName, FunctionReference>>;

/**
 * Declares the imports in a module, before its first function.
 *
 * @example
 * ```ts
 * import { IMPORT_NAMES, importMachine, ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * imports.load.name; // "load"
 * WebAssembly.Module.imports(new WebAssembly.Module(module.finish())).length === IMPORT_NAMES.length; // true
 * ```
 *
 * @public
 */
export function importMachine(module: ModuleWriter): MachineImports {
  const entries = IMPORT_NAMES.map((name) => [name, module.importFunction(IMPORT_MODULE, name, IMPORTS[name])]);
  return Object.fromEntries(entries) as MachineImports;
}

/**
 * A machine's methods as the imported functions: what an instance of a module with {@link importMachine} is given.
 *
 * @param machine - its methods are called, so a class may keep its state private
 *
 * @example
 * ```ts
 * import { Abort, FlatMachine, IMPORT_MODULE, importMachine, machineFunctions, ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * const { code, reference } = module.function("input", { parameters: [], result: "i32" });
 * code.i32(0x60);
 * code.i32(1);
 * code.call(imports.in);
 * module.export("input", reference);
 * const machine = machineFunctions(new FlatMachine(new Uint8Array(0)));
 * const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { [IMPORT_MODULE]: machine });
 * (instance.exports.input as () => number)() === Abort.none; // true
 * ```
 *
 * @public
 */
export function machineFunctions(machine: Machine): Record<ImportName, (...values: number[]) => number> {
  return {
    load: (segment, low, high, size, intent) => machine.load(segment, low, high, size, intent),
    store: (segment, low, high, size, valueLow, valueHigh, intent) =>
      machine.store(segment, low, high, size, valueLow, valueHigh, intent),
    store128: (segment, low, high, intent) => machine.store128(segment, low, high, intent),
    probe: (segment, low, high, size, intent) => machine.probe(segment, low, high, size, intent),
    in: (port, size) => machine.in(port, size),
    out: (port, size, value) => machine.out(port, size, value),
    raise: (vector, errorCode) => machine.raise(vector, errorCode),
    helper: (id, aLow, aHigh, bLow, bHigh) => machine.helper(id, aLow, aHigh, bLow, bHigh),
  };
}

type MemoryType = IntegerType | "v128";
const SIZES: Readonly<Record<MemoryType, number>> = { i8: 1, i16: 2, i32: 4, i64: 8, v128: 16 };
const DATA_LOAD: Readonly<Record<MemoryType, LoadName>> = {
  i8: "i32.load8_u",
  i16: "i32.load16_u",
  i32: "i32.load",
  i64: "i64.load",
  v128: "v128.load",
};

/** Pushes a value on the operand stack. @public */
export type Push = () => void;

/**
 * Emits accesses into one function. {@link EmitterTarget} takes a subclass of it.
 *
 * @example
 * ```ts
 * import { IMPORT_MEMORY, IMPORT_MODULE, importMachine, MachineAccess, ModuleWriter, StateBase } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const imports = importMachine(module);
 * module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, { minimum: 1, maximum: null, shared: false });
 * const { code, reference } = module.function("input", { parameters: [], result: "i32" });
 * const access = new MachineAccess(code, code.scope(), new StateBase(0), imports, () => code.return());
 * const value = code.local("i32");
 * access.in("i8", () => code.i32(0x60), value); // leaves with the Abort that the machine answers, if it is not 0
 * code.get(value);
 * module.export("input", reference);
 * WebAssembly.validate(module.finish()); // true
 * ```
 *
 * @public
 */
export class MachineAccess {
  /** The function that accesses are emitted into. */
  protected readonly code: Code;
  /** Locals for them. */
  protected readonly scope: LocalScope;
  /** Where the processor's state lies. */
  protected readonly state: StateBase;
  readonly #imports: MachineImports;
  /** Emits what leaves the instruction; a status other than 0 is on the stack. Control does not come back. */
  readonly #leave: () => void;
  #status: Local | null = null;

  constructor(code: Code, scope: LocalScope, state: StateBase, imports: MachineImports, leave: () => void) {
    this.code = code;
    this.scope = scope;
    this.state = state;
    this.#imports = imports;
    this.#leave = leave;
  }

  /** Leaves the instruction when the status on the stack is not 0. */
  #check(): void {
    const code = this.code;
    this.#status ??= this.scope.local("i32");
    code.tee(this.#status);
    code.if();
    code.get(this.#status);
    this.#leave();
    code.end();
  }

  #words(value: Local): void {
    const code = this.code;
    code.get(value);
    code.op("i32.wrap_i64");
    code.get(value);
    code.i64(32);
    code.op("i64.shr_u");
    code.op("i32.wrap_i64");
  }

  #loadData(name: LoadName, offset = 0): void {
    this.code.load(name, this.state.at(this.code, StateOffset.data + offset));
  }

  #storeData(name: StoreName, offset: number, value: Push): void {
    const at = this.state.at(this.code, StateOffset.data + offset);
    value();
    this.code.store(name, at);
  }

  /** Reads guest memory at a linear address (i64) and sets `result`. */
  load(type: MemoryType, segment: Push, address: Local, intent: number, result: Local): void {
    const code = this.code;
    segment();
    this.#words(address);
    code.i32(SIZES[type]);
    code.i32(intent);
    code.call(this.#imports.load);
    this.#check();
    this.#loadData(DATA_LOAD[type]);
    code.set(result);
  }

  /** Writes guest memory. */
  store(type: MemoryType, segment: Push, address: Local, value: Local, intent: number): void {
    const code = this.code;
    if (type === "v128") this.#storeData("v128.store", 0, () => code.get(value));
    segment();
    this.#words(address);
    if (type === "v128") {
      code.i32(intent);
      code.call(this.#imports.store128);
    } else {
      code.i32(SIZES[type]);
      if (type === "i64") {
        this.#words(value);
      } else {
        code.get(value);
        code.i32(0);
      }
      code.i32(intent);
      code.call(this.#imports.store);
    }
    this.#check();
  }

  /** Makes all checks of an access of `size` bytes without making it. */
  probe(segment: Push, address: Local, size: number, intent: number): void {
    const code = this.code;
    segment();
    this.#words(address);
    code.i32(size);
    code.i32(intent);
    code.call(this.#imports.probe);
    this.#check();
  }

  /** Reads a port into a local. */
  in(type: "i8" | "i16" | "i32", port: Push, result: Local): void {
    port();
    this.code.i32(SIZES[type]);
    this.code.call(this.#imports.in);
    this.#check();
    this.#loadData(DATA_LOAD[type]);
    this.code.set(result);
  }

  /** Writes a port. */
  out(type: "i8" | "i16" | "i32", port: Push, value: Push): void {
    port();
    this.code.i32(SIZES[type]);
    value();
    this.code.call(this.#imports.out);
    this.#check();
  }

  /** Raises an exception and leaves when the i32 on the stack is not 0. */
  raiseIf(vector: number, errorCode: number): void {
    const code = this.code;
    code.if();
    code.i32(vector);
    code.i32(errorCode);
    code.call(this.#imports.raise);
    this.#leave();
    code.end();
  }

  /**
   * Calls a helper. a and b are i64 locals or absent (zero); `putSecond` writes words 2 and 3 of the data before the
   * call; `first` and `second` (i64), where asked for, receive words 0, 1 and 2, 3 after it.
   */
  helper(
    helper: number,
    a: Local | null,
    b: Local | null,
    second: readonly { readonly name: StoreName; readonly word: number; readonly value: Push }[],
    results: { readonly first: Local | null; readonly second: Local | null },
  ): void {
    const code = this.code;
    for (const { name, word, value } of second) this.#storeData(name, 4 * word, value);
    code.i32(helper);
    for (const argument of [a, b]) {
      if (argument === null) {
        code.i32(0);
        code.i32(0);
      } else {
        this.#words(argument);
      }
    }
    code.call(this.#imports.helper);
    this.#check();
    for (const [local, offset] of [
      [results.first, 0],
      [results.second, 8],
    ] as const) {
      if (local === null) continue;
      this.#loadData("i64.load", offset);
      code.set(local);
    }
  }
}
