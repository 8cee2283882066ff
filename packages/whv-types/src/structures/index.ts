/** Every structure: an object form and a view over native memory each, generated from one description by tooling/layouts. */
export { Uint16ArrayView, Uint32ArrayView, Uint64ArrayView } from "./array-fields.ts";
export { GUEST_PHYSICAL_ADDRESS_MAX } from "./field-checks.ts";
export * from "./generated/index.ts";
export type * from "./object-form.ts";
