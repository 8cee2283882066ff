// What the remaining structures mean: memory, interrupts, counters, devices, notifications, the emulator. Microsoft's
// pages of the functions that carry them, in our words.

export const groups = [
  {
    file: "guest-memory",
    page: "WHvTranslateGva; the others have none",
    doc: "Ranges of guest-physical memory, advice about them, and accesses by the host.",
  },
  { file: "interrupt-control", page: "WHvRequestInterrupt", doc: "Interrupts that the host requests." },
  {
    file: "counters",
    page: "WHvGetPartitionCounters, WHvGetVirtualProcessorCounters",
    doc: "Counters of partitions and processors.",
  },
  { file: "vpci", page: "none", doc: "Virtual PCI devices." },
  {
    file: "notifications",
    page: "none",
    doc: "Doorbells, triggers, notification ports, events of the synthetic interrupt controller, and processor properties.",
  },
  {
    file: "emulator",
    page: "WHvEmulatorTryEmulation, MemoryAccessInfo, IOAccessInfo, WHvEmulatorCreateEmulator",
    doc: "What the instruction emulator reports, and what it hands to its callbacks.",
  },
];

const device = { Location: "Configuration space or a base address register.", SizeInBytes: "Bytes." };

export const structures = {
  WHV_MEMORY_RANGE_ENTRY: {
    file: "guest-memory",
    doc: "A range of guest-physical memory.",
    guestPhysical: ["GuestAddress"],
    fields: { GuestAddress: "Where it starts; a multiple of 4096.", SizeInBytes: "Bytes; a multiple of 4096." },
  },
  WHV_ADVISE_GPA_RANGE_POPULATE_FLAGS: {
    file: "guest-memory",
    doc: "How to populate guest memory.",
    fields: {
      Prefetch: "Bring it in although nobody has asked for it yet.",
      AvoidHardFaults: "Leave out what would have to be read from disk.",
      AsUINT32: "All bits.",
    },
  },
  WHV_ADVISE_GPA_RANGE_POPULATE: {
    file: "guest-memory",
    doc: "Advice to populate guest memory.",
    fields: { Flags: "How.", AccessType: "For which kind of access." },
  },
  WHV_ADVISE_GPA_RANGE: {
    file: "guest-memory",
    doc: "Advice about guest memory.",
    fields: { Populate: "Of the advice `WHvAdviseGpaRangeCodePopulate`." },
  },
  WHV_TRANSLATE_GVA_RESULT: {
    file: "guest-memory",
    doc: "How the translation of a guest-virtual address went.",
    fields: { ResultCode: "Success, or why there is no guest-physical address." },
  },
  WHV_ACCESS_GPA_CONTROLS: {
    file: "guest-memory",
    doc: "How `WHvReadGpaRange` and `WHvWriteGpaRange` access memory.",
    fields: { CacheType: "Memory type of the access.", AsUINT64: "All bits." },
  },
  WHV_INTERRUPT_CONTROL: {
    file: "interrupt-control",
    doc: "An interrupt that `WHvRequestInterrupt` delivers.",
    fields: {
      Type: "A {@link (WHV_INTERRUPT_TYPE:variable)}.",
      DestinationMode: "A {@link (WHV_INTERRUPT_DESTINATION_MODE:variable)}.",
      TriggerMode: "A {@link (WHV_INTERRUPT_TRIGGER_MODE:variable)}.",
      Destination: "APIC ID, or logical destination.",
      Vector: "Vector; 16 to 255 for fixed interrupts.",
    },
  },
  WHV_PARTITION_MEMORY_COUNTERS: {
    file: "counters",
    doc: "Memory of a partition.",
    fields: {
      Mapped4KPageCount: "Mapped pages of 4 KiB.",
      Mapped2MPageCount: "Mapped pages of 2 MiB.",
      Mapped1GPageCount: "Mapped pages of 1 GiB.",
    },
  },
  WHV_PROCESSOR_RUNTIME_COUNTERS: {
    file: "counters",
    doc: "Time of a processor.",
    fields: {
      TotalRuntime100ns: "In guest and hypervisor, in units of 100 ns.",
      HypervisorRuntime100ns: "In the hypervisor, in units of 100 ns.",
    },
  },
  WHV_PROCESSOR_INTERCEPT_COUNTER: {
    file: "counters",
    doc: "Intercepts of one kind.",
    fields: { Count: "How many.", Time100ns: "Time spent, in units of 100 ns." },
  },
  WHV_PROCESSOR_ACTIVITY_COUNTERS: {
    file: "counters",
    doc: "Intercepts of a processor, by kind.",
    fields: {
      PageInvalidations: "INVLPG and its like.",
      ControlRegisterAccesses: "Control registers.",
      IoInstructions: "Port instructions.",
      HaltInstructions: "HLT.",
      CpuidInstructions: "CPUID.",
      MsrAccesses: "Model-specific registers.",
      OtherIntercepts: "All others.",
      PendingInterrupts: "Interrupt windows.",
      EmulatedInstructions: "Instructions that the hypervisor emulated.",
      DebugRegisterAccesses: "Debug registers.",
      PageFaultIntercepts: "Page faults of the guest.",
      NestedPageFaultIntercepts: "Second-level page faults.",
      Hypercalls: "Hypercalls.",
      RdpmcInstructions: "RDPMC.",
    },
  },
  WHV_PROCESSOR_GUEST_EVENT_COUNTERS: {
    file: "counters",
    doc: "Events delivered to a guest.",
    fields: { PageFaultCount: "Page faults.", ExceptionCount: "Exceptions.", InterruptCount: "Interrupts." },
  },
  WHV_PROCESSOR_APIC_COUNTERS: {
    file: "counters",
    doc: "Accesses to a processor's local APIC.",
    fields: {
      MmioAccessCount: "Through memory.",
      EoiAccessCount: "Ends of interrupt.",
      TprAccessCount: "Task priority.",
      SentIpiCount: "Interrupts sent to others.",
      SelfIpiCount: "Interrupts sent to itself.",
    },
  },
  WHV_PROCESSOR_SYNTHETIC_FEATURES_COUNTERS: {
    file: "counters",
    doc: "Use of the hypervisor interface.",
    fields: {
      SyntheticInterruptsCount: "Synthetic interrupts.",
      LongSpinWaitHypercallsCount: "Hypercalls of long spin waits.",
      OtherHypercallsCount: "Other hypercalls.",
      SyntheticInterruptHypercallsCount: "Hypercalls of the synthetic interrupt controller.",
      VirtualInterruptHypercallsCount: "Hypercalls that send interrupts.",
      VirtualMmuHypercallsCount: "Hypercalls that flush the TLB.",
    },
  },
  WHV_SRIOV_RESOURCE_DESCRIPTOR: {
    file: "vpci",
    doc: "A virtual function of an SR-IOV device.",
    fields: {
      PnpInstanceId: "Instance path of the device.",
      VirtualFunctionId: "The function's LUID: LowPart in bits 31..0, HighPart in bits 63..32.",
      VirtualFunctionIndex: "The function's index.",
    },
  },
  WHV_VPCI_DEVICE_NOTIFICATION: {
    file: "vpci",
    doc: "What happened to a virtual PCI device.",
    fields: { NotificationType: "What." },
  },
  WHV_VPCI_HARDWARE_IDS: {
    file: "vpci",
    doc: "Identity of a virtual PCI device, as in its configuration space.",
    fields: {
      VendorID: "Vendor.",
      DeviceID: "Device.",
      RevisionID: "Revision.",
      ProgIf: "Programming interface.",
      SubClass: "Sub-class.",
      BaseClass: "Base class.",
      SubVendorID: "Subsystem vendor.",
      SubSystemID: "Subsystem.",
    },
  },
  WHV_VPCI_PROBED_BARS: {
    file: "vpci",
    doc: "What the base address registers read after all ones were written.",
    fields: { Value: "The six registers." },
  },
  WHV_VPCI_MMIO_MAPPING: {
    file: "vpci",
    doc: "Device memory mapped into the host.",
    fields: {
      ...device,
      Flags: "Which accesses the mapping allows.",
      OffsetInBytes: "Where in the register space it starts.",
      VirtualAddress: "Where in the host's process it is mapped.",
    },
  },
  WHV_VPCI_DEVICE_REGISTER: {
    file: "vpci",
    doc: "A register of a device.",
    fields: { ...device, SizeInBytes: "Bytes: 1, 2, 4 or 8.", OffsetInBytes: "Where in the register space." },
  },
  WHV_VPCI_INTERRUPT_TARGET: {
    file: "vpci",
    doc: "Where a device's interrupt goes.",
    remarks: "`Processors` is an array of `ProcessorCount` entries; the structure declares one.",
    fields: {
      Vector: "Vector.",
      Flags: "To one processor or to all of them.",
      ProcessorCount: "Processors that follow.",
      Processors: "Indices of the processors.",
    },
  },
  WHV_DOORBELL_MATCH_DATA: {
    file: "notifications",
    doc: "A write by the guest that signals an event without an exit.",
    fields: {
      GuestAddress: "Where.",
      Value: "What is written, with `matchOnValue`.",
      Length: "Bytes written, with `matchOnLength`: 1, 2, 4 or 8.",
      MatchOnValue: "Only writes of `value`.",
      MatchOnLength: "Only writes of `length` bytes.",
    },
  },
  WHV_SYNIC_EVENT_PARAMETERS: {
    file: "notifications",
    doc: "An event of the synthetic interrupt controller.",
    fields: {
      VpIndex: "Processor.",
      TargetSint: "Synthetic interrupt source, 0 to 15.",
      FlagNumber: "Event flag, 0 to 2047.",
    },
  },
  WHV_TRIGGER_PARAMETERS_DEVICE_INTERRUPT: {
    file: "notifications",
    doc: "An interrupt of a virtual PCI device.",
    fields: { LogicalDeviceId: "The device.", MsiAddress: "Address of the message.", MsiData: "Data of the message." },
  },
  WHV_TRIGGER_PARAMETERS: {
    file: "notifications",
    doc: "What a trigger does when its event is signalled.",
    discriminant: {
      field: "TriggerType",
      members: {
        WHvTriggerTypeInterrupt: "Interrupt",
        WHvTriggerTypeSynicEvent: "SynicEvent",
        WHvTriggerTypeDeviceInterrupt: "DeviceInterrupt",
      },
    },
    fields: {
      TriggerType: "What it does.",
      Interrupt: "Of type Interrupt.",
      SynicEvent: "Of type SynicEvent.",
      DeviceInterrupt: "Of type DeviceInterrupt.",
    },
  },
  WHV_VIRTUAL_PROCESSOR_PROPERTY: {
    file: "notifications",
    doc: "A property of a processor that is to be created.",
    fields: {
      PropertyCode: "Which property.",
      NumaNode: "Of `WHvVirtualProcessorPropertyCodeNumaNode`: the NUMA node.",
      Padding: "All 64 bits of the value.",
    },
    prefer: ["Padding"],
  },
  WHV_NOTIFICATION_PORT_PARAMETERS_EVENT: {
    file: "notifications",
    doc: "A connection of the synthetic interrupt controller.",
    fields: { ConnectionId: "The connection." },
  },
  WHV_NOTIFICATION_PORT_PARAMETERS: {
    file: "notifications",
    doc: "What a notification port waits for.",
    discriminant: {
      field: "NotificationPortType",
      members: { WHvNotificationPortTypeEvent: "Event", WHvNotificationPortTypeDoorbell: "Doorbell" },
    },
    fields: { NotificationPortType: "What it waits for.", Doorbell: "Of type Doorbell.", Event: "Of type Event." },
  },
  WHV_EMULATOR_STATUS: {
    file: "emulator",
    doc: "How an emulation went. It counts only where the call answered `S_OK`.",
    fields: {
      EmulationSuccessful: "Done: the registers were set, the processor should run on.",
      InternalEmulationFailure: "The emulator could not handle the instruction.",
      IoPortCallbackFailed: "The I/O callback did not answer `S_OK`.",
      MemoryCallbackFailed: "The memory callback did not answer `S_OK`.",
      TranslateGvaPageCallbackFailed: "The translate callback did not answer `S_OK`.",
      TranslateGvaPageCallbackGpaIsNotAligned:
        "The translate callback gave an address that is not a multiple of 4096. Microsoft's page calls this bit `TranslateGvaPageCallbackGpaPageIsNotAligned`.",
      GetVirtualProcessorRegistersCallbackFailed: "The callback that reads registers did not answer `S_OK`.",
      SetVirtualProcessorRegistersCallbackFailed: "The callback that writes registers did not answer `S_OK`.",
      InterruptCausedIntercept:
        "The access was made while an event was being delivered; there is no instruction to emulate.",
      GuestCannotBeFaulted: "The guest needs an exception that cannot be injected: an event waits already.",
      AsUINT32: "All bits.",
    },
  },
  WHV_EMULATOR_MEMORY_ACCESS_INFO: {
    file: "emulator",
    doc: "One access to guest-physical memory, handed to the memory callback.",
    fields: {
      GpaAddress: "Of the first byte.",
      Direction: "0 read (the callback fills `data`), 1 write.",
      AccessSize: "Bytes, 1 to 8; never across a 4 KiB page.",
      Data: "The data; the first `accessSize` bytes count.",
    },
  },
  WHV_EMULATOR_IO_ACCESS_INFO: {
    file: "emulator",
    doc: "One access to a port, handed to the I/O callback.",
    remarks: "Microsoft's page gives `UINT32 Data[4]`; the header has one `UINT32`.",
    fields: {
      Direction: "0 IN (the callback fills `data`), 1 OUT.",
      Port: "The port.",
      AccessSize: "Bytes: 1, 2 or 4.",
      Data: "The data; the low `accessSize` bytes count.",
    },
  },
  WHV_EMULATOR_CALLBACKS: {
    file: "emulator",
    doc: "The callbacks of an emulator as native function pointers.",
    fields: {
      Size: "Bytes of this structure: 48.",
      WHvEmulatorIoPortCallback: "Accesses a port.",
      WHvEmulatorMemoryCallback: "Accesses guest-physical memory.",
      WHvEmulatorGetVirtualProcessorRegisters: "Reads registers.",
      WHvEmulatorSetVirtualProcessorRegisters: "Writes registers.",
      WHvEmulatorTranslateGvaPage: "Translates a guest-virtual page.",
    },
  },
};
