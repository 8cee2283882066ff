/**
 * A WebAssembly module, put together from types, imports, functions, a table, exports and data, and written in the
 * binary format (WebAssembly core specification 2.0, chapter 5.5). It knows nothing of x86.
 */
import { ByteWriter } from "./byte-writer.ts";
import { Code, type FunctionReference, type FunctionType } from "./code.ts";
import { TYPE_CODE } from "./instruction-set.ts";

const Section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
} as const;
const External = { function: 0, table: 1, memory: 2 } as const;
const FUNCTION_TYPE = 0x60;
const FUNCREF = 0x70;
/** Flags of limits: a maximum is present; the memory is shared; addresses have 64 bits. */
const LIMITS_MAXIMUM = 1;
const LIMITS_SHARED = 2;
const LIMITS_64 = 4;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const END = 0x0b;
/** The part of the name section that holds functions' names. */
const FUNCTION_NAMES = 1;

/** What a module demands of its memory, in pages of 64 KiB. @public */
export interface MemoryLimits {
  /** Pages of 64 KiB that it must have. */
  readonly minimum: number;
  /** Pages that it may grow to; null for no limit. */
  readonly maximum: number | null;
  /** Whether threads share it. */
  readonly shared: boolean;
}

interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly typeIndex: number;
}

/**
 * A module under way: imports first, then functions, then {@link ModuleWriter.finish}.
 *
 * @example
 * ```ts
 * import { ModuleWriter } from "@whvkit/x86-semantics";
 * const module = new ModuleWriter("i32");
 * const { code, reference } = module.function("seven", { parameters: [], result: "i32" });
 * code.i32(7);
 * module.export("seven", reference);
 * const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()));
 * (instance.exports.seven as () => number)(); // 7
 * ```
 *
 * @public
 */
export class ModuleWriter {
  /** The type of addresses in the one memory. */
  readonly addressType: "i32" | "i64";
  readonly #types: FunctionType[] = [];
  readonly #typeIndices = new Map<string, number>();
  readonly #imports: ImportedFunction[] = [];
  #memory: { module: string; name: string; limits: MemoryLimits } | null = null;
  readonly #functions: { code: Code; typeIndex: number }[] = [];
  /** Functions that equal ones may stand for, by their bytes. */
  readonly #bodies = new Map<string, FunctionReference>();
  #table: { name: string; elements: readonly FunctionReference[] } | null = null;
  #importedTable: { module: string; name: string; minimum: number } | null = null;
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #data: { offset: number; bytes: Uint8Array }[] = [];

  constructor(addressType: "i32" | "i64") {
    this.addressType = addressType;
  }

  /** The number of a function type; equal types share one. */
  typeIndex(type: FunctionType): number {
    const key = `${type.parameters.join()}:${type.result}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#types.length;
    this.#types.push(type);
    this.#typeIndices.set(key, index);
    return index;
  }

  /** Imports the one memory. */
  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.#memory = { module, name, limits };
  }

  /**
   * Imports a function.
   *
   * @throws Error after the first function of the module
   */
  importFunction(module: string, name: string, type: FunctionType): FunctionReference {
    if (this.#functions.length > 0) throw new Error(`${module}.${name} is imported after a function`);
    const index = this.#imports.length;
    this.#imports.push({ module, name, typeIndex: this.typeIndex(type) });
    return { index, name, ...type };
  }

  /** Starts a function; its body may be written at any time before `finish`. */
  function(name: string, type: FunctionType): { reference: FunctionReference; code: Code } {
    const code = new Code(name, type, this.addressType);
    const index = this.#imports.length + this.#functions.length;
    this.#functions.push({ code, typeIndex: this.typeIndex(type) });
    return { reference: { index, name, ...type }, code };
  }

  /**
   * Adds a function that `write` fills, unless an equal one was added here before: then answers that one.
   */
  sharedFunction(name: string, type: FunctionType, write: (code: Code) => void): FunctionReference {
    const code = new Code(name, type, this.addressType);
    write(code);
    const typeIndex = this.typeIndex(type);
    const key = `${typeIndex}:${code.key()}`;
    const known = this.#bodies.get(key);
    if (known !== undefined) return known;
    // What `write` called for has joined the module before it.
    const reference = { index: this.#imports.length + this.#functions.length, name, ...type };
    this.#functions.push({ code, typeIndex });
    this.#bodies.set(key, reference);
    return reference;
  }

  /** Exports a function under a name. */
  export(name: string, reference: FunctionReference): void {
    this.#exports.push({ name, kind: External.function, index: reference.index });
  }

  /** The one table, exported under a name, holding these functions from index 0. */
  table(name: string, elements: readonly FunctionReference[]): void {
    if (this.#importedTable !== null) throw new Error(`${name}: the module imports its one table`);
    this.#table = { name, elements };
  }

  /** The one table, of functions and of at least `minimum` places, is another's. */
  importTable(module: string, name: string, minimum: number): void {
    if (this.#table !== null) throw new Error(`${module}.${name}: the module has its one table`);
    this.#importedTable = { module, name, minimum };
  }

  /** Bytes that memory holds at an address once the module is instantiated. */
  data(offset: number, bytes: Uint8Array): void {
    this.#data.push({ offset, bytes });
  }

  /**
   * The module's bytes.
   *
   * @param names - write the functions' names, for profiles and stack traces (core specification 2.0, appendix A.4)
   */
  finish(names = false): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096);
    out.bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]); // "\0asm", version 1
    const section = (id: number, count: number, write: (s: ByteWriter) => void): void => {
      if (count === 0) return;
      const body = new ByteWriter(1024);
      body.unsigned(count);
      write(body);
      out.byte(id);
      out.unsigned(body.length);
      out.append(body);
    };
    section(Section.type, this.#types.length, (s) => {
      for (const { parameters, result } of this.#types) {
        s.byte(FUNCTION_TYPE);
        s.unsigned(parameters.length);
        for (const type of parameters) s.byte(TYPE_CODE[type]);
        s.unsigned(result === null ? 0 : 1);
        if (result !== null) s.byte(TYPE_CODE[result]);
      }
    });
    const others = (this.#memory === null ? 0 : 1) + (this.#importedTable === null ? 0 : 1);
    section(Section.import, this.#imports.length + others, (s) => this.#writeImports(s));
    section(Section.function, this.#functions.length, (s) => {
      for (const { typeIndex } of this.#functions) s.unsigned(typeIndex);
    });
    const table = this.#table;
    section(Section.table, table === null ? 0 : 1, (s) => {
      s.byte(FUNCREF);
      s.byte(0);
      s.unsigned(table?.elements.length ?? 0);
    });
    section(Section.export, this.#exports.length + (table === null ? 0 : 1), (s) => {
      for (const { name, kind, index } of this.#exports) {
        s.name(name);
        s.byte(kind);
        s.unsigned(index);
      }
      if (table !== null) {
        s.name(table.name);
        s.byte(External.table);
        s.unsigned(0);
      }
    });
    section(Section.element, table === null || table.elements.length === 0 ? 0 : 1, (s) => {
      s.bytes([0, I32_CONST, 0, END]); // active, table 0, from index 0
      s.unsigned(table?.elements.length ?? 0);
      for (const { index } of table?.elements ?? []) s.unsigned(index);
    });
    section(Section.code, this.#functions.length, (s) => {
      for (const { code } of this.#functions) code.writeTo(s);
    });
    section(Section.data, this.#data.length, (s) => {
      for (const { offset, bytes } of this.#data) {
        s.byte(0);
        if (this.addressType === "i32") {
          s.byte(I32_CONST);
          s.signed32(offset);
        } else {
          s.byte(I64_CONST);
          s.signed64(offset | 0, Math.floor(offset / 0x1_0000_0000));
        }
        s.byte(END);
        s.unsigned(bytes.length);
        s.bytes(bytes);
      }
    });
    if (names) this.#writeNames(out);
    return out.finish();
  }

  #writeNames(out: ByteWriter): void {
    const entries = new ByteWriter(1024);
    entries.unsigned(this.#imports.length + this.#functions.length);
    [...this.#imports, ...this.#functions.map(({ code }) => code)].forEach(({ name }, index) => {
      entries.unsigned(index);
      entries.name(name);
    });
    const section = new ByteWriter(1024);
    section.name("name");
    section.byte(FUNCTION_NAMES);
    section.unsigned(entries.length);
    section.append(entries);
    out.byte(Section.custom);
    out.unsigned(section.length);
    out.append(section);
  }

  #writeImports(s: ByteWriter): void {
    for (const { module, name, typeIndex } of this.#imports) {
      s.name(module);
      s.name(name);
      s.byte(External.function);
      s.unsigned(typeIndex);
    }
    if (this.#importedTable !== null) {
      s.name(this.#importedTable.module);
      s.name(this.#importedTable.name);
      s.byte(External.table);
      s.byte(FUNCREF);
      s.byte(0);
      s.unsigned(this.#importedTable.minimum);
    }
    if (this.#memory === null) return;
    const { module, name, limits } = this.#memory;
    s.name(module);
    s.name(name);
    s.byte(External.memory);
    s.byte(
      (limits.maximum === null ? 0 : LIMITS_MAXIMUM) |
        (limits.shared ? LIMITS_SHARED : 0) |
        (this.addressType === "i64" ? LIMITS_64 : 0),
    );
    s.unsigned(limits.minimum);
    if (limits.maximum !== null) s.unsigned(limits.maximum);
  }
}
