// What the functions do, which HRESULTs they answer beyond S_OK and E_INVALIDARG, and since when they exist. From
// Microsoft's page of each function where there is one; the versions from those pages, from the deprecations in
// WinHvPlatform.h, and from the exports of the DLL of build 19041.

export const groups = [
  {
    file: "platform",
    library: "WinHvPlatform.dll",
    type: "WinHvPlatformFunctions",
    table: "WIN_HV_PLATFORM_FUNCTIONS",
  },
  {
    file: "emulation",
    library: "WinHvEmulation.dll",
    type: "WinHvEmulationFunctions",
    table: "WIN_HV_EMULATION_FUNCTIONS",
  },
];

const WINDOWS_1803 = "Windows 10, version 1803";
const WINDOWS_1903 = "Windows 10, version 1903";
const WINDOWS_2004 = "Windows 10, version 2004 at the latest: build 19041 exports it";
const SERVER_2022 = "build 20348 (Windows Server 2022): from there on the header deprecates what came before it";
const LATER = "a build after 19041 (Windows 10, version 2004), which does not export it";

const NO_BUFFER = "WHV_E_INSUFFICIENT_BUFFER where the buffer is too small: the size needed is written";
const NO_VP = "WHV_E_VP_DOES_NOT_EXIST";
const NOT_SET_UP = "WHV_E_INVALID_PARTITION_CONFIG where the partition is not set up";

/** @type {Record<string, { doc: string, since: string, results?: string[], page?: false }>} */
export const functions = {
  WHvGetCapability: {
    doc: "Asks what platform, hypervisor and processor can do.",
    since: WINDOWS_1803,
    results: ["WHV_E_UNKNOWN_CAPABILITY: what it stands for must be taken as absent", "WHV_E_INSUFFICIENT_BUFFER"],
  },
  WHvCreatePartition: {
    doc: "Creates a partition object; the hypervisor's partition comes with setup.",
    since: WINDOWS_1803,
  },
  WHvSetupPartition: {
    doc: "Creates the partition in the hypervisor, with the properties set so far.",
    since: WINDOWS_1803,
    results: ["WHV_E_INVALID_PARTITION_CONFIG where properties are missing or do not fit together"],
  },
  WHvResetPartition: { doc: "Takes a partition back to the state after setup.", since: LATER, results: [NOT_SET_UP] },
  WHvDeletePartition: { doc: "Tears a partition down and releases everything that it used.", since: WINDOWS_1803 },
  WHvGetPartitionProperty: {
    doc: "Reads a property, or the default where it was not set.",
    since: WINDOWS_1803,
    results: ["WHV_E_UNKNOWN_PROPERTY", "WHV_E_INSUFFICIENT_BUFFER"],
  },
  WHvSetPartitionProperty: {
    doc: "Sets a property. Most can only be set before setup.",
    since: WINDOWS_1803,
    results: ["WHV_E_UNKNOWN_PROPERTY", "WHV_E_INVALID_PARTITION_CONFIG where it is too late"],
  },
  WHvSuspendPartitionTime: {
    doc: "Stops the partition's time; it goes on with `WHvResumePartitionTime` or the next run. No processor may run meanwhile.",
    since: WINDOWS_1903,
  },
  WHvResumePartitionTime: { doc: "Lets the partition's time go on.", since: WINDOWS_1903 },
  WHvMapGpaRange: {
    doc: "Maps memory of this process into the guest-physical space. Addresses and sizes are multiples of 4096; what was mapped there is replaced.",
    since: WINDOWS_1803,
    results: [NOT_SET_UP],
  },
  WHvMapGpaRange2: { doc: "`WHvMapGpaRange` with memory of another process.", since: LATER, results: [NOT_SET_UP] },
  WHvUnmapGpaRange: {
    doc: "Takes memory out of the guest-physical space: accesses exit from now on.",
    since: WINDOWS_1803,
    results: ["WHV_E_GPA_RANGE_NOT_FOUND"],
  },
  WHvTranslateGva: {
    doc: "Walks the page tables that a processor uses. S_OK says that the result counts, not that the translation went well.",
    since: WINDOWS_1803,
    results: [NO_VP],
  },
  WHvCreateVirtualProcessor: {
    doc: "Creates a processor; its index becomes its APIC ID. `Flags` is 0.",
    since: WINDOWS_1803,
    results: ["WHV_E_VP_ALREADY_EXISTS", NOT_SET_UP],
  },
  WHvCreateVirtualProcessor2: {
    doc: "Creates a processor with properties.",
    since: LATER,
    results: ["WHV_E_VP_ALREADY_EXISTS", NOT_SET_UP],
  },
  WHvDeleteVirtualProcessor: { doc: "Deletes a processor.", since: WINDOWS_1803, results: [NO_VP] },
  WHvRunVirtualProcessor: {
    doc: "Runs a processor until its next exit, and fills a WHV_RUN_VP_EXIT_CONTEXT. Blocks.",
    since: WINDOWS_1803,
    results: [NO_VP, "WHV_E_INVALID_VP_STATE"],
  },
  WHvCancelRunVirtualProcessor: {
    doc: "Makes the current run, or the next one, exit with the reason Canceled. `Flags` is 0.",
    since: WINDOWS_1803,
    results: [NO_VP],
  },
  WHvGetVirtualProcessorRegisters: {
    doc: "Reads registers.",
    since: WINDOWS_1803,
    results: [NO_VP, "WHV_E_INVALID_VP_REGISTER_NAME"],
  },
  WHvSetVirtualProcessorRegisters: {
    doc: "Writes registers, all or none.",
    since: WINDOWS_1803,
    results: [NO_VP, "WHV_E_INVALID_VP_REGISTER_NAME"],
  },
  WHvGetVirtualProcessorInterruptControllerState: {
    doc: "Reads the local APIC's state. Deprecated: `WHvGetVirtualProcessorInterruptControllerState2`.",
    since: WINDOWS_2004,
    results: [NO_BUFFER],
  },
  WHvSetVirtualProcessorInterruptControllerState: {
    doc: "Writes the local APIC's state. Deprecated: `WHvSetVirtualProcessorInterruptControllerState2`.",
    since: WINDOWS_2004,
  },
  WHvRequestInterrupt: { doc: "Requests an interrupt through the hypervisor's local APICs.", since: WINDOWS_2004 },
  WHvGetVirtualProcessorXsaveState: {
    doc: "Reads the XSAVE area. Deprecated: `WHvGetVirtualProcessorState`.",
    since: WINDOWS_2004,
    results: [NO_BUFFER],
  },
  WHvSetVirtualProcessorXsaveState: {
    doc: "Writes the XSAVE area. Deprecated: `WHvSetVirtualProcessorState`.",
    since: WINDOWS_2004,
  },
  WHvQueryGpaRangeDirtyBitmap: {
    doc: "Reads which pages were written since the last query, one bit a page, and clears them. Without a bitmap it only clears.",
    since: WINDOWS_2004,
    results: ["WHV_E_GPA_RANGE_NOT_FOUND where the range is not mapped, or not with WHvMapGpaRangeFlagTrackDirtyPages"],
  },
  WHvGetPartitionCounters: {
    doc: "Reads a set of counters of a partition.",
    since: WINDOWS_2004,
    results: ["WHV_E_UNKNOWN_PROPERTY"],
  },
  WHvGetVirtualProcessorCounters: {
    doc: "Reads a set of counters of a processor.",
    since: WINDOWS_2004,
    results: ["WHV_E_UNKNOWN_PROPERTY"],
  },
  WHvGetVirtualProcessorInterruptControllerState2: {
    doc: "Reads the local APIC's state as its register page. Deprecated: `WHvGetVirtualProcessorState`.",
    since: WINDOWS_2004,
    results: [NO_BUFFER],
  },
  WHvSetVirtualProcessorInterruptControllerState2: {
    doc: "Writes the local APIC's state as its register page. Deprecated: `WHvSetVirtualProcessorState`.",
    since: WINDOWS_2004,
  },
  WHvRegisterPartitionDoorbellEvent: {
    doc: "Signals an event instead of an exit when the guest writes somewhere. Deprecated: `WHvCreateNotificationPort`.",
    since: WINDOWS_2004,
  },
  WHvUnregisterPartitionDoorbellEvent: {
    doc: "Takes a doorbell back. Deprecated: `WHvDeleteNotificationPort`.",
    since: WINDOWS_2004,
  },
  WHvAdviseGpaRange: { doc: "Gives advice about guest memory: populate, pin, unpin.", since: LATER },
  WHvReadGpaRange: {
    doc: "Reads up to 16 bytes of guest-physical memory as a processor would.",
    since: LATER,
    results: [NO_VP],
  },
  WHvWriteGpaRange: {
    doc: "Writes up to 16 bytes of guest-physical memory as a processor would.",
    since: LATER,
    results: [NO_VP],
  },
  WHvSignalVirtualProcessorSynicEvent: {
    doc: "Signals an event flag of the synthetic interrupt controller.",
    since: LATER,
    results: [NO_VP],
  },
  WHvGetVirtualProcessorState: {
    doc: "Reads processor state that is one block: XSAVE area, local APIC, synthetic interrupt controller.",
    since: SERVER_2022,
    results: [NO_BUFFER],
  },
  WHvSetVirtualProcessorState: { doc: "Writes processor state that is one block.", since: SERVER_2022 },
  WHvAllocateVpciResource: { doc: "Allocates a device for virtual PCI.", since: LATER },
  WHvCreateVpciDevice: { doc: "Attaches a virtual PCI device to a partition.", since: LATER },
  WHvDeleteVpciDevice: { doc: "Detaches a virtual PCI device.", since: LATER },
  WHvGetVpciDeviceProperty: {
    doc: "Reads a property of a virtual PCI device.",
    since: LATER,
    results: ["WHV_E_UNKNOWN_PROPERTY", "WHV_E_INSUFFICIENT_BUFFER"],
  },
  WHvGetVpciDeviceNotification: { doc: "Takes the next notification of a virtual PCI device.", since: LATER },
  WHvMapVpciDeviceMmioRanges: { doc: "Maps a device's memory into this process.", since: LATER },
  WHvUnmapVpciDeviceMmioRanges: { doc: "Unmaps a device's memory from this process.", since: LATER },
  WHvSetVpciDevicePowerState: { doc: "Sets a device's power state, D0 to D3.", since: LATER },
  WHvReadVpciDeviceRegister: { doc: "Reads a device's register.", since: LATER },
  WHvWriteVpciDeviceRegister: { doc: "Writes a device's register.", since: LATER },
  WHvMapVpciDeviceInterrupt: { doc: "Maps messages of a device to processors.", since: LATER },
  WHvUnmapVpciDeviceInterrupt: { doc: "Takes the mapping of a device's messages back.", since: LATER },
  WHvRetargetVpciDeviceInterrupt: { doc: "Sends a device's message to other processors.", since: LATER },
  WHvRequestVpciDeviceInterrupt: { doc: "Requests an interrupt as a device's message.", since: LATER },
  WHvGetVpciDeviceInterruptTarget: { doc: "Reads where a device's message goes.", since: LATER, results: [NO_BUFFER] },
  WHvCreateTrigger: { doc: "Creates an event that, when signalled, interrupts the guest.", since: LATER },
  WHvUpdateTriggerParameters: { doc: "Changes what a trigger does.", since: LATER },
  WHvDeleteTrigger: { doc: "Deletes a trigger.", since: LATER },
  WHvCreateNotificationPort: {
    doc: "Signals an event when the guest writes somewhere (doorbell) or signals a connection (event).",
    since: SERVER_2022,
  },
  WHvSetNotificationPortProperty: {
    doc: "Sets a property of a notification port.",
    since: LATER,
    results: ["WHV_E_UNKNOWN_PROPERTY"],
  },
  WHvDeleteNotificationPort: { doc: "Deletes a notification port.", since: SERVER_2022 },
  WHvPostVirtualProcessorSynicMessage: {
    doc: "Posts a message of 256 bytes to a synthetic interrupt source.",
    since: LATER,
    results: [NO_VP],
  },
  WHvGetVirtualProcessorCpuidOutput: { doc: "Asks what CPUID answers on a processor.", since: LATER, results: [NO_VP] },
  WHvGetInterruptTargetVpSet: { doc: "Asks which processors an interrupt would reach.", since: LATER },
  WHvStartPartitionMigration: { doc: "Begins to hand a partition to another process.", since: LATER },
  WHvCancelPartitionMigration: { doc: "Gives up handing a partition over.", since: LATER },
  WHvCompletePartitionMigration: { doc: "Ends handing a partition over, on the side that gives.", since: LATER },
  WHvAcceptPartitionMigration: { doc: "Takes a partition over from another process.", since: LATER },
  WHvEmulatorCreateEmulator: {
    doc: "Creates an instruction emulator over five callbacks.",
    since: WINDOWS_1803,
    results: ["E_INVALIDARG where a callback is missing or `Size` is not that of the structure"],
  },
  WHvEmulatorDestroyEmulator: { doc: "Destroys an emulator.", since: WINDOWS_1803 },
  WHvEmulatorTryIoEmulation: {
    doc: "Finishes the port instruction that a processor exited with. How it went is in the status.",
    since: WINDOWS_1803,
    results: [
      "E_INVALIDARG where the handle or the contexts are malformed",
      "another failure: the status does not count",
    ],
  },
  WHvEmulatorTryMmioEmulation: {
    doc: "Finishes the instruction whose memory access a processor exited with. How it went is in the status.",
    since: WINDOWS_1803,
    results: [
      "E_INVALIDARG where the handle or the contexts are malformed",
      "another failure: the status does not count",
    ],
  },
};

export const callbacks = {
  WHV_EMULATOR_IO_PORT_CALLBACK: "Performs one port access.",
  WHV_EMULATOR_MEMORY_CALLBACK: "Performs one access to guest-physical memory.",
  WHV_EMULATOR_GET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK: "Reads registers.",
  WHV_EMULATOR_SET_VIRTUAL_PROCESSOR_REGISTERS_CALLBACK: "Writes registers.",
  WHV_EMULATOR_TRANSLATE_GVA_PAGE_CALLBACK: "Translates a guest-virtual page.",
};

/** Constants that the header defines. */
export const constants = {
  WHV_PROCESSOR_FEATURES_BANKS_COUNT: "Banks of WHV_PROCESSOR_FEATURES_BANKS.",
  WHV_SYNTHETIC_PROCESSOR_FEATURES_BANKS_COUNT: "Banks of WHV_SYNTHETIC_PROCESSOR_FEATURES_BANKS.",
  WHV_READ_WRITE_GPA_RANGE_MAX_SIZE: "Bytes that WHvReadGpaRange and WHvWriteGpaRange take at most.",
  WHV_HYPERCALL_CONTEXT_MAX_XMM_REGISTERS: "XMM registers of WHV_HYPERCALL_CONTEXT.",
  WHV_MAX_DEVICE_ID_SIZE_IN_CHARS: "UTF-16 units of WHV_SRIOV_RESOURCE_DESCRIPTOR.PnpInstanceId.",
  WHV_VPCI_TYPE0_BAR_COUNT: "Base address registers of a device.",
  WHV_ANY_VP: "In place of a processor's index: any of them.",
  WHV_NOTIFICATION_PORT_PREFERRED_DURATION_MAX: "The longest preferred duration of a notification port.",
  WHV_SYNIC_MESSAGE_SIZE: "Bytes of a message of the synthetic interrupt controller.",
};
