/**
 * The TypeScript emulator behind the stand-in for `WinHvEmulation.dll`: what the binding hands to native code comes back
 * here, and each callback goes through the C functions of the binding. So a whole emulation crosses the ABI both ways.
 */
import { createEmulator } from "@whvkit/emulator-core";
import {
  type EmulatorCallbacks,
  IoPortAccessContextView,
  MemoryAccessContextView,
  VpExitContextView,
} from "@whvkit/whv-types";
import type { EmulationControl, NativeCallbacks } from "./stand-in-control.ts";

/** The five callbacks as an emulator of whvkit has them. The context is the number that native code was given. */
function throughNative(native: NativeCallbacks): EmulatorCallbacks<bigint> {
  const access = new DataView(new ArrayBuffer(24));
  const accessBytes = new Uint8Array(access.buffer);
  const answer = new Uint32Array(4);
  const [resultCode, gpa] = [new Uint8Array(answer.buffer, 0, 4), new Uint8Array(answer.buffer, 8, 8)];
  return {
    ioPort(context, io) {
      const { direction, port, accessSize, data } = io;
      accessBytes.fill(0);
      access.setUint8(0, direction);
      access.setUint16(2, port, true);
      access.setUint16(4, accessSize, true);
      access.setUint32(8, data, true);
      const hresult = native.ioPort(context, accessBytes);
      if (hresult === 0 && direction === 0) io.data = access.getUint32(8, true);
      return hresult;
    },
    memory(context, { gpaAddress, direction, accessSize, data }) {
      accessBytes.fill(0);
      access.setBigUint64(0, BigInt(gpaAddress), true);
      access.setUint8(8, direction);
      access.setUint8(9, accessSize);
      if (direction === 1) accessBytes.set(data.subarray(0, accessSize), 10);
      const hresult = native.memory(context, accessBytes);
      if (hresult === 0 && direction === 0) data.set(accessBytes.subarray(10, 10 + accessSize));
      return hresult;
    },
    getVirtualProcessorRegisters: (context, names, count, values) =>
      native.getRegisters(context, names, count, values.bytes),
    setVirtualProcessorRegisters: (context, names, count, values) =>
      native.setRegisters(context, names, count, values.bytes),
    translateGvaPage(context, translation) {
      const page = (BigInt(translation.gvaPageHigh >>> 0) << 32n) | BigInt(translation.gvaPageLow >>> 0);
      const hresult = native.translate(context, page, translation.flags, resultCode, gpa);
      if (hresult === 0) {
        translation.resultCode = answer[0] ?? 0;
        translation.gpaPage = (answer[3] ?? 0) * 2 ** 32 + (answer[2] ?? 0);
      }
      return hresult;
    },
  };
}

/** Emulations go to the TypeScript emulator from now on. Answers what ends that. */
export function serveEmulations(control: EmulationControl): () => void {
  return control.serve((kind, native, context, viewOf, setStatus) => {
    // One for each call: an emulation from a callback of another one is another emulator's.
    const emulator = createEmulator(throughNative(native));
    try {
      const vp = new VpExitContextView(viewOf("vp", VpExitContextView.size));
      const result =
        kind === 0
          ? emulator.tryIoEmulation(
              context,
              vp,
              new IoPortAccessContextView(viewOf("access", IoPortAccessContextView.size)),
            )
          : emulator.tryMmioEmulation(
              context,
              vp,
              new MemoryAccessContextView(viewOf("access", MemoryAccessContextView.size)),
            );
      setStatus(result.statusBits);
      return result.hresult;
    } finally {
      emulator.destroy();
    }
  });
}
