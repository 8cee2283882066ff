/**
 * What a caller may decide when the emulator is created: each option is a question that the documents of the platform
 * leave open, and its default the answer that a real processor or the documents' words suggest. Checking of options
 * lives here; what they change lives where it happens.
 */

/** The exception that the guest is about to take, as `canFault` and diagnostics show it. @public */
export interface GuestException {
  /** Exception vector, 0 to 31 (Intel SDM volume 3, table 6-1). */
  readonly vector: number;
  /** `null` where the vector pushes none, and in real mode. */
  readonly errorCode: number | null;
  /** The faulting linear address, for #PF only. */
  readonly cr2: bigint | null;
}

/** What `GpaUnmapped` of the translate callback means. @public */
export type GpaUnmappedPolicy = "device" | "fault";

/**
 * Options of `createEmulator`. Leave one out and the default holds.
 *
 * @public
 */
export interface EmulatorOptions<Context = unknown> {
  /**
   * At most this many iterations of a REP instruction in one call, 1 to 2^53-1; then the call succeeds with RIP
   * unchanged and the rest is left to the next exit. Default: none, the instruction runs to its end as documented.
   * WinHvEmulation.dll of newer Windows, openvmm and KVM stop after 1024.
   */
  readonly maxRepIterations?: number;
  /** Asked between the iterations of a REP instruction; `true` stops it as `maxRepIterations` does. */
  readonly shouldYield?: () => boolean;
  /**
   * When a callback fails in the middle of a REP instruction, write rCX, rSI and rDI of the finished iterations before
   * answering the failure, so that the call can be repeated. Default `false`: registers are only written before success.
   */
  readonly commitPartialRep?: boolean;
  /**
   * Bytes that are no instruction: `"guest"` (default) gives the guest #UD (#GP(0) above 15 bytes) as a processor does,
   * `"legacy"` answers `InternalEmulationFailure` as Windows 10 did.
   */
  readonly invalidEncoding?: "guest" | "legacy";
  /**
   * A valid instruction that the emulator cannot carry out: `"fail"` (default) answers `InternalEmulationFailure` with a
   * diagnostic that names it, `"hyperv"` gives the guest #UD.
   */
  readonly unsupported?: "fail" | "hyperv";
  /**
   * A memory exit whose instruction has no memory operand: `"fail"` (default) answers `InternalEmulationFailure`,
   * `"hyperv"` gives the guest #GP(0), `"execute"` carries it out (code that runs from device memory).
   */
  readonly noMemoryOperand?: "fail" | "hyperv" | "execute";
  /**
   * How exceptions reach the guest: `"pending-event"` (default) writes `WHvRegisterPendingEvent` with CR2 as its
   * parameter, `"pending-interruption"` writes `WHvRegisterPendingInterruption` and CR2, for hosts without the former.
   */
  readonly eventForm?: "pending-event" | "pending-interruption";
  /**
   * Asked before an exception is given to the guest. `false`: the call answers `GuestCannotBeFaulted`. An event that is
   * already pending answers that without asking.
   */
  readonly canFault?: (context: Context, exception: GuestException) => boolean;
  /**
   * Whether a CMPXCHG (8B, 16B) that does not match writes the old value back, as the processor does. Default `true`;
   * `false` leaves the write out, as openvmm does.
   */
  readonly cmpxchgAlwaysWrites?: boolean;
  /** Whether the interrupt shadow of the exit is cleared when the instruction is done. Default `true`. */
  readonly interruptShadow?: boolean;
  /**
   * The translate callback's answer `GpaUnmapped` with an aligned address: `"device"` (default) takes it for device
   * memory at that address, `"fault"` gives the guest #GP(0).
   */
  readonly gpaUnmapped?: GpaUnmappedPolicy;
  /**
   * How the trap after a single-stepped instruction (RFLAGS.TF) and the hits of data breakpoints reach the guest:
   * `"pending-debug-exception"` (default) writes `WHvX64RegisterPendingDebugException`, `"event"` injects #DB and
   * writes DR6, for hosts without that register.
   */
  readonly debugTraps?: "pending-debug-exception" | "event";
  /** Whether accesses are compared with DR0 to DR3 while the exit says that debug registers are active. Default `false`. */
  readonly dataBreakpoints?: boolean;
  /**
   * Whether CR0.EM, CR0.TS, CR4.OSFXSR, CR4.OSXSAVE and XCR0 are checked for x87, MMX, SSE and AVX instructions. Default
   * `false`: the processor checked them before it stopped. For callers that emulate without a processor.
   */
  readonly recheckEnables?: boolean;
  /**
   * Whether Rip and Rflags of the exit are compared with the processor's registers in the same get call; a
   * difference answers `InternalEmulationFailure`. Default `false`. For finding mistakes of a host.
   */
  readonly verifyExitContext?: boolean;
  /** Decoded instructions to remember: a power of two, 2 to 65536. Default 512. */
  readonly programCacheSize?: number;
}

/** All options with their defaults filled in. */
export interface ResolvedOptions<Context> {
  readonly maxRepIterations: number;
  readonly shouldYield: (() => boolean) | null;
  readonly commitPartialRep: boolean;
  readonly invalidEncoding: "guest" | "legacy";
  readonly unsupported: "fail" | "hyperv";
  readonly noMemoryOperand: "fail" | "hyperv" | "execute";
  readonly eventForm: "pending-event" | "pending-interruption";
  readonly canFault: ((context: Context, exception: GuestException) => boolean) | null;
  readonly cmpxchgAlwaysWrites: boolean;
  readonly interruptShadow: boolean;
  readonly gpaUnmapped: GpaUnmappedPolicy;
  readonly debugTraps: "pending-debug-exception" | "event";
  readonly dataBreakpoints: boolean;
  readonly recheckEnables: boolean;
  readonly verifyExitContext: boolean;
  readonly programCacheSize: number;
}

/** Fills in the defaults. A TypeError or RangeError names the option that is wrong, or that does not exist. */
export function resolveOptions<Context>(options: EmulatorOptions<Context>): ResolvedOptions<Context> {
  const resolved: ResolvedOptions<Context> = {
    maxRepIterations: iterations(options.maxRepIterations),
    shouldYield: callable("shouldYield", options.shouldYield),
    commitPartialRep: flag("commitPartialRep", options.commitPartialRep, false),
    invalidEncoding: oneOf("invalidEncoding", options.invalidEncoding, ["guest", "legacy"]),
    unsupported: oneOf("unsupported", options.unsupported, ["fail", "hyperv"]),
    noMemoryOperand: oneOf("noMemoryOperand", options.noMemoryOperand, ["fail", "hyperv", "execute"]),
    eventForm: oneOf("eventForm", options.eventForm, ["pending-event", "pending-interruption"]),
    canFault: callable("canFault", options.canFault),
    cmpxchgAlwaysWrites: flag("cmpxchgAlwaysWrites", options.cmpxchgAlwaysWrites, true),
    interruptShadow: flag("interruptShadow", options.interruptShadow, true),
    gpaUnmapped: oneOf("gpaUnmapped", options.gpaUnmapped, ["device", "fault"]),
    debugTraps: oneOf("debugTraps", options.debugTraps, ["pending-debug-exception", "event"]),
    dataBreakpoints: flag("dataBreakpoints", options.dataBreakpoints, false),
    recheckEnables: flag("recheckEnables", options.recheckEnables, false),
    verifyExitContext: flag("verifyExitContext", options.verifyExitContext, false),
    programCacheSize: cacheSize(options.programCacheSize),
  };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(resolved, name)) throw new TypeError(`option ${name} does not exist`);
  }
  return resolved;
}

/** The first of `allowed` is the default. */
function oneOf<T extends string>(name: string, value: T | undefined, allowed: readonly [T, ...T[]]): T {
  if (value === undefined) return allowed[0];
  if (!allowed.includes(value))
    throw new RangeError(`option ${name} is ${JSON.stringify(value)}, not one of ${allowed.join(", ")}`);
  return value;
}

function flag(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (typeof value !== "boolean") throw new TypeError(`option ${name} is ${String(value)}, not true or false`);
  return value;
}

function callable<T>(name: string, value: T | undefined): T | null {
  if (value === undefined) return null;
  if (typeof value !== "function") throw new TypeError(`option ${name} is ${String(value)}, not a function`);
  return value;
}

function iterations(value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw new RangeError(`option maxRepIterations is ${String(value)}, not a whole number of at least 1`);
}

function cacheSize(value: number | undefined): number {
  if (value === undefined) return 512;
  if (Number.isInteger(value) && value >= 2 && value <= 65536 && (value & (value - 1)) === 0) return value;
  throw new RangeError(`option programCacheSize is ${String(value)}, not a power of two from 2 to 65536`);
}
