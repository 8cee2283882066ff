/* One virtual PCI device a partition: registers of 256 bytes, two memory ranges, one interrupt. */
#include "stand-in.h"
#include <string.h>

#define RESOURCE 0xfeed0000c0de0000ull
#define MSI_ADDRESS 0x80000000fee00000ull

static Device *device_of(const char *function, WHV_PARTITION_HANDLE handle, UINT64 id) {
  Partition *partition = partition_of(function, handle);
  if (!partition) return NULL;
  if (partition->device.live && partition->device.id == id) return &partition->device;
  violation(function, "there is no device 0x%llx", id);
  return NULL;
}

HRESULT WINAPI WHvAllocateVpciResource(const GUID *provider, WHV_ALLOCATE_VPCI_RESOURCE_FLAGS flags, const VOID *descriptor, UINT32 size, HANDLE *resource) {
  BEGIN
  if (!descriptor != !size) VIOLATION("a descriptor of %u bytes at %p", size, descriptor);
  if (provider && provider->Data1 != 0x04030201) VIOLATION("the GUID begins with 0x%lx", provider->Data1);
  if (flags & ~1u) END(E_INVALIDARG);
  *resource = (HANDLE)RESOURCE;
  END(S_OK);
}

HRESULT WINAPI WHvCreateVpciDevice(WHV_PARTITION_HANDLE handle, UINT64 id, HANDLE resource, WHV_CREATE_VPCI_DEVICE_FLAGS flags, HANDLE notification) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if ((UINT64)resource != RESOURCE) { VIOLATION("%p is no resource", resource); END(E_INVALIDARG); }
  if (flags & ~3u || partition->device.live) END(E_INVALIDARG);
  Device *device = &partition->device;
  device->live = 1;
  device->id = id;
  device->notification = notification;
  device->power = 1;
  counted(COUNT_DEVICES, 1);
  END(S_OK);
}

HRESULT WINAPI WHvDeleteVpciDevice(WHV_PARTITION_HANDLE handle, UINT64 id) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  if (!device) END(E_INVALIDARG);
  if (device->mapped) counted(COUNT_MMIO, -1);
  counted(COUNT_DEVICES, -1);
  memset(device, 0, sizeof *device);
  END(S_OK);
}

HRESULT WINAPI WHvGetVpciDeviceProperty(WHV_PARTITION_HANDLE handle, UINT64 id, WHV_VPCI_DEVICE_PROPERTY_CODE code, VOID *buffer, UINT32 size, UINT32 *written) {
  BEGIN
  WHV_VPCI_HARDWARE_IDS ids = {0x1414, 0x5353, 1, 2, 3, 4, 0x1111, 0x2222};
  if (!device_of(__func__, handle, id)) END(E_INVALIDARG);
  if (code != WHvVpciDevicePropertyCodeHardwareIDs) END(E_WHV_UNKNOWN_PROPERTY);
  END(copy_out(__func__, &ids, sizeof ids, buffer, size, written));
}

HRESULT WINAPI WHvGetVpciDeviceNotification(WHV_PARTITION_HANDLE handle, UINT64 id, WHV_VPCI_DEVICE_NOTIFICATION *notification, UINT32 size) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  if (!device) END(E_INVALIDARG);
  if (size != sizeof *notification || !ALIGNED(notification, 8)) { VIOLATION("a notification of %u bytes at %p", size, notification); END(E_INVALIDARG); }
  memset(notification, 0, sizeof *notification);
  notification->NotificationType = device->notified ? WHvVpciDeviceNotificationMmioRemapping : WHvVpciDeviceNotificationUndefined;
  device->notified = 0;
  END(S_OK);
}

HRESULT WINAPI WHvMapVpciDeviceMmioRanges(WHV_PARTITION_HANDLE handle, UINT64 id, UINT32 *count, WHV_VPCI_MMIO_MAPPING **mappings) {
  BEGIN
  static UINT8 memory[2][PAGE];
  static WHV_VPCI_MMIO_MAPPING ranges[2] = {{WHvVpciBar0, WHvVpciMmioRangeFlagReadAccess, PAGE, 0, memory[0]}, {WHvVpciBar2, 3, PAGE, 0x8000000000000000ull, memory[1]}};
  Device *device = device_of(__func__, handle, id);
  if (!device || device->mapped) END(E_INVALIDARG);
  device->mapped = 1;
  counted(COUNT_MMIO, 1);
  *count = 2;
  *mappings = ranges;
  END(S_OK);
}

HRESULT WINAPI WHvUnmapVpciDeviceMmioRanges(WHV_PARTITION_HANDLE handle, UINT64 id) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  if (!device || !device->mapped) END(E_INVALIDARG);
  device->mapped = 0;
  counted(COUNT_MMIO, -1);
  END(S_OK);
}

HRESULT WINAPI WHvSetVpciDevicePowerState(WHV_PARTITION_HANDLE handle, UINT64 id, DEVICE_POWER_STATE state) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  if (!device || state < PowerDeviceD0 || state > PowerDeviceD3) END(E_INVALIDARG);
  device->power = state;
  END(S_OK);
}

static HRESULT access(const char *function, WHV_PARTITION_HANDLE handle, UINT64 id, const WHV_VPCI_DEVICE_REGISTER *which, void *data, int write) {
  Device *device = device_of(function, handle, id);
  if (!device || !data || which->SizeInBytes > 8 || which->OffsetInBytes + which->SizeInBytes > sizeof device->registers) return E_INVALIDARG;
  if (!ALIGNED(which, 8)) violation(function, "a register description at %p", which);
  UINT8 *place = device->registers + which->OffsetInBytes;
  if (write) memcpy(place, data, which->SizeInBytes);
  else memcpy(data, place, which->SizeInBytes);
  return S_OK;
}

HRESULT WINAPI WHvReadVpciDeviceRegister(WHV_PARTITION_HANDLE handle, UINT64 id, const WHV_VPCI_DEVICE_REGISTER *which, VOID *data) {
  BEGIN
  END(access(__func__, handle, id, which, data, 0));
}

HRESULT WINAPI WHvWriteVpciDeviceRegister(WHV_PARTITION_HANDLE handle, UINT64 id, const WHV_VPCI_DEVICE_REGISTER *which, const VOID *data) {
  BEGIN
  END(access(__func__, handle, id, which, (void *)data, 1));
}

static HRESULT target(Device *device, const WHV_VPCI_INTERRUPT_TARGET *target) {
  if (!device || target->ProcessorCount > 8 || target->Flags & ~1u) return E_INVALIDARG;
  device->vector = target->Vector;
  device->processor_count = target->ProcessorCount;
  memcpy(device->processors, target->Processors, target->ProcessorCount * 4);
  return S_OK;
}

HRESULT WINAPI WHvMapVpciDeviceInterrupt(WHV_PARTITION_HANDLE handle, UINT64 id, UINT32 index, UINT32 messages, const WHV_VPCI_INTERRUPT_TARGET *where, UINT64 *address, UINT32 *data) {
  BEGIN
  if (messages == 0) END(E_INVALIDARG);
  *address = MSI_ADDRESS | index;
  *data = 0x80000000u | where->Vector;
  END(target(device_of(__func__, handle, id), where));
}

HRESULT WINAPI WHvUnmapVpciDeviceInterrupt(WHV_PARTITION_HANDLE handle, UINT64 id, UINT32 index) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  if (!device || index != 1) END(E_INVALIDARG);
  device->processor_count = 0;
  END(S_OK);
}

HRESULT WINAPI WHvRetargetVpciDeviceInterrupt(WHV_PARTITION_HANDLE handle, UINT64 id, UINT64 address, UINT32 data, const WHV_VPCI_INTERRUPT_TARGET *where) {
  BEGIN
  if ((address & ~0xffull) != MSI_ADDRESS || !(data >> 31)) { VIOLATION("the message is 0x%llx, 0x%x", address, data); END(E_INVALIDARG); }
  END(target(device_of(__func__, handle, id), where));
}

HRESULT WINAPI WHvRequestVpciDeviceInterrupt(WHV_PARTITION_HANDLE handle, UINT64 id, UINT64 address, UINT32 data) {
  BEGIN
  if ((address & ~0xffull) != MSI_ADDRESS || !(data >> 31)) { VIOLATION("the message is 0x%llx, 0x%x", address, data); END(E_INVALIDARG); }
  END(device_of(__func__, handle, id) ? S_OK : E_INVALIDARG);
}

HRESULT WINAPI WHvGetVpciDeviceInterruptTarget(WHV_PARTITION_HANDLE handle, UINT64 id, UINT32 index, UINT32 message, WHV_VPCI_INTERRUPT_TARGET *where, UINT32 size, UINT32 *written) {
  BEGIN
  Device *device = device_of(__func__, handle, id);
  UINT32 words[3 + 8];
  if (!device || index != 1 || message != 0) END(E_INVALIDARG);
  words[0] = device->vector;
  words[1] = device->processor_count > 1;
  words[2] = device->processor_count;
  memcpy(words + 3, device->processors, device->processor_count * 4);
  END(copy_out(__func__, words, 12 + device->processor_count * 4, where, size, written));
}
