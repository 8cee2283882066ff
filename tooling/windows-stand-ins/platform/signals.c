/* Doorbells, notification ports and triggers: what they match, and the events that go with them. */
#include "stand-in.h"
#include <string.h>

static UINT64 last_key = 0xfee1000000000000ull;

static Signal *free_signal(Partition *partition) {
  for (int i = 0; i < MAX_SIGNALS; i++) if (!partition->signals[i].kind) return &partition->signals[i];
  return NULL;
}

static Signal *signal_of(Partition *partition, int kind, UINT64 key) {
  for (int i = 0; i < MAX_SIGNALS; i++) {
    Signal *signal = &partition->signals[i];
    if (signal->kind == kind && signal->key == key) return signal;
  }
  return NULL;
}

static Signal *add_signal(Partition *partition, int kind, const void *match, size_t size, HANDLE event) {
  Signal *signal = free_signal(partition);
  if (!signal) return NULL;
  signal->kind = kind;
  signal->key = last_key += 0x10;
  memset(signal->match, 0, sizeof signal->match);
  memcpy(signal->match, match, size);
  signal->event = event;
  counted(kind, 1);
  return signal;
}

static void remove_signal(Signal *signal) {
  counted(signal->kind, -1);
  if (signal->kind == COUNT_TRIGGERS) CloseHandle(signal->event);
  memset(signal, 0, sizeof *signal);
}

static int is_event(HANDLE handle) {
  DWORD flags;
  return GetHandleInformation(handle, &flags) != 0;
}

static void release_device(Partition *partition) {
  if (!partition->device.live) return;
  if (partition->device.mapped) counted(COUNT_MMIO, -1);
  counted(COUNT_DEVICES, -1);
  memset(&partition->device, 0, sizeof partition->device);
}

/* What a host should have taken back itself is a violation. */
void release_signals(Partition *partition) {
  for (int i = 0; i < MAX_SIGNALS; i++) {
    if (!partition->signals[i].kind) continue;
    violation("WHvDeletePartition", "a doorbell, notification port or trigger is left");
    remove_signal(&partition->signals[i]);
  }
  if (partition->device.live) violation("WHvDeletePartition", "a device is left");
  release_device(partition);
}

HRESULT WINAPI WHvRegisterPartitionDoorbellEvent(WHV_PARTITION_HANDLE handle, const WHV_DOORBELL_MATCH_DATA *match, HANDLE event) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (match->Reserved) VIOLATION("reserved bits are set");
  if (!is_event(event)) { VIOLATION("%p is no event", event); END(E_INVALIDARG); }
  if (match->MatchOnLength && match->Length != 1 && match->Length != 2 && match->Length != 4 && match->Length != 8) END(E_INVALIDARG);
  END(add_signal(partition, COUNT_DOORBELLS, match, sizeof *match, event) ? S_OK : E_OUTOFMEMORY);
}

HRESULT WINAPI WHvUnregisterPartitionDoorbellEvent(WHV_PARTITION_HANDLE handle, const WHV_DOORBELL_MATCH_DATA *match) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  for (int i = 0; i < MAX_SIGNALS; i++) {
    Signal *signal = &partition->signals[i];
    if (signal->kind != COUNT_DOORBELLS || memcmp(signal->match, match, sizeof *match)) continue;
    remove_signal(signal);
    END(S_OK);
  }
  END(E_INVALIDARG);
}

HRESULT WINAPI WHvCreateNotificationPort(WHV_PARTITION_HANDLE handle, const WHV_NOTIFICATION_PORT_PARAMETERS *parameters, HANDLE event, WHV_NOTIFICATION_PORT_HANDLE *port) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (parameters->Reserved) VIOLATION("the reserved field is 0x%x", parameters->Reserved);
  if (!is_event(event)) { VIOLATION("%p is no event", event); END(E_INVALIDARG); }
  if (parameters->NotificationPortType != WHvNotificationPortTypeDoorbell && parameters->NotificationPortType != WHvNotificationPortTypeEvent) END(E_INVALIDARG);
  Signal *signal = add_signal(partition, COUNT_PORTS, &parameters->Doorbell, sizeof parameters->Doorbell, event);
  if (!signal) END(E_OUTOFMEMORY);
  *port = (WHV_NOTIFICATION_PORT_HANDLE)signal->key;
  END(S_OK);
}

HRESULT WINAPI WHvSetNotificationPortProperty(WHV_PARTITION_HANDLE handle, WHV_NOTIFICATION_PORT_HANDLE port, WHV_NOTIFICATION_PORT_PROPERTY_CODE code, WHV_NOTIFICATION_PORT_PROPERTY value) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  Signal *signal = partition ? signal_of(partition, COUNT_PORTS, (UINT64)port) : NULL;
  if (!signal) { VIOLATION("%p is no notification port", port); END(E_INVALIDARG); }
  if (code != WHvNotificationPortPropertyPreferredTargetVp && code != WHvNotificationPortPropertyPreferredTargetDuration) END(E_WHV_UNKNOWN_PROPERTY);
  if (code == WHvNotificationPortPropertyPreferredTargetVp && value != 0xffffffffffffffffull && value >= MAX_PROCESSORS) END(E_INVALIDARG);
  signal->property = value;
  END(S_OK);
}

HRESULT WINAPI WHvDeleteNotificationPort(WHV_PARTITION_HANDLE handle, WHV_NOTIFICATION_PORT_HANDLE port) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  Signal *signal = partition ? signal_of(partition, COUNT_PORTS, (UINT64)port) : NULL;
  if (!signal) { VIOLATION("%p is no notification port", port); END(E_INVALIDARG); }
  remove_signal(signal);
  END(S_OK);
}

HRESULT WINAPI WHvCreateTrigger(WHV_PARTITION_HANDLE handle, const WHV_TRIGGER_PARAMETERS *parameters, WHV_TRIGGER_HANDLE *trigger, HANDLE *event) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  if (parameters->Reserved) VIOLATION("the reserved field is 0x%x", parameters->Reserved);
  if ((UINT32)parameters->TriggerType > WHvTriggerTypeDeviceInterrupt) END(E_INVALIDARG);
  HANDLE own = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(), event, 0, FALSE, DUPLICATE_SAME_ACCESS)) END(E_FAIL);
  Signal *signal = add_signal(partition, COUNT_TRIGGERS, &parameters->Interrupt, sizeof(WHV_TRIGGER_PARAMETERS) - 8, own);
  if (!signal) { CloseHandle(own); END(E_OUTOFMEMORY); }
  *trigger = (WHV_TRIGGER_HANDLE)signal->key;
  END(S_OK);
}

HRESULT WINAPI WHvUpdateTriggerParameters(WHV_PARTITION_HANDLE handle, const WHV_TRIGGER_PARAMETERS *parameters, WHV_TRIGGER_HANDLE trigger) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  Signal *signal = partition ? signal_of(partition, COUNT_TRIGGERS, (UINT64)trigger) : NULL;
  if (!signal) { VIOLATION("%p is no trigger", trigger); END(E_INVALIDARG); }
  if (parameters->Reserved) VIOLATION("the reserved field is 0x%x", parameters->Reserved);
  memcpy(signal->match, &parameters->Interrupt, sizeof(WHV_TRIGGER_PARAMETERS) - 8);
  END(S_OK);
}

HRESULT WINAPI WHvDeleteTrigger(WHV_PARTITION_HANDLE handle, WHV_TRIGGER_HANDLE trigger) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  Signal *signal = partition ? signal_of(partition, COUNT_TRIGGERS, (UINT64)trigger) : NULL;
  if (!signal) { VIOLATION("%p is no trigger", trigger); END(E_INVALIDARG); }
  remove_signal(signal);
  END(S_OK);
}
