/** Small programs of integer instructions, from a seed: what simulator.suite.ts runs on two hypervisors. */
import type { GuestPlan } from "../../../conformance/src/suite/backend/guest.ts";

export type Mode = "real" | "protected" | "long";

/** What two runs are compared by. */
export const compared: readonly string[] = [
  ...["Rax", "Rcx", "Rdx", "Rbx", "Rsp", "Rbp", "Rsi", "Rdi", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"],
  ...["Rip", "Rflags", "Cs", "Ds", "Es", "Ss", "Fs", "Gs", "Cr0", "Cr2", "Cr3", "Cr4", "Efer"],
  "PendingInterruption",
];

/** A number from 0 up to below a bound. */
export type Random = (bound: number) => number;

/** Xorshift, 32 bits. */
export function seeded(seed: number): Random {
  let state = (seed * 0x9e37_79b9) | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** ModRM with a memory operand [rbx], [rsi+disp8] or [rdi], or a register that is not RSP. */
function modrm(random: Random, field: number, memory: boolean): number[] {
  if (!memory) return [0xc0 | (field << 3) | [0, 1, 2, 3, 5, 6, 7][random(7)]];
  const at = random(3);
  // In 16 bits: 7 = [bx], 4 = [si+disp8], 5 = [di]; in 32 and 64 bits 3 = [rbx], 6 = [rsi+disp8], 7 = [rdi].
  return at === 1 ? [0x40 | (field << 3) | 0x100, random(64)] : [(field << 3) | (at === 0 ? 0x200 : 0x300)];
}

/**
 * One instruction. Left out is what KVM's own emulator is known to do otherwise than a processor: AAM and AAD (flags of 16
 * bits instead of 8), undefined flags of the other decimal instructions, CMPXCHG of 32-bit registers in long mode (upper
 * halves that a processor keeps), and OUTS from device memory (the access before the port). Bits above a byte mark the base register, which differs between 16-bit and wider addressing.
 */
function instruction(mode: Mode, random: Random): number[] {
  const memory = random(2) === 0;
  const field = random(8) === 4 ? 0 : [0, 1, 2, 3, 5, 6, 7][random(7)];
  const rm = (reg = field): number[] => modrm(random, reg, memory);
  const prefix = [...(random(3) === 0 ? [0x66] : []), ...(mode === "long" && random(3) === 0 ? [0x48] : [])];
  const word = prefix.includes(0x66) !== (mode === "real");
  const immediate = (): number[] => Array.from({ length: prefix.includes(0x48) || !word ? 4 : 2 }, () => random(256));
  const legacy = mode !== "long";
  const forms: (() => number[])[] = [
    () => [...prefix, random(8) * 8 + random(4), ...rm()], // ALU r/m, r and r, r/m
    () => [...prefix, 0x80, ...rm(random(8)), random(256)],
    () => [...prefix, 0x83, ...rm(random(8)), random(256)],
    () => [...prefix, 0x81, ...rm(random(8)), ...immediate()],
    () => [...prefix, 0x84 + random(4), ...rm()], // TEST, XCHG
    () => [...prefix, 0x88 + random(4), ...rm()], // MOV
    () => [...prefix, 0xc0 + random(2), ...rm([0, 1, 2, 3, 4, 5, 7][random(7)]), random(64)], // shifts
    () => [...prefix, 0xd0 + random(4), ...rm([0, 1, 2, 3, 4, 5, 7][random(7)])],
    () => [...prefix, 0xf6 + random(2), ...rm(2 + random(2))], // NOT, NEG
    () => [...prefix, 0xf6 + random(2), ...rm(4 + random(2))], // MUL, IMUL
    () => [...prefix, 0xfe + random(2), ...rm(random(2))], // INC, DEC
    () => [...prefix, 0x0f, [0xa3, 0xab, 0xb3, 0xbb][random(4)], ...modrm(random, field, false)], // BT r, r
    () => [...prefix, 0x0f, 0xba, ...rm(4 + random(4)), random(256)],
    () => [...prefix, 0x0f, [0xa4, 0xac][random(2)], ...rm(), 1 + random(15)], // SHLD, SHRD
    () => [...prefix, 0x0f, 0xaf, ...rm()],
    () => [...prefix, 0x0f, [0xb6, 0xb7, 0xbe, 0xbf][random(4)], ...rm()],
    () => [...prefix, 0x0f, 0x40 + random(16), ...rm()], // CMOVcc
    () => [...prefix, 0x0f, 0x90 + random(16), ...rm(0)], // SETcc
    () => [...prefix, 0x0f, 0xb0 + random(2), ...modrm(random, field, memory || mode === "long")], // CMPXCHG
    () => [...prefix, 0x0f, 0xc0 + random(2), ...rm()], // XADD
    () => [...prefix, 0x8d, ...modrm(random, field, true)],
    () => [...prefix, 0x98 + random(2)],
    () => [0x50 + field, 0x58 + [0, 1, 2, 5][random(4)]], // PUSH, POP
    () => [0xff, ...modrm(random, 6, memory)], // PUSH r/m
    () => [0x9c, 0x58], // PUSHF, POP RAX
    () => [[0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc][random(6)]],
    () => [0x31, 0xc9, 0xb1, 1 + random(4), 0xf3, ...prefix, [0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad][random(6)]], // XOR CX, CX; MOV CL; REP …
    () => [...prefix, [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf][random(10)]],
    () => [0x70 + random(16), 1, 0x40 + (legacy ? random(4) : 8)], // Jcc over INC or REX
    () => [[0xe4, 0xe5][random(2)], random(256)],
    () => [[0xe6, 0xe7][random(2)], random(256)],
    () => [[0xec, 0xed, 0xee, 0xef, 0x6c, 0x6d, 0x6e, 0x6f][random(mode === "real" ? 8 : 4)]],
  ];
  return forms[random(forms.length)]();
}

/** The base register's code, in the mode's addressing. */
function encode(mode: Mode, bytes: readonly number[]): number[] {
  const bases = mode === "real" ? [4, 7, 5] : [6, 3, 7];
  return bytes.map((byte) => (byte > 0xff ? (byte & 0xff) | (bases[(byte >> 8) - 1] as number) : byte));
}

/** A program of up to eight instructions and HLT, with registers that point to RAM and to device memory. */
export function generate(mode: Mode, random: Random): GuestPlan {
  const code = Array.from({ length: 1 + random(8) }, () => encode(mode, instruction(mode, random))).flat();
  const device = mode === "long" ? 0x20_2000 : mode === "protected" ? 0xd000_0000 : 0xf000;
  const pointer = (): number => (random(4) === 0 ? device + random(0x100) : 0x2000 + random(0x2000));
  const value = (): bigint => (BigInt(random(0x1_0000_0000)) << 32n) | BigInt(random(0x1_0000_0000));
  const wide = mode === "long" ? (): bigint => value() : (): bigint => value() & 0xffff_ffffn;
  return {
    mode,
    code: hex([...code, 0xf4]),
    registers: {
      ...{ Rax: wide(), Rcx: wide(), Rdx: wide(), Rbp: wide(), Rflags: 2 | ((random(2) * 0x8d5) & 0x8d5) },
      ...{ Rbx: pointer(), Rsi: pointer(), Rdi: pointer() },
    },
    bytes: [[0x2000, hex(Array.from({ length: 0x100 }, () => random(256)))]],
  };
}
