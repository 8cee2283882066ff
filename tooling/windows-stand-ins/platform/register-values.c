/* Which values a register can hold whatever the others are (Intel SDM volume 3, section 2.5; volume 4): the platform
 * refuses what no processor accepts. What does not fit together is found when the processor runs. */
#include "stand-in.h"

static int canonical(UINT64 address) { return (UINT64)((INT64)(address << 16) >> 16) == address; }

int acceptable(WHV_REGISTER_NAME name, const WHV_REGISTER_VALUE *value) {
  UINT64 x = value->Reg64;
  switch (name) {
    /* Paging needs protection, no write-through needs no caching. */
    case WHvX64RegisterCr0: return !(x >> 32) && !(x >> 31 & 1 && !(x & 1)) && !(x >> 29 & 1 && !(x >> 30 & 1));
    case WHvX64RegisterCr3: return !(x >> 52);
    case WHvX64RegisterCr4: return !(x >> 32);
    case WHvX64RegisterCr8: return x < 16;
    case WHvX64RegisterDr6:
    case WHvX64RegisterDr7: return !(x >> 32);
    /* SCE, LME, LMA, NXE, and AMD's SVME to TCE. */
    case WHvX64RegisterEfer: return !(x & ~0xfd01ull);
    /* x87 always, AVX only with SSE; what AVX-512 needs all or nothing. */
    case WHvX64RegisterXCr0: return x & 1 && !((x & 4) && !(x & 2)) && ((x & 0xe0) == 0 || (x & 0xe6) == 0xe6) && !(x >> 20);
    case WHvX64RegisterPat:
      for (int i = 0; i < 8; i++) {
        UINT8 type = (UINT8)(x >> 8 * i);
        if (type > 7 || type == 2 || type == 3) return 0;
      }
      return 1;
    case WHvX64RegisterLstar:
    case WHvX64RegisterCstar:
    case WHvX64RegisterKernelGsBase:
    case WHvX64RegisterSysenterEip:
    case WHvX64RegisterSysenterEsp: return canonical(x);
    default: return 1;
  }
}
