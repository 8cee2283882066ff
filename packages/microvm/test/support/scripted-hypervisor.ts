// A hypervisor without a processor: each run gives the next exit of a script. Registers are what was last written, so
// tests see what a machine does to its processor and not how one works.
import {
  type GuestMemory,
  type GvaTranslation,
  type Hypervisor,
  type InterruptRequest,
  type Partition,
  type RegisterValues,
  type RunVpExit,
  RunVpExitContextView,
  type VirtualProcessor,
  WHV_REGISTER_NAME,
  WHV_RUN_VP_EXIT_REASON,
} from "@whvkit/whv-types";

export type ScriptedExit =
  | (keyof typeof WHV_RUN_VP_EXIT_REASON extends `WHvRunVpExitReason${infer Name}` ? Name : never)
  | (() => void);

/** One mapping that a partition was asked for. */
export interface Mapping {
  readonly gpa: number;
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

export class ScriptedHypervisor implements Hypervisor {
  readonly name = "script";
  readonly partition: ScriptedPartition;

  constructor(script: readonly ScriptedExit[] = [], counting = true) {
    this.partition = new ScriptedPartition(script, counting);
  }

  getCapability(): bigint {
    return 0n;
  }

  createPartition(): Partition {
    return this.partition;
  }
}

class ScriptedPartition implements Partition {
  readonly mappings: Mapping[] = [];
  readonly properties: [number, bigint][] = [];
  readonly processor: ScriptedProcessor;
  memory: Uint8Array = new Uint8Array(0);
  disposed = 0;

  constructor(script: readonly ScriptedExit[], counting: boolean) {
    this.processor = counting ? new CountingScriptedProcessor(script) : new ScriptedProcessor(script);
  }

  getProperty(): bigint {
    return 0n;
  }
  setProperty(code: number, value: bigint): void {
    this.properties.push([code, value]);
  }
  setup(): void {}
  allocateMemory(size: number): GuestMemory {
    this.memory = new Uint8Array(size);
    return { size, bytes: this.memory, dispose: () => undefined };
  }
  mapGpaRange(_memory: GuestMemory, offset: number, gpa: number, size: number, flags: number): void {
    this.mappings.push({ gpa, offset, size, flags });
  }
  unmapGpaRange(): void {}
  queryGpaRangeDirtyBitmap(): void {}
  createVirtualProcessor(): VirtualProcessor {
    return this.processor;
  }
  requestInterrupt(_request: InterruptRequest): void {}
  dispose(): void {
    this.disposed += 1;
  }
}

export class ScriptedProcessor implements VirtualProcessor {
  readonly index = 0;
  /** Registers as last written, 128 bits each. */
  readonly registers = new Map<number, bigint>();
  /** Names of the registers of each write after the first, which enters the image. */
  readonly writes: number[][] = [];
  runs = 0;
  canceled = 0;
  readonly exit = new RunVpExitContextView(new DataView(new ArrayBuffer(RunVpExitContextView.size)));
  readonly #script: readonly ScriptedExit[];
  #next = 0;
  #entered = false;

  constructor(script: readonly ScriptedExit[]) {
    this.#script = script;
  }

  run(): RunVpExit {
    this.runs += 1;
    // What was injected is delivered by running.
    this.registers.set(WHV_REGISTER_NAME.WHvRegisterPendingInterruption, 0n);
    for (;;) {
      const step = this.#script[this.#next++];
      if (step === undefined) throw new Error("the script has no more exits");
      if (typeof step === "function") {
        step();
        continue;
      }
      this.exit.exitReason = WHV_RUN_VP_EXIT_REASON[`WHvRunVpExitReason${step}` as keyof typeof WHV_RUN_VP_EXIT_REASON];
      return this.exit as RunVpExit;
    }
  }
  cancelRun(): void {
    this.canceled += 1;
  }
  getRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    for (let i = 0; i < count; i++) values.set128(i, this.registers.get(names[i]) ?? 0n);
  }
  setRegisters(names: Uint32Array, count: number, values: RegisterValues): void {
    for (let i = 0; i < count; i++) this.registers.set(names[i], values.get128(i));
    if (this.#entered) this.writes.push([...names.subarray(0, count)]);
    this.#entered = true;
  }
  translateGva(low: number, high: number, _flags: number, result: GvaTranslation): void {
    result.resultCode = 0;
    result.gpa = high * 2 ** 32 + low;
  }
  dispose(): void {}

  /** Lets the guest enable or disable interrupts. */
  setInterruptFlag(on: boolean): void {
    this.registers.set(WHV_REGISTER_NAME.WHvX64RegisterRflags, on ? 0x202n : 0x2n);
  }
}

/** One that counts: each exit comes after one instruction, or after the whole budget when it is `Canceled`. */
class CountingScriptedProcessor extends ScriptedProcessor {
  instructionCount = 0;
  instructionBudget = Number.POSITIVE_INFINITY;

  override run(): RunVpExit {
    const exit = super.run();
    const canceled = exit.exitReason === WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonCanceled;
    this.instructionCount += canceled ? this.instructionBudget : 1;
    return exit;
  }
}
