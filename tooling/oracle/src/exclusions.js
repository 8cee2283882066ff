// The forms that have no vectors, each with one reason. Every reason is a test of the form itself, so a form that it does not
// fit any more counts as missing; `recordingFaults` names the reasons that the recording processor confirms by its faults.
import { Helper, irOf, programFor } from "@whvkit/x86-semantics";

/** What machines answer in the tests as the recorder's process has it; all other helpers are another machine's business. @type {ReadonlySet<number>} */
const ANSWERED = new Set([Helper.writeFlags, Helper.otherExtendedState]);

/** CPUID features that the recording processor (AMD, family 1AH) lacks, or that its system keeps from programs. */
const ABSENT = new Set(["TBM", "AVX10_2", "AVX512_FP16", "RAO_INT", "CMPCCXADD", "SERIALIZE", "PKU", "D3NOW"]);

/** Under UMIP the kernel answers these for a process, with values of its own. */
const EMULATED = new Set(["sgdt", "sidt", "sldt", "str", "smsw"]);

/** Where AMD's processors raise #UD, and Intel's take the encoding: prefetches of registers, and W1 outside 64-bit mode. */
const REFUSED = [/^\d\d reservednop o\d\d 0F 0D/, /^(16|32) vp(extrd|insrd) VEX\.128\.66\.0F3A\.W1/];

/** @typedef {(formCase: import("./forms.js").FormCase, encodings: readonly import("./inputs.js").Encoding[]) => boolean} Applies */

/** Reasons in the order in which they are asked. @type {Readonly<Record<string, Applies>>} */
const reasons = {
  "needs CPL 0": ({ info }) => info.privilege === "cpl0",
  "needs I/O privilege": ({ info }) => info.privilege === "iopl",
  "not on the recording processor": ({ info }) => info.cpuid.some((name) => ABSENT.has(name)),
  "#UD on AMD, not on Intel": ({ key }) => REFUSED.some((pattern) => pattern.test(key)),
  "answered by the kernel (UMIP)": ({ info }) => EMULATED.has(info.name),
  "decoded only on request": (_, encodings) => encodings.length === 0,
  "no meaning yet": (_, encodings) => encodings.every(({ instruction }) => irOf(instruction) === null),
  "a system operation of the machine": (_, encodings) =>
    encodings.slice(0, 1).some(({ instruction }) => programFor(instruction).helpers.some((id) => !ANSWERED.has(id))),
};

/** Names of all reasons. */
export const exclusionReasons = Object.keys(reasons);

/** Reasons for which the recording processor must fault on every encoding. */
export const recordingFaults = exclusionReasons.slice(0, 4);

/**
 * Why a form has no vectors; null where it has.
 *
 * @param {import("./forms.js").FormCase} formCase @param {readonly import("./inputs.js").Encoding[]} encodings
 */
export function exclusionOf(formCase, encodings) {
  return exclusionReasons.find((reason) => reasons[reason](formCase, encodings)) ?? null;
}
