/**
 * Turns captured port instructions (IN, OUT, INS, OUTS on an 80286 in real mode) into emulation cases, and holds what an
 * emulator did against what the processor did: ports, directions, sizes and data on the bus, registers and memory after.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import type { CaseIoExit, EmulationCase, MemoryRun } from "../emulation/emulation-case.ts";
import type { EmulationOutcome } from "../emulation/emulation-run.ts";
import { type RegisterWords, wordsOf } from "../registers/register-json.ts";
import type { MooCycle, MooRegister, MooState, MooTest } from "./moo-file.ts";

/** One transfer on a 16-bit bus; a word at an odd port takes two. @public */
export interface BusTransfer {
  /** IN or OUT. */
  readonly direction: "in" | "out";
  /** 0 to 0xffff. */
  readonly port: number;
  /** Bytes, 1 or 2. */
  readonly size: number;
  /** Unsigned; -1 where the capture ends before the data. */
  readonly data: number;
}

interface PortInstruction {
  readonly isWrite: boolean;
  readonly isString: boolean;
  readonly size: number;
  /** The port that the instruction names, `null` where DX does. */
  readonly port: number | null;
  readonly repeats: boolean;
  /** Bytes, prefixes included. */
  readonly length: number;
}

const prefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0, 0xf2, 0xf3]);

/** Bits 12 to 15 of FLAGS are loaded as 0: the 80286 stores others there than later processors. */
const comparedFlags = 0x0fff;

const generalRegisters: readonly (readonly [MooRegister, string, number])[] = [
  ["ax", "Rax", WHV_REGISTER_NAME.WHvX64RegisterRax],
  ["bx", "Rbx", WHV_REGISTER_NAME.WHvX64RegisterRbx],
  ["cx", "Rcx", WHV_REGISTER_NAME.WHvX64RegisterRcx],
  ["dx", "Rdx", WHV_REGISTER_NAME.WHvX64RegisterRdx],
  ["sp", "Rsp", WHV_REGISTER_NAME.WHvX64RegisterRsp],
  ["bp", "Rbp", WHV_REGISTER_NAME.WHvX64RegisterRbp],
  ["si", "Rsi", WHV_REGISTER_NAME.WHvX64RegisterRsi],
  ["di", "Rdi", WHV_REGISTER_NAME.WHvX64RegisterRdi],
];

const segmentRegisters: readonly (readonly [MooRegister, number])[] = [
  ["es", WHV_REGISTER_NAME.WHvX64RegisterEs],
  ["cs", WHV_REGISTER_NAME.WHvX64RegisterCs],
  ["ss", WHV_REGISTER_NAME.WHvX64RegisterSs],
  ["ds", WHV_REGISTER_NAME.WHvX64RegisterDs],
];

/**
 * The exit that a hypervisor reports for a captured port instruction.
 *
 * @param test - from {@link readMooFile}
 * @returns `null` where the instruction is none of IN, OUT, INS and OUTS
 *
 * @example
 * ```ts
 * import { portCaseOf } from "@whvkit/conformance";
 * const initial = { registers: new Map([["ax", 0x41]] as const), memory: [] };
 * const captured = { index: 0, name: "out 80h, al", bytes: Uint8Array.of(0xe6, 0x80), initial, final: initial, cycles: [], exception: null };
 * portCaseOf(captured)?.exit.kind; // "io"
 * portCaseOf({ ...captured, bytes: Uint8Array.of(0x90) }); // null
 * ```
 *
 * @public
 */
export function portCaseOf(test: MooTest): EmulationCase | null {
  const instruction = portInstructionOf(test.bytes);
  if (instruction === null) return null;
  const { initial } = test;
  const value = (name: MooRegister): bigint => BigInt(registerOf(initial, name));
  const rflags = BigInt((registerOf(initial, "flags") & comparedFlags) | 2);
  const exit: CaseIoExit = {
    kind: "io",
    instructionBytes: test.bytes.subarray(0, instruction.length),
    isWrite: instruction.isWrite,
    accessSize: instruction.size,
    stringOp: instruction.isString,
    repPrefix: instruction.repeats,
    port: instruction.port ?? registerOf(initial, "dx"),
    rax: value("ax"),
    rcx: value("cx"),
    rsi: value("si"),
    rdi: value("di"),
    ds: realModeSegment(registerOf(initial, "ds")),
    es: realModeSegment(registerOf(initial, "es")),
  };
  return {
    id: `${test.index}: ${test.name}`,
    vp: {
      cpl: 0,
      cr0Pe: false,
      cr0Am: false,
      eferLma: false,
      debugActive: false,
      interruptionPending: false,
      interruptShadow: false,
      instructionLength: instruction.length,
      cr8: 0,
      cs: realModeSegment(registerOf(initial, "cs")),
      rip: value("ip"),
      rflags,
    },
    exit,
    registers: new Map([
      ...generalRegisters.map(([name, , code]) => [code, wordsOf(value(name))] as const),
      ...segmentRegisters.map(([name, code]) => [code, realModeSegment(registerOf(initial, name))] as const),
    ]),
    memory: initialMemory(test),
    deviceReads: new Uint8Array(),
    portReads: [],
    translate: "identity",
    fail: null,
    options: {},
  };
}

/**
 * What differs between a captured instruction and its emulation, one line each; none where they agree. A captured
 * exception is compared before its delivery: vector, and no change of registers other than what the delivery makes.
 *
 * @param test - from {@link readMooFile}
 * @param outcome - of the case that {@link portCaseOf} made of it
 *
 * @example
 * ```ts
 * import { portCaseOf, portVectorDifferences, runEmulationCase } from "@whvkit/conformance";
 * import { createEmulator } from "@whvkit/emulator-core";
 * const before = { registers: new Map([["ax", 0x41], ["flags", 2]] as const), memory: [] };
 * const after = { registers: new Map([["ip", 2]] as const), memory: [] };
 * const bus = { pins: 0, address: 0x80, data: 0x41, busStatus: 10, tState: 1, byteHighEnable: false };
 * const captured = { index: 0, name: "out 80h, al", bytes: Uint8Array.of(0xe6, 0x80), initial: before, final: after, cycles: [bus, bus], exception: null };
 * const emulationCase = portCaseOf(captured);
 * if (emulationCase === null) throw new Error("no port instruction");
 * portVectorDifferences(captured, runEmulationCase(emulationCase, { createEmulator })).length; // 1
 * ```
 *
 * @public
 */
export function portVectorDifferences(test: MooTest, outcome: EmulationOutcome): string[] {
  if (!outcome.status.includes("EmulationSuccessful")) {
    const reason = outcome.diagnostic?.message ?? "no diagnostic";
    return [`status ${outcome.status.join(", ") || "empty"} (${reason})`];
  }
  const differences = comparePorts(test, outcome);
  const injected = outcome.diagnostic?.exception?.vector ?? null;
  const captured = test.exception?.vector ?? null;
  if (injected !== captured) {
    differences.push(`exception ${injected ?? "none"}, captured ${captured ?? "none"}`);
    return differences;
  }
  const after = stateAfter(test, outcome);
  if (captured !== null) deliverException(captured, after);
  return [...differences, ...compareRegisters(test, after), ...compareMemory(test, after)];
}

/**
 * The port transfers of a capture. The data is on the bus in the cycle after the one that starts the transfer.
 *
 * @param cycles - of a {@link MooTest}, one a clock
 * @returns the transfers in their order; ports are 0 to 0xffff, sizes 1 or 2 bytes
 *
 * @example
 * ```ts
 * import { portTransfers } from "@whvkit/conformance";
 * const cycle = { pins: 0, address: 0x80, data: 0, busStatus: 10, tState: 1, byteHighEnable: false };
 * portTransfers([cycle, { ...cycle, tState: 2, data: 0x41 }]); // [{ direction: "out", port: 0x80, size: 1, data: 0x41 }]
 * ```
 *
 * @public
 */
export function portTransfers(cycles: readonly MooCycle[]): BusTransfer[] {
  const transfers: BusTransfer[] = [];
  for (const [index, cycle] of cycles.entries()) {
    const { busStatus, tState, address, byteHighEnable } = cycle;
    if (tState !== 1 || (busStatus !== 9 && busStatus !== 10)) continue;
    const odd = (address & 1) !== 0;
    const size = byteHighEnable && !odd ? 2 : 1;
    const lanes = cycles[index + 1]?.data ?? -1;
    const data = size === 2 ? lanes : odd ? lanes >> 8 : lanes & 0xff;
    transfers.push({ direction: busStatus === 9 ? "in" : "out", port: address & 0xffff, size, data });
  }
  return transfers;
}

/**
 * The ports that an emulation touched, as a 16-bit bus carries them: a word at an odd port as two bytes, low first.
 *
 * @param calls - of an {@link EmulationOutcome}
 * @returns the transfers in their order; ports are 0 to 0xffff, sizes 1, 2 or 4 bytes
 *
 * @example
 * ```ts
 * import { portTransfersOfCalls } from "@whvkit/conformance";
 * const word = { callback: "ioPort", direction: "out", port: 0x81, size: 2, data: "0x1234" } as const;
 * portTransfersOfCalls([word]).map(({ port, data }) => [port, data]); // [[0x81, 0x34], [0x82, 0x12]]
 * ```
 *
 * @public
 */
export function portTransfersOfCalls(calls: EmulationOutcome["calls"]): BusTransfer[] {
  return calls.flatMap((call) => {
    if (call.callback !== "ioPort") return [];
    const { direction, port, size } = call;
    const data = Number(call.data);
    if (size === 1 || (port & 1) === 0) return [{ direction, port, size, data }];
    return [
      { direction, port, size: 1, data: data & 0xff },
      { direction, port: (port + 1) & 0xffff, size: 1, data: data >> 8 },
    ];
  });
}

function portInstructionOf(bytes: Uint8Array): PortInstruction | null {
  let at = 0;
  let repeats = false;
  while (prefixes.has(bytes[at] ?? 0)) {
    repeats ||= bytes[at] === 0xf2 || bytes[at] === 0xf3;
    at++;
  }
  const opcode = bytes[at] ?? 0;
  const isString = opcode >= 0x6c && opcode <= 0x6f;
  const immediate = opcode >= 0xe4 && opcode <= 0xe7;
  if (!isString && !immediate && (opcode < 0xec || opcode > 0xef)) return null;
  return {
    isWrite: (opcode & 2) !== 0,
    isString,
    size: (opcode & 1) + 1,
    port: immediate ? (bytes[at + 1] ?? 0) : null,
    repeats,
    length: at + (immediate ? 2 : 1),
  };
}

interface RealModeState {
  readonly registers: Map<MooRegister, number>;
  readonly memory: Map<number, number>;
}

/** Registers and memory after the emulation, before any delivery. */
function stateAfter(test: MooTest, outcome: EmulationOutcome): RealModeState {
  const registers = new Map(test.initial.registers);
  registers.set("flags", (registerOf(test.initial, "flags") & comparedFlags) | 2);
  const names: (readonly [MooRegister, string])[] = generalRegisters.map(([name, whvName]) => [name, whvName]);
  names.push(["ip", "Rip"], ["flags", "Rflags"]);
  for (const [name, whvName] of names) {
    const value = outcome.set?.[whvName];
    if (typeof value === "string") registers.set(name, Number(BigInt(value) & 0xffff_ffffn));
  }
  const memory = new Map(test.initial.memory.map(({ address, byte }) => [address, byte]));
  for (const { gpa, bytes } of outcome.memory) {
    for (let i = 0; i < bytes.length / 2; i++)
      memory.set(Number(gpa) + i, Number.parseInt(bytes.slice(2 * i, 2 * i + 2), 16));
  }
  return { registers, memory };
}

/** Real-mode delivery (SDM volume 3, 21.1.4): FLAGS, CS and IP pushed, IF and TF cleared, vector read from the table. */
function deliverException(vector: number, { registers, memory }: RealModeState): void {
  const get = (name: MooRegister): number => registers.get(name) ?? 0;
  const word = (address: number): number => (memory.get(address) ?? 0) | ((memory.get(address + 1) ?? 0) << 8);
  for (const name of ["flags", "cs", "ip"] as const) {
    registers.set("sp", (get("sp") - 2) & 0xffff);
    for (const half of [0, 1]) {
      const address = (get("ss") << 4) + ((get("sp") + half) & 0xffff);
      memory.set(address, ((name === "flags" ? get(name) & comparedFlags : get(name)) >> (8 * half)) & 0xff);
    }
  }
  registers.set("flags", get("flags") & ~0x300);
  registers.set("ip", word(4 * vector));
  registers.set("cs", word(4 * vector + 2));
}

function comparePorts(test: MooTest, outcome: EmulationOutcome): string[] {
  const expected = portTransfers(test.cycles).map(shownTransfer);
  const actual = portTransfersOfCalls(outcome.calls).map(shownTransfer);
  const count = Math.max(expected.length, actual.length);
  for (let i = 0; i < count; i++) {
    if (expected[i] !== actual[i]) {
      return [`port transfer ${i}: ${actual[i] ?? "none"}, captured ${expected[i] ?? "none"}`];
    }
  }
  return [];
}

function compareRegisters(test: MooTest, after: RealModeState): string[] {
  const differences: string[] = [];
  for (const [name, before] of test.initial.registers) {
    const mask = name === "flags" ? comparedFlags : 0xffff_ffff;
    // The captured IP is the one after the HLT that ends the capture.
    const captured = name === "ip" ? registerOf(test.final, "ip") - 1 : (test.final.registers.get(name) ?? before);
    const actual = after.registers.get(name) ?? 0;
    if (((actual ^ captured) & mask) !== 0) differences.push(`${name} ${hex(actual)}, captured ${hex(captured)}`);
  }
  return differences;
}

function compareMemory(test: MooTest, after: RealModeState): string[] {
  const captured = new Map(test.initial.memory.map(({ address, byte }) => [address, byte]));
  for (const { address, byte } of test.final.memory) captured.set(address, byte);
  const addresses = new Set([...captured.keys(), ...after.memory.keys()]);
  return [...addresses].flatMap((address) => {
    const [actual, expected] = [after.memory.get(address) ?? 0, captured.get(address) ?? 0];
    return actual === expected ? [] : [`byte at ${hex(address)} ${hex(actual)}, captured ${hex(expected)}`];
  });
}

/** The listed bytes, and the bytes that only the final state lists as RAM of unknown content (0 before). */
function initialMemory(test: MooTest): MemoryRun[] {
  const run = (address: number, byte: number): MemoryRun => ({ gpa: address, bytes: Uint8Array.of(byte) });
  return [
    ...test.final.memory.map(({ address }) => run(address, 0)),
    ...test.initial.memory.map(({ address, byte }) => run(address, byte)),
  ];
}

/** A segment as real mode loads it: base 16 times the selector, limit 64 KiB. */
function realModeSegment(selector: number): RegisterWords {
  return [selector << 4, 0, 0xffff, ((0x93 << 16) | selector) >>> 0];
}

function registerOf(state: MooState, name: MooRegister): number {
  return state.registers.get(name) ?? 0;
}

function shownTransfer({ direction, port, size, data }: BusTransfer): string {
  return `${direction} ${size} ${hex(port)}=${hex(data)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
