/**
 * Ends runs that last too long: a worker thread cancels a run that is still the same after some milliseconds, so that a
 * host whose thread is held by a guest that computes gets its turn. The two threads share three words and no messages.
 */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { E_FAIL, E_INVALIDARG, WhvError } from "@whvkit/whv-types";
import { libraryPath, type NativeLibraryOptions } from "../native/system-library.ts";

/**
 * Where the libraries come from, and how long a run may hold its thread.
 *
 * @public
 */
export interface WinHypervisorOptions extends NativeLibraryOptions {
  /**
   * Milliseconds, 1 to 1,000,000, after which a run of a processor is cancelled: it answers
   * `WHvRunVpExitReasonCanceled`, at about that time, and the next run goes on from there. A thread for each processor
   * that runs keeps watch. Left out, a run ends with the guest's next exit, however late that is.
   */
  readonly maxRunMilliseconds?: number;
}

/** Words that both threads see: the number of the run, odd while it goes on, -1 at the end; and a lock around a cancel. */
const RUN = 0;
const LOCK = 1;
const ENDED = -1;

// Its own small program, because a worker is started from a file or from text, and a bundled host has no file of ours.
const PROGRAM = `
const { workerData: { koffi, library, handle, index, milliseconds, shared } } = require("node:worker_threads");
const cancel = require(koffi).load(library).func("WHvCancelRunVirtualProcessor", "uint32", ["void *", "uint32", "uint32"]);
for (;;) {
  const run = Atomics.load(shared, ${RUN});
  if (run === ${ENDED}) break;
  if (Atomics.wait(shared, ${RUN}, run, milliseconds) !== "timed-out" || (run & 1) === 0) continue;
  if (Atomics.compareExchange(shared, ${LOCK}, 0, 1) !== 0) break;
  if (Atomics.load(shared, ${RUN}) === run) cancel(handle, index, 0);
  Atomics.store(shared, ${LOCK}, 0);
  Atomics.notify(shared, ${LOCK});
}
`;

export class RunWatch {
  private readonly shared = new Int32Array(new SharedArrayBuffer(8));
  private worker: Worker | null = null;
  private failure: unknown = null;
  private readonly handle: bigint;
  private readonly index: number;
  private readonly options: WinHypervisorOptions;

  constructor(handle: bigint, index: number, options: WinHypervisorOptions) {
    this.handle = handle;
    this.index = index;
    this.options = options;
  }

  /** A run begins. */
  begin(operation: string): void {
    if (this.failure !== null)
      throw new WhvError(operation, E_FAIL, `the thread that watches its time has failed: ${String(this.failure)}`);
    this.worker ??= this.start(operation);
    Atomics.add(this.shared, RUN, 1);
  }

  /** The run has ended. */
  end(): void {
    Atomics.add(this.shared, RUN, 1);
  }

  /** No cancel comes after this. */
  dispose(): void {
    const { shared } = this;
    // Taken for good: a cancel under way is waited for.
    while (Atomics.compareExchange(shared, LOCK, 0, 1) !== 0) Atomics.wait(shared, LOCK, 1);
    Atomics.store(shared, RUN, ENDED);
    Atomics.notify(shared, RUN);
    this.worker = null;
  }

  private start(operation: string): Worker {
    const { shared, handle, index, options } = this;
    const workerData = {
      koffi: createRequire(import.meta.url).resolve("koffi"),
      library: libraryPath("WinHvPlatform.dll", options, operation),
      handle,
      index,
      milliseconds: options.maxRunMilliseconds,
      shared,
    };
    const worker = new Worker(PROGRAM, { eval: true, workerData });
    worker.on("error", (error) => {
      this.failure = error;
    });
    worker.unref();
    return worker;
  }
}

/** @throws WhvError with `E_INVALIDARG` where the limit is none. */
export function checkRunLimit({ maxRunMilliseconds: limit }: WinHypervisorOptions): void {
  if (limit === undefined || (Number.isFinite(limit) && limit >= 1 && limit <= 1e6)) return;
  throw new WhvError(
    "createWinHypervisor",
    E_INVALIDARG,
    `maxRunMilliseconds must be a number from 1 to 1000000; it is ${limit}`,
  );
}
