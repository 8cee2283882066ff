/**
 * The module writer: what it writes is accepted and does what was written, what is ill-typed is refused where it stands.
 * Numbers are held to the examples and bounds of the WebAssembly specification (core 2.0, 5.2.2).
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Code, type FunctionType, ModuleWriter } from "../../src/index.ts";
import { ByteWriter } from "../../src/webassembly/module/byte-writer.ts";
import { LANE, LOAD, PLAIN, STORE } from "../../src/webassembly/module/instruction-set.ts";

const NOTHING: FunctionType = { parameters: [], result: null };
const I32: FunctionType = { parameters: ["i32"], result: "i32" };

function instantiate(
  module: ModuleWriter,
  imports: WebAssembly.Imports = {},
): Record<string, (...a: unknown[]) => unknown> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  return exports as unknown as Record<string, (...a: unknown[]) => unknown>;
}
/** A function of a module of its own. */
function compile(type: FunctionType, write: (code: Code) => void): (...a: unknown[]) => unknown {
  const module = new ModuleWriter("i32");
  const { code, reference } = module.function("run", type);
  write(code);
  module.export("run", reference);
  return instantiate(module)["run"] as (...a: unknown[]) => unknown;
}

describe("LEB128", () => {
  const bytes = (write: (w: ByteWriter) => void): number[] => {
    const writer = new ByteWriter(1);
    write(writer);
    return [...writer.finish()];
  };
  const decode = (all: readonly number[], signed: boolean): bigint => {
    const value = all.reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
    return signed ? BigInt.asIntN(7 * all.length, value) : value;
  };

  test("the specification's example", () => {
    expect(bytes((w) => w.unsigned(624_485))).toEqual([0xe5, 0x8e, 0x26]);
    expect(bytes((w) => w.signed32(-123_456))).toEqual([0xc0, 0xbb, 0x78]);
  });
  test("numbers come back, in no more bytes than they need", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.nat({ max: 63 }), (any, shift) => {
        const value = any >> BigInt(shift);
        const low = Number(BigInt.asIntN(32, value));
        const all = bytes((w) => w.signed64(low, Number(value >> 32n)));
        expect(decode(all, true)).toBe(value);
        expect(BigInt.asIntN(7 * all.length, value)).toBe(value);
        if (all.length > 1) expect(BigInt.asIntN(7 * all.length - 7, value)).not.toBe(value);
        expect(
          decode(
            bytes((w) => w.signed32(low)),
            true,
          ),
        ).toBe(BigInt(low));
        expect(
          decode(
            bytes((w) => w.unsigned(low >>> 0)),
            false,
          ),
        ).toBe(BigInt(low >>> 0));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
  test("what is no u32 is refused", () => {
    for (const value of [-1, 2 ** 32, Number.NaN]) expect(() => bytes((w) => w.unsigned(value))).toThrow(RangeError);
  });
});

describe("instructions", () => {
  test("every instruction of the tables is one that engines know, with that signature", () => {
    const module = new ModuleWriter("i32");
    module.importMemory("m", "memory", { minimum: 1, maximum: null, shared: false });
    for (const [name, { operands, result }] of Object.entries({ ...PLAIN, ...LANE })) {
      const { code } = module.function(name, { parameters: operands, result });
      for (const parameter of code.parameters) code.get(parameter);
      if (name in LANE) code.lane(name as keyof typeof LANE, 0);
      else code.op(name as keyof typeof PLAIN);
    }
    for (const [name, { value }] of Object.entries(LOAD)) {
      const { code } = module.function(name, { parameters: ["i32"], result: value });
      code.get(code.parameter(0));
      code.load(name as keyof typeof LOAD, 4000);
    }
    for (const [name, { value }] of Object.entries(STORE)) {
      const { code } = module.function(name, { parameters: ["i32", value], result: null });
      for (const parameter of code.parameters) code.get(parameter);
      code.store(name as keyof typeof STORE, 4000);
    }
    expect(WebAssembly.validate(module.finish())).toBe(true);
  });

  test("control: blocks, loops, tables, calls", () => {
    const sum = compile(I32, (code) => {
      // 1 + 2 + … + n
      const total = code.local("i32");
      const done = code.block();
      const next = code.loop();
      code.get(code.parameter(0));
      code.op("i32.eqz");
      code.branchIf(done);
      code.get(total);
      code.get(code.parameter(0));
      code.op("i32.add");
      code.set(total);
      code.get(code.parameter(0));
      code.i32(1);
      code.op("i32.sub");
      code.set(code.parameter(0));
      code.branch(next);
      code.end();
      code.end();
      code.get(total);
    });
    expect(sum(100)).toBe(5050);
    const choose = compile(I32, (code) => {
      const otherwise = code.block();
      const one = code.block();
      const zero = code.block();
      code.get(code.parameter(0));
      code.branchTable([zero, one], otherwise);
      code.end();
      code.i32(10);
      code.return();
      code.end();
      code.i32(11);
      code.return();
      code.end();
      code.get(code.parameter(0));
      code.if("i32");
      code.i32(12);
      code.else();
      code.unreachable();
      code.end();
    });
    expect([0, 1, 2, -1].map((n) => choose(n))).toEqual([10, 11, 12, 12]);
  });

  test("what is ill-typed is refused where it is written", () => {
    const write =
      (body: (code: Code) => void, type: FunctionType = NOTHING) =>
      (): unknown => {
        const code = new Code("f", type, "i32");
        body(code);
        return code.writeTo(new ByteWriter());
      };
    expect(write((c) => c.op("i32.add"))).toThrow("f: i32 expected, the stack is empty");
    expect(
      write((c) => {
        c.i64(1);
        c.op("i32.eqz");
      }),
    ).toThrow("f: i32 expected, found i64");
    expect(write((c) => c.i32(1))).toThrow("f: 1 values left over");
    expect(write(() => {}, I32)).toThrow("f: i32 expected, the stack is empty");
    expect(
      write((c) => {
        c.block();
      }),
    ).toThrow("f: 1 blocks are open");
    expect(
      write((c) => {
        const label = c.block();
        c.end();
        c.branch(label);
      }),
    ).toThrow("f: a branch to a closed block");
    expect(
      write((c) => {
        c.i32(1);
        c.if("i32");
        c.i32(1);
        c.end();
      }),
    ).toThrow("f: an if with a result needs an else");
    expect(write((c) => c.else())).toThrow("f: else without if");
    expect(
      write((c) => {
        c.i32(1);
        c.i64(1);
        c.i32(0);
        c.select();
        c.drop();
      }),
    ).toThrow("f: i64 expected, found i32");
    // What cannot be reached may have any type, as in the specification's validation.
    expect(
      write((c) => {
        c.unreachable();
        c.op("i64.add");
        c.drop();
      }),
    ).not.toThrow();
  });
});

describe("modules", () => {
  test("names of functions show in stack traces", () => {
    const module = new ModuleWriter("i32");
    const fail = module.function("where it fails (größer)", NOTHING);
    fail.code.unreachable();
    module.export("run", fail.reference);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish(true)));
    expect(() => (instance.exports["run"] as () => void)()).toThrow(
      expect.objectContaining({ stack: expect.stringContaining("where it fails (größer)") }),
    );
  });

  test("imports, a table, shared functions and data", () => {
    const module = new ModuleWriter("i32");
    const limits = { minimum: 1, maximum: 2, shared: false };
    module.importMemory("m", "memory", limits);
    const double = module.importFunction("m", "double", I32);
    const call = module.function("call", { parameters: ["i32", "i32"], result: "i32" });
    call.code.get(call.code.parameter(1));
    call.code.get(call.code.parameter(0));
    call.code.callIndirect(I32, module.typeIndex(I32));
    const plus = (amount: number) =>
      module.sharedFunction(`plus ${amount}`, I32, (code) => {
        code.get(code.parameter(0));
        code.call(double);
        code.i32(amount);
        code.op("i32.add");
      });
    const [one, two, again] = [plus(1), plus(2), plus(1)];
    expect(again.index).toBe(one.index);
    expect(two.index).not.toBe(one.index);
    module.export("call", call.reference);
    module.table("table", [one, two, again]);
    module.data(16, Uint8Array.of(1, 2, 3));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const exports = instantiate(module, { m: { memory, double: (n: number) => 2 * n } });
    expect([0, 1, 2].map((index) => exports["call"]?.(index, 20))).toEqual([41, 42, 41]);
    expect([...new Uint8Array(memory.buffer, 15, 5)]).toEqual([0, 1, 2, 3, 0]);
    expect(() => module.importFunction("m", "late", I32)).toThrow("imported after a function");
  });
});

describe("a table of another's", () => {
  test("is called into, whoever filled it", () => {
    const callee = new ModuleWriter("i32");
    const double = callee.function("double", I32);
    double.code.get(double.code.parameter(0));
    double.code.i32(1);
    double.code.op("i32.shl");
    callee.export("double", double.reference);
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 4 });
    table.set(3, instantiate(callee)["double"]);

    const caller = new ModuleWriter("i32");
    caller.importTable("m", "table", 4);
    const { code, reference } = caller.function("run", I32);
    code.get(code.parameter(0));
    code.i32(3);
    code.callIndirect(I32, caller.typeIndex(I32));
    caller.export("run", reference);
    expect(instantiate(caller, { m: { table } })["run"]?.(21)).toBe(42);
  });

  test("there is one table, its own or another's", () => {
    const importing = new ModuleWriter("i32");
    importing.importTable("m", "table", 1);
    expect(() => importing.table("handlers", [])).toThrow(/handlers: the module imports its one table/);
    const exporting = new ModuleWriter("i32");
    exporting.table("handlers", []);
    expect(() => exporting.importTable("m", "table", 1)).toThrow(/m.table: the module has its one table/);
  });
});
