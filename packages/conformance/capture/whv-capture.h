/* whv-capture.h: writes an emulation of a Windows Hypervisor Platform host as one line of JSON, in the case format of
 * whvkit (https://github.com/whvkit/whvkit), so that `whv explain` can tell what went wrong and `whv emulate` can replay it.
 * MIT licence. One header in C99, no library.
 *
 *   WHV_CAPTURE capture;                                      // one for each virtual processor
 *   WhvCaptureBegin(&capture, &callbacks);                    // callbacks: the host's own
 *   WHvEmulatorCreateEmulator(&capture.Callbacks, &emulator); // capture's instead of the host's
 *   ...
 *   hr = WhvCaptureTryMmioEmulation(&capture, emulator, context, &exit.VpContext, &exit.MemoryAccess, &status);
 *   if (hr != S_OK || !status.EmulationSuccessful) WhvCaptureWrite(&capture, file);
 *   ...
 *   WhvCaptureEnd(&capture);
 *
 * The host's callbacks are called as before, with the host's context. Written are: both exit contexts, what the callbacks
 * answered (registers, memory, ports, translations), and which of them failed first. Registers that the emulator had not
 * asked for are asked for when the line is written, as long as the emulation has changed none: a replay needs them.
 * A line holds guest memory and registers: read it before you send it to somebody. */
#ifndef WHV_CAPTURE_H
#define WHV_CAPTURE_H

#include <windows.h>
#include <winhvplatform.h>
#include <winhvemulation.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  WHV_CAPTURE_MAX_REGISTERS = 192,
  WHV_CAPTURE_MAX_TRANSLATIONS = 512,
  /* Bytes of text: twice as many characters as bytes that device memory gave, for instance. */
  WHV_CAPTURE_MAX_TEXT = 1 << 22
};

/* A text that grows; it stays as it is when there is no memory left, and says so. */
typedef struct {
  char *Text;
  size_t Length, Room;
  BOOL Incomplete;
} WHV_CAPTURE_TEXT;

typedef struct {
  /* To be given to WHvEmulatorCreateEmulator. */
  WHV_EMULATOR_CALLBACKS Callbacks;
  /* What a line could not hold of the last emulation: too many registers or translations, too much memory. */
  BOOL Incomplete;
  /* Emulations so far; the `id` of a line. */
  UINT32 Emulations;

  /* The rest is the capture's own. */
  WHV_EMULATOR_CALLBACKS Host;
  VOID *HostContext;
  BOOL IsIo, RegistersWereSet;
  WHV_VP_EXIT_CONTEXT Vp;
  WHV_MEMORY_ACCESS_CONTEXT Mmio;
  WHV_X64_IO_PORT_ACCESS_CONTEXT Io;
  WHV_REGISTER_NAME Names[WHV_CAPTURE_MAX_REGISTERS];
  WHV_REGISTER_VALUE Values[WHV_CAPTURE_MAX_REGISTERS];
  UINT32 RegisterCount;
  struct { UINT64 Gva, Gpa; UINT32 Result; } Translations[WHV_CAPTURE_MAX_TRANSLATIONS];
  UINT32 TranslationCount;
  WHV_CAPTURE_TEXT DeviceReads, PortReads;
  UINT32 Calls[5];
  int FailedCallback; /* -1 for none */
  UINT32 FailedAt;
  HRESULT FailedWith;
} WHV_CAPTURE;

enum { WHV_CAPTURE_MEMORY, WHV_CAPTURE_IO_PORT, WHV_CAPTURE_GET, WHV_CAPTURE_SET, WHV_CAPTURE_TRANSLATE };

static void WhvCapturePrint(WHV_CAPTURE_TEXT *text, const char *format, ...) {
  char piece[512];
  va_list arguments;
  int length;
  va_start(arguments, format);
  length = vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof piece) { text->Incomplete = TRUE; return; }
  if (text->Length + (size_t)length + 1 > text->Room) {
    size_t room = text->Room ? text->Room * 2 : 1024;
    char *grown = room > WHV_CAPTURE_MAX_TEXT ? NULL : (char *)realloc(text->Text, room);
    if (!grown) { text->Incomplete = TRUE; return; }
    text->Text = grown;
    text->Room = room;
  }
  memcpy(text->Text + text->Length, piece, (size_t)length + 1);
  text->Length += (size_t)length;
}

static void WhvCaptureHex(WHV_CAPTURE_TEXT *text, const UINT8 *bytes, UINT32 count) {
  for (UINT32 i = 0; i < count; i++) WhvCapturePrint(text, "%02x", bytes[i]);
}

/* Counts a call, and keeps the first that failed. */
static HRESULT WhvCaptureCalled(WHV_CAPTURE *capture, int callback, HRESULT hresult) {
  UINT32 at = capture->Calls[callback]++;
  if (hresult != S_OK && capture->FailedCallback < 0) {
    capture->FailedCallback = callback;
    capture->FailedAt = at;
    capture->FailedWith = hresult;
  }
  return hresult;
}

static void WhvCaptureRegister(WHV_CAPTURE *capture, WHV_REGISTER_NAME name, const WHV_REGISTER_VALUE *value) {
  UINT32 at = 0;
  while (at < capture->RegisterCount && capture->Names[at] != name) at++;
  if (at == WHV_CAPTURE_MAX_REGISTERS) { capture->Incomplete = TRUE; return; }
  if (at == capture->RegisterCount) capture->RegisterCount++;
  capture->Names[at] = name;
  capture->Values[at] = *value;
}

static HRESULT CALLBACK WhvCaptureIoPort(VOID *context, WHV_EMULATOR_IO_ACCESS_INFO *access) {
  WHV_CAPTURE *capture = (WHV_CAPTURE *)context;
  HRESULT hresult = capture->Host.WHvEmulatorIoPortCallback(capture->HostContext, access);
  if (hresult == S_OK && access->Direction == 0) {
    UINT32 mask = access->AccessSize >= 4 ? 0xffffffffu : (1u << 8 * access->AccessSize) - 1;
    WhvCapturePrint(&capture->PortReads, "%s\"0x%x\"", capture->PortReads.Length ? "," : "", (unsigned)(access->Data & mask));
  }
  return WhvCaptureCalled(capture, WHV_CAPTURE_IO_PORT, hresult);
}

static HRESULT CALLBACK WhvCaptureMemory(VOID *context, WHV_EMULATOR_MEMORY_ACCESS_INFO *access) {
  WHV_CAPTURE *capture = (WHV_CAPTURE *)context;
  HRESULT hresult = capture->Host.WHvEmulatorMemoryCallback(capture->HostContext, access);
  if (hresult == S_OK && access->Direction == 0) WhvCaptureHex(&capture->DeviceReads, access->Data, access->AccessSize > 8 ? 8 : access->AccessSize);
  return WhvCaptureCalled(capture, WHV_CAPTURE_MEMORY, hresult);
}

static HRESULT CALLBACK WhvCaptureGet(VOID *context, const WHV_REGISTER_NAME *names, UINT32 count, WHV_REGISTER_VALUE *values) {
  WHV_CAPTURE *capture = (WHV_CAPTURE *)context;
  HRESULT hresult = capture->Host.WHvEmulatorGetVirtualProcessorRegisters(capture->HostContext, names, count, values);
  if (hresult == S_OK) for (UINT32 i = 0; i < count; i++) WhvCaptureRegister(capture, names[i], &values[i]);
  return WhvCaptureCalled(capture, WHV_CAPTURE_GET, hresult);
}

static HRESULT CALLBACK WhvCaptureSet(VOID *context, const WHV_REGISTER_NAME *names, UINT32 count, const WHV_REGISTER_VALUE *values) {
  WHV_CAPTURE *capture = (WHV_CAPTURE *)context;
  capture->RegistersWereSet = TRUE;
  return WhvCaptureCalled(capture, WHV_CAPTURE_SET, capture->Host.WHvEmulatorSetVirtualProcessorRegisters(capture->HostContext, names, count, values));
}

static HRESULT CALLBACK WhvCaptureTranslate(VOID *context, WHV_GUEST_VIRTUAL_ADDRESS gva, WHV_TRANSLATE_GVA_FLAGS flags, WHV_TRANSLATE_GVA_RESULT_CODE *result, WHV_GUEST_PHYSICAL_ADDRESS *gpa) {
  WHV_CAPTURE *capture = (WHV_CAPTURE *)context;
  HRESULT hresult = capture->Host.WHvEmulatorTranslateGvaPage(capture->HostContext, gva, flags, result, gpa);
  if (hresult == S_OK) {
    UINT32 at = 0;
    while (at < capture->TranslationCount && capture->Translations[at].Gva != gva) at++;
    if (at == WHV_CAPTURE_MAX_TRANSLATIONS) capture->Incomplete = TRUE;
    else {
      if (at == capture->TranslationCount) capture->TranslationCount++;
      capture->Translations[at].Gva = gva;
      capture->Translations[at].Gpa = *gpa;
      capture->Translations[at].Result = (UINT32)*result;
    }
  }
  return WhvCaptureCalled(capture, WHV_CAPTURE_TRANSLATE, hresult);
}

/* Begins with a host's callbacks. `capture` must stay where it is until the emulator is destroyed. */
static void WhvCaptureBegin(WHV_CAPTURE *capture, const WHV_EMULATOR_CALLBACKS *host) {
  memset(capture, 0, sizeof *capture);
  capture->Host = *host;
  capture->FailedCallback = -1;
  capture->Callbacks.Size = sizeof capture->Callbacks;
  capture->Callbacks.WHvEmulatorIoPortCallback = WhvCaptureIoPort;
  capture->Callbacks.WHvEmulatorMemoryCallback = WhvCaptureMemory;
  capture->Callbacks.WHvEmulatorGetVirtualProcessorRegisters = WhvCaptureGet;
  capture->Callbacks.WHvEmulatorSetVirtualProcessorRegisters = WhvCaptureSet;
  capture->Callbacks.WHvEmulatorTranslateGvaPage = WhvCaptureTranslate;
}

static void WhvCaptureEnd(WHV_CAPTURE *capture) {
  free(capture->DeviceReads.Text);
  free(capture->PortReads.Text);
  memset(capture, 0, sizeof *capture);
}

static void WhvCaptureStart(WHV_CAPTURE *capture, VOID *context, const WHV_VP_EXIT_CONTEXT *vp) {
  capture->HostContext = context;
  capture->Emulations++;
  capture->RegisterCount = capture->TranslationCount = 0;
  capture->DeviceReads.Length = capture->PortReads.Length = 0;
  capture->DeviceReads.Incomplete = capture->PortReads.Incomplete = FALSE;
  capture->Incomplete = capture->RegistersWereSet = FALSE;
  memset(capture->Calls, 0, sizeof capture->Calls);
  capture->FailedCallback = -1;
  capture->Vp = *vp;
}

/* As WHvEmulatorTryMmioEmulation, with an emulator that was created with capture->Callbacks. */
static HRESULT WhvCaptureTryMmioEmulation(WHV_CAPTURE *capture, WHV_EMULATOR_HANDLE emulator, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const WHV_MEMORY_ACCESS_CONTEXT *mmio, WHV_EMULATOR_STATUS *status) {
  WhvCaptureStart(capture, context, vp);
  capture->IsIo = FALSE;
  capture->Mmio = *mmio;
  return WHvEmulatorTryMmioEmulation(emulator, capture, vp, mmio, status);
}

/* As WHvEmulatorTryIoEmulation, with an emulator that was created with capture->Callbacks. */
static HRESULT WhvCaptureTryIoEmulation(WHV_CAPTURE *capture, WHV_EMULATOR_HANDLE emulator, VOID *context, const WHV_VP_EXIT_CONTEXT *vp, const WHV_X64_IO_PORT_ACCESS_CONTEXT *io, WHV_EMULATOR_STATUS *status) {
  WhvCaptureStart(capture, context, vp);
  capture->IsIo = TRUE;
  capture->Io = *io;
  return WHvEmulatorTryIoEmulation(emulator, capture, vp, io, status);
}

/* Names of the case format, by WHV_REGISTER_NAME; the values are those of the header, which older ones need not have. */
typedef struct { UINT32 First, Count; const char *Names; } WHV_CAPTURE_NAMES;
static const WHV_CAPTURE_NAMES WhvCaptureNames[] = {
  {0x0, 28, "Rax Rcx Rdx Rbx Rsp Rbp Rsi Rdi R8 R9 R10 R11 R12 R13 R14 R15 Rip Rflags Es Cs Ss Ds Fs Gs Ldtr Tr Idtr Gdtr"},
  {0x1c, 12, "Cr0 Cr2 Cr3 Cr4 Cr8 Dr0 Dr1 Dr2 Dr3 Dr6 Dr7 XCr0"},
  {0x1000, 16, "Xmm0 Xmm1 Xmm2 Xmm3 Xmm4 Xmm5 Xmm6 Xmm7 Xmm8 Xmm9 Xmm10 Xmm11 Xmm12 Xmm13 Xmm14 Xmm15"},
  {0x1010, 10, "FpMmx0 FpMmx1 FpMmx2 FpMmx3 FpMmx4 FpMmx5 FpMmx6 FpMmx7 FpControlStatus XmmControlStatus"},
  {0x2000, 12, "Tsc Efer KernelGsBase ApicBase Pat SysenterCs SysenterEip SysenterEsp Star Lstar Cstar Sfmask"},
  {0x80000000u, 4, "PendingInterruption InterruptState PendingEvent PendingEvent1"},
};

/* The name, in a buffer of the caller's; FALSE for a register that has none here. */
static BOOL WhvCaptureName(UINT32 code, char *name, size_t room) {
  for (size_t i = 0; i < sizeof WhvCaptureNames / sizeof *WhvCaptureNames; i++) {
    const WHV_CAPTURE_NAMES *names = &WhvCaptureNames[i];
    const char *at = names->Names;
    if (code < names->First || code - names->First >= names->Count) continue;
    for (UINT32 skip = code - names->First; skip; skip--) at = strchr(at, ' ') + 1;
    snprintf(name, room, "%.*s", (int)strcspn(at, " "), at);
    return TRUE;
  }
  return FALSE;
}

static void WhvCaptureSegment(WHV_CAPTURE_TEXT *line, const WHV_X64_SEGMENT_REGISTER *segment) {
  WhvCapturePrint(line, "{\"base\":\"0x%llx\",\"limit\":\"0x%x\",\"selector\":%u,\"attributes\":\"0x%x\"}", (unsigned long long)segment->Base, (unsigned)segment->Limit, (unsigned)segment->Selector, (unsigned)segment->Attributes);
}

static void WhvCaptureValue(WHV_CAPTURE_TEXT *line, UINT32 code, const WHV_REGISTER_VALUE *value) {
  const WHV_X64_FP_CONTROL_STATUS_REGISTER *fp = &value->FpControlStatus;
  const WHV_X64_XMM_CONTROL_STATUS_REGISTER *xmm = &value->XmmControlStatus;
  if (code >= 0x12 && code <= 0x19) WhvCaptureSegment(line, &value->Segment);
  else if (code == 0x1a || code == 0x1b) WhvCapturePrint(line, "{\"base\":\"0x%llx\",\"limit\":%u}", (unsigned long long)value->Table.Base, (unsigned)value->Table.Limit);
  else if (code == 0x1018) WhvCapturePrint(line, "{\"fpControl\":%u,\"fpStatus\":%u,\"fpTag\":%u,\"lastFpOp\":%u,\"lastFpRip\":\"0x%llx\"}", (unsigned)fp->FpControl, (unsigned)fp->FpStatus, (unsigned)fp->FpTag, (unsigned)fp->LastFpOp, (unsigned long long)fp->LastFpRip);
  else if (code == 0x1019) WhvCapturePrint(line, "{\"lastFpRdp\":\"0x%llx\",\"xmmStatusControl\":\"0x%x\",\"xmmStatusControlMask\":\"0x%x\"}", (unsigned long long)xmm->LastFpRdp, (unsigned)xmm->XmmStatusControl, (unsigned)xmm->XmmStatusControlMask);
  else if ((code >= 0x1000 && code <= 0x1017) || code == 0x80000002u || code == 0x80000003u) WhvCapturePrint(line, "\"0x%llx%016llx\"", (unsigned long long)value->Reg128.High64, (unsigned long long)value->Reg128.Low64);
  else WhvCapturePrint(line, "\"0x%llx\"", (unsigned long long)value->Reg64);
}

/* Asks the host for what a replay may need and the emulator did not ask for. */
static void WhvCaptureAskForRegisters(WHV_CAPTURE *capture) {
  static const UINT32 wanted[][2] = {{0x0, 28}, {0x1c, 4}, {0x2001, 1}, {0x1000, 16}};
  if (capture->RegistersWereSet || !capture->Host.WHvEmulatorGetVirtualProcessorRegisters) return;
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    WHV_REGISTER_NAME names[32];
    WHV_REGISTER_VALUE values[32];
    UINT32 count = 0;
    for (UINT32 each = 0; each < wanted[i][1]; each++) {
      WHV_REGISTER_NAME name = (WHV_REGISTER_NAME)(wanted[i][0] + each);
      UINT32 at = 0;
      while (at < capture->RegisterCount && capture->Names[at] != name) at++;
      if (at == capture->RegisterCount) names[count++] = name;
    }
    memset(values, 0, sizeof values);
    if (count == 0 || capture->Host.WHvEmulatorGetVirtualProcessorRegisters(capture->HostContext, names, count, values) != S_OK) continue;
    for (UINT32 each = 0; each < count; each++) WhvCaptureRegister(capture, names[each], &values[each]);
  }
}

#define WHV_CAPTURE_BOOL(bit) ((bit) ? "true" : "false")

static void WhvCaptureExit(WHV_CAPTURE *capture, WHV_CAPTURE_TEXT *line) {
  const WHV_X64_VP_EXECUTION_STATE *state = &capture->Vp.ExecutionState;
  WhvCapturePrint(line, "\"vp\":{\"executionState\":{\"cpl\":%u,\"cr0Pe\":%s,\"cr0Am\":%s,\"eferLma\":%s,\"debugActive\":%s,\"interruptionPending\":%s,\"interruptShadow\":%s},", (unsigned)state->Cpl, WHV_CAPTURE_BOOL(state->Cr0Pe), WHV_CAPTURE_BOOL(state->Cr0Am), WHV_CAPTURE_BOOL(state->EferLma), WHV_CAPTURE_BOOL(state->DebugActive), WHV_CAPTURE_BOOL(state->InterruptionPending), WHV_CAPTURE_BOOL(state->InterruptShadow));
  WhvCapturePrint(line, "\"instructionLength\":%u,\"cr8\":%u,\"cs\":", (unsigned)capture->Vp.InstructionLength, (unsigned)capture->Vp.Cr8);
  WhvCaptureSegment(line, &capture->Vp.Cs);
  WhvCapturePrint(line, ",\"rip\":\"0x%llx\",\"rflags\":\"0x%llx\"},\"exit\":{\"instructionBytes\":\"", (unsigned long long)capture->Vp.Rip, (unsigned long long)capture->Vp.Rflags);
  if (capture->IsIo) {
    const WHV_X64_IO_PORT_ACCESS_CONTEXT *io = &capture->Io;
    WhvCaptureHex(line, io->InstructionBytes, io->InstructionByteCount > 16 ? 16 : io->InstructionByteCount);
    WhvCapturePrint(line, "\",\"isWrite\":%s,\"accessSize\":%u,\"stringOp\":%s,\"repPrefix\":%s,\"port\":%u,", WHV_CAPTURE_BOOL(io->AccessInfo.IsWrite), (unsigned)io->AccessInfo.AccessSize, WHV_CAPTURE_BOOL(io->AccessInfo.StringOp), WHV_CAPTURE_BOOL(io->AccessInfo.RepPrefix), (unsigned)io->PortNumber);
    WhvCapturePrint(line, "\"rax\":\"0x%llx\",\"rcx\":\"0x%llx\",\"rsi\":\"0x%llx\",\"rdi\":\"0x%llx\",\"ds\":", (unsigned long long)io->Rax, (unsigned long long)io->Rcx, (unsigned long long)io->Rsi, (unsigned long long)io->Rdi);
    WhvCaptureSegment(line, &io->Ds);
    WhvCapturePrint(line, ",\"es\":");
    WhvCaptureSegment(line, &io->Es);
  } else {
    static const char *const types[] = {"\"read\"", "\"write\"", "\"execute\"", "3"};
    const WHV_MEMORY_ACCESS_CONTEXT *mmio = &capture->Mmio;
    WhvCaptureHex(line, mmio->InstructionBytes, mmio->InstructionByteCount > 16 ? 16 : mmio->InstructionByteCount);
    WhvCapturePrint(line, "\",\"accessType\":%s,\"gpaUnmapped\":%s,\"gvaValid\":%s,\"gpa\":\"0x%llx\",\"gva\":\"0x%llx\"", types[mmio->AccessInfo.AccessType & 3], WHV_CAPTURE_BOOL(mmio->AccessInfo.GpaUnmapped), WHV_CAPTURE_BOOL(mmio->AccessInfo.GvaValid), (unsigned long long)mmio->Gpa, (unsigned long long)mmio->Gva);
  }
  WhvCapturePrint(line, "}");
}

/* Appends the last emulation to `file` as one line. TRUE when the line was written and holds everything; see Incomplete. */
static BOOL WhvCaptureWrite(WHV_CAPTURE *capture, FILE *file) {
  static const char *const callbacks[] = {"memory", "ioPort", "getRegisters", "setRegisters", "translate"};
  WHV_CAPTURE_TEXT line = {NULL, 0, 0, FALSE};
  const char *separator = "";
  char name[32];
  BOOL written;
  WhvCaptureAskForRegisters(capture);
  WhvCapturePrint(&line, "{\"format\":1,\"id\":%u,\"kind\":\"%s\",", (unsigned)capture->Emulations, capture->IsIo ? "io" : "mmio");
  WhvCaptureExit(capture, &line);
  WhvCapturePrint(&line, ",\"registers\":{");
  for (UINT32 i = 0; i < capture->RegisterCount; i++) {
    UINT32 code = (UINT32)capture->Names[i];
    if (!WhvCaptureName(code, name, sizeof name)) { capture->Incomplete = TRUE; continue; }
    WhvCapturePrint(&line, "%s\"%s\":", separator, name);
    WhvCaptureValue(&line, code, &capture->Values[i]);
    separator = ",";
  }
  WhvCapturePrint(&line, "},\"translate\":[");
  for (UINT32 i = 0; i < capture->TranslationCount; i++)
    WhvCapturePrint(&line, "%s{\"gvaPage\":\"0x%llx\",\"gpaPage\":\"0x%llx\",\"result\":%u}", i ? "," : "", (unsigned long long)capture->Translations[i].Gva, (unsigned long long)capture->Translations[i].Gpa, (unsigned)capture->Translations[i].Result);
  WhvCapturePrint(&line, "]");
  if (capture->FailedCallback >= 0)
    WhvCapturePrint(&line, ",\"fail\":{\"callback\":\"%s\",\"at\":%u,\"hresult\":\"0x%08lx\"}", callbacks[capture->FailedCallback], (unsigned)capture->FailedAt, (unsigned long)capture->FailedWith);
  if (line.Incomplete || capture->DeviceReads.Incomplete || capture->PortReads.Incomplete) capture->Incomplete = TRUE;
  written = !line.Incomplete && line.Text != NULL &&
            fprintf(file, "%s,\"deviceReads\":\"%s\",\"portReads\":[%s]}\n", line.Text, capture->DeviceReads.Length ? capture->DeviceReads.Text : "", capture->PortReads.Length ? capture->PortReads.Text : "") > 0 &&
            fflush(file) == 0;
  free(line.Text);
  return written && !capture->Incomplete;
}

#endif
