// The examples of the README, compiled and run.
import { simHypervisor } from "@whvkit/sim-backend";
import { expect, it } from "vitest";
import { createMachine, DEMO_INPUT, demoGuest } from "../../src/index.ts";

it("a machine, run to its end", () => {
  let text = "";
  const machine = createMachine({
    hypervisor: simHypervisor,
    image: demoGuest(),
    serialInput: new TextEncoder().encode(DEMO_INPUT),
    serialOutput: (byte) => {
      text += String.fromCharCode(byte);
    },
  });
  const { exitStatus, statistics } = machine.run();
  expect(exitStatus).toBe(0);
  expect(text).toContain("Hello, whvkit!");
  expect(statistics.exits["MemoryAccess"]).toBe(statistics.emulations.mmio);
  expect(machine.screenText()).toContain("64 bits");
  machine.dispose();
});

it("a machine in slices", async () => {
  const machine = createMachine({
    hypervisor: simHypervisor,
    image: demoGuest(),
    serialInput: new TextEncoder().encode(DEMO_INPUT),
  });
  for (;;) {
    const state = machine.runSlice(2000);
    if (state === "ended") break;
    await new Promise((resolve) =>
      setTimeout(resolve, state === "running" ? 0 : Math.min(machine.waitMilliseconds, 1000)),
    );
  }
  expect(machine.result?.exitStatus).toBe(0);
  machine.dispose();
});
