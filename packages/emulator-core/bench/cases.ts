/** What is measured: the rows of "One emulation with its callbacks", as exits. */
import { IoPortAccessContextView, MemoryAccessContextView, VpExitContextView } from "@whvkit/whv-types";
import { createEmulator } from "../src/index.ts";
import { type BenchHost, DEVICE } from "./hosts.ts";

export interface BenchCase {
  readonly name: string;
  /** Elements of one emulation: 1, or the count of REP. */
  readonly elements: number;
  /** On a host with bulk callbacks. */
  readonly bulk?: boolean;
  /** One emulation on a host; answers a function so that setting up is not measured. */
  prepare(host: BenchHost): () => void;
}

const RCX = 2;
const RSI = 12;
const RDI = 14;
const REP_COUNT = 1000;

function vp(instructionLength: number): VpExitContextView {
  return VpExitContextView.from({
    executionState: { cr0Pe: true, eferLma: true },
    instructionLength,
    cs: { limit: 0xffff_ffff, selector: 8, attributes: 0xa09b },
    rip: 0x1000n,
    rflags: 2n,
  });
}

function bytesOf(...bytes: number[]): { instructionByteCount: number; instructionBytes: Uint8Array } {
  const instructionBytes = new Uint8Array(16).fill(0x90);
  instructionBytes.set(bytes);
  return { instructionByteCount: 16, instructionBytes };
}

function mmio(name: string, bytes: number[], accessType: 0 | 1, elements = 1, rsi = 0x2000): BenchCase {
  return {
    name,
    elements,
    prepare(host) {
      const emulator = createEmulator<null>(host);
      const vpContext = vp(bytes.length);
      const access = MemoryAccessContextView.from({
        ...bytesOf(...bytes),
        accessInfo: { accessType, gpaUnmapped: true, gvaValid: true },
        gpa: DEVICE,
        gva: BigInt(DEVICE),
      });
      const { registers } = host;
      return () => {
        registers[RCX] = REP_COUNT;
        registers[RSI] = rsi;
        registers[RDI] = DEVICE;
        if (!emulator.tryMmioEmulation(null, vpContext, access).emulationSuccessful) throw new Error(name);
      };
    },
  };
}

function port(name: string, bytes: number[], isWrite: boolean, accessSize: 1 | 2 | 4, elements = 1): BenchCase {
  return {
    name,
    elements,
    prepare(host) {
      const emulator = createEmulator<null>(host);
      const vpContext = vp(bytes.length);
      const stringOp = elements > 1;
      const access = IoPortAccessContextView.from({
        ...bytesOf(...bytes),
        accessInfo: { isWrite, accessSize, stringOp, repPrefix: stringOp },
        portNumber: 0x60,
        rcx: BigInt(REP_COUNT),
        rsi: 0x2000n,
        rdi: 0x4000n,
        ds: { limit: 0xffff_ffff, attributes: 0xc093 },
        es: { limit: 0xffff_ffff, attributes: 0xc093 },
      });
      return () => {
        if (!emulator.tryIoEmulation(null, vpContext, access).emulationSuccessful) throw new Error(name);
      };
    },
  };
}

export const benchCases: readonly BenchCase[] = [
  port("in al, dx", [0xec], false, 1),
  port("out dx, eax", [0xef], true, 4),
  mmio("mov eax, [rdi]", [0x8b, 0x07], 0),
  mmio("mov [rdi], eax", [0x89, 0x07], 1),
  mmio("add [rdi], ecx", [0x01, 0x0f], 0),
  mmio("rep stosd", [0xf3, 0xab], 1, REP_COUNT),
  mmio("rep movsb", [0xf3, 0xa4], 1, REP_COUNT),
  port("rep insd", [0xf3, 0x6d], false, 4, REP_COUNT),
  port("rep outsb", [0xf3, 0x6e], true, 1, REP_COUNT),
];

const bulk = (row: BenchCase): BenchCase => ({ ...row, name: `${row.name}, bulk callbacks`, bulk: true });

/** The REP cases once more. */
export const bulkCases: readonly BenchCase[] = benchCases.filter(({ elements }) => elements > 1).map(bulk);
