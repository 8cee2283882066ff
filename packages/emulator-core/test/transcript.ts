/** What the calls of a transcript leave in memory, told from the calls alone. */
import type { Call, TestHost } from "./test-host.ts";

export interface Memory {
  readonly ram: ReadonlyMap<number, number>;
  readonly device: ReadonlyMap<number, number>;
}

/** Memory of `host` after the writes among `calls`; the host itself stays as it is. */
export function applyWrites(host: TestHost, calls: readonly Call[]): Memory {
  const ram = new Map(host.ram);
  const device = new Map(host.deviceWrites);
  for (const { text } of calls) {
    const write = /^write (\d)@([0-9a-f]+)=0x([0-9a-f]+)$/.exec(text);
    if (write === null) continue;
    const [size, gpa, value] = [Number(write[1]), Number.parseInt(write[2] as string, 16), BigInt(`0x${write[3]}`)];
    for (let i = 0; i < size; i++) {
      const byte = Number((value >> BigInt(8 * i)) & 0xffn);
      (ram.has(gpa + i) ? ram : device).set(gpa + i, byte);
    }
  }
  return { ram, device };
}
