/** The native forms of an exception on its way to the guest: WHV_X64_PENDING_EXCEPTION_EVENT and its older relative. */
export { Vector } from "@whvkit/x86-semantics";

/** EventPending, EventType (WHvX64PendingEventException = 0), DeliverErrorCode, Vector, then the error code. */
export function exceptionEvent(vector: number, errorCode: number): readonly [number, number] {
  const deliver = errorCode >= 0;
  return [1 | (deliver ? 1 << 8 : 0) | (vector << 16), deliver ? errorCode : 0];
}

/** InterruptionPending, InterruptionType (WHvX64PendingException = 3), DeliverErrorCode, InterruptionVector, then the error code. */
export function pendingInterruption(vector: number, errorCode: number): readonly [number, number] {
  const deliver = errorCode >= 0;
  return [1 | (3 << 1) | (deliver ? 1 << 4 : 0) | (vector << 16), deliver ? errorCode : 0];
}
