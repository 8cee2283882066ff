/**
 * Operations that not every backend and not every Windows version has: each is called once, in the simplest way that has
 * an answer. What is absent is reported by its name.
 */
import {
  WHV_CAPABILITY_CODE as Capability,
  E_NOTIMPL,
  type Hypervisor,
  type Partition,
  WHV_PARTITION_PROPERTY_CODE as Property,
  type VirtualProcessor,
  WHV_NOTIFICATION_PORT_TYPE,
  WHV_PARTITION_COUNTER_SET,
  WHV_PROCESSOR_COUNTER_SET,
  WHV_TRIGGER_TYPE,
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE,
  WhvError,
} from "@whvkit/whv-types";
import { type BackendCheck, Difference, expectMatch, Unsupported } from "../check.ts";
import { requireFeature } from "./capabilities.ts";
import { backendCheck, expectFailure, type Guest, withGuest } from "./guest.ts";

/** The operation, bound to its object, or a report that the backend lacks it. */
function operation<T extends object, K extends keyof T & string>(owner: T, of: string, name: K): NonNullable<T[K]> {
  const found = owner[name];
  if (typeof found !== "function") throw new Unsupported(`${of}.${name}`, "the backend does not have this operation");
  return found.bind(owner) as NonNullable<T[K]>;
}

function partitionCheck<K extends keyof Partition & string>(
  name: K,
  title: string,
  reference: string,
  use: (call: NonNullable<Partition[K]>, guest: Guest) => void,
  choice = false,
): BackendCheck {
  return backendCheck(
    `operation.partition.${name}`,
    title,
    reference,
    (hypervisor) => withGuest(hypervisor, {}, (guest) => use(operation(guest.partition, "Partition", name), guest)),
    choice,
  );
}

function processorCheck<K extends keyof VirtualProcessor & string>(
  name: K,
  title: string,
  reference: string,
  use: (call: NonNullable<VirtualProcessor[K]>, guest: Guest) => void,
  choice = false,
): BackendCheck {
  return backendCheck(
    `operation.processor.${name}`,
    title,
    reference,
    (hypervisor) =>
      withGuest(hypervisor, {}, (guest) => use(operation(guest.processor, "VirtualProcessor", name), guest)),
    choice,
  );
}

function hypervisorCheck<K extends keyof Hypervisor & string>(
  name: K,
  title: string,
  reference: string,
  use: (call: NonNullable<Hypervisor[K]>, hypervisor: Hypervisor) => void,
  choice = false,
): BackendCheck {
  return backendCheck(
    `operation.hypervisor.${name}`,
    title,
    reference,
    (hypervisor) => use(operation(hypervisor, "Hypervisor", name), hypervisor),
    choice,
  );
}

/** Bytes written must be some, and no more than there is room for. */
function expectWritten(written: number, room: number): void {
  if (!(written > 0 && written <= room)) throw new Difference("bytes written", `1 to ${room}`, written);
}

/**
 * An operation that needs what this suite cannot have: a call in vain must answer a WhvError, not a crash. That it is
 * refused stands in no document, so these checks are choices.
 */
function expectRefusal(name: string, call: () => unknown): void {
  expectFailure(name, call);
}

/** Blocks that are read, then written back unchanged. */
function readAndWriteBack(read: (destination: Uint8Array) => number, write: (source: Uint8Array) => void): void {
  const block = new Uint8Array(0x2000);
  const written = read(block);
  expectWritten(written, block.length);
  write(block.subarray(0, written));
}

/** Checks of optional operations. */
export const optionalOperationChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  hypervisorCheck(
    "readCapability",
    "readCapability gives the same as getCapability",
    "WHvGetCapability",
    (read, hypervisor) => {
      const buffer = new Uint8Array(64);
      const code = Capability.WHvCapabilityCodeExtendedVmExits;
      expectWritten(read(code, buffer), buffer.length);
      expectMatch("ExtendedVmExits", new DataView(buffer.buffer).getBigUint64(0, true), hypervisor.getCapability(code));
    },
  ),
  hypervisorCheck(
    "acceptMigration",
    "acceptMigration of no partition is refused",
    "WHvAcceptPartitionMigration",
    (accept) => expectRefusal("acceptMigration(0)", () => accept(0n)),
    true,
  ),
  partitionCheck(
    "readProperty",
    "readProperty gives the same as getProperty",
    "WHvGetPartitionProperty",
    (read, guest) => {
      const buffer = new Uint8Array(64);
      const code = Property.WHvPartitionPropertyCodeProcessorCount;
      expectWritten(read(code, buffer), buffer.length);
      const count = new DataView(buffer.buffer).getUint32(0, true);
      expectMatch("ProcessorCount", BigInt(count), guest.partition.getProperty(code));
    },
  ),
  partitionCheck("writeProperty", "writeProperty after setup is refused", "WHvSetPartitionProperty", (write) =>
    expectRefusal("writeProperty", () =>
      write(Property.WHvPartitionPropertyCodeProcessorCount, Uint8Array.of(2, 0, 0, 0)),
    ),
  ),
  partitionCheck(
    "reset",
    "reset puts the processors back to their state after power-up",
    "WHvResetPartition",
    (reset, guest) => {
      reset();
      expectMatch("Rip", guest.get("Rip"), 0xfff0n);
    },
  ),
  partitionCheck(
    "suspendTime",
    "suspendTime succeeds, and time can go on",
    "WHvSuspendPartitionTime",
    (suspend, guest) => {
      suspend();
      operation(guest.partition, "Partition", "resumeTime")();
    },
  ),
  partitionCheck("resumeTime", "resumeTime after suspendTime", "WHvResumePartitionTime", (resume, guest) => {
    operation(guest.partition, "Partition", "suspendTime")();
    resume();
  }),
  partitionCheck(
    "mapGpaRangeOfProcess",
    "mapGpaRangeOfProcess of no process is refused",
    "WHvMapGpaRange2",
    (map) => expectRefusal("mapGpaRangeOfProcess", () => map(0n, 0n, 0x10_0000, 0x1000, 7)),
    true,
  ),
  partitionCheck("adviseGpaRange", "adviseGpaRange takes a range that is mapped", "WHvAdviseGpaRange", (advise) =>
    advise([{ guestAddress: 0, sizeInBytes: 0x1000n }], 0, {}),
  ),
  partitionCheck("readCounters", "readCounters tells the mapped memory", "WHvGetPartitionCounters", (read) => {
    const buffer = new Uint8Array(256);
    expectWritten(read(WHV_PARTITION_COUNTER_SET.WHvPartitionCounterSetMemory, buffer), buffer.length);
  }),
  ...(["registerDoorbell", "unregisterDoorbell"] as const).map((name) =>
    partitionCheck(
      name,
      `${name}: a doorbell that is registered can be taken back`,
      "WHvRegisterPartitionDoorbellEvent",
      (_, guest) => {
        const match = { guestAddress: 0xd000_0000, value: 1n, length: 4, matchOnValue: true, matchOnLength: true };
        operation(guest.partition, "Partition", "registerDoorbell")(match, () => {});
        operation(guest.partition, "Partition", "unregisterDoorbell")(match);
      },
    ),
  ),
  partitionCheck(
    "createNotificationPort",
    "A doorbell's notification port can be made and disposed of",
    "WHvCreateNotificationPort",
    (create) => {
      const doorbell = {
        guestAddress: 0xd000_0000,
        value: 1n,
        length: 4,
        matchOnValue: true,
        matchOnLength: true,
        reserved: 0,
      };
      create(
        { notificationPortType: WHV_NOTIFICATION_PORT_TYPE.WHvNotificationPortTypeDoorbell, reserved: 0, doorbell },
        () => {},
      ).dispose();
    },
  ),
  partitionCheck(
    "createTrigger",
    "An interrupt's trigger can be made and disposed of",
    "WHvCreateTrigger",
    (create) => {
      const interrupt = {
        type: 0,
        destinationMode: 0,
        triggerMode: 0,
        reserved: 0n,
        destination: 0,
        vector: 0x40,
      };
      create({ triggerType: WHV_TRIGGER_TYPE.WHvTriggerTypeInterrupt, reserved: 0, interrupt }).dispose();
    },
  ),
  partitionCheck(
    "getInterruptTargetVpSet",
    "Physical destination 0 is processor 0",
    "WHvGetInterruptTargetVpSet",
    (get) => expectMatch("processors", get(0n, 0), [0]),
  ),
  partitionCheck(
    "allocateVpciResource",
    "allocateVpciResource of no provider is refused, or gives a handle",
    "WHvAllocateVpciResource",
    (allocate) => {
      try {
        allocate(null, 0, null);
      } catch (error) {
        if (!(error instanceof WhvError) || error.hresult === E_NOTIMPL) throw error;
      }
    },
  ),
  partitionCheck(
    "createVpciDevice",
    "createVpciDevice without a resource is refused",
    "WHvCreateVpciDevice",
    (create) => expectRefusal("createVpciDevice", () => create(1n, 0n, 0)),
    true,
  ),
  ...(["startMigration", "cancelMigration", "completeMigration"] as const).map((name) =>
    partitionCheck(
      name,
      `${name}: refused by a partition that was not made for it`,
      "WHvStartPartitionMigration",
      (call) => expectRefusal(name, call),
      true,
    ),
  ),
  ...(["readState", "writeState"] as const).map((name) =>
    processorCheck(
      name,
      `${name}: the XSAVE state can be read and written back`,
      "WHvGetVirtualProcessorState",
      (_, { processor }) => {
        const type = WHV_VIRTUAL_PROCESSOR_STATE_TYPE.WHvVirtualProcessorStateTypeXsaveState;
        const read = operation(processor, "VirtualProcessor", "readState");
        const write = operation(processor, "VirtualProcessor", "writeState");
        readAndWriteBack(
          (block) => read(type, block),
          (block) => write(type, block),
        );
      },
    ),
  ),
  ...(["readXsaveState", "writeXsaveState"] as const).map((name) =>
    processorCheck(
      name,
      `${name}: the XSAVE area can be read and written back`,
      "WHvGetVirtualProcessorXsaveState",
      (_, { processor }) =>
        readAndWriteBack(
          operation(processor, "VirtualProcessor", "readXsaveState"),
          operation(processor, "VirtualProcessor", "writeXsaveState"),
        ),
    ),
  ),
  ...(["readInterruptControllerState", "writeInterruptControllerState"] as const).map((name) =>
    backendCheck(
      `operation.processor.${name}`,
      `${name}: the local APIC's state can be read and written back`,
      "WHvGetVirtualProcessorInterruptControllerState2",
      (hypervisor) => {
        const configure = (partition: Partition): void =>
          partition.setProperty(Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n);
        withGuest(hypervisor, {}, ({ processor }) => void operation(processor, "VirtualProcessor", name));
        requireFeature(hypervisor, "localApicEmulation");
        withGuest(hypervisor, { configure }, ({ processor }) =>
          readAndWriteBack(
            operation(processor, "VirtualProcessor", "readInterruptControllerState"),
            operation(processor, "VirtualProcessor", "writeInterruptControllerState"),
          ),
        );
      },
    ),
  ),
  ...(["readGpaRange", "writeGpaRange"] as const).map((name) =>
    processorCheck(
      name,
      `${name}: the bytes are those of the guest's memory`,
      "WHvReadGpaRange",
      (_, { processor, ram }) => {
        operation(processor, "VirtualProcessor", "writeGpaRange")(0x2004, Uint8Array.of(1, 2, 3));
        expectMatch("memory", ram.bytes.slice(0x2004, 0x2007), [1, 2, 3]);
        const bytes = new Uint8Array(3);
        operation(processor, "VirtualProcessor", "readGpaRange")(0x2004, bytes);
        expectMatch("bytes", bytes, [1, 2, 3]);
      },
    ),
  ),
  processorCheck(
    "signalSynicEvent",
    "signalSynicEvent without a synthetic interrupt controller is refused",
    "WHvSignalVirtualProcessorSynicEvent",
    (signal) => expectRefusal("signalSynicEvent", () => signal(0, 0)),
    true,
  ),
  processorCheck(
    "postSynicMessage",
    "postSynicMessage without a synthetic interrupt controller is refused",
    "WHvPostVirtualProcessorSynicMessage",
    (post) => expectRefusal("postSynicMessage", () => post(0, new Uint8Array(16))),
    true,
  ),
  processorCheck(
    "getCpuidOutput",
    "getCpuidOutput of leaf 0 names the highest leaf",
    "WHvGetVirtualProcessorCpuidOutput",
    (get) => {
      const { eax } = get(0, 0);
      if (eax < 1) throw new Difference("eax", "1 or more", eax);
    },
  ),
  processorCheck(
    "readCounters",
    "readCounters tells what the processor did",
    "WHvGetVirtualProcessorCounters",
    (read) => {
      const buffer = new Uint8Array(512);
      expectWritten(read(WHV_PROCESSOR_COUNTER_SET.WHvProcessorCounterSetRuntime, buffer), buffer.length);
    },
  ),
];
