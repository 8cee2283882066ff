/**
 * A hypervisor partition in software: the operations of the Windows Hypervisor Platform on a simulated x86-64 processor.
 *
 * @packageDocumentation
 */

export type { Engine, EngineContext, EngineFactory } from "./engine/engine.ts";
export { EngineStop } from "./engine/engine.ts";
export { EvaluatorEngine } from "./engine/evaluator-engine.ts";
export type { CodeObserver } from "./memory/guest-machine.ts";
export { GuestMachine } from "./memory/guest-machine.ts";
export type { SimPartitionOptions } from "./partition/partition-options.ts";
export { type SimHypervisor, simHypervisor } from "./partition/sim-hypervisor.ts";
export { SimPartition } from "./partition/sim-partition.ts";
export type { CpuidResult } from "./processor/cpu-model.ts";
export type { RaisedException, SimVirtualProcessorExtension, StepResult } from "./processor/sim-virtual-processor.ts";
export { SimVirtualProcessor } from "./processor/sim-virtual-processor.ts";
