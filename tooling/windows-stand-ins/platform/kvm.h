/* What the stand-in needs of Linux: system calls, which a program under Wine may make like any other Linux process, and
 * the structures of linux/kvm.h for x86-64 (Documentation/virt/kvm/api.rst). */
#ifndef KVM_H
#define KVM_H

#include "stand-in.h"

enum { SYS_OPEN = 2, SYS_CLOSE = 3, SYS_MMAP = 9, SYS_MUNMAP = 11, SYS_IOCTL = 16, LINUX_EINTR = 4 };

enum { KVM_GET_API_VERSION = 0xae00, KVM_CREATE_VM = 0xae01, KVM_CHECK_EXTENSION = 0xae03, KVM_GET_VCPU_MMAP_SIZE = 0xae04, KVM_CREATE_VCPU = 0xae41, KVM_RUN = 0xae80 };
#define KVM_GET_SUPPORTED_CPUID 0xc008ae05ul
#define KVM_GET_DIRTY_LOG 0x4010ae42ul
#define KVM_SET_USER_MEMORY_REGION 0x4020ae46ul
#define KVM_GET_REGS 0x8090ae81ul
#define KVM_SET_REGS 0x4090ae82ul
#define KVM_GET_SREGS 0x8138ae83ul
#define KVM_SET_SREGS 0x4138ae84ul
#define KVM_GET_MSRS 0xc008ae88ul
#define KVM_SET_MSRS 0x4008ae89ul
#define KVM_GET_FPU 0x81a0ae8cul
#define KVM_SET_FPU 0x41a0ae8dul
#define KVM_SET_CPUID2 0x4008ae90ul
#define KVM_SET_GUEST_DEBUG 0x4048ae9bul
#define KVM_GET_VCPU_EVENTS 0x8040ae9ful
#define KVM_SET_VCPU_EVENTS 0x4040aea0ul
#define KVM_GET_DEBUGREGS 0x8080aea1ul
#define KVM_SET_DEBUGREGS 0x4080aea2ul
#define KVM_ENABLE_CAP 0x4068aea3ul
#define KVM_GET_XCRS 0x8188aea6ul
#define KVM_SET_XCRS 0x4188aea7ul

enum { KVM_CAP_SYNC_REGS = 74, KVM_CAP_X86_USER_SPACE_MSR = 188 };
enum { KVM_MSR_EXIT_REASON_INVAL = 1, KVM_MSR_EXIT_REASON_UNKNOWN = 2 };
enum { KVM_MEM_LOG_DIRTY_PAGES = 1, KVM_MEM_READONLY = 2 };
enum { KVM_GUESTDBG_ENABLE = 1, KVM_GUESTDBG_SINGLESTEP = 2 };
enum { KVM_VCPUEVENT_VALID_SHADOW = 4 };
enum { KVM_SYNC_X86_REGS = 1, KVM_SYNC_X86_SREGS = 2, KVM_SYNC_X86_EVENTS = 4 };
enum {
  KVM_EXIT_IO = 2, KVM_EXIT_DEBUG = 4, KVM_EXIT_HLT = 5, KVM_EXIT_MMIO = 6, KVM_EXIT_SHUTDOWN = 8, KVM_EXIT_FAIL_ENTRY = 9, KVM_EXIT_INTERNAL_ERROR = 17,
  KVM_EXIT_X86_RDMSR = 29, KVM_EXIT_X86_WRMSR = 30
};

typedef struct { UINT32 slot, flags; UINT64 gpa, size, address; } Region;
typedef struct { UINT32 slot, padding; UINT64 *bitmap; } DirtyLog;
typedef struct { UINT64 base; UINT32 limit; UINT16 selector; UINT8 type, present, dpl, db, s, l, g, avl, unusable, padding; } Segment;
typedef struct { UINT64 base; UINT16 limit, padding[3]; } Table;
typedef struct { UINT64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags; } Registers;
typedef struct {
  Segment cs, ds, es, fs, gs, ss, tr, ldt;
  Table gdt, idt;
  UINT64 cr0, cr2, cr3, cr4, cr8, efer, apic_base, interrupt_bitmap[4];
} SystemRegisters;
typedef struct {
  struct { UINT8 injected, nr, has_error_code, pending; UINT32 error_code; } exception;
  struct { UINT8 injected, nr, soft, shadow; } interrupt;
  struct { UINT8 injected, pending, masked, padding; } nmi;
  UINT32 sipi_vector, flags;
  UINT8 rest[32], exception_has_payload_and_padding[8];
} Events;
typedef struct {
  UINT8 fpr[8][16];
  UINT16 fcw, fsw;
  UINT8 ftwx, padding;
  UINT16 last_opcode;
  UINT64 last_ip, last_dp;
  UINT8 xmm[16][16];
  UINT32 mxcsr, padding2;
} Fpu;
typedef struct { UINT64 db[4], dr6, dr7, flags, reserved[9]; } DebugRegisters;
typedef struct { UINT32 count, flags; struct { UINT32 xcr, reserved; UINT64 value; } xcrs[16]; UINT64 padding[16]; } ExtendedControl;
typedef struct { UINT32 index, reserved; UINT64 data; } Msr;
typedef struct { UINT32 count, padding; Msr entries[16]; } Msrs;
typedef struct { UINT32 function, index, flags, eax, ebx, ecx, edx, padding[3]; } CpuidEntry;
enum { MAX_CPUID = 256 };
typedef struct { UINT32 count, padding; CpuidEntry entries[MAX_CPUID]; } Cpuid;
typedef struct { UINT32 control, padding; UINT64 registers[8]; } GuestDebug;
typedef struct { UINT32 capability, flags; UINT64 arguments[4]; UINT8 padding[64]; } EnableCapability;

/* struct kvm_run, as far as it is used. */
typedef struct {
  UINT8 request_interrupt_window, immediate_exit, padding[6];
  UINT32 reason;
  UINT8 ready_for_interrupt_injection, if_flag;
  UINT16 flags;
  UINT64 cr8, apic_base;
  union {
    struct { UINT8 direction, size; UINT16 port; UINT32 count; UINT64 offset; } io;
    struct { UINT64 gpa; UINT8 data[8]; UINT32 length; UINT8 is_write; } mmio;
    struct { UINT8 error, padding[7]; UINT32 reason, index; UINT64 data; } msr;
    UINT8 padding2[256];
  };
  UINT64 valid_registers, dirty_registers;
  struct { Registers general; SystemRegisters system; Events events; } state;
} Run;

C_ASSERT(sizeof(Segment) == 24 && sizeof(SystemRegisters) == 312 && sizeof(Registers) == 144 && sizeof(Events) == 64);
C_ASSERT(sizeof(Fpu) == 416 && sizeof(DebugRegisters) == 128 && sizeof(ExtendedControl) == 392 && sizeof(CpuidEntry) == 40);
C_ASSERT(FIELD_OFFSET(Run, io) == 32 && FIELD_OFFSET(Run, valid_registers) == 288 && FIELD_OFFSET(Run, state) == 304);

/* Of a partition the file and the regions, of a processor the file and what it shares with the kernel. */
struct Kvm {
  long long file;
  Run *run;
  long long run_size;
  Region regions[MAX_RANGES];
  UINT64 time_stamp; /* as it was last told to the host */
  UINT32 made; /* processors: KVM never forgets the number of one */
};

long long linux_call(long long number, long long a, long long b, long long c, long long d, long long e, long long f);
long long control(long long file, unsigned long request, const void *argument);

/* kvm-state.c: the registers of the platform to and from a processor of KVM. */
/* 0 where KVM finds that no processor can be in that state. */
int kvm_load(Processor *processor);
/* The state behind `general`, `system` and `events`; what else there is, is asked of KVM. */
void kvm_store(Processor *processor, const Registers *general, const SystemRegisters *system, const Events *events);
#endif
