// What the decoder's interface promises: statuses, reuse, halves, sizes. Encodings are those of the Intel SDM, volume 2.

import { describe, expect, test } from "vitest";
import {
  Decoder,
  DecodeStatus,
  formatInstruction,
  Instruction,
  InvalidReason,
  Mnemonic,
  mnemonicName,
  OperandKind,
  Register,
  RoundingMode,
  registerName,
} from "../src/index.ts";

function decode(mode: 16 | 32 | 64, hex: string): Instruction {
  const instruction = new Instruction();
  expect(new Decoder(mode).decode(Buffer.from(hex, "hex"), 0, instruction)).toBe(DecodeStatus.ok);
  expect(instruction.length).toBe(hex.length / 2);
  return instruction;
}

function status(mode: 16 | 32 | 64, hex: string): number {
  return new Decoder(mode).decode(Buffer.from(hex, "hex"), 0, new Instruction());
}

describe("operands", () => {
  test("registers, memory and immediates with their sizes", () => {
    const instruction = decode(64, "48834424f0ff"); // add qword ptr [rsp-0x10], -1
    expect(instruction.mnemonic).toBe(Mnemonic.add);
    expect(instruction.operandSize).toBe(8);
    expect(instruction.addressSize).toBe(8);
    expect([...instruction.operandKinds]).toEqual([OperandKind.memory, OperandKind.immediate]);
    expect([...instruction.operandSizes]).toEqual([8, 8]);
    expect(instruction.memoryBase).toBe(Register.rsp);
    expect(instruction.memoryIndex).toBe(0);
    expect(instruction.memorySegment).toBe(Register.ss);
    expect([instruction.displacementLow, instruction.displacementHigh, instruction.displacementSize]).toEqual([
      -16, -1, 1,
    ]);
    expect([instruction.immediateLow, instruction.immediateHigh]).toEqual([-1, -1]);
    expect(instruction.immediate).toBe(-1n);
    expect(instruction.displacement).toBe(-16n);
  });

  test("without REX 4 to 7 are AH to BH, with any REX SPL to DIL", () => {
    expect(decode(64, "88e0").operandRegister(1)).toBe(Register.ah);
    expect(decode(64, "4088e0").operandRegister(1)).toBe(Register.spl);
  });

  test("string instructions name both sides, the source with its segment", () => {
    const instruction = decode(32, "64a5"); // movsd es:[edi], fs:[esi]
    expect([...instruction.operandKinds]).toEqual([OperandKind.stringDestination, OperandKind.stringSource]);
    expect([...instruction.operandSizes]).toEqual([4, 4]);
    expect(registerName(instruction.memorySegment)).toBe("fs");
  });

  test("XLATB is a memory operand of rBX and AL", () => {
    const instruction = decode(16, "d7");
    expect([instruction.memoryBase, instruction.memoryIndex]).toEqual([Register.bx, Register.al]);
  });

  test("the direct offset of MOV is the whole address", () => {
    const instruction = decode(64, "48a1efcdab8967452381");
    expect(instruction.displacement).toBe(BigInt.asIntN(64, 0x8123456789abcdefn));
    expect([instruction.displacementSize, instruction.memoryBase]).toEqual([8, 0]);
  });

  test("branches hold the displacement and know their target", () => {
    const instruction = decode(64, "e8fbffffff");
    expect(instruction.operandKind(0)).toBe(OperandKind.branch);
    expect(instruction.immediateLow).toBe(-5);
    expect(instruction.branchTarget(0x1000n)).toBe(0x1000n);
    expect(decode(16, "ebfe").branchTarget(0n)).toBe(0n);
    expect(decode(16, "ebfd").branchTarget(0n)).toBe(0xffffn);
  });

  test("far pointers, ENTER and EXTRQ have two immediates", () => {
    const far = decode(32, "ea78563412cdab");
    expect([far.operandKind(0), far.operandSizeAt(0), far.immediateLow, far.immediate2]).toEqual([
      OperandKind.farPointer,
      6,
      0x12345678,
      0xabcd,
    ]);
    const enter = decode(64, "c8341205");
    expect([enter.immediateLow, enter.immediate2, enter.operandSize]).toEqual([0x1234, 5, 8]);
  });

  test("EVEX scales one-byte displacements and names mask, zeroing, broadcast and rounding", () => {
    const broadcast = decode(64, "62f17cda584801"); // vaddps zmm1{k2}{z}, zmm0, dword ptr [rax+4]{1to16}
    expect([broadcast.broadcast, broadcast.displacementLow, broadcast.operandSizeAt(2)]).toEqual([16, 4, 4]);
    expect([registerName(broadcast.opmask), broadcast.zeroing, broadcast.vectorLength]).toEqual(["k2", true, 64]);
    const rounded = decode(64, "62f17c7858c8"); // vaddps zmm1, zmm0, zmm0, {rz-sae}
    expect([rounded.rounding, rounded.suppressExceptions]).toEqual([RoundingMode.zero, true]);
  });
});

describe("prefixes", () => {
  test("the last of F2 and F3 counts, and none where it is part of the opcode", () => {
    expect(decode(64, "f2f3a4").repeat).toBe(0xf3);
    expect(decode(64, "f30f10c1").repeat).toBe(0);
  });

  test("REX counts only before the opcode", () => {
    expect(decode(64, "486601d8").operandSize).toBe(2);
    expect(decode(64, "664801d8").operandSize).toBe(8);
  });

  test("in 64-bit mode only FS and GS override", () => {
    expect(registerName(decode(64, "2e8b00").memorySegment)).toBe("ds");
    expect(registerName(decode(64, "652e8b00").memorySegment)).toBe("gs");
    expect(registerName(decode(32, "2e8b00").memorySegment)).toBe("cs");
  });

  test("LOCK needs a memory destination of an instruction that allows it", () => {
    expect(decode(32, "f00100").lock).toBe(true);
    expect(status(32, "f001c0")).toBe(DecodeStatus.invalid);
    expect(status(32, "f08b00")).toBe(DecodeStatus.invalid);
  });
});

describe("what is no instruction", () => {
  test("truncated bytes say how many are missing at least", () => {
    const instruction = new Instruction();
    const decoder = new Decoder(64);
    const bytes = Buffer.from("48b8efcdab8967452301", "hex");
    for (let end = 0; end < bytes.length; end++) {
      expect(decoder.decode(bytes, 0, instruction, end)).toBe(DecodeStatus.truncated);
      expect(instruction.bytesNeeded).toBe(end < 2 ? 1 : bytes.length - end);
    }
    expect(decoder.decode(bytes, 0, instruction)).toBe(DecodeStatus.ok);
  });

  test("15 bytes are the limit", () => {
    expect(decode(64, `${"66".repeat(13)}01d8`).length).toBe(15);
    expect(status(64, `${"66".repeat(14)}01d8`)).toBe(DecodeStatus.tooLong);
    expect(status(64, "66".repeat(14))).toBe(DecodeStatus.truncated);
    expect(status(64, "66".repeat(15))).toBe(DecodeStatus.tooLong);
  });

  test.each<[16 | 32 | 64, string, string]>([
    [64, "06", "PUSH ES"],
    [64, "d500", "AAD"],
    [64, "82c000", "group 1 at 82"],
    [64, "8ec8", "MOV to CS"],
    [64, "0f20c8", "MOV from CR1"],
    [64, "66c5f858c1", "VEX after 66"],
    [64, "c5f177", "VZEROALL with pp 66"],
    [64, "c5e851c1", "VSQRTPS with vvvv"],
    [64, "c4e2f992ccc0", "a gather without SIB"],
    [64, "c4e27192440ac0", "a gather whose registers agree"],
    [64, "62f17c8858c1", "zeroing without a mask"],
    [32, "0f04", "0F 04"],
  ])("in %i-bit mode %s is rejected: %s", (mode, hex) => {
    expect(status(mode, hex)).toBe(DecodeStatus.invalid);
  });
});

test("an invalid instruction has a reason", () => {
  const reason = (hex: string): number => {
    const instruction = new Instruction();
    expect(new Decoder(64).decode(Buffer.from(hex, "hex"), 0, instruction)).toBe(DecodeStatus.invalid);
    return instruction.invalidReason;
  };
  expect(reason("06")).toBe(InvalidReason.opcode);
  expect(reason("f001c0")).toBe(InvalidReason.prefix);
  expect(reason("66c5f858c1")).toBe(InvalidReason.prefix);
  expect(reason("c5e851c1")).toBe(InvalidReason.vector);
  expect(reason("0f20c8")).toBe(InvalidReason.registers);
});

describe("options", () => {
  const run = (hex: string, options: ConstructorParameters<typeof Decoder>[1]): string => {
    const instruction = new Instruction();
    const outcome = new Decoder(64, options).decode(Buffer.from(hex, "hex"), 0, instruction);
    return outcome === DecodeStatus.ok ? formatInstruction(instruction) : "invalid";
  };
  test("AMD processors cut near branches after 66", () => {
    expect(run("66e90000", { amd: true })).toBe("jmp 4");
    expect(run("66e900000000", {})).toBe("jmp 6");
    expect(run("f00f20c0", { amd: true })).toBe("mov rax, cr8");
    expect(run("f00f20c0", {})).toBe("invalid");
  });
  test("MPX instructions are reserved NOPs without the option", () => {
    expect(run("660f1ac1", { mpx: true })).toBe("bndmov bnd0, bnd1");
    expect(run("660f1ac1", {})).toBe("reservednop cx, ax");
  });
});

test("a mode that does not exist is refused", () => {
  expect(() => new Decoder(8 as 16)).toThrow(new RangeError("mode 8 is none of 16, 32, 64"));
});

test("a register's and a mnemonic's number leads back to its name", () => {
  for (const [name, number] of Object.entries(Register)) if (name !== "none") expect(registerName(number)).toBe(name);
  for (const [name, number] of Object.entries(Mnemonic)) expect(mnemonicName(number)).toBe(name);
});
