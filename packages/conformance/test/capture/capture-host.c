/* A host as there are many, with whv-capture.h put in: it emulates five exits with the stand-in WinHvEmulation.dll and
 * writes each as a line to the file that it is given. The test reads the lines. */
#include "whv-capture.h"

typedef struct { int fail; UINT32 gets; } HostState;

static HRESULT CALLBACK on_port(VOID *context, WHV_EMULATOR_IO_ACCESS_INFO *access) {
  if (((HostState *)context)->fail == 1) return E_ACCESSDENIED;
  if (access->Direction == 0) access->Data = 0xffffff5a;
  return S_OK;
}
static HRESULT CALLBACK on_memory(VOID *context, WHV_EMULATOR_MEMORY_ACCESS_INFO *access) {
  if (((HostState *)context)->fail == 2) return E_OUTOFMEMORY;
  for (int i = 0; access->Direction == 0 && i < access->AccessSize; i++) access->Data[i] = (UINT8)(0xa0 + i);
  return S_OK;
}
static HRESULT CALLBACK on_get(VOID *context, const WHV_REGISTER_NAME *names, UINT32 count, WHV_REGISTER_VALUE *values) {
  ((HostState *)context)->gets++;
  for (UINT32 i = 0; i < count; i++) {
    UINT32 code = (UINT32)names[i];
    memset(&values[i], 0, sizeof values[i]);
    if (code >= 0x12 && code <= 0x19) {
      values[i].Segment.Limit = 0xffffffff;
      values[i].Segment.Selector = 0x10;
      values[i].Segment.Attributes = code == 0x13 ? 0xa09b : 0xc093;
    } else if (code == 0x1b) { values[i].Table.Base = 0xfffff80000001000ull; values[i].Table.Limit = 0x7f; }
    else if (code >= 0x1000 && code <= 0x1017) { values[i].Reg128.Low64 = code; values[i].Reg128.High64 = 0x8000000000000000ull; }
    else values[i].Reg64 = 0x8000000000000000ull | code;
  }
  return S_OK;
}
static HRESULT CALLBACK on_set(VOID *context, const WHV_REGISTER_NAME *names, UINT32 count, const WHV_REGISTER_VALUE *values) {
  (void)context; (void)names; (void)count; (void)values;
  return S_OK;
}
static HRESULT CALLBACK on_translate(VOID *context, WHV_GUEST_VIRTUAL_ADDRESS gva, WHV_TRANSLATE_GVA_FLAGS flags, WHV_TRANSLATE_GVA_RESULT_CODE *result, WHV_GUEST_PHYSICAL_ADDRESS *gpa) {
  (void)context; (void)flags;
  *result = WHvTranslateGvaResultSuccess;
  *gpa = gva & 0xfffffffff000ull;
  return S_OK;
}

int main(int argc, char **argv) {
  static WHV_CAPTURE capture;
  WHV_EMULATOR_CALLBACKS callbacks = {sizeof callbacks, 0, on_port, on_memory, on_get, on_set, on_translate};
  WHV_EMULATOR_HANDLE emulator;
  WHV_EMULATOR_STATUS status;
  WHV_VP_EXIT_CONTEXT vp;
  WHV_MEMORY_ACCESS_CONTEXT mmio;
  WHV_X64_IO_PORT_ACCESS_CONTEXT io;
  HostState state = {0, 0};
  FILE *file = argc > 1 ? fopen(argv[1], "wb") : NULL;
  if (!file) return 2;

  WhvCaptureBegin(&capture, &callbacks);
  if (WHvEmulatorCreateEmulator(&capture.Callbacks, &emulator) != S_OK) return 3;

  memset(&vp, 0, sizeof vp);
  vp.Rip = 0xffff800000001000ull;
  vp.Rflags = 2;
  vp.InstructionLength = 7;
  vp.Cr8 = 5;
  vp.ExecutionState.Cr0Pe = vp.ExecutionState.EferLma = 1;
  vp.Cs.Limit = 0xffffffff;
  vp.Cs.Selector = 8;
  vp.Cs.Attributes = 0xa09b;
  /* mov eax, [0x2000] */
  memset(&mmio, 0, sizeof mmio);
  memcpy(mmio.InstructionBytes, "\x8b\x04\x25\x00\x20\x00\x00", 7);
  mmio.InstructionByteCount = 7;
  mmio.AccessInfo.GpaUnmapped = mmio.AccessInfo.GvaValid = 1;
  mmio.Gpa = mmio.Gva = 0x2000;

  for (int fail = 0; fail <= 2; fail += 2) {
    state.fail = fail;
    if (WhvCaptureTryMmioEmulation(&capture, emulator, &state, &vp, &mmio, &status) != S_OK) return 4;
    if (status.EmulationSuccessful != (fail == 0) || status.MemoryCallbackFailed != (fail == 2)) return 5;
    if (!WhvCaptureWrite(&capture, file)) return 6;
  }

  /* in al, dx; then outsb that the port refuses; then in eax, dx of a page-crossing insd */
  memset(&io, 0, sizeof io);
  io.InstructionBytes[0] = 0xec;
  io.InstructionByteCount = 1;
  vp.InstructionLength = 1;
  io.AccessInfo.AccessSize = 1;
  io.PortNumber = 0x3f8;
  io.Rax = 0x1122334455667788ull;
  state.fail = 0;
  if (WhvCaptureTryIoEmulation(&capture, emulator, &state, &vp, &io, &status) != S_OK || !status.EmulationSuccessful) return 7;
  if (!WhvCaptureWrite(&capture, file)) return 8;

  io.InstructionBytes[0] = 0x6e;
  io.AccessInfo.IsWrite = io.AccessInfo.StringOp = 1;
  io.Rsi = 0xfffff80012345678ull;
  state.fail = 1;
  if (WhvCaptureTryIoEmulation(&capture, emulator, &state, &vp, &io, &status) != S_OK || !status.IoPortCallbackFailed) return 9;
  if (!WhvCaptureWrite(&capture, file)) return 10;

  io.InstructionBytes[0] = 0x6d;
  io.AccessInfo.IsWrite = 0;
  io.AccessInfo.AccessSize = 4;
  io.Rdi = 0x8000000000000ffeull;
  state.fail = 0;
  if (WhvCaptureTryIoEmulation(&capture, emulator, &state, &vp, &io, &status) != S_OK || !status.EmulationSuccessful) return 11;
  if (!WhvCaptureWrite(&capture, file) || capture.Emulations != 5) return 12;

  WHvEmulatorDestroyEmulator(emulator);
  WhvCaptureEnd(&capture);
  fclose(file);
  return 0;
}
