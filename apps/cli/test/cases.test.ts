/** `whv emulate`, `whv explain` and `whv step`: the rules of JSON lines, and what people read. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jsonLines, whv } from "./command.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };
const load = {
  id: "load",
  kind: "mmio",
  vp: { executionState: { cr0Pe: true, eferLma: true }, instructionLength: 2, cs, rip: "0x1000", rflags: "0x2" },
  exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020", gva: "0xfee00020" },
  registers: { Rdi: "0xfee00020" },
  deviceReads: "efbeadde",
};
const out = {
  id: 2,
  kind: "io",
  vp: load.vp,
  exit: { isWrite: true, accessSize: 1, port: 1016, rax: "0x41" },
};
const lines = (...cases: unknown[]): string =>
  cases.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");

describe("whv emulate", () => {
  test("a load from device memory, as the format documents it", async () => {
    const ended = await whv(["emulate"], { input: lines(load) });
    expect(ended.status).toBe(0);
    expect(jsonLines(ended)).toEqual([
      {
        format: 1,
        id: "load",
        hresult: "0x0",
        statusBits: 1,
        status: ["EmulationSuccessful"],
        set: { Rax: "0xdeadbeef", Rip: "0x1002" },
        calls: [
          { callback: "getRegisters", names: ["Rdi"] },
          { callback: "memory", direction: "read", gpa: "0xfee00020", size: 4, data: "efbeadde" },
          { callback: "setRegisters", names: ["Rax", "Rip"] },
        ],
        memory: [],
        diagnostic: null,
      },
    ]);
  });

  test("a port write needs neither fetch nor registers", async () => {
    const [answer] = jsonLines(await whv(["emulate", "-"], { input: lines(out) }));
    expect(answer).toMatchObject({
      id: 2,
      set: { Rip: "0x1002" },
      calls: [
        { callback: "ioPort", direction: "out", port: 1016, size: 1, data: "0x41" },
        { callback: "setRegisters" },
      ],
    });
  });

  test("contexts that the emulator refuses are answered by its HRESULT", async () => {
    const tooMany = { ...load, exit: { ...load.exit, instructionBytes: "90".repeat(17) } };
    const sizeThree = { ...out, exit: { ...out.exit, accessSize: 3 } };
    const answers = jsonLines(await whv(["emulate"], { input: lines(tooMany, sizeThree) }));
    expect(answers.map(({ hresult, set }) => [hresult, set])).toEqual([
      ["0x80070057", null],
      ["0x80070057", null],
    ]);
  });

  test("a failing callback: its status bit, and no registers written", async () => {
    const failing = { ...load, fail: { callback: "memory", at: 0, hresult: "0x80004005" } };
    const [answer] = jsonLines(await whv(["emulate"], { input: lines(failing) }));
    expect(answer).toMatchObject({
      hresult: "0x0",
      status: ["MemoryCallbackFailed"],
      set: null,
      diagnostic: {
        reason: "callback-failed",
        phase: "load",
        callback: "memory",
        callbackHresult: "0x80004005",
        text: "mov eax, dword ptr [rdi]",
      },
    });
  });

  test("one answer a line, in order, whatever the lines are", async () => {
    const input = lines(
      load,
      "{",
      "",
      "[1]",
      { id: 5, kind: "mmio" },
      { ...load, id: 6, options: { maxRepIterations: 0 } },
      { ...load, id: 7, options: { maxRepIteration: 4 } },
      out,
    );
    const ended = await whv(["emulate"], { input: `${input}\n` });
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    const answers = jsonLines(ended);
    expect(answers.map(({ id, error }) => [id, error?.replace(/:.*:/, ":…:")])).toEqual([
      ["load", undefined],
      [null, expect.stringContaining("line 2:")],
      [null, "line 3: the line is empty"],
      [null, "line 4: [1] is not an object"],
      [5, "line 5:…: is missing"],
      [6, expect.stringMatching(/^line 6:.* option maxRepIterations/)],
      [7, expect.stringMatching(/^line 7:.* option maxRepIteration is not an option; there are maxRepIterations, /)],
      [2, undefined],
    ]);
    expect(answers.every(({ format }) => format === 1)).toBe(true);
  });

  test("a REP that would never end is refused, and the next line answered", async () => {
    const endless = {
      ...load,
      id: "endless",
      exit: { ...load.exit, instructionBytes: "f3aa" },
      registers: { Rcx: "0xffffffffffffffff", Rdi: "0x100000" },
    };
    const answers = jsonLines(await whv(["emulate"], { input: lines(endless, load) }));
    expect(answers.map(({ id, error }) => [id, error])).toEqual([
      ["endless", "line 1: leads to more than 1000000 callbacks; options.maxRepIterations bounds a repetition"],
      ["load", undefined],
    ]);
  });

  test("binary garbage", async () => {
    const input = Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) & 0xff);
    const ended = await whv(["emulate"], { input });
    expect(ended.status).toBe(0);
    const count = input.filter((byte) => byte === 10).length + (input.at(-1) === 10 ? 0 : 1);
    expect(jsonLines(ended).map(({ error }) => typeof error)).toEqual(new Array(count).fill("string"));
  });

  describe("files", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), "whv-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    test("a file of cases", async () => {
      const file = path.join(folder, "cases.jsonl");
      writeFileSync(file, lines(load, out));
      expect(jsonLines(await whv(["emulate", file])).map(({ id }) => id)).toEqual(["load", 2]);
    });

    test.each(["emulate", "explain", "step"])("%s of what is no file: exit status 1, and why", async (command) => {
      expect(await whv([command, path.join(folder, "none")])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("no such file"),
      });
      expect(await whv([command, folder])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("is a directory"),
      });
    });
  });
});

describe("whv explain", () => {
  test("instruction, callbacks in order, status, advice", async () => {
    const failing = { ...load, fail: { callback: "memory", at: 0, hresult: "0x80004005" } };
    const { status, stdout } = await whv(["explain"], { input: lines(failing) });
    expect(status).toBe(0);
    const order = [
      "Case load",
      "read at guest-physical 0xfee00020",
      "64-bit code, CPL 0, RIP 0x1000",
      "8b 07   mov eax, dword ptr [rdi]",
      "1. read Rdi = 0xfee00020",
      "2. memory read, 4 bytes at 0xfee00020: failed with E_FAIL",
      "S_OK",
      "MemoryCallbackFailed",
      "registers: not written",
      "Make the memory callback answer S_OK",
    ].map((text) => stdout.indexOf(text));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("lines that cannot be explained: why, and exit status 1", async () => {
    const ended = await whv(["explain"], { input: lines({ id: 9, kind: "mmio" }, out) });
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain("Case 9: line 1: vp: is missing");
    expect(ended.stdout).toContain("port out, 1 byte at 0x3f8 = 0x41");
  });
});

describe("whv step", () => {
  test("YMM, ZMM and opmask state that has no WHv name goes in and comes out", async () => {
    const run = (id: string, bytes: string, registers: object): object => ({
      id,
      preset: "long",
      registers: { Rip: "0x1000", ...registers },
      memory: [{ gpa: "0x1000", bytes }],
    });
    const upper = `0x5${"0".repeat(32)}`;
    const input = lines(
      run("vmovdqu ymm0, ymm1", "c5fe6fc1", { Ymm1: `${upper.slice(0, -1)}7` }),
      run("vmovdqa64 zmm31, zmm20", "6221fd486ffc", { Zmm20: "0x9" }),
      run("kmovq k1, k2", "c4e1f890ca", { K2: "0xff" }),
      run("vmovdqu ymm0, ymm1 of a new processor", "c5fe6fc1", {}),
      run("vmovups xmm0, xmm1 clears the rest", "c5f810c1", { Ymm0: upper }),
    );
    const answers = jsonLines(await whv(["step"], { input }));
    expect(answers.map(({ registers }) => registers)).toEqual([
      { Xmm0: "0x7", Ymm0: `${upper.slice(0, -1)}7`, Rip: "0x1004" },
      { Zmm31: "0x9", Rip: "0x1006" },
      { K1: "0xff", Rip: "0x1005" },
      { Rip: "0x1004" },
      { Ymm0: "0x0", Rip: "0x1004" },
    ]);
  });

  test.each(["cold", "compiled"])("on the %s engine", async (engine) => {
    const code = { gpa: "0x1000", bytes: "48ffc0 8907" };
    const registers = { Rip: "0x1000", Rax: 1, Rdi: "0x2000" };
    const stepCase = { id: 1, preset: "long", engine, registers, memory: [code], instructions: 2 };
    const ended = await whv(["step"], { input: lines({ ...stepCase, read: [{ gpa: "0x2000", size: 4 }] }) });
    expect(jsonLines(ended)).toMatchObject([
      { instructions: 2, registers: { Rax: "0x2", Rip: "0x1005" }, memory: [{ gpa: "0x2000", bytes: "02000000" }] },
    ]);
  });

  test("one answer a line", async () => {
    const increment = {
      id: 1,
      preset: "long",
      registers: { Rip: "0x1000", Rax: 1 },
      memory: [{ gpa: "0x1000", bytes: "48ffc0" }],
    };
    const ended = await whv(["step"], { input: lines(increment, { id: 2, preset: "long", cpl: 2 }, "x") });
    expect(ended.status).toBe(0);
    expect(jsonLines(ended)).toEqual([
      {
        format: 1,
        id: 1,
        exit: null,
        instructions: 1,
        registers: { Rax: "0x2", Rip: "0x1003" },
        memory: [],
        exception: null,
      },
      { format: 1, id: 2, error: "line 2: cpl: 2 is neither 0 nor 3" },
      { format: 1, id: null, error: expect.stringMatching(/^line 3: not JSON/) },
    ]);
  });
});
