/**
 * The instructions that have no meaning here, and why. A test walks all mnemonics of the decoder: each has a meaning or a
 * row in this table.
 */
import type { MnemonicName } from "@whvkit/x86-decoder";

const groups: readonly { readonly reason: string; readonly mnemonics: readonly MnemonicName[] }[] = [];

const reasons: ReadonlyMap<string, string> = /* @__PURE__ */ new Map(
  groups.flatMap(({ reason, mnemonics }) => mnemonics.map((name) => [name, reason] as const)),
);

/** Is the mnemonic listed? */
export function isListedUnsupported(name: string): boolean {
  return reasons.has(name);
}

/** Why a mnemonic has no meaning. */
export function whyUnsupported(name: string): string {
  return reasons.get(name) ?? `${name} has no meaning yet`;
}
