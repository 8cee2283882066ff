// Small images on the simulator with the real emulator: each entry mode, each way a run ends, and typing in slices.
import { simHypervisor } from "@whvkit/sim-backend";
import { describe, expect, it } from "vitest";
import { createMachine, DEMO_INPUT, demoGuest, type GuestImage, tripleFaultGuest } from "../../src/index.ts";
import { boot } from "./boot.ts";

const image = (mode: GuestImage["mode"], ...code: number[]): GuestImage => ({
  bytes: Uint8Array.from(code),
  mode,
  load: 0x8000,
});

describe("entry", () => {
  it.each([
    // mov ax, cs; mov ds, ax; mov al, [0x1234]; out 0xf4, al (in mode 64: mov al, [0x12345678 + …])
    [
      "mode 16, in a segment of its own",
      { ...image(16, 0x8c, 0xc8, 0x8e, 0xd8, 0xa0, 0x0b, 0x80, 0xe6, 0xf4, 0xf4, 0, 42), load: 0x18000 },
    ],
    // mov ax, 0x10; mov ds, ax (the descriptor is there); mov al, [0x800f]; out 0xf4, al
    ["mode 32", image(32, 0x66, 0xb8, 0x10, 0, 0x8e, 0xd8, 0xa0, 0x0e, 0x80, 0, 0, 0xe6, 0xf4, 0xf4, 42)],
    // mov al, [rip + 7]; push 0x10; pop fs … : push rax; pop rax; out 0xf4, al
    ["mode 64", image(64, 0x8a, 0x05, 5, 0, 0, 0, 0x50, 0x58, 0xe6, 0xf4, 0xf4, 42)],
  ])("%s runs and reaches its data", (_name, guest) => {
    expect(boot(guest).result).toMatchObject({ reason: "debug-exit", debugExitValue: 42, exitStatus: 85 });
  });

  it("mode 64 reaches devices below 4 GiB through the tables that are there", () => {
    // mov eax, 0xd0000000; mov eax, [rax]; cmp eax, 0x74726976; setne al; out 0xf4, al
    const guest = image(
      64,
      0xb8,
      0,
      0,
      0,
      0xd0,
      0x8b,
      0x00,
      0x3d,
      0x76,
      0x69,
      0x72,
      0x74,
      0x0f,
      0x95,
      0xc0,
      0xe6,
      0xf4,
    );
    expect(boot(guest).result).toMatchObject({ debugExitValue: 0, exitStatus: 1 });
  });
});

describe("a run ends", () => {
  it("by triple fault, and says where", () => {
    const { result } = boot(tripleFaultGuest());
    expect(result).toMatchObject({ reason: "triple-fault", exitStatus: 1 });
    expect(result.message).toBe("The guest triple-faulted at 0000:00008006.");
  });

  it("when it halts for good", () => {
    expect(boot(image(16, 0xfa, 0xf4)).result).toMatchObject({ reason: "halted", exitStatus: 1 });
    expect(boot(image(16, 0xfb, 0xf4)).result).toMatchObject({ reason: "halted", exitStatus: 1 });
  });

  it("at the instruction limit, although it never exits", () => {
    const { result } = boot(image(16, 0xeb, 0xfe), { limits: { maxInstructions: 250_000 } });
    expect(result).toMatchObject({ reason: "instruction-limit", exitStatus: 124 });
    expect(result.statistics.instructions).toBe(250_000);
  });

  it("at the time limit inside one endless REP STOSB on device memory", () => {
    // mov ax, 0x10; mov es, ax; mov edi, 0xd0100000; or ecx, -1; rep stosb
    const guest = image(32, 0x66, 0xb8, 0x10, 0, 0x8e, 0xc0, 0xbf, 0, 0, 0x10, 0xd0, 0x83, 0xc9, 0xff, 0xf3, 0xaa);
    const { result } = boot(guest, { limits: { timeoutSeconds: 0.05 } });
    expect(result).toMatchObject({ reason: "timeout", exitStatus: 124 });
    expect(result.statistics.callbacks.memory).toBeGreaterThanOrEqual(65_536);
  });

  it("at the time limit, although it never exits", () => {
    const { result } = boot(image(16, 0xeb, 0xfe), { limits: { timeoutSeconds: 0.05 } });
    expect(result).toMatchObject({ reason: "timeout", exitStatus: 124 });
  });
});

it("a timer interrupts code that never exits", () => {
  const guest = image(
    16,
    ...[0xfa, 0xc7, 0x06, 0x80, 0x00, 0x28, 0x80], // cli; mov word [4 * 0x20], handler
    ...[0xc7, 0x06, 0x82, 0x00, 0x00, 0x00], // mov word [4 * 0x20 + 2], 0
    ...[0xb0, 0x13, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21], // a single PIC, vectors from 0x20
    ...[0xb0, 0x30, 0xe6, 0x43, 0xb0, 0xa9, 0xe6, 0x40, 0xb0, 0x04, 0xe6, 0x40], // PIT: mode 0, 1,193 ticks
    ...[0xfb, 0xeb, 0xfe], // sti; jmp $
    ...[0xb0, 0x07, 0xe6, 0xf4], // handler: mov al, 7; out 0xf4, al
  );
  const { result } = boot(guest);
  expect(result).toMatchObject({ reason: "debug-exit", debugExitValue: 7, statistics: { interrupts: 1 } });
  // 1,194 ticks of the timer's clock are 1.0007 ms; the exits before and after it take 1 us each.
  expect(result.statistics.guestNanoseconds).toBeGreaterThan(1_000_700);
  expect(result.statistics.guestNanoseconds).toBeLessThan(1_000_700 + 20_000);
});

it("types in slices, as a host with an event loop does", () => {
  let serial = "";
  const machine = createMachine({
    hypervisor: simHypervisor,
    image: demoGuest(),
    interactive: true,
    serialOutput: (byte) => {
      serial += String.fromCharCode(byte);
    },
  });
  const runToRest = (): string => {
    for (let slices = 0; slices < 10_000; slices++) {
      const state = machine.runSlice(10);
      if (state !== "running") return state;
    }
    return "too many slices";
  };
  expect(runToRest()).toBe("waiting");
  expect(serial.endsWith("What is your name? ")).toBe(true);
  for (const character of DEMO_INPUT.slice(0, -1)) {
    machine.type(new TextEncoder().encode(character));
    expect(runToRest()).toBe("waiting");
  }
  expect(serial.endsWith("What is your name? whvkit")).toBe(true);
  machine.type(Uint8Array.of(13));
  expect(runToRest()).toBe("ended");
  expect(machine.result?.exitStatus).toBe(0);
  machine.dispose();
});

it("REP MOVSB from RAM to the screen: RAM is read at once, the screen written cell by cell", () => {
  const guest = image(
    64,
    // mov edi, 0xb8000; lea rsi, [rip + 11]; mov ecx, 8; rep movsb; xor eax, eax; out 0xf4, al
    ...[0xbf, 0x00, 0x80, 0x0b, 0x00, 0x48, 0x8d, 0x35, 11, 0, 0, 0, 0xb9, 8, 0, 0, 0, 0xf3, 0xa4],
    ...[0x31, 0xc0, 0xe6, 0xf4],
    ...[0x48, 7, 0x69, 7, 0x48, 7, 0x69, 7],
  );
  const { result, screen } = boot(guest);
  expect(result).toMatchObject({ reason: "debug-exit", debugExitValue: 0 });
  expect(screen.startsWith("HiHi\n")).toBe(true);
  expect(result.statistics.callbacks).toMatchObject({ memory: 1 + 8, translateGvaPage: 1 });
});
