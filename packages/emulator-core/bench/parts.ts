import { RegisterValues, EmulatorMemoryAccess, VpExitContextView, MemoryAccessContextView } from "@whvkit/whv-types";
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { Evaluator, programFor, RegisterFile } from "@whvkit/x86-semantics";
import { hostClasses, DEVICE } from "./hosts.ts";
import { ExitContext } from "../src/exit-context.ts";
import { InstructionBytes } from "../src/instruction-bytes.ts";
declare const process: { argv: string[]; cpuUsage(since?: unknown): { user: number; system: number } };
function time(name: string, f: () => void) {
  for (let i = 0; i < 1e6; i++) f();
  const t: number[] = [];
  for (let r = 0; r < 40; r++) { const s = process.cpuUsage(); for (let i = 0; i < 200000; i++) f(); const e = process.cpuUsage(s); t.push(((e.user + e.system) * 1000) / 200000); }
  t.sort((a, b) => a - b); console.log(name.padEnd(20), t[0]!.toFixed(1), t[20]!.toFixed(1));
}
const host = new hostClasses[0]!();
const names = Uint32Array.of(7); const setNames = Uint32Array.of(0, 16);
const values = new RegisterValues(16); const access = new EmulatorMemoryAccess(); access.gpaAddress = DEVICE; access.accessSize = 4;
const keep = new Int32Array(1);
time("host callbacks", () => { host.getVirtualProcessorRegisters(null, names, 1, values); host.memory(null, access); host.setVirtualProcessorRegisters(null, setNames, 2, values); });
const instruction = new Instruction();
new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction);
const program = programFor(instruction);
const machine = { registers: new RegisterFile(), data: new Int32Array(4), load() { return 0; } };
const ev = new Evaluator(machine as never);
time("evaluate", () => { keep[0] = ev.evaluate(program); });
const exit = new ExitContext(); const vp = VpExitContextView.from({ executionState: { cr0Pe: true, eferLma: true }, cs: { attributes: 0xa09b }, rip: 0x1000n, rflags: 2n });
const mm = MemoryAccessContextView.from({ instructionByteCount: 16, instructionBytes: new Uint8Array(16), gpa: 1 });
const ib = new InstructionBytes();
time("read exit", () => { exit.readProcessor(vp); exit.readMemoryAccess(mm); keep[0] = exit.ripLow; });
time("copy bytes", () => { exit.readMemoryAccess(mm); exit.copyInstructionBytes(ib); keep[0] = ib.word0; });
time('empty', () => { keep[0] = 1; });
