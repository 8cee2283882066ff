/**
 * Exits for the emulator's checks in few words: what is left out is what a 64-bit kernel would have, with its code in RAM
 * at 0x1000 whether or not the exit holds the bytes. The result is JSON of the case format.
 */
import type { RegisterJson } from "../../registers/register-json.ts";

/** Device memory that the checks use: no RAM is there. */
export const device = "0xfee00020";

/** One exit and its world. */
export interface ExitSituation {
  readonly kind: "mmio" | "io";
  /** The instruction, hex digits. */
  readonly code: string;
  /** How many of its bytes the exit holds; all when left out. */
  readonly delivered?: number;
  /** Bytes of code after the instruction's, also in the exit. */
  readonly extra?: string;
  /** 64 when left out; `"real"` is 16-bit code without protection, `"compatibility"` 32-bit code in long mode. */
  readonly mode?: 16 | 32 | 64 | "real" | "compatibility";
  readonly cpl?: number;
  readonly rip?: string;
  readonly rflags?: string;
  /** 0 when left out. */
  readonly instructionLength?: number;
  readonly executionState?: Readonly<Record<string, boolean>>;
  /** Fields of the exit beside the instruction bytes. */
  readonly exit?: Readonly<Record<string, unknown>>;
  readonly registers?: Readonly<Record<string, RegisterJson>>;
  /** RAM beside the code. */
  readonly memory?: readonly { readonly gpa: string; readonly bytes: string }[];
  readonly deviceReads?: string;
  readonly portReads?: readonly string[];
  /** Pages whose translation is not the identity; the code's page always is. */
  readonly translate?: readonly { readonly gvaPage: string; readonly gpaPage?: string; readonly result?: number }[];
}

const nops = "90".repeat(16);

/** Where the situation's code starts, as a guest-physical address, and how many bytes of it are RAM. */
export function codeRange({ rip = "0x1000" }: ExitSituation): { readonly start: bigint; readonly size: bigint } {
  return { start: BigInt(rip), size: 32n };
}

/** The situation as JSON of the case format. */
export function situationCase(situation: ExitSituation): object {
  const { kind, code, mode = 64, cpl = 0, rip = "0x1000", extra = "", memory = [], translate } = situation;
  const { start } = codeRange(situation);
  const ram = start + 64n < 1n << 52n ? [{ gpa: rip, bytes: (code + extra + nops).slice(0, 64) }] : [];
  const page = `0x${(start & ~0xfffn).toString(16)}`;
  const long = mode === 64 || mode === "compatibility";
  return {
    id: 0,
    kind,
    vp: {
      executionState: { cpl, cr0Pe: mode !== "real", eferLma: long, ...situation.executionState },
      instructionLength: situation.instructionLength ?? 0,
      cs: codeSegment(mode, cpl),
      rip,
      rflags: situation.rflags ?? "0x2",
    },
    exit: {
      instructionBytes: code.slice(0, 2 * (situation.delivered ?? code.length / 2)) + extra,
      ...(kind === "mmio"
        ? { accessType: "read", gpa: device, gva: device }
        : { isWrite: false, accessSize: 1, port: 0x60 }),
      ...situation.exit,
    },
    registers: { Rdi: device, Rsi: "0x2000", Rsp: "0x3000", ...situation.registers },
    memory: [...ram, ...memory],
    deviceReads: situation.deviceReads ?? "",
    portReads: situation.portReads ?? [],
    ...(translate === undefined ? {} : { translate: [...translate, { gvaPage: page, gpaPage: page }] }),
  };
}

function codeSegment(mode: NonNullable<ExitSituation["mode"]>, cpl: number): object {
  const code = (mode === "real" ? 0x9b : 0x809b) | (cpl << 5);
  const size = mode === 64 ? 0x2000 : mode === 32 || mode === "compatibility" ? 0x4000 : 0;
  return {
    base: "0x0",
    limit: mode === 16 || mode === "real" ? "0xffff" : "0xffffffff",
    selector: 8 | cpl,
    attributes: `0x${(code | size).toString(16)}`,
  };
}
