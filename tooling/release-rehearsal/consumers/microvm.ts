// Boots the demonstration guest. The import of the hypervisor is the one line that differs between backends.
import { createMachine, DEMO_INPUT, demoGuest } from "@whvkit/microvm";
import { simHypervisor as hypervisor } from "@whvkit/sim-backend";

let text = "";
const input: number[] = [];
for (const character of DEMO_INPUT) input.push(character.charCodeAt(0));
const machine = createMachine({
  hypervisor,
  image: demoGuest(),
  serialInput: Uint8Array.from(input),
  serialOutput: (byte) => {
    text += String.fromCharCode(byte);
  },
});
const { exitStatus } = machine.run();
machine.dispose();
console.log(exitStatus, text.length > 100);
