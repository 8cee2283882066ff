/**
 * What an instruction costs on a compiled handler and on the evaluator, with the machine's part left as small as it can
 * be: one bench round is a thousand instructions, so a round of 0.006 ms is 6 ns
 * an instruction; on a machine with other work the column `min` says most. Also what the module of all
 * forms costs to make and how large it is (printed before the rounds).
 */
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { bench, describe } from "vitest";
import {
  Abort,
  compileForms,
  Evaluator,
  GuestFault,
  type Ir,
  instantiateForms,
  irOf,
  type Machine,
  ProcessorState,
  programFor,
  RECORD_SIZE,
  type RegisterFile,
  RegisterOffset,
  writeRecord,
} from "../../src/index.ts";
import { type Sample, SampleCollector } from "../../test/webassembly/form-samples.ts";

const STATE = 0;
const RECORDS = 8192;
const ROUND = 1000;

/** Memory is eight bytes, wherever. */
class SmallMachine implements Machine {
  readonly registers: RegisterFile;
  readonly data: Int32Array;
  readonly fault: GuestFault = new GuestFault();
  readonly #memory = new Int32Array(4);

  constructor(state: ProcessorState) {
    this.registers = state.registers;
    this.data = state.data;
  }
  load(): number {
    this.data[0] = this.#memory[0] as number;
    this.data[1] = 0;
    return Abort.none;
  }
  store(_segment: number, _low: number, _high: number, _size: number, valueLow: number, valueHigh: number): number {
    this.#memory[0] = valueLow;
    this.#memory[1] = valueHigh;
    return Abort.none;
  }
  store128(): number {
    return Abort.unsupported;
  }
  probe(): number {
    return Abort.none;
  }
  in(): number {
    this.data[0] = 0;
    return Abort.none;
  }
  out(): number {
    return Abort.none;
  }
  raise(): number {
    return Abort.fault;
  }
  helper(): number {
    return Abort.unsupported;
  }
}

const memory = new WebAssembly.Memory({ initial: 2 });
const state = new ProcessorState(memory.buffer, STATE);
const machine = new SmallMachine(state);
const evaluator = new Evaluator(machine);
const view = new DataView(memory.buffer);

const CASES: readonly (readonly [string, readonly number[]])[] = [
  ["mov eax, ecx", [0x89, 0xc8]],
  ["mov rax, imm32", [0x48, 0xc7, 0xc0, 1, 2, 3, 4]],
  ["add eax, ecx", [0x01, 0xc8]],
  ["add rax, rcx", [0x48, 0x01, 0xc8]],
  ["shl eax, 3", [0xc1, 0xe0, 3]],
  ["sar rax, cl", [0x48, 0xd3, 0xf8]],
  ["lea rax, [rcx+rdx*4+16]", [0x48, 0x8d, 0x44, 0x91, 16]],
  ["mov eax, [rdi]", [0x8b, 0x07]],
  ["mov [rdi], eax", [0x89, 0x07]],
  ["add [rdi], ecx", [0x01, 0x0f]],
];

const decoder = new Decoder(64);
function decode(bytes: readonly number[]): Instruction {
  const instruction = new Instruction();
  decoder.decode(Uint8Array.from(bytes), 0, instruction);
  return instruction;
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

/** Prints what making the module of these forms costs: the first time, warm, and until every handler has run once. */
function report(what: string, samples: readonly Sample[]): void {
  const forms = samples.map(({ ir }) => ir);
  const times: Record<"write" | "instantiate" | "run", number[]> = { write: [], instantiate: [], run: [] };
  let size = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const bytes = compileForms(forms);
    const written = performance.now();
    const instance = instantiateForms(bytes, memory, machine);
    const instantiated = performance.now();
    samples.forEach(({ instruction }, handler) => {
      writeRecord(instruction, view, RECORDS, handler);
      instance.execute(RECORDS);
    });
    times.write.push(written - start);
    times.instantiate.push(instantiated - written);
    times.run.push(performance.now() - instantiated);
    size = bytes.length;
  }
  const first = (times.write[0] as number).toFixed(0);
  console.log(
    `${what}: ${forms.length} forms, ${(size / 1024).toFixed(0)} KiB; written in ${first} ms the first time, ` +
      `${median(times.write).toFixed(0)} ms warm; instantiated in ${median(times.instantiate).toFixed(1)} ms; ` +
      `every handler once (V8 compiles at first call): ${median(times.run).toFixed(0)} ms`,
  );
}

const samples = [...new Map(new SampleCollector(1).collect().map((sample) => [sample.ir, sample])).values()];
report(
  "64-bit mode",
  samples.filter(({ ir }) => ir.form.long),
);
report("all modes", samples);

for (const [name, bytes] of CASES) {
  describe(`${name}, 1000 times`, () => {
    const instruction = decode(bytes);
    const program = programFor(instruction);
    const ir = irOf(instruction) as Ir;
    const anywhere = instantiateForms(compileForms([ir]), memory, machine);
    const fixed = instantiateForms(compileForms([ir], { state: STATE }), memory, machine);
    for (let i = 0; i < ROUND; i++) writeRecord(instruction, view, RECORDS + i * RECORD_SIZE, 0);
    const prepare = (): void => {
      state.registers.bytes.fill(0);
      state.registers.set64(RegisterOffset.general, 0x1234n);
    };
    const options = { setup: prepare, time: 200 };

    bench(
      "evaluator",
      () => {
        for (let i = 0; i < ROUND; i++) evaluator.evaluate(program);
      },
      options,
    );
    bench(
      "handler, called from JavaScript",
      () => {
        for (let i = 0; i < ROUND; i++) anywhere.execute(RECORDS);
      },
      options,
    );
    bench(
      "handlers, called from WebAssembly",
      () => {
        anywhere.executeBlock(RECORDS, ROUND);
      },
      options,
    );
    bench(
      "handlers, called from WebAssembly, state at a fixed address",
      () => {
        fixed.executeBlock(RECORDS, ROUND);
      },
      options,
    );
  });
}
