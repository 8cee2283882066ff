/** The case format of `whv emulate`: what is read, and how a case that cannot be read is refused. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { caseId, readEmulationCase } from "../src/index.ts";

const cs = { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" };

function mmioCase(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "load",
    kind: "mmio",
    vp: { executionState: { cr0Pe: true, eferLma: true }, instructionLength: 2, cs, rip: "0x1000", rflags: "0x2" },
    exit: {
      instructionBytes: "8b07",
      accessType: "read",
      gpaUnmapped: true,
      gvaValid: true,
      gpa: "0xfee00020",
      gva: "0xfee00020",
    },
    registers: { Rdi: "0xfee00020" },
    memory: [{ gpa: "0x1000", bytes: "8b07" }],
    deviceReads: "efbeadde",
    ...changes,
  };
}

function ioCase(exit: Record<string, unknown> = {}): Record<string, unknown> {
  return { kind: "io", vp: { cs, rip: 0 }, exit: { isWrite: true, accessSize: 1, port: 1016, ...exit } };
}

/** What reading says of a case, for cases that cannot be read. */
function refusal(json: unknown): string {
  try {
    readEmulationCase(json);
  } catch (error) {
    return String(error);
  }
  throw new Error("the case was read");
}

describe("reading", () => {
  test("a case as the format documents it", () => {
    const read = readEmulationCase(mmioCase());
    expect(read.id).toBe("load");
    expect(read.vp).toMatchObject({
      cpl: 0,
      cr0Pe: true,
      eferLma: true,
      cr0Am: false,
      instructionLength: 2,
      rip: 0x1000n,
    });
    expect(read.vp.cs).toEqual([0, 0, 0xffff_ffff, 0xa09b_0008]);
    expect(read.exit).toMatchObject({
      kind: "mmio",
      accessType: 0,
      gpaUnmapped: true,
      gpa: 0xfee0_0020,
      gva: 0xfee0_0020n,
    });
    expect(read.registers.get(WHV_REGISTER_NAME.WHvX64RegisterRdi)).toEqual([0xfee0_0020, 0, 0, 0]);
    expect(read.memory).toEqual([{ gpa: 0x1000, bytes: Uint8Array.of(0x8b, 0x07) }]);
    expect(read.deviceReads).toEqual(Uint8Array.of(0xef, 0xbe, 0xad, 0xde));
    expect(read.translate).toBe("identity");
  });

  test("numbers and hex strings mean the same", () => {
    const asStrings = readEmulationCase(ioCase({ port: "0x3f8", rax: "0x41" }));
    const asNumbers = readEmulationCase(ioCase({ port: 1016, rax: 65 }));
    expect(asStrings).toEqual(asNumbers);
  });

  test("registers of every form", () => {
    const registers = {
      Rax: "0xffffffffffffffff",
      Ss: { base: 16, limit: "0xffff", selector: 1, attributes: 0x93 },
      Gdtr: { base: "0xffff800000001000", limit: 127 },
      Xmm3: "0x0123456789abcdef0011223344556677",
      XmmControlStatus: { xmmStatusControl: "0x1fa0" },
      PendingEvent: 1,
    };
    const read = readEmulationCase(mmioCase({ registers })).registers;
    const words = (name: keyof typeof WHV_REGISTER_NAME): unknown => read.get(WHV_REGISTER_NAME[name]);
    expect(words("WHvX64RegisterRax")).toEqual([0xffff_ffff, 0xffff_ffff, 0, 0]);
    expect(words("WHvX64RegisterSs")).toEqual([16, 0, 0xffff, 0x0093_0001]);
    expect(words("WHvX64RegisterGdtr")).toEqual([0, 127 << 16, 0x1000, 0xffff_8000]);
    expect(words("WHvX64RegisterXmm3")).toEqual([0x4455_6677, 0x0011_2233, 0x89ab_cdef, 0x0123_4567]);
    expect(words("WHvX64RegisterXmmControlStatus")).toEqual([0, 0, 0x1fa0, 0xffff]);
    expect(words("WHvRegisterPendingEvent")).toEqual([1, 0, 0, 0]);
  });

  test("contexts that the emulator must refuse are read", () => {
    const tooMany = readEmulationCase(mmioCase({ exit: { instructionBytes: "90".repeat(17), accessType: 3, gpa: 0 } }));
    expect(tooMany.exit).toMatchObject({ accessType: 3 });
    expect(tooMany.exit.instructionBytes).toHaveLength(17);
    expect(readEmulationCase(ioCase({ accessSize: 3 })).exit).toMatchObject({ accessSize: 3 });
  });

  test("fields that nobody knows are a writer's notes", () => {
    expect(readEmulationCase(mmioCase({ host: "build 26100", expect: { status: 1 } })).id).toBe("load");
  });

  test("format 1 is this format", () => {
    expect(readEmulationCase(mmioCase({ format: 1 })).id).toBe("load");
  });
});

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe("refusals name the field and what is wrong with it", () => {
  test.each([
    ["no object", [], "[] is not an object"],
    ["null", null, "null is not an object"],
    ["a later format", mmioCase({ format: 2 }), "format: 2 is not a format that this version reads (it reads 1)"],
    ["an unknown kind", mmioCase({ kind: "pio" }), 'kind: "pio" is none of "mmio", "io"'],
    ["no kind", { vp: {} }, "kind: is missing"],
    ["no vp", { kind: "io" }, "vp: is missing"],
    ["no code segment", mmioCase({ vp: { rip: 0 } }), "vp.cs: is missing"],
    ["a bad number", ioCase({ rax: "0xzz" }), 'exit.rax: "0xzz" is not a number (write 16 or "0x10")'],
    ["a negative number", ioCase({ port: -1 }), "exit.port: -1 is not an unsigned integer"],
    ["a number too large", ioCase({ port: 65536 }), "exit.port: 65536 is too large (at most 0xffff)"],
    ["a number that JSON has rounded", ioCase({ rax: 2 ** 60 }), "is not exact; write it as a string"],
    [
      "an access size that the field cannot hold",
      ioCase({ accessSize: 8 }),
      "exit.accessSize: 8 is too large (at most 0x7)",
    ],
    [
      "odd digits",
      mmioCase({ memory: [{ gpa: 0, bytes: "8b0" }] }),
      "memory[0].bytes: 3 hex digits do not make whole bytes",
    ],
    ["no hex digits", mmioCase({ deviceReads: "8bxy" }), 'deviceReads: "x" at digit 2 is not a hex digit'],
    ["memory beyond 52 bits", mmioCase({ memory: [{ gpa: 2 ** 52 - 1, bytes: "9090" }] }), "memory[0]: ends beyond"],
    ["an unknown register", mmioCase({ registers: { Eax: 1 } }), 'registers.Eax: "Eax" is not a register\'s WHv name'],
    ["a segment that is a number", mmioCase({ registers: { Ds: 1 } }), "registers.Ds: 1 is not an object"],
    [
      "a misspelt field",
      mmioCase({ deviceReads: undefined, deviceRead: "00" }),
      'deviceRead: unknown field; did you mean "deviceReads"?',
    ],
    ["a misspelt nested field", ioCase({ stringop: true }), 'exit.stringop: unknown field; did you mean "stringOp"?'],
    ["an unknown callback", mmioCase({ fail: { callback: "read" } }), 'fail.callback: "read" is none of'],
    ["a failure that is none", mmioCase({ fail: { callback: "memory", hresult: 0 } }), "fail.hresult: 0 is S_OK"],
    ["an unknown translation", mmioCase({ translate: "tlb" }), 'translate: "tlb" is neither "identity" nor "walk"'],
    ["a field that nests without end", ioCase({ rax: nested(100_000) }), 'exit.rax: ["[…]"] is not a number'],
    ["256 instruction bytes", ioCase({ instructionBytes: "90".repeat(256) }), "InstructionByteCount ends at 255"],
  ])("%s", (_, json, expected) => {
    expect(refusal(json)).toContain(expected);
  });

  test("the id of an unreadable case is still known", () => {
    expect(caseId({ id: 7, kind: 3 })).toBe(7);
    expect(caseId({ id: { a: 1 } })).toBeNull();
    expect(caseId(12)).toBeNull();
  });
});
