/** The processor that `whv step` runs on: the simulator's. */
import type { StepEngine, StepSource } from "@whvkit/conformance";
import { type SimEngine, type SimVirtualProcessor, simHypervisor } from "@whvkit/sim-backend";
import type { VirtualProcessor } from "@whvkit/whv-types";
import { RegisterOffset } from "@whvkit/x86-semantics";

/** RAM of one case and what the simulator needs besides: more than the largest case may ask for. */
const memoryCapacity: number = 512 * 1024 * 1024;

const simEngines: Readonly<Record<StepEngine, SimEngine>> = { cold: "evaluator", compiled: "webassembly" };

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

/** Where a vector register or opmask lies in the simulator's register file. */
function placeOf(processor: VirtualProcessor, name: string): Uint8Array {
  const { bytes } = (processor as SimVirtualProcessor).registerFile;
  const number = Number(/\d+$/.exec(name)?.[0]);
  const [start, size] = name.startsWith("K")
    ? [RegisterOffset.mask + 8 * number, 8]
    : [RegisterOffset.vector + 64 * number, name.startsWith("Y") ? 32 : 64];
  return bytes.subarray(start, start + size);
}

export const stepSource: StepSource = {
  createPartition: (engine) =>
    simHypervisor.createPartition({ memoryCapacity, engine: engine === null ? "auto" : simEngines[engine] }),
  step(processor, instructions) {
    const simulated = processor as SimVirtualProcessor;
    return { ...simulated.step(instructions), detail: simulated.exitDetail };
  },
  engines: ["cold", "compiled"],
  extended: {
    names: [...numbered("Ymm", 32), ...numbered("Zmm", 32), ...numbered("K", 8)],
    read: (processor, name) => placeOf(processor, name).slice(),
    write: (processor, name, bytes) => placeOf(processor, name).set(bytes),
  },
};
