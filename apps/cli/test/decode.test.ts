/** `whv decode`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jsonLines, whv } from "./command.ts";

describe("for people", () => {
  test("arguments, one instruction each", async () => {
    const ended = await whv(["decode", "8b07", "f3 a4 90"]);
    expect(ended).toEqual({ status: 0, stderr: "", stdout: "8b 07  mov eax, dword ptr [rdi]\nf3 a4  rep movsb\n" });
  });

  test("the mode decides", async () => {
    const text = async (mode: string): Promise<string> => (await whv(["decode", "--mode", mode, "8b07"])).stdout;
    expect(await text("16")).toBe("8b 07  mov ax, word ptr [bx]\n");
    expect(await text("32")).toBe("8b 07  mov eax, dword ptr [edi]\n");
  });

  test("what cannot be decoded: exit status 1, the others are decoded all the same", async () => {
    const ended = await whv(["decode", "0f05", "0f", "06", "2e".repeat(16), "8bzz", "f4"]);
    expect(ended.status).toBe(1);
    expect(ended.stdout.split("\n")).toEqual([
      "0f 05  syscall",
      expect.stringMatching(/^0f {2}the instruction is not complete: at least \d more bytes?$/),
      "06  no instruction in this mode",
      expect.stringMatching(/ {2}longer than 15 bytes$/),
      '8bzz: "z" at digit 2 is not a hex digit',
      "f4  hlt",
      "",
    ]);
  });

  test("colours on a terminal only, and not under NO_COLOR", async () => {
    const coloured = await whv(["decode", "06"], { terminal: true });
    expect(coloured.stdout).toContain("\u001b[31mno instruction in this mode\u001b[39m");
    const plain = await whv(["decode", "06"], { terminal: true, environment: { NO_COLOR: "1" } });
    expect(plain.stdout).toBe("06  no instruction in this mode\n");
  });
});

describe("--json: one answer for each input, in order", () => {
  test("instructions", async () => {
    const [load, call] = jsonLines(await whv(["decode", "--json", "--ip", "0x1000", "8b07", "e8fbffffff"]));
    expect(load).toMatchObject({
      format: 1,
      bytes: "8b07",
      valid: true,
      length: 2,
      mnemonic: "mov",
      text: "mov eax, dword ptr [rdi]",
      operands: [
        { kind: "register", access: "write", register: "eax", size: 4 },
        { kind: "memory", access: "read", size: 4, segment: "ds", base: "rdi" },
      ],
      memory: [{ access: "read", size: 4, segment: "ds", base: "rdi" }],
      flags: { read: [], written: [], undefined: [] },
      cpuid: expect.any(Array),
    });
    expect(call).toMatchObject({ mnemonic: "call", operands: [{ kind: "branch", target: "0x1000" }] });
  });

  test.each([
    ["16", "f36f", [{ access: "read", size: 2, segment: "ds", base: "si" }]],
    [
      "64",
      "64488744b3f0",
      [{ access: "readwrite", size: 8, segment: "fs", base: "rbx", index: "rsi", scale: 4, displacement: -16 }],
    ],
    ["32", "8d0437", []],
  ])("what %s-bit %s does to memory", async (mode, hex, memory) => {
    const [answer] = jsonLines(await whv(["decode", "--json", "--mode", mode, hex]));
    expect(answer.memory).toMatchObject(memory);
    expect(answer.memory).toHaveLength(memory.length);
  });

  test("flags that an instruction reads, writes and leaves undefined", async () => {
    const [adc, shift] = jsonLines(await whv(["decode", "--json", "13c0", "d3e0"]));
    const names = (list: string[]): string[] => list.map((name) => name.toUpperCase()).sort();
    expect(names(adc.flags.read)).toEqual(["CF"]);
    expect(names(adc.flags.written)).toEqual(["AF", "CF", "OF", "PF", "SF", "ZF"]);
    expect(names(shift.flags.undefined)).toContain("AF");
  });

  test("failures are answers, and the exit status is 0", async () => {
    const ended = await whv(["decode", "--json", "0f", "06", "66".repeat(16), "8", "90"]);
    expect(ended.status).toBe(0);
    expect(jsonLines(ended)).toMatchObject([
      { bytes: "0f", valid: false, error: "truncated" },
      { bytes: "06", valid: false, error: "invalid-opcode" },
      { valid: false, error: "too-long" },
      { id: null, error: "argument 4: 1 hex digits do not make whole bytes" },
      { bytes: "90", valid: true, mnemonic: "nop" },
    ]);
  });

  test("lines of standard input: empty ones, binary garbage and long ones are answered too", async () => {
    const input = Buffer.concat([
      Buffer.from("8b07\n\n"),
      Buffer.from([0xff, 0x00, 0x80, 10]),
      Buffer.from(`${"90".repeat(100_000)}\r\n48ffc0`),
    ]);
    const answers = jsonLines(await whv(["decode", "--json", "-"], { input }));
    expect(answers.map(({ valid, error, bytes }) => [valid, error, bytes])).toEqual([
      [true, undefined, "8b07"],
      [false, "truncated", ""],
      [undefined, expect.stringContaining("line 3: "), undefined],
      [true, undefined, "90"],
      [true, undefined, "48ffc0"],
    ]);
  });
});

describe("--listing", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "whv-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("every byte of a file appears once", async () => {
    const file = path.join(folder, "boot.bin");
    writeFileSync(file, Buffer.from("fab8000000e8faff0fffeb", "hex"));
    const { status, stdout } = await whv(["decode", "--mode", "16", "--ip", "0x7c00", "--listing", file]);
    expect(status).toBe(0);
    expect(stdout.split("\n").map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ["7c00", "fa", "cli"],
      ["7c01", "b80000", "mov ax, 0"],
      ["7c04", "00e8", "add al, ch"],
      ["7c06", "fa", "cli"],
      ["7c07", "ff0f", "dec word ptr [bx]"],
      ["7c09", "ff", "db 0xff"],
      ["7c0a", "eb", "db 0xeb"],
      [""],
    ]);
  });

  test.each([
    [["decode", "--listing", "nowhere.bin"], 1, "whv: nowhere.bin: no such file\n"],
    [["decode", "--listing", "x", "90"], 2, "whv: --listing takes no bytes as arguments\n"],
    [["decode", "--listing", "x", "--json"], 2, "whv: --listing has no JSON form; give the bytes as lines\n"],
  ])("%j", async (args, status, stderr) => {
    expect(await whv(args)).toEqual({ status, stdout: "", stderr });
  });
});
