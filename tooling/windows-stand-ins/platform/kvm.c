/* Guests on a real hypervisor behind the Windows ABI: where /dev/kvm exists and opens, StandInUseKvm, or the environment
 * variable WHV_STAND_IN_KVM=1, makes runs go there. The platform promises an exit that finds the processor as it was before
 * the instruction, and KVM does not (it has written registers back when it tells of a store), so the guest is
 * single-stepped: the state before each instruction is known, and what KVM did of an instruction is undone.
 *
 * What KVM cannot do as the platform does, and what is therefore no capability of the stand-in with KVM: exits for CPUID,
 * RDTSC and exceptions, the local APIC and its exits. Where KVM runs a guest by its own emulator, instructions that the
 * emulator does not know end the run with E_NOTIMPL. A run that starts with RFLAGS.TF set is not single-stepped, so the guest
 * has its own trap; a store to device memory in it fails with E_FAIL. */
#include "kvm.h"
#include <stdlib.h>
#include <string.h>

long long linux_call(long long number, long long a, long long b, long long c, long long d, long long e, long long f) {
  long long result;
  register long long r10 __asm__("r10") = d;
  register long long r8 __asm__("r8") = e;
  register long long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

long long control(long long file, unsigned long request, const void *argument) {
  return linux_call(SYS_IOCTL, file, request, (long long)argument, 0, 0, 0);
}

static int wanted = -1;
static long long device = -1;
static Cpuid cpuid;

/* Answers whether the device works: 0 where there is none or it may not be opened. */
int WINAPI StandInUseKvm(int use) {
  static const char path[] = "/dev/kvm";
  wanted = 0;
  if (!use) return 1;
  if (GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL) return 0;
  if (device < 0) device = linux_call(SYS_OPEN, (long long)path, 2 | 02000000, 0, 0, 0, 0);
  if (device < 0 || control(device, KVM_GET_API_VERSION, NULL) != 12) return 0;
  if (control(device, KVM_CHECK_EXTENSION, (void *)KVM_CAP_SYNC_REGS) <= 0) return 0;
  memset(&cpuid, 0, sizeof cpuid); /* Wine makes a page of a library writable at the first write, by the program only */
  cpuid.count = MAX_CPUID;
  if (control(device, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0) return 0;
  return wanted = 1;
}

int kvm_wanted(void) {
  char value[8];
  if (wanted < 0) StandInUseKvm(GetEnvironmentVariableA("WHV_STAND_IN_KVM", value, sizeof value) == 1 && value[0] == '1');
  return wanted;
}

int kvm_cpuid(UINT32 leaf, UINT32 subleaf, WHV_CPUID_OUTPUT *output) {
  for (UINT32 i = 0; i < cpuid.count; i++) {
    const CpuidEntry *entry = &cpuid.entries[i];
    if (entry->function != leaf || (entry->flags & 1 && entry->index != subleaf)) continue;
    *output = (WHV_CPUID_OUTPUT){.Eax = entry->eax, .Ebx = entry->ebx, .Ecx = entry->ecx, .Edx = entry->edx};
    return 1;
  }
  return 0;
}

static struct Kvm *make(long long file) {
  struct Kvm *kvm = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *kvm);
  kvm->file = file;
  return kvm;
}

static int make_partition(Partition *partition) {
  EnableCapability msr_exits = {.capability = KVM_CAP_X86_USER_SPACE_MSR, .arguments = {KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN}};
  long long file = control(device, KVM_CREATE_VM, NULL);
  if (file < 0) return 0;
  partition->kvm = make(file);
  return !(property_value(partition, WHvPartitionPropertyCodeExtendedVmExits) & 2) || control(file, KVM_ENABLE_CAP, &msr_exits) >= 0;
}

static int make_processor(Partition *partition, Processor *processor) {
  long long file = control(partition->kvm->file, KVM_CREATE_VCPU, (void *)(UINT64)partition->kvm->made++);
  if (file < 0) return 0;
  processor->kvm = make(file);
  processor->kvm->run_size = control(device, KVM_GET_VCPU_MMAP_SIZE, NULL);
  long long run = linux_call(SYS_MMAP, 0, processor->kvm->run_size, 3, 1, file, 0);
  processor->kvm->run = run < 0 && run > -4096 ? NULL : (Run *)run;
  if (!processor->kvm->run) return 0;
  processor->kvm->run->valid_registers = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
  return control(file, KVM_SET_CPUID2, &cpuid) >= 0;
}

static int map_memory(Partition *partition) {
  for (UINT32 i = 0; i < MAX_RANGES; i++) {
    const Range *range = &partition->ranges[i];
    UINT32 flags = (range->flags & WHvMapGpaRangeFlagWrite ? 0 : KVM_MEM_READONLY) | (range->dirty ? KVM_MEM_LOG_DIRTY_PAGES : 0);
    Region region = {i, flags, range->gpa, range->size, (UINT64)range->source};
    if (!range->source || partition->kvm->regions[i].size) continue;
    if (control(partition->kvm->file, KVM_SET_USER_MEMORY_REGION, &region) < 0) return 0;
    partition->kvm->regions[i] = region;
  }
  return 1;
}

void kvm_collect_dirty_pages(Partition *partition) {
  for (UINT32 i = 0; partition->kvm && i < MAX_RANGES; i++) {
    Region *region = &partition->kvm->regions[i];
    if (!region->size || !(region->flags & KVM_MEM_LOG_DIRTY_PAGES)) continue;
    UINT64 pages = region->size / PAGE;
    UINT64 *bitmap = calloc((pages + 63) / 64, 8);
    DirtyLog log = {i, 0, bitmap};
    if (control(partition->kvm->file, KVM_GET_DIRTY_LOG, &log) >= 0)
      for (UINT64 page = 0; page < pages; page++) if (bitmap[page / 64] >> page % 64 & 1) mark_dirty(partition, region->gpa + page * PAGE);
    free(bitmap);
  }
}

void kvm_forget_memory(Partition *partition) {
  kvm_collect_dirty_pages(partition);
  for (UINT32 i = 0; partition->kvm && i < MAX_RANGES; i++) {
    Region none = {i, 0, 0, 0, 0};
    if (partition->kvm->regions[i].size) control(partition->kvm->file, KVM_SET_USER_MEMORY_REGION, &none);
    partition->kvm->regions[i].size = 0;
  }
}

/* The state before an instruction. */
typedef struct {
  Registers general;
  SystemRegisters system;
  Events events;
} State;

static Paging paging_of(const State *state) {
  const SystemRegisters *system = &state->system;
  return (Paging){system->cr0, system->cr3, system->cr4, system->efer, system->cr0 & 1 && system->ss.dpl == 3, state->general.rflags >> 18 & 1};
}

static int is_long(const State *state) { return state->system.efer >> 10 & 1 && state->system.cs.l; }

/* The linear address of an offset in a segment: 64-bit code has no base but for FS and GS. */
static UINT64 linear(const State *state, const Segment *segment, UINT64 offset) {
  return is_long(state) ? offset : (segment->base + offset) & 0xffffffff;
}

/* Where a guest-virtual address lies in the host; NULL where it is not mapped. `gpa` is ~0 where no page is. */
static UINT8 *host_memory(Partition *partition, const State *state, UINT64 gva, UINT32 flags, UINT64 *gpa, UINT32 *rights) {
  Paging paging = paging_of(state);
  *gpa = ~0ull;
  if (walk(partition, &paging, gva, flags, gpa) != WHvTranslateGvaResultSuccess) { *gpa = ~0ull; return NULL; }
  return memory_at(partition, *gpa, rights);
}

static UINT8 copy_code(Partition *partition, const State *state, UINT8 *bytes) {
  UINT64 gpa;
  UINT32 rights;
  UINT8 count = 0;
  for (; count < 16; count++) {
    UINT64 address = linear(state, &state->system.cs, state->general.rip + count);
    const UINT8 *code = host_memory(partition, state, address, WHvTranslateGvaFlagValidateExecute, &gpa, &rights);
    if (!code) break;
    bytes[count] = *code;
  }
  return count;
}

/* Prefixes of an instruction: how many, and which matter here. */
typedef struct { UINT8 count, repeat, operand_size, wide; } Prefixes;
static Prefixes prefixes_of(const State *state, const UINT8 *bytes, UINT8 count) {
  Prefixes prefixes = {0, 0, 0, 0};
  for (; prefixes.count < count; prefixes.count++) {
    UINT8 byte = bytes[prefixes.count];
    if (byte == 0xf2 || byte == 0xf3) prefixes.repeat = 1;
    else if (byte == 0x66) prefixes.operand_size = 1;
    else if (is_long(state) && (byte & 0xf8) == 0x48) prefixes.wide = 1;
    else if (!(byte == 0x67 || byte == 0xf0 || byte == 0x64 || byte == 0x65 || (byte & 0xe7) == 0x26 || (is_long(state) && (byte & 0xf0) == 0x40))) break;
  }
  return prefixes;
}

/* Whether the instruction is HLT, with prefixes or without, of this length. */
static int is_halt(Partition *partition, const State *state, UINT64 length) {
  UINT8 bytes[16];
  UINT64 gpa;
  UINT32 rights;
  if (length == 0 || length > 15) return 0;
  const UINT8 *last = host_memory(partition, state, linear(state, &state->system.cs, state->general.rip + length - 1), 0, &gpa, &rights);
  if (!last || *last != 0xf4) return 0;
  UINT8 count = copy_code(partition, state, bytes);
  return length <= count && bytes[length - 1] == 0xf4 && prefixes_of(state, bytes, count).count == length - 1;
}

/* Memory that finishing an instruction with whatever a device might have said would write: where string instructions
 * store, and below the top of the stack. */
typedef struct { UINT8 *at[24], bytes[24]; int count; } Kept;

static void keep(Partition *partition, const State *state, Kept *kept, UINT64 gva, int bytes) {
  UINT64 gpa;
  UINT32 rights;
  for (int i = 0; i < bytes; i++) {
    UINT8 *at = host_memory(partition, state, gva + (UINT64)i, 0, &gpa, &rights);
    if (!at) continue;
    kept->at[kept->count] = at;
    kept->bytes[kept->count++] = *at;
  }
}

/* Finishes what KVM has begun of the instruction, then takes back what that did: to memory here, to registers by the load
 * at the next run. A repeated string instruction is told that this element is the last. */
static void undo(Partition *partition, Processor *processor, const State *state) {
  struct Kvm *kvm = processor->kvm;
  UINT64 address = is_long(state) ? ~0ull : state->system.cs.db ? 0xffffffff : 0xffff;
  UINT64 stack = is_long(state) ? ~0ull : state->system.ss.db ? 0xffffffff : 0xffff;
  Registers last = state->general;
  Kept kept = {.count = 0};
  keep(partition, state, &kept, linear(state, &state->system.es, state->general.rdi & address), 8);
  keep(partition, state, &kept, linear(state, &state->system.ss, (state->general.rsp - 16) & stack), 16);
  last.rcx = 1;
  if (control(kvm->file, KVM_SET_REGS, &last) < 0) return;
  kvm->run->immediate_exit = 1; /* KVM_RUN finishes, and enters no guest */
  for (int tries = 0; tries < 64 && control(kvm->file, KVM_RUN, NULL) == 0; tries++);
  kvm->run->immediate_exit = 0;
  while (kept.count--) *kept.at[kept.count] = kept.bytes[kept.count];
}

static void memory_exit(Partition *partition, const State *state, WHV_RUN_VP_EXIT_CONTEXT *exit, UINT64 gpa, int type) {
  UINT32 rights;
  exit->ExitReason = WHvRunVpExitReasonMemoryAccess;
  exit->MemoryAccess.Gpa = gpa;
  exit->MemoryAccess.AccessInfo.AccessType = type;
  exit->MemoryAccess.AccessInfo.GpaUnmapped = !memory_at(partition, gpa, &rights);
  /* KVM tells no guest-virtual address; without paging it is the same. */
  exit->MemoryAccess.AccessInfo.GvaValid = !(state->system.cr0 >> 31 & 1);
  if (exit->MemoryAccess.AccessInfo.GvaValid) exit->MemoryAccess.Gva = gpa;
  exit->MemoryAccess.InstructionByteCount = copy_code(partition, state, exit->MemoryAccess.InstructionBytes);
}

static void port_exit(Partition *partition, const State *state, WHV_RUN_VP_EXIT_CONTEXT *exit, const Run *run, Processor *processor) {
  WHV_X64_IO_PORT_ACCESS_CONTEXT *access = &exit->IoPortAccess;
  UINT8 *code = access->InstructionBytes;
  UINT8 count = copy_code(partition, state, code);
  Prefixes prefixes = prefixes_of(state, code, count);
  UINT8 opcode = code[prefixes.count & 15];
  exit->ExitReason = WHvRunVpExitReasonX64IoPortAccess;
  exit->VpContext.InstructionLength = prefixes.count + ((opcode & 0xfc) == 0xe4 ? 2 : 1);
  access->InstructionByteCount = exit->VpContext.InstructionLength;
  access->AccessInfo.IsWrite = run->io.direction;
  access->AccessInfo.AccessSize = run->io.size;
  access->AccessInfo.StringOp = (opcode & 0xfc) == 0x6c;
  access->AccessInfo.RepPrefix = access->AccessInfo.StringOp && prefixes.repeat;
  access->PortNumber = run->io.port;
  access->Rax = state->general.rax;
  access->Rcx = state->general.rcx;
  access->Rsi = state->general.rsi;
  access->Rdi = state->general.rdi;
  access->Ds = register_slot(processor, WHvX64RegisterDs)->Segment;
  access->Es = register_slot(processor, WHvX64RegisterEs)->Segment;
}

static void msr_exit(const State *state, WHV_RUN_VP_EXIT_CONTEXT *exit, const Run *run) {
  exit->ExitReason = WHvRunVpExitReasonX64MsrAccess;
  exit->VpContext.InstructionLength = 2;
  exit->MsrAccess.AccessInfo.IsWrite = run->reason == KVM_EXIT_X86_WRMSR;
  exit->MsrAccess.MsrNumber = run->msr.index;
  exit->MsrAccess.Rax = state->general.rax;
  exit->MsrAccess.Rdx = state->general.rdx;
}

/* An event whose frame would go to memory that is not there: the platform exits with it still pending, KVM gives up. The
 * frame is that of a delivery without a change of stacks. */
static UINT64 frame_without_memory(Partition *partition, const State *state) {
  const Events *events = &state->events;
  UINT64 gpa;
  UINT32 rights = 0;
  UINT8 word = is_long(state) ? 8 : state->system.cr0 & 1 ? 4 : 2;
  UINT64 mask = is_long(state) ? ~0ull : state->system.ss.db ? 0xffffffff : 0xffff;
  if (!(events->interrupt.injected || events->nmi.injected || events->exception.injected) || state->system.ss.dpl == 3) return ~0ull;
  UINT64 top = is_long(state) ? state->general.rsp & ~15ull : state->general.rsp;
  const UINT8 *memory = host_memory(partition, state, linear(state, &state->system.ss, (top - word) & mask), WHvTranslateGvaFlagValidateWrite, &gpa, &rights);
  return memory && rights & WHvMapGpaRangeFlagWrite ? ~0ull : gpa;
}

/* Where the handler of the event begins that the next run delivers (Intel SDM volume 3, sections 6.10 and 6.14; volume 3,
 * section 20.1.4 in real mode); ~0 where there is none. */
static UINT64 handler_of(Partition *partition, const State *state) {
  const Events *events = &state->events;
  UINT8 vector = events->interrupt.injected ? events->interrupt.nr : events->nmi.injected ? 2 : events->exception.nr;
  UINT64 gpa, offset = 0;
  UINT32 rights;
  int lma = state->system.efer >> 10 & 1, size = lma ? 16 : state->system.cr0 & 1 ? 8 : 4;
  UINT8 gate[16];
  if (!(events->interrupt.injected || events->nmi.injected || events->exception.injected)) return ~0ull;
  for (int i = 0; i < size; i++) {
    const UINT8 *byte = host_memory(partition, state, state->system.idt.base + (UINT64)(vector * size + i), 0, &gpa, &rights);
    if (!byte) return ~0ull;
    gate[i] = *byte;
  }
  memcpy(&offset, gate, 2);
  if (size > 4) memcpy((UINT8 *)&offset + 2, gate + 6, 2);
  if (size > 8) memcpy((UINT8 *)&offset + 4, gate + 8, 4);
  return offset;
}

/* IRET and POPF load RFLAGS, and would end single-stepping: their image in memory gets TF, and the trap comes behind the
 * instruction that follows, whose address is `next`. Answers the byte of the image that holds TF; NULL for other code. */
static UINT8 *popped_trap_flag(Partition *partition, const State *state, UINT64 *next) {
  UINT8 code[16], count = copy_code(partition, state, code);
  Prefixes prefixes = prefixes_of(state, code, count);
  UINT8 opcode = prefixes.count < count ? code[prefixes.count] : 0;
  UINT64 gpa, stack = is_long(state) ? ~0ull : state->system.ss.db ? 0xffffffff : 0xffff;
  UINT32 rights;
  if (opcode != 0xcf && opcode != 0x9d) return NULL;
  int size = is_long(state) ? (opcode == 0x9d || prefixes.wide ? 8 : 4) : state->system.cs.db ? 4 : 2;
  if (prefixes.operand_size && !prefixes.wide) size = size == 2 ? 4 : 2;
  *next = state->general.rip + prefixes.count + 1;
  if (opcode == 0xcf) *next = 0;
  for (int i = 0; opcode == 0xcf && i < size; i++) {
    const UINT8 *byte = host_memory(partition, state, linear(state, &state->system.ss, (state->general.rsp + (UINT64)i) & stack), 0, &gpa, &rights);
    if (!byte) return NULL;
    *next |= (UINT64)*byte << 8 * i;
  }
  UINT64 image = state->general.rsp + (opcode == 0xcf ? 2 * (UINT64)size : 0) + 1;
  return host_memory(partition, state, linear(state, &state->system.ss, image & stack), 0, &gpa, &rights);
}

/* A repeated string instruction may have gone on for some elements when KVM tells of an access to device memory, and has
 * counted a store already: the state behind the last element that is finished. */
static void count_elements(State *state, const State *now, const UINT8 *code, UINT8 count, int is_write) {
  Prefixes prefixes = prefixes_of(state, code, count);
  UINT8 opcode = code[prefixes.count & 15];
  int wide = is_long(state) ? 64 : state->system.cs.db ? 32 : 16;
  INT64 done = (INT64)((state->general.rcx - now->general.rcx) << (64 - wide)) >> (64 - wide);
  if (!prefixes.repeat || opcode < 0xa4 || opcode > 0xaf || opcode == 0xa8 || opcode == 0xa9 || done <= 0) return;
  INT64 source = (INT64)((now->general.rsi - state->general.rsi) << (64 - wide)) >> (64 - wide);
  INT64 target = (INT64)((now->general.rdi - state->general.rdi) << (64 - wide)) >> (64 - wide);
  INT64 finished = is_write ? done - 1 : done;
  UINT64 mask = wide == 64 ? ~0ull : wide == 32 ? 0xffffffff : 0xffff, high = wide == 16 ? ~mask : 0;
  if (finished == 0) return;
  state->general.rcx = (state->general.rcx & high) | ((state->general.rcx - (UINT64)finished) & mask);
  state->general.rsi = (state->general.rsi & high) | ((state->general.rsi + (UINT64)(source / done * finished)) & mask);
  state->general.rdi = (state->general.rdi & high) | ((state->general.rdi + (UINT64)(target / done * finished)) & mask);
}

/* What the host asked to be told of or to deliver, and can be now. Answers whether that is an exit. */
static int window(Processor *processor, const State *state, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER notify = {.AsUINT64 = register_of(processor, WHvX64RegisterDeliverabilityNotifications)};
  WHV_X64_PENDING_EXT_INT_EVENT *event = &register_slot(processor, WHvRegisterPendingEvent)->ExtIntEvent;
  struct Kvm *kvm = processor->kvm;
  const Events *events = &state->events;
  int busy = events->interrupt.injected || events->nmi.injected || events->exception.injected;
  int interruptible = !busy && !events->interrupt.shadow && state->general.rflags >> 9 & 1;
  if (notify.NmiNotification && !busy && !events->nmi.masked) {
    set_register(processor, WHvX64RegisterDeliverabilityNotifications, notify.AsUINT64 & ~1ull);
    exit->ExitReason = WHvRunVpExitReasonX64InterruptWindow;
    exit->InterruptWindow.DeliverableType = WHvX64PendingNmi;
    return 1;
  }
  if (event->EventPending && event->EventType == WHvX64PendingEventExtInt && interruptible) {
    Events next = *events;
    next.interrupt.injected = 1;
    next.interrupt.nr = event->Vector;
    control(kvm->file, KVM_SET_VCPU_EVENTS, &next);
    kvm->run->state.events = next;
    memset(event, 0, sizeof *event);
  } else if (notify.InterruptNotification && interruptible) {
    set_register(processor, WHvX64RegisterDeliverabilityNotifications, notify.AsUINT64 & ~0x3eull);
    exit->ExitReason = WHvRunVpExitReasonX64InterruptWindow;
    exit->InterruptWindow.DeliverableType = WHvX64PendingInterrupt;
    return 1;
  }
  return 0;
}

/* The exit, with the registers of the platform as they are in it. */
static void settle(Processor *processor, const State *state, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  kvm_store(processor, &state->general, &state->system, &state->events);
  fill_common(processor, exit);
}

/* What ends a run without an exit. */
static HRESULT fail(const char *what, const State *state, UINT32 detail) {
  violation("WHvRunVirtualProcessor", "KVM: %s (0x%x) at 0x%llx", what, detail, state->general.rip);
  return E_FAIL;
}

HRESULT kvm_run(Partition *partition, Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit) {
  State state;
  memset(&state, 0, sizeof state);
  if (!partition->kvm && !make_partition(partition)) return fail("no partition", &state, 0);
  if (!processor->kvm && !make_processor(partition, processor)) return fail("no processor", &state, 0);
  if (!map_memory(partition)) return fail("memory is refused", &state, 0);
  struct Kvm *kvm = processor->kvm;
  Run *run = kvm->run;
  int stepping = !(register_of(processor, WHvX64RegisterRflags) >> 8 & 1);
  GuestDebug debug = {stepping ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0, 0, {0}};
  if (!kvm_load(processor)) {
    fill_common(processor, exit);
    exit->ExitReason = WHvRunVpExitReasonInvalidVpRegisterValue;
    return S_OK;
  }
  control(kvm->file, KVM_SET_GUEST_DEBUG, &debug);
  /* The shadow of an STI before does not outlive a single step everywhere. */
  for (int shadow = 0;;) {
    run->state.events.interrupt.shadow |= (UINT8)shadow;
    memcpy(&state, &run->state, sizeof state);
    memset(exit, 0, sizeof *exit);
    if (WaitForSingleObject(processor->cancelled, 0) == WAIT_OBJECT_0) {
      settle(processor, &state, exit);
      exit->ExitReason = WHvRunVpExitReasonCanceled;
      exit->CancelReason.CancelReason = WhvRunVpCancelReasonUser;
      return S_OK;
    }
    if (window(processor, &state, exit)) {
      WHV_RUN_VP_EXIT_CONTEXT found = *exit;
      settle(processor, &state, exit);
      exit->ExitReason = found.ExitReason;
      exit->InterruptWindow = found.InterruptWindow;
      return S_OK;
    }
    memcpy(&state, &run->state, sizeof state);
    UINT64 gpa = frame_without_memory(partition, &state);
    if (gpa != ~0ull) {
      settle(processor, &state, exit);
      memory_exit(partition, &state, exit, gpa, WHvMemoryAccessWrite);
      return S_OK;
    }
    UINT32 rights = 0;
    UINT8 *code = host_memory(partition, &state, linear(&state, &state.system.cs, state.general.rip), WHvTranslateGvaFlagValidateExecute, &gpa, &rights);
    if (gpa != ~0ull && !(code && rights & WHvMapGpaRangeFlagExecute)) {
      settle(processor, &state, exit);
      memory_exit(partition, &state, exit, gpa, WHvMemoryAccessExecute);
      exit->MemoryAccess.InstructionByteCount = 0;
      return S_OK;
    }
    UINT64 handler = handler_of(partition, &state), next = ~0ull;
    UINT8 *trap = stepping && handler == ~0ull ? popped_trap_flag(partition, &state, &next) : NULL;
    UINT8 image = trap ? *trap : 0;
    if (trap) *trap |= 1;
    LeaveCriticalSection(&lock);
    long long status = control(kvm->file, KVM_RUN, NULL);
    EnterCriticalSection(&lock);
    if (trap && *trap == (image | 1)) *trap = image;
    if (status == -LINUX_EINTR) { memcpy(&run->state, &state, sizeof state); continue; }
    if (status < 0) return fail("KVM_RUN", &state, (UINT32)-status);
    UINT32 reason = run->reason;
    /* A delivery and the first instruction of the handler are one step, and so are IRET or POPF and the next instruction;
     * what a string instruction has counted meanwhile is counted back below. */
    UINT64 start = handler != ~0ull ? handler : trap ? next : ~0ull;
    if (start != ~0ull && reason != KVM_EXIT_SHUTDOWN) {
      Registers before = state.general;
      memcpy(&state, &run->state, sizeof state);
      state.general.rip = start;
      state.general.rcx = before.rcx;
      state.general.rsi = before.rsi;
      state.general.rdi = before.rdi;
      code = host_memory(partition, &state, linear(&state, &state.system.cs, start), WHvTranslateGvaFlagValidateExecute, &gpa, &rights);
    }
    /* A single step over HLT may end as a step, and a later step as the halt that KVM remembered. */
    int halted = is_halt(partition, &state, run->state.general.rip - state.general.rip);
    if (stepping && (reason == KVM_EXIT_DEBUG || reason == KVM_EXIT_HLT)) reason = halted ? KVM_EXIT_HLT : KVM_EXIT_DEBUG;
    switch (reason) {
      case KVM_EXIT_DEBUG:
        shadow = start == ~0ull && code && *code == 0xfb && !(state.general.rflags >> 9 & 1) ? 2 : 0;
        continue;
      case KVM_EXIT_HLT:
        memcpy(&state, &run->state, sizeof state);
        settle(processor, &state, exit);
        exit->ExitReason = WHvRunVpExitReasonX64Halt;
        return S_OK;
      case KVM_EXIT_SHUTDOWN:
        settle(processor, &state, exit);
        exit->ExitReason = WHvRunVpExitReasonUnrecoverableException;
        return S_OK;
      case KVM_EXIT_FAIL_ENTRY:
        settle(processor, &state, exit);
        exit->ExitReason = WHvRunVpExitReasonInvalidVpRegisterValue;
        return S_OK;
      case KVM_EXIT_IO:
      case KVM_EXIT_MMIO:
      case KVM_EXIT_X86_RDMSR:
      case KVM_EXIT_X86_WRMSR:
        if (!stepping) {
          if (reason == KVM_EXIT_MMIO && run->mmio.is_write) return fail("a store of a guest that is not single-stepped", &state, reason);
          memcpy(&state, &run->state, sizeof state);
        }
        if (reason == KVM_EXIT_MMIO) {
          UINT8 bytes[16];
          UINT8 count = copy_code(partition, &state, bytes);
          count_elements(&state, (const State *)&run->state, bytes, count, run->mmio.is_write);
        }
        settle(processor, &state, exit);
        if (reason == KVM_EXIT_IO) port_exit(partition, &state, exit, run, processor);
        else if (reason == KVM_EXIT_MMIO) memory_exit(partition, &state, exit, run->mmio.gpa, run->mmio.is_write ? WHvMemoryAccessWrite : WHvMemoryAccessRead);
        else msr_exit(&state, exit, run);
        undo(partition, processor, &state);
        return S_OK;
      case KVM_EXIT_INTERNAL_ERROR: return E_NOTIMPL;
      default: return fail("an exit that the platform does not have", &state, reason);
    }
  }
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
