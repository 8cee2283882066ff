/**
 * A machine on which an instruction of any form has something to do: flat segments with a descriptor table behind them,
 * operands in device memory, a stack in device memory, and what the device delivers chosen so that the instruction succeeds
 * (a divisor that is not 0, a selector that may be loaded, a frame that can be returned to).
 */
import { type EmulationResult, type Emulator, WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { type Instruction, OperandKind } from "@whvkit/x86-decoder";
import type { Encoding } from "../../x86-decoder/test/oracle/form-encodings.ts";
import { createEmulator } from "../src/index.ts";
import { memoryExit, type VpInit, vpExit } from "./exits.ts";
import { flatSegment, hostCallbacks, TestHost } from "./test-host.ts";

const NAME = WHV_REGISTER_NAME;
const GDT = 0x9000;
/** Where rDI, rSI and rSP point; the pages before and after are device memory as well. */
export const OPERAND = 0x5000;
const SOURCE = 0x7000;
const STACK = 0xd000;
/** More than the longest operand, XRSTOR's area. */
const DEVICE_BYTES = 1024;
const CODE_SELECTOR = 8;
const DATA_SELECTOR = 0x10;
const LDT_SELECTOR = 0x20;
const TSS_SELECTOR = 0x30;

/** Does the instruction name memory? */
export function hasMemory(instruction: Instruction): boolean {
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.memory || kind === OperandKind.stringSource) return true;
    if (kind === OperandKind.stringDestination || kind === OperandKind.maskDestination) return true;
  }
  return false;
}

/** The five callbacks, and those that reach vector state; what vector state holds does not matter here. */
const fiveCallbacks: Emulator<TestHost> = createEmulator(hostCallbacks);
const allCallbacks: Emulator<TestHost> = createEmulator<TestHost>({
  ...hostCallbacks,
  getExtendedState: () => 0,
  setExtendedState: (_host, state) => {
    state.vectors.fill(0);
    return 0;
  },
});

/** A host for the encoding, whose operand starts at `operand`. */
export function hostFor({ form, mode }: Encoding, operand: number = OPERAND): TestHost {
  const host = new TestHost();
  for (const [name, value] of [
    [NAME.WHvX64RegisterRcx, 2n],
    [NAME.WHvX64RegisterRbx, BigInt(operand)],
    [NAME.WHvX64RegisterRsp, BigInt(STACK)],
    [NAME.WHvX64RegisterRbp, BigInt(STACK)],
    [NAME.WHvX64RegisterRsi, BigInt(SOURCE)],
    [NAME.WHvX64RegisterRdi, BigInt(operand)],
    [NAME.WHvX64RegisterCr0, mode === 64 ? 0x8000_0011n : 0x11n],
    [NAME.WHvX64RegisterCr4, 0x4_0620n],
    [NAME.WHvX64RegisterXCr0, 7n],
    [NAME.WHvX64RegisterEfer, mode === 64 ? 0x500n : 0n],
  ] as const)
    host.put(name, value);
  putTables(host, mode);
  const contents = contentsOf(form.name, form.opcode, mode);
  for (let i = 0; i < DEVICE_BYTES; i++) host.deviceReads.push(contents[i % contents.length] as number);
  return host;
}

/** Emulates it with the five callbacks, or with all. */
export function emulate(
  { mode, bytes }: Encoding,
  host: TestHost,
  callbacks: "five" | "all",
  vp: VpInit = {},
): EmulationResult {
  const emulator = callbacks === "five" ? fiveCallbacks : allCallbacks;
  return emulator.tryMmioEmulation(host, vpExit({ mode, ...vp }), memoryExit({ bytes }));
}

function putTables(host: TestHost, mode: number): void {
  const big = mode === 64 ? 0x00af_0000_0000_0000n : mode === 32 ? 0x00cf_0000_0000_0000n : 0x008f_0000_0000_0000n;
  const descriptors = [
    0n,
    big | 0x0000_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0n,
    // A local descriptor table and an available TSS; in 64-bit mode their upper halves are 0.
    0x0000_8200_b000_00ffn,
    0n,
    0x0000_8900_c000_00ffn,
    0n,
  ];
  putQuadwords(host, GDT, descriptors);
  host.registers.set(NAME.WHvX64RegisterGdtr, [0, (descriptors.length * 8 - 1) << 16, GDT, 0]);
  host.registers.set(NAME.WHvX64RegisterTr, flatSegment(0x8b, 0xc000n, 0xff, TSS_SELECTOR));
  host.registers.set(NAME.WHvX64RegisterLdtr, flatSegment(0x82, 0xb000n, 0xff, LDT_SELECTOR));
}

function putQuadwords(host: TestHost, gpa: number, values: readonly bigint[]): void {
  for (const [i, value] of values.entries())
    for (let byte = 0; byte < 8; byte++) host.ram.set(gpa + i * 8 + byte, Number((value >> BigInt(byte * 8)) & 0xffn));
}

/** What device memory holds, over and over. */
function contentsOf(name: string, opcode: string, mode: number): number[] {
  const size = /\bo16\b/.test(opcode) ? 2 : /\bo64\b/.test(opcode) ? 8 : 4;
  const word = (value: number, bytes = size): number[] =>
    Array.from({ length: bytes }, (_, i) => (i < 4 ? (value >> (8 * i)) & 0xff : 0));
  const flags = word(2);
  switch (name) {
    case "div":
    case "idiv":
      return [1];
    case "mov":
    case "pop":
      return word(DATA_SELECTOR, 8);
    case "lds":
    case "les":
    case "lss":
    case "lfs":
    case "lgs":
      return [...word(0), ...word(DATA_SELECTOR, 2)];
    case "call":
    case "jmp":
      return /\/[35]/.test(opcode) ? [...word(0x1000), ...word(CODE_SELECTOR, 2)] : word(0x1000);
    case "lldt":
      return word(LDT_SELECTOR, 2);
    case "ltr":
      return word(TSS_SELECTOR, 2);
    case "retf":
      return [...word(0x1000), ...word(CODE_SELECTOR)];
    case "iret":
    case "iretd":
    case "iretq":
      return mode === 64
        ? [...word(0x1000), ...word(CODE_SELECTOR), ...flags, ...word(0x8000), ...word(DATA_SELECTOR)]
        : [...word(0x1000), ...word(CODE_SELECTOR), ...flags];
    default:
      return [0];
  }
}
