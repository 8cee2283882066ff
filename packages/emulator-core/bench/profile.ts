import { benchCases } from "./cases.ts";
import { hostClasses } from "./hosts.ts";
declare const process: { argv: string[]; cpuUsage(since?: unknown): { user: number; system: number } };
const c = benchCases.find((x) => x.name === process.argv[2])!;
const run = c.prepare(new hostClasses[0]!());
const t: number[] = [];
const n = 200000;
for (let i = 0; i < 1e6/c.elements; i++) run();
const m = Math.max(1, n / c.elements | 0);
for (let r = 0; r < 80; r++) { const s = process.cpuUsage(); for (let i = 0; i < m; i++) run(); const e = process.cpuUsage(s); t.push(((e.user + e.system) * 1000) / m / c.elements); }
t.sort((a, b) => a - b);
console.log(process.argv[2]!.padEnd(16), "min", t[0]!.toFixed(1), "q1", t[20]!.toFixed(1), "median", t[40]!.toFixed(1));
