/** What goes with the end of an instruction: RIP's width, RF, single-step, interrupt shadow, and grouping of the calls. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";

const out = {
  kind: "io",
  code: "ee",
  instructionLength: 1,
  exit: { isWrite: true },
  registers: { Rdx: "0x60" },
} as const;
const outAccess = ["out 0x60/1 0x0"];
const load = { kind: "mmio", code: "8b07", deviceReads: "01020304" } as const;
const loadAccess = ["read 0xfee00020 01020304"];

const rows: readonly EmulationRow[] = [
  ...(
    [
      ["64", 64, "0xffffffffffffffff", "0x0"],
      ["64-past-4-gib", 64, "0xffffffff", "0x100000000"],
      ["32", 32, "0xffffffff", "0x0"],
      ["compatibility", "compatibility", "0xffffffff", "0x0"],
      ["16", 16, "0xffff", "0x0"],
    ] as const
  ).map(([name, mode, rip, after]) => ({
    id: `retire.rip-${name}`,
    title: `RIP moves on with the width of the code, ${name}-bit`.replace("-past-4-gib-bit", "-bit past 4 GiB"),
    reference: "C16",
    exit: { ...out, mode, rip },
    expect: { accesses: outAccess, registers: { Rip: after } },
  })),
  {
    id: "retire.resume-flag",
    title: "RFLAGS.RF is cleared when the instruction is done",
    reference: "C17",
    choice: true,
    exit: { ...load, rflags: "0x10002" },
    expect: { accesses: loadAccess, registers: { Rax: "0x4030201", Rip: "0x1002", Rflags: "0x2" } },
  },
  {
    id: "retire.single-step",
    title: "RFLAGS.TF: a pending debug exception with the one set; TF stays",
    reference: "C18",
    choice: true,
    exit: { ...load, rflags: "0x102" },
    expect: { accesses: loadAccess, registers: { Rax: "0x4030201", Rip: "0x1002", PendingDebugException: "0x10" } },
  },
  {
    id: "retire.interrupt-shadow",
    title: "The interrupt shadow ends with the instruction, NmiMasked stays",
    reference: "C19",
    choice: true,
    exit: { ...load, executionState: { interruptShadow: true }, registers: { InterruptState: "0x3" } },
    expect: { accesses: loadAccess, registers: { Rax: "0x4030201", Rip: "0x1002", InterruptState: "0x2" } },
  },
  {
    id: "retire.interrupt-shadow-port",
    title: "The interrupt shadow ends with a port instruction too",
    reference: "C19",
    choice: true,
    exit: {
      ...out,
      executionState: { interruptShadow: true },
      registers: { ...out.registers, InterruptState: "0x1" },
    },
    expect: { accesses: outAccess, registers: { Rip: "0x1001", InterruptState: "0x0" } },
  },
  {
    id: "retire.one-get",
    title: "Registers are read in one get, at the start, and the exit's translation costs no call",
    reference: "C24",
    choice: true,
    exit: load,
    expect: {
      accesses: loadAccess,
      registers: { Rax: "0x4030201", Rip: "0x1002" },
      callbacks: ["getRegisters", "memory", "setRegisters"],
    },
  },
  ...(["mmio", "io"] as const).map((kind) => ({
    id: `retire.interruption-pending-${kind}`,
    title: `ExecutionState.InterruptionPending in an exit of kind ${kind}: InterruptCausedIntercept and no callback`,
    reference: "B13, C6",
    exit: { ...(kind === "mmio" ? load : out), executionState: { interruptionPending: true } },
    expect: { status: ["InterruptCausedIntercept"], callbacks: [] },
  })),
];

/** Checks of the end of an instruction. */
export const retirementChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks(rows);
