/** The processor that `whv step` runs on: the simulator's. */
import type { StepSource } from "@whvkit/conformance";
import { type SimVirtualProcessor, simHypervisor } from "@whvkit/sim-backend";

/** RAM of one case and what the simulator needs besides: more than the largest case may ask for. */
const memoryCapacity: number = 512 * 1024 * 1024;

export const stepSource: StepSource = {
  createPartition: () => simHypervisor.createPartition({ memoryCapacity }),
  step(processor, instructions) {
    const simulated = processor as SimVirtualProcessor;
    return { ...simulated.step(instructions), detail: simulated.exitDetail };
  },
  engines: ["cold"],
};
