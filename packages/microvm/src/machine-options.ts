/**
 * What a machine is made of, as its maker states it: hypervisor, memory, image, limits, and where bytes go to and come
 * from. Only types live here; `machine.ts` builds the machine, `machine-result.ts` says how it ended.
 */
import type { Emulator, EmulatorCallbacks, Hypervisor, RunVpExit } from "@whvkit/whv-types";

/**
 * A flat image and how to enter it.
 *
 * The processor state at entry, by `mode`:
 * - 16: real mode; CS base = `entry` with the low 16 bits cleared, IP = the low 16 bits; DS, ES, SS, FS, GS and their
 *   bases 0; SP = 0x7c00; interrupts off.
 * - 32: protected mode without paging, flat 4 GiB code and data segments, CPL 0; interrupts off, ESP = 0x7c00.
 * - 64: long mode, the first 4 GiB mapped one to one with 2 MiB pages, CPL 0; interrupts off, RSP = 0x7c00.
 *
 * In modes 32 and 64 the descriptor table (0x08 32-bit code, 0x10 data, 0x18 64-bit code) and the page tables stand in
 * the 28 KiB from 0x99000 to 0xa0000; the image must leave them alone as long as it uses them.
 *
 * @public
 */
export interface GuestImage {
  /** The bytes, placed at `load`. */
  readonly bytes: Uint8Array;
  /** Bitness of the code at `entry`. */
  readonly mode: 16 | 32 | 64;
  /** Guest-physical address of the first byte. */
  readonly load: number;
  /** Guest-physical address of the first instruction; `load` when left out. Below 1 MiB in mode 16. */
  readonly entry?: number;
}

/** Takes one byte, 0 to 255. @public */
export type ByteSink = (byte: number) => void;

/** A port whose written bytes go to a sink. @public */
export interface DebugConsoleOption {
  /** Port number, 0 to 0xffff; customary are 0xe9 and, for POST codes, 0x80 or 0x190. */
  readonly port: number;
  /** Takes each byte written. */
  readonly output: ByteSink;
}

/** When a run is to stop although the guest goes on. @public */
export interface MachineLimits {
  /**
   * Guest instructions, at least 1. Needs a backend that counts them; creating a machine with this limit on one that
   * does not throws `RangeError`. Noticed at the exit after it, or at the end of the backend's own budget for one run.
   */
  readonly maxInstructions?: number;
  /** Seconds by the host's clock, above 0. */
  readonly timeoutSeconds?: number;
  /** Stop with success when the console's text (serial output, read as Latin-1, its last 4,096 characters) matches. */
  readonly until?: RegExp;
}

/** How a machine wants its emulator: options of `createEmulator` of `@whvkit/emulator-core`. @public */
export type MachineEmulatorOptions = {
  /** Iterations of a REP instruction in one call, so that a guest cannot keep the host from its limits. */
  readonly maxRepIterations: number;
};

/** What {@link createMachine} takes. @public */
export interface MachineOptions {
  /** The backend: `simHypervisor` or `winHypervisor`. */
  readonly hypervisor: Hypervisor;
  /** What is loaded, and how it is entered. */
  readonly image: GuestImage;
  /** Bytes of RAM, a multiple of 4096, 1 MiB to 64 GiB; 16 MiB when left out. */
  readonly memorySize?: number;
  /** Takes what the guest sends on its first serial port (COM1). */
  readonly serialOutput?: ByteSink;
  /** Typed into the first serial port from the start on; more may follow with {@link Machine.type}. */
  readonly serialInput?: Uint8Array;
  /** Whether input may still come. A guest that halts for good then waits instead of ending. `false` when left out. */
  readonly interactive?: boolean;
  /** Takes what the guest sends on its virtio console. */
  readonly consoleOutput?: ByteSink;
  /** Port that ends the run with status `2 * v + 1`; 0xf4 when left out, `null` for none. */
  readonly debugExitPort?: number | null;
  /** Ports whose bytes go to a sink; none when left out. */
  readonly debugConsoles?: readonly DebugConsoleOption[];
  /** When to stop although the guest goes on; never when left out. */
  readonly limits?: MachineLimits;
  /**
   * What guest time is made of. `"virtual"` makes every run the same: time goes by with instructions and exits, and
   * leaps over halts. `"host"` follows the host's clock. When left out: `"virtual"` on backends that count
   * instructions, `"host"` on others, where a guest that computes without exits would find time standing still.
   */
  readonly clock?: "virtual" | "host";
  /** Wall-clock time at start for the real-time clock, milliseconds since 1970; 2000-01-01T00:00:00Z when left out. */
  readonly wallClock?: number;
  /** Fills buffers of the entropy device; a fixed sequence when left out, so that runs repeat. */
  readonly entropy?: (bytes: Uint8Array) => void;
  /**
   * Makes the emulator that finishes the exits; `createEmulator` of `@whvkit/emulator-core` when left out. The options
   * are the machine's wishes.
   */
  readonly createEmulator?: (callbacks: EmulatorCallbacks, options: MachineEmulatorOptions) => Emulator;
  /** Called with every exit before it is handled; the object is reused. For tracing and recording. */
  readonly onExit?: (exit: RunVpExit) => void;
}
