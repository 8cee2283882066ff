// Compares instruction information with iced-x86: flags, memory accesses, used registers, in a common notation.

import {
  FlowControl,
  type Instruction as IcedInstruction,
  InstructionInfoFactory,
  OpAccess,
  RflagsBits,
} from "iced-x86";
import {
  type FlagName,
  formInfo,
  type Instruction,
  instructionInfo,
  RegisterClass,
  registerClass,
} from "../../src/index.ts";
import { icedCode, registerOf } from "./iced.ts";

const icedFlags: readonly [number, FlagName][] = [
  [RflagsBits.OF, "of"],
  [RflagsBits.SF, "sf"],
  [RflagsBits.ZF, "zf"],
  [RflagsBits.AF, "af"],
  [RflagsBits.CF, "cf"],
  [RflagsBits.PF, "pf"],
  [RflagsBits.DF, "df"],
  [RflagsBits.IF, "if"],
  [RflagsBits.AC, "ac"],
  [RflagsBits.C0, "c0"],
  [RflagsBits.C1, "c1"],
  [RflagsBits.C2, "c2"],
  [RflagsBits.C3, "c3"],
];
const names = (bits: number): string =>
  icedFlags
    .filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => name)
    .sort()
    .join(" ");
const sorted = (list: readonly string[]): string => [...list].sort().join(" ");

/** Flags that differ, or an empty string. */
export function compareFlags(own: Instruction, iced: IcedInstruction): string {
  const { flags } = instructionInfo(own);
  const pairs: [string, string, string][] = [
    ["read", sorted(flags.read), names(iced.rflagsRead)],
    ["written", sorted(flags.written), names(iced.rflagsWritten)],
    ["undefined", sorted(flags.undefined), names(iced.rflagsUndefined)],
    ["cleared", sorted(flags.cleared), names(iced.rflagsCleared)],
    ["set", sorted(flags.set), names(iced.rflagsSet)],
  ];
  for (const [set, a, b] of pairs) if (a !== b) return `${icedCode(iced.code)}: flags ${set} "${a}", iced "${b}"`;
  return "";
}

const factory = new InstructionInfoFactory();
const accessNames: Record<number, string> = {
  [OpAccess.None]: "none",
  [OpAccess.Read]: "read",
  [OpAccess.CondRead]: "conditional-read",
  [OpAccess.Write]: "write",
  [OpAccess.CondWrite]: "conditional-write",
  [OpAccess.ReadWrite]: "readwrite",
  [OpAccess.ReadCondWrite]: "read-conditional-write",
  [OpAccess.NoMemAccess]: "none",
};

/** Whole registers: every part of RAX is RAX, XMM0 and YMM0 are ZMM0. */
function whole(register: number): string {
  const cls = registerClass(register);
  const number = register & 31;
  if (cls >= RegisterClass.gpr8 && cls <= RegisterClass.gpr64) return `r${number}`;
  if (cls >= RegisterClass.xmm && cls <= RegisterClass.zmm) return `v${number}`;
  return `${cls}:${number}`;
}

/** Used registers that differ, or an empty string; segment and stack registers aside, for which conventions differ. */
export function compareRegisters(own: Instruction, iced: IcedInstruction): string {
  const info = factory.info(iced);
  try {
    const a = new Map<string, number>();
    for (const { register, access } of instructionInfo(own).registers) {
      if (registerClass(register) === RegisterClass.segment) continue;
      a.set(
        whole(register),
        (a.get(whole(register)) ?? 0) | (access.includes("read") ? 1 : 0) | (access.includes("write") ? 2 : 0),
      );
    }
    const b = new Map<string, number>();
    for (const used of info.usedRegisters()) {
      const register = registerOf.get(used.register) ?? 0;
      if (register !== 0 && registerClass(register) !== RegisterClass.segment) {
        const access = accessNames[used.access] ?? "";
        b.set(
          whole(register),
          (b.get(whole(register)) ?? 0) | (access.includes("read") ? 1 : 0) | (access.includes("write") ? 2 : 0),
        );
      }
      used.free();
    }
    const text = (map: Map<string, number>): string =>
      [...map]
        .map(([name, bits]) => `${name}${["", "r", "w", "rw"][bits]}`)
        .sort()
        .join(" ");
    return text(a) === text(b) ? "" : `${icedCode(iced.code)}: registers ${text(a)}, iced ${text(b)}`;
  } finally {
    info.free();
  }
}

const flowNames: Record<number, string> = {
  [FlowControl.Next]: "next",
  [FlowControl.UnconditionalBranch]: "branch",
  [FlowControl.IndirectBranch]: "indirect-branch",
  [FlowControl.ConditionalBranch]: "conditional-branch",
  [FlowControl.Return]: "return",
  [FlowControl.Call]: "call",
  [FlowControl.IndirectCall]: "indirect-call",
  [FlowControl.Interrupt]: "interrupt",
  [FlowControl.XbeginXabortXend]: "xbegin",
  [FlowControl.Exception]: "exception",
};

/** Flow control that differs, or an empty string. */
export function compareFlow(own: Instruction, iced: IcedInstruction): string {
  const a = formInfo(own.form).flow;
  const b = flowNames[iced.flowControl] ?? "?";
  return a === b ? "" : `${icedCode(iced.code)}: flow ${a}, iced ${b}`;
}
