/** Which form of `WHV_REGISTER_VALUE` a register uses. */
import { WHV_REGISTER_NAME } from "../enums/generated/register-names.ts";

/**
 * How a register's 16 bytes are read: as an integer of 64 or 128 bits, as a segment, as a descriptor table, or as one
 * of the two control-and-status registers.
 *
 * @public
 */
export type RegisterForm = "integer64" | "integer128" | "segment" | "table" | "fpControlStatus" | "xmmControlStatus";

/**
 * The form of a register. x87 and SSE registers and the pending events are integers of 128 bits; what is not known is
 * an integer of 64 bits.
 *
 * @param code - a `WHV_REGISTER_NAME`.
 *
 * @example
 * ```ts
 * import { registerForm, WHV_REGISTER_NAME } from "@whvkit/whv-types";
 * registerForm(WHV_REGISTER_NAME.WHvX64RegisterRip); // "integer64"
 * registerForm(WHV_REGISTER_NAME.WHvX64RegisterCs); // "segment"
 * registerForm(WHV_REGISTER_NAME.WHvX64RegisterXmm0); // "integer128"
 * ```
 *
 * @public
 */
export function registerForm(code: number): RegisterForm {
  const name = code >>> 0;
  if (name >= WHV_REGISTER_NAME.WHvX64RegisterEs && name <= WHV_REGISTER_NAME.WHvX64RegisterTr) return "segment";
  if (name === WHV_REGISTER_NAME.WHvX64RegisterIdtr || name === WHV_REGISTER_NAME.WHvX64RegisterGdtr) return "table";
  if (name >= WHV_REGISTER_NAME.WHvX64RegisterXmm0 && name <= WHV_REGISTER_NAME.WHvX64RegisterFpMmx7)
    return "integer128";
  if (name === WHV_REGISTER_NAME.WHvX64RegisterFpControlStatus) return "fpControlStatus";
  if (name === WHV_REGISTER_NAME.WHvX64RegisterXmmControlStatus) return "xmmControlStatus";
  switch (name) {
    case WHV_REGISTER_NAME.WHvRegisterPendingEvent:
    case WHV_REGISTER_NAME.WHvRegisterPendingEvent1:
    case WHV_REGISTER_NAME.WHvRegisterPendingEvent2:
    case WHV_REGISTER_NAME.WHvRegisterPendingEvent3:
      return "integer128";
    default:
      return "integer64";
  }
}
