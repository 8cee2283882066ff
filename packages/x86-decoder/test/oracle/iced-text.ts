// The normalisation under which our Intel text equals that of iced-x86's Intel formatter. Each rule names a difference of
// taste, not of meaning; what differs beyond them fails the test.

import { Formatter, FormatterSyntax, MemorySizeOptions } from "iced-x86";

/** An iced formatter that is set to our conventions as far as its options go. */
export function icedFormatter(): Formatter {
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.spaceAfterOperandSeparator = true;
  formatter.hexPrefix = "0x";
  formatter.hexSuffix = "";
  formatter.uppercaseHex = false;
  formatter.smallHexNumbersInDecimal = true;
  formatter.memorySizeOptions = MemorySizeOptions.Always;
  formatter.showBranchSize = false;
  formatter.ripRelativeAddresses = true;
  formatter.addLeadingZeroToHexNumbers = false;
  formatter.displacementLeadingZeros = false;
  formatter.branchLeadingZeros = false;
  formatter.usePseudoOps = false;
  return formatter;
}

const strings = /^((?:rep[ne]* )?(?:movs|cmps|stos|lods|scas|ins|outs|xlat)[bwdq]?)\b(?! xmm)(?!.*xmm).*$/;
const x87 = /^f(?!xsave|xrstor|emms)[a-z0-9]+/;

/** Both texts come out equal where they mean the same. */
export function normalise(text: string): string {
  let result = text
    // Prefixes that change nothing, and branch hints, which current processors ignore.
    .replace(/\b(data16|data32|data64|addr16|addr32|hint-taken|hint-not-taken|rex\S*|cs|ds|es|ss|fs|gs) (?=\S)/g, "")
    // Hints that REP or REPNE mean nothing here.
    .replace(/^(bnd|notrack) /, "")
    .replace(/^(bnd|notrack) /, "")
    // RETF, WAIT, SAL and reserved NOPs have two names.
    .replace(/^ret far/, "retf")
    .replace(/\bprefetch_(reserved|exclusive) /, "prefetch ")
    .replace(/\b[des]s:\[/, "[")
    // Far pointers: selector first or last; moves to segment registers: how wide the source is called.
    .replace(/^(call|jmp) (0x\w+|\d):(0x\w+|\d)$/, "$1 $3, $2")
    .replace(/^(mov [c-g]s|mov ss), r?([a-d]x|[sb]p|[sd]i|\d+)[wd]?$/, "$1, $2")
    .replace(/^(mov (?:[c-g]s|ss), )e/, "$1")
    // CMPNccXADD has a name for each condition; ten bytes are tbyte or fword.
    .replace(/^cmp\w+xadd/, "cmpccxadd")
    .replace(/\b(fword|tbyte) ptr/, "mem ptr")
    .replace(/\{rne-sae\}/, "{rn-sae}")
    // The implicit pointer of MASKMOV is written or not; so are LEA's segment and the multiplier of an index alone.
    .replace(/^(v?maskmov(?:q|dqu)) \w+ ptr (?:\w\w:)?\[[er]?di\], /, "$1 ")
    .replace(/^(lea \w+, )[fgc]s:/, "$1")
    .replace(/\bfar /, "")
    .replace(/^fwait/, "wait")
    .replace(/^sal /, "shl ")
    .replace(/^reservednop/, "nop");
  // A string instruction's operands are implied by its name.
  result = result.replace(strings, "$1").replace(/^xlat$/, "xlatb");
  // The stack top is written or not.
  if (x87.test(result))
    result = result
      .replace(/st\((\d)\)/g, "st$1")
      .replace(/\bst\b/g, "st0")
      .replace(/ st0, /, " ")
      .replace(/, st0$/, "")
      .replace(/ st0$/, "");
  // Rounding stands in our text after the last operand, in iced's after the first.
  const rounding = /\{(?:r[nduz]-sae|sae)\}/.exec(result)?.[0];
  return rounding === undefined ? result : result.replace(/(?:, )?\{(?:r[nduz]-sae|sae)\}/, "") + rounding;
}
