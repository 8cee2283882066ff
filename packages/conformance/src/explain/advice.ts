/** What a person can do about the end of an emulation, by HRESULT, status and the diagnostic's reason. */
import { E_INVALIDARG, hresultMessage, S_OK, WHV_EMULATOR_STATUS_EMULATION_SUCCESSFUL } from "@whvkit/whv-types";
import type { EmulationOutcome } from "../emulation/emulation-run.ts";

/** By `EmulationDiagnostic.reason`. */
const byReason: Readonly<Record<string, string>> = {
  "invalid-argument":
    "Fix the context before the call: at most 16 instruction bytes, access type 0 to 2, port access size 1, 2 or 4, and a live emulator.",
  "re-entered":
    "Do not call the emulator from inside one of its callbacks; use a second emulator if a callback has to emulate.",
  "interrupt-caused-intercept":
    "The access belongs to the delivery of an event (for instance an interrupt table or stack in device memory), not to an instruction. Look at where the guest keeps its IDT, GDT and stack; there is nothing to retry.",
  "translation-not-aligned":
    "Return the page from the translate callback: mask the low 12 bits of what WHvTranslateGva gave.",
  "translation-invalid": "Return from the translate callback exactly what WHvTranslateGva returned.",
  "translation-intercepted":
    "The page is under an intercept of the hypervisor; remove the intercept or handle the access yourself.",
  "invalid-encoding":
    "The bytes are no instruction in this mode. Check that they were read at CS.base + RIP, and that the mode in the exit (EferLma, CS.L, CS.D) is the guest's.",
  "unsupported-instruction":
    "The instruction is valid, but the emulator cannot carry it out. Keep the guest from using it on device memory, or map that memory as RAM.",
  "unreachable-registers":
    "The five callbacks do not reach the upper vector registers. Give the emulator the optional callbacks for extended state.",
  "unreachable-operation":
    "No callback performs this operation: it acts on the hypervisor itself, or switches tasks. Carry the instruction out yourself and advance RIP, or keep the guest from using it on device memory.",
  "exchange-contended":
    "Make the compareExchange callback answer exchanged when memory holds what it is asked to expect.",
  "no-memory-operand":
    "An instruction without a memory operand cannot cause this exit. Usually the instruction bytes are stale or the exit is for a code fetch: check RIP, and whether the guest runs from device memory.",
  "instruction-mismatch":
    "The instruction at RIP is not the one that the exit describes. Check that the exit and the registers belong together, and that nobody changed RIP in between.",
  "exit-context-mismatch":
    "The exit and the processor's registers differ: read the registers of the processor that exited, before running it on.",
  "guest-fault": "Nothing: resume the processor, the guest handles the exception.",
  "guest-cannot-be-faulted":
    "The guest has to take an exception and cannot. Treat it like a triple fault: stop or reset the guest.",
  "internal-error": "This is a defect of the emulator. Report it together with this case.",
};

const byCallback: Readonly<Record<string, string>> = {
  memory: "Make the memory callback answer S_OK for that address: find out which device or RAM should be there.",
  ioPort: "Make the I/O port callback answer S_OK for that port; unclaimed ports read as all ones on real machines.",
  getRegisters: "Make the callback hand names and count on to WHvGetVirtualProcessorRegisters as they are.",
  setRegisters: "Make the callback hand names, count and values on to WHvSetVirtualProcessorRegisters as they are.",
  translate:
    "Make the translate callback answer S_OK and put WHvTranslateGva's result code where it belongs; a page that is not present is no failure of the callback.",
};

/** One sentence or two. */
export function adviceFor(outcome: EmulationOutcome): string {
  const { diagnostic } = outcome;
  const hresult = Number(outcome.hresult);
  if (diagnostic !== null && diagnostic.reason === "callback-failed" && diagnostic.callback !== null) {
    const thrown = diagnostic.thrown === null ? "" : ` It threw: ${diagnostic.thrown}.`;
    return `${byCallback[diagnostic.callback] ?? "Make the callback answer S_OK."}${thrown}`;
  }
  const known = diagnostic === null ? undefined : byReason[diagnostic.reason];
  if (known !== undefined) return known;
  if (hresult === E_INVALIDARG) return byReason["invalid-argument"] ?? "";
  if (hresult !== S_OK) return `The call itself failed (${hresultMessage(hresult)}); its status means nothing.`;
  if ((outcome.statusBits & WHV_EMULATOR_STATUS_EMULATION_SUCCESSFUL) !== 0) {
    return "Nothing: the registers are set, run the processor on.";
  }
  return "The emulator gave no reason. Look at the status bits and the last callback above.";
}
