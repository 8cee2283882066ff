/**
 * The hypervisor's local APIC and the exits that need it. A backend without one reports each by name. No backend that
 * has one has run these checks yet, so what they find is reported as different, not as failed.
 */
import {
  WHV_CAPABILITY_CODE as Capability,
  type Hypervisor,
  type Partition,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
} from "@whvkit/whv-types";
import { type BackendCheck, expectMatch } from "../check.ts";
import { requireExtendedExit, requireFeature } from "./capabilities.ts";
import { backendCheck, type Guest, type GuestPlan, withGuest } from "./guest.ts";

/** Bits of `WHV_EXTENDED_VM_EXITS` that need the local APIC or come from it. */
const exits = {
  X64ApicSmiExitTrap: 0x10n,
  HypercallExit: 0x20n,
  X64ApicInitSipiExitTrap: 0x40n,
  X64ApicWriteLint0ExitTrap: 0x80n,
} as const;

/** A 32-bit guest with the local APIC in the hypervisor, and an extended exit. */
function withApic(
  hypervisor: Hypervisor,
  exit: keyof typeof exits | null,
  plan: GuestPlan,
  body: (guest: Guest) => void,
): void {
  const configure = (partition: Partition): void => {
    partition.setProperty(Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n);
    if (exit !== null) partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, exits[exit]);
  };
  requireFeature(hypervisor, "localApicEmulation");
  if (exit !== null) requireExtendedExit(hypervisor, exit, exits[exit]);
  withGuest(hypervisor, { mode: "protected", ...plan, configure }, body);
}

/** mov dword [address], value */
function store(address: number, value: number): string {
  const word = (number: number): string =>
    [0, 8, 16, 24].map((shift) => ((number >>> shift) & 0xff).toString(16).padStart(2, "0")).join("");
  return `c705${word(address)}${word(value)}`;
}

const enable = store(0xfee0_00f0, 0x1ff);
/** Vector 0x40 of a table at 0x4000: a 32-bit interrupt gate to 0x3000. */
const interruptTable: Pick<GuestPlan, "registers"> = {
  registers: { Idtr: [0x4000n, 0x7ff, 0, 0], Gdtr: [0x5000n, 0x1f, 0, 0] },
};
const tables = [
  [0x4000 + 8 * 0x40, "00300800008e0000"],
  // Flat code and data at selectors 8 and 16.
  [0x5008, "ffff0000009bcf00"],
  [0x5010, "ffff00000093cf00"],
] as const;

/** A fixed interrupt to processor 0. */
const fixed = { type: 0, destinationMode: 0, destination: 0, vector: 0x40 };

/** Checks of the local APIC. */
export const interruptControllerChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  backendCheck(
    "apic.request-interrupt",
    "requestInterrupt is taken by the guest",
    "WHvRequestInterrupt",
    (hypervisor) => {
      // enable the APIC; sti; jmp $ -- the handler: in al, 0x60
      const plan: GuestPlan = { ...interruptTable, code: `${enable}fbebfe`, bytes: [...tables, [0x3000, "e460"]] };
      withApic(hypervisor, null, plan, (guest) => {
        guest.partition.requestInterrupt({ ...fixed, triggerMode: 0 });
        expectMatch("rip", guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess).vpContext.rip, 0x3000n);
      });
    },
    true,
  ),
  backendCheck(
    "apic.exit-eoi",
    "The end of a level-triggered interrupt: ApicEoi with its vector",
    "WHV_X64_APIC_EOI_CONTEXT",
    (hypervisor) => {
      const handler = store(0xfee0_00b0, 0);
      const plan: GuestPlan = {
        ...interruptTable,
        code: `${enable}fbebfe`,
        bytes: [...tables, [0x3000, `${handler}ebfe`]],
      };
      withApic(hypervisor, null, plan, (guest) => {
        guest.partition.requestInterrupt({ ...fixed, triggerMode: 1 });
        expectMatch("interruptVector", guest.runTo(Reason.WHvRunVpExitReasonX64ApicEoi).apicEoi.interruptVector, 0x40);
      });
    },
    true,
  ),
  backendCheck(
    "apic.exit-init-sipi",
    "INIT to the other processors: ApicInitSipiTrap with the command",
    "WHV_X64_APIC_INIT_SIPI_CONTEXT",
    (hypervisor) =>
      withApic(
        hypervisor,
        "X64ApicInitSipiExitTrap",
        { code: `${enable}${store(0xfee0_0300, 0xc_4500)}ebfe` },
        (guest) => {
          const { apicInitSipi } = guest.runTo(Reason.WHvRunVpExitReasonX64ApicInitSipiTrap);
          expectMatch("apicIcr", apicInitSipi.apicIcr & 0xf_ffffn, 0xc_4500n);
        },
      ),
    true,
  ),
  backendCheck(
    "apic.exit-smi",
    "A system-management interrupt: ApicSmiTrap with the command",
    "WHV_X64_APIC_SMI_CONTEXT",
    (hypervisor) =>
      withApic(hypervisor, "X64ApicSmiExitTrap", { code: `${enable}${store(0xfee0_0300, 0x4_4200)}ebfe` }, (guest) => {
        const { apicSmi } = guest.runTo(Reason.WHvRunVpExitReasonX64ApicSmiTrap);
        expectMatch("apicIcr", apicSmi.apicIcr & 0xf_ffffn, 0x4_4200n);
      }),
    true,
  ),
  backendCheck(
    "apic.exit-write",
    "A write of LINT0: ApicWriteTrap with the value",
    "WHV_X64_APIC_WRITE_CONTEXT",
    (hypervisor) =>
      withApic(
        hypervisor,
        "X64ApicWriteLint0ExitTrap",
        { code: `${enable}${store(0xfee0_0350, 0x1_0700)}ebfe` },
        (guest) => {
          const { apicWrite } = guest.runTo(Reason.WHvRunVpExitReasonX64ApicWriteTrap);
          expectMatch("writeValue", apicWrite.writeValue, 0x1_0700n);
        },
      ),
    true,
  ),
  backendCheck(
    "apic.exit-synic-sint",
    "A synthetic interrupt source that is free: SynicSintDeliverable",
    "WHV_SYNIC_SINT_DELIVERABLE_CONTEXT",
    (hypervisor) =>
      withApic(hypervisor, null, { code: `${enable}fbf4` }, (guest) => {
        guest.set({ DeliverabilityNotifications: 1n << 48n });
        const { synicSintDeliverable } = guest.runTo(Reason.WHvRunVpExitReasonSynicSintDeliverable);
        expectMatch("deliverableSints", synicSintDeliverable.deliverableSints & 1, 1);
      }),
    true,
  ),
  backendCheck(
    "exit.hypercall",
    "A hypercall: Hypercall with the registers",
    "WHV_HYPERCALL_CONTEXT",
    (hypervisor) => {
      requireExtendedExit(hypervisor, "HypercallExit", exits.HypercallExit);
      const amd = hypervisor.getCapability(Capability.WHvCapabilityCodeProcessorVendor) === 0n;
      const configure = (partition: Partition): void =>
        partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, exits.HypercallExit);
      // vmmcall or vmcall
      const code = amd ? "0f01d9f4" : "0f01c1f4";
      withGuest(hypervisor, { mode: "long", code, registers: { Rcx: 0x1234n, R8: 7n }, configure }, (guest) => {
        const { hypercall } = guest.runTo(Reason.WHvRunVpExitReasonHypercall);
        expectMatch("hypercall", hypercall.toObject(), { rcx: 0x1234n, r8: 7n });
      });
    },
    true,
  ),
];
