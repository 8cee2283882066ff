// What strangers do with each package: the programs in `consumers/`, what has to be installed for each, and what each
// prints. A program imports only what is installed here, so that a dependency it gets by accident is no help.

/** What every operation of the native backend answers where there is no Windows. */
export const noWindows = `WHvCreatePartition failed with 0x80004001: the Windows Hypervisor Platform needs 64-bit Windows on x64; this is ${process.platform} on ${process.arch}`;

/**
 * @typedef {object} Consumer
 * @property {string} name of the program, `consumers/NAME.ts`
 * @property {readonly string[]} packages what is installed: the package itself, and what its interface is made of
 * @property {readonly string[]} [types] type packages that its declarations need
 * @property {string} output what it prints where there is no Windows
 */

/** @type {readonly Consumer[]} */
export const consumers = [
  {
    name: "whv-types",
    packages: ["whv-types"],
    output: "true 16 WHV_E_VP_ALREADY_EXISTS (0x80370306): the virtual processor exists already\n",
  },
  { name: "x86-decoder", packages: ["x86-decoder"], output: "mov eax, dword ptr [rdi]\n" },
  { name: "x86-semantics", packages: ["x86-semantics", "x86-decoder"], output: "null true\n" },
  { name: "io-executor", packages: ["io-executor", "x86-semantics"], output: "port 1016, 1 byte: A\ntrue\n" },
  {
    name: "mmio-executor",
    packages: ["mmio-executor", "x86-semantics", "x86-decoder"],
    output: "read of 4 bytes at 0xfee00020\nnull true\n1234\n",
  },
  { name: "emulator-core", packages: ["emulator-core", "whv-types"], output: "true no diagnostic\nbeef\n" },
  { name: "sim-backend", packages: ["sim-backend", "whv-types"], output: "128 41\n" },
  { name: "win-backend", packages: ["win-backend", "whv-types"], output: `${noWindows}\n` },
  { name: "devices", packages: ["devices"], output: "hello 233\n" },
  { name: "microvm", packages: ["microvm", "sim-backend"], output: "0 true\n" },
  { name: "conformance", packages: ["conformance", "emulator-core"], output: "EmulationSuccessful true\n" },
  { name: "cli", packages: ["cli"], types: ["@types/node"], output: "8b 07  mov eax, dword ptr [rdi]\n0\n" },
];

/** The one line by which a host changes its backend, before and after. */
export const backendLine = {
  simulator: 'import { simHypervisor as hypervisor } from "@whvkit/sim-backend";',
  windows: 'import { winHypervisor as hypervisor } from "@whvkit/win-backend";',
};
