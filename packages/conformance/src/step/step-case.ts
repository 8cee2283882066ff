/** One case of `whv step` - a processor state, memory, and how many instructions to run - and its reader. */
import { caseId, checkFormat, readMemoryRuns } from "../emulation/case-reader.ts";
import type { MemoryRun } from "../emulation/emulation-case.ts";
import { CaseError, JsonFields } from "../json/json-fields.ts";
import { readExtendedRegisters } from "../registers/extended-register.ts";
import { type RegisterWords, readRegisters } from "../registers/register-json.ts";

/** The environment that a case starts from, by the mode of its code. @public */
export type StepPreset = "real" | "protected16" | "protected32" | "long";

/** What executes the instructions: an interpreter, or compiled code. @public */
export type StepEngine = "cold" | "compiled";

const presets: readonly StepPreset[] = ["real", "protected16", "protected32", "long"];
const engines: readonly StepEngine[] = ["cold", "compiled"];

/** A range of guest-physical memory. @public */
export interface MemoryRange {
  /** Guest-physical address of the first byte. */
  readonly gpa: number;
  /** Bytes. */
  readonly size: number;
}

/** One case of `whv step`. @public */
export interface StepCase {
  /** As given; `null` where the case has none. */
  readonly id: string | number | null;
  /** The environment to start from. */
  readonly preset: StepPreset;
  /** Privilege level, 0 or 3; 0 in real mode. */
  readonly cpl: number;
  /** By `WHV_REGISTER_NAME`: what the preset's value is overridden with. */
  readonly registers: ReadonlyMap<number, RegisterWords>;
  /** Vector state beyond the WHv names (`Ymm0`, `Zmm0`, `K0` …), by name, little-endian. */
  readonly extended: ReadonlyMap<string, Uint8Array>;
  /** Its pages are RAM. */
  readonly memory: readonly MemoryRun[];
  /** RAM besides the pages of `memory`. */
  readonly ram: readonly MemoryRange[];
  /** 1 to 1,000,000. */
  readonly instructions: number;
  /** What the result shows of memory. */
  readonly read: readonly MemoryRange[];
  /** `null`: the backend's choice. */
  readonly engine: StepEngine | null;
}

const highestGpa = 2 ** 52 - 1;
/** RAM that a case without `ram` has. */
const defaultRam: readonly MemoryRange[] = [{ gpa: 0, size: 2 * 1024 * 1024 }];
/** All RAM of a case together, and all that it may ask to read: the bounds of what one line can cost. */
const largestRam = 256 * 1024 * 1024;
const largestRead = 16 * 1024 * 1024;
const mostInstructions = 1_000_000;

/**
 * Reads one case of `whv step`.
 *
 * @throws {@link CaseError} that names the field, when the value is not a case
 *
 * @example
 * ```ts
 * import { readStepCase } from "@whvkit/conformance";
 * const stepCase = readStepCase({ preset: "long", registers: { Rax: 1 }, memory: [{ gpa: 0, bytes: "48ffc0" }] });
 * stepCase.instructions; // 1
 * stepCase.memory; // [{ gpa: 0, bytes: [0x48, 0xff, 0xc0] }]
 * ```
 *
 * @public
 */
export function readStepCase(json: unknown): StepCase {
  const fields = new JsonFields(json, "");
  checkFormat(fields);
  fields.value("id");
  const preset = fields.choice("preset", presets);
  const cpl = fields.integer("cpl", 3, 0);
  if (cpl !== 0 && cpl !== 3) throw new CaseError("cpl", `${cpl} is neither 0 nor 3`);
  if (cpl !== 0 && preset === "real") throw new CaseError("cpl", "real mode has no privilege levels");
  const registers = fields.optionalObject("registers");
  const extended = readExtendedRegisters(registers);
  const stepCase: StepCase = {
    id: caseId(json),
    preset,
    cpl,
    registers: readRegisters(registers, extended),
    extended,
    memory: readMemoryRuns(fields, "memory"),
    ram: fields.value("ram") === undefined ? defaultRam : readRanges(fields, "ram", largestRam),
    instructions: fields.integer("instructions", mostInstructions, 1),
    read: readRanges(fields, "read", largestRead),
    engine: fields.value("engine") === undefined ? null : fields.choice("engine", engines),
  };
  if (stepCase.instructions === 0) throw new CaseError("instructions", "0 runs nothing; it must be at least 1");
  fields.finish();
  return stepCase;
}

function readRanges(fields: JsonFields, name: string, largest: number): MemoryRange[] {
  let total = 0;
  return fields.elements(name).map(({ value, where }) => {
    const range = new JsonFields(value, where);
    const gpa = range.integer("gpa", highestGpa);
    const size = range.integer("size", largest);
    total += size;
    if (total > largest) throw new CaseError(where, `all ranges together are above ${largest} bytes`);
    if (gpa + size > highestGpa + 1) throw new CaseError(where, "ends beyond the 52-bit address space");
    range.finish();
    return { gpa, size };
  });
}
