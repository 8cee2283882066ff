/** Faults that belong to the guest: what must not happen, how they are injected, and what is no fault of the guest. */
import type { EmulatorCheck } from "../check.ts";
import { type EmulationRow, emulationChecks } from "./emulation-expectation.ts";
import { device, type ExitSituation } from "./exit-situation.ts";

const eventRegisters = ["PendingEvent", "PendingInterruption", "Cr2", "Rflags"];
const failed = ["InternalEmulationFailure"];

/** An access through a page that answers with a result code. */
function refused(code: string, result: number, more: Partial<ExitSituation> = {}): ExitSituation {
  return {
    kind: "mmio",
    code,
    exit: { gvaValid: false, accessType: "write" },
    translate: [{ gvaPage: "0xfee00000", result }],
    ...more,
  };
}

/** `WHV_X64_PENDING_EXCEPTION_EVENT` with an error code; the parameter is CR2. */
function exceptionEvent(vector: number, errorCode: number, parameter: bigint): string {
  const event = 1n | (1n << 8n) | (BigInt(vector) << 16n) | (BigInt(errorCode) << 32n) | (parameter << 64n);
  return `0x${event.toString(16)}`;
}

/** Error code of a page fault: the access and the privilege, then P and RSVD by result code. */
const pageFaults: readonly EmulationRow[] = (
  [
    ["PageNotPresent", 1, 0],
    ["PrivilegeViolation", 2, 1],
    ["InvalidPageTableFlags", 3, 9],
  ] as const
).flatMap(([name, result, base]) =>
  ([0, 3] as const).map((cpl) => ({
    id: `fault.${name}-cpl-${cpl}`,
    title: `Result ${name} at CPL ${cpl}: #PF with its error code, CR2 as the event's parameter, RF in the image, in the one set`,
    reference: "C4, C28",
    choice: true,
    exit: refused("8907", result, { cpl }),
    expect: {
      registers: {
        Rflags: "0x10002",
        PendingEvent: exceptionEvent(14, base | 2 | (cpl === 3 ? 4 : 0), BigInt(device)),
      },
    },
  })),
);

const rows: readonly EmulationRow[] = [
  {
    id: "fault.no-side-effect",
    title:
      "S_OK from the translate callback with another result than Success is the guest's fault: nothing is accessed, no register but the event's changes",
    reference: "B12",
    exit: refused("010f", 1, { registers: { Rcx: "0x5" } }),
    expect: { free: eventRegisters },
  },
  {
    id: "fault.write-right-before-read",
    title: "A read-modify-write on a page that cannot be written faults before the device is read",
    reference: "C10",
    exit: refused("870f", 2, { cpl: 3 }),
    expect: { free: eventRegisters },
  },
  ...pageFaults,
  ...([5, 6, 7] as const).map((result) => ({
    id: `fault.gpa-access-${result}`,
    title: `Result ${result}, access refused to the guest-physical page: #GP(0)`,
    reference: "C28",
    choice: true,
    exit: refused("8907", result),
    expect: { registers: { Rflags: "0x10002", PendingEvent: exceptionEvent(13, 0, 0n) } },
  })),
  {
    id: "fault.gpa-unmapped",
    title: "Result GpaUnmapped with an address is device memory there",
    reference: "C28",
    choice: true,
    exit: refused("8907", 4, {
      registers: { Rax: "0x44332211" },
      translate: [{ gvaPage: "0xfee00000", gpaPage: "0xd0000000", result: 4 }],
    }),
    expect: { accesses: ["write 0xd0000020 11223344"], registers: { Rip: "0x1002" } },
  },
  {
    id: "fault.intercept",
    title: "Result Intercept: InternalEmulationFailure, nothing accessed",
    reference: "C28",
    choice: true,
    exit: refused("8907", 8),
    expect: { status: failed },
  },
  {
    id: "fault.page-not-aligned",
    title: "A page address that is no multiple of 4096: TranslateGvaPageCallbackGpaIsNotAligned",
    reference: "B11",
    exit: refused("8907", 0, { translate: [{ gvaPage: "0xfee00000", gpaPage: "0x12345008" }] }),
    expect: { status: ["TranslateGvaPageCallbackGpaIsNotAligned"] },
  },
  {
    id: "fault.cannot-be-faulted",
    title: "A fault while an event is pending: GuestCannotBeFaulted, and no register is set",
    reference: "B14",
    choice: true,
    exit: refused("8907", 1, { registers: { PendingEvent: "0x1" } }),
    expect: { status: ["GuestCannotBeFaulted"] },
  },
  {
    id: "fault.invalid-encoding",
    title: "Bytes that are no instruction: #UD for the guest",
    reference: "C7",
    choice: true,
    exit: { kind: "mmio", code: "06" },
    expect: { registers: { Rflags: "0x10002", PendingEvent: "0x60001" } },
  },
  {
    id: "fault.too-long",
    title: "More than fifteen bytes: #GP(0) for the guest",
    reference: "C7",
    choice: true,
    exit: { kind: "mmio", code: `${"66".repeat(15)}8b` },
    expect: { registers: { Rflags: "0x10002", PendingEvent: exceptionEvent(13, 0, 0n) } },
  },
  {
    id: "fault.no-memory-operand",
    title: "An instruction without memory operand behind a memory exit: InternalEmulationFailure",
    reference: "C9",
    choice: true,
    exit: { kind: "mmio", code: "ffc0" },
    expect: { status: failed },
  },
  {
    id: "fault.unsupported",
    title: "A valid instruction that is not carried out (ENQCMD): InternalEmulationFailure, never a silent #UD",
    reference: "C8",
    choice: true,
    exit: { kind: "mmio", code: "f20f38f807" },
    expect: { status: failed },
  },
  {
    id: "fault.segment-limit",
    title: "Beyond a segment's limit: the device is not touched, the guest is faulted",
    reference: "B12",
    exit: {
      kind: "mmio",
      mode: 32,
      code: "8b07",
      registers: { Ds: { base: "0x0", limit: "0xffff", selector: 16, attributes: "0x4093" } },
    },
    expect: { free: eventRegisters },
  },
  {
    id: "fault.translate-flags",
    title: "A read asks for Read, a write and a read-modify-write for Read and Write, always with SetPageTableBits",
    reference: "C10",
    choice: true,
    exit: { kind: "mmio", code: "a5", exit: { gvaValid: false }, memory: [{ gpa: "0x2000", bytes: "01020304" }] },
    expect: {
      accesses: ["read 0x2000 01020304", "write 0xfee00020 01020304"],
      registers: { Rsi: "0x2004", Rdi: "0xfee00024", Rip: "0x1001" },
      translations: ["0x2000 flags 0x11", "0xfee00000 flags 0x13"],
    },
  },
];

/** Checks of faults. */
export const guestFaultChecks: readonly EmulatorCheck[] = /* @__PURE__ */ emulationChecks(rows);
