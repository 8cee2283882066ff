/**
 * One WebAssembly module with a handler per instruction form: what the cold tier of a simulator dispatches to. Makes
 * bytes; `forms-instance.ts` brings them to life.
 *
 * The module exports:
 * - `handlers`, a table: handler i carries out one instruction of form i. Parameters: address of the state
 *   (`state-layout.ts`) and of the record (`record.ts`); result: an `Abort`. A handler that answers anything but
 *   `Abort.none` has changed no register and no flag. RIP changes only where `Ir.writesIp` says so.
 * - `execute(state, record)`: the handler whose index is in the record.
 * - `executeBlock(state, record, count)`: that for `count` records in a row, adding each instruction's length to RIP after
 *   it; stops at the first status other than 0, with RIP at that instruction. For instructions that do not write RIP.
 * - `statusFlags(formula, x, y, r)`: the flags of a group that was kept; see `routines.ts`.
 */
import { formName } from "../ir/instruction-form.ts";
import type { Ir } from "../ir/operation.ts";
import { RegisterOffset } from "../machine/register-file.ts";
import { emitInstruction } from "./emitter.ts";
import { RecordFields, StateBase } from "./field-source.ts";
import { IMPORT_MEMORY, IMPORT_MODULE, importMachine } from "./machine-access.ts";
import type { Code, FunctionType } from "./module/code.ts";
import { type MemoryLimits, ModuleWriter } from "./module/module.ts";
import { RECORD_SIZE, RecordOffset } from "./record.ts";
import { Routines } from "./routines.ts";
import { ADDRESS_TYPE } from "./state-layout.ts";

/** Exported names. */
export const EXPORTS = {
  handlers: "handlers",
  execute: "execute",
  executeBlock: "executeBlock",
  statusFlags: "statusFlags",
} as const;

/** How {@link compileForms} compiles. @public */
export interface CompileOptions {
  /**
   * Address of the processor's state, where it is known now: handlers then use it instead of their first parameter,
   * which saves an addition at each register. Default null: any address at run time.
   */
  readonly state?: number | null;
  /** What the module demands of its memory. Default: one page or more, not shared. */
  readonly memory?: MemoryLimits;
  /** Write names of handlers into the module, for profiles and stack traces. Default false. */
  readonly names?: boolean;
}

const HANDLER: FunctionType = { parameters: [ADDRESS_TYPE, ADDRESS_TYPE], result: "i32" };
const BLOCK: FunctionType = { parameters: [ADDRESS_TYPE, ADDRESS_TYPE, "i32"], result: "i32" };
const DEFAULT_MEMORY: MemoryLimits = { minimum: 1, maximum: null, shared: false };
/** A record holds a handler's number in 16 bits. */
const MAX_HANDLERS = 0x1_0000;

/**
 * Compiles forms to one WebAssembly module; handler i is that of `forms[i]`.
 *
 * Chrome refuses to compile more than 8 MB synchronously on its main thread, and a content-security policy needs
 * `wasm-unsafe-eval` to allow WebAssembly at all; code that must do without runs on the evaluator.
 *
 * @throws Error that names the form and the operation, when one cannot be compiled.
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { compileForms, programFor } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x89, 0xc8), 0, instruction); // mov eax, ecx
 * const { ir } = programFor(instruction);
 * if (ir === null) throw new Error("MOV has a meaning");
 * const bytes = compileForms([ir]); // handler 0
 * bytes.slice(0, 4); // [0x00, 0x61, 0x73, 0x6d]
 * ```
 *
 * @public
 */
export function compileForms(forms: readonly Ir[], options: CompileOptions = {}): Uint8Array<ArrayBuffer> {
  if (forms.length > MAX_HANDLERS) throw new RangeError(`${forms.length} forms; a record can name ${MAX_HANDLERS}`);
  const module = new ModuleWriter(ADDRESS_TYPE);
  module.importMemory(IMPORT_MODULE, IMPORT_MEMORY, options.memory ?? DEFAULT_MEMORY);
  const imports = importMachine(module);
  const routines = new Routines(module);
  const fixedState = options.state ?? null;

  // Forms differ in more than their code does: `inc eax` has two encodings, a size that nothing uses another key.
  const handlers = forms.map((ir) =>
    module.sharedFunction(formName(ir.form), HANDLER, (code) => {
      const state = new StateBase(fixedState ?? code.parameter(0));
      const fields = new RecordFields(state, code.parameter(1));
      emitInstruction(ir, { code, state, fields, imports, routines, leave: () => code.return() });
      code.i32(0);
    }),
  );

  const execute = module.function(EXPORTS.execute, HANDLER);
  writeDispatch(execute.code, module);
  module.export(EXPORTS.execute, execute.reference);
  const block = module.function(EXPORTS.executeBlock, BLOCK);
  writeBlock(block.code, module, fixedState);
  module.export(EXPORTS.executeBlock, block.reference);
  module.export(EXPORTS.statusFlags, routines.statusFlags());
  module.table(EXPORTS.handlers, handlers);
  return module.finish(options.names ?? false);
}

/** Calls the handler that the record (parameter 1) names; leaves its status. */
function writeDispatch(code: Code, module: ModuleWriter): void {
  code.get(code.parameter(0));
  code.get(code.parameter(1));
  code.get(code.parameter(1));
  code.load("i32.load16_u", RecordOffset.handler);
  code.callIndirect(HANDLER, module.typeIndex(HANDLER));
}

function writeBlock(code: Code, module: ModuleWriter, fixedState: number | null): void {
  const [record, count] = [code.parameter(1), code.parameter(2)];
  const state = new StateBase(fixedState ?? code.parameter(0));
  const fields = new RecordFields(state, record);
  const status = code.local("i32");
  code.get(count);
  code.op("i32.eqz");
  code.if();
  code.i32(0);
  code.return();
  code.end();
  const next = code.loop();
  writeDispatch(code, module);
  code.tee(status);
  code.if();
  code.get(status);
  code.return();
  code.end();

  const at = state.at(code, RegisterOffset.rip);
  code.load("i64.load", state.at(code, RegisterOffset.rip));
  fields.length(code);
  code.op("i64.extend_i32_u");
  code.op("i64.add");
  code.store("i64.store", at);

  code.get(record);
  code.address(RECORD_SIZE);
  code.op(ADDRESS_TYPE === "i32" ? "i32.add" : "i64.add");
  code.set(record);
  code.get(count);
  code.i32(1);
  code.op("i32.sub");
  code.tee(count);
  code.branchIf(next);
  code.end();
  code.i32(0);
}
