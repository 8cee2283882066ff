// Bytes to text.
import { Decoder, formatInstruction, Instruction } from "@whvkit/x86-decoder";

const instruction = new Instruction();
new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction);
console.log(formatInstruction(instruction));
