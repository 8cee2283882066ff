/** What a run cost: a short table for people, and the JSON of `--stats-json`. */
import { caseFormat } from "@whvkit/conformance";
import type { MachineResult } from "@whvkit/microvm";

/** The table of `--stats`, as lines. */
export function statisticsTable({ statistics }: MachineResult): string[] {
  const { exits, exitCount, emulations, callbacks, interrupts, instructions, seconds } = statistics;
  const emulated = emulations.io + emulations.mmio;
  const calls = Object.values(callbacks).reduce((sum, count) => sum + count, 0);
  const each = (count: number): string => (emulated === 0 ? "0" : (count / emulated).toFixed(2));
  const rows: [string, string, string][] = [
    ["exits", whole(exitCount), ""],
    ...Object.entries(exits).map(([reason, count]): [string, string, string] => [`  ${reason}`, whole(count), ""]),
    ["emulations", whole(emulated), `${whole(emulations.io)} I/O, ${whole(emulations.mmio)} MMIO`],
    [
      "callbacks per emulation",
      each(calls),
      `memory ${each(callbacks.memory)}, I/O port ${each(callbacks.ioPort)}, get ${each(callbacks.getVirtualProcessorRegisters)}, ` +
        `set ${each(callbacks.setVirtualProcessorRegisters)}, translate ${each(callbacks.translateGvaPage)}`,
    ],
    ["interrupts injected", whole(interrupts), ""],
    ["guest instructions", instructions === null ? "not counted" : whole(instructions), ""],
    ["seconds", seconds.toFixed(3), ""],
  ];
  const [first, second] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column as 0 | 1].length)));
  return rows.map(([name, value, note]) =>
    `${name.padEnd(first ?? 0)}  ${value.padStart(second ?? 0)}  ${note}`.trimEnd(),
  );
}

/** The object of `--stats-json`. */
export function statisticsJson(result: MachineResult): object {
  const { reason, message, exitStatus, debugExitValue, statistics } = result;
  return { format: caseFormat, reason, message, exitStatus, debugExitValue, ...statistics };
}

/** With a comma between thousands. */
function whole(count: number): string {
  return count.toLocaleString("en-US");
}
