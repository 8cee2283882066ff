/** What Windows itself counts: handles and pages return to where they were. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { WHV_TRIGGER_TYPE } from "@whvkit/whv-types";
import { createNativeEmulator } from "@whvkit/win-backend";
import type koffiModule from "koffi";
import { check } from "../../../../tooling/windows-stand-ins/suite.ts";
import { options, READ_WRITE_EXECUTE, withPartition } from "./fixtures.ts";

const MEM_FREE = 0x10000;
const MEM_COMMIT = 0x1000;

export function addLeakChecks(): void {
  const koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;
  const windows = koffi.load("kernel32.dll");
  const getHandleInformation = windows.func("GetHandleInformation", "int", ["void *", "void *"]);
  const virtualQuery = windows.func("VirtualQuery", "size_t", ["void *", "void *", "size_t"]);

  /** Handles are multiples of four. Wine answers GetProcessHandleCount with a constant, so they are counted one by one. */
  const handles = (): number => {
    let count = 0;
    for (let handle = 4n; handle < 0x3000n; handle += 4n)
      count += getHandleInformation(handle, new Uint32Array(1)) ? 1 : 0;
    return count;
  };
  /** `State` of `MEMORY_BASIC_INFORMATION`, at offset 32. */
  const stateOf = (address: bigint): number => {
    const information = new Uint8Array(48);
    assert.equal(virtualQuery(address, information, information.length), 48);
    return new DataView(information.buffer).getUint32(32, true);
  };

  const cycle = (): void =>
    withPartition((partition) => {
      const memory = partition.allocateMemory(0x10_0000);
      partition.mapGpaRange(memory, 0, 0, memory.size, READ_WRITE_EXECUTE);
      partition.createVirtualProcessor(0);
      partition.registerDoorbell({ guestAddress: 0x1000, length: 4, matchOnLength: true }, () => {});
      partition.createNotificationPort({ notificationPortType: 2, reserved: 0, event: { connectionId: 1 } }, () => {});
      const synicEvent = { vpIndex: 0, targetSint: 2, reserved: 0, flagNumber: 9 };
      partition.createTrigger({ triggerType: WHV_TRIGGER_TYPE.WHvTriggerTypeSynicEvent, reserved: 0, synicEvent });
      partition.createVpciDevice(1n, partition.allocateVpciResource(null, 0, null), 0, () => {});
      const nothing = () => 0;
      createNativeEmulator(
        {
          ioPort: nothing,
          memory: nothing,
          getVirtualProcessorRegisters: nothing,
          setVirtualProcessorRegisters: nothing,
          translateGvaPage: nothing,
        },
        options,
      ).destroy();
    });

  check("handles of Windows return to where they were", async () => {
    for (let i = 0; i < 5; i++) cycle();
    const before = handles();
    for (let i = 0; i < 50; i++) cycle();
    // Windows gives waits back on threads of its own.
    for (let tries = 0; handles() > before + 4 && tries < 20; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(handles() <= before + 4, `${handles()} handles, ${before} before`);
  });

  check("pages return to Windows, by disposal and with the partition", () => {
    const addresses: bigint[] = [];
    withPartition((partition) => {
      for (let i = 0; i < 3; i++) {
        const memory = partition.allocateMemory(0x40_0000);
        const { address } = memory as unknown as { address: bigint };
        assert.equal(address % 4096n, 0n);
        assert.equal(stateOf(address), MEM_COMMIT);
        addresses.push(address);
        if (i > 0) partition.mapGpaRange(memory, 0, i * 0x40_0000, memory.size, READ_WRITE_EXECUTE);
        else {
          memory.dispose();
          assert.equal(stateOf(address), MEM_FREE);
        }
      }
    });
    assert.deepEqual(addresses.map(stateOf), [MEM_FREE, MEM_FREE, MEM_FREE]);
  });
}
