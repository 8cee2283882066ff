/** How many instructions a second the engine runs: loops of different kinds, in 64-bit code with paging off the path. */
import { bench, describe } from "vitest";
import { guest, hex, PROTECTED_MODE, set } from "../test/guest-image.ts";

const INSTRUCTIONS = 200_000;

/** Endless loops, 32-bit flat code. */
const loops: Readonly<Record<string, string>> = {
  // again: add eax, 1; xor ecx, eax; inc edx; jmp again
  "registers and a jump": "83c001 31c1 42 ebf8",
  // again: mov eax, [ebx]; add eax, 3; mov [ebx+4], eax; dec ecx; jnz again; jmp again
  "loads and stores": "8b03 83c003 894304 49 75f5 ebf3",
  // again: push eax; call next; next: pop eax; pop eax; jmp again
  "stack and calls": "50 e800000000 58 58 ebf6",
};

describe("instructions", () => {
  for (const [name, code] of Object.entries(loops)) {
    const { processor, ram } = guest(0x1_0000, { instructionBudget: INSTRUCTIONS });
    ram.bytes.set(hex(code), 0x1000);
    set(processor, { ...PROTECTED_MODE, Rip: 0x1000, Rbx: 0x2000, Rsp: 0x4000 });
    bench(`${INSTRUCTIONS} of ${name}`, () => {
      processor.run();
    });
  }
});
