/**
 * What an instruction that needs the host asks for, in plain numbers: filled where it is found (a memory access, a port
 * instruction, a CPUID), read once by `exit-record.ts`, which lays it out as the platform does.
 */

/** The exit that is due. Reused; which fields count follows from `reason`. */
export class ExitRequest {
  /** `WHV_RUN_VP_EXIT_REASON`. */
  reason = 0;
  /** MemoryAccess: `WHV_MEMORY_ACCESS_TYPE`. */
  accessType = 0;
  gpa = 0;
  gpaUnmapped = false;
  gvaLow = 0;
  gvaHigh = 0;
  gvaValid = false;
  /** X64IoPortAccess. */
  port = 0;
  accessSize = 0;
  isWrite = false;
  stringOperation = false;
  repeat = false;
  /** X64MsrAccess. */
  msr = 0;
  /** X64Cpuid: what the processor model answers, EAX EBX ECX EDX. */
  readonly cpuid: Int32Array = new Int32Array(4);
  /** X64Rdtsc. */
  isRdtscp = false;
  /** UnsupportedFeature: `WHV_X64_UNSUPPORTED_FEATURE_CODE`, and which instruction, for people. */
  featureCode = 0;
  detail = "";
}
