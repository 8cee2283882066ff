/**
 * The instructions that have no meaning here, and why. A test walks all mnemonics of the decoder: each has a meaning or
 * belongs to exactly one row of this table, so a new mnemonic of the decoder fails until somebody decides about it.
 */

interface Row {
  readonly reason: string;
  /** Whole mnemonics. */
  readonly mnemonics: RegExp;
}

const FLOAT = "(ps|pd|ss|sd|ph|sh)";

const rows: readonly Row[] = [
  { reason: "not an instruction", mnemonics: /^(invalid|undoc)$/ },
  {
    reason: "x87 arithmetic has no meaning yet",
    mnemonics:
      /^(f(2xm1|abs|addp?|bld|bstp|chs|cmovn?(b|be|e|u)|com(ip?|pp?)?|cos|decstp|divr?p?|freep?|i(add|comp?|divr?|ld|mul|ncstp|stt?p?|subr?)|ld(1|env|l2[et]|l[gn]2|pi|z)?|mulp?|n(disi|eni|save|setpm|stdw|stenv|stsg)|patan|prem1?|ptan|rndint|rstor|rstpm|scale|sin|sincos|sqrt|st(dw|sg|p|pnce)?|subr?p?|tst|ucom(ip?|pp?)?|xam|xch|xtract|yl2x(p1)?)|ffreep?)$/,
  },
  {
    reason: "floating-point arithmetic of SSE and AVX has no meaning yet",
    mnemonics: new RegExp(
      `^v?((addsub|add|sub|mul|div|min|max|sqrt|rcp|rsqrt|round|hadd|hsub|dp|u?comi)${FLOAT}|cvt\\w+|cmp(ps|pd|ss))$|^vcmp(sd|ph|sh)$`,
    ),
  },
  {
    reason: "fused, complex and 16-bit floating-point arithmetic has no meaning yet",
    mnemonics: new RegExp(
      `^v(fn?m(add|sub)(132|213|231)?${FLOAT}|fm(addsub|subadd)(132|213|231)?${FLOAT}|fc?(madd|mul)c[ps]h|dpbf16ps|4fn?madd[ps]s|bcstne\\w+|frcz${FLOAT}|test(ps|pd))$`,
    ),
  },
  {
    reason: "AVX-512 floating-point helpers have no meaning yet",
    mnemonics: new RegExp(
      `^v(getexp|getmant|range|reduce|rndscale|scalef|fixupimm|fpclass|exp2|rcp14|rcp28|rsqrt14|rsqrt28)${FLOAT}$`,
    ),
  },
  {
    reason: "cryptographic instructions have no meaning yet",
    mnemonics: /^v?(aes\w+|sha(1|256|512)\w+|pclmulqdq|gf2p8\w+|sm[34]\w+)$|^(encodekey(128|256)|loadiwkey)$/,
  },
  { reason: "string comparison of SSE4.2 has no meaning yet", mnemonics: /^v?pcmp[ei]str[im](64)?$/ },
  {
    reason: "sums of absolute differences and horizontal minima have no meaning yet",
    mnemonics: /^v?(mpsadbw|phminposuw)$|^vdbpsadbw$/,
  },
  {
    reason: "3DNow! has no meaning here: no processor since 2011 has it",
    mnemonics:
      /^(pf(2i[dw]|acc|add|cmp(eq|ge|gt)|max|min|mul|p?nacc|rcp(it[12]|v)?|rsq(it1|rt|rtv)|subr?)|pi2f[dw]|pavgusb|pmulhrw|pswapd)$/,
  },
  {
    reason: "XOP and FMA4 have no meaning here: no processor since 2017 has them",
    mnemonics:
      /^(vpcmov|vpcomu?[bwdq]|vphadd(u?(b[dqw]|w[dq])|u?dq)|vphsub(bw|dq|wd)|vpmac\w+|vpmadcss?wd|vpperm|vprot[bwdq]|vpsh[al][bwdq]|vpermil2p[ds])$/,
  },
  {
    reason: "gathers and scatters have no meaning yet",
    mnemonics: /^v(p?gather\w+|p?scatter\w+)$/,
  },
  {
    reason: "permutations by registers have no meaning yet",
    mnemonics:
      /^v(perm(b|d|w|ps|ilp[sd]|[it]2(b|d|w|q|p[sd]))|shuf[fi](32x4|64x2)|align[dq]|pmultishiftqb|pshufbitqmb)$/,
  },
  {
    reason: "AVX-512 integer instructions have no meaning yet",
    mnemonics:
      /^v(p(absq|broadcastm(b2q|w2d)|cmpu?[bwdq]|conflict[dq]|dp(b[su][su]ds?|b(ss|su|us|uu)ds?|wssds?|w[su][su]ds?|busds?)|lzcnt[dq]|madd52[hl]uq|(max|min)[su]q|mullq|opcnt[bwdq]|ro[lr]v?[dq]|sh[lr]dv?[wdq]|s(ll|ra|rl)v[wdq]|sraq|ternlog[dq]|testn?m[bwdq])|p2intersect[dq]|p4dpwssds?|p2intersect[dq])$/,
  },
  {
    reason: "AVX10.2 instructions have no meaning yet",
    mnemonics:
      /^v((add|cmp|comis|div|fn?m(add|sub)(132|213|231)|fpclass|getexp|getmant|max|min|mul|rcp|reduce|rndscale|rsqrt|scalef|sqrt|sub)bf16|minmax(bf16|[ps][sdh])|u?comxs[sdh]|dpphps)$/,
  },
  { reason: "AMX tiles have no meaning yet", mnemonics: /^(t(cmm\w+|dp\w+|ile\w+)|ldtilecfg|sttilecfg)$/ },
  {
    reason: "supervisor state (IA32_XSS) is not in the register file",
    mnemonics: /^(xsaves|xrstors)(64)?$/,
  },
  {
    reason: "virtualisation inside the guest is not offered",
    mnemonics:
      /^(vm(call|clear|func|gexit|launch|load|mcall|ptrld|ptrst|read|resume|run|save|write|xoff|xon)|inv(ept|vpid|lpga)|clgi|stgi|skinit|rsm)$/,
  },
  {
    reason: "confidential computing and secure enclaves are not offered",
    mnemonics:
      /^(encl[suv]|seam(call|ops|ret)|tdcall|getsecq?|psmash|pvalidate|rmp(adjust|query|update)|pbndkb|pconfig)$/,
  },
  {
    reason: "shadow stacks, user interrupts and FRED are not offered",
    mnemonics:
      /^(clrssbsy|incssp[dq]|rdssp[dq]|rstorssp|saveprevssp|setssbsy|wru?ss[dq]|clui|stui|testui|senduipi|uiret|eret[su]|lkgs)$/,
  },
  { reason: "only processors before the 486 had it", mnemonics: /^(ibts|xbts|loadall(286|386)?)$/ },
  { reason: "transactional memory is not offered", mnemonics: /^(x(abort|begin|end|test)|x(res|sus)ldtrk)$/ },
  {
    reason: "bounds registers (MPX) are not offered: no processor since 2019 has them",
    mnemonics: /^bnd(c[lnu]|ldx|mk|mov|stx)$/,
  },
  { reason: "Centaur's cryptography is not offered", mnemonics: /^(xcrypt\w+|xsha\w+|xstore\w*|montmul|ccs_\w+)$/ },
  {
    reason: "the accepting device's answer to an enqueued command has no way back through a memory access",
    mnemonics: /^enqcmds?$/,
  },
  { reason: "random numbers need a source that the host does not give", mnemonics: /^(rdrand|rdseed)$/ },
  { reason: "SSE4a's bit fields have no meaning yet", mnemonics: /^(extrq|insertq)$/ },
  {
    reason: "lightweight profiling is not offered: no processor since 2017 has it",
    mnemonics: /^(llwpcb|slwpcb|lwpins|lwpval)$/,
  },
  {
    reason: "no processor model here has it",
    mnemonics: /^(hreset|invlpgb|tlbsync|mcommit|ptwrite|rdpru|rdmsrlist|wrmsrlist|umonitor|umwait|tpause)$/,
  },
];

/** The rows that a mnemonic belongs to; a mnemonic without a meaning belongs to one. */
export function unsupportedReasons(name: string): string[] {
  return rows.filter(({ mnemonics }) => mnemonics.test(name)).map(({ reason }) => reason);
}

/** Why a mnemonic has no meaning. */
export function whyUnsupported(name: string): string {
  return unsupportedReasons(name)[0] ?? `${name} has no meaning yet`;
}
