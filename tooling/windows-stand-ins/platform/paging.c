/* Translation of guest-virtual addresses through the guest's page tables, in every mode (Intel SDM volume 3, sections 4.3
 * to 4.6), with the rights and the accessed and dirty bits of WHvTranslateGva. */
#include "stand-in.h"
#include <string.h>

enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80 };
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)
#define FRAME 0x000ffffffffff000ull

/* Whether what is allowed on the way to the page suffices. */
static int allowed(const Paging *paging, UINT32 flags, UINT64 rights, int no_execute) {
  if (flags & WHvTranslateGvaFlagPrivilegeExempt || !(flags & 7)) return 1;
  int user = paging->user;
  int write = flags & WHvTranslateGvaFlagValidateWrite, execute = flags & WHvTranslateGvaFlagValidateExecute;
  if (user && !(rights & USER)) return 0;
  if (write && !(rights & WRITABLE) && (user || paging->cr0 & CR0_WP)) return 0;
  if (execute && no_execute && paging->efer & EFER_NXE) return 0;
  if (user || !(rights & USER)) return 1;
  if (execute && paging->cr4 & CR4_SMEP) return 0;
  if (execute || !(paging->cr4 & CR4_SMAP) || flags & WHvTranslateGvaFlagOverrideSmap) return 1;
  return paging->ac && !(flags & WHvTranslateGvaFlagEnforceSmap);
}

WHV_TRANSLATE_GVA_RESULT_CODE walk(Partition *partition, const Paging *paging, UINT64 gva, UINT32 flags, UINT64 *gpa) {
  if (!(paging->cr0 & CR0_PG)) { *gpa = gva & 0xffffffff; return WHvTranslateGvaResultSuccess; }
  int lma = (paging->efer & EFER_LMA) != 0, pae = lma || paging->cr4 & CR4_PAE;
  int levels = lma ? (paging->cr4 & CR4_LA57 ? 5 : 4) : pae ? 3 : 2, bits = pae ? 9 : 10;
  int width = 12 + levels * 9;
  UINT8 *entries[5];
  UINT64 rights = WRITABLE | USER, table = paging->cr3 & (lma ? FRAME : pae ? 0xffffffe0 : 0xfffff000);
  int no_execute = 0, level = levels;
  if (!lma) gva &= 0xffffffff;
  else if ((UINT64)((INT64)(gva << (64 - width)) >> (64 - width)) != gva) return WHvTranslateGvaResultPageNotPresent;
  for (;; level--) {
    int shift = 12 + (level - 1) * bits;
    UINT64 index = gva >> shift & ((1ull << (level == 3 && levels == 3 ? 2 : bits)) - 1), entry = 0;
    UINT8 *memory = memory_at(partition, table + index * (pae ? 8 : 4), NULL);
    if (!memory) return WHvTranslateGvaResultGpaUnmapped;
    memcpy(&entry, memory, pae ? 8 : 4);
    entries[level - 1] = memory;
    if (!(entry & PRESENT)) return WHvTranslateGvaResultPageNotPresent;
    /* The four entries at the top of PAE have no rights. */
    if (!(level == 3 && levels == 3)) {
      rights &= entry;
      no_execute |= pae && entry >> 63;
    }
    int large = entry & LARGE && (pae ? level == 2 || (level == 3 && lma) : level == 2 && paging->cr4 & CR4_PSE);
    if (level > 1 && !large) { table = entry & (pae ? FRAME : 0xfffff000); continue; }
    UINT64 offset = (1ull << shift) - 1;
    *gpa = (entry & FRAME & ~offset) | (gva & offset);
    /* A 4 MiB page has bits 39..32 of its address in bits 20..13 of its entry. */
    if (large && !pae) *gpa = (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32 | (gva & offset);
    break;
  }
  if (!allowed(paging, flags, rights, no_execute)) return WHvTranslateGvaResultPrivilegeViolation;
  if (flags & WHvTranslateGvaFlagSetPageTableBits) {
    for (int i = levels; i >= level; i--) if (!(i == 3 && levels == 3)) *entries[i - 1] |= ACCESSED;
    if (flags & WHvTranslateGvaFlagValidateWrite) *entries[level - 1] |= DIRTY;
  }
  return WHvTranslateGvaResultSuccess;
}

/* As the processor's registers stand; rights are those of SS, whose DPL is the CPL (Intel SDM volume 3, section 5.5). */
static Paging paging_of(Processor *processor) {
  UINT64 cr0 = register_of(processor, WHvX64RegisterCr0);
  WHV_X64_SEGMENT_REGISTER ss = register_slot(processor, WHvX64RegisterSs)->Segment;
  return (Paging){
    cr0, register_of(processor, WHvX64RegisterCr3), register_of(processor, WHvX64RegisterCr4), register_of(processor, WHvX64RegisterEfer),
    cr0 & 1 && ss.DescriptorPrivilegeLevel == 3, register_of(processor, WHvX64RegisterRflags) >> 18 & 1,
  };
}

HRESULT WINAPI WHvTranslateGva(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_GUEST_VIRTUAL_ADDRESS gva, WHV_TRANSLATE_GVA_FLAGS flags, WHV_TRANSLATE_GVA_RESULT *translation, WHV_GUEST_PHYSICAL_ADDRESS *gpa) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition) END(E_INVALIDARG);
  Processor *processor = processor_of(__func__, partition, index);
  if (!processor) END(E_WHV_VP_DOES_NOT_EXIST);
  if (!ALIGNED(translation, 4) || !ALIGNED(gpa, 8)) VIOLATION("results at %p and %p", translation, gpa);
  if (flags & ~0x31fu) END(E_INVALIDARG);
  Paging paging = paging_of(processor);
  *gpa = 0;
  translation->Reserved = 0;
  translation->ResultCode = walk(partition, &paging, gva, flags, gpa);
  if (translation->ResultCode != WHvTranslateGvaResultSuccess) *gpa = 0;
  END(S_OK);
}
