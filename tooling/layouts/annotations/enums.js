// What the enums mean, and the values that SDKs newer than the compiled headers add: from Microsoft's pages and the
// openvmm sources, not compiled here; QEMU asks for SDK 10.0.26100 where it uses them. All others come from the facts.

export const groups = [
  { file: "capabilities", doc: "Codes of capabilities and partition properties, and the values they take." },
  { file: "memory", doc: "Guest memory: mapping, access, translation." },
  { file: "register-names", doc: "The names of all registers." },
  { file: "events", doc: "Exceptions, interrupts, pending events." },
  { file: "exits", doc: "Why a virtual processor stops." },
  { file: "state-and-counters", doc: "Sets of counters and kinds of processor state." },
  { file: "vpci", doc: "Virtual PCI devices." },
  { file: "notifications", doc: "Triggers and notification ports." },
];

export const enums = {
  WHV_CAPABILITY_CODE: {
    file: "capabilities",
    doc: "what `WHvGetCapability` can be asked.",
    newerSince: "SDK 10.0.26100 at the latest",
    newer: {
      WHvCapabilityCodePhysicalAddressWidth: 0x0000100a,
      WHvCapabilityCodeVmxBasic: 0x00002000,
      WHvCapabilityCodeVmxPinbasedCtls: 0x00002001,
      WHvCapabilityCodeVmxProcbasedCtls: 0x00002002,
      WHvCapabilityCodeVmxExitCtls: 0x00002003,
      WHvCapabilityCodeVmxEntryCtls: 0x00002004,
      WHvCapabilityCodeVmxMisc: 0x00002005,
      WHvCapabilityCodeVmxCr0Fixed0: 0x00002006,
      WHvCapabilityCodeVmxCr0Fixed1: 0x00002007,
      WHvCapabilityCodeVmxCr4Fixed0: 0x00002008,
      WHvCapabilityCodeVmxCr4Fixed1: 0x00002009,
      WHvCapabilityCodeVmxVmcsEnum: 0x0000200a,
      WHvCapabilityCodeVmxProcbasedCtls2: 0x0000200b,
      WHvCapabilityCodeVmxEptVpidCap: 0x0000200c,
      WHvCapabilityCodeVmxTruePinbasedCtls: 0x0000200d,
      WHvCapabilityCodeVmxTrueProcbasedCtls: 0x0000200e,
      WHvCapabilityCodeVmxTrueExitCtls: 0x0000200f,
      WHvCapabilityCodeVmxTrueEntryCtls: 0x00002010,
    },
  },
  WHV_PROCESSOR_VENDOR: {
    file: "capabilities",
    doc: "who made the processor.",
    newerSince: "SDK 10.0.26100 at the latest",
    newer: {},
  },
  WHV_PARTITION_PROPERTY_CODE: {
    file: "capabilities",
    doc: "properties of a partition; those below 0x1000 can change after setup, the others cannot.",
    newerSince: "SDK 10.0.26100 at the latest",
    newer: {
      WHvPartitionPropertyCodePhysicalAddressWidth: 0x00001011,
    },
  },
  WHV_X64_CPUID_RESULT2_FLAGS: {
    file: "capabilities",
    doc: "what an entry of the CPUID result list is specific to.",
  },
  WHV_MSR_ACTION: {
    file: "capabilities",
    doc: "what an access to a model-specific register does.",
  },
  WHV_X64_LOCAL_APIC_EMULATION_MODE: {
    file: "capabilities",
    doc: "which local APIC the hypervisor emulates.",
  },
  WHV_MEMORY_ACCESS_TYPE: {
    file: "memory",
    doc: "kinds of access to memory.",
  },
  WHV_MAP_GPA_RANGE_FLAGS: {
    file: "memory",
    doc: "what a guest may do with mapped memory.",
  },
  WHV_TRANSLATE_GVA_FLAGS: {
    file: "memory",
    doc: "what a translation checks and changes.",
  },
  WHV_TRANSLATE_GVA_RESULT_CODE: {
    file: "memory",
    doc: "how a translation went.",
  },
  WHV_CACHE_TYPE: {
    file: "memory",
    doc: "memory types.",
  },
  WHV_ADVISE_GPA_RANGE_CODE: {
    file: "memory",
    doc: "advice about guest memory.",
  },
  WHV_REGISTER_NAME: {
    file: "register-names",
    doc: "all registers of a virtual processor.",
    newerSince: "SDK 10.0.26100 at the latest",
    newer: {
      WHvX64RegisterMsrIa32MiscEnable: 0x000020a0,
      WHvX64RegisterIa32FeatureControl: 0x000020a1,
      WHvX64RegisterIa32VmxBasic: 0x000020a2,
      WHvX64RegisterIa32VmxPinbasedCtls: 0x000020a3,
      WHvX64RegisterIa32VmxProcbasedCtls: 0x000020a4,
      WHvX64RegisterIa32VmxExitCtls: 0x000020a5,
      WHvX64RegisterIa32VmxEntryCtls: 0x000020a6,
      WHvX64RegisterIa32VmxMisc: 0x000020a7,
      WHvX64RegisterIa32VmxCr0Fixed0: 0x000020a8,
      WHvX64RegisterIa32VmxCr0Fixed1: 0x000020a9,
      WHvX64RegisterIa32VmxCr4Fixed0: 0x000020aa,
      WHvX64RegisterIa32VmxCr4Fixed1: 0x000020ab,
      WHvX64RegisterIa32VmxVmcsEnum: 0x000020ac,
      WHvX64RegisterIa32VmxProcbasedCtls2: 0x000020ad,
      WHvX64RegisterIa32VmxEptVpidCap: 0x000020ae,
      WHvX64RegisterIa32VmxTruePinbasedCtls: 0x000020af,
      WHvX64RegisterIa32VmxTrueProcbasedCtls: 0x000020b0,
      WHvX64RegisterIa32VmxTrueExitCtls: 0x000020b1,
      WHvX64RegisterIa32VmxTrueEntryCtls: 0x000020b2,
      WHvX64RegisterAmdVmHsavePa: 0x000020b3,
      WHvX64RegisterAmdVmCr: 0x000020b4,
      WHvX64RegisterNestedGuestState: 0x00005050,
      WHvX64RegisterNestedCurrentVmGpa: 0x00005051,
      WHvX64RegisterNestedVmxInvEpt: 0x00005052,
      WHvX64RegisterNestedVmxInvVpid: 0x00005053,
      WHvRegisterPendingEvent1: 0x80000003,
      WHvRegisterDeliverabilityNotifications: 0x80000004,
      WHvRegisterPendingEvent2: 0x80000007,
      WHvRegisterPendingEvent3: 0x80000008,
    },
  },
  WHV_EXCEPTION_TYPE: {
    file: "events",
    doc: "exception vectors.",
  },
  WHV_X64_PENDING_EVENT_TYPE: {
    file: "events",
    doc: "forms of `WHvRegisterPendingEvent`.",
  },
  WHV_X64_PENDING_INTERRUPTION_TYPE: {
    file: "events",
    doc: "kinds of pending interruption.",
  },
  WHV_INTERRUPT_TYPE: {
    file: "events",
    doc: "kinds of interrupt that can be requested.",
  },
  WHV_INTERRUPT_DESTINATION_MODE: {
    file: "events",
    doc: "how an interrupt finds its processor.",
  },
  WHV_INTERRUPT_TRIGGER_MODE: {
    file: "events",
    doc: "edge or level.",
  },
  WHV_X64_APIC_WRITE_TYPE: {
    file: "events",
    doc: "registers of the local APIC whose writes can be trapped, by their offset in the APIC page.",
  },
  WHV_RUN_VP_EXIT_REASON: {
    file: "exits",
    doc: "why a virtual processor stopped.",
  },
  WHV_X64_UNSUPPORTED_FEATURE_CODE: {
    file: "exits",
    doc: "what the guest used that the platform does not support.",
  },
  WHV_RUN_VP_CANCEL_REASON: {
    file: "exits",
    doc: "why a run was cancelled.",
  },
  WHV_PARTITION_COUNTER_SET: {
    file: "state-and-counters",
    doc: "sets of counters of a partition.",
  },
  WHV_PROCESSOR_COUNTER_SET: {
    file: "state-and-counters",
    doc: "sets of counters of a processor.",
  },
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE: {
    file: "state-and-counters",
    doc: "kinds of processor state that are read and written as one block.",
    newerSince: "SDK 10.0.26100 at the latest",
    newer: {
      WHvVirtualProcessorStateTypeNestedState: 0x00001002,
    },
  },
  WHV_VIRTUAL_PROCESSOR_PROPERTY_CODE: {
    file: "state-and-counters",
    doc: "properties of a processor that is to be created.",
  },
  WHV_ALLOCATE_VPCI_RESOURCE_FLAGS: {
    file: "vpci",
    doc: "how a device resource is allocated.",
  },
  WHV_VPCI_DEVICE_NOTIFICATION_TYPE: {
    file: "vpci",
    doc: "what can happen to a virtual PCI device.",
  },
  WHV_CREATE_VPCI_DEVICE_FLAGS: {
    file: "vpci",
    doc: "how a virtual PCI device is created.",
  },
  WHV_VPCI_DEVICE_PROPERTY_CODE: {
    file: "vpci",
    doc: "what can be asked of a virtual PCI device.",
  },
  WHV_VPCI_MMIO_RANGE_FLAGS: {
    file: "vpci",
    doc: "accesses that a mapping of device memory allows.",
  },
  WHV_VPCI_DEVICE_REGISTER_SPACE: {
    file: "vpci",
    doc: "register spaces of a device. `WHvVpciConfigSpace` is -1 in the header, here the unsigned 32-bit value.",
  },
  WHV_VPCI_INTERRUPT_TARGET_FLAGS: {
    file: "vpci",
    doc: "how a device interrupt finds its processors.",
  },
  WHV_TRIGGER_TYPE: {
    file: "notifications",
    doc: "what a trigger does.",
  },
  WHV_NOTIFICATION_PORT_TYPE: {
    file: "notifications",
    doc: "what a notification port waits for.",
  },
  WHV_NOTIFICATION_PORT_PROPERTY_CODE: {
    file: "notifications",
    doc: "properties of a notification port.",
  },
};
