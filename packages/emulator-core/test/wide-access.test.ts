/**
 * Accesses above eight bytes, on the machine itself: vector instructions make them whatever their family. And registers
 * without a WHv name, which five callbacks do not reach.
 */
import { GuestFault, Intent, type Program, RegisterFile, RegisterOffset, Segment } from "@whvkit/x86-semantics";
import { describe, expect, test } from "vitest";
import { CallbackMachine } from "../src/callback-machine.ts";
import { DataBreakpoints } from "../src/data-breakpoints.ts";
import { ExitContext } from "../src/exit-context.ts";
import { Failure } from "../src/failure.ts";
import { HostCallbacks } from "../src/host-callbacks.ts";
import { RegisterExchange } from "../src/register-exchange.ts";
import { MAPPED_REGISTERS } from "../src/register-map.ts";
import { planRegisters } from "../src/register-plan.ts";
import { Segmentation } from "../src/segmentation.ts";
import { SystemOperations } from "../src/system-operations.ts";
import { Translation } from "../src/translation.ts";
import { vpExit } from "./exits.ts";
import { hostCallbacks, TestHost } from "./test-host.ts";

function machineOn(testHost: TestHost): CallbackMachine<TestHost> {
  const registers = new RegisterFile();
  const exit = new ExitContext(registers);
  const fault = new GuestFault();
  const failure = new Failure();
  const host = new HostCallbacks(hostCallbacks, failure);
  const exchange = new RegisterExchange(registers, host);
  host.bind(testHost);
  exit.readProcessor(vpExit());
  return new CallbackMachine({
    exit,
    registers,
    fault,
    segmentation: new Segmentation(exit, registers, fault, () => false),
    translation: new Translation(exit, host, failure, fault, "device"),
    host,
    breakpoints: new DataBreakpoints(exit, exchange, false),
    system: new SystemOperations(failure, { startsShadow: false }, () => false),
  });
}

const bytes = Array.from({ length: 16 }, (_, i) => i + 1);

describe("sixteen bytes", () => {
  test("inside a page are 8 and 8, ascending, aligned or not", () => {
    for (const address of [0x2000, 0x2001]) {
      const host = new TestHost().putBytes(address, ...bytes);
      const machine = machineOn(host);
      expect(machine.load(Segment.ds, address, 0, 16, Intent.read)).toBe(0);
      expect(host.texts("memory")).toEqual([`read 8@${address.toString(16)}`, `read 8@${(address + 8).toString(16)}`]);
      expect([...new Uint8Array(machine.data.buffer)]).toEqual(bytes);
    }
  });

  test("are cut again where the page ends", () => {
    const host = new TestHost();
    const machine = machineOn(host);
    machine.data.set([0x04030201, 0x08070605, 0x0c0b0a09, 0x100f0e0d]);
    machine.store128(Segment.ds, 0xff4, 0, Intent.write);
    expect(host.texts()).toEqual([
      "translate 0x0 flags 13",
      "translate 0x1000 flags 13",
      "write 8@ff4=0x807060504030201",
      "write 4@ffc=0xc0b0a09",
      "write 4@1000=0x100f0e0d",
    ]);
  });

  test("a chunk of eight that meets the page's end is cut in two", () => {
    const host = new TestHost();
    machineOn(host).load(Segment.ds, 0xffa, 0, 16, Intent.read);
    expect(host.texts("memory")).toEqual(["read 6@ffa", "read 2@1000", "read 8@1002"]);
  });

  test("every offset around a page's end: each byte once, ascending, none across the page", () => {
    for (let offset = 0xfe8; offset <= 0x1008; offset++) {
      const host = new TestHost().putBytes(offset, ...bytes);
      const machine = machineOn(host);
      machine.load(Segment.ds, offset, 0, 16, Intent.read);
      expect([...new Uint8Array(machine.data.buffer)]).toEqual(bytes);
      const accesses = host.texts("memory").map((text) => /read (\d)@(\w+)/.exec(text) as RegExpExecArray);
      let next = offset;
      for (const [, size, gpa] of accesses) {
        expect(Number.parseInt(gpa as string, 16)).toBe(next);
        next += Number(size);
      }
      expect(next).toBe(offset + 16);
    }
  });
});

describe("probe", () => {
  test("translates both pages and accesses nothing", () => {
    const host = new TestHost();
    expect(machineOn(host).probe(Segment.ds, 0xff0, 0, 64, Intent.write)).toBe(0);
    expect(host.texts()).toEqual(["translate 0x0 flags 13", "translate 0x1000 flags 13"]);
  });

  test("of no bytes asks nothing", () => {
    const host = new TestHost();
    expect(machineOn(host).probe(Segment.ds, 0xffff_ffff, 0x7fff_ffff, 0, Intent.write)).toBe(0);
    expect(host.calls).toEqual([]);
  });
});

describe("registers and their names", () => {
  const program = (reads: [number, number][], writes: [number, number][]): Program =>
    ({
      string: null,
      helpers: [],
      reads: reads.map(([offset, size]) => ({ offset, size })),
      writes: writes.map(([offset, size]) => ({ offset, size })),
    }) as unknown as Program;
  const vector = RegisterOffset.vector;

  test("no two registers share a byte of the file", () => {
    const sorted = [...MAPPED_REGISTERS].sort((a, b) => a.offset - b.offset);
    for (const [i, register] of sorted.entries())
      expect((sorted[i + 1]?.offset ?? Number.POSITIVE_INFINITY) >= register.offset + register.size).toBe(true);
    expect(new Set(sorted.map(({ name }) => name)).size).toBe(sorted.length);
  });

  test("XMM state is reachable, YMM, ZMM, opmask and XMM16 are not", () => {
    expect(planRegisters(program([[vector + 64, 16]], []), "memory")).toMatchObject({
      selectsState: false,
      names: Uint32Array.of(0x1001),
    });
    for (const interval of [
      [vector, 32],
      [vector + 16, 16],
      [vector + 16 * 64, 16],
      [RegisterOffset.mask, 8],
    ] as [number, number][]) {
      expect(planRegisters(program([interval], []), "memory").usesExtendedState).toBe(true);
      expect(planRegisters(program([], [interval]), "memory").changesExtendedState).toBe(true);
    }
  });

  test("a register that is only overwritten is not fetched; one that is partly overwritten is", () => {
    expect(planRegisters(program([], [[0, 8]]), "memory").names).toEqual(Uint32Array.of());
    expect(planRegisters(program([], [[0, 1]]), "memory").names).toEqual(Uint32Array.of(0));
    expect(planRegisters(program([], [[9, 1]]), "memory").names).toEqual(Uint32Array.of(1));
    expect(planRegisters(program([], [[vector, 8]]), "memory").names).toEqual(Uint32Array.of(0x1000));
  });

  test("MXCSR and the x87 data pointer come in one register", () => {
    const plan = planRegisters(program([[RegisterOffset.mxcsr, 4]], [[RegisterOffset.fpuDataPointer, 8]]), "memory");
    expect(plan.names).toEqual(Uint32Array.of(0x1019));
    expect(plan.writtenNames.length).toBe(1);
  });
});
