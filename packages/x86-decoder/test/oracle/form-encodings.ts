/**
 * An instruction for each row of the decoder's form table, made from the row's own notation: the smallest bytes that decode to
 * the form, with memory at [rDI] where the form can have a memory operand, and the variants that EVEX adds to it (opmask,
 * zeroing, broadcast). Walking the table so makes a form that nothing tests impossible to overlook.
 */
import { Decoder, DecodeStatus, type FormInformation, formCount, formInfo, Instruction } from "../../src/index.ts";

export type Mode = 16 | 32 | 64;

export interface Encoding {
  readonly form: FormInformation;
  readonly mode: Mode;
  readonly bytes: readonly number[];
}

/** ModRM.rm, and for VSIB the SIB byte: [rDI] in each address size, [rDI + index 1] with a vector index. */
const MEMORY = { 16: 0x05, 32: 0x07, 64: 0x07 } as const;
const VSIB = { rm: 0x04, sib: 0x0f } as const;
/** Immediates, displacements and direct offsets: small numbers. */
const TAIL = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const PREFIX_OF: Readonly<Record<string, number>> = { NP: 0, "66": 1, F3: 2, F2: 3 };
const MAP_OF: Readonly<Record<string, number>> = {
  "0F": 1,
  "0F38": 2,
  "0F3A": 3,
  MAP5: 5,
  MAP6: 6,
  X8: 8,
  X9: 9,
  XA: 10,
};

/** Every encoding to try, of all forms in all modes in which they exist. */
export function* everyForm(): Generator<Encoding> {
  for (let number = 1; number <= formCount; number++) {
    const form = formInfo(number);
    for (const mode of [16, 32, 64] as const) {
      if (!(mode === 64 ? form.longMode : form.legacyModes)) continue;
      for (const bytes of encodingsOf(form, mode)) yield { form, mode, bytes };
    }
  }
}

/** The bytes of a form in a mode, one entry for each variant; none where the decoder's options hide it. */
function encodingsOf(form: FormInformation, mode: Mode): number[][] {
  const decoder = new Decoder(mode);
  const instruction = new Instruction();
  const found = new Map<string, number[]>();
  for (const candidate of candidatesOf(form, mode)) {
    const bytes = Uint8Array.from(candidate.bytes);
    if (decoder.decode(bytes, 0, instruction) !== DecodeStatus.ok || instruction.form !== form.form) continue;
    if (!found.has(candidate.variant)) found.set(candidate.variant, [...bytes.subarray(0, instruction.length)]);
  }
  return [...found.values()];
}

interface Candidate {
  readonly variant: string;
  readonly bytes: readonly number[];
}

function* candidatesOf(form: FormInformation, mode: Mode): Generator<Candidate> {
  const tokens = form.opcode.split(" ");
  const head = tokens.find((token) => /^(VEX|XOP|EVEX)\./.test(token));
  const { mandatory, opcode } = opcodeOf(tokens);
  for (const address of [[], [0x67]]) {
    const addressMode = address.length === 0 ? mode : mode === 32 ? 16 : 32;
    for (const modrm of modrmsOf(form, tokens, addressMode)) {
      if (head !== undefined) {
        const rest = [...opcode, ...modrm, ...TAIL];
        for (const { variant, bytes } of head.startsWith("EVEX")
          ? evexCandidates(form, head, rest)
          : vexCandidates(form, head, rest))
          yield { variant, bytes: [...address, ...bytes] };
        continue;
      }
      // 3DNow! has its opcode behind the operands.
      const body = opcode[1] === 0x0f ? [0x0f, 0x0f, ...modrm, ...opcode.slice(2)] : [...opcode, ...modrm];
      for (const operand of [[], [0x66]])
        for (const rex of mode === 64 ? [[], [0x48]] : [[]])
          yield { variant: "", bytes: [...operand, ...address, ...mandatory, ...rex, ...body, ...TAIL] };
    }
  }
}

/** The prefix that belongs to the opcode, and the bytes from the map on; a second opcode byte is a fixed ModRM. */
function opcodeOf(tokens: readonly string[]): { readonly mandatory: number[]; readonly opcode: number[] } {
  const hexadecimal = tokens.filter((token) => /^([0-9A-F]{2}(\+r)?|0F38|0F3A|0F0F)$/.test(token));
  const isMandatory = hexadecimal.length > 1 && /^(66|F2|F3)$/.test(hexadecimal[0] ?? "");
  const bytes = hexadecimal.flatMap((token) =>
    /^0F../.test(token) ? [0x0f, Number.parseInt(token.slice(2), 16)] : [Number.parseInt(token, 16)],
  );
  return isMandatory ? { mandatory: bytes.slice(0, 1), opcode: bytes.slice(1) } : { mandatory: [], opcode: bytes };
}

/** What may stand for ModRM and SIB. */
function modrmsOf(form: FormInformation, tokens: readonly string[], addressMode: Mode): number[][] {
  const digit = tokens.find((token) => /^\/([0-7]|r)$/.test(token));
  if (digit === undefined) return [[]];
  const registers = digit === "/r" ? [0, 1, 2, 3, 4, 5, 6, 7] : [Number(digit.slice(1))];
  const hasMemory = form.operands.some(({ allowsMemory }) => allowsMemory);
  return registers.flatMap((register) => {
    const high = register << 3;
    if (!hasMemory) return [[0xc0 | high | (register === 7 ? 1 : 2)], [0xc0 | high], [high | 4, 0x27]];
    return [[MEMORY[addressMode] | high], [VSIB.rm | high, VSIB.sib]];
  });
}

function* vexCandidates(form: FormInformation, head: string, rest: readonly number[]): Generator<Candidate> {
  const [lead, length = "", prefix = "", map = "", w = ""] = head.split(".");
  const vvvv = form.operands.some(({ encoding }) => encoding === "vvvv") ? 0x68 : 0x78;
  for (const wide of w === "W0" || w === "WIG" ? [0] : w === "W1" ? [0x80] : [0, 0x80]) {
    const l = length === "256" || length === "L1" ? 4 : 0;
    const second = wide | vvvv | l | (PREFIX_OF[prefix] ?? 0);
    yield { variant: "", bytes: [lead === "XOP" ? 0x8f : 0xc4, 0xe0 | (MAP_OF[map] ?? 0), second, ...rest] };
  }
}

function* evexCandidates(form: FormInformation, head: string, rest: readonly number[]): Generator<Candidate> {
  const [, length = "", prefix = "", map = "", w = ""] = head.split(".");
  const vvvv = form.operands.some(({ encoding }) => encoding === "vvvv") ? 0x68 : 0x78;
  const l = { "128": 0, "256": 0x20, "512": 0x40 }[length] ?? 0;
  for (const wide of w === "W0" || w === "WIG" ? [0] : w === "W1" ? [0x80] : [0, 0x80])
    for (const [variant, bits] of [
      ["plain", 0],
      ["masked", 1],
      ["zeroing", 0x81],
      ["broadcast", 0x10],
      ["broadcast masked", 0x11],
    ] as const) {
      const second = wide | vvvv | 4 | (PREFIX_OF[prefix] ?? 0);
      yield { variant, bytes: [0x62, 0xf0 | (MAP_OF[map] ?? 0), second, l | 8 | bits, ...rest] };
    }
}
