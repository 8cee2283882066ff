/* Capabilities; partitions from creation to deletion, their properties, time, interrupts, counters and migration. */
#include "stand-in.h"
#include <stdlib.h>
#include <string.h>

static Partition *partitions[MAX_PARTITIONS];
static UINT32 generation;
/* Handles look like nothing that a host could use by mistake, and have bit 63 set. */
#define HANDLE_TAG 0xfeed000000000000ull
#define MIGRATION_TAG 0xfade000000000000ull

static WHV_PARTITION_HANDLE handle_of(UINT32 slot) {
  return (WHV_PARTITION_HANDLE)(HANDLE_TAG | (UINT64)partitions[slot]->generation << 16 | slot << 4);
}

Partition *partition_of(const char *function, WHV_PARTITION_HANDLE handle) {
  UINT32 slot = (UINT32)((UINT64)handle >> 4 & 0xfff);
  if (slot < MAX_PARTITIONS && partitions[slot] && partitions[slot]->live && handle_of(slot) == handle) return partitions[slot];
  violation(function, "%p is no partition", handle);
  return NULL;
}

HRESULT copy_out(const char *function, const void *value, UINT32 size, void *buffer, UINT32 capacity, UINT32 *written) {
  if (written) *written = size;
  if (!buffer) { violation(function, "there is no buffer"); return E_POINTER; }
  if (capacity < size) return E_WHV_INSUFFICIENT_BUFFER;
  memcpy(buffer, value, size);
  return S_OK;
}

HRESULT WINAPI WHvGetCapability(WHV_CAPABILITY_CODE code, VOID *buffer, UINT32 capacity, UINT32 *written) {
  BEGIN
  WHV_CAPABILITY value;
  UINT32 size = 8;
  memset(&value, 0, sizeof value);
  switch (code) {
    case WHvCapabilityCodeHypervisorPresent: value.HypervisorPresent = !hypervisor_hidden; size = sizeof value.HypervisorPresent; break;
    case WHvCapabilityCodeFeatures: value.Features.PartialUnmap = 1; value.Features.LocalApicEmulation = !runs_guests(); value.Features.Xsave = 1; value.Features.DirtyPageTracking = 1; break;
    case WHvCapabilityCodeExtendedVmExits: value.ExtendedVmExits.AsUINT64 = extended_exits(); break;
    case WHvCapabilityCodeExceptionExitBitmap: value.ExceptionExitBitmap = 0xffffffffffffffffull; break;
    case WHvCapabilityCodeProcessorVendor: value.ProcessorVendor = WHvProcessorVendorIntel; size = sizeof value.ProcessorVendor; break;
    case WHvCapabilityCodeProcessorClFlushSize: value.ProcessorClFlushSize = 6; size = 1; break;
    case WHvCapabilityCodeProcessorClockFrequency: value.ProcessorClockFrequency = 0x8000000000000001ull; break;
    case WHvCapabilityCodeProcessorFeaturesBanks:
      value.ProcessorFeaturesBanks.BanksCount = 2; size = sizeof value.ProcessorFeaturesBanks;
      value.ProcessorFeaturesBanks.AsUINT64[1] = 0x123456789abcdef0ull; break;
    default: END(E_WHV_UNKNOWN_CAPABILITY);
  }
  END(copy_out(__func__, &value, size, buffer, capacity, written));
}

static HRESULT create(WHV_PARTITION_HANDLE *out) {
  for (UINT32 slot = 0; slot < MAX_PARTITIONS; slot++) {
    if (partitions[slot] && partitions[slot]->live) continue;
    if (!partitions[slot]) partitions[slot] = malloc(sizeof(Partition));
    memset(partitions[slot], 0, sizeof(Partition));
    partitions[slot]->live = 1;
    partitions[slot]->generation = ++generation;
    *out = handle_of(slot);
    counted(COUNT_PARTITIONS, 1);
    return S_OK;
  }
  return E_OUTOFMEMORY;
}

HRESULT WINAPI WHvCreatePartition(WHV_PARTITION_HANDLE *out) {
  BEGIN
  if (!out || !ALIGNED(out, 8)) VIOLATION("where to write the handle: %p", out);
  END(create(out));
}

HRESULT WINAPI WHvDeletePartition(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  for (UINT32 i = 0; i < MAX_PROCESSORS; i++) {
    if (partition->processors[i] && partition->processors[i]->running) { VIOLATION("processor %u is running", i); END(E_WHV_INVALID_VP_STATE); }
    release_processor(partition, i);
  }
  release_signals(partition);
  kvm_release(partition);
  release_ranges(partition);
  partition->live = 0;
  counted(COUNT_PARTITIONS, -1);
  END(S_OK);
}

HRESULT WINAPI WHvSetupPartition(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (partition->setup || property_value(partition, WHvPartitionPropertyCodeProcessorCount) == 0) END(E_WHV_INVALID_PARTITION_CONFIG);
  if (property_value(partition, WHvPartitionPropertyCodeExtendedVmExits) & 4 && !property_value(partition, WHvPartitionPropertyCodeExceptionExitBitmap)) END(E_WHV_INVALID_PARTITION_CONFIG);
  partition->setup = 1;
  END(S_OK);
}

HRESULT WINAPI WHvResetPartition(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (!partition->setup) END(E_WHV_INVALID_PARTITION_CONFIG);
  for (UINT32 i = 0; i < MAX_PROCESSORS; i++) if (partition->processors[i] && partition->processors[i]->running) END(E_WHV_INVALID_VP_STATE);
  for (UINT32 i = 0; i < MAX_PROCESSORS; i++) if (partition->processors[i]) power_up(partition->processors[i], i);
  END(S_OK);
}

#define MEMBER(code, member) case code: *size = sizeof(((WHV_PARTITION_PROPERTY *)0)->member); return 1
/* The size of a property; whether it may be a list of items of that size. 0 where it is unknown. */
static int property_size(UINT32 code, UINT32 *size, int *list) {
  *list = 0;
  switch (code) {
    MEMBER(WHvPartitionPropertyCodeExtendedVmExits, ExtendedVmExits);
    MEMBER(WHvPartitionPropertyCodeExceptionExitBitmap, ExceptionExitBitmap);
    MEMBER(WHvPartitionPropertyCodeSeparateSecurityDomain, SeparateSecurityDomain);
    MEMBER(WHvPartitionPropertyCodeNestedVirtualization, NestedVirtualization);
    MEMBER(WHvPartitionPropertyCodeX64MsrExitBitmap, X64MsrExitBitmap);
    MEMBER(WHvPartitionPropertyCodePrimaryNumaNode, PrimaryNumaNode);
    MEMBER(WHvPartitionPropertyCodeCpuReserve, CpuReserve);
    MEMBER(WHvPartitionPropertyCodeCpuCap, CpuCap);
    MEMBER(WHvPartitionPropertyCodeCpuWeight, CpuWeight);
    MEMBER(WHvPartitionPropertyCodeCpuGroupId, CpuGroupId);
    MEMBER(WHvPartitionPropertyCodeProcessorFrequencyCap, ProcessorFrequencyCap);
    MEMBER(WHvPartitionPropertyCodeAllowDeviceAssignment, AllowDeviceAssignment);
    MEMBER(WHvPartitionPropertyCodeDisableSmt, DisableSmt);
    MEMBER(WHvPartitionPropertyCodeProcessorFeatures, ProcessorFeatures);
    MEMBER(WHvPartitionPropertyCodeProcessorClFlushSize, ProcessorClFlushSize);
    MEMBER(WHvPartitionPropertyCodeLocalApicEmulationMode, LocalApicEmulationMode);
    MEMBER(WHvPartitionPropertyCodeProcessorXsaveFeatures, ProcessorXsaveFeatures);
    MEMBER(WHvPartitionPropertyCodeProcessorClockFrequency, ProcessorClockFrequency);
    MEMBER(WHvPartitionPropertyCodeInterruptClockFrequency, InterruptClockFrequency);
    MEMBER(WHvPartitionPropertyCodeApicRemoteReadSupport, ApicRemoteRead);
    MEMBER(WHvPartitionPropertyCodeProcessorFeaturesBanks, ProcessorFeaturesBanks);
    MEMBER(WHvPartitionPropertyCodeReferenceTime, ReferenceTime);
    MEMBER(WHvPartitionPropertyCodeSyntheticProcessorFeaturesBanks, SyntheticProcessorFeaturesBanks);
    MEMBER(WHvPartitionPropertyCodeProcessorPerfmonFeatures, ProcessorPerfmonFeatures);
    MEMBER(WHvPartitionPropertyCodeUnimplementedMsrAction, UnimplementedMsrAction);
    MEMBER(WHvPartitionPropertyCodeProcessorCount, ProcessorCount);
    case WHvPartitionPropertyCodeCpuidExitList: *list = 1; *size = 4; return 1;
    case WHvPartitionPropertyCodeCpuidResultList: *list = 1; *size = sizeof(WHV_X64_CPUID_RESULT); return 1;
    case WHvPartitionPropertyCodeCpuidResultList2: *list = 1; *size = sizeof(WHV_X64_CPUID_RESULT2); return 1;
    case WHvPartitionPropertyCodeMsrActionList: *list = 1; *size = sizeof(WHV_MSR_ACTION_ENTRY); return 1;
    default: return 0;
  }
}

static Property *property_at(Partition *partition, UINT32 code, int make) {
  for (int i = 0; i < MAX_PROPERTIES; i++) {
    Property *property = &partition->properties[i];
    if (property->code == code) return property;
    if (property->code == 0 && make) { property->code = code; return property; }
  }
  return NULL;
}

UINT64 property_value(Partition *partition, UINT32 code) {
  Property *property = property_at(partition, code, 0);
  return property ? *(UINT64 *)property->bytes : 0;
}

HRESULT WINAPI WHvGetPartitionProperty(WHV_PARTITION_HANDLE handle, WHV_PARTITION_PROPERTY_CODE code, VOID *buffer, UINT32 capacity, UINT32 *written) {
  BEGIN
  static const UINT8 zeros[256];
  Partition *partition = partition_of(__func__, handle);
  UINT32 size;
  int list;
  if (!partition) END(E_INVALIDARG);
  if (!property_size(code, &size, &list)) END(E_WHV_UNKNOWN_PROPERTY);
  Property *property = property_at(partition, code, 0);
  if (list) size = property ? property->size : 0;
  END(copy_out(__func__, property ? property->bytes : zeros, size, buffer, capacity, written));
}

HRESULT WINAPI WHvSetPartitionProperty(WHV_PARTITION_HANDLE handle, WHV_PARTITION_PROPERTY_CODE code, const VOID *buffer, UINT32 given) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  UINT32 size;
  int list;
  if (!partition) END(E_INVALIDARG);
  if (!property_size(code, &size, &list)) END(E_WHV_UNKNOWN_PROPERTY);
  if (list ? given % size != 0 || given > 256 : given != size) {
    VIOLATION("property 0x%x takes %u bytes%s, not %u", code, size, list ? " an item" : "", given);
    END(E_INVALIDARG);
  }
  /* As a Windows without the feature: the capabilities say so too. */
  if (runs_guests() && code == WHvPartitionPropertyCodeLocalApicEmulationMode && *(const UINT32 *)buffer) END(E_WHV_UNKNOWN_PROPERTY);
  if (runs_guests() && code == WHvPartitionPropertyCodeExtendedVmExits && *(const UINT64 *)buffer & ~extended_exits()) END(E_INVALIDARG);
  if (partition->setup && code >= 0x1000) END(E_WHV_INVALID_PARTITION_CONFIG);
  if (code == WHvPartitionPropertyCodeProcessorCount && (*(const UINT32 *)buffer == 0 || *(const UINT32 *)buffer > MAX_PROCESSORS)) END(E_INVALIDARG);
  Property *property = property_at(partition, code, 1);
  if (!property) END(E_OUTOFMEMORY);
  memset(property->bytes, 0, sizeof property->bytes);
  memcpy(property->bytes, buffer, given);
  property->size = given;
  END(S_OK);
}

HRESULT WINAPI WHvSuspendPartitionTime(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  partition->suspended = 1;
  END(S_OK);
}

HRESULT WINAPI WHvResumePartitionTime(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (!partition->suspended) END(E_WHV_INVALID_PARTITION_CONFIG);
  partition->suspended = 0;
  END(S_OK);
}

HRESULT WINAPI WHvRequestInterrupt(WHV_PARTITION_HANDLE handle, const WHV_INTERRUPT_CONTROL *interrupt, UINT32 size) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (size != sizeof *interrupt) { VIOLATION("WHV_INTERRUPT_CONTROL has %u bytes, not %u", (UINT32)sizeof *interrupt, size); END(E_INVALIDARG); }
  if (interrupt->Reserved) VIOLATION("reserved bits are set");
  if (property_value(partition, WHvPartitionPropertyCodeLocalApicEmulationMode) == 0 || interrupt->Vector > 255) END(E_INVALIDARG);
  partition->last_interrupt = *interrupt;
  END(S_OK);
}

HRESULT WINAPI WHvGetInterruptTargetVpSet(WHV_PARTITION_HANDLE handle, UINT64 destination, WHV_INTERRUPT_DESTINATION_MODE mode, UINT32 *targets, UINT32 capacity, UINT32 *count) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  *count = 0;
  for (UINT32 i = 0; i < MAX_PROCESSORS; i++) {
    if (!partition->processors[i] || (mode == WHvX64InterruptDestinationModePhysical ? destination != i : !(destination >> (i & 63) & 1))) continue;
    if (*count == capacity) END(E_WHV_INSUFFICIENT_BUFFER);
    targets[(*count)++] = i;
  }
  END(S_OK);
}

HRESULT WINAPI WHvGetPartitionCounters(WHV_PARTITION_HANDLE handle, WHV_PARTITION_COUNTER_SET set, VOID *buffer, UINT32 capacity, UINT32 *written) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  WHV_PARTITION_MEMORY_COUNTERS counters = {0, 0, 0};
  if (!partition) END(E_INVALIDARG);
  if (set != WHvPartitionCounterSetMemory) END(E_WHV_UNKNOWN_PROPERTY);
  for (int i = 0; i < MAX_RANGES; i++) if (partition->ranges[i].source) counters.Mapped4KPageCount += partition->ranges[i].size / PAGE;
  END(copy_out(__func__, &counters, sizeof counters, buffer, capacity, written));
}

HRESULT WINAPI WHvStartPartitionMigration(WHV_PARTITION_HANDLE handle, HANDLE *migration) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition || partition->migrating) END(E_INVALIDARG);
  partition->migrating = 1;
  *migration = (HANDLE)(MIGRATION_TAG | partition->generation);
  END(S_OK);
}

HRESULT WINAPI WHvCancelPartitionMigration(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition || !partition->migrating) END(E_INVALIDARG);
  partition->migrating = 0;
  END(S_OK);
}

HRESULT WINAPI WHvCompletePartitionMigration(WHV_PARTITION_HANDLE handle) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition || !partition->migrating) END(E_INVALIDARG);
  partition->migrating = 0;
  END(S_OK);
}

HRESULT WINAPI WHvAcceptPartitionMigration(HANDLE migration, WHV_PARTITION_HANDLE *out) {
  BEGIN
  if (((UINT64)migration & 0xffff000000000000ull) != MIGRATION_TAG) { VIOLATION("%p is no migration", migration); END(E_INVALIDARG); }
  END(create(out));
}
