/** Calls that an emulator must refuse, and what must not harm it: malformed contexts, destruction, re-entry, throws. */
import { E_FAIL, E_INVALIDARG, type Emulator, type EmulatorCallbacks, S_OK } from "@whvkit/whv-types";
import type { CreateEmulator } from "../../capture/case-recorder.ts";
import { readEmulationCase } from "../../emulation/case-reader.ts";
import type { EmulationCase } from "../../emulation/emulation-case.ts";
import { type EmulationOutcome, EmulationRunner, runEmulationCase } from "../../emulation/emulation-run.ts";
import { CaseHost, caseCallbacks } from "../../host/case-host.ts";
import { Difference, type EmulatorCheck, expectMatch, OneOf } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";
import { type ExitSituation, situationCase } from "./exit-situation.ts";

const load: ExitSituation = { kind: "mmio", code: "8b07", deviceReads: "01020304" };
const port: ExitSituation = { kind: "io", code: "ec", instructionLength: 1, registers: { Rdx: "0x60" } };
const refusal = { hresult: `0x${E_INVALIDARG.toString(16)}`, callbacks: [] };

const malformed: readonly EmulationRow[] = [
  {
    id: "refused.byte-count-17",
    title: "InstructionByteCount 17 in a memory exit: E_INVALIDARG and no callback",
    reference: "B1, C26",
    exit: { ...load, extra: "90".repeat(15) },
    expect: refusal,
  },
  {
    id: "refused.byte-count-255",
    title: "InstructionByteCount 255 in a port exit: E_INVALIDARG and no callback",
    reference: "B1, C26",
    exit: { ...port, extra: "90".repeat(254) },
    expect: refusal,
  },
  {
    id: "refused.access-type-3",
    title: "AccessType 3: E_INVALIDARG and no callback",
    reference: "B1, C26",
    choice: true,
    exit: { ...load, exit: { accessType: 3 } },
    expect: refusal,
  },
  ...[0, 3, 5, 6, 7].map((accessSize) => ({
    id: `refused.port-size-${accessSize}`,
    title: `A port access of ${accessSize} bytes: E_INVALIDARG and no callback`,
    reference: "B1, C26",
    exit: { ...port, exit: { accessSize } },
    expect: refusal,
  })),
];

function parsed(situation: ExitSituation): EmulationCase {
  return readEmulationCase(situationCase(situation));
}

function check(id: string, title: string, reference: string, run: (create: CreateEmulator) => void): EmulatorCheck {
  return { id: `emulator.${id}`, title, reference, choice: false, subject: "emulator", run };
}

/** An emulator whose case host calls `inside` before every callback. */
function interposed(create: CreateEmulator, inside: (emulator: Emulator<CaseHost>) => void): CreateEmulator {
  const creating = (callbacks: EmulatorCallbacks<CaseHost>): Emulator<CaseHost> => {
    const emulator: Emulator<CaseHost> = create<CaseHost>({
      ioPort(host, access) {
        inside(emulator);
        return callbacks.ioPort(host, access);
      },
      memory(host, access) {
        inside(emulator);
        return callbacks.memory(host, access);
      },
      getVirtualProcessorRegisters(host, names, count, values) {
        inside(emulator);
        return callbacks.getVirtualProcessorRegisters(host, names, count, values);
      },
      setVirtualProcessorRegisters(host, names, count, values) {
        inside(emulator);
        return callbacks.setVirtualProcessorRegisters(host, names, count, values);
      },
      translateGvaPage(host, translation) {
        inside(emulator);
        return callbacks.translateGvaPage(host, translation);
      },
    });
    return emulator;
  };
  // The runner creates emulators for its own hosts only.
  return creating as CreateEmulator;
}

/** What a second call from a callback answers, and that the outer call is as if it had not been. */
function reenter(create: CreateEmulator): void {
  const alone = runEmulationCase(parsed(load), { createEmulator: create });
  const answers: number[] = [];
  const createEmulator = interposed(create, (emulator) => {
    const inner = new CaseHost(parsed(load));
    const source: CreateEmulator = () => borrowed(emulator) as never;
    answers.push(Number(runEmulationCase(parsed(load), { createEmulator: source }).hresult));
    expectMatch("callbacks of the inner call", inner.calls, []);
  });
  const outer = runEmulationCase(parsed(load), { createEmulator });
  if (answers.length === 0) throw new Difference("callbacks", "at least one", "none");
  for (const answer of answers) expectMatch("hresult of the inner call", answer, E_FAIL);
  expectSameOutcome(outer, alone);
}

/** The emulator without its destruction. */
function borrowed(emulator: Emulator<CaseHost>): Emulator<CaseHost> {
  return {
    tryIoEmulation: (context, vp, io) => emulator.tryIoEmulation(context, vp, io),
    tryMmioEmulation: (context, vp, mmio) => emulator.tryMmioEmulation(context, vp, mmio),
    destroy: () => {},
  };
}

function expectSameOutcome(actual: EmulationOutcome, expected: EmulationOutcome): void {
  expectMatch("hresult", actual.hresult, expected.hresult);
  expectMatch("status", actual.status, expected.status);
  expectMatch("callbacks", actual.calls, expected.calls);
  expectMatch("registers set", actual.set, expected.set);
}

function callDestroyed(create: CreateEmulator): void {
  for (const situation of [load, port]) {
    const createEmulator: CreateEmulator = (callbacks) => {
      const emulator = create(callbacks);
      emulator.destroy();
      return emulator;
    };
    const outcome = runEmulationCase(parsed(situation), { createEmulator });
    expectMatch(`${situation.kind}: hresult`, Number(outcome.hresult), E_INVALIDARG);
    expectMatch(`${situation.kind}: callbacks`, outcome.calls, []);
  }
}

/** Creation with one of the five callbacks absent must fail. */
function createIncomplete(create: CreateEmulator): void {
  for (const name of Object.keys(caseCallbacks)) {
    let error: unknown;
    try {
      create({ ...caseCallbacks, [name]: undefined } as never).destroy();
    } catch (thrown) {
      error = thrown;
    }
    expectMatch(
      `HRESULT of creation without ${name}`,
      (error as { hresult?: number } | undefined)?.hresult,
      E_INVALIDARG,
    );
  }
}

/** Two emulators, one called from a callback of the other, each with its own context. */
function nest(create: CreateEmulator): void {
  const other = new EmulationRunner({ createEmulator: create });
  try {
    const createEmulator = interposed(create, () => {
      const inner = other.run(parsed({ ...load, deviceReads: "09000000" }));
      expectMatch("status of the other emulator", inner.status, ["EmulationSuccessful"]);
      expectMatch("RAX of the other emulator", inner.set?.["Rax"], "0x9");
    });
    const outer = runEmulationCase(parsed(load), { createEmulator });
    expectMatch("status", outer.status, ["EmulationSuccessful"]);
    expectMatch("RAX", outer.set?.["Rax"], "0x4030201");
  } finally {
    other.dispose();
  }
}

/** A callback that throws counts as failed, and the emulator goes on working. */
function throwOnce(create: CreateEmulator): void {
  let throwing = true;
  const throwingSource = interposed(create, () => {
    if (throwing) throw new Error("thrown by a callback of the conformance suite");
  });
  const runner = new EmulationRunner({ createEmulator: throwingSource });
  try {
    const first = runner.run(parsed(port));
    expectMatch("hresult", Number(first.hresult), S_OK);
    const failures = [
      ["IoPortCallbackFailed"],
      ["GetVirtualProcessorRegistersCallbackFailed"],
      ["MemoryCallbackFailed"],
      ["TranslateGvaPageCallbackFailed"],
    ];
    expectMatch("status", first.status, new OneOf(...failures));
    throwing = false;
    expectMatch("status of the next call", runner.run(parsed(port)).status, ["EmulationSuccessful"]);
  } finally {
    runner.dispose();
  }
}

/** One emulator serves many exits of both kinds; nothing of one call stays for the next. */
function runMany(create: CreateEmulator): void {
  const situations = [load, port, { ...load, code: "010f" }, { ...load, mode: 32 as const }, load];
  const runner = new EmulationRunner({ createEmulator: create });
  try {
    for (const [i, situation] of [...situations, ...situations].entries()) {
      const outcome = runner.run(parsed(situation));
      const alone = runEmulationCase(parsed(situation), { createEmulator: create });
      expectMatch(
        `call ${i}`,
        [outcome.hresult, outcome.status, outcome.set],
        [alone.hresult, alone.status, alone.set],
      );
      const accesses = (calls: EmulationOutcome["calls"]): string[] =>
        calls
          .filter(({ callback }) => callback === "memory" || callback === "ioPort")
          .map((call) => JSON.stringify(call));
      expectMatch(`call ${i}: accesses`, accesses(outcome.calls), accesses(alone.calls));
    }
  } finally {
    runner.dispose();
  }
}

/** Checks of refusals and of what must not harm an emulator. */
export const refusedCallChecks: readonly EmulatorCheck[] = /* @__PURE__ */ [
  ...emulationChecks(malformed),
  check("refused.destroyed", "A destroyed emulator answers E_INVALIDARG and calls nothing", "B1, C26", callDestroyed),
  {
    ...check(
      "refused.missing-callback",
      "Creation without one of the callbacks is E_INVALIDARG",
      "C26",
      createIncomplete,
    ),
  },
  {
    ...check(
      "refused.re-entry",
      "A call from the emulator's own callback is E_FAIL; the outer call is unharmed",
      "C26",
      reenter,
    ),
    choice: true,
  },
  check(
    "calls.nested",
    "Another emulator may be called from a callback; each callback gets its own context",
    "B5",
    nest,
  ),
  check("calls.throwing", "A callback that throws is a failed callback, and the emulator lives on", "B4", throwOnce),
  check("calls.many", "One emulator serves many exits; nothing stays from one call for the next", "B5", runMany),
];
