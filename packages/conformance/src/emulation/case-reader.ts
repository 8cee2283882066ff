/**
 * Reads an emulation case from JSON. Only what cannot be put into the WHv structures is refused here; a context that the
 * emulator must refuse (17 instruction bytes, access size 3) is read and reaches it.
 */
import { CaseError, JsonFields, shown, unsignedInteger } from "../json/json-fields.ts";
import { flatDataSegment } from "../registers/flat-segment.ts";
import { type RegisterWords, readRegisters, readSegment } from "../registers/register-json.ts";
import type {
  CallbackName,
  CaseIoExit,
  CaseMemoryExit,
  CaseVpContext,
  EmulationCase,
  MemoryRun,
  PageTranslation,
  StagedFailure,
} from "./emulation-case.ts";

/** Version of the case and result formats that this package reads and writes. @public */
export const caseFormat = 1;

/** Guest-physical addresses have at most 52 bits. */
const highestGpa = 2 ** 52 - 1;

/** `WHV_MEMORY_ACCESS_TYPE` by value. */
export const accessTypes: readonly string[] = ["read", "write", "execute"];
const failableCallbacks: readonly CallbackName[] = ["memory", "ioPort", "getRegisters", "setRegisters", "translate"];

/**
 * The `id` of a case that may be unreadable otherwise, for its answer.
 *
 * @param value - what `JSON.parse` made of a line
 * @returns the id where it is a string or a number, else `null`
 *
 * @example
 * ```ts
 * import { caseId } from "@whvkit/conformance";
 * caseId({ id: 7, kind: "nonsense" }); // 7
 * caseId("no case at all"); // null
 * ```
 *
 * @public
 */
export function caseId(value: unknown): string | number | null {
  const id = typeof value === "object" && value !== null ? (value as { id?: unknown }).id : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** Refuses a case of a later format. */
export function checkFormat(fields: JsonFields): void {
  const format = fields.value("format");
  if (format !== undefined && format !== caseFormat) {
    throw new CaseError("format", `${shown(format)} is not a format that this version reads (it reads ${caseFormat})`);
  }
}

/**
 * Reads one emulation case.
 *
 * @param json - the parsed JSON value
 * @throws {@link CaseError} that names the field, when the value is not a case
 *
 * @example
 * ```ts
 * import { readEmulationCase } from "@whvkit/conformance";
 * const { exit } = readEmulationCase({
 *   kind: "mmio",
 *   vp: { rip: 0, cs: { attributes: "0xa09b" }, instructionLength: 2 },
 *   exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020" },
 * });
 * exit.kind; // "mmio"
 * readEmulationCase({ kind: "dma" }); // CaseError: kind: "dma" is none of "mmio", "io"
 * ```
 *
 * @public
 */
export function readEmulationCase(json: unknown): EmulationCase {
  const fields = new JsonFields(json, "");
  checkFormat(fields);
  fields.value("id");
  const kind = fields.choice("kind", ["mmio", "io"]);
  const vp = readVpContext(fields.object("vp"));
  const exit = kind === "mmio" ? readMemoryExit(fields.object("exit")) : readIoExit(fields.object("exit"), vp.cpl);
  const emulationCase: EmulationCase = {
    id: caseId(json),
    vp,
    exit,
    registers: readRegisters(fields.optionalObject("registers")),
    memory: readMemoryRuns(fields, "memory"),
    deviceReads: fields.bytes("deviceReads", new Uint8Array()),
    portReads: fields
      .elements("portReads")
      .map(({ value, where }) => Number(unsignedInteger(value, 0xffff_ffffn, where))),
    translate: readTranslate(fields),
    fail: readFailure(fields.optionalObject("fail")),
    options: readOptions(fields),
  };
  fields.finish();
  return emulationCase;
}

/** Reads runs of memory: `[{"gpa":"0x…","bytes":"…"},…]`. */
export function readMemoryRuns(fields: JsonFields, name: string): MemoryRun[] {
  return fields.elements(name).map(({ value, where }) => {
    const run = new JsonFields(value, where);
    const gpa = run.integer("gpa", highestGpa);
    const bytes = run.bytes("bytes");
    if (gpa + bytes.length > highestGpa + 1) throw new CaseError(where, "ends beyond the 52-bit address space");
    run.finish();
    return { gpa, bytes };
  });
}

function readVpContext(fields: JsonFields): CaseVpContext {
  const state = fields.optionalObject("executionState") ?? new JsonFields({}, fields.at("executionState"));
  const context: CaseVpContext = {
    cpl: state.integer("cpl", 3, 0),
    cr0Pe: state.flag("cr0Pe", false),
    cr0Am: state.flag("cr0Am", false),
    eferLma: state.flag("eferLma", false),
    debugActive: state.flag("debugActive", false),
    interruptionPending: state.flag("interruptionPending", false),
    interruptShadow: state.flag("interruptShadow", false),
    instructionLength: fields.integer("instructionLength", 15, 0),
    cr8: fields.integer("cr8", 15, 0),
    cs: readSegment(fields.object("cs")),
    rip: fields.wide("rip", 64),
    rflags: fields.wide("rflags", 64, 2n),
  };
  state.finish();
  fields.finish();
  return context;
}

function readMemoryExit(fields: JsonFields): CaseMemoryExit {
  const gvaGiven = fields.value("gva") !== undefined;
  const exit: CaseMemoryExit = {
    kind: "mmio",
    instructionBytes: readInstructionBytes(fields),
    accessType: readAccessType(fields),
    gpaUnmapped: fields.flag("gpaUnmapped", true),
    gvaValid: fields.flag("gvaValid", gvaGiven),
    gpa: fields.integer("gpa", highestGpa),
    gva: fields.wide("gva", 64, 0n),
  };
  fields.finish();
  return exit;
}

function readIoExit(fields: JsonFields, cpl: number): CaseIoExit {
  const segment = (name: string): RegisterWords => {
    const given = fields.optionalObject(name);
    return given === undefined ? flatDataSegment(cpl) : readSegment(given);
  };
  const exit: CaseIoExit = {
    kind: "io",
    instructionBytes: readInstructionBytes(fields),
    isWrite: fields.flag("isWrite"),
    accessSize: fields.integer("accessSize", 7),
    stringOp: fields.flag("stringOp", false),
    repPrefix: fields.flag("repPrefix", false),
    port: fields.integer("port", 0xffff),
    rax: fields.wide("rax", 64, 0n),
    rcx: fields.wide("rcx", 64, 0n),
    rsi: fields.wide("rsi", 64, 0n),
    rdi: fields.wide("rdi", 64, 0n),
    ds: segment("ds"),
    es: segment("es"),
  };
  fields.finish();
  return exit;
}

function readInstructionBytes(fields: JsonFields): Uint8Array {
  const bytes = fields.bytes("instructionBytes", new Uint8Array());
  if (bytes.length > 255) {
    throw new CaseError(fields.at("instructionBytes"), `${bytes.length} bytes; InstructionByteCount ends at 255`);
  }
  return bytes;
}

function readAccessType(fields: JsonFields): number {
  const value = fields.value("accessType");
  const named = accessTypes.indexOf(value as string);
  if (named >= 0) return named;
  if (value === undefined || typeof value === "number") return fields.integer("accessType", 3);
  throw new CaseError(fields.at("accessType"), `${shown(value)} is none of "read", "write", "execute", 0 to 3`);
}

function readTranslate(fields: JsonFields): EmulationCase["translate"] {
  const value = fields.value("translate");
  if (value === undefined || value === "identity") return "identity";
  if (value === "walk") return "walk";
  if (!Array.isArray(value)) {
    throw new CaseError("translate", `${shown(value)} is neither "identity" nor "walk" nor a list of pages`);
  }
  return fields.elements("translate").map((element): PageTranslation => {
    const page = new JsonFields(element.value, element.where);
    const translation: PageTranslation = {
      gvaPage: page.wide("gvaPage", 64),
      gpaPage: page.integer("gpaPage", highestGpa, 0),
      result: page.integer("result", 0xffff_ffff, 0),
    };
    page.finish();
    return translation;
  });
}

function readFailure(fields: JsonFields | undefined): StagedFailure | null {
  if (fields === undefined) return null;
  const failure: StagedFailure = {
    callback: fields.choice("callback", failableCallbacks),
    at: fields.integer("at", Number.MAX_SAFE_INTEGER, 0),
    hresult: fields.integer("hresult", 0xffff_ffff, 0x8000_4005),
  };
  if (failure.hresult === 0) throw new CaseError(fields.at("hresult"), "0 is S_OK, which is no failure");
  fields.finish();
  return failure;
}

function readOptions(fields: JsonFields): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const given = fields.optionalObject("options");
  for (const name of given?.names() ?? []) {
    const value = given?.value(name);
    options[name] = typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) ? Number(value) : value;
  }
  return options;
}
