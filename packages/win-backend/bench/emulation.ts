/**
 * One emulation with five callbacks (ADD to device memory: get registers, translate, read, write, set registers)
 * by `WinHvEmulation.dll` through the binding, and by the TypeScript emulator, over the same callbacks in the same
 * process. Runs in Node for Windows with the stand-in library, which makes the callbacks and does not decode: the native
 * figure is the price of crossing the ABI, not of Microsoft's emulator.
 */
import { createEmulator } from "@whvkit/emulator-core";
import {
  type Emulator,
  type EmulatorCallbacks,
  MemoryAccessContextView,
  WHV_REGISTER_NAME as Name,
  VpExitContextView,
} from "@whvkit/whv-types";
import { createNativeEmulator } from "@whvkit/win-backend";
import { EmulationControl } from "../../../tooling/windows-stand-ins/stand-in-control.ts";

const [libraryDirectory = ""] = process.argv.slice(2);

let calls = 0;
const callbacks: EmulatorCallbacks<null> = {
  ioPort: () => {
    calls++;
    return 0;
  },
  memory(_context, access) {
    calls++;
    access.words[0] = 0x44434241;
    return 0;
  },
  getVirtualProcessorRegisters(_context, names, count, values) {
    calls++;
    for (let i = 0; i < count; i++) {
      const name = names[i] as number;
      values.setHalves(i, name === Name.WHvX64RegisterRdi ? 0x2000 : 0, 0);
      // A flat data segment, whichever is asked for.
      if (name >= Name.WHvX64RegisterEs && name <= Name.WHvX64RegisterGs) values.words[i * 4 + 2] = 0xffff_ffff;
      if (name >= Name.WHvX64RegisterEs && name <= Name.WHvX64RegisterGs) values.words[i * 4 + 3] = 0xc093_0010;
    }
    return 0;
  },
  setVirtualProcessorRegisters: () => {
    calls++;
    return 0;
  },
  translateGvaPage(_context, translation) {
    calls++;
    translation.resultCode = 0;
    translation.gpaPage = translation.gvaPageLow;
    return 0;
  },
};

const vpContext = VpExitContextView.from({
  executionState: { cr0Pe: true, eferLma: true },
  instructionLength: 3,
  cs: { limit: 0xffff_ffff, selector: 8, attributes: 0xa09b },
  rip: 0x1000n,
  rflags: 2n,
});
/** ADD dword ptr [rdi], 1; the exit names no guest-virtual address, so that it has to be translated. */
const add = MemoryAccessContextView.from({
  instructionByteCount: 3,
  instructionBytes: Uint8Array.from([0x83, 0x07, 0x01, ...new Array(13).fill(0)]),
  accessInfo: { accessType: 0, gpaUnmapped: true },
  gpa: 0x2000,
  gva: 0x2000n,
});

/** Emulations per second of processor time, not of the clock: the machine may have other things to do. Best of several rounds. */
function measure(emulator: Emulator<null>): { perSecond: number; callbacks: number } {
  const result = emulator.tryMmioEmulation(null, vpContext, add);
  if (!result.emulationSuccessful) throw new Error(result.diagnostic?.message);
  calls = 0;
  emulator.tryMmioEmulation(null, vpContext, add);
  const made = calls;
  // Wine counts processor time in steps of 10 ms: each round takes a good third of a second.
  let best = 0;
  for (let round = 0; round < 4; round++) {
    const start = process.cpuUsage();
    let [count, spent] = [0, 0];
    while (spent < 350_000) {
      for (let i = 0; i < 5_000; i++) emulator.tryMmioEmulation(null, vpContext, add);
      count += 5_000;
      const { user, system } = process.cpuUsage(start);
      spent = user + system;
    }
    best = Math.max(best, (count * 1e6) / spent);
  }
  emulator.destroy();
  return { perSecond: Math.round(best), callbacks: made };
}

new EmulationControl(libraryDirectory).plan({ modify: true });
const figures = {
  native: measure(createNativeEmulator(callbacks, { libraryDirectory })),
  typescript: measure(createEmulator(callbacks)),
};
console.log(JSON.stringify(figures));
