/*
 * Records what a processor with AVX-512 does with masked and broadcast data movement, compression, expansion, narrowing and
 * comparisons into opmasks: for each form six combinations of opmask and place of memory, at and across the end of what is
 * mapped. Writes processor.txt, of which the test reads back the forms; registers and memory before each case follow from
 * a generator that the test repeats.
 *
 * cut -d'|' -f1 processor.txt | awk '{ printf "X(%d, \"%s\")\n", NR - 1, $0 }' > forms.h
 * gcc -O1 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi2 recorder.c -o recorder && ./recorder > processor.txt
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#define X(number, text) "form" #number ": " text "\nend" #number ": ret\n"
__asm__(".text\n"
#include "forms.h"
);
#undef X
#define X(number, text) extern uint8_t form##number[], end##number[];
#include "forms.h"
#undef X
#define X(number, text) {text, form##number, end##number},
static const struct { const char *text; uint8_t *start, *end; } forms[] = {
#include "forms.h"
};
#undef X

static uint8_t vectors[3][64];
static uint64_t masks[3];
static sigjmp_buf faulted;
static void on_fault(int signal) { siglongjmp(faulted, signal); }

static uint32_t seed = 12345;
static uint8_t next_byte(void) { seed = seed * 1103515245 + 12345; return seed >> 16; }

static uint32_t hash;
static void add(const void *bytes, int size) {
  for (int i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x01000193;
}

int main(void) {
  static const uint64_t OPMASKS[] = {0, ~0ull, 0x5a3c, 0xf0f1f3c7a5ull, 1, 0xff00ff00ff00fffeull};
  static const int OFFSETS[] = {4096, 4032, 4080, 4080, 4092, 4088};
  signal(SIGSEGV, on_fault);
  uint8_t *memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(memory + 4096, 4096, PROT_NONE);
  for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
    printf("%s|", forms[i].text);
    for (uint8_t *p = forms[i].start; p < forms[i].end; p++) printf("%02x", *p);
    for (int t = 0; t < 6; t++) {
      for (int r = 0; r < 3; r++) for (int j = 0; j < 64; j++) vectors[r][j] = next_byte();
      masks[1] = OPMASKS[t];
      masks[2] = 0x1111;
      for (int j = 0; j < 4096; j++) memory[j] = j * 7 + i;
      hash = 0x811c9dc5;
      int stopped = sigsetjmp(faulted, 1);
      if (!stopped) {
        __asm__ volatile(
            "vmovdqu64 (%0), %%zmm0\nvmovdqu64 64(%0), %%zmm1\nvmovdqu64 128(%0), %%zmm2\n"
            "kmovq 8(%1), %%k1\nkmovq 16(%1), %%k2\nmov %2, %%rdi\nmov %4, %%rax\ncall *%3\n"
            "vmovdqu64 %%zmm0, (%0)\nkmovq %%k2, 16(%1)\nvzeroupper"
            ::"r"(vectors), "r"(masks), "r"(memory + OFFSETS[t]), "r"(forms[i].start), "r"(0x1122334455667788ull)
            : "rdi", "rax", "memory", "xmm0", "xmm1", "xmm2", "k1", "k2");
        add(vectors[0], 64);
        add(masks + 2, 8);
      }
      add(memory + 4032, 64);
      printf("|%s%08x", stopped ? "#" : "", hash);
    }
    puts("");
  }
}
