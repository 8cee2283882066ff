// The demo guest on the simulator with the real emulator. The guest checks every result itself; here its words, its
// screen and its exit status are held to what they have to be, and every exit to its emulator.
import { createEmulator } from "@whvkit/emulator-core";
import { simHypervisor } from "@whvkit/sim-backend";
import {
  type EmulationResult,
  type Emulator,
  type EmulatorCallbacks,
  type Hypervisor,
  WHV_RUN_VP_EXIT_REASON,
} from "@whvkit/whv-types";
import { describe, expect, it } from "vitest";
import { DEMO_INPUT, demoGuest, type MachineOptions } from "../../src/index.ts";
import { type Boot, boot } from "./boot.ts";

const Exit = WHV_RUN_VP_EXIT_REASON;
const typed = (text: string): Uint8Array => new TextEncoder().encode(text);
const bootDemo = (options: Partial<MachineOptions> = {}): Boot =>
  boot(demoGuest(), { serialInput: typed(DEMO_INPUT), ...options });

const TRANSCRIPT = `real mode (16 bits)
  IN, OUT: UART, PIC, PIT                   ok
  REP OUTSB, REP INSB: UART loopback        ok
  MOV, MOVZX, ADD, OR, BTS, XCHG: screen    ok
  REP STOSD, REP MOVSB: screen              ok
protected mode (32 bits)
  IN, OUT: UART, PIC                        ok
  REP OUTSB, REP INSB: UART loopback        ok
  MOV, MOVZX, ADD, OR, BTS, XCHG: screen    ok
  REP STOSD, REP MOVSB: screen              ok
  virtio console: registers, configuration  ok
long mode (64 bits, paging)
  IN, OUT: UART, PIT                        ok
  REP OUTSB, REP INSB: UART loopback        ok
  MOV, MOVZX, ADD, OR, BTS, XCHG: screen    ok
  REP STOSD, REP MOVSB: screen              ok
  a page fault inside REP MOVSB             ok
  virtio entropy: a queue in guest memory   ok
  timer interrupts: PIT, PIC, IDT, HLT      ok
What is your name? whvkit
Hello, whvkit!
59 checks passed, shutting down
`;

describe("the demo guest", () => {
  it("says what it did, and switches the machine off", () => {
    const { result, serial, console, screen } = bootDemo();
    expect(serial.replaceAll("\r\n", "\n")).toBe(TRANSCRIPT);
    expect(console).toBe("32 bits: hello by emergency write\n\0");
    expect(screen.trimEnd()).toBe(
      "16 bits: real mode was here\n32 bits: protected mode was here\n64 bits: long mode was here\n\nwhvkit",
    );
    expect(result).toMatchObject({ reason: "shutdown", exitStatus: 0, diagnostic: null });
  });

  it("takes three timer interrupts and one for what is typed, in guest time of three ticks at 100 Hz", () => {
    const { statistics } = bootDemo().result;
    expect(statistics.interrupts).toBe(4);
    expect(statistics.exits).toMatchObject({ X64Halt: 4 });
    expect(statistics.guestNanoseconds).toBeGreaterThan(30e6);
    expect(statistics.guestNanoseconds).toBeLessThan(40e6);
  });

  it("has every port and memory exit finished by the emulator, in all three modes", () => {
    const exits: string[] = [];
    const finished: string[] = [];
    const faults: unknown[] = [];
    const modes = new Set<string>();
    /** Notes each exit that the emulator finished. */
    const watched = (callbacks: EmulatorCallbacks): Emulator => {
      const emulator = createEmulator(callbacks);
      const note = (what: string, rip: bigint, result: EmulationResult): EmulationResult => {
        if (result.emulationSuccessful) finished.push(`${what} ${rip}`);
        if (result.diagnostic?.exception)
          faults.push({ ...result.diagnostic.exception, after: result.diagnostic.repCompleted });
        return result;
      };
      return {
        tryIoEmulation: (context, vp, io) => note("io", vp.rip, emulator.tryIoEmulation(context, vp, io)),
        tryMmioEmulation: (context, vp, mmio) => note("mmio", vp.rip, emulator.tryMmioEmulation(context, vp, mmio)),
        destroy: () => emulator.destroy(),
      };
    };
    const { result } = bootDemo({
      createEmulator: watched,
      onExit: ({ exitReason, vpContext }) => {
        const io = exitReason === Exit.WHvRunVpExitReasonX64IoPortAccess;
        if (!io && exitReason !== Exit.WHvRunVpExitReasonMemoryAccess) return;
        const { cr0Pe, eferLma } = vpContext.executionState;
        modes.add(`${io ? "io" : "mmio"} ${eferLma ? 64 : cr0Pe ? 32 : 16}`);
        exits.push(`${io ? "io" : "mmio"} ${vpContext.rip}`);
      },
    });
    expect(finished).toEqual(exits);
    expect([...modes].sort()).toEqual(["io 16", "io 32", "io 64", "mmio 16", "mmio 32", "mmio 64"]);
    // The page fault inside REP MOVSB is the emulator's to inject; the guest goes on with the rest.
    expect(faults).toEqual([{ vector: 14, errorCode: 2, cr2: 0x40000n, after: 4 }]);
    const { X64IoPortAccess, MemoryAccess } = result.statistics.exits;
    expect(result.statistics.emulations).toEqual({ io: X64IoPortAccess, mmio: MemoryAccess });
    // One set for each, right before success; the last instruction's, after which the machine was off, among them.
    expect(result.statistics.callbacks.setVirtualProcessorRegisters).toBe(finished.length);
  });

  it("runs the same way every time", () => {
    const { seconds: _first, ...first } = bootDemo().result.statistics;
    const { seconds: _second, ...second } = bootDemo().result.statistics;
    expect(second).toEqual(first);
  });

  it("runs where the hypervisor leaves instruction bytes out of its exits", () => {
    const hypervisor: Hypervisor = {
      name: "sim without instruction bytes",
      getCapability: (code) => simHypervisor.getCapability(code),
      createPartition: () => simHypervisor.createPartition({ omitInstructionBytes: true }),
    };
    let bytes = 0;
    const { result, serial } = bootDemo({
      hypervisor,
      onExit: (exit) => {
        if (exit.exitReason === Exit.WHvRunVpExitReasonMemoryAccess) bytes += exit.memoryAccess.instructionByteCount;
      },
    });
    expect([result.exitStatus, bytes]).toEqual([0, 0]);
    expect(serial.replaceAll("\r\n", "\n")).toBe(TRANSCRIPT);
  });

  it.each<[string, string, string]>([
    ["a name of its own", "Ada\n", "Hello, Ada!"],
    ["an empty line", "\r", "Hello, !"],
    ["more than a line", "one\ntwo\n", "Hello, one!"],
    ["more than it keeps", `${"x".repeat(100)}\n`, `Hello, ${"x".repeat(64)}!`],
  ])("greets %s", (_name, input, greeting) => {
    const { result, serial } = bootDemo({ serialInput: typed(input) });
    expect(serial).toContain(`${greeting}\r\n`);
    expect(result.exitStatus).toBe(0);
  });

  it("ends halted when nothing is typed", () => {
    const { result, serial } = bootDemo({ serialInput: new Uint8Array(0) });
    expect(serial.endsWith("What is your name? ")).toBe(true);
    expect(result).toMatchObject({ reason: "halted", exitStatus: 1 });
  });

  it("stops where the console shows what was waited for", () => {
    const { result, serial } = bootDemo({ limits: { until: /protected mode/ } });
    expect([result.reason, result.exitStatus]).toEqual(["until", 0]);
    expect(serial).not.toContain("long mode");
  });

  it.each<[string, "ioPort" | "memory", string]>([
    ["a port", "ioPort", "scratch register of the UART"],
    ["device memory", "memory", "MOVZX from the screen"],
  ])("says FAIL and ends with status 3 when %s reads wrong", (_name, callback, check) => {
    const { result, serial } = bootDemo({
      createEmulator: (callbacks) => {
        const broken: EmulatorCallbacks = {
          ioPort: (context, access) => callbacks.ioPort(context, access),
          memory: (context, access) => callbacks.memory(context, access),
          getVirtualProcessorRegisters: (...all) => callbacks.getVirtualProcessorRegisters(...all),
          setVirtualProcessorRegisters: (...all) => callbacks.setVirtualProcessorRegisters(...all),
          translateGvaPage: (...all) => callbacks.translateGvaPage(...all),
        };
        if (callback === "ioPort") {
          broken.ioPort = (context, access) => {
            const hresult = callbacks.ioPort(context, access);
            if (access.direction === 0 && access.port === 0x3ff) access.data ^= 1;
            return hresult;
          };
        } else {
          broken.memory = (context, access) => {
            const hresult = callbacks.memory(context, access);
            if (access.direction === 0 && access.gpaAddress >= 0xb8000 && access.gpaAddress < 0xc0000)
              access.data[0] ^= 1;
            return hresult;
          };
        }
        return createEmulator(broken);
      },
    });
    expect(serial.endsWith(`FAIL: ${check}\r\n`)).toBe(true);
    expect(result).toMatchObject({ reason: "debug-exit", debugExitValue: 1, exitStatus: 3 });
  });
});
