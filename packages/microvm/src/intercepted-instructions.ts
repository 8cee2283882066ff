/**
 * Finishes instructions that are no memory or port access but that a partition may stop at when it asks to: CPUID with
 * what the hypervisor would have answered, RDMSR and WRMSR as a processor answers for registers it does not have.
 */
import {
  type CpuidExit,
  type MsrAccessExit,
  PendingExceptionEventView,
  RegisterValues,
  type VirtualProcessor,
  type VpExitContextView,
  WHV_REGISTER_NAME,
  WHV_X64_PENDING_EVENT_TYPE,
} from "@whvkit/whv-types";

const R = WHV_REGISTER_NAME;
const CPUID_RESULTS = Uint32Array.of(
  R.WHvX64RegisterRip,
  R.WHvX64RegisterRax,
  R.WHvX64RegisterRcx,
  R.WHvX64RegisterRdx,
  R.WHvX64RegisterRbx,
);
const PENDING_EVENT = Uint32Array.of(R.WHvRegisterPendingEvent);
const GENERAL_PROTECTION = 13;

/** CPUID: the defaults of the exit, and on to the next instruction. */
export function finishCpuid(processor: VirtualProcessor, exit: CpuidExit): void {
  const { cpuidAccess, vpContext } = exit;
  const values = new RegisterValues(CPUID_RESULTS.length);
  values.set64(0, nextInstruction(vpContext));
  values.set64(1, cpuidAccess.defaultResultRax);
  values.set64(2, cpuidAccess.defaultResultRcx);
  values.set64(3, cpuidAccess.defaultResultRdx);
  values.set64(4, cpuidAccess.defaultResultRbx);
  processor.setRegisters(CPUID_RESULTS, CPUID_RESULTS.length, values);
}

/** RDMSR or WRMSR of a register that this machine does not have: #GP(0) (Intel SDM volume 2, RDMSR). */
export function refuseMsr(processor: VirtualProcessor, _exit: MsrAccessExit): void {
  const values = new RegisterValues(1);
  new PendingExceptionEventView(values.view, 0).assign({
    eventPending: true,
    eventType: WHV_X64_PENDING_EVENT_TYPE.WHvX64PendingEventException,
    deliverErrorCode: true,
    vector: GENERAL_PROTECTION,
    errorCode: 0,
  });
  processor.setRegisters(PENDING_EVENT, 1, values);
}

/** Addresses wrap at 64 bits in 64-bit code, at 32 below. */
function nextInstruction(context: VpExitContextView): bigint {
  const long = context.executionState.eferLma && (context.cs.attributes & 0x2000) !== 0;
  return BigInt.asUintN(long ? 64 : 32, context.rip + BigInt(context.instructionLength));
}
