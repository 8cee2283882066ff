/**
 * The decoded record: one instruction in 32 bytes of linear memory, in the shape that handlers read. Everything that
 * instructions of one form differ in is here; everything they share is in the handler's code.
 *
 * | bytes | what |
 * | --- | --- |
 * | 0-1 | index of the handler in the table |
 * | 2 | bits 0-3 length, bits 6-7 log2 of the index's scale |
 * | 3 | number of the memory operand's segment |
 * | 4-5 | base: offset in the state of the address's base register, or of the zeros |
 * | 6-7 | index register, likewise |
 * | 8-15 | immediate, 64 bits, extended as the decoder extends it |
 * | 16-23 | displacement, 64 bits, of RIP-relative addresses with the instruction's length added; without memory operand the second immediate |
 * | 24-31 | operands 0 to 3, 2 bytes each: offset in the state of the register, or of the memory operand's segment base; of registers that the state does not hold under a fixed place (control, debug) the number; without memory operand the last is the segment base of an implicit one (MONITOR), with an opmask it is the opmask |
 *
 * Registers are offsets and not numbers, and what is absent points at zeros: a handler decides nothing, it only adds.
 */
import { type Instruction, OperandKind, RegisterClass } from "@whvkit/x86-decoder";
import { memorySegment, opmaskOffset, registerLocation } from "../ir/register-location.ts";
import { RegisterOffset, Segment } from "../machine/register-file.ts";
import { StateOffset } from "./state-layout.ts";

/** Bytes of one record. @public */
export const RECORD_SIZE = 32;

/** Offsets in a record. @public */
export const RecordOffset = {
  handler: 0,
  lengthAndScale: 2,
  segment: 3,
  base: 4,
  index: 6,
  immediate: 8,
  displacement: 16,
  /** In place of the displacement: no instruction has a memory operand and a second immediate. */
  immediate2: 16,
  operands: 24,
} as const;

/** How many operands, from the first, have a place in a record; no instruction has a register or memory operand after them. */
export const RECORD_OPERANDS = 4;

/** Where the segment base of a memory operand is that the instruction does not name. */
export const IMPLICIT_SEGMENT_OPERAND: number = RECORD_OPERANDS - 1;

/** Where the opmask of an EVEX instruction is: none has a register or memory operand there. */
export const OPMASK_OPERAND: number = RECORD_OPERANDS - 1;

/** Mask of the length in its byte, and where the scale starts there. */
export const LENGTH_MASK = 0xf;
export const SCALE_SHIFT = 6;

/** Operand kinds whose address is in the segment that `instruction.memorySegment` names. */
const IN_MEMORY_SEGMENT: ReadonlySet<number> = new Set([
  OperandKind.memory,
  OperandKind.stringSource,
  OperandKind.maskDestination,
]);

/** Offset in the state of the base of a segment as the mode counts it: in 64-bit mode only FS and GS have one. */
export function segmentBaseOffset(segment: number, long: boolean): number {
  if (long && segment !== Segment.fs && segment !== Segment.gs) return StateOffset.zero;
  return RegisterOffset.segments + 16 * segment;
}

/** Offset in the state of an address register, or of zeros. */
export function addressRegisterOffset(register: number): number {
  return register === 0 ? StateOffset.zero : (registerLocation(register)?.offset ?? StateOffset.zero);
}

/**
 * What is added to base and index, in words: the displacement and `step`; RIP-relative displacements count from the next
 * instruction.
 */
export function recordDisplacement(
  instruction: Instruction,
  step = 0,
): { readonly low: number; readonly high: number } {
  const { displacementLow, displacementHigh, length } = instruction;
  const sum = (displacementLow >>> 0) + step + (instruction.memoryBase >> 5 === RegisterClass.ip ? length : 0);
  return { low: sum | 0, high: (displacementHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0 };
}

/** What the record says of operand number `index`; the zeros' offset where there is nothing to say. */
export function operandOffset(instruction: Instruction, index: number): number {
  if (index === OPMASK_OPERAND && instruction.opmask !== 0) return opmaskOffset(instruction.opmask);
  const kind = index < instruction.operandCount ? instruction.operandKind(index) : OperandKind.none;
  if (kind === OperandKind.register) {
    const register = instruction.operandRegister(index);
    return registerLocation(register)?.offset ?? register & 31;
  }
  const holdsSegment = IN_MEMORY_SEGMENT.has(kind) || (kind === OperandKind.none && index === IMPLICIT_SEGMENT_OPERAND);
  return holdsSegment ? segmentBaseOffset(memorySegment(instruction), instruction.mode === 64) : StateOffset.zero;
}

/**
 * Writes the record of a decoded instruction.
 *
 * @param memory - view of the linear memory
 * @param offset - where the record starts; a multiple of 8
 * @param handler - index of the handler of the instruction's form, 0 to 65535
 *
 * @example
 * ```ts
 * import { Decoder, Instruction } from "@whvkit/x86-decoder";
 * import { RECORD_SIZE, RecordOffset, writeRecord } from "@whvkit/x86-semantics";
 * const instruction = new Instruction();
 * new Decoder(64).decode(Uint8Array.of(0x8b, 0x47, 0x10), 0, instruction); // mov eax, [rdi + 0x10]
 * const record = new DataView(new ArrayBuffer(RECORD_SIZE));
 * writeRecord(instruction, record, 0, 5);
 * record.getUint16(RecordOffset.handler, true); // 5
 * record.getInt32(RecordOffset.displacement, true); // 0x10
 * ```
 *
 * @public
 */
export function writeRecord(instruction: Instruction, memory: DataView, offset: number, handler = 0): void {
  const scale = 31 - Math.clz32(instruction.memoryScale);
  memory.setUint16(offset + RecordOffset.handler, handler, true);
  memory.setUint8(offset + RecordOffset.lengthAndScale, instruction.length | (scale << SCALE_SHIFT));
  memory.setUint8(offset + RecordOffset.segment, memorySegment(instruction));
  memory.setUint16(offset + RecordOffset.base, addressRegisterOffset(instruction.memoryBase), true);
  memory.setUint16(offset + RecordOffset.index, addressRegisterOffset(instruction.memoryIndex), true);
  memory.setInt32(offset + RecordOffset.immediate, instruction.immediateLow, true);
  memory.setInt32(offset + RecordOffset.immediate + 4, instruction.immediateHigh, true);

  let { low, high } = recordDisplacement(instruction);
  for (let i = 0; i < RECORD_OPERANDS; i++) {
    memory.setUint16(offset + RecordOffset.operands + 2 * i, operandOffset(instruction, i), true);
  }
  if (hasSecondImmediate(instruction)) {
    low = instruction.immediate2;
    high = 0;
  }
  memory.setInt32(offset + RecordOffset.displacement, low, true);
  memory.setInt32(offset + RecordOffset.displacement + 4, high, true);
}

function hasSecondImmediate(instruction: Instruction): boolean {
  for (let i = 0; i < instruction.operandCount; i++) {
    const kind = instruction.operandKind(i);
    if (kind === OperandKind.immediate2 || kind === OperandKind.farPointer) return true;
  }
  return false;
}
