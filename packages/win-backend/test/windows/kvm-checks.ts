/**
 * Real-mode guests on a real processor, behind the same ABI: the TypeScript emulator finishes what the processor exits
 * with, and what the guest then computes is the processor's own.
 */
import assert from "node:assert/strict";
import { createEmulator } from "@whvkit/emulator-core";
import { type EmulatorCallbacks, WHV_REGISTER_NAME as Name, WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import type { WinVirtualProcessor } from "@whvkit/win-backend";
import { check, Skipped } from "../../../../tooling/windows-stand-ins/suite.ts";
import { loadCode, platform, register, withPartition, withPartitionAsync } from "./fixtures.ts";

interface Machine {
  readonly processor: WinVirtualProcessor;
  readonly ram: Uint8Array;
  readonly output: number[];
  readonly device: Map<number, number>;
}

const callbacks: EmulatorCallbacks<Machine> = {
  ioPort(machine, access) {
    if (access.direction === 1) machine.output.push(access.data);
    else access.data = 0x41;
    return 0;
  },
  memory(machine, access) {
    for (let i = 0; i < access.accessSize; i++) {
      const at = access.gpaAddress + i;
      const isRam = at < machine.ram.length;
      if (access.direction === 0)
        access.data[i] = isRam ? (machine.ram[at] as number) : (machine.device.get(at) ?? 0xff);
      else if (isRam) machine.ram[at] = access.data[i] as number;
      else machine.device.set(at, access.data[i] as number);
    }
    return 0;
  },
  getVirtualProcessorRegisters(machine, names, count, values) {
    machine.processor.getRegisters(names, count, values);
    return 0;
  },
  setVirtualProcessorRegisters(machine, names, count, values) {
    machine.processor.setRegisters(names, count, values);
    return 0;
  },
  translateGvaPage(machine, translation) {
    const result = { resultCode: 0, gpa: 0 };
    machine.processor.translateGva(translation.gvaPageLow, translation.gvaPageHigh, translation.flags, result);
    translation.resultCode = result.resultCode;
    translation.gpaPage = result.gpa;
    return 0;
  },
};

export function addKvmChecks(): void {
  check("on /dev/kvm: ports, device memory, arithmetic and a loop, to HLT", () => {
    if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
    try {
      withPartition((partition) => {
        const processor = loadCode(partition, [
          ...[0xb8, 0x00, 0x20, 0x8e, 0xd8], // mov ax, 0x2000; mov ds, ax: 0x20000 is device memory
          ...[0xe4, 0x60], // in al, 0x60
          ...[0x04, 0x01], // add al, 1
          ...[0xe6, 0x80], // out 0x80, al
          ...[0xb9, 0x03, 0x00], // mov cx, 3
          ...[0x31, 0xdb], // xor bx, bx
          ...[0x88, 0x07], // L: mov [bx], al
          ...[0x00, 0x07], // add [bx], al
          ...[0x8a, 0x17], // mov dl, [bx]
          ...[0x43], // inc bx
          ...[0xe2, 0xf7], // loop L
          ...[0x88, 0xd0, 0xe6, 0x81], // mov al, dl; out 0x81, al
          0xf4, // hlt
        ]);
        const ram = new Uint8Array(0);
        const machine: Machine = { processor, ram, output: [], device: new Map() };
        const emulator = createEmulator(callbacks);
        const exits: string[] = [];
        for (;;) {
          const exit = processor.run();
          exits.push(`${exit.exitReason}@${exit.vpContext.rip.toString(16)}`);
          if (exit.exitReason === Reason.WHvRunVpExitReasonX64Halt) break;
          assert.ok(exits.length < 40, `the guest comes to its end: ${exits.join(" ")}`);
          const result =
            exit.exitReason === Reason.WHvRunVpExitReasonMemoryAccess
              ? emulator.tryMmioEmulation(machine, exit.vpContext, exit.memoryAccess)
              : exit.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess
                ? emulator.tryIoEmulation(machine, exit.vpContext, exit.ioPortAccess)
                : assert.fail(`exit reason ${exit.exitReason}`);
          assert.equal(result.emulationSuccessful, true, result.diagnostic?.message);
        }
        assert.deepEqual(machine.output, [0x42, 0x84]);
        assert.deepEqual(
          [...machine.device],
          [
            [0x20000, 0x84],
            [0x20001, 0x84],
            [0x20002, 0x84],
          ],
        );
        // Three ports, nine accesses to device memory, HLT.
        assert.equal(exits.length, 13);
        assert.equal(register(processor, Name.WHvX64RegisterRcx), 0n);
        assert.equal(register(processor, Name.WHvX64RegisterRbx), 3n);
        assert.equal(register(processor, Name.WHvX64RegisterRip), 0x101en);
      });
    } finally {
      platform.useKvm(0);
    }
  });

  check("on /dev/kvm: a guest that never exits is cancelled, and keeps its place", async () => {
    if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
    try {
      await withPartitionAsync(async (partition) => {
        // inc ax; jmp back
        const processor = loadCode(partition, [0x40, 0xeb, 0xfd]);
        const running = processor.runAsync();
        await new Promise((resolve) => setTimeout(resolve, 30));
        processor.cancelRun();
        assert.equal((await running).exitReason, Reason.WHvRunVpExitReasonCanceled);
        const rip = register(processor, Name.WHvX64RegisterRip);
        assert.ok(rip === 0x1000n || rip === 0x1001n, `rip ${rip}`);
        assert.ok(register(processor, Name.WHvX64RegisterRax) > 0n);
      });
    } finally {
      platform.useKvm(0);
    }
  });
}
