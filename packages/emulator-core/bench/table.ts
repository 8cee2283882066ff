/**
 * Measures and prints the table: nanoseconds of processor time for one emulation (REP: for one element), medians, with one
 * host class and with six in one process.
 */
import { benchCases } from "./cases.ts";
import { type BenchHost, hostClasses } from "./hosts.ts";

declare const process: { cpuUsage(since?: unknown): { user: number; system: number } };

const ROUNDS = 15;
const ROUND_NS = 40e6;

function cpuNanoseconds(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

/** Nanoseconds of one call. */
function measure(calls: readonly (() => void)[]): number {
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) (calls[i % calls.length] as () => void)();
  };
  let times = 100;
  while (cpuNanoseconds(() => run(times)) < ROUND_NS) times *= 2;
  const rounds = Array.from({ length: ROUNDS }, () => cpuNanoseconds(() => run(times)) / times);
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

function figure(nanoseconds: number): string {
  return nanoseconds.toFixed(1).padStart(9);
}

/** Runs everything; takes about a minute. */
export function printTable(): void {
  const one = hostClasses[0] as new () => BenchHost;
  const rows = benchCases.map((row) => ({ row, one: measure([row.prepare(new one())]) / row.elements, six: 0 }));
  for (const entry of rows)
    entry.six = measure(hostClasses.map((host) => entry.row.prepare(new host()))) / entry.row.elements;
  console.log("ns per emulation (REP: per element)   one host   six host classes");
  for (const { row, one, six } of rows) console.log(`${row.name.padEnd(34)} ${figure(one)} ${figure(six)}`);
}
