/** Registers of a processor: round trips, what is refused, and that a set is all or nothing. */
import {
  type Hypervisor,
  WHV_RUN_VP_EXIT_REASON as Reason,
  RegisterValues,
  WHV_E_INVALID_VP_REGISTER_NAME,
  WhvError,
} from "@whvkit/whv-types";
import { type BackendCheck, Difference, expectMatch, Unsupported } from "../check.ts";
import { backendCheck, codeStart, expectFailure, type Guest, readRegister, registerCode, withGuest } from "./guest.ts";

/** Values that every processor accepts, by register; each register alone is one check. */
const samples: Readonly<Record<string, bigint>> = {
  ...Object.fromEntries(
    ["Rax", "Rcx", "Rdx", "Rbx", "Rsp", "Rbp", "Rsi", "Rdi", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"].map(
      (name, i) => [name, 0x8877_6655_4433_2200n + BigInt(i)],
    ),
  ),
  Rip: 0x1234n,
  Rflags: 0x246n,
  ...Object.fromEntries(
    ["Es", "Cs", "Ss", "Ds", "Fs", "Gs"].map((name, i) => [name, segmentValue(0x1_0000n * BigInt(i), 0xffffn, 0x93n)]),
  ),
  Cs: segmentValue(0x5000n, 0xffffn, 0x9bn),
  Ldtr: segmentValue(0x6000n, 0xffn, 0x82n),
  Tr: segmentValue(0x7000n, 0x67n, 0x8bn),
  Gdtr: (0x1234_5000n << 64n) | (0x3fn << 48n),
  Idtr: (0x1234_6000n << 64n) | (0x7ffn << 48n),
  Cr0: 0x10n,
  Cr2: 0x7fff_0000_1234n,
  Cr3: 0x12_3000n,
  Cr4: 0x20n,
  Cr8: 5n,
  Dr0: 0x1234n,
  Dr1: 0x2345n,
  Dr2: 0x3456n,
  Dr3: 0x4567n,
  Dr6: 0xffff_0ff0n,
  Dr7: 0x400n,
  XCr0: 3n,
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`Xmm${i}`, 0x1111_2222_3333_4444_5555_6666_7777_8800n + BigInt(i)]),
  ),
  ...Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`FpMmx${i}`, (0x3fffn << 64n) | (0x8000_0000_0000_0000n + BigInt(i))]),
  ),
  FpControlStatus: 0x37fn,
  XmmControlStatus: (0xffffn << 96n) | (0x1f80n << 64n),
  Tsc: 0x1_0000_0000n,
  Efer: 0n,
  KernelGsBase: 0xffff_8000_1234_5678n,
  ApicBase: 0xfee0_0900n,
  Pat: 0x0007_0406_0007_0406n,
  SysenterCs: 8n,
  SysenterEip: 0x1234_5678n,
  SysenterEsp: 0x2345_6789n,
  Star: 0x0023_0010_0000_0000n,
  Lstar: 0xffff_8000_0000_1000n,
  Cstar: 0xffff_8000_0000_2000n,
  Sfmask: 0x4_7700n,
  TscAux: 7n,
  InterruptState: 0n,
};

function segmentValue(base: bigint, limit: bigint, attributes: bigint): bigint {
  return base | (limit << 64n) | (8n << 96n) | (attributes << 112n);
}

/** Registers that go on by themselves, or that a platform keeps partly: only that they can be written and read. */
const moving: readonly string[] = ["Tsc"];

const roundTrips = Object.entries(samples).map(([name, value]) =>
  backendCheck(
    `register.${name}`,
    `${name} reads back what was written`,
    "WHvSetVirtualProcessorRegisters",
    (hypervisor) =>
      withGuest(hypervisor, {}, (guest) => {
        const values = new RegisterValues(1);
        values.set128(0, value);
        supported(name, () => guest.processor.setRegisters(Uint32Array.of(registerCode(name)), 1, values));
        const found = readRegister(guest.processor, name).get128(0);
        if (moving.includes(name)) {
          if (found < value) throw new Difference(name, `0x${value.toString(16)} or later`, found);
        } else expectMatch(name, found, value);
      }),
    name === "ApicBase" || name === "XmmControlStatus" || name === "InterruptState",
  ),
);

/** Names that not every Windows version has. */
function supported(name: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    if (error instanceof WhvError && error.hresult === WHV_E_INVALID_VP_REGISTER_NAME) {
      throw new Unsupported(`register ${name}`, error.message);
    }
    throw error;
  }
}

const invalid = [
  ["Cr0", 1n << 32n, "bits 63..32 of CR0 are reserved"],
  ["Cr4", 1n << 40n, "bits 63..32 of CR4 are reserved"],
  ["Efer", 2n, "bit 1 of EFER is reserved"],
  ["Pat", 2n, "memory type 2 does not exist"],
  ["XCr0", 0n, "x87 state cannot be disabled"],
  ["Lstar", 1n << 60n, "an address that is not canonical"],
] as const;

/** Sets an invalid value: refused at once, or by the next run. Never run with. */
function expectInvalid(hypervisor: Hypervisor, name: string, value: bigint): void {
  withGuest(hypervisor, { code: "f4" }, (guest) => {
    try {
      guest.set({ [name]: value });
    } catch (error) {
      if (!(error instanceof WhvError)) throw error;
      if (readRegister(guest.processor, name).get64(0) === value) {
        throw new Difference(`${name} after the refusal`, "as before", value);
      }
      return;
    }
    const exit = guest.run();
    if (exit.exitReason !== Reason.WHvRunVpExitReasonInvalidVpRegisterValue) {
      throw new Difference(
        `${name} = 0x${value.toString(16)}`,
        "a refusal, or the exit InvalidVpRegisterValue",
        "it was run with",
      );
    }
  });
}

function setThree(guest: Guest, last: number): void {
  const values = new RegisterValues(3);
  values.set64(0, 0x11n);
  values.set64(1, 0x22n);
  values.set64(2, 0x33n);
  guest.processor.setRegisters(Uint32Array.of(registerCode("Rax"), registerCode("Rbx"), last), 3, values);
}

/** Checks of registers. */
export const processorRegisterChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  ...roundTrips,
  ...invalid.map(([name, value, why]) =>
    backendCheck(
      `register.invalid-${name}`,
      `${name} cannot be 0x${value.toString(16)}: ${why}`,
      "WHvSetVirtualProcessorRegisters",
      (hypervisor) => expectInvalid(hypervisor, name, value),
      true,
    ),
  ),
  backendCheck(
    "register.many",
    "Many registers in one call keep their order",
    "WHvGetVirtualProcessorRegisters",
    (hypervisor) =>
      withGuest(hypervisor, {}, (guest) => {
        const names = ["R15", "Rax", "Xmm3", "Rip", "R8"];
        guest.set({ R15: 15n, Rax: 1n, Xmm3: 3n << 64n, Rip: 0x4321n, R8: 8n });
        const values = new RegisterValues(names.length);
        guest.processor.getRegisters(Uint32Array.from(names, registerCode), names.length, values);
        expectMatch(
          "values",
          names.map((_, i) => values.get128(i)),
          [15n, 1n, 3n << 64n, 0x4321n, 8n],
        );
      }),
  ),
  backendCheck(
    "register.count",
    "Only the first count names are read",
    "WHvGetVirtualProcessorRegisters",
    (hypervisor) =>
      withGuest(hypervisor, { registers: { Rax: 5n, Rbx: 6n } }, (guest) => {
        const values = new RegisterValues(2);
        values.set64(1, 99n);
        guest.processor.getRegisters(Uint32Array.of(registerCode("Rax"), registerCode("Rbx")), 1, values);
        expectMatch("values", [values.get64(0), values.get64(1)], [5n, 99n]);
      }),
  ),
  backendCheck("register.unknown-name", "An unknown name is refused", "WHvGetVirtualProcessorRegisters", (hypervisor) =>
    withGuest(hypervisor, {}, ({ processor }) => {
      const get = (): void => processor.getRegisters(Uint32Array.of(0x1234_5678), 1, new RegisterValues(1));
      expectFailure("getRegisters", get, WHV_E_INVALID_VP_REGISTER_NAME);
    }),
  ),
  backendCheck(
    "register.all-or-none",
    "A set with an unknown name writes no register",
    "WHvSetVirtualProcessorRegisters",
    (hypervisor) =>
      withGuest(hypervisor, { registers: { Rax: 5n, Rbx: 6n } }, (guest) => {
        expectFailure("setRegisters", () => setThree(guest, 0x1234_5678), WHV_E_INVALID_VP_REGISTER_NAME);
        expectMatch("Rax, Rbx", [guest.get("Rax"), guest.get("Rbx")], [5n, 6n]);
      }),
  ),
  backendCheck(
    "register.reach-the-guest",
    "What is set is what the guest has, and what the guest changes is read",
    "WHvSetVirtualProcessorRegisters",
    (hypervisor) =>
      // mov [0x2000], ebx; inc ecx; hlt
      withGuest(
        hypervisor,
        { mode: "protected", code: "891d0020000041f4", registers: { Rbx: 0xcafe_babe, Rcx: 0xffff_ffff } },
        (guest) => {
          guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
          expectMatch("memory", guest.ram.bytes.slice(0x2000, 0x2004), [0xbe, 0xba, 0xfe, 0xca]);
          expectMatch("Rcx", guest.get("Rcx") & 0xffff_ffffn, 0n);
          // INC: ZF, AF and PF; CF as before.
          expectMatch("Rflags", guest.get("Rflags"), 0x56n);
        },
      ),
  ),
  backendCheck("register.reset", "A new processor is as after power-up", "WHvCreateVirtualProcessor", (hypervisor) => {
    const partition = hypervisor.createPartition();
    try {
      partition.setProperty(0x1fff, 1n);
      partition.setup();
      const processor = partition.createVirtualProcessor(0);
      const get = (name: string): bigint => readRegister(processor, name).get64(0);
      expectMatch("Rip, Rflags", [get("Rip"), get("Rflags")], [0xfff0n, 2n]);
      expectMatch("Cr0.PE", get("Cr0") & 1n, 0n);
      const cs = readRegister(processor, "Cs").segment(0);
      expectMatch("Cs", [cs.base, cs.limit, cs.selector], [0xffff_0000n, 0xffff, 0xf000]);
    } finally {
      partition.dispose();
    }
  }),
  backendCheck("register.rip-after-exit", "The exit's RIP is the register's", "WHV_VP_EXIT_CONTEXT", (hypervisor) =>
    // nop; in al, 0x60
    withGuest(hypervisor, { code: "90e460" }, (guest) => {
      const { vpContext } = guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
      expectMatch("rip", vpContext.rip, BigInt(codeStart + 1));
      expectMatch("Rip", guest.get("Rip"), vpContext.rip);
      expectMatch("Rflags", guest.get("Rflags"), vpContext.rflags);
    }),
  ),
];
