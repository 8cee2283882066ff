/** Whatever a guest writes to the devices, and whenever: each answers what fits the access, and none throws. */
import { simHypervisor } from "@whvkit/sim-backend";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Board } from "../src/board.ts";
import { ConsoleText } from "../src/console-text.ts";
import { MachineRam } from "../src/guest-memory-layout.ts";
import type { MachineOptions } from "../src/machine-options.ts";

/** Every port with a device and its neighbours. */
const port = fc
  .tuple(
    fc.constantFrom(0x20, 0x40, 0x60, 0x70, 0x80, 0xa0, 0xe9, 0xf4, 0x3b0, 0x3c0, 0x3d0, 0x3f8, 0x4d0, 0x600, 0xfffc),
    fc.nat(15),
  )
  .map(([base, offset]) => Math.min(base + offset, 0xffff));
/** The screen, both virtio transports, their ends, and nothing. */
const gpa = fc
  .tuple(fc.constantFrom(0xb8000, 0xb8f90, 0xbffe0, 0xd000_0000, 0xd000_01f0, 0xd000_1000, 0xfee0_0000), fc.nat(0x120))
  .map(([base, offset]) => base + offset);
/** Few values, so that registers come to agree with each other: queue addresses in and around RAM, and status bits. */
const value = fc.oneof(
  fc.nat(0xff),
  fc.constantFrom(0x1000, 0x2000, 0xff00, 0xfffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const access = fc.oneof(
  fc.record({ kind: fc.constant("port" as const), at: port, size: fc.constantFrom(1, 2, 4), value }),
  fc.record({ kind: fc.constant("memory" as const), at: gpa, size: fc.integer({ min: 1, max: 8 }), value }),
  fc.record({ kind: fc.constant("time" as const), at: fc.constant(0), size: fc.constant(0), value }),
  fc.record({ kind: fc.constant("acknowledge" as const), at: fc.constant(0), size: fc.constant(0), value }),
);

test("any sequence of accesses", () => {
  let accesses = 0;
  const ram = guestRam();
  fc.assert(
    fc.property(
      fc.array(access, { maxLength: 120, size: "max" }),
      fc.infiniteStream(fc.nat(255)),
      (sequence, bytes) => {
        // Descriptors and rings are the guest's as well.
        for (let i = 0x1000; i < 0x1400; i++) ram.bytes[i] = bytes.next().value as number;
        const options = { debugConsoles: [{ port: 0xe9, output: () => {} }], serialInput: Uint8Array.of(65, 66) };
        const requests = { powerOff: () => {}, debugExit: () => {} };
        const board = new Board(options as unknown as MachineOptions, ram, new ConsoleText(null), requests);
        for (const each of sequence) {
          accesses++;
          const { bus, clock, pic } = board;
          const isInteger = (read: number, size: number) =>
            expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * size)).toBe(true);
          if (each.kind === "time") clock.advanceTo(clock.now + each.value);
          else if (each.kind === "acknowledge") isInteger(pic.acknowledge(), 1);
          else if (each.kind === "port") {
            if (each.at + each.size > 0x1_0000) continue;
            bus.writePort(each.at, each.size, each.size === 4 ? each.value : each.value & (2 ** (8 * each.size) - 1));
            isInteger(bus.readPort(each.at, each.size), each.size);
          } else {
            bus.writeMemory(each.at, each.size, each.value, each.value);
            isInteger(bus.readMemory(each.at, each.size), 4);
          }
        }
      },
    ),
    { numRuns: 400, seed: 21 },
  );
  expect(accesses).toBeGreaterThan(2000);
});

function guestRam(): MachineRam {
  const partition = simHypervisor.createPartition();
  partition.setup();
  return new MachineRam(partition, 0x10_0000);
}
