/** Every exit that a guest can cause by itself, with its context field by field. */
import {
  WHV_CAPABILITY_CODE as Capability,
  type Hypervisor,
  type Partition,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
  type RunVpExit,
  type VpExitContextView,
  WHV_E_UNKNOWN_CAPABILITY,
  WhvError,
} from "@whvkit/whv-types";
import { hexBytes } from "../../json/json-fields.ts";
import { anything, type BackendCheck, Difference, expectMatch, OneOf, Unsupported } from "../check.ts";
import { backendCheck, codeStart, deviceGpa, type Guest, type GuestPlan, reasonName, withGuest } from "./guest.ts";

const documents = "WHvRunVirtualProcessor";

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

/** Reports an extended exit that the capability does not name. */
export function requireExtendedExit(hypervisor: Hypervisor, name: string, bit: bigint): void {
  const what = `WHV_EXTENDED_VM_EXITS.${name}`;
  try {
    const capable = hypervisor.getCapability(Capability.WHvCapabilityCodeExtendedVmExits);
    if ((capable & bit) === 0n)
      throw new Unsupported(what, `WHvCapabilityCodeExtendedVmExits is 0x${capable.toString(16)}`);
  } catch (error) {
    if (error instanceof WhvError && error.hresult === WHV_E_UNKNOWN_CAPABILITY)
      throw new Unsupported(what, error.message);
    throw error;
  }
}

/** The fields that every exit has: mode, CS, RIP, RFLAGS; the length may be unknown (0). */
function expectVpContext(context: VpExitContextView, length: number, fields: Readonly<Record<string, unknown>>): void {
  expectMatch("vpContext", context.toObject(), {
    instructionLength: new OneOf(length, 0),
    rflags: 2n,
    cr8: 0,
    ...fields,
    executionState: {
      cpl: 0,
      cr0Am: false,
      debugActive: false,
      interruptionPending: false,
      interruptShadow: false,
      ...(fields["executionState"] as object | undefined),
    },
  });
}

const protectedContext = {
  executionState: { cr0Pe: true, eferLma: false },
  cs: { base: 0n, limit: 0xffff_ffff, selector: 8, attributes: 0xc09b },
};
const realContext = {
  executionState: { cr0Pe: false, eferLma: false },
  cs: { base: 0n, limit: 0xffff, selector: 0 },
};

/** Instruction bytes may be absent; what is there must be the code. */
function expectInstructionBytes(
  context: { readonly instructionByteCount: number; readonly instructionBytes: Uint8Array },
  code: string,
): void {
  const { instructionByteCount: count } = context;
  if (count > 16) throw new Difference("instructionByteCount", "at most 16", count);
  const expected = hexBytes(code, "code");
  const known = Math.min(count, expected.length);
  expectMatch("instructionBytes", context.instructionBytes.slice(0, known), expected.slice(0, known));
}

interface MemoryRow {
  readonly name: string;
  readonly title: string;
  readonly code: string;
  /** `WHV_MEMORY_ACCESS_TYPE`. */
  readonly accessType: number;
}

const memoryRows: readonly MemoryRow[] = [
  { name: "load", title: "mov eax, [ebx]", code: "8b03", accessType: 0 },
  { name: "store", title: "mov [ebx], eax", code: "8903", accessType: 1 },
  { name: "compare", title: "cmp [ebx], eax", code: "3903", accessType: 0 },
  { name: "load-displacement", title: "mov eax, [ebx+0]", code: "8b8300000000", accessType: 0 },
];

const memoryChecks = memoryRows.map(({ name, title, code, accessType }) =>
  backendCheck(
    `exit.memory-${name}`,
    `${title} on unmapped memory: MemoryAccess, every field; registers and memory as before`,
    `${documents}, WHV_MEMORY_ACCESS_CONTEXT`,
    (hypervisor) => {
      const registers = { Rbx: deviceGpa + 0x10, Rax: 0x1234_5678 };
      withGuest(hypervisor, { mode: "protected", code: `${code}f4`, registers }, (guest) => {
        const before = guest.ram.bytes.slice();
        const { vpContext, memoryAccess } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        const length = code.length / 2;
        expectVpContext(vpContext, length, { ...protectedContext, rip: BigInt(codeStart) });
        expectMatch("memoryAccess", memoryAccess.toObject(), {
          accessInfo: { accessType, gpaUnmapped: true, gvaValid: anything },
          gpa: deviceGpa + 0x10,
        });
        if (memoryAccess.accessInfo.gvaValid)
          expectMatch("memoryAccess.gva", memoryAccess.gva, BigInt(deviceGpa + 0x10));
        expectInstructionBytes(memoryAccess, code);
        expectMatch(
          "registers",
          [guest.get("Rip"), guest.get("Rax"), guest.get("Rbx")],
          [BigInt(codeStart), 0x1234_5678n, BigInt(deviceGpa + 0x10)],
        );
        expectMatch("memory", guest.ram.bytes, before);
      });
    },
  ),
);

const memoryCases: readonly BackendCheck[] = [
  backendCheck(
    "exit.memory-modify",
    "add [ebx], eax on unmapped memory: MemoryAccess of type Read or Write before anything changed",
    `${documents}, WHV_MEMORY_ACCESS_CONTEXT`,
    (hypervisor) =>
      withGuest(
        hypervisor,
        { mode: "protected", code: "0103f4", registers: { Rbx: deviceGpa, Rflags: 0x8d7 } },
        (guest) => {
          const { memoryAccess } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
          expectMatch("accessType", memoryAccess.accessInfo.accessType, new OneOf(0, 1));
          expectMatch("registers", [guest.get("Rip"), guest.get("Rflags")], [BigInt(codeStart), 0x8d7n]);
        },
      ),
  ),
  backendCheck(
    "exit.memory-execute",
    "A jump to unmapped memory: MemoryAccess of type Execute, RIP at the target",
    `${documents}, WHV_MEMORY_ACCESS_CONTEXT`,
    (hypervisor) =>
      // jmp ebx
      withGuest(hypervisor, { mode: "protected", code: "ffe3", registers: { Rbx: deviceGpa + 4 } }, (guest) => {
        const { memoryAccess, vpContext } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        expectMatch("memoryAccess", memoryAccess.toObject(), { accessInfo: { accessType: 2, gpaUnmapped: true } });
        expectMatch("page of gpa", memoryAccess.gpa - (memoryAccess.gpa % 0x1000), deviceGpa);
        expectMatch("rip", vpContext.rip, BigInt(deviceGpa + 4));
      }),
  ),
  backendCheck(
    "exit.memory-paging",
    "With paging Gpa is the translated address, Gva the one that the guest used",
    `${documents}, WHV_MEMORY_ACCESS_CONTEXT`,
    (hypervisor) =>
      // mov al, [rbx+1]
      withGuest(hypervisor, { mode: "long", code: "8a4301f4", registers: { Rbx: 0x20_2000 } }, (guest) => {
        const { memoryAccess, vpContext } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        expectMatch("gpa", memoryAccess.gpa, deviceGpa + 1);
        if (memoryAccess.accessInfo.gvaValid) expectMatch("gva", memoryAccess.gva, 0x20_2001n);
        expectMatch("executionState", vpContext.executionState.toObject(), { cpl: 0, cr0Pe: true, eferLma: true });
        expectMatch("cs.attributes", vpContext.cs.attributes & 0x2000, 0x2000);
      }),
  ),
  backendCheck(
    "exit.memory-rep-stos",
    "REP STOSD into unmapped memory has finished what is RAM, and can go on from there",
    `${documents}, WHV_MEMORY_ACCESS_CONTEXT`,
    (hypervisor) => {
      const registers = { Rdi: 0xfff8, Rcx: 5, Rax: 0xaabb_ccdd };
      withGuest(hypervisor, { mode: "protected", code: "f3abf4", registers }, (guest) => {
        const { memoryAccess } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        expectMatch("gpa", memoryAccess.gpa, 0x1_0000);
        expectMatch("registers", [guest.get("Rcx"), guest.get("Rdi"), guest.get("Rip")], [3n, 0x1_0000n, 0x1000n]);
        expectMatch("memory", guest.ram.bytes.slice(0xfff8), hexBytes("ddccbbaaddccbbaa", ""));
      });
    },
  ),
  backendCheck(
    "exit.memory-complete",
    "After the host has finished the instruction, the processor runs on",
    documents,
    (hypervisor) =>
      // mov eax, [ebx]; inc eax; hlt
      withGuest(hypervisor, { mode: "protected", code: "8b0340f4", registers: { Rbx: deviceGpa } }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        guest.set({ Rax: 0x41, Rip: codeStart + 2 });
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rax", guest.get("Rax"), 0x42n);
      }),
  ),
];

const ports = [
  ["in al, 0x60", "e460", { isWrite: false, accessSize: 1, stringOp: false, repPrefix: false }, 0x60],
  ["in ax, dx", "ed", { isWrite: false, accessSize: 2, stringOp: false, repPrefix: false }, 0x3f8],
  ["in eax, dx", "66ed", { isWrite: false, accessSize: 4, stringOp: false, repPrefix: false }, 0x3f8],
  ["out dx, al", "ee", { isWrite: true, accessSize: 1, stringOp: false, repPrefix: false }, 0x3f8],
  ["out 0xcf, ax", "e7cf", { isWrite: true, accessSize: 2, stringOp: false, repPrefix: false }, 0xcf],
  ["outsb", "6e", { isWrite: true, accessSize: 1, stringOp: true, repPrefix: false }, 0x3f8],
  ["insw", "6d", { isWrite: false, accessSize: 2, stringOp: true, repPrefix: false }, 0x3f8],
  ["rep insb", "f36c", { isWrite: false, accessSize: 1, stringOp: true, repPrefix: true }, 0x3f8],
  ["rep outsd", "66f36f", { isWrite: true, accessSize: 4, stringOp: true, repPrefix: true }, 0x3f8],
] as const;

const portChecks = ports.map(([text, code, accessInfo, port]) =>
  backendCheck(
    `exit.port-${text.replaceAll(/[ ,]+/g, "-")}`,
    `${text}: X64IoPortAccess, every field, RIP at the instruction`,
    `${documents}, WHV_X64_IO_PORT_ACCESS_CONTEXT`,
    (hypervisor) => {
      const registers = { Rax: 0x1122_3344_5566_7788n, Rcx: 3, Rdx: 0x3f8, Rsi: 0x2000, Rdi: 0x3000 };
      withGuest(hypervisor, { code: `${code}f4`, registers }, (guest) => {
        const { vpContext, ioPortAccess } = guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
        expectVpContext(vpContext, code.length / 2, { ...realContext, rip: BigInt(codeStart) });
        expectMatch("ioPortAccess", ioPortAccess.toObject(), {
          accessInfo,
          portNumber: port,
          rax: 0x1122_3344_5566_7788n,
          // The platform fills these for string instructions; for others they may hold anything.
          ...(accessInfo.stringOp
            ? { rcx: 3n, rsi: 0x2000n, rdi: 0x3000n, ds: { base: 0n, limit: 0xffff }, es: { base: 0n, limit: 0xffff } }
            : {}),
        });
        expectInstructionBytes(ioPortAccess, code);
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart));
      });
    },
  ),
);

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

const extended: readonly BackendCheck[] = [
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

const others: readonly BackendCheck[] = [
  backendCheck("exit.halt", "HLT: X64Halt, and the next run goes on behind it", documents, (hypervisor) =>
    // hlt; inc ax; hlt
    withGuest(hypervisor, { code: "f440f4" }, (guest) => {
      const { vpContext } = guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectVpContext(vpContext, 1, { ...realContext, rip: new OneOf(BigInt(codeStart), BigInt(codeStart + 1)) });
      guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectMatch("Rax", guest.get("Rax"), 1n);
    }),
  ),
  backendCheck(
    "exit.halt-rip",
    "Behind HLT, RIP is that of the next instruction",
    documents,
    (hypervisor) =>
      withGuest(hypervisor, { code: "f4" }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart + 1));
      }),
    true,
  ),
  backendCheck(
    "exit.triple-fault",
    "An exception that cannot be delivered: UnrecoverableException",
    documents,
    (hypervisor) =>
      // ud2 without an interrupt table
      withGuest(hypervisor, { mode: "protected", code: "0f0b", registers: { Idtr: [0n, 0, 0, 0] } }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonUnrecoverableException);
      }),
  ),
  backendCheck(
    "exit.invalid-registers",
    "Registers that no processor accepts together are refused, or run answers InvalidVpRegisterValue",
    documents,
    (hypervisor) =>
      withGuest(hypervisor, { mode: "protected", code: "f4" }, (guest) => {
        // Paging without protection.
        const invalid = { Cr0: 0x8000_0010 };
        try {
          guest.set(invalid);
        } catch (error) {
          if (error instanceof WhvError) return;
          throw error;
        }
        guest.runTo(Reason.WHvRunVpExitReasonInvalidVpRegisterValue);
      }),
  ),
  backendCheck(
    "exit.task-switch",
    "A hardware task switch: UnsupportedFeature, TaskSwitchTss",
    `${documents}, WHV_X64_UNSUPPORTED_FEATURE_CONTEXT`,
    (hypervisor) => {
      const plan: GuestPlan = {
        mode: "protected",
        // jmp 8:0, where descriptor 8 is a task gate
        code: "ea000000000800",
        registers: { Gdtr: [0x5000n, 0x1f, 0, 0] },
        bytes: [[0x5008, "0000100000850000"]],
      };
      withGuest(hypervisor, plan, (guest) => {
        const { unsupportedFeature } = guest.runTo(Reason.WHvRunVpExitReasonUnsupportedFeature);
        expectMatch("featureCode", unsupportedFeature.featureCode, 2);
      });
    },
    true,
  ),
  backendCheck(
    "exit.canceled",
    "cancelRun before run: Canceled by the user, nothing was run, and the next run is an ordinary one",
    "WHvCancelRunVirtualProcessor",
    (hypervisor) =>
      // inc ax; hlt
      withGuest(hypervisor, { code: "40f4" }, (guest) => {
        guest.processor.cancelRun();
        const exit: RunVpExit = guest.processor.run();
        expectMatch("exitReason", reasonName(exit.exitReason), "WHvRunVpExitReasonCanceled");
        if (exit.exitReason === Reason.WHvRunVpExitReasonCanceled) {
          expectMatch("cancelReason", exit.cancelReason.cancelReason, 0);
        }
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart));
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rax", guest.get("Rax"), 1n);
      }),
  ),
  backendCheck("exit.reused", "One exit carries nothing over to the next", documents, (hypervisor) =>
    // in al, 0x60; hlt
    withGuest(hypervisor, { code: "e460f4", registers: { Rax: 0x1234 } }, (guest) => {
      guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
      guest.set({ Rip: codeStart + 2 });
      const exit = guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectVpContext(exit.vpContext, 1, {
        ...realContext,
        rip: new OneOf(BigInt(codeStart + 2), BigInt(codeStart + 3)),
      });
    }),
  ),
];

/** Checks of exits. */
export const guestExitChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  ...memoryChecks,
  ...memoryCases,
  ...portChecks,
  ...extended,
  ...others,
];
