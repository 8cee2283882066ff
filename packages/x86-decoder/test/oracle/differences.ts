// Where we differ from iced-x86 1.21 and keep to it, each with the manual that we follow. Tests accept exactly these.

/** One difference: a pattern over what a comparison reports, and why we are right. */
export interface Difference {
  readonly pattern: RegExp;
  readonly reason: string;
}

export const decodingDifferences: readonly Difference[] = [
  {
    pattern: /^Arpl_r32m16_r32: operand [01] is reg/,
    reason:
      "ARPL has 16-bit operands whatever the operand size (SDM volume 2, ARPL: `ARPL r/m16, r16`); iced names 32-bit registers.",
  },
  {
    pattern: /^Xbegin_rel16: operand 0 is branch/,
    reason:
      "XBEGIN rel16 does not cut its target to 16 bits (SDM volume 2, XBEGIN); in 16- and 32-bit modes we cut it to EIP's 32.",
  },
  {
    pattern: /^we accept v\w+ \(AVX10_2, form \d+\)$/,
    reason:
      "iced 1.21 ends with AVX10.1. These are the instructions of the AVX10.2 Architecture Specification (361050); avx10.test.ts has their bytes.",
  },
  {
    pattern: /^we reject Clzero/i,
    reason: "CLZERO behind F2 or F3 is #UD, as an AMD Zen 5 shows (tooling/oracle); the APM's page names no prefix.",
  },
];

/** With the option `amd`. */
export const amdDifferences: readonly Difference[] = [
  {
    pattern: /^Ud0: length/,
    reason:
      "UD0 has a ModRM byte (SDM volume 2, UD); some AMD processors raise #UD without reading it, which nothing but its length shows.",
  },
];

export const flagDifferences: readonly Difference[] = [
  {
    pattern: /^(Xor|Sub)_/,
    reason: "iced reports the constant flags of `xor r, r` and `sub r, r`; we report the instruction, not the idiom.",
  },
  {
    pattern: /^Vmptrst_/,
    reason: "VMPTRST ends in VMsucceed or VMfail, which write the arithmetic flags (SDM volume 3, 32.2).",
  },
  {
    pattern: /^Fcmov/,
    reason: "FCMOVcc clears C1 on stack underflow and leaves C0, C2, C3 undefined (SDM volume 2, FCMOVcc).",
  },
  {
    pattern: /^(Rcl|Rcr|Rol|Ror|Shl|Sal|Shr|Sar|Shld|Shrd)_.*_imm8: /,
    reason:
      "The count is masked to 5 or 6 bits before it is compared with 0 and 1; RCL and RCR by more than one leave OF undefined (SDM volume 2, RCL).",
  },
  { pattern: /^Fnop: /, reason: "FNOP leaves C0 to C3 undefined (SDM volume 2, FNOP)." },
  {
    pattern: /^(Vmrun|Skinit)/,
    reason:
      "VMRUN loads and stores the guest's flags in the VMCB, it does not compute with them (APM volume 3, VMRUN).",
  },
];

/** Used registers: general, vector, opmask and control registers; segment registers are compared as the operand's segment. */
export const registerDifferences: readonly Difference[] = [
  {
    pattern: /^(Int|Int1|Int3|Into|Rsm)(_\w+)?: /,
    reason: "Interrupt delivery and RSM use the stack pointer; iced leaves that out.",
  },
  {
    pattern: /^Cmov\w+: /,
    reason:
      "CMOVcc's destination is read where the condition fails, and written (zero-extended) in either case (SDM volume 2, CMOVcc).",
  },
  {
    pattern: /^Sys(call|retd)/,
    reason: "SYSCALL and SYSRET save and load RFLAGS in R11 in every 64-bit form (SDM volume 2, SYSCALL).",
  },
  {
    pattern: /^F(ld|ild|bld|add|sub|subr|mul|div|divr|rstor|nsave|ninit|[a-z0-9]+)[_a-z0-9]*: /i,
    reason:
      "x87 registers: we list ST0 and ST1 as they are named before the instruction, and not the whole state that FRSTOR and FNSAVE move.",
  },
  {
    pattern: /^(Xor|Sub)_|^(P?xor|Psub|Pcmpgt)\w*_(mm|xmm)|^VEX_V(p?xor|psub|pcmpgt)|^EVEX_Vp?xor|^(Xorps|Xorpd)/i,
    reason: "iced drops the read of `xor r, r` and its like; we report the instruction, not the idiom.",
  },
  { pattern: /^VEX_Vzero(all|upper): /, reason: "All vector registers, which we do not list one by one." },
  { pattern: /^VEX_K(xor|andn|xnor)|^VEX_Vpandn|^Pandn/, reason: "The same idiom on masks." },
  { pattern: /^EVEX_V(4f|p4d)/, reason: "The block of four registers after the one that is named." },
  { pattern: /^EVEX_Vp2intersect/, reason: "The second mask register of the pair." },
  {
    pattern: /^Insertq_xmm_xmm_imm8_imm8/,
    reason: "INSERTQ keeps the bits outside the field: the destination is read (APM volume 4, INSERTQ).",
  },
  {
    pattern: /^(Via|X|Ccs|Montmul|Enclu|Encls|Enclv|Skinit|Pconfig|Getsec)/,
    reason: "Implicit registers of PadLock, SGX and SMX leaf functions depend on the function.",
  },
];

/** Text of instructions that are left out of the comparison of texts. */
export const textDifferences: readonly Difference[] = [
  {
    pattern: /^(ltr|lldt|verr|verw|lmsw|str|sldt|smsw|p?movmskp[sd]|v?pmovmskb|v?p(ins|ext)rw|umwait|tpause) /,
    reason: "Registers whose upper half does not matter: iced's text names a smaller one than its own operand.",
  },
  {
    pattern: /^(cldemote|fn?save|fnsave|fldenv|fnstenv|frstor|(aes|aesen|aesde)c?\w*kl) /,
    reason: "Sizes without a keyword in assemblers: iced invents one or leaves out `byte ptr`.",
  },
  {
    pattern: /^(nop|ret|skinit|vm\w+|invlpga|v?maskmov\w+|undoc|montmul|x(store|sha|crypt)\w*|ccs_\w+)\b/,
    reason: "NOP as XCHG, superfluous REP, implicit operands.",
  },
];

/** The difference that explains a report, if one does. */
export function explain(differences: readonly Difference[], report: string): Difference | undefined {
  return differences.find(({ pattern }) => pattern.test(report));
}
