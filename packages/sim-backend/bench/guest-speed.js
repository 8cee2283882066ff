// How many instructions a second the simulator runs, by engine: four loops and a large program, in 64-bit code with paging
// on. Processor time of this process, so that other work on the machine counts little. After a build:
// node packages/sim-backend/bench/guest-speed.js
import { simHypervisor } from "@whvkit/sim-backend";
import { RegisterValues, registerByShortName, WHV_MAP_GPA_RANGE_FLAGS } from "@whvkit/whv-types";

const RAM = 0x80_0000;
const CODE = 0x1_0000;
const ROOT = 0x1000;
const LARGE_CODE = 0x10_0000;

/** Endless loops at CODE; `nasm` of what stands beside each. */
const LOOPS = {
  // again: add rax,rbx / xor rcx,rax / lea rdx,[rcx+rax*4+1] / shr rdx,3 / sub esi,1 / jnz again / mov esi,1000 / jmp again
  "integer loop": "4801d84831c1488d54810148c1ea0383ee0175ecbee8030000ebe5",
  // again: mov [rdi],eax / mov [rdi+8],rcx / add eax,[rdi+8] / add rdi,16 / and edi,0x2fff0 / sub ecx,1 / jmp again
  stores: "890748894f080347084883c71081e7f0ff020083e901ebe8",
  // fib(20) as everybody writes it, by two calls
  fib: "bf14000000e802000000ebf483ff0272195389fb8d7bffe8f0ffffff508d7bfee8e7ffffff5901c85bc389f8c3",
  // CRC-32 of 4096 bytes by a table of 256 words
  crc32: "b900100000be00000200b8ffffffff0fb61630c2c1e8083304950000030048ffc6ffc975eaebd9",
};

/** A small random generator (xorshift). */
function randomWords(/** @type {number} */ seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * 60,000 instructions of eleven kinds, each executed once in turn; every thirtieth jumps somewhere else, as often as a
 * Debian kernel changes the page while it boots.
 */
function largeProgram() {
  const random = randomWords(1);
  const chunk = 30;
  const chunks = Array.from({ length: 2000 }, (_, i) => i);
  for (let i = chunks.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [chunks[i], chunks[j]] = [chunks[j] ?? 0, chunks[i] ?? 0];
  }
  const registers = [0, 1, 2, 3, 5, 6]; // neither the stack pointer nor RDI, which holds the address of data
  const register = () => registers[random() % registers.length] ?? 0;
  const both = () => 0xc0 | (register() << 3) | register();
  const data = () => [0x87 | (register() << 3), random() & 0xf8, random() & 0x7f, 0, 0];
  const kinds = [
    () => [0x01, both()],
    () => [0x48, 0x01, both()],
    () => [0x29, both()],
    () => [0x48, 0x31, both()],
    () => [0x89, both()],
    () => [0x48, 0x39, both(), 0x75, 0],
    () => [0x85, both(), 0x74, 0],
    () => [0x8b, ...data()],
    () => [0x48, 0x89, ...data()],
    () => [0xc1, 0xe0 | register(), 1 + (random() % 31)],
    () => [0x48, 0x8d, 0x40 | (register() << 3) | register(), random() & 0x7f],
  ];
  const size = 256;
  const bytes = new Uint8Array(chunks.length * size);
  chunks.forEach((place, i) => {
    let at = place * size;
    for (let n = 0; n < chunk - 1; ) {
      const instructions = (kinds[random() % kinds.length] ?? (() => []))();
      bytes.set(instructions, at);
      at += instructions.length;
      n += instructions.at(-1) === 0 && instructions.length < 6 ? 2 : 1;
    }
    const next = (chunks[(i + 1) % chunks.length] ?? 0) * size;
    bytes[at] = 0xe9;
    new DataView(bytes.buffer).setInt32(at + 1, next - (at + 5), true);
  });
  return { bytes, entry: (chunks[0] ?? 0) * size };
}

/** A processor in 64-bit mode, everything mapped at its own address. */
function machine(/** @type {"evaluator" | "auto"} */ engine, /** @type {Uint8Array} */ code, at = CODE, entry = at) {
  const partition = simHypervisor.createPartition({ memoryCapacity: 0x200_0000, engine });
  partition.setup();
  const ram = partition.allocateMemory(RAM);
  const flags = WHV_MAP_GPA_RANGE_FLAGS;
  const all = flags.WHvMapGpaRangeFlagRead | flags.WHvMapGpaRangeFlagWrite | flags.WHvMapGpaRangeFlagExecute;
  partition.mapGpaRange(ram, 0, 0, RAM, all);
  const tables = new DataView(ram.bytes.buffer, ram.bytes.byteOffset);
  tables.setUint32(ROOT, (ROOT + 0x1000) | 3, true);
  tables.setUint32(ROOT + 0x1000, 0x83, true); // the first GiB at once
  ram.bytes.set(code, at);
  for (let i = 0; i < 1024; i++) tables.setUint32(0x3_0000 + i * 4, i * 0x0101_0101, true);
  const processor = partition.createVirtualProcessor(0);
  /** @type {Record<string, bigint>} */
  const integers = { Cr0: 0x8000_0011n, Cr3: BigInt(ROOT), Cr4: 0x20n, Efer: 0x500n, Rip: BigInt(entry), Rsp: 0xf000n };
  Object.assign(integers, { Rdi: 0x2_0000n, Rbx: 3n, Rsi: 1000n });
  const segments = { Cs: 0xa09b, Ss: 0xc093, Ds: 0xc093, Es: 0xc093 };
  const names = [...Object.keys(integers), ...Object.keys(segments)];
  const values = new RegisterValues(names.length);
  for (const [i, value] of Object.values(integers).entries()) values.set128(i, value);
  Object.values(segments).forEach((attributes, i) => {
    const selector = i === 0 ? 8 : 16;
    values.segment(Object.keys(integers).length + i).assign({ base: 0n, limit: 0xffff_ffff, selector, attributes });
  });
  const numbers = names.map((name) => registerByShortName(name) ?? 0);
  processor.setRegisters(Uint32Array.from(numbers), names.length, values);
  processor.instructionBudget = 1_000_000;
  return { partition, processor };
}

/** Million instructions a second: the median of five rounds after two of warming up. */
function speedOf(/** @type {ReturnType<typeof machine>} */ { partition, processor }, /** @type {number} */ seconds) {
  const speeds = [];
  for (let round = 0; round < 7; round++) {
    const [start, before] = [process.cpuUsage(), processor.instructionCount];
    let used = 0;
    while (used < seconds * 1e6) {
      processor.run();
      const { user, system } = process.cpuUsage(start);
      used = user + system;
    }
    if (round >= 2) speeds.push((processor.instructionCount - before) / used);
  }
  partition.dispose();
  return (speeds.sort((a, b) => a - b)[2] ?? 0).toFixed(1);
}

const large = largeProgram();
console.log("million instructions a second".padEnd(32), "evaluator".padStart(10), "auto".padStart(10));
const only = process.argv[2] ?? "";
for (const [name, code] of [...Object.entries(LOOPS), ["large code", ""]]) {
  if (!(name ?? "").includes(only)) continue;
  const make = (/** @type {"evaluator" | "auto"} */ engine) =>
    code === ""
      ? machine(engine, large.bytes, LARGE_CODE, LARGE_CODE + large.entry)
      : machine(engine, Uint8Array.from(Buffer.from(code ?? "", "hex")));
  console.log(
    (name ?? "").padEnd(32),
    speedOf(make("evaluator"), 0.3).padStart(10),
    speedOf(make("auto"), 0.5).padStart(10),
  );
}
