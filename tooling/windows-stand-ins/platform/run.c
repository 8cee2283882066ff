/* A run: scripted exits first; else the program that serves runs (StandInServeRuns); else KVM, where it is asked for; else a processor that knows a handful of instructions: NOP,
 * HLT, JMP short, IN and OUT, and the moves between AL and memory. Enough to drive a host through its exits. */
#include "stand-in.h"
#include <string.h>

void fill_common(Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  UINT64 cr0 = register_of(processor, WHvX64RegisterCr0), efer = register_of(processor, WHvX64RegisterEfer);
  memset(exit, 0, sizeof *exit);
  exit->VpContext.Cs = register_slot(processor, WHvX64RegisterCs)->Segment;
  exit->VpContext.Rip = register_of(processor, WHvX64RegisterRip);
  exit->VpContext.Rflags = register_of(processor, WHvX64RegisterRflags);
  exit->VpContext.Cr8 = register_of(processor, WHvX64RegisterCr8) & 15;
  exit->VpContext.ExecutionState.Cpl = cr0 & 1 ? register_slot(processor, WHvX64RegisterSs)->Segment.DescriptorPrivilegeLevel : 0;
  exit->VpContext.ExecutionState.Cr0Pe = cr0 & 1;
  exit->VpContext.ExecutionState.Cr0Am = cr0 >> 18 & 1;
  exit->VpContext.ExecutionState.EferLma = efer >> 10 & 1;
  exit->VpContext.ExecutionState.DebugActive = (register_of(processor, WHvX64RegisterDr7) & 0xff) != 0;
  exit->VpContext.ExecutionState.InterruptionPending = register_of(processor, WHvRegisterPendingInterruption) & 1;
  exit->VpContext.ExecutionState.InterruptShadow = register_of(processor, WHvRegisterInterruptState) & 1;
}

static void port_exit(Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit, const UINT8 *code, UINT8 length) {
  UINT8 opcode = code[0];
  exit->ExitReason = WHvRunVpExitReasonX64IoPortAccess;
  exit->VpContext.InstructionLength = length;
  exit->IoPortAccess.InstructionByteCount = length;
  memcpy(exit->IoPortAccess.InstructionBytes, code, length);
  exit->IoPortAccess.AccessInfo.IsWrite = opcode >> 1 & 1;
  exit->IoPortAccess.AccessInfo.AccessSize = opcode & 1 ? 2 : 1;
  exit->IoPortAccess.PortNumber = length == 2 ? code[1] : (UINT16)register_of(processor, WHvX64RegisterRdx);
  exit->IoPortAccess.Rax = register_of(processor, WHvX64RegisterRax);
}

static void memory_exit(WHV_RUN_VP_EXIT_CONTEXT *exit, const UINT8 *code, UINT8 length, UINT64 gpa, int type) {
  exit->ExitReason = WHvRunVpExitReasonMemoryAccess;
  exit->VpContext.InstructionLength = length;
  exit->MemoryAccess.InstructionByteCount = length;
  if (code) memcpy(exit->MemoryAccess.InstructionBytes, code, length);
  exit->MemoryAccess.AccessInfo.AccessType = type;
  exit->MemoryAccess.AccessInfo.GpaUnmapped = 1;
  exit->MemoryAccess.AccessInfo.GvaValid = 1;
  exit->MemoryAccess.Gpa = exit->MemoryAccess.Gva = gpa;
}

/* One instruction; whether it ends the run. */
static int step(Partition *partition, Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  fill_common(processor, exit);
  UINT64 rip = exit->VpContext.Rip, linear = exit->VpContext.Cs.Base + rip;
  UINT8 *code = memory_at(partition, linear, NULL);
  if (!code) { memory_exit(exit, NULL, 0, linear, WHvMemoryAccessExecute); return 1; }
  UINT64 next = rip + 1;
  switch (code[0]) {
    case 0x90: break;
    case 0xeb: next = rip + 2 + (INT8)code[1]; break;
    case 0xf4: exit->ExitReason = WHvRunVpExitReasonX64Halt; set_register(processor, WHvX64RegisterRip, next); return 1;
    case 0xe4: case 0xe5: case 0xe6: case 0xe7: port_exit(processor, exit, code, 2); return 1;
    case 0xec: case 0xed: case 0xee: case 0xef: port_exit(processor, exit, code, 1); return 1;
    case 0xa0: case 0xa2: {
      UINT64 address = register_slot(processor, WHvX64RegisterDs)->Segment.Base + *(UINT16 *)(code + 1);
      UINT8 *data = memory_at(partition, address, NULL);
      UINT64 rax = register_of(processor, WHvX64RegisterRax);
      if (!data) { memory_exit(exit, code, 3, address, code[0] == 0xa0 ? WHvMemoryAccessRead : WHvMemoryAccessWrite); return 1; }
      if (code[0] == 0xa2) { *data = (UINT8)rax; mark_dirty(partition, address); }
      else set_register(processor, WHvX64RegisterRax, (rax & ~0xffull) | *data);
      next = rip + 3;
      break;
    }
    default: exit->ExitReason = WHvRunVpExitReasonUnrecoverableException; return 1;
  }
  set_register(processor, WHvX64RegisterRip, next);
  return 0;
}

static void canceled(Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  fill_common(processor, exit);
  exit->ExitReason = WHvRunVpExitReasonCanceled;
  exit->CancelReason.CancelReason = WhvRunVpCancelReasonUser;
}

typedef HRESULT (WINAPI *RunServer)(WHV_PARTITION_HANDLE partition, UINT32 index, WHV_RUN_VP_EXIT_CONTEXT *exit);
static RunServer server;
static UINT64 server_exits;

/* Runs go there from now on; NULL ends that. */
void WINAPI StandInServeRuns(RunServer next, UINT64 extended_exits) {
  server = next;
  server_exits = extended_exits;
}

int runs_guests(void) { return server != NULL || kvm_wanted(); }
UINT64 extended_exits(void) { return server ? server_exits : kvm_wanted() ? 2 : 7; } /* KVM: MSRs only */

HRESULT WINAPI WHvRunVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, VOID *context, UINT32 size) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  WHV_RUN_VP_EXIT_CONTEXT *exit = context;
  if (!partition) END(E_INVALIDARG);
  Processor *processor = processor_of(__func__, partition, index);
  if (!processor) END(E_WHV_VP_DOES_NOT_EXIST);
  if (!context || size < sizeof *exit || !ALIGNED(context, 8)) { VIOLATION("an exit context of %u bytes at %p", size, context); END(E_INVALIDARG); }
  if (processor->running) { VIOLATION("processor %u is running already", index); END(E_WHV_INVALID_VP_STATE); }
  processor->running = 1;
  partition->suspended = 0;
  HANDLE cancelled = processor->cancelled;
  for (;;) {
    if (WaitForSingleObject(cancelled, 0) == WAIT_OBJECT_0) { canceled(processor, exit); break; }
    if (processor->exits_left) {
      WHV_RUN_VP_EXIT_CONTEXT scripted = processor->exits[processor->first_exit];
      processor->first_exit = (processor->first_exit + 1) % MAX_EXITS;
      processor->exits_left--;
      if (scripted.ExitReason != (WHV_RUN_VP_EXIT_REASON)-1) { *exit = scripted; break; }
      LeaveCriticalSection(&lock);
      WaitForSingleObject(cancelled, INFINITE);
      EnterCriticalSection(&lock);
      canceled(processor, exit);
      break;
    }
    if (server) {
      LeaveCriticalSection(&lock);
      HRESULT status = server(handle, index, exit);
      EnterCriticalSection(&lock);
      processor->running = 0;
      END(status);
    }
    if (kvm_wanted()) {
      HRESULT status = kvm_run(partition, processor, exit);
      processor->running = 0;
      END(status);
    }
    if (step(partition, processor, exit)) break;
    LeaveCriticalSection(&lock); /* a guest that never exits can be cancelled */
    EnterCriticalSection(&lock);
  }
  processor->running = 0;
  END(S_OK);
}

HRESULT WINAPI WHvCancelRunVirtualProcessor(WHV_PARTITION_HANDLE handle, UINT32 index, UINT32 flags) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  Processor *processor = processor_of(__func__, partition, index);
  if (!processor) END(E_WHV_VP_DOES_NOT_EXIST);
  if (flags) VIOLATION("flags must be 0; they are 0x%x", flags);
  SetEvent(processor->cancelled);
  END(S_OK);
}
