export { DecodeStatus, InvalidReason } from "./decode-status.ts";
export { Decoder } from "./decoder.ts";
export type { DecoderOptions } from "./decoder-options.ts";
export { formatInstruction } from "./format/format.ts";
export type { FormatOptions } from "./format/options.ts";
export {
  describeInstruction,
  type InstructionDescription,
  type InvalidDescription,
  type MemoryDescription,
  type OperandDescription,
} from "./information/description.ts";
export {
  type FlagEffects,
  type FormInformation,
  formCount,
  formInfo,
  type OperandSpecification,
} from "./information/form-information.ts";
export {
  type InstructionInformation,
  instructionInfo,
  type UsedMemory,
  type UsedRegister,
} from "./information/instruction-information.ts";
export type { Access, FlagName, FlowControl, Privilege } from "./information/names.ts";
export { Instruction, RoundingMode } from "./instruction.ts";
export { Mnemonic, type MnemonicName, mnemonicName } from "./mnemonic.ts";
export { OperandKind } from "./operand.ts";
export {
  Register,
  RegisterClass,
  type RegisterName,
  registerClass,
  registerName,
  registerNumber,
  registerSize,
} from "./register.ts";
