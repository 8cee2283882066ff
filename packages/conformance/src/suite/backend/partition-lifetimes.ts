/** Capabilities, properties, setup, processors and disposal: order, and what is refused. */
import {
  WHV_CAPABILITY_CODE as Capability,
  E_INVALIDARG,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
  WHV_E_INVALID_PARTITION_CONFIG,
  WHV_E_UNKNOWN_CAPABILITY,
  WHV_E_UNKNOWN_PROPERTY,
  WHV_E_VP_ALREADY_EXISTS,
  WHV_E_VP_DOES_NOT_EXIST,
} from "@whvkit/whv-types";
import { type BackendCheck, Difference, expectMatch } from "../check.ts";
import { requireExtendedExit } from "./capabilities.ts";
import { backendCheck, expectFailure, Guest, readRegister, withGuest, withPartition } from "./guest.ts";

const processorCount = Property.WHvPartitionPropertyCodeProcessorCount;

/** Checks of partitions and processors as objects. */
export const partitionLifetimeChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  backendCheck(
    "capability.present",
    "HypervisorPresent is true where partitions can be made",
    "WHvGetCapability",
    (hypervisor) =>
      expectMatch("HypervisorPresent", hypervisor.getCapability(Capability.WHvCapabilityCodeHypervisorPresent), 1n),
  ),
  backendCheck("capability.vendor", "ProcessorVendor is a known vendor", "WHvGetCapability", (hypervisor) => {
    const vendor = hypervisor.getCapability(Capability.WHvCapabilityCodeProcessorVendor);
    if (vendor > 3n) throw new Difference("ProcessorVendor", "0 to 3", vendor);
  }),
  backendCheck("capability.unknown", "An unknown capability is refused", "WHvGetCapability", (hypervisor) =>
    expectFailure("getCapability(0x7777)", () => hypervisor.getCapability(0x7777), WHV_E_UNKNOWN_CAPABILITY),
  ),
  backendCheck("property.count", "ProcessorCount reads back what was set", "WHvSetPartitionProperty", (hypervisor) =>
    withPartition(hypervisor, (partition) => {
      partition.setProperty(processorCount, 2n);
      expectMatch("ProcessorCount", partition.getProperty(processorCount), 2n);
    }),
  ),
  backendCheck("property.unknown", "An unknown property is refused", "WHvSetPartitionProperty", (hypervisor) =>
    withPartition(hypervisor, (partition) => {
      expectFailure("setProperty(0x7777)", () => partition.setProperty(0x7777, 1n), WHV_E_UNKNOWN_PROPERTY);
      expectFailure("getProperty(0x7777)", () => partition.getProperty(0x7777), WHV_E_UNKNOWN_PROPERTY);
    }),
  ),
  backendCheck(
    "property.count-0",
    "A partition without processors is refused, by the property or by setup",
    "WHvSetupPartition",
    (hypervisor) =>
      withPartition(hypervisor, (partition) =>
        expectFailure("ProcessorCount 0", () => {
          partition.setProperty(processorCount, 0n);
          partition.setup();
        }),
      ),
  ),
  backendCheck("property.late", "ProcessorCount cannot be set after setup", "WHvSetPartitionProperty", (hypervisor) =>
    withGuest(hypervisor, {}, ({ partition }) =>
      expectFailure("setProperty", () => partition.setProperty(processorCount, 2n)),
    ),
  ),
  backendCheck(
    "property.exception-bitmap",
    "Exception exits without a bitmap are refused by setup, or exit for no exception",
    "WHvSetupPartition",
    (hypervisor) =>
      withPartition(hypervisor, (partition) => {
        requireExtendedExit(hypervisor, "ExceptionExit", 4n);
        partition.setProperty(processorCount, 1n);
        partition.setProperty(Property.WHvPartitionPropertyCodeExtendedVmExits, 4n);
        expectFailure("setup", () => partition.setup(), WHV_E_INVALID_PARTITION_CONFIG);
      }),
    true,
  ),
  backendCheck(
    "setup.twice",
    "A partition is set up once",
    "WHvSetupPartition",
    (hypervisor) => withGuest(hypervisor, {}, ({ partition }) => expectFailure("setup", () => partition.setup())),
    true,
  ),
  backendCheck("processor.before-setup", "Processors come after setup", "WHvCreateVirtualProcessor", (hypervisor) =>
    withPartition(hypervisor, (partition) => {
      partition.setProperty(processorCount, 1n);
      expectFailure("createVirtualProcessor", () => partition.createVirtualProcessor(0));
    }),
  ),
  backendCheck("processor.twice", "A processor exists once", "WHvCreateVirtualProcessor", (hypervisor) =>
    withGuest(hypervisor, {}, ({ partition }) =>
      expectFailure("createVirtualProcessor(0)", () => partition.createVirtualProcessor(0), WHV_E_VP_ALREADY_EXISTS),
    ),
  ),
  backendCheck(
    "processor.beyond-count",
    "A processor beyond the count is refused",
    "WHvCreateVirtualProcessor",
    (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition }) =>
        expectFailure("createVirtualProcessor(1)", () => partition.createVirtualProcessor(1)),
      ),
  ),
  backendCheck("processor.index", "A processor knows its index", "WHvCreateVirtualProcessor", (hypervisor) =>
    withGuest(hypervisor, {}, ({ processor }) => expectMatch("index", processor.index, 0)),
  ),
  backendCheck(
    "processor.two",
    "Two processors have registers of their own and share memory",
    "WHvCreateVirtualProcessor",
    (hypervisor) =>
      withPartition(hypervisor, (partition) => {
        // mov al, [0x2000]; inc al; mov [0x2000], al; hlt
        const guest = new Guest(hypervisor, partition, {
          code: "a00020fec0a20020f4",
          configure: (configured) => configured.setProperty(processorCount, 2n),
        });
        const second = partition.createVirtualProcessor(1);
        guest.set({ R15: 1n });
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("R15 of the second processor", readRegister(second, "R15").get64(0), 0n);
        expectMatch("Rip of the second processor", readRegister(second, "Rip").get64(0), 0xfff0n);
        expectMatch("memory", guest.ram.bytes[0x2000], 1);
        second.dispose();
      }),
  ),
  backendCheck(
    "processor.disposed",
    "A disposed processor answers VP_DOES_NOT_EXIST, and can be made again",
    "WHvDeleteVirtualProcessor",
    (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition, processor }) => {
        processor.dispose();
        expectFailure("run", () => processor.run(), WHV_E_VP_DOES_NOT_EXIST);
        expectFailure("getRegisters", () => readRegister(processor, "Rax"), WHV_E_VP_DOES_NOT_EXIST);
        expectFailure("cancelRun", () => processor.cancelRun(), WHV_E_VP_DOES_NOT_EXIST);
        expectMatch("index of the new one", partition.createVirtualProcessor(0).index, 0);
      }),
  ),
  backendCheck(
    "partition.disposed",
    "A disposed partition refuses what is asked of it; disposing again does nothing",
    "WHvDeletePartition",
    (hypervisor) => {
      const partition = hypervisor.createPartition();
      partition.dispose();
      partition.dispose();
      expectFailure("setup", () => partition.setup());
      expectFailure("getProperty", () => partition.getProperty(processorCount));
    },
  ),
  backendCheck("partition.many", "Partitions do not touch each other", "WHvCreatePartition", (hypervisor) =>
    // inc ax; hlt
    withGuest(hypervisor, { code: "40f4" }, (first) =>
      withGuest(hypervisor, { code: "43f4" }, (second) => {
        first.runTo(Reason.WHvRunVpExitReasonX64Halt);
        second.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("first", [first.get("Rax"), first.get("Rbx")], [1n, 0n]);
        expectMatch("second", [second.get("Rax"), second.get("Rbx")], [0n, 1n]);
      }),
    ),
  ),
  backendCheck(
    "partition.foreign-memory",
    "Memory of another partition cannot be mapped",
    "Partition.allocateMemory",
    (hypervisor) =>
      withGuest(hypervisor, {}, ({ partition }) =>
        withPartition(hypervisor, (other) => {
          const memory = other.allocateMemory(0x1000);
          expectFailure("mapGpaRange", () => partition.mapGpaRange(memory, 0, 0x10_0000, 0x1000, 7), E_INVALIDARG);
          memory.dispose();
        }),
      ),
    true,
  ),
];
