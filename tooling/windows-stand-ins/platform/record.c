/* The record: which functions were called how often, what the host did wrong, what it has not given back; and the test's
 * side of the DLL (StandIn…), by which it reads the record, makes functions fail and scripts exits. */
#include "stand-in.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FUNCTIONS = 128, REPORT = 1 << 16 };

CRITICAL_SECTION lock;
static struct { char name[64]; UINT32 calls, fail_at; HRESULT failure; } functions[MAX_FUNCTIONS];
static UINT32 function_count;
static char violations[REPORT];
static int counts[COUNTS];

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
  (void)instance; (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) InitializeCriticalSection(&lock);
  return TRUE;
}

static UINT32 function_at(const char *name) {
  UINT32 at = 0;
  while (at < function_count && strcmp(functions[at].name, name)) at++;
  if (at == function_count && at < MAX_FUNCTIONS) {
    snprintf(functions[at].name, sizeof functions[at].name, "%s", name);
    function_count++;
  }
  return at;
}

int called(const char *function, HRESULT *failure) {
  int fails;
  EnterCriticalSection(&lock);
  UINT32 at = function_at(function);
  functions[at].calls++;
  fails = functions[at].fail_at > 0 && --functions[at].fail_at == 0;
  *failure = functions[at].failure;
  LeaveCriticalSection(&lock);
  return fails;
}

void violation(const char *function, const char *format, ...) {
  size_t used = strlen(violations);
  va_list arguments;
  va_start(arguments, format);
  int added = snprintf(violations + used, REPORT - used, "%s: ", function);
  used += added > 0 && (size_t)added < REPORT - used ? (size_t)added : 0;
  vsnprintf(violations + used, REPORT - used - 1, format, arguments);
  va_end(arguments);
  strcat(violations, "\n");
}

void counted(int what, int change) { counts[what] += change; }

static UINT32 give(const char *text, char *buffer, UINT32 capacity) {
  UINT32 length = (UINT32)strlen(text);
  if (length >= capacity) length = capacity - 1;
  memcpy(buffer, text, length);
  buffer[length] = 0;
  return length;
}

/* One line for each violation since the last time. */
UINT32 WINAPI StandInTakeViolations(char *buffer, UINT32 capacity) {
  EnterCriticalSection(&lock);
  UINT32 length = give(violations, buffer, capacity);
  violations[0] = 0;
  LeaveCriticalSection(&lock);
  return length;
}

/* One line for each function that was called since the last time: name=calls. */
UINT32 WINAPI StandInTakeCalls(char *buffer, UINT32 capacity) {
  static char report[REPORT];
  size_t used = 0;
  EnterCriticalSection(&lock);
  report[0] = 0;
  for (UINT32 i = 0; i < function_count; i++) {
    if (functions[i].calls) used += (size_t)snprintf(report + used, REPORT - used, "%s=%u\n", functions[i].name, functions[i].calls);
    functions[i].calls = 0;
  }
  UINT32 length = give(report, buffer, capacity);
  LeaveCriticalSection(&lock);
  return length;
}

/* The at-th next call of a function (1 is the next one) answers `failure` and does nothing. */
void WINAPI StandInFail(const char *function, UINT32 at, HRESULT failure) {
  EnterCriticalSection(&lock);
  UINT32 i = function_at(function);
  functions[i].fail_at = at;
  functions[i].failure = failure;
  LeaveCriticalSection(&lock);
}

/* Whether a hypervisor is there: not where Windows was started without one. */
int hypervisor_hidden;
void WINAPI StandInHideHypervisor(int hide) { hypervisor_hidden = hide; }

int WINAPI StandInCount(int what) { return what >= 0 && what < COUNTS ? counts[what] : -1; }

/* The next run of the processor ends in this exit, after those queued before. A reason of 0xffffffff waits for a cancel. */
HRESULT WINAPI StandInQueueExit(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_RUN_VP_EXIT_CONTEXT *exit) {
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  Processor *processor = partition ? processor_of(__func__, partition, index) : NULL;
  int fits = processor && processor->exits_left < MAX_EXITS;
  if (fits) processor->exits[(processor->first_exit + processor->exits_left++) % MAX_EXITS] = *exit;
  LeaveCriticalSection(&lock);
  return fits ? S_OK : E_INVALIDARG;
}

/* The guest has written to this page; where `event` signals on such writes, it is set. */
HRESULT WINAPI StandInGuestWrites(WHV_PARTITION_HANDLE handle, UINT64 gpa) {
  HRESULT result = E_INVALIDARG;
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  for (int i = 0; partition && i < MAX_RANGES; i++) {
    Range *range = &partition->ranges[i];
    if (range->source && gpa >= range->gpa && gpa < range->gpa + range->size && range->dirty) {
      range->dirty[(gpa - range->gpa) / PAGE] = 1;
      result = S_OK;
    }
  }
  for (int i = 0; partition && i < MAX_SIGNALS; i++) {
    Signal *signal = &partition->signals[i];
    if (signal->kind && signal->kind != COUNT_TRIGGERS && *(UINT64 *)signal->match == gpa) { SetEvent(signal->event); result = S_OK; }
  }
  if (partition && partition->device.live && partition->device.notification && gpa == partition->device.id) {
    partition->device.notified = 1;
    SetEvent(partition->device.notification);
    result = S_OK;
  }
  LeaveCriticalSection(&lock);
  return result;
}

/* What the last WHvRequestInterrupt carried. */
HRESULT WINAPI StandInLastInterrupt(WHV_PARTITION_HANDLE handle, WHV_INTERRUPT_CONTROL *out) {
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  if (partition) *out = partition->last_interrupt;
  LeaveCriticalSection(&lock);
  return partition ? S_OK : E_INVALIDARG;
}

/* Whether a trigger's event is set; takes the signal. */
int WINAPI StandInTriggerSignalled(WHV_PARTITION_HANDLE handle) {
  int signalled = 0;
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  for (int i = 0; partition && i < MAX_SIGNALS; i++)
    if (partition->signals[i].kind == COUNT_TRIGGERS) signalled |= WaitForSingleObject(partition->signals[i].event, 0) == WAIT_OBJECT_0;
  LeaveCriticalSection(&lock);
  return signalled;
}

/* The registers of a processor, also while it runs: for who serves the run. */
HRESULT WINAPI StandInRegisters(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names, UINT32 count, WHV_REGISTER_VALUE *values, int write) {
  HRESULT result = E_INVALIDARG;
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  Processor *processor = partition ? processor_of(__func__, partition, index) : NULL;
  for (UINT32 i = 0; processor && i < count; i++) {
    WHV_REGISTER_VALUE *slot = register_slot(processor, names[i]);
    if (slot && write) *slot = values[i];
    else if (slot) values[i] = *slot;
    result = S_OK;
  }
  LeaveCriticalSection(&lock);
  return result;
}

/* Address, size, memory and flags of each range; answers how many there are. */
UINT32 WINAPI StandInRanges(WHV_PARTITION_HANDLE handle, UINT64 out[MAX_RANGES][4]) {
  UINT32 count = 0;
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  for (int i = 0; partition && i < MAX_RANGES; i++) {
    const Range *range = &partition->ranges[i];
    if (!range->source) continue;
    const UINT64 words[4] = {range->gpa, range->size, (UINT64)range->source, range->flags};
    memcpy(out[count++], words, sizeof words);
  }
  LeaveCriticalSection(&lock);
  return count;
}

UINT64 WINAPI StandInProperty(WHV_PARTITION_HANDLE handle, UINT32 code) {
  EnterCriticalSection(&lock);
  Partition *partition = partition_of(__func__, handle);
  UINT64 value = partition ? property_value(partition, code) : 0;
  LeaveCriticalSection(&lock);
  return value;
}
