/** Signals and devices over the real ABI: events that Windows sets, and structures that end in arrays. */
import assert from "node:assert/strict";
import {
  E_INVALIDARG,
  E_OUTOFMEMORY,
  VpciHardwareIdsView,
  WHV_NOTIFICATION_PORT_TYPE,
  WHV_TRIGGER_TYPE,
} from "@whvkit/whv-types";
import { check } from "../../../../tooling/windows-stand-ins/suite.ts";
import { assertFails, platform, withPartition, withPartitionAsync } from "./fixtures.ts";

/** A promise, and the function that keeps it. */
function bell(): { rung: Promise<void>; ring: () => void } {
  let ring = (): void => {};
  const rung = new Promise<void>((resolve) => {
    ring = resolve;
  });
  return { rung, ring };
}

export function addSignalChecks(): void {
  check("a doorbell calls the host each time, and no more after it is taken away", () =>
    withPartitionAsync(async (partition) => {
      const match = { guestAddress: 0xfee0_0000, value: 2n ** 63n, length: 8, matchOnValue: true, matchOnLength: true };
      let rings = 0;
      let next = bell();
      partition.registerDoorbell(match, () => {
        rings += 1;
        next.ring();
      });
      for (let expected = 1; expected <= 3; expected++) {
        next = bell();
        assert.equal(platform.guestWrites(partition.handle, 0xfee0_0000), 0);
        await next.rung;
        assert.equal(rings, expected);
      }
      const again = () => partition.registerDoorbell(match, () => {});
      assertFails(again, "WHvRegisterPartitionDoorbellEvent", E_INVALIDARG);
      partition.unregisterDoorbell(match);
      assert.notEqual(platform.guestWrites(partition.handle, 0xfee0_0000), 0);
      assertFails(() => partition.unregisterDoorbell(match), "WHvUnregisterPartitionDoorbellEvent", E_INVALIDARG);
    }),
  );

  check("a notification port calls the host, takes properties, and is deleted", () =>
    withPartitionAsync(async (partition) => {
      const { rung, ring } = bell();
      const doorbell = {
        guestAddress: 0xd000_0000,
        value: 0n,
        length: 0,
        matchOnValue: false,
        matchOnLength: false,
        reserved: 0,
      };
      const notificationPortType = WHV_NOTIFICATION_PORT_TYPE.WHvNotificationPortTypeDoorbell;
      const port = partition.createNotificationPort({ notificationPortType, reserved: 0, doorbell }, ring);
      port.setProperty(1, 2n ** 64n - 1n);
      assertFails(() => port.setProperty(1, 100n), "WHvSetNotificationPortProperty", E_INVALIDARG);
      assert.equal(platform.guestWrites(partition.handle, 0xd000_0000), 0);
      await rung;
      port.dispose();
      port.dispose();
      assertFails(() => port.setProperty(1, 0n), "WHvSetNotificationPortProperty", E_INVALIDARG, /deleted/);
    }),
  );

  check("a trigger's event reaches the platform", () =>
    withPartition((partition) => {
      const interrupt = { type: 0, destinationMode: 0, triggerMode: 0, reserved: 0n, destination: 0, vector: 0x40 };
      const triggerType = WHV_TRIGGER_TYPE.WHvTriggerTypeInterrupt;
      const trigger = partition.createTrigger({ triggerType, reserved: 0, interrupt });
      assert.equal(platform.triggerSignalled(partition.handle), 0);
      trigger.signal();
      assert.equal(platform.triggerSignalled(partition.handle), 1);
      trigger.update({ triggerType, reserved: 0, interrupt: { ...interrupt, vector: 0x41 } });
      trigger.dispose();
      trigger.dispose();
      assertFails(() => trigger.signal(), "SetEvent", E_INVALIDARG, /deleted/);
    }),
  );

  check("what was not taken away goes with the partition, and failures leave no event behind", () =>
    withPartition((partition) => {
      const match = { guestAddress: 0x1000, value: 0n, length: 4, matchOnLength: true };
      const triggerType = WHV_TRIGGER_TYPE.WHvTriggerTypeSynicEvent;
      const synicEvent = { vpIndex: 0, targetSint: 2, reserved: 0, flagNumber: 9 };
      partition.registerDoorbell(match, () => {});
      partition.createTrigger({ triggerType, reserved: 0, synicEvent });
      const port = { notificationPortType: 2, reserved: 0, event: { connectionId: 7 } } as const;
      partition.createNotificationPort(port, () => {});
      const resource = partition.allocateVpciResource(null, 0, null);
      partition.createVpciDevice(5n, resource, 0, () => {});
      platform.fail("WHvRegisterPartitionDoorbellEvent", 1, E_OUTOFMEMORY);
      const register = () => partition.registerDoorbell({ ...match, length: 8 }, () => {});
      assertFails(register, "WHvRegisterPartitionDoorbellEvent", E_OUTOFMEMORY);
      platform.fail("WHvCreateNotificationPort", 1, E_OUTOFMEMORY);
      assertFails(() => partition.createNotificationPort(port, () => {}), "WHvCreateNotificationPort", E_OUTOFMEMORY);
      platform.fail("WHvCreateTrigger", 1, E_OUTOFMEMORY);
      assertFails(
        () => partition.createTrigger({ triggerType, reserved: 0, synicEvent }),
        "WHvCreateTrigger",
        E_OUTOFMEMORY,
      );
    }),
  );

  check("a virtual PCI device: registers, memory, interrupts, notifications", () =>
    withPartitionAsync(async (partition) => {
      const { rung, ring } = bell();
      const provider = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
      const resource = partition.allocateVpciResource(provider, 1, new Uint8Array(412));
      assert.ok(resource > 2n ** 63n);
      const short = () => partition.allocateVpciResource(new Uint8Array(3), 0, null);
      assertFails(short, "WHvAllocateVpciResource", E_INVALIDARG, /16 bytes/);
      const id = 2n ** 63n + 1n;
      const device = partition.createVpciDevice(id, resource, 1, ring);
      assert.equal(device.logicalDeviceId, id);
      const ids = VpciHardwareIdsView.from({});
      assert.equal(device.readProperty(1, ids.bytes), 12);
      assert.deepEqual([ids.vendorID, ids.subSystemID], [0x1414, 0x2222]);

      device.writeRegister({ location: 0xffff_ffff, offsetInBytes: 0x10n }, Uint8Array.of(1, 2, 3, 4));
      const data = new Uint8Array(8);
      device.readRegister({ location: 0xffff_ffff, offsetInBytes: 0x0en }, data);
      assert.deepEqual([...data], [0, 0, 1, 2, 3, 4, 0, 0]);
      const odd = () => device.readRegister({}, new Uint8Array(3));
      assertFails(odd, "WHvReadVpciDeviceRegister", E_INVALIDARG);

      const ranges = device.mapMmioRanges();
      assert.deepEqual(
        ranges.map(({ location, flags, sizeInBytes, offsetInBytes }) => [location, flags, sizeInBytes, offsetInBytes]),
        [
          [0, 1, 4096n, 0n],
          [2, 3, 4096n, 2n ** 63n],
        ],
      );
      assert.ok(ranges.every(({ virtualAddress }) => virtualAddress > 0n));
      device.unmapMmioRanges();
      device.setPowerState(4);
      assertFails(() => device.setPowerState(5), "WHvSetVpciDevicePowerState", E_INVALIDARG);

      const message = device.mapInterrupt(1, 1, { vector: 0x51, processors: [3, 1, 2] });
      assert.deepEqual(message, { msiAddress: 0x8000_0000_fee0_0001n, msiData: 0x8000_0051 });
      const target = { vector: 0x51, flags: 1, processorCount: 3, processors: [3, 1, 2] };
      assert.deepEqual(device.getInterruptTarget(1, 0), target);
      device.retargetInterrupt(message.msiAddress, message.msiData, { vector: 0x52, processors: [7] });
      assert.deepEqual(device.getInterruptTarget(1, 0), { vector: 0x52, flags: 0, processorCount: 1, processors: [7] });
      device.requestInterrupt(message.msiAddress, message.msiData);
      device.unmapInterrupt(1);

      assert.equal(device.takeNotification().notificationType, 0);
      // The device's own number stands for "something happened to it".
      assert.equal(platform.guestWrites(partition.handle, Number(BigInt.asUintN(63, id))), E_INVALIDARG);
      device.dispose();
      assertFails(() => device.unmapMmioRanges(), "WHvUnmapVpciDeviceMmioRanges", E_INVALIDARG, /deleted/);

      const second = partition.createVpciDevice(0x77n, resource, 0, ring);
      assert.equal(platform.guestWrites(partition.handle, 0x77), 0);
      await rung;
      assert.equal(second.takeNotification().notificationType, 1);
      second.dispose();
    }),
  );
}
