// Mnemonics: the generated table of names and numbers, and the way back from a number.

import { Mnemonic } from "./table/mnemonic.generated.ts";

export { Mnemonic };

/**
 * Names of mnemonics, lower case.
 *
 * @public
 */
export type MnemonicName = keyof typeof Mnemonic;

const names: readonly MnemonicName[] = /* @__PURE__ */ Object.keys(Mnemonic) as MnemonicName[];

/**
 * The name of a mnemonic.
 *
 * @param mnemonic - a value of {@link Mnemonic}
 * @returns the lower-case name; `"invalid"` for 0 and for a number that is none
 *
 * @example
 * ```ts
 * import { Mnemonic, mnemonicName } from "@whvkit/x86-decoder";
 * mnemonicName(Mnemonic.mov); // "mov"
 * ```
 *
 * @public
 */
export function mnemonicName(mnemonic: number): MnemonicName {
  return names[mnemonic] ?? "invalid";
}
