/** The rules of guest memory: allocation, mapping, rights, unmapping, dirty pages. */
import {
  E_INVALIDARG,
  WHV_MAP_GPA_RANGE_FLAGS as MapFlag,
  WHV_RUN_VP_EXIT_REASON as Reason,
  WHV_E_GPA_RANGE_NOT_FOUND,
  WHV_E_INVALID_PARTITION_CONFIG,
} from "@whvkit/whv-types";
import { type BackendCheck, Difference, expectMatch } from "../check.ts";
import { requireFeature } from "./capabilities.ts";
import {
  backendCheck,
  codeStart,
  deviceGpa,
  expectFailure,
  readWriteExecute,
  withGuest,
  withPartition,
} from "./guest.ts";

const refused = [
  ["size-unaligned", "a size that is no multiple of a page", 0, 0x10_0000, 0x800, readWriteExecute],
  ["gpa-unaligned", "an address that is no multiple of a page", 0, 0x10_0800, 0x1000, readWriteExecute],
  ["beyond-memory", "an offset beyond the memory", 0x2000, 0x10_0000, 0x1000, readWriteExecute],
  ["size-0", "a size of 0", 0, 0x10_0000, 0, readWriteExecute],
] as const;

/** Checks of guest memory. */
export const memoryMapChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  backendCheck(
    "memory.zeroed",
    "allocateMemory gives zeroed, page-aligned bytes of the size",
    "Partition.allocateMemory",
    (hypervisor) =>
      withPartition(hypervisor, (partition) => {
        const memory = partition.allocateMemory(0x3000);
        expectMatch("size", [memory.size, memory.bytes.length], [0x3000, 0x3000]);
        expectMatch(
          "bytes that are not 0",
          memory.bytes.findIndex((byte) => byte !== 0),
          -1,
        );
        memory.bytes.fill(0xaa);
        memory.dispose();
      }),
  ),
  backendCheck(
    "memory.size-unaligned",
    "allocateMemory refuses a size that is no multiple of a page",
    "Partition.allocateMemory",
    (hypervisor) =>
      withPartition(hypervisor, (partition) =>
        expectFailure("allocateMemory(0x801)", () => partition.allocateMemory(0x801), E_INVALIDARG),
      ),
  ),
  backendCheck(
    "memory.before-setup",
    "mapGpaRange before setup is refused",
    "WHvMapGpaRange",
    (hypervisor) =>
      withPartition(hypervisor, (partition) => {
        const memory = partition.allocateMemory(0x1000);
        const map = (): void => partition.mapGpaRange(memory, 0, 0, 0x1000, readWriteExecute);
        expectFailure("mapGpaRange", map, WHV_E_INVALID_PARTITION_CONFIG);
        memory.dispose();
      }),
    true,
  ),
  ...refused.map(([name, title, offset, gpa, size, flags]) =>
    backendCheck(`memory.map-${name}`, `mapGpaRange refuses ${title}`, "WHvMapGpaRange", (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition }) => {
        const memory = partition.allocateMemory(0x2000);
        expectFailure("mapGpaRange", () => partition.mapGpaRange(memory, offset, gpa, size, flags), E_INVALIDARG);
        memory.dispose();
      }),
    ),
  ),
  backendCheck(
    "memory.shared",
    "Host and guest see the same bytes, in both directions and while the processor exists",
    "WHvMapGpaRange",
    (hypervisor) =>
      // mov al, [0x2000]; mov [0x2001], al; hlt
      withGuest(hypervisor, { code: "a00020a20120f4" }, (guest) => {
        guest.ram.bytes[0x2000] = 0x5a;
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("ram[0x2001]", guest.ram.bytes[0x2001], 0x5a);
        guest.ram.bytes[0x2000] = 0xa5;
        guest.set({ Rip: codeStart });
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("ram[0x2001] of the second run", guest.ram.bytes[0x2001], 0xa5);
      }),
  ),
  backendCheck(
    "memory.code-written",
    "Code that the host writes between two runs is what runs",
    "WHvRunVirtualProcessor",
    (hypervisor) =>
      // inc ax; hlt
      withGuest(hypervisor, { code: "40f4" }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        guest.ram.bytes[codeStart] = 0x43; // inc bx
        guest.set({ Rip: codeStart });
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rax, Rbx", [guest.get("Rax"), guest.get("Rbx")], [1n, 1n]);
      }),
  ),
  backendCheck("memory.offset", "mapGpaRange maps from the offset on", "WHvMapGpaRange", (hypervisor) =>
    // mov eax, [0x20000]; hlt
    withGuest(hypervisor, { mode: "protected", code: "a100000200f4" }, (guest) => {
      const memory = guest.partition.allocateMemory(0x3000);
      memory.bytes.set([0x78, 0x56, 0x34, 0x12], 0x2000);
      guest.partition.mapGpaRange(memory, 0x2000, 0x2_0000, 0x1000, readWriteExecute);
      guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectMatch("Rax", guest.get("Rax"), 0x1234_5678n);
    }),
  ),
  backendCheck(
    "memory.replaced",
    "Mapping over a mapped range replaces it",
    "WHvMapGpaRange",
    (hypervisor) =>
      // mov al, [0x2000]; hlt
      withGuest(hypervisor, { code: "a00020f4" }, (guest) => {
        const memory = guest.partition.allocateMemory(0x1000);
        memory.bytes[0] = 0x42;
        guest.partition.mapGpaRange(memory, 0, 0x2000, 0x1000, readWriteExecute);
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rax", guest.get("Rax"), 0x42n);
      }),
    true,
  ),
  backendCheck(
    "memory.read-only",
    "A write to memory mapped without Write exits: MemoryAccess, GpaUnmapped clear; reads do not",
    "WHV_MAP_GPA_RANGE_FLAGS",
    (hypervisor) => {
      // mov eax, [ebx]; mov [ebx], eax; hlt
      const plan = { mode: "protected", code: "8b038903f4", registers: { Rbx: deviceGpa } } as const;
      withGuest(hypervisor, plan, (guest) => {
        const memory = guest.partition.allocateMemory(0x1000);
        memory.bytes.set([1, 2, 3, 4]);
        guest.partition.mapGpaRange(
          memory,
          0,
          deviceGpa,
          0x1000,
          MapFlag.WHvMapGpaRangeFlagRead | MapFlag.WHvMapGpaRangeFlagExecute,
        );
        const { memoryAccess } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        expectMatch("accessInfo", memoryAccess.accessInfo.toObject(), { accessType: 1, gpaUnmapped: false });
        expectMatch("gpa", memoryAccess.gpa, deviceGpa);
        expectMatch("Rip, Rax", [guest.get("Rip"), guest.get("Rax")], [BigInt(codeStart + 2), 0x0403_0201n]);
      });
    },
  ),
  backendCheck(
    "memory.no-execute",
    "Code in memory mapped without Execute exits: MemoryAccess of type Execute",
    "WHV_MAP_GPA_RANGE_FLAGS",
    (hypervisor) =>
      // jmp ebx
      withGuest(hypervisor, { mode: "protected", code: "ffe3", registers: { Rbx: deviceGpa } }, (guest) => {
        const memory = guest.partition.allocateMemory(0x1000);
        memory.bytes[0] = 0xf4;
        guest.partition.mapGpaRange(
          memory,
          0,
          deviceGpa,
          0x1000,
          MapFlag.WHvMapGpaRangeFlagRead | MapFlag.WHvMapGpaRangeFlagWrite,
        );
        const { memoryAccess } = guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        expectMatch("accessInfo", memoryAccess.accessInfo.toObject(), { accessType: 2, gpaUnmapped: false });
      }),
  ),
  backendCheck("memory.unmap", "Unmapped memory exits at the next access", "WHvUnmapGpaRange", (hypervisor) =>
    withGuest(hypervisor, { mode: "protected", code: "8b03f4", registers: { Rbx: deviceGpa } }, (guest) => {
      const memory = guest.partition.allocateMemory(0x1000);
      guest.partition.mapGpaRange(memory, 0, deviceGpa, 0x1000, readWriteExecute);
      guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      guest.partition.unmapGpaRange(deviceGpa, 0x1000);
      guest.set({ Rip: codeStart });
      guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
      memory.dispose();
    }),
  ),
  backendCheck(
    "memory.unmap-unknown",
    "unmapGpaRange of what is not mapped is refused",
    "WHvUnmapGpaRange",
    (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition }) =>
        expectFailure("unmapGpaRange", () => partition.unmapGpaRange(deviceGpa, 0x1000), WHV_E_GPA_RANGE_NOT_FOUND),
      ),
    true,
  ),
  backendCheck(
    "memory.unmap-part",
    "A part of a mapped range can be unmapped; the rest stays",
    "WHV_CAPABILITY_FEATURES.PartialUnmap",
    (hypervisor) => {
      requireFeature(hypervisor, "partialUnmap");
      withGuest(hypervisor, { mode: "protected", code: "8b03f4", registers: { Rbx: deviceGpa } }, (guest) => {
        const memory = guest.partition.allocateMemory(0x3000);
        guest.partition.mapGpaRange(memory, 0, deviceGpa, 0x3000, readWriteExecute);
        guest.partition.unmapGpaRange(deviceGpa + 0x1000, 0x1000);
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        guest.set({ Rip: codeStart, Rbx: deviceGpa + 0x1000 });
        guest.runTo(Reason.WHvRunVpExitReasonMemoryAccess);
        guest.set({ Rip: codeStart, Rbx: deviceGpa + 0x2000 });
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      });
    },
  ),
  backendCheck(
    "memory.dirty-bitmap",
    "queryGpaRangeDirtyBitmap tells the pages that the guest wrote, once",
    "WHvQueryGpaRangeDirtyBitmap",
    (hypervisor) => {
      requireFeature(hypervisor, "dirtyPageTracking");
      // mov [ebx], eax; mov eax, [ecx]; mov [edx], eax (across two pages); hlt
      const registers = { Rbx: deviceGpa + 0x1000, Rcx: deviceGpa + 0x2000, Rdx: deviceGpa + 0x3ffe };
      withGuest(hypervisor, { mode: "protected", code: "89038b018902f4", registers }, (guest) => {
        const memory = guest.partition.allocateMemory(0x8000);
        const flags = readWriteExecute | MapFlag.WHvMapGpaRangeFlagTrackDirtyPages;
        guest.partition.mapGpaRange(memory, 0, deviceGpa, 0x8000, flags);
        const bitmap = new Uint32Array(2);
        guest.partition.queryGpaRangeDirtyBitmap(deviceGpa, 0x8000, bitmap);
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        guest.partition.queryGpaRangeDirtyBitmap(deviceGpa, 0x8000, bitmap);
        expectMatch("bitmap", bitmap[0], 0b1_1010);
        guest.partition.queryGpaRangeDirtyBitmap(deviceGpa, 0x8000, bitmap);
        expectMatch("bitmap when asked again", bitmap[0], 0);
      });
    },
  ),
  backendCheck(
    "memory.dirty-not-tracked",
    "queryGpaRangeDirtyBitmap of memory that is not tracked is refused",
    "WHvQueryGpaRangeDirtyBitmap",
    (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition }) =>
        expectFailure("queryGpaRangeDirtyBitmap", () =>
          partition.queryGpaRangeDirtyBitmap(0, 0x1000, new Uint32Array(2)),
        ),
      ),
    true,
  ),
  backendCheck("memory.high", "Memory above 4 GiB can be mapped", "WHvMapGpaRange", (hypervisor) =>
    withGuest(hypervisor, { mode: "long", code: "8b03f4", registers: { Rbx: 0x20_2000 } }, (guest) => {
      const memory = guest.partition.allocateMemory(0x1000);
      memory.bytes[0] = 0x42;
      const high = 0x1_2345_6000;
      guest.partition.mapGpaRange(memory, 0, high, 0x1000, readWriteExecute);
      // The page of the device, now at the high address.
      const entry = new DataView(guest.ram.bytes.buffer, guest.ram.bytes.byteOffset + 0xb010, 8);
      entry.setBigUint64(0, BigInt(high) | 7n, true);
      guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      if (guest.get("Rax") !== 0x42n) throw new Difference("Rax", 0x42n, guest.get("Rax"));
    }),
  ),
];
