/**
 * The simulator against KVM, behind the same interfaces: small programs of integer instructions in real, protected and long
 * mode, with RAM, device memory and ports. Every exit, every register in it and all memory at the end must be the same.
 */
import assert from "node:assert/strict";
import { createEmulator } from "@whvkit/emulator-core";
import { simHypervisor } from "@whvkit/sim-backend";
import {
  E_NOTIMPL,
  type Emulator,
  type EmulatorCallbacks,
  type Hypervisor,
  WHV_RUN_VP_EXIT_REASON as Reason,
  RegisterValues,
  type RunVpExit,
  registerByShortName,
  type VirtualProcessor,
  WhvError,
} from "@whvkit/whv-types";
import { createWinHypervisor } from "@whvkit/win-backend";
import { check, libraryDirectory, runChecks, Skipped } from "../../../../tooling/windows-stand-ins/suite.ts";
import { Guest, type GuestPlan } from "../../../conformance/src/suite/backend/guest.ts";
import { platform } from "./fixtures.ts";
import { compared, generate, type Mode, seeded } from "./random-programs.ts";

const names = compared.map((name) => registerByShortName(name) as number);
const maxExits = 24;

interface Run {
  readonly guest: Guest;
  readonly emulator: Emulator;
}

const ramSize = 0x1_0000;
/** What a device answers: told by where it is asked, so that both runs hear the same. */
const deviceByte = (address: number): number => (address * 0x9d + 0x37) & 0xff;

function callbacksFor(guest: Guest): EmulatorCallbacks<null> {
  const { processor, ram } = guest;
  const result = { resultCode: 0, gpa: 0 };
  return {
    ioPort(_, access) {
      if (access.direction === 0) access.data = deviceByte(access.port) * 0x0101_0101;
      return 0;
    },
    memory(_, { gpaAddress, direction, accessSize, data }) {
      for (let i = 0; i < accessSize; i++) {
        const at = gpaAddress + i;
        if (direction === 0) data[i] = at < ramSize ? (ram.bytes[at] as number) : deviceByte(at);
        else if (at < ramSize) ram.bytes[at] = data[i] as number;
      }
      return 0;
    },
    getVirtualProcessorRegisters(_, list, count, values) {
      processor.getRegisters(list, count, values);
      return 0;
    },
    setVirtualProcessorRegisters(_, list, count, values) {
      processor.setRegisters(list, count, values);
      return 0;
    },
    translateGvaPage(_, translation) {
      processor.translateGva(translation.gvaPageLow, translation.gvaPageHigh, translation.flags, result);
      translation.resultCode = result.resultCode;
      translation.gpaPage = result.gpa;
      return 0;
    },
  };
}

/** Registers by name as text, and what the exit says of itself. */
function describe(exit: RunVpExit, processor: VirtualProcessor): string[] {
  const values = new RegisterValues(names.length);
  processor.getRegisters(Uint32Array.from(names), names.length, values);
  const { vpContext } = exit;
  const state = vpContext.executionState.toObject();
  const about = [
    `reason ${exit.exitReason.toString(16)} at ${vpContext.rip.toString(16)}, ${vpContext.rflags.toString(16)}`,
    JSON.stringify({ ...state, cs: vpContext.cs.selector }),
  ];
  if (exit.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess) {
    const { accessInfo, portNumber, rax } = exit.ioPortAccess;
    about.push(JSON.stringify({ ...accessInfo.toObject(), portNumber, rax: rax.toString(16) }));
  }
  if (exit.exitReason === Reason.WHvRunVpExitReasonMemoryAccess) {
    const { accessInfo, gpa } = exit.memoryAccess;
    // Of a read-modify-write a processor tells the write, and KVM's emulator the read.
    const type = accessInfo.accessType === 2 ? "execute" : "data";
    about.push(`access ${type}, unmapped ${accessInfo.gpaUnmapped}, ${gpa.toString(16)}`);
  }
  // A processor that shut down has no registers to speak of.
  if (exit.exitReason === Reason.WHvRunVpExitReasonUnrecoverableException) return [`reason ${exit.exitReason}`];
  return [...about, ...compared.map((name, i) => `${name} ${values.get128(i).toString(16)}`)];
}

/** The exits of a program to its end, and the memory then; `null` where the hypervisor cannot run it. */
function trace(hypervisor: Hypervisor, plan: GuestPlan): string[][] | null {
  const partition = hypervisor.createPartition();
  try {
    const guest = new Guest(hypervisor, partition, plan);
    const run: Run = { guest, emulator: createEmulator(callbacksFor(guest)) };
    const exits: string[][] = [];
    for (let count = 0; count < maxExits; count++) {
      const exit = guest.processor.run();
      if (exit.exitReason === Reason.WHvRunVpExitReasonCanceled) return null;
      exits.push(describe(exit, guest.processor));
      const io = exit.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess;
      if (!io && exit.exitReason !== Reason.WHvRunVpExitReasonMemoryAccess) break;
      if (!io && exit.memoryAccess.accessInfo.accessType === 2) break;
      const { emulationSuccessful, statusBits } = io
        ? run.emulator.tryIoEmulation(null, exit.vpContext, exit.ioPortAccess)
        : run.emulator.tryMmioEmulation(null, exit.vpContext, exit.memoryAccess);
      exits.push([`status ${statusBits}`]);
      if (!emulationSuccessful) break;
    }
    // A line for each 256 bytes that are not all 0.
    const { bytes } = guest.ram;
    for (let at = 0; at < ramSize; at += 256) {
      const line = bytes.subarray(at, at + 256);
      if (line.some((byte) => byte !== 0))
        exits.push([`memory ${at.toString(16)} ${Buffer.from(line).toString("hex")}`]);
    }
    return exits;
  } catch (error) {
    if (error instanceof WhvError && error.hresult === E_NOTIMPL) return null;
    throw error;
  } finally {
    partition.dispose();
  }
}

function firstDifference(first: string[][], second: string[][]): string | null {
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    const [a = ["no exit"], b = ["no exit"]] = [first[i], second[i]];
    const lines = a.flatMap((line, at) =>
      line === b[at] ? [] : [`${line.slice(0, 200)} | ${(b[at] ?? "").slice(0, 200)}`],
    );
    if (lines.length > 0 || a.length !== b.length) return `step ${i}: ${lines.join("; ")}`;
  }
  return null;
}

for (const mode of ["real", "protected", "long"] as Mode[]) {
  check(`on /dev/kvm: programs in ${mode} mode run on the simulator as on KVM`, () => {
    if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
    try {
      const kvm = createWinHypervisor({ libraryDirectory });
      const sim = {
        ...simHypervisor,
        createPartition: () => simHypervisor.createPartition({ memoryCapacity: 0x20_0000 }),
      };
      const random = seeded(mode.length);
      const differences: string[] = [];
      let ran = 0;
      for (let i = 0; i < 100; i++) {
        const plan = generate(mode, random);
        const [theirs, ours] = [trace(kvm, plan), trace(sim, plan)];
        if (theirs === null || ours === null) continue;
        ran += 1;
        const difference = firstDifference(ours, theirs);
        if (difference !== null) differences.push(`${plan.code}: sim | kvm: ${difference}`);
      }
      assert.deepEqual(differences, []);
      assert.ok(ran > 90, `${ran} programs ran on both`);
    } finally {
      platform.useKvm(0);
    }
  });
}

await runChecks(() => {
  platform.takeViolations();
});
