export { DecodeStatus } from "./decode-status.ts";
export { Decoder } from "./decoder.ts";
export type { DecoderOptions } from "./decoder-options.ts";
export { formatInstruction } from "./format/format.ts";
export type { FormatOptions } from "./format/options.ts";
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
