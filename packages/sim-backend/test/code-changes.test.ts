/** Code that changes: by the guest itself, by the host between runs, through another mapping; and code across pages. */
import { WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { get, guest, hex, PROTECTED_MODE, READ_WRITE_EXECUTE, set, type TestGuest } from "./guest-image.ts";
import { P, pagingGuest, W } from "./paging-guest.ts";

function flat(code: string, at = 0x1000, registers: Record<string, bigint | number> = {}): TestGuest {
  const made = guest(0x1_0000);
  made.ram.bytes.set(hex(code), at);
  set(made.processor, { ...PROTECTED_MODE, Rip: at, Rsp: 0x8000, ...registers });
  return made;
}

describe("self-modifying code", () => {
  test("the next instruction", () => {
    // mov byte [0x1007], 0x43: INC EAX there becomes INC EBX
    const made = flat("c6050710000043 40 f4");
    made.processor.run();
    expect([get(made.processor, "Rax"), get(made.processor, "Rbx")]).toEqual([0n, 1n]);
  });

  test("an instruction that has run before, changed in its immediate", () => {
    // again: mov eax, 1; add [0x1001], byte 1; dec ecx; jnz again; hlt
    const made = flat("b801000000 800501100000 01 49 75f1 f4", 0x1000, { Rcx: 5 });
    expect(made.processor.run().exitReason).toBe(Reason.WHvRunVpExitReasonX64Halt);
    expect(get(made.processor, "Rax")).toBe(5n);
  });

  test("by REP STOSB over code that has run", () => {
    // call f; mov al, 0x43; mov edi, f; mov ecx, 1; rep stosb; call f; hlt; f (1020h): inc edx; ret
    const made = flat("e81b000000 b043 bf20100000 b901000000 f3aa e808000000 f4", 0x1000, { Rdx: 0 });
    made.ram.bytes.set(hex("42 c3"), 0x1020);
    made.processor.run();
    expect([get(made.processor, "Rdx"), get(made.processor, "Rbx")]).toEqual([1n, 1n]);
  });

  test("through another linear address of the same page", () => {
    const { processor, ram, tables } = pagingGuest("4-level");
    tables.map(0x40_0000n, 0x1000n, [P | W]);
    // inc eax (ffc0); mov byte [rbx+1], 0xc3 (inc ebx); jmp to the start once
    ram.bytes.set(hex("ffc0 c64301c3 ffc9 75f6 f4"), 0x1000);
    set(processor, { Rbx: 0x40_0000, Rcx: 2 });
    processor.run();
    expect([get(processor, "Rax"), get(processor, "Rbx")]).toEqual([1n, 0x40_0001n]);
  });
});

describe("the host", () => {
  test("changes code between two runs", () => {
    const made = flat("40 f4");
    made.processor.run();
    made.ram.bytes[0x1000] = 0x43;
    set(made.processor, { Rip: 0x1000 });
    made.processor.run();
    expect([get(made.processor, "Rax"), get(made.processor, "Rbx")]).toEqual([1n, 1n]);
  });

  test("maps other memory where code has run", () => {
    const { processor, partition } = flat("40 f4");
    processor.run();
    const other = partition.allocateMemory(0x1000);
    other.bytes.set(hex("43 f4"));
    partition.mapGpaRange(other, 0, 0x1000, 0x1000, READ_WRITE_EXECUTE);
    set(processor, { Rip: 0x1000 });
    processor.run();
    expect([get(processor, "Rax"), get(processor, "Rbx")]).toEqual([1n, 1n]);
  });
});

describe("an instruction across two pages", () => {
  test("is fetched from both", () => {
    const made = flat("b844332211 f4", 0x1ffe);
    made.processor.run();
    expect(get(made.processor, "Rax")).toBe(0x1122_3344n);
  });

  test("faults with the address of the second page when that is missing", () => {
    const { processor, ram } = pagingGuest("4-level");
    ram.bytes.set(hex("b844"), 0x1ffe);
    set(processor, { Rip: 0x1ffe });
    expect(processor.step(1).exception).toEqual({ vector: 14, errorCode: 0, cr2: 0x2000n });
    expect(get(processor, "Rip")).toBe(0x1ffen);
  });

  test("exits with Execute where the second page is device memory", () => {
    const { processor, ram } = flat("90", 0x1000);
    ram.bytes.set(hex("b8"), 0xffff);
    set(processor, { Rip: 0xffff });
    const exit = processor.run();
    if (exit.exitReason !== Reason.WHvRunVpExitReasonMemoryAccess) throw new Error(`exit ${exit.exitReason}`);
    expect([exit.memoryAccess.accessInfo.accessType, exit.memoryAccess.gpa]).toEqual([2, 0x1_0000]);
  });

  test("its second page may change", () => {
    const made = flat("b844332211 f4", 0x1ffe);
    made.processor.run();
    made.ram.bytes[0x2000] = 0x99;
    set(made.processor, { Rip: 0x1ffe });
    made.processor.run();
    expect(get(made.processor, "Rax")).toBe(0x1122_9944n);
  });
});

describe("what cannot be an instruction", () => {
  test.each([
    ["UD2", "0f0b", { vector: 6, errorCode: null, cr2: null }],
    ["16 prefixes", "66666666666666666666666666666690", { vector: 13, errorCode: 0, cr2: null }],
    ["LOCK on a register", "f001c0", { vector: 6, errorCode: null, cr2: null }],
  ])("%s", (_name, code, exception) => {
    expect(flat(code).processor.step(1)).toEqual({ instructions: 0, exit: null, exception });
  });

  test("code beyond the limit of CS is #GP(0)", () => {
    const made = flat("90 90");
    set(made.processor, { Cs: [0n, 0x1000, 8, 0x409b] });
    expect(made.processor.step(2)).toEqual({
      instructions: 1,
      exit: null,
      exception: { vector: 13, errorCode: 0, cr2: null },
    });
  });
});
