/** The bits of `WHV_EMULATOR_STATUS`, and their names for people. */

/** The registers were set and the processor should run on. @public */
export const WHV_EMULATOR_STATUS_EMULATION_SUCCESSFUL = 0x1;
/** The emulator could not handle the instruction. @public */
export const WHV_EMULATOR_STATUS_INTERNAL_EMULATION_FAILURE = 0x2;
/** The I/O callback failed. @public */
export const WHV_EMULATOR_STATUS_IO_PORT_CALLBACK_FAILED = 0x4;
/** The memory callback failed. @public */
export const WHV_EMULATOR_STATUS_MEMORY_CALLBACK_FAILED = 0x8;
/** The translate callback failed. @public */
export const WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_FAILED = 0x10;
/** The translate callback gave an address that is not a multiple of 4096: the header's name of the bit. @public */
export const WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_IS_NOT_ALIGNED = 0x20;
/** Microsoft's page names bit 5 `TranslateGvaPageCallbackGpaPageIsNotAligned`: the same bit. @public */
export const WHV_EMULATOR_STATUS_TRANSLATE_GVA_PAGE_CALLBACK_GPA_PAGE_IS_NOT_ALIGNED = 0x20;
/** The callback that reads registers failed. @public */
export const WHV_EMULATOR_STATUS_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED = 0x40;
/** The callback that writes registers failed. @public */
export const WHV_EMULATOR_STATUS_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK_FAILED = 0x80;
/** The access was made while an event was being delivered. @public */
export const WHV_EMULATOR_STATUS_INTERRUPT_CAUSED_INTERCEPT = 0x100;
/** The guest needs an exception that cannot be injected. @public */
export const WHV_EMULATOR_STATUS_GUEST_CANNOT_BE_FAULTED = 0x200;

/** Name and meaning by bit number. A function, so that a bundle without it carries no table. */
function statusTable(): readonly (readonly [string, string])[] {
  return [
    ["EmulationSuccessful", "the registers were set, the processor should run on"],
    ["InternalEmulationFailure", "the emulator could not handle the instruction"],
    ["IoPortCallbackFailed", "the I/O callback did not answer S_OK"],
    ["MemoryCallbackFailed", "the memory callback did not answer S_OK"],
    ["TranslateGvaPageCallbackFailed", "the translate callback did not answer S_OK"],
    [
      "TranslateGvaPageCallbackGpaIsNotAligned",
      "the translate callback gave an address that is not a multiple of 4096",
    ],
    ["GetVirtualProcessorRegistersCallbackFailed", "the callback that reads registers did not answer S_OK"],
    ["SetVirtualProcessorRegistersCallbackFailed", "the callback that writes registers did not answer S_OK"],
    ["InterruptCausedIntercept", "the access was made while an event was being delivered"],
    ["GuestCannotBeFaulted", "the guest needs an exception that cannot be injected"],
  ];
}

/**
 * The names of the bits that are set, lowest first, as the header spells them; a reserved bit as `Reserved(bit n)`.
 *
 * @example
 * ```ts
 * import { statusNames } from "@whvkit/whv-types";
 * statusNames(0x22); // ["InternalEmulationFailure", "TranslateGvaPageCallbackGpaIsNotAligned"]
 * ```
 *
 * @param bits - `WHV_EMULATOR_STATUS.AsUINT32`.
 * @public
 */
export function statusNames(bits: number): string[] {
  const names = statusTable();
  const set: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if ((bits >>> bit) & 1) set.push(names[bit]?.[0] ?? `Reserved(bit ${bit})`);
  }
  return set;
}

/**
 * An emulator status for people: each bit that is set, with its meaning.
 *
 * @example
 * ```ts
 * import { describeStatus } from "@whvkit/whv-types";
 * describeStatus(2); // "InternalEmulationFailure: the emulator could not handle the instruction"
 * describeStatus(0); // "no bit is set: nothing was emulated"
 * ```
 *
 * @param bits - `WHV_EMULATOR_STATUS.AsUINT32`.
 * @public
 */
export function describeStatus(bits: number): string {
  const meanings = new Map(statusTable());
  const parts = statusNames(bits).map((name) => (meanings.has(name) ? `${name}: ${meanings.get(name)}` : name));
  return parts.length === 0 ? "no bit is set: nothing was emulated" : parts.join("; ");
}
