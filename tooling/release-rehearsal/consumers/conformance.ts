// One emulation case, run on the emulator that is handed in.
import { explainEmulation, readEmulationCase, runEmulationCase } from "@whvkit/conformance";
import { createEmulator } from "@whvkit/emulator-core";

const emulationCase = readEmulationCase({
  id: "load",
  kind: "mmio",
  vp: {
    executionState: { cpl: 0, cr0Pe: true, eferLma: true },
    instructionLength: 2,
    cs: { base: "0x0", limit: "0xffffffff", selector: 8, attributes: "0xa09b" },
    rip: "0x1000",
    rflags: "0x2",
  },
  exit: { instructionBytes: "8b07", accessType: "read", gpa: "0xfee00020", gva: "0xfee00020" },
  registers: { Rdi: "0xfee00020" },
  deviceReads: "efbeadde",
});
const outcome = runEmulationCase(emulationCase, { createEmulator });
console.log(outcome.status.join(), explainEmulation(emulationCase, outcome).includes("mov eax"));
