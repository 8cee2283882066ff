/** Exits that a partition has to ask for, field by field: CPUID, MSR accesses, RDTSC, exceptions. */
import {
  type Hypervisor,
  type Partition,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
} from "@whvkit/whv-types";
import { type BackendCheck, Difference, expectMatch } from "../check.ts";
import { requireExtendedExit } from "./capabilities.ts";
import { documents, expectInstructionBytes, expectVpContext, realContext } from "./exit-contexts.ts";
import { backendCheck, codeStart, type Guest, type GuestPlan, withGuest } from "./guest.ts";

/** Bits of `WHV_EXTENDED_VM_EXITS`. */
const extendedExits = { X64CpuidExit: 1n, X64MsrExit: 2n, ExceptionExit: 4n, X64RdtscExit: 8n } as const;

/** Asks for an extended exit, or reports that the backend does not have it. */
function askFor(exit: keyof typeof extendedExits, hypervisor: Hypervisor, more?: (partition: Partition) => void) {
  requireExtendedExit(hypervisor, exit, extendedExits[exit]);
  return (partition: Partition): void => {
    partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, extendedExits[exit]);
    more?.(partition);
  };
}

/** A guest with an extended exit. */
function withExtended(
  hypervisor: Hypervisor,
  exit: keyof typeof extendedExits,
  plan: GuestPlan,
  body: (guest: Guest) => void,
  more?: (partition: Partition) => void,
): void {
  withGuest(hypervisor, { ...plan, configure: askFor(exit, hypervisor, more) }, body);
}

function listCpuidExit(partition: Partition): void {
  // Leaf 0x80000008 alone, where the platform takes a list; without one every leaf exits.
  partition.writeProperty?.(Property.WHvPartitionPropertyCodeCpuidExitList, Uint8Array.of(8, 0, 0, 0x80));
}

/** Checks of exits that a partition asks for. */
export const extendedExitChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  backendCheck(
    "exit.cpuid",
    "CPUID exits where the partition asks: registers and default results",
    `${documents}, WHV_X64_CPUID_ACCESS_CONTEXT`,
    (hypervisor) => {
      const registers = { Rax: 0x8000_0008, Rcx: 7, Rdx: 8, Rbx: 9 };
      withExtended(
        hypervisor,
        "X64CpuidExit",
        { code: "0fa2f4", registers },
        (guest) => {
          const { vpContext, cpuidAccess } = guest.runTo(Reason.WHvRunVpExitReasonX64Cpuid);
          expectVpContext(vpContext, 2, { ...realContext, rip: BigInt(codeStart) });
          expectMatch("cpuidAccess", cpuidAccess.toObject(), { rax: 0x8000_0008n, rcx: 7n, rdx: 8n, rbx: 9n });
          const bits = Number(cpuidAccess.defaultResultRax & 0xffn);
          if (bits < 32 || bits > 52) throw new Difference("defaultResultRax: physical address bits", "32 to 52", bits);
        },
        listCpuidExit,
      );
    },
  ),
  backendCheck(
    "exit.msr-write",
    "WRMSR of an unknown register exits where the partition asks",
    `${documents}, WHV_X64_MSR_ACCESS_CONTEXT`,
    (hypervisor) =>
      withExtended(
        hypervisor,
        "X64MsrExit",
        { code: "0f30f4", registers: { Rcx: 0x1234, Rax: 5, Rdx: 6 } },
        (guest) => {
          const { vpContext, msrAccess } = guest.runTo(Reason.WHvRunVpExitReasonX64MsrAccess);
          expectVpContext(vpContext, 2, { ...realContext, rip: BigInt(codeStart) });
          expectMatch("msrAccess", msrAccess.toObject(), {
            accessInfo: { isWrite: true },
            msrNumber: 0x1234,
            rax: 5n,
            rdx: 6n,
          });
        },
      ),
  ),
  backendCheck(
    "exit.msr-read",
    "RDMSR of an unknown register exits where the partition asks",
    `${documents}, WHV_X64_MSR_ACCESS_CONTEXT`,
    (hypervisor) =>
      withExtended(hypervisor, "X64MsrExit", { code: "0f32f4", registers: { Rcx: 0x1234 } }, (guest) => {
        const { msrAccess } = guest.runTo(Reason.WHvRunVpExitReasonX64MsrAccess);
        expectMatch("msrAccess", msrAccess.toObject(), { accessInfo: { isWrite: false }, msrNumber: 0x1234 });
      }),
  ),
  ...(["0f31", "0f01f9"] as const).map((code) => {
    const isRdtscp = code.length > 4;
    const name = isRdtscp ? "rdtscp" : "rdtsc";
    return backendCheck(
      `exit.${name}`,
      `${name.toUpperCase()} exits where the partition asks`,
      `${documents}, WHV_X64_RDTSC_CONTEXT`,
      (hypervisor) =>
        withExtended(
          hypervisor,
          "X64RdtscExit",
          { code: `${code}f4`, registers: isRdtscp ? { TscAux: 7 } : {} },
          (guest) => {
            const { vpContext, readTsc } = guest.runTo(Reason.WHvRunVpExitReasonX64Rdtsc);
            expectVpContext(vpContext, code.length / 2, { ...realContext, rip: BigInt(codeStart) });
            expectMatch("readTsc", readTsc.toObject(), {
              rdtscInfo: { isRdtscp },
              ...(isRdtscp ? { tscAux: 7n } : {}),
            });
          },
        ),
    );
  }),
  ...(
    [
      // div cl with CL 0: #DE, no error code
      [
        "divide",
        "31c9f6f1",
        0,
        2,
        { exceptionInfo: { errorCodeValid: false, softwareException: false }, exceptionType: 0 },
      ],
      // ud2: #UD
      ["invalid-opcode", "0f0b", 6, 0, { exceptionInfo: { errorCodeValid: false }, exceptionType: 6 }],
    ] as const
  ).map(([name, code, vector, offset, fields]) =>
    backendCheck(
      `exit.exception-${name}`,
      `Exception ${vector} exits where the partition asks, before it is delivered`,
      `${documents}, WHV_VP_EXCEPTION_CONTEXT`,
      (hypervisor) =>
        withExtended(
          hypervisor,
          "ExceptionExit",
          { code: `${code}f4` },
          (guest) => {
            const { vpContext, vpException } = guest.runTo(Reason.WHvRunVpExitReasonException);
            expectMatch("vpException", vpException.toObject(), fields);
            expectMatch("rip", vpContext.rip, BigInt(codeStart + offset));
            expectInstructionBytes(vpException, code.slice(2 * offset));
          },
          (partition) =>
            partition.setProperty(Property.WHvPartitionPropertyCodeExceptionExitBitmap, 1n << BigInt(vector)),
        ),
    ),
  ),
  backendCheck(
    "exit.exception-page-fault",
    "A page fault's exit has the error code and the address; CR2 is as before",
    `${documents}, WHV_VP_EXCEPTION_CONTEXT`,
    (hypervisor) =>
      withExtended(
        hypervisor,
        "ExceptionExit",
        // mov [rbx], eax
        { mode: "long", code: "8903f4", registers: { Rbx: 0x20_3008, Cr2: 0x77 } },
        (guest) => {
          const { vpException } = guest.runTo(Reason.WHvRunVpExitReasonException);
          expectMatch("vpException", vpException.toObject(), {
            exceptionInfo: { errorCodeValid: true },
            exceptionType: 14,
            errorCode: 2,
            exceptionParameter: 0x20_3008n,
          });
          expectMatch("registers", [guest.get("Cr2"), guest.get("Rip")], [0x77n, BigInt(codeStart)]);
        },
        (partition) => partition.setProperty(Property.WHvPartitionPropertyCodeExceptionExitBitmap, 1n << 14n),
      ),
  ),
];
