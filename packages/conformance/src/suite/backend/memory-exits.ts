/** MemoryAccess exits, field by field: loads, stores, execution, paging, REP, and going on afterwards. */
import { WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import { hexBytes } from "../../json/json-fields.ts";
import { anything, type BackendCheck, expectMatch, OneOf } from "../check.ts";
import { documents, expectInstructionBytes, expectVpContext, protectedContext } from "./exit-contexts.ts";
import { backendCheck, codeStart, deviceGpa, withGuest } from "./guest.ts";

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

/** Checks of MemoryAccess exits. */
export const memoryExitChecks: readonly BackendCheck[] = /* @__PURE__ */ [...memoryChecks, ...memoryCases];
