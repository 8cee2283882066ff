/* A stand-in for WinHvEmulation.dll. It is no emulator, unless a program serves one (StandInServe): it makes the documented callbacks, in the order and with the
 * arguments that the contexts call for, checks what it is given and what comes back, and answers the documented status.
 *
 * TryIo:   get registers; for a string instruction translate and read or write memory; the port; set registers.
 * TryMmio: get registers; translate; one memory access, or two where it crosses a page, or a read and a write; set
 * registers. */
#include <windows.h>
#include <winhvemulation.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EMULATORS = 256, REPORT = 1 << 14, PAGE = 4096, MAX_REGISTERS = 1200 };
/* Not an address, and with bit 63 set. */
#define HANDLE_TAG 0xfeedc0de00000000ull

static struct { int live; WHV_EMULATOR_CALLBACKS callbacks; } emulators[MAX_EMULATORS];
static UINT32 last_emulator;
static int live_emulators;
static char violations[REPORT];

/* What the test wants done otherwise. */
typedef struct {
  UINT32 registers;     /* how many to get and set: 0 for the three that are needed */
  UINT32 access_size;   /* of memory; 0 for what the instruction says: 1 byte for MOV between AL and an offset, else 4 */
  UINT32 wrong_context; /* callbacks get another Context */
  UINT32 null_access;   /* the port callback gets no access */
  HRESULT answer;       /* what TryIo and TryMmio answer instead of S_OK, before any callback */
  UINT32 forced_status; /* likewise, with S_OK */
  UINT32 port_size;     /* of the port access; 0 for what the context says */
  UINT32 modify;        /* TryMmio reads, adds 1 and writes, with one translation: read-modify-write */
} Plan;
static Plan plan;

/* What came back from the callbacks. */
typedef struct { UINT64 gpa; UINT32 result_code, data; UINT8 memory[16]; UINT64 first_low, first_high, last_low, last_high; } Answers;
static Answers answers;

static void violation(const char *function, const char *format, ...) {
  size_t used = strlen(violations);
  va_list arguments;
  used += (size_t)snprintf(violations + used, REPORT - used, "%s: ", function);
  va_start(arguments, format);
  if (used < REPORT - 1) used += (size_t)vsnprintf(violations + used, REPORT - used - 1, format, arguments);
  va_end(arguments);
  if (used < REPORT - 1) strcat(violations, "\n");
}

UINT32 WINAPI StandInTakeViolations(char *buffer, UINT32 capacity) {
  UINT32 length = (UINT32)strlen(violations);
  if (length >= capacity) length = capacity - 1;
  memcpy(buffer, violations, length);
  buffer[length] = 0;
  violations[0] = 0;
  return length;
}
void WINAPI StandInPlan(const Plan *next) { plan = *next; }
void WINAPI StandInAnswers(Answers *out) { *out = answers; }
int WINAPI StandInCount(void) { return live_emulators; }

/* Who carries emulations out instead, 0 for TryIo and 1 for TryMmio; NULL for the callbacks of this file. */
typedef HRESULT (WINAPI *Server)(UINT32 kind, const WHV_EMULATOR_CALLBACKS *callbacks, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const void *access, WHV_EMULATOR_STATUS *status);
static Server server;
void WINAPI StandInServe(Server next) { server = next; }

static WHV_EMULATOR_CALLBACKS *callbacks_of(const char *function, WHV_EMULATOR_HANDLE handle) {
  UINT64 slot = (UINT64)handle - HANDLE_TAG;
  if (slot < MAX_EMULATORS && emulators[slot].live) return &emulators[slot].callbacks;
  violation(function, "%p is no emulator", handle);
  return NULL;
}

HRESULT WINAPI WHvEmulatorCreateEmulator(const WHV_EMULATOR_CALLBACKS *callbacks, WHV_EMULATOR_HANDLE *emulator) {
  if (!callbacks || callbacks->Size != sizeof *callbacks || callbacks->Reserved) { violation(__func__, "Size or Reserved of the callbacks"); return E_INVALIDARG; }
  if (!callbacks->WHvEmulatorIoPortCallback || !callbacks->WHvEmulatorMemoryCallback || !callbacks->WHvEmulatorGetVirtualProcessorRegisters || !callbacks->WHvEmulatorSetVirtualProcessorRegisters || !callbacks->WHvEmulatorTranslateGvaPage) return E_INVALIDARG;
  for (UINT32 tried = 0; tried < MAX_EMULATORS; tried++) {
    UINT32 slot = ++last_emulator % MAX_EMULATORS;
    if (emulators[slot].live) continue;
    emulators[slot].live = 1;
    emulators[slot].callbacks = *callbacks;
    live_emulators++;
    *emulator = (WHV_EMULATOR_HANDLE)(HANDLE_TAG + slot);
    return S_OK;
  }
  return E_OUTOFMEMORY;
}

HRESULT WINAPI WHvEmulatorDestroyEmulator(WHV_EMULATOR_HANDLE emulator) {
  if (!callbacks_of(__func__, emulator)) return E_INVALIDARG;
  emulators[(UINT64)emulator - HANDLE_TAG].live = 0;
  live_emulators--;
  return S_OK;
}

typedef struct {
  const WHV_EMULATOR_CALLBACKS *callbacks;
  void *context;
  WHV_EMULATOR_STATUS *status;
  WHV_REGISTER_NAME names[MAX_REGISTERS];
  WHV_REGISTER_VALUE values[MAX_REGISTERS];
  UINT32 registers;
} Emulation;

static int get(Emulation *emulation, WHV_REGISTER_NAME third) {
  emulation->registers = plan.registers ? plan.registers : 4;
  for (UINT32 i = 0; i < emulation->registers; i++) emulation->names[i] = (WHV_REGISTER_NAME)(i % 0x28);
  emulation->names[0] = WHvX64RegisterRax;
  emulation->names[1] = WHvX64RegisterRip;
  if (emulation->registers > 2) emulation->names[2] = third;
  if (emulation->registers > 3) emulation->names[3] = WHvX64RegisterXmm0;
  memset(emulation->values, 0xcc, sizeof emulation->values);
  if (emulation->callbacks->WHvEmulatorGetVirtualProcessorRegisters(emulation->context, emulation->names, emulation->registers, emulation->values)) {
    emulation->status->GetVirtualProcessorRegistersCallbackFailed = 1;
    return 0;
  }
  WHV_REGISTER_VALUE *last = &emulation->values[emulation->registers - 1];
  answers.first_low = emulation->values[0].Reg128.Low64;
  answers.first_high = emulation->values[0].Reg128.High64;
  answers.last_low = last->Reg128.Low64;
  answers.last_high = last->Reg128.High64;
  return 1;
}

static int set(Emulation *emulation) {
  if (emulation->callbacks->WHvEmulatorSetVirtualProcessorRegisters(emulation->context, emulation->names, emulation->registers, emulation->values)) {
    emulation->status->SetVirtualProcessorRegistersCallbackFailed = 1;
    return 0;
  }
  emulation->status->EmulationSuccessful = 1;
  return 1;
}

static int translate(Emulation *emulation, UINT64 gva, UINT32 flags, UINT64 *gpa) {
  WHV_TRANSLATE_GVA_RESULT_CODE code = (WHV_TRANSLATE_GVA_RESULT_CODE)-1;
  *gpa = 0x5555555555555555ull;
  if (emulation->callbacks->WHvEmulatorTranslateGvaPage(emulation->context, gva & ~(UINT64)(PAGE - 1), (WHV_TRANSLATE_GVA_FLAGS)flags, &code, gpa)) {
    emulation->status->TranslateGvaPageCallbackFailed = 1;
    return 0;
  }
  answers.gpa = *gpa;
  answers.result_code = code;
  if (code != WHvTranslateGvaResultSuccess) { emulation->status->InternalEmulationFailure = 1; return 0; }
  if (*gpa % PAGE) { emulation->status->TranslateGvaPageCallbackGpaIsNotAligned = 1; return 0; }
  *gpa |= gva % PAGE;
  return 1;
}

/* ADD DWORD [gva], 1 on an aligned address. */
static int modify(Emulation *emulation, UINT64 gva) {
  WHV_EMULATOR_MEMORY_ACCESS_INFO access;
  memset(&access, 0, sizeof access);
  if (!translate(emulation, gva, WHvTranslateGvaFlagValidateRead | WHvTranslateGvaFlagValidateWrite, &access.GpaAddress)) return 0;
  access.AccessSize = 4;
  for (access.Direction = 0; access.Direction < 2; access.Direction++) {
    if (access.Direction) ++*(UINT32 *)(void *)access.Data;
    if (emulation->callbacks->WHvEmulatorMemoryCallback(emulation->context, &access)) { emulation->status->MemoryCallbackFailed = 1; return 0; }
  }
  return 1;
}

/* One access of up to 8 bytes, split where it crosses a page. */
static int memory(Emulation *emulation, UINT64 gva, UINT8 direction, UINT8 size, UINT8 *data) {
  UINT32 flags = direction ? WHvTranslateGvaFlagValidateRead | WHvTranslateGvaFlagValidateWrite : WHvTranslateGvaFlagValidateRead;
  UINT8 first = gva % PAGE + size > PAGE ? (UINT8)(PAGE - gva % PAGE) : size;
  for (UINT8 done = 0, part = first; done < size; done += part, part = size - done) {
    WHV_EMULATOR_MEMORY_ACCESS_INFO access;
    memset(&access, 0, sizeof access);
    if (!translate(emulation, gva + done, flags, &access.GpaAddress)) return 0;
    access.Direction = direction;
    access.AccessSize = plan.access_size ? (UINT8)plan.access_size : part;
    memset(access.Data, 0xaa, sizeof access.Data);
    if (direction) memcpy(access.Data, data + done, part);
    if (emulation->callbacks->WHvEmulatorMemoryCallback(emulation->context, &access)) { emulation->status->MemoryCallbackFailed = 1; return 0; }
    for (int i = access.AccessSize; i < 8; i++) if (access.Data[i] != 0xaa) violation(__func__, "byte %d behind an access of %u bytes was written", i, access.AccessSize);
    if (!direction) memcpy(data + done, access.Data, part);
  }
  memcpy(answers.memory, data, size);
  return 1;
}

/* What both entry points check and answer before any callback. */
static int begin(const char *function, WHV_EMULATOR_HANDLE emulator, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const UINT8 *bytes, UINT8 reserved, WHV_EMULATOR_STATUS *status, Emulation *emulation, HRESULT *answer) {
  emulation->callbacks = callbacks_of(function, emulator);
  emulation->context = plan.wrong_context ? (UINT8 *)context + 1 : context;
  emulation->status = status;
  *answer = E_INVALIDARG;
  if (!emulation->callbacks || !vp || !bytes || !status) return 0;
  if ((UINT64)vp % 8 || (UINT64)bytes % 8 || (UINT64)status % 4) violation(function, "contexts at %p, %p and %p", vp, bytes, status);
  if (vp->Reserved || vp->Reserved2 || reserved) violation(function, "reserved fields are set");
  if (bytes[0] > 16) return 0;
  *answer = plan.answer;
  status->AsUINT32 = plan.forced_status;
  return plan.answer == S_OK && plan.forced_status == 0;
}

HRESULT WINAPI WHvEmulatorTryIoEmulation(WHV_EMULATOR_HANDLE emulator, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const WHV_X64_IO_PORT_ACCESS_CONTEXT *io, WHV_EMULATOR_STATUS *status) {
  static Emulation pool[4];
  static int depth;
  HRESULT answer;
  Emulation *emulation = &pool[depth];
  UINT8 reserved = (UINT8)(io ? io->Reserved[0] | io->Reserved[1] | io->Reserved[2] | io->Reserved2[0] | io->Reserved2[1] | io->Reserved2[2] : 0);
  if (!begin(__func__, emulator, context, vp, (const UINT8 *)io, reserved, status, emulation, &answer)) return answer;
  if (server) return server(0, emulation->callbacks, emulation->context, vp, io, status);
  if (depth == 3) return E_FAIL;
  depth++;
  UINT8 write = io->AccessInfo.IsWrite, string = io->AccessInfo.StringOp, data[8] = {0};
  UINT16 size = plan.port_size ? (UINT16)plan.port_size : io->AccessInfo.AccessSize;
  WHV_EMULATOR_IO_ACCESS_INFO access = {write, io->PortNumber, size, (UINT32)io->Rax};
  int done = get(emulation, write ? WHvX64RegisterRsi : WHvX64RegisterRdi);
  if (done && string && write) {
    done = memory(emulation, io->Rsi, 0, (UINT8)size, data);
    memcpy(&access.Data, data, size);
  }
  if (done && emulation->callbacks->WHvEmulatorIoPortCallback(emulation->context, plan.null_access ? NULL : &access)) { status->IoPortCallbackFailed = 1; done = 0; }
  answers.data = access.Data;
  memcpy(data, &access.Data, 4);
  if (done && string && !write) done = memory(emulation, io->Rdi, 1, (UINT8)size, data);
  if (done) {
    if (string) emulation->values[2].Reg64 += size;
    else if (!write) memcpy(&emulation->values[0], &access.Data, size);
    emulation->values[1].Reg64 = vp->Rip + vp->InstructionLength;
    set(emulation);
  }
  depth--;
  return S_OK;
}

HRESULT WINAPI WHvEmulatorTryMmioEmulation(WHV_EMULATOR_HANDLE emulator, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const WHV_MEMORY_ACCESS_CONTEXT *mmio, WHV_EMULATOR_STATUS *status) {
  static Emulation emulation;
  HRESULT answer;
  UINT8 data[16] = {0}, reserved = (UINT8)(mmio ? mmio->Reserved[0] | mmio->Reserved[1] | mmio->Reserved[2] : 0);
  if (!begin(__func__, emulator, context, vp, (const UINT8 *)mmio, reserved, status, &emulation, &answer)) return answer;
  if (server) return server(1, emulation.callbacks, emulation.context, vp, mmio, status);
  UINT8 write = mmio->AccessInfo.AccessType == WHvMemoryAccessWrite;
  UINT8 opcode = mmio->InstructionByteCount ? mmio->InstructionBytes[0] : 0, size = opcode == 0xa0 || opcode == 0xa2 ? 1 : 4;
  if (!get(&emulation, WHvX64RegisterRflags)) return S_OK;
  memcpy(data, &emulation.values[0], 8);
  if (plan.modify) {
    emulation.values[1].Reg64 = vp->Rip + vp->InstructionLength;
    if (modify(&emulation, mmio->Gva)) set(&emulation);
    return S_OK;
  }
  if (!memory(&emulation, mmio->Gva, write, size, data)) return S_OK;
  if (!write) memcpy(&emulation.values[0].Reg64, data, 8);
  emulation.values[1].Reg64 = vp->Rip + vp->InstructionLength;
  set(&emulation);
  return S_OK;
}
