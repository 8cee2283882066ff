// One exit finished through the five callbacks: mov eax, [rdi] on device memory.
import { createEmulator } from "@whvkit/emulator-core";
import { E_FAIL, MemoryAccessContextView, S_OK, VpExitContextView, WHV_REGISTER_NAME } from "@whvkit/whv-types";

const registers = new Map<number, bigint>([[WHV_REGISTER_NAME.WHvX64RegisterRdi, 0xfee0_0020n]]);
const emulator = createEmulator<null>({
  ioPort: () => E_FAIL,
  memory(_context, access) {
    access.value = 0xbeefn;
    return S_OK;
  },
  getVirtualProcessorRegisters(_context, names, count, values) {
    for (let i = 0; i < count; i++) values.set64(i, registers.get(names[i] as number) ?? 0n);
    return S_OK;
  },
  setVirtualProcessorRegisters(_context, names, count, values) {
    for (let i = 0; i < count; i++) registers.set(names[i] as number, values.get64(i));
    return S_OK;
  },
  translateGvaPage: () => E_FAIL,
});
const vpContext = VpExitContextView.from({
  executionState: { cpl: 0, cr0Pe: true, eferLma: true },
  instructionLength: 2,
  cs: { base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xa09b },
  rip: 0x1000n,
  rflags: 2n,
});
const memoryAccess = MemoryAccessContextView.from({
  instructionByteCount: 2,
  instructionBytes: Uint8Array.of(0x8b, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  accessInfo: { accessType: 0, gpaUnmapped: true, gvaValid: true },
  gpa: 0xfee0_0020,
  gva: 0xfee0_0020n,
});
const result = emulator.tryMmioEmulation(null, vpContext, memoryAccess);
emulator.destroy();
console.log(result.emulationSuccessful, result.diagnostic?.message ?? "no diagnostic");
console.log(registers.get(WHV_REGISTER_NAME.WHvX64RegisterRax)?.toString(16));
