/** Exit contexts as the platform laid them out, written as the case format writes them. */
import type {
  IoPortAccessContextView,
  MemoryAccessContextView,
  VpExitContextView,
  WHV_X64_SEGMENT_REGISTER,
} from "@whvkit/whv-types";
import { hexNumber, hexString } from "../json/json-fields.ts";
import { accessTypes } from "./case-reader.ts";

/** `WHV_VP_EXIT_CONTEXT`: the field `vp` of a case. */
export function vpContextJson(vp: VpExitContextView): object {
  const { reserved0: _, reserved1: __, ...executionState } = vp.executionState.toObject();
  return {
    executionState,
    instructionLength: vp.instructionLength,
    cr8: vp.cr8,
    cs: segmentJson(vp.cs.toObject()),
    rip: hexNumber(vp.rip),
    rflags: hexNumber(vp.rflags),
  };
}

/** `WHV_MEMORY_ACCESS_CONTEXT`: the field `exit` of a case of kind `mmio`. */
export function memoryExitJson(exit: MemoryAccessContextView): object {
  const { accessType, gpaUnmapped, gvaValid } = exit.accessInfo;
  return {
    instructionBytes: countedBytes(exit),
    accessType: accessTypes[accessType] ?? accessType,
    gpaUnmapped,
    gvaValid,
    gpa: hexNumber(exit.gpa),
    gva: hexNumber(exit.gva),
  };
}

/** `WHV_X64_IO_PORT_ACCESS_CONTEXT`: the field `exit` of a case of kind `io`. */
export function ioExitJson(exit: IoPortAccessContextView): object {
  const { isWrite, accessSize, stringOp, repPrefix } = exit.accessInfo;
  return {
    instructionBytes: countedBytes(exit),
    isWrite,
    accessSize,
    stringOp,
    repPrefix,
    port: exit.portNumber,
    rax: hexNumber(exit.rax),
    rcx: hexNumber(exit.rcx),
    rsi: hexNumber(exit.rsi),
    rdi: hexNumber(exit.rdi),
    ds: segmentJson(exit.ds.toObject()),
    es: segmentJson(exit.es.toObject()),
  };
}

/** As many bytes as the count says; those beyond the sixteen of the structure are 0. */
function countedBytes(exit: MemoryAccessContextView | IoPortAccessContextView): string {
  const bytes = new Uint8Array(exit.instructionByteCount);
  bytes.set(exit.instructionBytes.subarray(0, bytes.length));
  return hexString(bytes);
}

function segmentJson({ base, limit, selector, attributes }: WHV_X64_SEGMENT_REGISTER): object {
  return { base: hexNumber(base), limit: hexNumber(limit), selector, attributes: hexNumber(attributes) };
}

/** Any structure's object form as JSON: integers that may exceed 32 bits and bytes as hex. */
export function structureJson(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, fieldJson(value)]));
}

function fieldJson(value: unknown): unknown {
  if (typeof value === "bigint") return hexNumber(value);
  if (value instanceof Uint8Array) return hexString(value);
  if (Array.isArray(value)) return value.map(fieldJson);
  return typeof value === "object" && value !== null ? structureJson(value) : value;
}
