/** Which engine a processor gets, what it says about it, and how long the WebAssembly engine's tables last. */
import { type SimEngine, simHypervisor } from "@whvkit/sim-backend";
import { E_INVALIDARG, E_NOTIMPL, E_OUTOFMEMORY, WHV_RUN_VP_EXIT_REASON, WhvError } from "@whvkit/whv-types";
import { afterEach, describe, expect, test, vi } from "vitest";
import { get, guest, hex, PROTECTED_MODE, set } from "./guest-image.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** The package as a host sees it where WebAssembly is like this: what that allows is found out once. */
async function packageWhere(webAssembly: unknown): Promise<typeof import("../src/index.ts")> {
  vi.resetModules();
  vi.stubGlobal("WebAssembly", webAssembly);
  return import("../src/index.ts");
}

function hresult(act: () => unknown): number {
  try {
    act();
  } catch (error) {
    if (error instanceof Error && "hresult" in error) return error.hresult as number;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("the engine of a partition", () => {
  test.each([
    ["auto", "webassembly"],
    ["webassembly", "webassembly"],
    ["evaluator", "evaluator"],
  ] as const)("%s", (engine, name) => {
    expect(guest(0x1000, { engine }).processor.engine).toEqual({ name, reason: null });
  });

  test("another is refused", () => {
    const options = { engine: "fast" as SimEngine };
    expect(hresult(() => simHypervisor.createPartition(options))).toBe(E_INVALIDARG);
    expect(() => simHypervisor.createPartition(options)).toThrow(WhvError);
  });

  test("the evaluator is there, and says why, where a content-security policy forbids WebAssembly", async () => {
    class Refusing {
      constructor() {
        throw new EvalError("unsafe-eval is not allowed");
      }
    }
    const { simHypervisor } = await packageWhere({ Memory: WebAssembly.Memory, Module: Refusing });
    const partition = simHypervisor.createPartition({ memoryCapacity: 0x100_0000 });
    partition.setup();
    const { name, reason } = partition.createVirtualProcessor(0).engine;
    expect(name).toBe("evaluator");
    expect(reason).toContain("unsafe-eval is not allowed");
    expect(hresult(() => simHypervisor.createPartition({ engine: "webassembly" }))).toBe(E_NOTIMPL);
  });

  test("the same without any WebAssembly", async () => {
    const { simHypervisor } = await packageWhere(undefined);
    const partition = simHypervisor.createPartition({ memoryCapacity: 0x100_0000 });
    partition.setup();
    expect(partition.createVirtualProcessor(0).engine.reason).toBe("the host has no WebAssembly");
  });

  test("there are tables for four processors at a time", () => {
    const partition = simHypervisor.createPartition({ memoryCapacity: 0x100_0000, engine: "auto" });
    partition.setProperty(0x1fff, 6n);
    partition.setup();
    const processors = [0, 1, 2, 3, 4].map((index) => partition.createVirtualProcessor(index));
    expect(processors.map(({ engine }) => engine.name)).toEqual([...Array(4).fill("webassembly"), "evaluator"]);
    expect(processors[4]?.engine.reason).toContain("4 processors");
    processors[1]?.dispose();
    expect(partition.createVirtualProcessor(5).engine.name).toBe("webassembly");
  });

  test("and no fifth that has to have them", () => {
    const partition = simHypervisor.createPartition({ memoryCapacity: 0x100_0000, engine: "webassembly" });
    partition.setProperty(0x1fff, 5n);
    partition.setup();
    for (let index = 0; index < 4; index++) partition.createVirtualProcessor(index);
    expect(hresult(() => partition.createVirtualProcessor(4))).toBe(E_OUTOFMEMORY);
  });
});

describe("warm code", () => {
  test("is counted and ends at the same instruction, whatever runs it", () => {
    // again: add eax, ecx; mov [ebx], eax; inc ecx; test [0x3000], ecx; jmp again
    const code = hex("01c8 8903 41 850d00300000 ebf3");
    const ends = (["auto", "webassembly", "evaluator"] as const).map((engine) => {
      const { processor, ram } = guest(0x1_0000, { engine, instructionBudget: 777_777 });
      ram.bytes.set(code, 0x1000);
      set(processor, { ...PROTECTED_MODE, Rip: 0x1000, Rbx: 0x2000 });
      const exit = processor.run();
      expect(exit.exitReason).toBe(WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonCanceled);
      return ["Rax", "Rcx", "Rip", "Rflags"]
        .map((name) => get(processor, name))
        .concat(BigInt(processor.instructionCount));
    });
    expect(ends[0]).toEqual(ends[2]);
    expect(ends[1]).toEqual(ends[2]);
    expect(ends[2]?.at(-1)).toBe(777_777n);
  });

  test("may be more than the tables hold", () => {
    const pages = 1800;
    const { processor, ram } = guest((pages + 1) * 0x1000, { engine: "webassembly", memoryCapacity: 0x100_0000 });
    // In each page: inc eax; jmp to the next. In the last one: hlt.
    for (let page = 0; page < pages; page++) ram.bytes.set(hex("40 e9fa0f0000"), page * 0x1000);
    ram.bytes[pages * 0x1000] = 0xf4;
    for (let round = 1; round <= 2; round++) {
      set(processor, { ...PROTECTED_MODE, Rip: 0 });
      expect(processor.run().exitReason).toBe(WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Halt);
      expect(get(processor, "Rax")).toBe(BigInt(pages * round));
    }
  });
});
