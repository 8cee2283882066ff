/** Makes a machine: partition, RAM, board, processor, emulator and run loop, in this order. */
import { createEmulator } from "@whvkit/emulator-core";
import { type Emulator, type Partition, type VirtualProcessor, WHV_PARTITION_PROPERTY_CODE } from "@whvkit/whv-types";
import { Board } from "./board.ts";
import { ConsoleText } from "./console-text.ts";
import { enterImage, writeEntryTables } from "./entry-state.ts";
import { MachineRam } from "./guest-memory-layout.ts";
import { GuestTime } from "./guest-time.ts";
import { HostCallbacks } from "./host-callbacks.ts";
import { countingProcessor } from "./instruction-count.ts";
import type { Machine } from "./machine.ts";
import { checkMachineOptions } from "./machine-checks.ts";
import type { MachineEmulatorOptions, MachineOptions } from "./machine-options.ts";
import { exitStatusOf, type MachineResult, type MachineStatistics } from "./machine-result.ts";
import { RunLoop } from "./run-loop.ts";

const DEFAULT_MEMORY_SIZE: number = 16 * 2 ** 20;

/**
 * Makes a machine with one processor and loads its image.
 *
 * @param options - what it is made of; see {@link MachineOptions}
 * @throws RangeError or TypeError where an option cannot be; `WhvError` where the hypervisor refuses
 *
 * @example
 * ```ts
 * import { createMachine } from "@whvkit/microvm";
 * import { simHypervisor } from "@whvkit/sim-backend";
 * let text = "";
 * const machine = createMachine({
 *   hypervisor: simHypervisor,
 *   image: { bytes: Uint8Array.of(0xb0, 0x03, 0xe6, 0xf4, 0xf4), load: 0x7c00, mode: 16 }, // mov al, 3; out 0xf4, al; hlt
 *   debugExitPort: 0xf4,
 *   serialOutput: (byte) => (text += String.fromCharCode(byte)),
 * });
 * const { reason, debugExitValue } = machine.run();
 * reason; // "debug-exit"
 * debugExitValue; // 3
 * machine.dispose();
 * ```
 *
 * @public
 */
export function createMachine(options: MachineOptions): Machine {
  const memorySize = options.memorySize ?? DEFAULT_MEMORY_SIZE;
  checkMachineOptions(options, memorySize);
  const partition = options.hypervisor.createPartition();
  try {
    partition.setProperty(WHV_PARTITION_PROPERTY_CODE.WHvPartitionPropertyCodeProcessorCount, 1n);
    partition.setup();
    return new BuiltMachine(partition, options, memorySize);
  } catch (error) {
    partition.dispose();
    throw error;
  }
}

/**
 * At most so many iterations of a REP instruction at once. The rest is left to the next exit, between which limits are
 * looked at and interrupts come, as they do between iterations on a processor.
 */
const EMULATOR_OPTIONS: MachineEmulatorOptions = { maxRepIterations: 65_536 };

class BuiltMachine implements Machine {
  readonly #partition: Partition;
  readonly #ram: MachineRam;
  readonly #processor: VirtualProcessor;
  readonly #emulator: Emulator;
  readonly #callbacks: HostCallbacks;
  readonly #board: Board;
  readonly #loop: RunLoop;
  #seconds = 0;
  #result: MachineResult | null = null;

  constructor(partition: Partition, options: MachineOptions, memorySize: number) {
    this.#partition = partition;
    const limits = options.limits ?? {};
    const consoleText = new ConsoleText(limits.until ?? null);
    this.#ram = new MachineRam(partition, memorySize);
    this.#processor = partition.createVirtualProcessor(0);
    const counter = countingProcessor(this.#processor);
    if (counter === null && limits.maxInstructions !== undefined) {
      throw new RangeError(
        `limits.maxInstructions: the backend "${options.hypervisor.name}" does not count instructions`,
      );
    }
    this.#board = new Board(options, this.#ram, consoleText, {
      powerOff: () => this.#loop.finish("shutdown", "The guest switched the machine off."),
      debugExit: (value) =>
        this.#loop.finish("debug-exit", `The guest wrote ${value} to the debug-exit port.`, { debugExitValue: value }),
    });
    this.#callbacks = new HostCallbacks(this.#board.bus, this.#ram, this.#processor);
    this.#emulator = (options.createEmulator ?? createEmulator)(this.#callbacks, EMULATOR_OPTIONS);
    const virtual = (options.clock ?? (counter === null ? "host" : "virtual")) === "virtual";
    this.#loop = new RunLoop({
      processor: this.#processor,
      counter,
      emulator: this.#emulator,
      board: this.#board,
      time: new GuestTime(this.#board.clock, counter, virtual),
      consoleText,
      limits,
      interactive: options.interactive ?? false,
      onExit: options.onExit ?? null,
    });
    this.#ram.bytes.set(options.image.bytes, options.image.load);
    writeEntryTables(this.#ram.bytes, options.image.mode);
    enterImage(this.#processor, options.image);
  }

  run(): MachineResult {
    this.#spend(() => this.#loop.run(Number.POSITIVE_INFINITY, true));
    return this.result as MachineResult;
  }

  runSlice(maxExits: number): "running" | "waiting" | "ended" {
    return this.#spend(() => this.#loop.run(maxExits, false));
  }

  get waitMilliseconds(): number {
    return this.#loop.waitMilliseconds;
  }

  get result(): MachineResult | null {
    const { end } = this.#loop;
    if (end === null) return null;
    this.#result ??= {
      ...end,
      exitStatus: exitStatusOf(end.reason, end.debugExitValue ?? 0),
      statistics: this.statistics,
    };
    return this.#result;
  }

  get statistics(): MachineStatistics {
    return {
      exits: this.#loop.exits.toRecord(),
      exitCount: this.#loop.exits.total,
      emulations: { ...this.#loop.emulations },
      callbacks: { ...this.#callbacks.counts },
      interrupts: this.#loop.injection.count,
      instructions: this.#loop.instructions,
      guestNanoseconds: this.#board.clock.now,
      seconds: this.#seconds,
    };
  }

  type(bytes: Uint8Array): void {
    this.#board.serial.receive(bytes);
  }

  cancel(): void {
    this.#loop.cancel();
  }

  screenText(): string {
    return this.#board.screen.text();
  }

  dispose(): void {
    this.#emulator.destroy();
    this.#processor.dispose();
    this.#ram.dispose();
    this.#partition.dispose();
  }

  /** Counts the host time that `work` takes. */
  #spend<T>(work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.#seconds += (performance.now() - start) / 1000;
    }
  }
}
