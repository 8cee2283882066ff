/** The examples of README.md: every case in it runs. */
import { readFileSync } from "node:fs";
import { createEmulator } from "@whvkit/emulator-core";
import { type SimVirtualProcessor, simHypervisor } from "@whvkit/sim-backend";
import { expect, test } from "vitest";
import { readEmulationCase, readStepCase, runEmulationCase, StepRunner } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

function example(kind: string): unknown {
  const match = new RegExp(`\`\`\`json ${kind}\n([\\s\\S]*?)\`\`\``).exec(readme);
  return JSON.parse(match?.[1] ?? "");
}

test("the emulation case", () => {
  const outcome = runEmulationCase(readEmulationCase(example("emulation")), { createEmulator });
  expect(outcome).toMatchObject({
    id: "load",
    status: ["EmulationSuccessful"],
    set: { Rax: "0xdeadbeef", Rip: "0x1002" },
  });
});

test("the step case", () => {
  const runner = new StepRunner({
    createPartition: () => simHypervisor.createPartition({ memoryCapacity: 16 * 1024 * 1024 }),
    step: (processor, instructions) => (processor as SimVirtualProcessor).step(instructions),
    engines: ["cold"],
  });
  try {
    expect(runner.run(readStepCase(example("step")))).toMatchObject({
      id: "inc",
      registers: { Rax: "0x2", Rip: "0x1003" },
      memory: [{ gpa: "0x1000", bytes: "48ffc0" }],
    });
  } finally {
    runner.dispose();
  }
});

test("every field of a case is in the table", () => {
  const fields = Object.keys(readEmulationCase(example("emulation"))).filter(
    (name) => name !== "vp" && name !== "exit",
  );
  for (const field of [...fields, "kind", "vp", "exit"]) expect(readme).toContain(`| \`${field}\``);
});
