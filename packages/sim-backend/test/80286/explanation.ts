/**
 * Does the reason that a vector is listed under explain its difference? The vector is changed in just what the reason says
 * (LOCK taken away, interrupt 12 led to the handler of 13), and run again: then it has to be equal.
 */
import type { MooState, MooTest } from "@whvkit/conformance";
import { Decoder, DecodeStatus, Instruction, registerName } from "@whvkit/x86-decoder";
import type { Reason } from "./known-differences.ts";

const LOCK = 0xf0;
const NOP = 0x90;
/** The longest instruction of the 80286. */
const LONGEST = 10;

/** Runs a vector and says what differs, or null. */
export type Run = (test: MooTest) => string | null;

/** What is wrong with the reason; null when it explains the difference. */
export function unexplained(reason: Reason, test: MooTest, run: Run): string | null {
  switch (reason) {
    case "lock": {
      if (!test.bytes.includes(LOCK) || !raisesOnlyForLock(test.bytes)) return "LOCK is not what a decoder refuses";
      const unlocked = withoutLock(test);
      return run(unlocked) === null ? null : faultOf(unlocked, run);
    }
    case "length":
      return test.bytes.length - 1 > LONGEST && test.exception?.vector === 13 ? null : "it is not longer than 10 bytes";
    case "laterSegment":
      return test.exception?.vector === 6 && namesLaterSegment(test.bytes) ? null : "it names neither FS nor GS";
    case "stackFault":
    case "stringFault":
      return faultOf(test, run);
  }
}

/** The two reasons for which instructions that fault differ, which may come together. */
function faultOf(test: MooTest, run: Run): string | null {
  if (test.exception?.vector !== 13) return `without LOCK: ${run(test)}`;
  const difference = run(withStackFaultsAsGeneral(test));
  if (difference === null) return null;
  const isIndex = /^(si|di|cx) [0-9a-f]+ for [0-9a-f]+$/;
  return difference.split(", ").every((part) => isIndex.test(part)) ? null : difference;
}

/** The code, up to the HLT that ends the capture. */
const codeOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - 1);

function raisesOnlyForLock(bytes: Uint8Array): boolean {
  const decoder = new Decoder(16);
  const instruction = new Instruction();
  const unlocked = codeOf(bytes).filter((byte, at) => byte !== LOCK || at >= prefixCount(bytes));
  return (
    decoder.decode(codeOf(bytes), 0, instruction) !== DecodeStatus.ok &&
    decoder.decode(unlocked, 0, instruction) === DecodeStatus.ok
  );
}

function namesLaterSegment(bytes: Uint8Array): boolean {
  const instruction = new Instruction();
  new Decoder(16).decode(codeOf(bytes), 0, instruction);
  return [0, 1].some((operand) => /^[fg]s$/.test(registerName(instruction.operandRegister(operand))));
}

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, LOCK, 0xf2, 0xf3];

function prefixCount(bytes: Uint8Array): number {
  const count = bytes.findIndex((byte) => !PREFIXES.includes(byte));
  return count < 0 ? bytes.length : count;
}

/** NOPs instead of LOCK, before the instruction; an exception then saves an IP that is as much higher. */
function withoutLock(test: MooTest): MooTest {
  const { bytes, initial, final } = test;
  const kept = [...bytes].filter((byte, at) => byte !== LOCK || at >= prefixCount(bytes));
  const moved = bytes.length - kept.length;
  const changed = new Map<number, number>();
  const [cs, ip] = [initial.registers.get("cs") ?? 0, initial.registers.get("ip") ?? 0];
  for (const [at, byte] of [...Array.from({ length: moved }, () => NOP), ...kept].entries())
    changed.set(cs * 16 + ((ip + at) & 0xffff), byte);
  const after = new Map(changed);
  if (test.exception !== null) {
    const [ss, sp] = [
      final.registers.get("ss") ?? initial.registers.get("ss") ?? 0,
      final.registers.get("sp") ?? initial.registers.get("sp") ?? 0,
    ];
    const places = [0, 1].map((half) => ss * 16 + ((sp + half) & 0xffff));
    const [low, high] = places.map((place) => final.memory.find(({ address }) => address === place)?.byte ?? 0);
    // INT saves the address behind it, which has not moved.
    const isFault = ((low ?? 0) | ((high ?? 0) << 8)) === ip;
    const saved = (ip + moved) & 0xffff;
    if (isFault) for (const [half, place] of places.entries()) after.set(place, (saved >> (8 * half)) & 0xff);
  }
  return {
    ...test,
    bytes: Uint8Array.from([...changed.values()]),
    initial: put(initial, changed),
    final: put(final, after),
  };
}

/** The handler of interrupt 13 serves 12 too. */
function withStackFaultsAsGeneral(test: MooTest): MooTest {
  const handler = new Map<number, number>();
  for (const { address, byte } of test.initial.memory)
    if (address >= 13 * 4 && address < 14 * 4) handler.set(address - 4, byte);
  return { ...test, initial: put(test.initial, handler), final: put(test.final, handler) };
}

/** The state with some bytes of memory replaced or added. */
function put(state: MooState, bytes: ReadonlyMap<number, number>): MooState {
  const kept = state.memory.filter(({ address }) => !bytes.has(address));
  return { ...state, memory: [...kept, ...[...bytes].map(([address, byte]) => ({ address, byte }))] };
}
