/**
 * The platform's interfaces as the simulator offers them: what a host may use beyond what every backend has. The classes
 * behind them are the simulator's own.
 */

import type { Hypervisor, Partition, RunVpExit, VirtualProcessor } from "@whvkit/whv-types";
import type { RegisterFile } from "@whvkit/x86-semantics";
import type { EngineDescription } from "./engine/engine.ts";
import type { SimPartitionOptions } from "./partition/partition-options.ts";

/**
 * An exception that a step raised.
 *
 * @public
 */
export interface RaisedException {
  /** 0 to 31. */
  readonly vector: number;
  /** `null` where the vector has none. */
  readonly errorCode: number | null;
  /** The faulting linear address of a page fault, else `null`. */
  readonly cr2: bigint | null;
}

/**
 * What {@link SimVirtualProcessor.step} answers.
 *
 * @public
 */
export interface StepResult {
  /** Instructions completed. */
  readonly instructions: number;
  /** The exit that ended the step, or `null`; reused like that of `run`. */
  readonly exit: RunVpExit | null;
  /** The first exception raised: it is not delivered, and the processor stands before the instruction. */
  readonly exception: RaisedException | null;
}

/**
 * A virtual processor of the simulator.
 *
 * @public
 */
export interface SimVirtualProcessor extends VirtualProcessor {
  /**
   * How many instructions the next `run` may complete before it answers `WHvRunVpExitReasonCanceled`: 1 or more,
   * `Infinity` for no limit; else a RangeError. At first the partition's option. 16 elements of a repeated string
   * instruction count as one more.
   */
  instructionBudget: number;
  /** Instructions completed since the processor was made. A repeated string instruction counts once. */
  readonly instructionCount: number;
  /** What runs its instructions, and why it is nothing faster. */
  readonly engine: EngineDescription;
  /** What the last UnsupportedFeature or InvalidVpRegisterValue exit was about, in words; else empty. */
  readonly exitDetail: string;
  /** Every architectural register, in place: for state that no WHv register name reaches (YMM, ZMM, opmask). */
  readonly registerFile: RegisterFile;
  /**
   * Runs up to `count` instructions, and stops before an exception would be delivered. Pending events are delivered
   * first, as `run` does.
   *
   * @example
   * ```ts
   * import { simHypervisor } from "@whvkit/sim-backend";
   * const partition = simHypervisor.createPartition();
   * partition.setup();
   * const code = partition.allocateMemory(0x1000);
   * code.bytes.set([0x40, 0x0f, 0x0b], 0xff0); // inc ax; ud2, where the processor starts
   * partition.mapGpaRange(code, 0, 0xffff_f000, 0x1000, 7); // read, write and execute
   * const { instructions, exception } = partition.createVirtualProcessor(0).step(10);
   * instructions; // 1
   * exception?.vector; // 6
   * ```
   *
   * @param count - 1 or more.
   */
  step(count: number): StepResult;
}

/**
 * A partition of the simulator.
 *
 * @public
 */
export interface SimPartition extends Partition {
  /** Creates virtual processor `index`, from 0; throws as {@link Partition} says. */
  createVirtualProcessor(index: number): SimVirtualProcessor;
}

/**
 * The simulator's hypervisor: its partitions take options of their own.
 *
 * @public
 */
export interface SimHypervisor extends Hypervisor {
  /** What tells it apart from the native hypervisor. */
  readonly name: "sim";
  /** Makes a partition; an option that cannot be is a `WhvError` with `E_INVALIDARG`. */
  createPartition(options?: SimPartitionOptions): SimPartition;
}
