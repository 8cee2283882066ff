/**
 * What tests get for `@whvkit/sim-backend` when they run a second time: the same, but partitions that ask for no engine
 * have every instruction compiled to WebAssembly at its first execution (the project "webassembly" of `vitest.config.ts`).
 */
import { simHypervisor as original, type SimHypervisor, type SimPartitionOptions } from "../src/index.ts";

export * from "../src/index.ts";

export const simHypervisor: SimHypervisor = {
  ...original,
  createPartition: (options: SimPartitionOptions = {}) =>
    original.createPartition({ engine: "webassembly", ...options }),
};
