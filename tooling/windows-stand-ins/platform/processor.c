/* Virtual processors: creation, registers, blocks of state, counters, CPUID and the synthetic interrupt controller. */
#include "stand-in.h"
#include "known-registers.h"
#include <stdlib.h>
#include <string.h>

Processor *processor_of(const char *function, Partition *partition, UINT32 index) {
  Processor *processor = index < MAX_PROCESSORS ? partition->processors[index] : NULL;
  if (!processor) violation(function, "there is no processor %u", index);
  return processor;
}

static int is_known(WHV_REGISTER_NAME name) {
  for (size_t i = 0; i < sizeof known_registers / sizeof *known_registers; i++) if (known_registers[i] == (UINT32)name) return 1;
  return 0;
}

WHV_REGISTER_VALUE *register_slot(Processor *processor, WHV_REGISTER_NAME name) {
  for (UINT32 i = 0; i < processor->registers; i++) if (processor->names[i] == name) return &processor->values[i];
  if (!is_known(name) || processor->registers == MAX_REGISTERS) return NULL;
  processor->names[processor->registers] = name;
  return &processor->values[processor->registers++];
}

UINT64 register_of(Processor *processor, WHV_REGISTER_NAME name) {
  WHV_REGISTER_VALUE *value = register_slot(processor, name);
  return value ? value->Reg64 : 0;
}

void set_register(Processor *processor, WHV_REGISTER_NAME name, UINT64 value) {
  WHV_REGISTER_VALUE *slot = register_slot(processor, name);
  if (slot) slot->Reg64 = value;
}

/* The state after power-up: Intel SDM volume 3, table 10-1. */
void power_up(Processor *processor, UINT32 index) {
  memset(processor->values, 0, sizeof processor->values);
  processor->registers = 0;
  for (WHV_REGISTER_NAME name = WHvX64RegisterEs; name <= WHvX64RegisterTr; name++) {
    WHV_X64_SEGMENT_REGISTER *segment = &register_slot(processor, name)->Segment;
    segment->Limit = 0xffff;
    segment->Attributes = name == WHvX64RegisterCs ? 0x9b : name == WHvX64RegisterLdtr ? 0x82 : name == WHvX64RegisterTr ? 0x8b : 0x93;
  }
  WHV_X64_SEGMENT_REGISTER *cs = &register_slot(processor, WHvX64RegisterCs)->Segment;
  cs->Base = 0xffff0000;
  cs->Selector = 0xf000;
  register_slot(processor, WHvX64RegisterGdtr)->Table.Limit = 0xffff;
  register_slot(processor, WHvX64RegisterIdtr)->Table.Limit = 0xffff;
  WHV_X64_XMM_CONTROL_STATUS_REGISTER *vector = &register_slot(processor, WHvX64RegisterXmmControlStatus)->XmmControlStatus;
  vector->XmmStatusControl = 0x1f80;
  vector->XmmStatusControlMask = 0xffff;
  register_slot(processor, WHvX64RegisterFpControlStatus)->FpControlStatus.FpControl = 0x40;
  set_register(processor, WHvX64RegisterRip, 0xfff0);
  set_register(processor, WHvX64RegisterRflags, 2);
  set_register(processor, WHvX64RegisterCr0, 0x60000010);
  set_register(processor, WHvX64RegisterDr6, 0xffff0ff0);
  set_register(processor, WHvX64RegisterDr7, 0x400);
  set_register(processor, WHvX64RegisterXCr0, 1);
  set_register(processor, WHvX64RegisterPat, 0x0007040600070406ull);
  set_register(processor, WHvX64RegisterApicBase, 0xfee00800 | (index == 0) << 8);
}

static HRESULT create(const char *function, WHV_PARTITION_HANDLE handle, UINT32 index) {
  Partition *partition = partition_of(function, handle);
  if (!partition) return E_INVALIDARG;
  if (!partition->setup) return E_WHV_INVALID_PARTITION_CONFIG;
  if (index >= property_value(partition, WHvPartitionPropertyCodeProcessorCount)) return E_INVALIDARG;
  if (partition->processors[index]) return E_WHV_VP_ALREADY_EXISTS;
  Processor *processor = calloc(1, sizeof *processor);
  processor->cancelled = CreateEventW(NULL, FALSE, FALSE, NULL);
  power_up(processor, index);
  partition->processors[index] = processor;
  counted(COUNT_PROCESSORS, 1);
  return S_OK;
}

void release_processor(Partition *partition, UINT32 index) {
  Processor *processor = partition->processors[index];
  if (!processor) return;
  kvm_release_processor(processor);
  for (int i = 0; i < MAX_BLOCKS; i++) free(processor->blocks[i].bytes);
  CloseHandle(processor->cancelled);
  free(processor);
  partition->processors[index] = NULL;
  counted(COUNT_PROCESSORS, -1);
}

HRESULT WINAPI WHvCreateVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 flags) {
  BEGIN
  if (flags) VIOLATION("flags must be 0; they are 0x%x", flags);
  END(create(__func__, handle, index));
}

HRESULT WINAPI WHvCreateVirtualProcessor2(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_VIRTUAL_PROCESSOR_PROPERTY *properties, UINT32 count) {
  BEGIN
  if (count && !ALIGNED(properties, 8)) VIOLATION("properties at %p", properties);
  for (UINT32 i = 0; i < count; i++) {
    if (properties[i].Reserved) VIOLATION("reserved field of property %u is 0x%x", i, properties[i].Reserved);
    if (properties[i].PropertyCode != WHvVirtualProcessorPropertyCodeNumaNode) END(E_WHV_UNKNOWN_PROPERTY);
  }
  END(create(__func__, handle, index));
}

HRESULT WINAPI WHvDeleteVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  Processor *processor = processor_of(__func__, partition, index);
  if (!processor) END(E_WHV_VP_DOES_NOT_EXIST);
  if (processor->running) { VIOLATION("processor %u is running", index); END(E_WHV_INVALID_VP_STATE); }
  release_processor(partition, index);
  END(S_OK);
}

static HRESULT exchange(const char *function, WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names, UINT32 count, WHV_REGISTER_VALUE *values, int write) {
  Partition *partition = partition_of(function, handle);
  if (!partition) return E_INVALIDARG;
  Processor *processor = processor_of(function, partition, index);
  if (!processor) return E_WHV_VP_DOES_NOT_EXIST;
  if (!ALIGNED(names, 4) || (!names && count)) violation(function, "names at %p", names);
  if (!ALIGNED(values, 4) || (!values && count)) violation(function, "values at %p", values);
  if (processor->running) return E_WHV_INVALID_VP_STATE;
  for (UINT32 i = 0; i < count; i++) if (!register_slot(processor, names[i])) return E_WHV_INVALID_VP_REGISTER_NAME;
  for (UINT32 i = 0; write && i < count; i++) if (!acceptable(names[i], &values[i])) return E_INVALIDARG;
  for (UINT32 i = 0; i < count; i++) {
    WHV_REGISTER_VALUE *slot = register_slot(processor, names[i]);
    if (write) memcpy(slot, &values[i], sizeof *slot);
    else memcpy(&values[i], slot, sizeof *slot);
  }
  return S_OK;
}

HRESULT WINAPI WHvGetVirtualProcessorRegisters(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names, UINT32 count, WHV_REGISTER_VALUE *values) {
  BEGIN
  END(exchange(__func__, handle, index, names, count, values, 0));
}

HRESULT WINAPI WHvSetVirtualProcessorRegisters(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names, UINT32 count, const WHV_REGISTER_VALUE *values) {
  BEGIN
  END(exchange(__func__, handle, index, names, count, (WHV_REGISTER_VALUE *)values, 1));
}

/* Blocks of state have the size that they have on hardware of today; what was never written is zero. */
static UINT32 block_size(UINT32 type) {
  switch (type) {
    case WHvVirtualProcessorStateTypeSynicMessagePage:
    case WHvVirtualProcessorStateTypeSynicEventFlagPage: return PAGE;
    case WHvVirtualProcessorStateTypeSynicTimerState: return 200;
    case WHvVirtualProcessorStateTypeInterruptControllerState2: return PAGE;
    case WHvVirtualProcessorStateTypeXsaveState: return 832; /* x87, SSE and AVX */
    default: return 0;
  }
}

static HRESULT block(const char *function, WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 type, void *buffer, UINT32 size, UINT32 *written, int write) {
  Partition *partition = partition_of(function, handle);
  UINT32 whole = block_size(type);
  if (!partition) return E_INVALIDARG;
  Processor *processor = processor_of(function, partition, index);
  if (!processor) return E_WHV_VP_DOES_NOT_EXIST;
  if (!whole) return E_WHV_UNKNOWN_PROPERTY;
  for (int i = 0; i < MAX_BLOCKS; i++) {
    Block *each = &processor->blocks[i];
    if (each->bytes && each->key != type) continue;
    if (!each->bytes) { each->key = type; each->bytes = calloc(1, whole); }
    if (!write) return copy_out(function, each->bytes, whole, buffer, size, written);
    if (size < whole) return E_INVALIDARG;
    memcpy(each->bytes, buffer, whole);
    return S_OK;
  }
  return E_OUTOFMEMORY;
}

HRESULT WINAPI WHvGetVirtualProcessorState(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_VIRTUAL_PROCESSOR_STATE_TYPE type, VOID *buffer, UINT32 size, UINT32 *written) {
  BEGIN
  END(block(__func__, handle, index, type, buffer, size, written, 0));
}

HRESULT WINAPI WHvSetVirtualProcessorState(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_VIRTUAL_PROCESSOR_STATE_TYPE type, const VOID *buffer, UINT32 size) {
  BEGIN
  END(block(__func__, handle, index, type, (void *)buffer, size, NULL, 1));
}

#define BLOCK_FUNCTIONS(name, type)                                                                                               \
  HRESULT WINAPI WHvGetVirtualProcessor##name(WHV_PARTITION_HANDLE handle, UINT32 index, VOID *buffer, UINT32 size, UINT32 *written) { \
    BEGIN                                                                                                                         \
    END(block(__func__, handle, index, type, buffer, size, written, 0));                                                          \
  }                                                                                                                               \
  HRESULT WINAPI WHvSetVirtualProcessor##name(WHV_PARTITION_HANDLE handle, UINT32 index, const VOID *buffer, UINT32 size) {        \
    BEGIN                                                                                                                         \
    END(block(__func__, handle, index, type, (void *)buffer, size, NULL, 1));                                                     \
  }
BLOCK_FUNCTIONS(XsaveState, WHvVirtualProcessorStateTypeXsaveState)
BLOCK_FUNCTIONS(InterruptControllerState, WHvVirtualProcessorStateTypeInterruptControllerState2)
BLOCK_FUNCTIONS(InterruptControllerState2, WHvVirtualProcessorStateTypeInterruptControllerState2)

HRESULT WINAPI WHvGetVirtualProcessorCounters(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_PROCESSOR_COUNTER_SET set, VOID *buffer, UINT32 size, UINT32 *written) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  WHV_PROCESSOR_RUNTIME_COUNTERS runtime = {0x8000000000000002ull, 3};
  WHV_PROCESSOR_APIC_COUNTERS apic;
  if (!partition) END(E_INVALIDARG);
  if (!processor_of(__func__, partition, index)) END(E_WHV_VP_DOES_NOT_EXIST);
  memset(&apic, 0x11, sizeof apic);
  switch (set) {
    case WHvProcessorCounterSetRuntime: END(copy_out(__func__, &runtime, sizeof runtime, buffer, size, written));
    case WHvProcessorCounterSetApic: END(copy_out(__func__, &apic, sizeof apic, buffer, size, written));
    default: END(E_WHV_UNKNOWN_PROPERTY);
  }
}

HRESULT WINAPI WHvGetVirtualProcessorCpuidOutput(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 eax, UINT32 ecx, WHV_CPUID_OUTPUT *output) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (!processor_of(__func__, partition, index)) END(E_WHV_VP_DOES_NOT_EXIST);
  if (kvm_wanted() && kvm_cpuid(eax, ecx, output)) END(S_OK);
  output->Eax = eax + 1;
  output->Ebx = index;
  output->Ecx = ecx + 2;
  output->Edx = 0xffffffff;
  END(S_OK);
}

/* The synthetic interrupt controller is a part of the local APIC. */
static int has_synic(Partition *partition) { return property_value(partition, WHvPartitionPropertyCodeLocalApicEmulationMode) != 0; }

HRESULT WINAPI WHvSignalVirtualProcessorSynicEvent(WHV_PARTITION_HANDLE handle, WHV_SYNIC_EVENT_PARAMETERS event, WINBOOL *newly) {
  BEGIN
  static UINT8 flags[16][256];
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (event.Reserved) VIOLATION("the reserved field is 0x%x", event.Reserved);
  if (!has_synic(partition)) END(E_WHV_INVALID_PARTITION_CONFIG);
  if (!processor_of(__func__, partition, event.VpIndex)) END(E_WHV_VP_DOES_NOT_EXIST);
  if (event.TargetSint > 15 || event.FlagNumber > 2047) END(E_INVALIDARG);
  UINT8 *byte = &flags[event.TargetSint][event.FlagNumber / 8], bit = (UINT8)(1 << event.FlagNumber % 8);
  *newly = !(*byte & bit);
  *byte |= bit;
  END(S_OK);
}

HRESULT WINAPI WHvPostVirtualProcessorSynicMessage(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 sint, const VOID *message, UINT32 size) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (!processor_of(__func__, partition, index)) END(E_WHV_VP_DOES_NOT_EXIST);
  if (!has_synic(partition)) END(E_WHV_INVALID_PARTITION_CONFIG);
  END(sint <= 15 && message && size <= 256 ? S_OK : E_INVALIDARG);
}
