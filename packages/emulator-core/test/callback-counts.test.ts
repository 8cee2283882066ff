/**
 * The number that matters on a real host, where a callback may be a hypercall: callbacks for each emulation, exactly. The
 * rows are the README's table "Callbacks per emulation".
 */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { expect, test } from "vitest";
import { code } from "./assembly.ts";
import { DEVICE, RAM, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;

interface Counts {
  get: number;
  translate: number;
  memory: number;
  port: number;
  set: number;
}

function counts(s: TestBed): Counts {
  return {
    get: s.host.count("getVirtualProcessorRegisters"),
    translate: s.host.count("translateGvaPage"),
    memory: s.host.count("memory"),
    port: s.host.count("ioPort"),
    set: s.host.count("setVirtualProcessorRegisters"),
  };
}

const rows: [string, Counts, (s: TestBed) => unknown][] = [
  [
    "IN",
    { get: 0, translate: 0, memory: 0, port: 1, set: 1 },
    (s) => s.io({ instructionLength: 1 }, { bytes: code["in al, dx"] }),
  ],
  [
    "OUT",
    { get: 0, translate: 0, memory: 0, port: 1, set: 1 },
    (s) => s.io({ instructionLength: 1 }, { bytes: code["out dx, al"], isWrite: true }),
  ],
  [
    "MOV from device memory",
    { get: 1, translate: 0, memory: 1, port: 0, set: 1 },
    (s) => s.mmio({ instructionLength: 2 }, { bytes: code["mov eax, [rdi]"], gpa: DEVICE }),
  ],
  [
    "MOV to device memory",
    { get: 1, translate: 0, memory: 1, port: 0, set: 1 },
    (s) => s.mmio({ instructionLength: 2 }, { bytes: code["mov [rdi], eax"], gpa: DEVICE, accessType: 1 }),
  ],
  [
    "read-modify-write on device memory",
    { get: 1, translate: 0, memory: 2, port: 0, set: 1 },
    (s) => s.mmio({ instructionLength: 2 }, { bytes: code["add [rdi], ecx"], gpa: DEVICE }),
  ],
  [
    "REP MOVSB, 100 bytes within a page on each side",
    { get: 1, translate: 1, memory: 200, port: 0, set: 1 },
    (s) => {
      s.host.put(NAME.WHvX64RegisterRcx, 100n);
      return s.mmio({ instructionLength: 2 }, { bytes: code["rep movsb"], gpa: DEVICE, accessType: 1 });
    },
  ],
  [
    "REP INSD, 100 elements within a page",
    { get: 0, translate: 1, memory: 100, port: 100, set: 1 },
    (s) =>
      s.io(
        { instructionLength: 2 },
        { bytes: code["rep insd"], size: 4, stringOp: true, repPrefix: true, rcx: 100n, rdi: BigInt(RAM) },
      ),
  ],
  [
    "instruction bytes absent",
    { get: 1, translate: 1, memory: 2, port: 0, set: 1 },
    (s) => {
      s.host.putBytes(0x1000, ...code["mov eax, [rdi]"], 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
      return s.mmio({}, { gpa: DEVICE });
    },
  ],
  [
    "interrupt shadow set, MOV",
    { get: 1, translate: 0, memory: 1, port: 0, set: 1 },
    (s) => s.mmio({ interruptShadow: true }, { bytes: code["mov eax, [rdi]"], gpa: DEVICE }),
  ],
  [
    "interrupt shadow set, IN",
    { get: 1, translate: 0, memory: 0, port: 1, set: 1 },
    (s) => s.io({ interruptShadow: true, instructionLength: 1 }, {}),
  ],
  [
    "MOV without GvaValid",
    { get: 1, translate: 1, memory: 1, port: 0, set: 1 },
    (s) => s.mmio({}, { bytes: code["mov eax, [rdi]"] }),
  ],
];

test.each(rows)("%s", (_name, expected, call) => {
  const s = new TestBed();
  expect(call(s)).toMatchObject({ emulationSuccessful: true, diagnostic: null });
  expect(counts(s)).toEqual(expected);
});

test("the get asks for no register that the exit holds, and for none that is only overwritten", () => {
  const s = new TestBed();
  s.mmio({}, { bytes: code["mov eax, [rdi]"], gpa: DEVICE });
  expect(s.host.texts("getVirtualProcessorRegisters")).toEqual(["get Rdi"]);
});

test("CR0, CR4 and EFER are not asked for: the exit's ExecutionState and Cs tell the mode", () => {
  for (const vp of [{}, { mode: 32 as const }, { mode: 16 as const, real: true }]) {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRbx, 0x20n);
    s.mmio(vp, { bytes: code["mov eax, [rdi]"] });
    const asked = s.host.texts("getVirtualProcessorRegisters").join(" ");
    expect(asked).not.toMatch(/Cr0|Cr4|Efer|Rip|Rflags|Cs/);
  }
});
