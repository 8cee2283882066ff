/**
 * Measures and prints the table: nanoseconds of processor time for one emulation (REP: for one element), medians, with one
 * host class and then with six in one process; and the callbacks of one emulation.
 */
import { type BenchCase, benchCases, bulkCases } from "./cases.ts";
import { type BenchHost, bulkHostClasses, hostClasses } from "./hosts.ts";

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

/** Callbacks of one emulation: get, translate, memory or port, set. */
function countCallbacks(row: BenchCase, host: BenchHost): string {
  const run = row.prepare(host);
  const { gets, translations, accesses, sets } = host;
  run();
  return [host.gets - gets, host.translations - translations, host.accesses - accesses, host.sets - sets].join(" ");
}

function figure(nanoseconds: number): string {
  return nanoseconds.toFixed(nanoseconds < 10 ? 2 : 1).padStart(9);
}

/** Runs everything; takes about two minutes. */
export function printTable(): void {
  const classesOf = ({ bulk }: BenchCase): readonly (new () => BenchHost)[] => (bulk ? bulkHostClasses : hostClasses);
  const nanoseconds = (row: BenchCase, hosts: number): number =>
    measure(
      classesOf(row)
        .slice(0, hosts)
        .map((Host) => row.prepare(new Host())),
    ) / row.elements;
  const rows = [...benchCases, ...bulkCases].map((row) => ({ row, one: nanoseconds(row, 1) }));
  console.log("ns per emulation (REP: per element)   one host   six host classes   get translate memory/port set");
  for (const { row, one } of rows) {
    const [Host] = classesOf(row);
    const callbacks = countCallbacks(row, new (Host as new () => BenchHost)());
    console.log(`${row.name.padEnd(34)} ${figure(one)} ${figure(nanoseconds(row, 6))}            ${callbacks}`);
  }
}
