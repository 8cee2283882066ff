/**
 * Each callback fails at each position of its calls: the status bit of that callback and no other, no call after it, no
 * register set, and in RAM what the calls before it made.
 */
import type { CreateEmulator } from "../../capture/case-recorder.ts";
import { readEmulationCase } from "../../emulation/case-reader.ts";
import type { CallbackName, EmulationCase } from "../../emulation/emulation-case.ts";
import { runEmulationCase } from "../../emulation/emulation-run.ts";
import type { CallbackCall } from "../../host/transcript.ts";
import { type EmulatorCheck, expectMatch } from "../check.ts";
import { type ExitSituation, situationCase } from "./exit-situation.ts";

const statusOf: Readonly<Record<CallbackName, string>> = {
  ioPort: "IoPortCallbackFailed",
  memory: "MemoryCallbackFailed",
  translate: "TranslateGvaPageCallbackFailed",
  getRegisters: "GetVirtualProcessorRegistersCallbackFailed",
  setRegisters: "SetVirtualProcessorRegistersCallbackFailed",
};

/** What a failing callback answers; any HRESULT but S_OK is a failure. */
const hresults = [0x8000_4005, 1];

const situations: readonly { readonly name: string; readonly title: string; readonly exit: ExitSituation }[] = [
  {
    name: "in",
    title: "IN",
    exit: { kind: "io", code: "ec", instructionLength: 1, registers: { Rdx: "0x60" }, portReads: ["0x7"] },
  },
  {
    name: "fetch-and-load",
    title: "a load with absent bytes",
    exit: { kind: "mmio", code: "8b07", delivered: 0, exit: { gvaValid: false }, deviceReads: "01020304" },
  },
  {
    name: "read-modify-write",
    title: "a read-modify-write",
    exit: { kind: "mmio", code: "010f", exit: { gvaValid: false }, registers: { Rcx: "0x1" } },
  },
  {
    name: "page-crossing-store",
    title: "a store across pages",
    exit: {
      kind: "mmio",
      code: "8907",
      exit: { gvaValid: false, accessType: "write", gpa: "0xfee00ffe" },
      registers: { Rdi: "0xfee00ffe" },
    },
  },
  {
    name: "rep-movsb",
    title: "REP MOVSB of three elements",
    exit: {
      kind: "mmio",
      code: "f3a4",
      exit: { gvaValid: false },
      registers: { Rcx: "0x3", Rsi: "0xfee00020", Rdi: "0x2000" },
      memory: [{ gpa: "0x2000", bytes: "000000" }],
      deviceReads: "010203",
    },
  },
  {
    name: "rep-insb",
    title: "REP INSB of two elements",
    exit: {
      kind: "io",
      code: "f36c",
      exit: { stringOp: true, repPrefix: true, port: 0x1f0, rcx: "0x2", rdi: "0x2000" },
      registers: { Rcx: "0x2", Rdi: "0x2000", Rdx: "0x1f0" },
      memory: [{ gpa: "0x2000", bytes: "0000" }],
      portReads: ["0x41", "0x42"],
    },
  },
];

/** Checks of failing callbacks. */
export const callbackFailureChecks: readonly EmulatorCheck[] = /* @__PURE__ */ situations.map(
  ({ name, title, exit }): EmulatorCheck => ({
    id: `emulator.failure.${name}`,
    title: `Each callback of ${title} fails in turn: its status bit alone, nothing called after it, nothing set`,
    reference: "B3, B4",
    choice: false,
    subject: "emulator",
    run: (createEmulator) => failEachCall(createEmulator, readEmulationCase(situationCase(exit))),
  }),
);

function failEachCall(createEmulator: CreateEmulator, emulationCase: EmulationCase): void {
  const good = runEmulationCase(emulationCase, { createEmulator });
  expectMatch("status without a failure", good.status, ["EmulationSuccessful"]);
  const counts = new Map<CallbackName, number>();
  good.calls.forEach((call, position) => {
    const at = counts.get(call.callback) ?? 0;
    counts.set(call.callback, at + 1);
    for (const hresult of hresults) {
      const failing = { ...emulationCase, fail: { callback: call.callback, at, hresult } };
      const outcome = runEmulationCase(failing, { createEmulator });
      const where = `${call.callback} call ${at} fails with 0x${hresult.toString(16)}`;
      expectMatch(`${where}: hresult`, outcome.hresult, "0x0");
      expectMatch(`${where}: status`, outcome.status, [statusOf[call.callback]]);
      expectMatch(`${where}: number of callbacks`, outcome.calls.length, position + 1);
      expectMatch(`${where}: callbacks before`, outcome.calls.slice(0, position), good.calls.slice(0, position));
      expectMatch(`${where}: the last callback`, outcome.calls.at(-1)?.callback, call.callback);
      expectMatch(`${where}: memory`, outcome.memory, memoryAfter(emulationCase, good.calls.slice(0, position)));
    }
  });
}

/** RAM that the writes among `calls` changed, as a result shows it. All RAM of these situations is 0 and consecutive. */
function memoryAfter(emulationCase: EmulationCase, calls: readonly CallbackCall[]): { gpa: string; bytes: string }[] {
  const ram = emulationCase.memory.at(-1);
  const changed: string[] = [];
  for (const call of calls) {
    if (call.callback !== "memory" || call.direction !== "write" || ram === undefined) continue;
    const offset = Number(call.gpa) - ram.gpa;
    if (offset >= 0 && offset < ram.bytes.length) changed.push(call.data);
  }
  return changed.length === 0 || ram === undefined
    ? []
    : [{ gpa: `0x${ram.gpa.toString(16)}`, bytes: changed.join("") }];
}
