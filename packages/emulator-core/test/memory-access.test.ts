/** How accesses reach the memory callback: sizes, order, page crossings, read-modify-write. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, RAM, TestBed } from "./test-bed.ts";
import { flatSegment } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const at = (s: TestBed, address: bigint): TestBed => {
  s.host.put(NAME.WHvX64RegisterRdi, address);
  return s;
};

describe("one access inside a page is one callback, aligned or not", () => {
  test.each([
    ["mov al, [rdi]", 1, 0xfee0_0021],
    ["mov ax, [rdi]", 2, 0xfee0_0021],
    ["mov eax, [rdi]", 4, 0xfee0_0023],
    ["mov rax, [rdi]", 8, 0xfee0_0ff7],
  ] as const)("%s: %i bytes", (instruction, size, address) => {
    const s = at(new TestBed(), BigInt(address));
    s.mmio({}, { bytes: code[instruction], gpa: address });
    expect(s.host.texts("memory")).toEqual([`read ${size}@${address.toString(16)}`]);
  });
});

describe("an access across a page is two callbacks, low then high, after both translations", () => {
  test("8 bytes at 0xffe: 2 and 6", () => {
    const s = at(new TestBed(), 0xffen);
    s.host.deviceReads = [1, 2, 3, 4, 5, 6, 7, 8];
    s.mmio({}, { bytes: code["mov rax, [rdi]"] });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      "translate 0x0 flags 11",
      "translate 0x1000 flags 11",
      "read 2@ffe",
      "read 6@1000",
    ]);
    expect(s.set["Rax"]).toBe(0x0807_0605_0403_0201n);
  });

  test("a store too, and the pages need not be neighbours", () => {
    const s = at(new TestBed(), 0x1ffdn);
    s.host.pages.set(0x1000n, { gpa: 0x8000 }).set(0x2000n, { gpa: 0x5000 });
    s.host.put(NAME.WHvX64RegisterRax, 0x4433_2211n);
    s.mmio({}, { bytes: code["mov [rdi], eax"], accessType: 1 });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      "translate 0x1000 flags 13",
      "translate 0x2000 flags 13",
      "write 3@8ffd=0x332211",
      "write 1@5000=0x44",
    ]);
  });

  test("the exit's translation serves for its page", () => {
    const s = at(new TestBed(), 0xfee0_0fffn);
    s.mmio({}, { bytes: code["mov ax, [rdi]"], gpa: 0xfee0_0fff });
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0xfee01000 flags 11"]);
  });

  test("a fault on the second page leaves no side effect", () => {
    const s = at(new TestBed(), 0x1ffdn);
    s.host.pages.set(0x2000n, { result: 1 });
    const result = s.mmio({}, { bytes: code["mov [rdi], eax"], accessType: 1 });
    expect(result.diagnostic?.exception).toEqual({ vector: 14, errorCode: 2, cr2: 0x2000n });
    expect(s.host.count("memory")).toBe(0);
  });

  test("at 4 GiB in 64-bit code the next page is above, in 32-bit code at 0", () => {
    const long = at(new TestBed(), 0xffff_fffen);
    long.mmio({}, { bytes: code["mov eax, [rdi]"] });
    expect(long.host.texts("memory")).toEqual(["read 2@fffffffe", "read 2@100000000"]);
    const legacy = at(new TestBed(), 0xffff_fffen);
    legacy.mmio({ mode: 32 }, { bytes: code["mov eax, [edi]"] });
    expect(legacy.host.texts("memory")).toEqual(["read 2@fffffffe", "read 2@0"]);
  });
});

describe("read-modify-write: one read, one write, both rights asked before the read", () => {
  test.each(["add [rdi], ecx", "lock add [rdi], ecx", "xchg [rdi], ecx"] as const)("%s", (instruction) => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRcx, 0x10n);
    s.host.deviceReads = [5, 0, 0, 0];
    s.mmio({}, { bytes: code[instruction] });
    const written = instruction.startsWith("xchg") ? "10" : "15";
    expect(s.host.texts("memory", "translateGvaPage")).toEqual([
      "translate 0xfee00000 flags 13",
      "read 4@fee00020",
      `write 4@fee00020=0x${written}`,
    ]);
  });

  test("a page that cannot be written faults before the device is read", () => {
    const s = new TestBed();
    s.host.pages.set(0xfee0_0000n, { result: 2 });
    const result = s.mmio({ cpl: 3 }, { bytes: code["add [rdi], ecx"] });
    expect(result.diagnostic?.exception).toEqual({ vector: 14, errorCode: 7, cr2: 0xfee0_0020n });
    expect(s.host.count("memory")).toBe(0);
  });
});

describe("CMPXCHG that does not match", () => {
  const run = (s: TestBed, rax: bigint): TestBed => {
    s.host.put(NAME.WHvX64RegisterRax, rax).put(NAME.WHvX64RegisterRcx, 0x77n);
    s.host.deviceReads = [5, 0, 0, 0];
    expect(s.mmio({}, { bytes: code["cmpxchg [rdi], ecx"], gpa: DEVICE }).diagnostic).toBe(null);
    return s;
  };

  test("writes the old value back, as the processor does", () => {
    const s = run(new TestBed(), 1n);
    expect(s.host.texts("memory")).toEqual(["read 4@fee00020", "write 4@fee00020=0x5"]);
    expect(s.set["Rax"]).toBe(5n);
  });

  test("with cmpxchgAlwaysWrites false it does not", () => {
    const s = run(new TestBed({ cmpxchgAlwaysWrites: false }), 1n);
    expect(s.host.texts("memory")).toEqual(["read 4@fee00020"]);
    expect(s.set["Rax"]).toBe(5n);
  });

  test("a match writes either way", () => {
    for (const cmpxchgAlwaysWrites of [true, false]) {
      const s = run(new TestBed({ cmpxchgAlwaysWrites }), 5n);
      expect(s.host.texts("memory")).toEqual(["read 4@fee00020", "write 4@fee00020=0x77"]);
    }
  });
});

test("RAM operands go through the same callback as device memory", () => {
  const s = new TestBed();
  s.host.putBytes(RAM, 1, 2, 3, 4);
  s.mmio({}, { bytes: code.movsd, gpa: DEVICE, accessType: 1 });
  expect(s.host.texts("memory")).toEqual(["read 4@2000", "write 4@fee00020=0x4030201"]);
});

test("a 16-bit address operand in real mode", () => {
  const s = new TestBed();
  s.host.registers.set(NAME.WHvX64RegisterDs, flatSegment(0x93, 0xb_8000n, 0xffff));
  s.host.put(NAME.WHvX64RegisterRbx, 0xffff_0010n);
  s.mmio({ mode: 16, real: true }, { bytes: code["mov ax, [bx]"] });
  expect(s.host.texts()).toEqual(["get Rax Rbx Ds", "translate 0xb8000 flags 11", "read 2@b8010", "set Rax Rip"]);
});
