/**
 * The emulator interface that hosts compose through: the five documented callbacks, what they are handed, and what an
 * emulation answers. `@whvkit/emulator-core` implements it in TypeScript, `@whvkit/win-backend` over
 * `WinHvEmulation.dll`. No behaviour lives here beyond the accessors of the reused access objects.
 */

import type { RegisterValues } from "../registers/register-values.ts";
import type { IoPortAccessContextView, MemoryAccessContextView, VpExitContextView } from "../structures/index.ts";

/**
 * One access to guest-physical memory, as `WHV_EMULATOR_MEMORY_ACCESS_INFO` describes it.
 *
 * The emulator owns one instance and reuses it for every call: a callback reads it (and fills `data` for a read)
 * before it returns, and keeps no reference.
 *
 * @example
 * ```ts
 * import { EmulatorMemoryAccess } from "@whvkit/whv-types";
 * const access = new EmulatorMemoryAccess();
 * access.accessSize = 2;
 * access.data[0] = 0x34;
 * access.data[1] = 0x12;
 * access.value; // 0x1234n
 * ```
 *
 * @public
 */
export class EmulatorMemoryAccess {
  /** Guest-physical address of the first byte, 0 to 2^52-1. */
  gpaAddress = 0;
  /** 0 = read (fill `data`), 1 = write (take `data`). */
  direction: 0 | 1 = 0;
  /** Bytes, 1 to 8. The access never crosses a 4 KiB page. */
  accessSize = 0;
  /** Eight bytes in memory order, of which the first `accessSize` count. */
  readonly data: Uint8Array;
  /** The same eight bytes as two little-endian words. */
  readonly words: Uint32Array;

  constructor() {
    const buffer = new ArrayBuffer(8);
    this.data = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  /** The data as one unsigned integer, cut to `accessSize` bytes. */
  get value(): bigint {
    const all = (BigInt(this.words[1] as number) << 32n) | BigInt(this.words[0] as number);
    return BigInt.asUintN(this.accessSize * 8, all);
  }

  set value(value: bigint) {
    this.words[0] = Number(BigInt.asUintN(32, value));
    this.words[1] = Number(BigInt.asUintN(32, value >> 32n));
  }
}

/**
 * One access to an I/O port, as `WHV_EMULATOR_IO_ACCESS_INFO` describes it. Reused like {@link EmulatorMemoryAccess}.
 *
 * @example
 * ```ts
 * import { EmulatorIoAccess, S_OK } from "@whvkit/whv-types";
 * const access = new EmulatorIoAccess();
 * const ioPort = (_context: unknown, { direction, port }: EmulatorIoAccess) => {
 *   if (direction === 0 && port === 0x60) access.data = 0x1e; // IN from the keyboard
 *   return S_OK;
 * };
 * access.port = 0x60;
 * ioPort(null, access); // 0
 * access.data; // 0x1e
 * ```
 *
 * @public
 */
export class EmulatorIoAccess {
  /** 0 = IN (fill `data`), 1 = OUT (take `data`). */
  direction: 0 | 1 = 0;
  /** Port number, 0 to 0xffff. */
  port = 0;
  /** Bytes: 1, 2 or 4. */
  accessSize: 1 | 2 | 4 = 1;
  /** The value as an unsigned integer of `accessSize` bytes; what stands above is ignored on IN. */
  data = 0;
}

/**
 * One question to the translate callback: which guest-physical page backs this guest-virtual page? Reused.
 *
 * @example
 * ```ts
 * import { EmulatorTranslation } from "@whvkit/whv-types";
 * const translation = new EmulatorTranslation();
 * translation.gvaPageHigh = 0xffff_f800;
 * translation.gvaPageLow = 0x1000;
 * translation.gvaPage; // 0xfffff80000001000n
 * ```
 *
 * @public
 */
export class EmulatorTranslation {
  /** Bits 31..0 of the guest-virtual address; the low 12 bits are 0. */
  gvaPageLow = 0;
  /** Bits 63..32 of the guest-virtual address. */
  gvaPageHigh = 0;
  /** `WHV_TRANSLATE_GVA_FLAGS`. */
  flags = 0;
  /** Out: `WHV_TRANSLATE_GVA_RESULT_CODE`, exactly what `WHvTranslateGva` returned. */
  resultCode = 0;
  /** Out: guest-physical address of the page; must be 4 KiB aligned. */
  gpaPage = 0;

  /** The guest-virtual page address, unsigned. */
  get gvaPage(): bigint {
    return (BigInt(this.gvaPageHigh >>> 0) << 32n) | BigInt(this.gvaPageLow >>> 0);
  }
}

/**
 * The five documented callbacks of `WHV_EMULATOR_CALLBACKS`. Each is synchronous and answers an HRESULT: `S_OK` (0)
 * or a failure, which ends the emulation with the status bit of that callback. A callback that throws counts as failed;
 * what it threw is kept in the diagnostic.
 *
 * @typeParam Context - the opaque value that the caller of `tryIoEmulation`/`tryMmioEmulation` passes through.
 *
 * @public
 */
export interface EmulatorCallbacks<Context = unknown> {
  /** `WHV_EMULATOR_IO_PORT_CALLBACK`: perform one port access. */
  ioPort(context: Context, access: EmulatorIoAccess): number;
  /** `WHV_EMULATOR_MEMORY_CALLBACK`: perform one guest-physical access, on device memory or RAM. */
  memory(context: Context, access: EmulatorMemoryAccess): number;
  /**
   * `WHV_EMULATOR_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK`: read `count` registers; `names[i]` is a
   * `WHV_REGISTER_NAME`, its value goes to entry `i` of `values`. Both are reused; only the first `count` entries count.
   */
  getVirtualProcessorRegisters(context: Context, names: Uint32Array, count: number, values: RegisterValues): number;
  /** `WHV_EMULATOR_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK`: write `count` registers. Called once, right before success. */
  setVirtualProcessorRegisters(context: Context, names: Uint32Array, count: number, values: RegisterValues): number;
  /** `WHV_EMULATOR_TRANSLATE_GVA_PAGE_CALLBACK`: answer with what `WHvTranslateGva` says of that page. */
  translateGvaPage(context: Context, translation: EmulatorTranslation): number;
}

/** Where in the way of one emulation something stopped. @public */
export type EmulationPhase =
  | "check"
  | "fetch"
  | "decode"
  | "registers"
  | "translate"
  | "load"
  | "store"
  | "port"
  | "execute"
  | "commit";

/** What a person needs to know about an emulation that did not succeed, or that injected a fault. @public */
export interface EmulationDiagnostic {
  /** A stable kebab-case code, for instance `"callback-failed"`, `"unsupported-instruction"`, `"no-memory-operand"`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** Where it stopped. */
  readonly phase: EmulationPhase;
  /** The instruction's bytes as far as they are known. */
  readonly bytes: Uint8Array;
  /** The instruction in Intel syntax, or `null` where it could not be decoded. */
  readonly text: string | null;
  /** RIP of the instruction. */
  readonly rip: bigint;
  /** Bitness of the code: 16, 32 or 64. */
  readonly mode: 16 | 32 | 64;
  /** Finished REP iterations. */
  readonly repCompleted: number;
  /** The callback that failed, or `null`. */
  readonly callback: keyof EmulatorCallbacks | null;
  /** What that callback answered (unsigned), 0 where none failed. */
  readonly callbackHresult: number;
  /** What the callback threw, where it threw. */
  readonly thrown: unknown;
  /** The exception injected into the guest, where one was. */
  readonly exception: {
    readonly vector: number;
    readonly errorCode: number | null;
    readonly cr2: bigint | null;
  } | null;
}

/**
 * What one call of the emulator answers. The object is reused by the emulator: it holds until the next call on the
 * same emulator.
 *
 * @public
 */
export interface EmulationResult {
  /** `S_OK` (0), `E_INVALIDARG` (0x80070057) or another HRESULT, unsigned. The status counts only with `S_OK`. */
  readonly hresult: number;
  /** `WHV_EMULATOR_STATUS.AsUINT32`. */
  readonly statusBits: number;
  /** The registers were set and the processor should run on. */
  readonly emulationSuccessful: boolean;
  /** The emulator could not handle the instruction. */
  readonly internalEmulationFailure: boolean;
  /** The I/O callback failed. */
  readonly ioPortCallbackFailed: boolean;
  /** The memory callback failed. */
  readonly memoryCallbackFailed: boolean;
  /** The translate callback failed. */
  readonly translateGvaPageCallbackFailed: boolean;
  /** The translate callback gave an address that is not a multiple of 4096. */
  readonly translateGvaPageCallbackGpaIsNotAligned: boolean;
  /** The callback that reads registers failed. */
  readonly getVirtualProcessorRegistersCallbackFailed: boolean;
  /** The callback that writes registers failed. */
  readonly setVirtualProcessorRegistersCallbackFailed: boolean;
  /** The access was made while an event was being delivered; there is no instruction to emulate. */
  readonly interruptCausedIntercept: boolean;
  /** The guest needs an exception that cannot be injected. */
  readonly guestCannotBeFaulted: boolean;
  /** Why, when the emulation did not succeed or injected a fault; else `null`. */
  readonly diagnostic: EmulationDiagnostic | null;
}

/** One emulator: `WHV_EMULATOR_HANDLE` with its three functions. Use one per virtual processor and thread. @public */
export interface Emulator<Context = unknown> {
  /** `WHvEmulatorTryIoEmulation`: finish the port instruction that a virtual processor exited with. */
  tryIoEmulation(
    context: Context,
    vpContext: VpExitContextView,
    ioInstructionContext: IoPortAccessContextView,
  ): EmulationResult;
  /** `WHvEmulatorTryMmioEmulation`: finish the instruction whose memory access a virtual processor exited with. */
  tryMmioEmulation(
    context: Context,
    vpContext: VpExitContextView,
    mmioInstructionContext: MemoryAccessContextView,
  ): EmulationResult;
  /** `WHvEmulatorDestroyEmulator`. A destroyed emulator answers every call with `E_INVALIDARG`. */
  destroy(): void;
}
