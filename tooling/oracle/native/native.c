// Runs one x86 instruction per record on the processor under it, at CPL 3, and reports what it changed.
//
// Every record is one return from a signal frame, which loads all registers at once, and one trap back: the code page is
// full of INT3, so whatever instruction comes next traps; faults arrive as their own signals. Single-stepping by TF would
// do the same four times slower. SYSCALL and INT 80h are kept from the kernel by Syscall User Dispatch, and a timer ends
// an instruction that never comes back.
//
// Memory: one page of code at CODE (executable, INT3 around the instruction), DATA of 64 KiB with, after it, a read-only
// page and one without access. The record gives and takes the WINDOW inside DATA; all else in DATA is zero.
// Modes: 0 is 64-bit, 1 compatibility 32-bit, 2 16-bit protected mode with CS based at CODE, DS, ES and SS at DATA.
//
// Build: gcc -O2 -static -no-pie -fno-stack-protector -fcf-protection=none native.c
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE = 0x10000000, DATA = 0x20000000, DATA_SIZE = 0x10000, PAGE = 0x1000 };
enum { WINDOW = DATA + 0x7f00, WINDOW_SIZE = 0x200 };
enum { MODE_64 = 0, MODE_32 = 1, MODE_16 = 2 };
enum { USER_CS64 = 0x33, USER_CS32 = 0x23, USER_DS = 0x2b, LDT_CS = 7, LDT_DS = 15 };
enum { FLAG_TF = 0x100, FLAG_FIXED = 2 };

// Both records are little endian and packed; tooling/oracle/src/record.js writes and reads them.
struct __attribute__((packed)) request {
  uint8_t code_length, mode;
  uint16_t code_offset;
  uint32_t unused;
  uint8_t code[16];
  uint64_t registers[16];  // rax rcx rdx rbx rsp rbp rsi rdi r8 to r15
  uint64_t flags;
  uint8_t vectors[16][16];
  uint8_t mmx[8][8];
  uint8_t window[WINDOW_SIZE];
};
struct __attribute__((packed)) report {
  uint8_t signal, trap;  // trap: the exception's vector; 3 for the INT3 that ends a finished instruction
  uint16_t unused;
  uint32_t error_code;
  uint64_t cr2;
  uint64_t registers[16];
  uint64_t ip, flags;
  uint8_t vectors[16][16];
  uint8_t mmx[8][8];
  uint8_t window[WINDOW_SIZE];
};

static const int register_index[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct request request;
static struct report report;
static uint64_t started_records, seen_records;
static char dispatch_selector = 1;
static int running;
extern char __executable_start, etext;
uint64_t own_fs_base;

static int read_all(void *to, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t n = read(0, (char *)to + at, size - at);
    if (n == 0) return 0;
    if (n < 0 && errno != EINTR) _exit(4);
    if (n > 0) at += n;
  }
  return 1;
}
static void write_all(const void *from, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t n = write(1, (const char *)from + at, size - at);
    if (n < 0 && errno != EINTR) _exit(2);
    if (n > 0) at += n;
  }
}

// The XSAVE image behind the frame: x87 registers from byte 32, 16 bytes each, and XMM registers from byte 160 in the legacy
// area; its header's first word says what is valid. The stack top is 0, so ST(i) is MMi.
static uint8_t *x87_area(ucontext_t *context) { return (uint8_t *)context->uc_mcontext.fpregs; }
static uint8_t *xmm_area(ucontext_t *context) { return (uint8_t *)context->uc_mcontext.fpregs + 160; }
static uint64_t *valid_components(ucontext_t *context) { return (uint64_t *)((uint8_t *)context->uc_mcontext.fpregs + 512); }

static void start_next(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  static uint8_t *previous;
  if (!read_all(&request, sizeof request)) _exit(0);
  started_records++;
  if (previous) memset(previous, 0xcc, 16);
  previous = (uint8_t *)(uintptr_t)(CODE + request.code_offset);
  memcpy(previous, request.code, request.code_length);
  memset((void *)DATA, 0, DATA_SIZE);
  memcpy((void *)WINDOW, request.window, WINDOW_SIZE);
  for (int i = 0; i < 16; i++) registers[register_index[i]] = request.registers[i];
  registers[REG_EFL] = (request.flags & ~(uint64_t)FLAG_TF) | FLAG_FIXED;
  registers[REG_RIP] = (request.mode == MODE_16 ? 0 : CODE) + request.code_offset;
  uint64_t cs = request.mode == MODE_64 ? USER_CS64 : request.mode == MODE_32 ? USER_CS32 : LDT_CS;
  uint64_t data = request.mode == MODE_16 ? LDT_DS : USER_DS;
  registers[REG_CSGSFS] = cs | data << 48;
  asm volatile("mov %0, %%ds; mov %0, %%es" ::"r"((uint32_t)data));
  memcpy(xmm_area(context), request.vectors, sizeof request.vectors);
  uint8_t *x87 = x87_area(context);
  memset(x87, 0, 24);
  x87[0] = 0x7f, x87[1] = 0x03, x87[4] = 0xff;  // default control word, all registers valid
  for (int i = 0; i < 8; i++) {
    memcpy(x87 + 32 + 16 * i, request.mmx[i], 8);
    memset(x87 + 40 + 16 * i, 0xff, 2);
  }
  *valid_components(context) |= 3;
}

static void __attribute__((used)) handle(int signal, siginfo_t *info, ucontext_t *context) {
  (void)info;
  if (!running) {
    running = 1;
    start_next(context);
    return;
  }
  // The timer ends a record only when it has seen it once already.
  if (signal == SIGALRM && started_records != seen_records) {
    seen_records = started_records;
    return;
  }
  greg_t *registers = context->uc_mcontext.gregs;
  memset(&report, 0, sizeof report);
  report.signal = signal;
  report.trap = registers[REG_TRAPNO];
  report.error_code = registers[REG_ERR];
  report.cr2 = registers[REG_CR2];
  for (int i = 0; i < 16; i++) report.registers[i] = registers[register_index[i]];
  report.ip = registers[REG_RIP];
  report.flags = registers[REG_EFL];
  if (*valid_components(context) & 2) memcpy(report.vectors, xmm_area(context), sizeof report.vectors);
  if (*valid_components(context) & 1) for (int i = 0; i < 8; i++) memcpy(report.mmx[i], x87_area(context) + 32 + 16 * i, 8);
  memcpy(report.window, (void *)WINDOW, WINDOW_SIZE);
  write_all(&report, sizeof report);
  start_next(context);
}

// The instruction may have changed DF, AC or the FS base: put them right before C code runs.
void entry(int, siginfo_t *, void *);
asm(".globl entry\nentry:\n push $2\n popf\n push %rbx\n mov own_fs_base(%rip), %rax\n wrfsbase %rax\n"
    " call handle\n pop %rbx\n ret\n");

static void map_at(uintptr_t address, size_t size, int protection) {
  void *got = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != (void *)address) _exit(5);
}

static void descriptor(unsigned entry_number, unsigned base, unsigned contents) {
  struct user_desc descriptor = {.entry_number = entry_number, .base_addr = base, .limit = 0xffff, .contents = contents, .useable = 1};
  if (syscall(SYS_modify_ldt, 1, &descriptor, sizeof descriptor)) _exit(6);
}

int main(void) {
  asm volatile("rdfsbase %0" : "=r"(own_fs_base));
  map_at(CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  memset((void *)CODE, 0xcc, PAGE);
  map_at(DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  map_at(DATA + DATA_SIZE, PAGE, PROT_READ);
  map_at(DATA + DATA_SIZE + PAGE, PAGE, PROT_NONE);
  descriptor(0, CODE, MODIFY_LDT_CONTENTS_CODE);
  descriptor(1, DATA, MODIFY_LDT_CONTENTS_DATA);
  stack_t stack = {.ss_size = 1 << 17};
  stack.ss_sp = mmap(0, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
  action.sa_sigaction = entry;
  sigfillset(&action.sa_mask);
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGALRM, SIGUSR1};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  struct itimerval timer = {{0, 100000}, {0, 100000}};
  setitimer(ITIMER_REAL, &timer, 0);
  // System calls from outside this program's own text become SIGSYS.
  long text = (long)&__executable_start;
  if (prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, text, (long)&etext - text, &dispatch_selector)) _exit(7);
  raise(SIGUSR1);
  return 9;
}
