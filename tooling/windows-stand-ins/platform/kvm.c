/* Real-mode guests on a real processor: a program under Wine is a Linux process, and may make Linux system calls. Where
 * /dev/kvm exists and opens, StandInUseKvm makes runs go there, behind the same ABI. The guest is single-stepped, so that
 * an exit finds the processor as it was before the instruction, which is what the platform promises. */
#include "stand-in.h"
#include <string.h>

static long long linux_call(long long number, long long a, long long b, long long c, long long d, long long e, long long f) {
  long long result;
  register long long r10 __asm__("r10") = d;
  register long long r8 __asm__("r8") = e;
  register long long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
enum { SYS_OPEN = 2, SYS_CLOSE = 3, SYS_MMAP = 9, SYS_MUNMAP = 11, SYS_IOCTL = 16 };
static long long control(long long file, unsigned long request, const void *argument) {
  return linux_call(SYS_IOCTL, file, request, (long long)argument, 0, 0, 0);
}

/* linux/kvm.h, x86-64. */
enum { KVM_GET_API_VERSION = 0xae00, KVM_CREATE_VM = 0xae01, KVM_GET_VCPU_MMAP_SIZE = 0xae04, KVM_CREATE_VCPU = 0xae41, KVM_RUN = 0xae80 };
#define KVM_SET_USER_MEMORY_REGION 0x4020ae46ul
#define KVM_GET_REGS 0x8090ae81ul
#define KVM_SET_REGS 0x4090ae82ul
#define KVM_GET_SREGS 0x8138ae83ul
#define KVM_SET_SREGS 0x4138ae84ul
#define KVM_SET_GUEST_DEBUG 0x4048ae9bul
enum { KVM_EXIT_IO = 2, KVM_EXIT_DEBUG = 4, KVM_EXIT_HLT = 5, KVM_EXIT_MMIO = 6, KVM_EXIT_SHUTDOWN = 8 };
typedef struct { UINT32 slot, flags; UINT64 gpa, size, address; } Region;
typedef struct { UINT64 base; UINT32 limit; UINT16 selector; UINT8 type, present, dpl, db, s, l, g, avl, unusable, padding; } Segment;
typedef struct { UINT64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags; } Registers;

struct Kvm {
  long long file;
  UINT8 *run;
  long long run_size;
  Region regions[MAX_RANGES];
};

static int wanted;
static long long device = -1;

/* Answers whether the device works: 0 where there is none or it may not be opened. */
int WINAPI StandInUseKvm(int use) {
  static const char path[] = "/dev/kvm";
  wanted = 0;
  if (!use) return 1;
  if (GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL) return 0;
  if (device < 0) device = linux_call(SYS_OPEN, (long long)path, 2 | 02000000, 0, 0, 0, 0);
  if (device < 0 || control(device, KVM_GET_API_VERSION, NULL) != 12) return 0;
  return wanted = 1;
}

int kvm_wanted(void) { return wanted; }

static struct Kvm *make(long long file) {
  struct Kvm *kvm = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *kvm);
  kvm->file = file;
  return kvm;
}

static int map_memory(Partition *partition) {
  for (UINT32 i = 0; i < MAX_RANGES; i++) {
    Range *range = &partition->ranges[i];
    Region region = {i, 0, range->gpa, range->source ? range->size : 0, (UINT64)range->source}, none = {i, 0, 0, 0, 0};
    Region *known = &partition->kvm->regions[i];
    if (!memcmp(known, &region, sizeof region) || (!known->size && !region.size)) continue;
    if (known->size && control(partition->kvm->file, KVM_SET_USER_MEMORY_REGION, &none) < 0) return 0;
    if (region.size && control(partition->kvm->file, KVM_SET_USER_MEMORY_REGION, &region) < 0) return 0;
    *known = region;
  }
  return 1;
}

static int make_processor(Partition *partition, Processor *processor, UINT32 index) {
  long long file = control(partition->kvm->file, KVM_CREATE_VCPU, (void *)(UINT64)index);
  if (file < 0) return 0;
  processor->kvm = make(file);
  processor->kvm->run_size = control(device, KVM_GET_VCPU_MMAP_SIZE, NULL);
  long long run = linux_call(SYS_MMAP, 0, processor->kvm->run_size, 3, 1, file, 0);
  processor->kvm->run = run < 0 && run > -4096 ? NULL : (UINT8 *)run;
  return processor->kvm->run != NULL;
}

static const WHV_REGISTER_NAME general[18] = {
  WHvX64RegisterRax, WHvX64RegisterRbx, WHvX64RegisterRcx, WHvX64RegisterRdx, WHvX64RegisterRsi, WHvX64RegisterRdi,
  WHvX64RegisterRsp, WHvX64RegisterRbp, WHvX64RegisterR8, WHvX64RegisterR9, WHvX64RegisterR10, WHvX64RegisterR11,
  WHvX64RegisterR12, WHvX64RegisterR13, WHvX64RegisterR14, WHvX64RegisterR15, WHvX64RegisterRip, WHvX64RegisterRflags,
};
/* In the order of struct kvm_sregs. */
static const WHV_REGISTER_NAME segments[6] = {WHvX64RegisterCs, WHvX64RegisterDs, WHvX64RegisterEs, WHvX64RegisterFs, WHvX64RegisterGs, WHvX64RegisterSs};

static void load(Processor *processor) {
  static UINT8 system[312];
  UINT64 values[18];
  long long file = processor->kvm->file;
  for (int i = 0; i < 18; i++) values[i] = register_of(processor, general[i]);
  control(file, KVM_GET_SREGS, system);
  for (int i = 0; i < 6; i++) {
    WHV_X64_SEGMENT_REGISTER from = register_slot(processor, segments[i])->Segment;
    Segment *to = (Segment *)system + i;
    to->base = from.Base;
    to->selector = from.Selector;
  }
  control(file, KVM_SET_SREGS, system);
  control(file, KVM_SET_REGS, values);
}

static void store(Processor *processor, const Registers *registers) {
  static UINT8 system[312];
  control(processor->kvm->file, KVM_GET_SREGS, system);
  for (int i = 0; i < 18; i++) set_register(processor, general[i], ((const UINT64 *)registers)[i]);
  for (int i = 0; i < 6; i++) {
    WHV_X64_SEGMENT_REGISTER *to = &register_slot(processor, segments[i])->Segment;
    to->Base = ((Segment *)system)[i].base;
    to->Selector = ((Segment *)system)[i].selector;
  }
}

/* Finishes what KVM has begun of the instruction (the write of a read-modify-write included), then puts the processor back
 * to before it. */
static void undo(struct Kvm *kvm, const Registers *before) {
  kvm->run[1] = 1; /* immediate_exit: KVM_RUN finishes, and enters no guest */
  for (int tries = 0; tries < 4 && control(kvm->file, KVM_RUN, NULL) == 0; tries++);
  kvm->run[1] = 0;
  control(kvm->file, KVM_SET_REGS, before);
}

static UINT8 copy_code(Partition *partition, const WHV_RUN_VP_EXIT_CONTEXT *exit, UINT8 *bytes) {
  UINT64 linear = exit->VpContext.Cs.Base + exit->VpContext.Rip;
  UINT8 count = 0;
  for (UINT8 *code; count < 16 && (code = memory_at(partition, linear + count, NULL)); count++) bytes[count] = *code;
  return count;
}

/* Runs until an exit of the platform; 0 where KVM does something that has none. */
int kvm_run(Partition *partition, Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  UINT32 index = 0;
  while (partition->processors[index] != processor) index++;
  if (!partition->kvm) {
    long long file = control(device, KVM_CREATE_VM, NULL);
    if (file < 0) return 0;
    partition->kvm = make(file);
  }
  if (!map_memory(partition) || (!processor->kvm && !make_processor(partition, processor, index))) return 0;
  struct Kvm *kvm = processor->kvm;
  struct { UINT32 control, padding; UINT64 registers[8]; } debug = {1 | 2, 0, {0}}; /* enable, single-step */
  load(processor);
  control(kvm->file, KVM_SET_GUEST_DEBUG, &debug);
  for (;;) {
    Registers before;
    if (WaitForSingleObject(processor->cancelled, 0) == WAIT_OBJECT_0) { exit->ExitReason = WHvRunVpExitReasonCanceled; break; }
    control(kvm->file, KVM_GET_REGS, &before);
    store(processor, &before);
    LeaveCriticalSection(&lock);
    long long status = control(kvm->file, KVM_RUN, NULL);
    EnterCriticalSection(&lock);
    if (status == -4) continue; /* EINTR */
    if (status < 0) return 0;
    UINT32 reason = *(UINT32 *)(kvm->run + 8);
    exit->VpContext.Rip = before.rip;
    exit->VpContext.Rflags = before.rflags;
    exit->VpContext.Cs = register_slot(processor, WHvX64RegisterCs)->Segment;
    /* A single step over HLT may end as a step, and as no halt. */
    UINT8 *code_at = memory_at(partition, exit->VpContext.Cs.Base + before.rip, NULL);
    if (reason == KVM_EXIT_DEBUG && code_at && *code_at == 0xf4) reason = KVM_EXIT_HLT;
    if (reason == KVM_EXIT_DEBUG) continue;
    if (reason == KVM_EXIT_SHUTDOWN) { exit->ExitReason = WHvRunVpExitReasonUnrecoverableException; break; }
    if (reason == KVM_EXIT_HLT) {
      control(kvm->file, KVM_GET_REGS, &before);
      store(processor, &before);
      exit->ExitReason = WHvRunVpExitReasonX64Halt;
      break;
    }
    UINT8 *detail = kvm->run + 32;
    if (reason == KVM_EXIT_IO) {
      UINT8 *code = exit->IoPortAccess.InstructionBytes;
      exit->ExitReason = WHvRunVpExitReasonX64IoPortAccess;
      exit->IoPortAccess.AccessInfo.IsWrite = detail[0];
      exit->IoPortAccess.AccessInfo.AccessSize = detail[1];
      exit->IoPortAccess.PortNumber = *(UINT16 *)(detail + 2);
      exit->IoPortAccess.Rax = before.rax;
      copy_code(partition, exit, code);
      UINT8 prefix = code[0] == 0x66;
      exit->VpContext.InstructionLength = prefix + ((code[prefix] & 0xfc) == 0xe4 ? 2 : 1);
      exit->IoPortAccess.InstructionByteCount = exit->VpContext.InstructionLength;
      undo(kvm, &before);
      break;
    }
    if (reason == KVM_EXIT_MMIO) {
      exit->ExitReason = WHvRunVpExitReasonMemoryAccess;
      exit->MemoryAccess.Gpa = exit->MemoryAccess.Gva = *(UINT64 *)detail;
      exit->MemoryAccess.AccessInfo.AccessType = detail[20] ? WHvMemoryAccessWrite : WHvMemoryAccessRead;
      exit->MemoryAccess.AccessInfo.GpaUnmapped = 1;
      exit->MemoryAccess.AccessInfo.GvaValid = 1;
      exit->MemoryAccess.InstructionByteCount = copy_code(partition, exit, exit->MemoryAccess.InstructionBytes);
      undo(kvm, &before);
      break;
    }
    return 0;
  }
  return 1;
}

static void release(struct Kvm **kvm) {
  if (!*kvm) return;
  if ((*kvm)->run) linux_call(SYS_MUNMAP, (long long)(*kvm)->run, (*kvm)->run_size, 0, 0, 0, 0);
  linux_call(SYS_CLOSE, (*kvm)->file, 0, 0, 0, 0, 0);
  HeapFree(GetProcessHeap(), 0, *kvm);
  *kvm = NULL;
}

void kvm_release_processor(Processor *processor) { release(&processor->kvm); }
void kvm_release(Partition *partition) { release(&partition->kvm); }
