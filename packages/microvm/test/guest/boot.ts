// Boots an image on the simulator with the real emulator, and keeps what it printed.
import { simHypervisor } from "@whvkit/sim-backend";
import { createMachine, type GuestImage, type MachineOptions, type MachineResult } from "../../src/index.ts";

export interface Boot {
  readonly result: MachineResult;
  readonly serial: string;
  readonly console: string;
  readonly screen: string;
}

export function boot(image: GuestImage, options: Partial<MachineOptions> = {}): Boot {
  let serial = "";
  let console = "";
  const machine = createMachine({
    hypervisor: simHypervisor,
    image,
    serialOutput: (byte) => {
      serial += String.fromCharCode(byte);
    },
    consoleOutput: (byte) => {
      console += String.fromCharCode(byte);
    },
    limits: { timeoutSeconds: 30 },
    ...options,
  });
  try {
    const result = machine.run();
    return { result, serial, console, screen: machine.screenText() };
  } finally {
    machine.dispose();
  }
}
