// Runs one x86 instruction per record on the processor under it, at CPL 3, and reports what it changed.
//
// Every record is one return from a signal frame, which loads all registers at once, and one trap back: the code page is
// full of INT3, so whatever instruction comes next traps; faults arrive as their own signals. Single-stepping by TF would
// do the same four times slower. SYSCALL and INT 80h are kept from the kernel by Syscall User Dispatch, and a timer ends
// an instruction that never comes back.
//
// The state is all that a process has: general registers, flags, opmask and ZMM registers (as far as the processor has them), MXCSR, x87.
//
// Memory: one page of code at CODE (executable, INT3 around the instruction), DATA of 64 KiB with, after it, a read-only
// page and one without access. The record gives and takes two pieces of DATA, WINDOW and EDGE (its end); all else in it is zero.
// Modes: 0 is 64-bit, 1 compatibility 32-bit, 2 16-bit protected mode with CS based at CODE, all others at DATA. FS and GS are
// null with the record's bases in 64-bit code; in other code FS is DATA and GS a part of it with a limit of its own.
//
// Build: gcc -O2 -static -no-pie -fno-stack-protector -fcf-protection=none native.c
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE = 0x10000000, DATA = 0x20000000, DATA_SIZE = 0x10000, PAGE = 0x1000 };
enum { WINDOW = DATA + 0x7f00, WINDOW_SIZE = 0x400, EDGE_SIZE = 0x100, EDGE = DATA + DATA_SIZE - EDGE_SIZE };
enum { GS_AT = DATA + 0x4000, GS_LIMIT = 0x407f };
enum { MODE_64 = 0, MODE_32 = 1, MODE_16 = 2 };
enum { USER_CS64 = 0x33, USER_CS32 = 0x23, USER_DS = 0x2b, LDT_CS = 7, LDT_DS = 15, LDT_GS = 23 };
enum { FLAG_TF = 0x100, FLAG_FIXED = 2 };

// Records are little endian; tooling/oracle/src/record.js writes and reads them.
struct state {
  uint64_t registers[16];  // rax rcx rdx rbx rsp rbp rsi rdi r8 to r15
  uint64_t flags;
  uint64_t masks[8];
  uint32_t mxcsr;
  uint16_t x87_control, x87_status;
  uint8_t x87_tags, unused[15];
  uint8_t x87[8][16];  // physical registers, 10 bytes of each
  uint8_t vectors[32][64];
  uint8_t window[WINDOW_SIZE], edge[EDGE_SIZE];
  uint64_t bases[2];  // of FS and GS, in 64-bit code
};
struct request {
  uint8_t code_length, mode;
  uint16_t code_offset;
  uint32_t unused;
  uint8_t code[16];
  uint64_t unused_too;
  struct state state;
};
struct report {
  uint8_t signal, trap;  // trap: the exception's vector; 3 for the INT3 that ends a finished instruction
  uint16_t unused;
  uint32_t error_code;
  uint64_t cr2, ip, unused_too;
  struct state state;
};
_Static_assert(sizeof(struct request) == 3728 && sizeof(struct report) == 3728, "as record.js has them");

static const int register_index[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct request request;
static struct report report;
static uint64_t started_records, seen_records;
static char dispatch_selector = 1;
static int running;
extern char __executable_start, etext;
uint64_t own_fs_base;
// What entry loads into FS and GS on the way out: selectors, and bases where fs_gs_long is set; and what it finds on the way in.
uint32_t fs_selector, gs_selector, fs_gs_long;
uint64_t fs_base, gs_base, seen_fs_base, seen_gs_base;

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

// The XSAVE image behind the frame, in standard form: MXCSR at byte 24, x87 registers in stack order from byte 32, XMM
// registers from byte 160; its header's first word says what is valid. Where the upper halves of YMM0 to YMM15 lie, the
// opmask registers, the upper halves of ZMM0 to ZMM15 and all of ZMM16 to ZMM31, CPUID tells; 0 is nowhere.
enum { YMM_HIGH = 2, OPMASK = 5, ZMM_HIGH = 6, ZMM_MORE = 7 };
static unsigned component_at[8];
static uint64_t known_components = 3;

static void find_components(void) {
  unsigned a, b, c, d, low, high;
  __cpuid(1, a, b, c, d);
  if (!(c & bit_OSXSAVE)) return;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  for (int i = YMM_HIGH; i <= ZMM_MORE; i++) {
    if (!(low & 1u << i) || i == 3 || i == 4) continue;
    __cpuid_count(0xd, i, a, b, c, d);
    component_at[i] = b;
    known_components |= 1u << i;
  }
}

static uint8_t *image_of(ucontext_t *context) { return (uint8_t *)context->uc_mcontext.fpregs; }
static uint64_t *valid_components(ucontext_t *context) { return (uint64_t *)(image_of(context) + 512); }

static void copy(void *a, void *b, size_t size, int out) {
  if (out) memcpy(b, a, size);
  else memcpy(a, b, size);
}
// Between the image and a state; what the image does not hold is zero.
static void move_vectors(uint8_t *image, struct state *state, uint64_t components, int out) {
  for (int i = 0; i < 16; i++) {
    if (components & 2) copy(image + 160 + 16 * i, state->vectors[i], 16, out);
    if (components & 1 << YMM_HIGH) copy(image + component_at[YMM_HIGH] + 16 * i, state->vectors[i] + 16, 16, out);
    if (components & 1 << ZMM_HIGH) copy(image + component_at[ZMM_HIGH] + 32 * i, state->vectors[i] + 32, 32, out);
    if (components & 1 << ZMM_MORE) copy(image + component_at[ZMM_MORE] + 64 * i, state->vectors[16 + i], 64, out);
  }
  if (components & 1 << OPMASK) copy(image + component_at[OPMASK], state->masks, sizeof state->masks, out);
}

static void start_next(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  static uint8_t *previous;
  if (!read_all(&request, sizeof request)) _exit(0);
  started_records++;
  if (previous) memset(previous, 0xcc, 16);
  previous = (uint8_t *)(uintptr_t)(CODE + request.code_offset);
  memcpy(previous, request.code, request.code_length);
  memset((void *)DATA, 0, DATA_SIZE);
  struct state *state = &request.state;
  memcpy((void *)WINDOW, state->window, WINDOW_SIZE);
  memcpy((void *)EDGE, state->edge, EDGE_SIZE);
  for (int i = 0; i < 16; i++) registers[register_index[i]] = state->registers[i];
  registers[REG_EFL] = (state->flags & ~(uint64_t)FLAG_TF) | FLAG_FIXED;
  registers[REG_RIP] = (request.mode == MODE_16 ? 0 : CODE) + request.code_offset;
  uint64_t cs = request.mode == MODE_64 ? USER_CS64 : request.mode == MODE_32 ? USER_CS32 : LDT_CS;
  uint64_t data = request.mode == MODE_16 ? LDT_DS : USER_DS;
  registers[REG_CSGSFS] = cs | data << 48;
  asm volatile("mov %0, %%ds; mov %0, %%es" ::"r"((uint32_t)data));
  fs_gs_long = request.mode == MODE_64;
  fs_selector = fs_gs_long ? 0 : LDT_DS;
  gs_selector = fs_gs_long ? 0 : LDT_GS;
  fs_base = state->bases[0];
  gs_base = state->bases[1];
  uint8_t *image = image_of(context);
  move_vectors(image, state, known_components, 0);
  memset(image, 0, 24);
  memcpy(image, &state->x87_control, 2);
  memcpy(image + 2, &state->x87_status, 2);
  image[4] = state->x87_tags;
  memcpy(image + 24, &state->mxcsr, 4);
  int top = state->x87_status >> 11 & 7;
  for (int i = 0; i < 8; i++) memcpy(image + 32 + 16 * i, state->x87[(i + top) & 7], 10);
  *valid_components(context) |= known_components;
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
  struct state *state = &report.state;
  for (int i = 0; i < 16; i++) state->registers[i] = registers[register_index[i]];
  report.ip = registers[REG_RIP];
  state->flags = registers[REG_EFL];
  uint8_t *image = image_of(context);
  uint64_t valid = *valid_components(context) & known_components;
  move_vectors(image, state, valid, 1);
  memcpy(&state->mxcsr, image + 24, 4);
  state->x87_control = 0x37f;
  if (valid & 1) {
    memcpy(&state->x87_control, image, 2);
    memcpy(&state->x87_status, image + 2, 2);
    state->x87_tags = image[4];
    int top = state->x87_status >> 11 & 7;
    for (int i = 0; i < 8; i++) memcpy(state->x87[(i + top) & 7], image + 32 + 16 * i, 10);
  }
  memcpy(state->window, (void *)WINDOW, WINDOW_SIZE);
  memcpy(state->edge, (void *)EDGE, EDGE_SIZE);
  state->bases[0] = fs_gs_long ? seen_fs_base : 0;
  state->bases[1] = fs_gs_long ? seen_gs_base : 0;
  write_all(&report, sizeof report);
  start_next(context);
}

// The instruction may have changed DF, AC or the FS base: put them right before C code runs.
void entry(int, siginfo_t *, void *);
asm(".globl entry\nentry:\n push $2\n popf\n push %rbx\n rdfsbase %rax\n mov %rax, seen_fs_base(%rip)\n"
    " rdgsbase %rax\n mov %rax, seen_gs_base(%rip)\n mov own_fs_base(%rip), %rax\n wrfsbase %rax\n call handle\n"
    " pop %rbx\n mov fs_selector(%rip), %eax\n mov %eax, %fs\n mov gs_selector(%rip), %eax\n mov %eax, %gs\n"
    " cmpl $0, fs_gs_long(%rip)\n je 1f\n mov fs_base(%rip), %rax\n wrfsbase %rax\n mov gs_base(%rip), %rax\n"
    " wrgsbase %rax\n1: ret\n");

static void map_at(uintptr_t address, size_t size, int protection) {
  void *got = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != (void *)address) _exit(5);
}

static void descriptor(unsigned entry_number, unsigned base, unsigned limit, unsigned contents) {
  struct user_desc descriptor = {.entry_number = entry_number, .base_addr = base, .limit = limit, .contents = contents, .useable = 1};
  if (syscall(SYS_modify_ldt, 1, &descriptor, sizeof descriptor)) _exit(6);
}

int main(int count, char **arguments) {
  (void)count;
  // The heap of a static program lies anywhere in a gigabyte, unless it is told not to.
  int persona = personality(0xffffffff);
  if (!(persona & ADDR_NO_RANDOMIZE)) {
    if (personality(persona | ADDR_NO_RANDOMIZE) < 0) _exit(10);
    execv("/proc/self/exe", arguments);
    _exit(11);
  }
  asm volatile("rdfsbase %0" : "=r"(own_fs_base));
  find_components();
  map_at(CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  memset((void *)CODE, 0xcc, PAGE);
  map_at(DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  map_at(DATA + DATA_SIZE, PAGE, PROT_READ);
  map_at(DATA + DATA_SIZE + PAGE, PAGE, PROT_NONE);
  // Present from the start, so that a write to it is a violation and not a page that is not there yet.
  (void)*(volatile uint8_t *)(DATA + DATA_SIZE);
  descriptor(0, CODE, 0xffff, MODIFY_LDT_CONTENTS_CODE);
  descriptor(1, DATA, 0xffff, MODIFY_LDT_CONTENTS_DATA);
  descriptor(2, GS_AT, GS_LIMIT, MODIFY_LDT_CONTENTS_DATA);
  // Disarmed during the handler: else the kernel takes a tested stack pointer that lies in this stack for the handler's own.
  stack_t stack = {.ss_size = 1 << 17, .ss_flags = (int)(1u << 31) /* SS_AUTODISARM */};
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
