/**
 * Which member of `WHV_REGISTER_VALUE` a register's value is: that decides how JSON spells it. The names and codes
 * themselves are whv-types'.
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";

/** `reg64`, `fp80` and `reg128` are integers; the others have fields of their own. */
export type RegisterShape =
  | "reg64"
  | "fp80"
  | "reg128"
  | "segment"
  | "table"
  | "fpControlStatus"
  | "xmmControlStatus";

/** The shape of a register's value. Every code that is not named below holds a plain 64-bit integer. */
export function registerShape(code: number): RegisterShape {
  const names = WHV_REGISTER_NAME;
  if (code >= names.WHvX64RegisterEs && code <= names.WHvX64RegisterTr) return "segment";
  if (code === names.WHvX64RegisterIdtr || code === names.WHvX64RegisterGdtr) return "table";
  if (code >= names.WHvX64RegisterXmm0 && code <= names.WHvX64RegisterXmm15) return "reg128";
  if (code >= names.WHvX64RegisterFpMmx0 && code <= names.WHvX64RegisterFpMmx7) return "fp80";
  if (code === names.WHvX64RegisterFpControlStatus) return "fpControlStatus";
  if (code === names.WHvX64RegisterXmmControlStatus) return "xmmControlStatus";
  if (code === names.WHvRegisterPendingEvent) return "reg128";
  return "reg64";
}
