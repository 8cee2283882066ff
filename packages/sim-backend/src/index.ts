/**
 * A hypervisor partition in software: the operations of the Windows Hypervisor Platform on a simulated x86-64 processor.
 *
 * @packageDocumentation
 */
export type { EngineDescription } from "./engine/engine.ts";
export type { SimEngine } from "./engine/engine-choice.ts";
export type { SimPartitionOptions } from "./partition/partition-options.ts";
export { simHypervisor } from "./partition/sim-hypervisor.ts";
export type { CpuidResult } from "./processor/cpu-model.ts";
export type { RaisedException, SimHypervisor, SimPartition, SimVirtualProcessor, StepResult } from "./sim-platform.ts";
