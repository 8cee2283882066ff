// AVX10.2, which iced-x86 1.21 does not know: bytes and what they say. Encodings are those of Intel's AVX10.2 Architecture
// Specification (361050), each confirmed by at least two of the tests and tables of GNU binutils, LLVM, XED, Xbyak and Xen.

import { describe, expect, test } from "vitest";
import { Decoder, DecodeStatus, formatInstruction, formCount, formInfo, Instruction } from "../src/index.ts";

type Mode = 32 | 64;

/** Instructions that share prefix, map and operands. In the bytes `..` is the opcode, in the text `*` the mnemonic. */
interface Family {
  readonly mode: Mode;
  readonly opcodes: Readonly<Record<string, string>>;
  readonly cases: readonly (readonly [bytes: string, text: string])[];
}

const families: readonly Family[] = [
  {
    mode: 64,
    opcodes: { vaddbf16: "58", vmulbf16: "59", vsubbf16: "5c", vminbf16: "5d", vdivbf16: "5e", vmaxbf16: "5f" },
    cases: [
      ["62f56d08..cb", "* xmm1, xmm2, xmm3"],
      ["62f56d29..4804", "* ymm1{k1}, ymm2, ymmword ptr [rax+0x80]"],
      ["62f56dda..4840", "* zmm1{k2}{z}, zmm2, word ptr [rax+0x80]{1to32}"],
    ],
  },
  {
    mode: 64,
    opcodes: {
      vscalefbf16: "2c",
      vfmadd132bf16: "98",
      vfmsub132bf16: "9a",
      vfnmadd132bf16: "9c",
      vfnmsub132bf16: "9e",
      vfmadd213bf16: "a8",
      vfmsub213bf16: "aa",
      vfnmadd213bf16: "ac",
      vfnmsub213bf16: "ae",
      vfmadd231bf16: "b8",
      vfmsub231bf16: "ba",
      vfnmadd231bf16: "bc",
      vfnmsub231bf16: "be",
    },
    cases: [
      ["62f66c08..cb", "* xmm1, xmm2, xmm3"],
      ["62f66c29..4804", "* ymm1{k1}, ymm2, ymmword ptr [rax+0x80]"],
      ["62f66cda..4840", "* zmm1{k2}{z}, zmm2, word ptr [rax+0x80]{1to32}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vgetexpbf16: "42", vrcpbf16: "4c", vrsqrtbf16: "4e" },
    cases: [
      ["62f67c0b..ca", "* xmm1{k3}, xmm2"],
      ["62f67c2d..4904", "* ymm1{k5}, ymmword ptr [rcx+0x80]"],
      ["62f67c5b..4840", "* zmm1{k3}, word ptr [rax+0x80]{1to32}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vsqrtbf16: "51" },
    cases: [
      ["62f57d0b..ec", "* xmm5{k3}, xmm4"],
      ["62f57d2b..6804", "* ymm5{k3}, ymmword ptr [rax+0x80]"],
      ["62f57d1b..6840", "* xmm5{k3}, word ptr [rax+0x80]{1to8}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vrndscalebf16: "08", vgetmantbf16: "26", vreducebf16: "56" },
    cases: [
      ["62f37f0b..ca03", "* xmm1{k3}, xmm2, 3"],
      ["62f37f2c..480401", "* ymm1{k4}, ymmword ptr [rax+0x80], 1"],
      ["62f37f5b..484009", "* zmm1{k3}, word ptr [rax+0x80]{1to32}, 9"],
    ],
  },
  {
    mode: 64,
    opcodes: { vfpclassbf16: "66" },
    cases: [
      ["62f37f2d..d406", "* k2{k5}, ymm4, 6"],
      ["62f37f0d..580808", "* k3{k5}, xmmword ptr [rax+0x80], 8"],
      ["62f37f5d..78400d", "* k7{k5}, word ptr [rax+0x80]{1to32}, 0xd"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcmpbf16: "c2" },
    cases: [
      ["62f35708..cc05", "* k1, xmm5, xmm4, 5"],
      ["62f30738..584007", "* k3, ymm15, word ptr [rax+0x80]{1to16}, 7"],
      ["62b30f40..e408", "* k4, zmm30, zmm20, 8"],
      ["62f37748..680209", "* k5, zmm1, zmmword ptr [rax+0x80], 9"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcomisbf16: "2f" },
    cases: [
      ["62f57d08..d3", "* xmm2, xmm3"],
      ["62f57d08..5040", "* xmm2, word ptr [rax+0x80]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxbf16: "52" },
    cases: [
      ["62031700..f47b", "* xmm30, xmm29, xmm28, 0x7b"],
      ["62631720..717f7b", "* ymm30, ymm29, ymmword ptr [rcx+0xfe0], 0x7b"],
      ["626317b7..72807b", "* ymm30{k7}{z}, ymm29, word ptr [rdx-0x100]{1to16}, 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxpd: "52" },
    cases: [
      ["62039520..f47b", "* ymm30, ymm29, ymm28, 0x7b"],
      ["62439510..317b", "* xmm30, xmm29, qword ptr [r9]{1to2}, 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxph: "52" },
    cases: [
      ["62031400..f47b", "* xmm30, xmm29, xmm28, 0x7b"],
      ["62631420..717f7b", "* ymm30, ymm29, ymmword ptr [rcx+0xfe0], 0x7b"],
      ["62431410..317b", "* xmm30, xmm29, word ptr [r9]{1to8}, 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxps: "52" },
    cases: [
      ["62031500..f47b", "* xmm30, xmm29, xmm28, 0x7b"],
      ["62631597..72807b", "* xmm30{k7}{z}, xmm29, dword ptr [rdx-0x200]{1to4}, 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxsd: "53" },
    cases: [
      ["62039510..f47b", "* xmm30, xmm29, xmm28, 0x7b, {sae}"],
      ["62639500..717f7b", "* xmm30, xmm29, qword ptr [rcx+0x3f8], 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxsh: "53" },
    cases: [
      ["62031410..f47b", "* xmm30, xmm29, xmm28, 0x7b, {sae}"],
      ["62631400..717f7b", "* xmm30, xmm29, word ptr [rcx+0xfe], 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vminmaxss: "53" },
    cases: [
      ["62031510..f47b", "* xmm30, xmm29, xmm28, 0x7b, {sae}"],
      ["62631587..72807b", "* xmm30{k7}{z}, xmm29, dword ptr [rdx-0x200], 0x7b"],
    ],
  },
  {
    mode: 64,
    opcodes: { vucomxsd: "2e", vcomxsd: "2f" },
    cases: [
      ["6201ff08..f5", "* xmm30, xmm29"],
      ["6201ff18..f5", "* xmm30, xmm29, {sae}"],
      ["6261ff08..717f", "* xmm30, qword ptr [rcx+0x3f8]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vucomxsh: "2e", vcomxsh: "2f" },
    cases: [
      ["62057e08..f5", "* xmm30, xmm29"],
      ["62057e18..f5", "* xmm30, xmm29, {sae}"],
      ["62657e08..7280", "* xmm30, word ptr [rdx-0x100]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vucomxss: "2e", vcomxss: "2f" },
    cases: [
      ["62017e08..f5", "* xmm30, xmm29"],
      ["62017e18..f5", "* xmm30, xmm29, {sae}"],
      ["62617e08..717f", "* xmm30, dword ptr [rcx+0x1fc]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttbf162ibs: "68", vcvtbf162ibs: "69", vcvttbf162iubs: "6a", vcvtbf162iubs: "6b" },
    cases: [
      ["62057f48..f5", "* zmm30, zmm29"],
      ["62657f48..717f", "* zmm30, zmmword ptr [rcx+0x1fc0]"],
      ["62657fdf..7280", "* zmm30{k7}{z}, word ptr [rdx-0x100]{1to32}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvtph2ibs: "69", vcvtph2iubs: "6b" },
    cases: [
      ["62057c18..f5", "* zmm30, zmm29, {rn-sae}"],
      ["62457c58..31", "* zmm30, word ptr [r9]{1to32}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttph2ibs: "68", vcvttph2iubs: "6a" },
    cases: [
      ["62057c18..f5", "* zmm30, zmm29, {sae}"],
      ["62657c48..717f", "* zmm30, zmmword ptr [rcx+0x1fc0]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvtps2ibs: "69", vcvtps2iubs: "6b" },
    cases: [
      ["62057d18..f5", "* zmm30, zmm29, {rn-sae}"],
      ["62657ddf..7280", "* zmm30{k7}{z}, dword ptr [rdx-0x200]{1to16}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttps2ibs: "68", vcvttps2iubs: "6a" },
    cases: [
      ["62057d18..f5", "* zmm30, zmm29, {sae}"],
      ["62f57d28..4804", "* ymm1, ymmword ptr [rax+0x80]"],
      ["62f57d18..4820", "* xmm1, dword ptr [rax+0x80]{1to4}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttpd2udqs: "6c", vcvttpd2dqs: "6d" },
    cases: [
      ["6205fc48..f5", "* ymm30, zmm29"],
      ["6205fc18..f5", "* ymm30, zmm29, {sae}"],
      ["6265fcdf..7280", "* ymm30{k7}{z}, qword ptr [rdx-0x400]{1to8}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttpd2uqqs: "6c", vcvttpd2qqs: "6d" },
    cases: [
      ["6205fd18..f5", "* zmm30, zmm29, {sae}"],
      ["6265fd48..717f", "* zmm30, zmmword ptr [rcx+0x1fc0]"],
      ["62a5fd08..f7", "* xmm22, xmm23"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttps2udqs: "6c", vcvttps2dqs: "6d" },
    cases: [
      ["62057c18..f5", "* zmm30, zmm29, {sae}"],
      ["62457c58..31", "* zmm30, dword ptr [r9]{1to16}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttps2uqqs: "6c", vcvttps2qqs: "6d" },
    cases: [
      ["62057d18..f5", "* zmm30, ymm29, {sae}"],
      ["62657d48..717f", "* zmm30, ymmword ptr [rcx+0xfe0]"],
      ["62657ddf..7280", "* zmm30{k7}{z}, dword ptr [rdx-0x200]{1to8}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttss2usis: "6c", vcvttss2sis: "6d" },
    cases: [
      ["62b57e08..ce", "* ecx, xmm22"],
      ["62b57e18..ce", "* ecx, xmm22, {sae}"],
      ["6235fe08..ce", "* r9, xmm22"],
    ],
  },
  {
    mode: 64,
    opcodes: { vcvttsd2usis: "6c", vcvttsd2sis: "6d" },
    cases: [
      ["62b57f08..ce", "* ecx, xmm22"],
      ["6235ff18..ce", "* r9, xmm22, {sae}"],
      ["6275ff08..4a80", "* r9, qword ptr [rdx-0x400]"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvt2ps2phx: "67" },
    cases: [
      ["62f25518..f4", "* zmm6, zmm5, zmm4, {rn-sae}"],
      ["62f25548..717f", "* zmm6, zmm5, zmmword ptr [ecx+0x1fc0]"],
      ["62f2555f..7280", "* zmm6{k7}, zmm5, dword ptr [edx-0x200]{1to16}"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvtbiasph2bf8: "74" },
    cases: [
      ["62f25448..f4", "* ymm6, zmm5, zmm4"],
      ["62f254df..7280", "* ymm6{k7}{z}, zmm5, word ptr [edx-0x100]{1to32}"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvtbiasph2hf8: "18", vcvtbiasph2hf8s: "1b", vcvtbiasph2bf8s: "74" },
    cases: [
      ["62f55448..f4", "* ymm6, zmm5, zmm4"],
      ["62f55448..717f", "* ymm6, zmm5, zmmword ptr [ecx+0x1fc0]"],
      ["62f5642a..cd", "* xmm1{k2}, ymm3, ymm5"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvt2ph2bf8: "74" },
    cases: [
      ["62f25748..f4", "* zmm6, zmm5, zmm4"],
      ["62f25758..31", "* zmm6, zmm5, word ptr [ecx]{1to32}"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvt2ph2hf8: "18", vcvt2ph2hf8s: "1b", vcvt2ph2bf8s: "74" },
    cases: [
      ["62f55748..f4", "* zmm6, zmm5, zmm4"],
      ["62f5575f..7280", "* zmm6{k7}, zmm5, word ptr [edx-0x100]{1to32}"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvtph2bf8: "74" },
    cases: [
      ["62f27e48..f5", "* ymm6, zmm5"],
      ["62f27edf..7280", "* ymm6{k7}{z}, word ptr [edx-0x100]{1to32}"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvtph2hf8: "18", vcvtph2hf8s: "1b", vcvtph2bf8s: "74" },
    cases: [
      ["62f57e48..f5", "* ymm6, zmm5"],
      ["62f57e48..717f", "* ymm6, zmmword ptr [ecx+0x1fc0]"],
    ],
  },
  {
    mode: 32,
    opcodes: { vcvthf82ph: "1e" },
    cases: [
      ["62f57f48..f5", "* zmm6, ymm5"],
      ["62f57f48..717f", "* zmm6, ymmword ptr [ecx+0xfe0]"],
      ["62f57f8d..4808", "* xmm1{k5}{z}, qword ptr [eax+0x40]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vpdpbuud: "50", vpdpbuuds: "51", vdpphps: "52", vpdpwuud: "d2", vpdpwuuds: "d3" },
    cases: [
      ["62f26c08..cb", "* xmm1, xmm2, xmm3"],
      ["62f26c28..4804", "* ymm1, ymm2, ymmword ptr [rax+0x80]"],
      ["62f26c58..4820", "* zmm1, zmm2, dword ptr [rax+0x80]{1to16}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vpdpbsud: "50", vpdpbsuds: "51", vpdpwsud: "d2", vpdpwsuds: "d3" },
    cases: [
      ["62f26e08..cb", "* xmm1, xmm2, xmm3"],
      ["62f26e38..4820", "* ymm1, ymm2, dword ptr [rax+0x80]{1to8}"],
    ],
  },
  {
    mode: 64,
    opcodes: { vpdpbssd: "50", vpdpbssds: "51" },
    cases: [
      ["62f26f48..cb", "* zmm1, zmm2, zmm3"],
      ["62f26f08..4808", "* xmm1, xmm2, xmmword ptr [rax+0x80]"],
    ],
  },
  { mode: 64, opcodes: { vpdpwusd: "d2", vpdpwusds: "d3" }, cases: [["62f26d08..cb", "* xmm1, xmm2, xmm3"]] },
  {
    mode: 64,
    opcodes: { vmpsadbw: "42" },
    cases: [
      ["62d3662c..cf03", "* ymm1{k4}, ymm3, ymm15, 3"],
      ["62f35e48..480205", "* zmm1, zmm4, zmmword ptr [rax+0x80], 5"],
    ],
  },
  {
    mode: 64,
    opcodes: { vmovd: "7e" },
    cases: [
      ["62017e08..f5", "* xmm30, xmm29"],
      ["62717e08..5020", "* xmm10, dword ptr [rax+0x80]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vmovd: "d6" },
    cases: [
      ["62017d08..ee", "* xmm30, xmm29"],
      ["62617d08..7020", "* dword ptr [rax+0x80], xmm30"],
    ],
  },
  {
    mode: 64,
    opcodes: { vmovw: "6e" },
    cases: [
      ["62057e08..f5", "* xmm30, xmm29"],
      ["62f57e08..5820", "* xmm3, word ptr [rax+0x40]"],
    ],
  },
  {
    mode: 64,
    opcodes: { vmovw: "7e" },
    cases: [
      ["62057e08..ee", "* xmm30, xmm29"],
      ["62f57e08..7820", "* word ptr [rax+0x40], xmm7"],
    ],
  },
];

const cases = families.flatMap(({ mode, opcodes, cases: shared }) =>
  Object.entries(opcodes).flatMap(([mnemonic, opcode]) =>
    shared.map(([bytes, text]) => ({
      mode,
      hex: bytes.replace("..", opcode),
      text: text.replace("*", mnemonic),
      mnemonic,
    })),
  ),
);

const instruction = new Instruction();
const decode = (mode: Mode, hex: string): number => new Decoder(mode).decode(Buffer.from(hex, "hex"), 0, instruction);

/** Hexadecimal numbers as decimal ones, so that only values count. */
const plain = (text: string): string => text.replace(/0x[0-9a-f]+/g, (number) => String(Number(number)));

test.each(cases)("$mode-bit $hex is $text", ({ mode, hex, text }) => {
  expect(decode(mode, hex)).toBe(DecodeStatus.ok);
  expect(instruction.length).toBe(hex.length / 2);
  expect(plain(formatInstruction(instruction))).toBe(plain(text));
  expect(formInfo(instruction.form).cpuid).toEqual(["AVX10_2"]);
});

test("every mnemonic with an AVX10.2 form has cases", () => {
  const named = new Set(cases.map(({ mnemonic }) => mnemonic));
  const forms = Array.from({ length: formCount }, (_, index) => formInfo(index + 1));
  const missing = forms.filter(({ cpuid, name }) => cpuid.includes("AVX10_2") && !named.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

describe("what AVX10.2 does not have", () => {
  test.each([
    ["rounding at BF16", "62f56d1858cb"],
    ["broadcast where nothing is packed", "62f57d182f5040"],
    ["a mask on moves and comparisons", "62017e097ef5"],
    ["W1 in BF16", "62f5ed0858cb"],
    ["a broadcast of FP8", "62f57f581e31"],
    ["EVEX.256 moves", "62017e287ef5"],
  ])("%s: %s", (_, hex) => {
    expect(decode(64, hex)).toBe(DecodeStatus.invalid);
  });
});

test("VCOMX and VUCOMX write OF and SF too, VCOMISBF16 does not", () => {
  decode(64, "62017e082ff5");
  expect(formInfo(instruction.form).flags).toMatchObject({ written: ["of", "sf", "zf", "pf", "cf"], cleared: ["af"] });
  decode(64, "62f57d082fd3");
  expect(formInfo(instruction.form).flags).toMatchObject({ written: ["zf", "pf", "cf"] });
});
