// What an instruction touches, as data.
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { describeProgram, programFor } from "@whvkit/x86-semantics";

const instruction = new Instruction();
new Decoder(64).decode(Uint8Array.of(0x01, 0x0f), 0, instruction); // add [rdi], ecx
const program = programFor(instruction);
console.log(program.unsupported, describeProgram(program).includes("store"));
