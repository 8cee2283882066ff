/**
 * A module of handlers brought to life over a linear memory and a machine. What the handlers ask of the machine goes
 * straight to its methods; registers and data they find in memory, so the machine's views have to lie there.
 */
import type { Machine } from "../machine/machine.ts";
import { EXPORTS } from "./forms-module.ts";
import { IMPORT_MEMORY, IMPORT_MODULE, machineFunctions } from "./machine-access.ts";
import { StateOffset } from "./state-layout.ts";

/**
 * A `WebAssembly.Memory`. Stated by what is read of it, because neither the ECMAScript library nor Node's types declare
 * that name to everybody who compiles against this package.
 *
 * @public
 */
export interface LinearMemory {
  /** The bytes; another buffer after the memory has grown. */
  readonly buffer: ArrayBufferLike;
}

/**
 * A `WebAssembly.Table` of handlers, to be imported by other modules.
 *
 * @public
 */
export interface HandlerTable {
  /** How many handlers there are. */
  readonly length: number;
  /** The handler at an index from 0; throws RangeError beyond the last one. */
  get(index: number): unknown;
}

/** Handlers that run against one machine. @public */
export interface FormsInstance {
  /** Handler i at index i. */
  readonly handlers: HandlerTable;
  /** Carries out the instruction of the record at an address, with the handler that the record names; answers an `Abort`. */
  execute(record: number): number;
  /** That for `count` records in a row, RIP moving on by each one's length; see `forms-module.ts`. */
  executeBlock(record: number, count: number): number;
  /** Status flags (bits of RFLAGS) of a group that was kept; `formula` from `flagsFormula`. */
  statusFlags(formula: number, x: bigint, y: bigint, r: bigint): number;
}

/**
 * Instantiates a module of `compileForms` at once. In Chrome's main thread that is limited to modules of 8 MB: use
 * {@link loadForms} there.
 *
 * @param memory - holds the state that `machine.registers` and `machine.data` view (see `ProcessorState`), and records.
 * It must not grow afterwards: growing detaches the machine's views.
 * @throws TypeError when the machine's registers or data are not in this memory, or not where the state layout has them;
 * `WebAssembly.LinkError` when it is no `WebAssembly.Memory`.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { Abort, compileForms, FlatMachine, instantiateForms, ProcessorState, programFor, RegisterOffset, writeRecord } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const { ir } = programFor(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { registers, data } = new ProcessorState(memory.buffer, 0);
 * const machine = Object.assign(new FlatMachine(new Uint8Array(0)), { registers, data });
 * const forms = instantiateForms(compileForms([ir]), memory, machine);
 * writeRecord(instruction, new DataView(memory.buffer), 8192, 0);
 * registers.set64(RegisterOffset.general + 8 * 1, 7n); // RCX
 * forms.execute(8192) === Abort.none; // true
 * registers.get64(RegisterOffset.general); // 7n
 * ```
 *
 * @public
 */
export function instantiateForms(bytes: Uint8Array, memory: LinearMemory, machine: Machine): FormsInstance {
  const imports = importsOf(memory, machine);
  return wrap(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports), machine);
}

/**
 * The same without blocking.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { compileForms, FlatMachine, loadForms, ProcessorState, programFor } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const { ir } = programFor(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { registers, data } = new ProcessorState(memory.buffer, 0);
 * const machine = Object.assign(new FlatMachine(new Uint8Array(0)), { registers, data });
 * const forms = await loadForms(compileForms([ir]), memory, machine);
 * forms.handlers.length; // 1
 * ```
 *
 * @public
 */
export async function loadForms(bytes: Uint8Array, memory: LinearMemory, machine: Machine): Promise<FormsInstance> {
  const imports = importsOf(memory, machine);
  return wrap(await WebAssembly.instantiate(await WebAssembly.compile(bytes), imports), machine);
}

function importsOf(memory: LinearMemory, machine: Machine): WebAssembly.Imports {
  const { bytes } = machine.registers;
  if (bytes.buffer !== memory.buffer) throw new TypeError("the machine's registers are not in the module's memory");
  if (machine.data.buffer !== memory.buffer || machine.data.byteOffset !== bytes.byteOffset + StateOffset.data) {
    throw new TypeError(`the machine's data does not lie ${StateOffset.data} bytes after its registers`);
  }
  return { [IMPORT_MODULE]: { ...machineFunctions(machine), [IMPORT_MEMORY]: memory as WebAssembly.Memory } };
}

type Execute = (state: number, record: number) => number;
type ExecuteBlock = (state: number, record: number, count: number) => number;
type StatusFlags = (formula: number, x: bigint, y: bigint, r: bigint) => number;

function wrap(instance: WebAssembly.Instance, machine: Machine): FormsInstance {
  const { exports } = instance;
  const state = machine.registers.bytes.byteOffset;
  const execute = exports[EXPORTS.execute] as Execute;
  const executeBlock = exports[EXPORTS.executeBlock] as ExecuteBlock;
  return {
    handlers: exports[EXPORTS.handlers] as HandlerTable,
    execute: (record) => execute(state, record),
    executeBlock: (record, count) => executeBlock(state, record, count),
    statusFlags: exports[EXPORTS.statusFlags] as StatusFlags,
  };
}
