// Which package may import which, and nothing else. The table of ARCHITECTURE.md as data; changing it is a
// decision about the architecture.

/**
 * @typedef {object} PackageRule
 * @property {string} folder where the package lies, from the root
 * @property {readonly string[]} whvkit packages of this project that src may import, without the scope
 * @property {readonly string[]} external packages of the registry that src may import
 * @property {boolean} node whether src may import Node's own modules; without, the package runs in browsers
 */

/** @type {Readonly<Record<string, PackageRule>>} */
export const importMap = {
  "whv-types": rule([]),
  "x86-decoder": rule([]),
  "x86-semantics": rule(["x86-decoder"]),
  "io-executor": rule(["whv-types", "x86-decoder", "x86-semantics"]),
  "mmio-executor": rule(["whv-types", "x86-decoder", "x86-semantics"]),
  "emulator-core": rule(["whv-types", "x86-decoder", "x86-semantics", "io-executor", "mmio-executor"]),
  "sim-backend": rule(["whv-types", "x86-decoder", "x86-semantics"]),
  "win-backend": rule(["whv-types"], { external: ["koffi"], node: true }),
  devices: rule(["whv-types"]),
  microvm: rule(["emulator-core", "devices", "whv-types"]),
  conformance: rule(["whv-types", "x86-decoder"]),
  cli: rule(
    [
      "whv-types",
      "x86-decoder",
      "x86-semantics",
      "io-executor",
      "mmio-executor",
      "emulator-core",
      "sim-backend",
      "win-backend",
      "devices",
      "microvm",
      "conformance",
    ],
    { folder: "apps/cli", external: ["commander"], node: true },
  ),
};

for (const [name, entry] of Object.entries(importMap)) entry.folder ||= `packages/${name}`;

/**
 * @param {readonly string[]} whvkit
 * @param {{ folder?: string, external?: readonly string[], node?: boolean }} [more]
 * @returns {PackageRule}
 */
function rule(whvkit, more = {}) {
  return { folder: more.folder ?? "", whvkit, external: more.external ?? [], node: more.node ?? false };
}
