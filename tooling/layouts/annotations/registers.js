// What the register values mean: Microsoft's page "Virtual processor register names and values", in our words, and
// Intel SDM volume 3 for what the platform takes from the processor.

export const groups = [
  { file: "uint128", page: "WHvVirtualProcessorDataTypes", doc: "128 bits as two 64-bit halves." },
  {
    file: "segment-registers",
    page: "WHvVirtualProcessorDataTypes",
    doc: "Segment registers with their hidden parts, and the descriptor-table registers.",
  },
  {
    file: "floating-point-registers",
    page: "WHvVirtualProcessorDataTypes",
    doc: "x87 registers, and the control and status of x87 and SSE.",
  },
  {
    file: "event-registers",
    page: "WHvVirtualProcessorDataTypes",
    doc: "Registers that hold pending and blocked events.",
  },
  { file: "register-value", page: "WHvVirtualProcessorDataTypes", doc: "One register's value: a union of 16 bytes." },
];

const event = {
  EventPending: "An event waits.",
  EventType: "A {@link (WHV_X64_PENDING_EVENT_TYPE:variable)}: which form the register has.",
  AsUINT128: "All bits.",
};

export const structures = {
  WHV_UINT128: {
    file: "uint128",
    doc: "An unsigned integer of 128 bits.",
    fields: { Low64: "Bits 63..0.", High64: "Bits 127..64.", Dword: "The same as four words, lowest first." },
  },
  WHV_X64_SEGMENT_REGISTER: {
    file: "segment-registers",
    doc: "A segment register with its hidden part.",
    prefer: ["Attributes"],
    fields: {
      Base: "Linear address of the segment's first byte.",
      Limit: "Last valid offset, in bytes, scaled by the granularity already.",
      Selector: "The visible part.",
      SegmentType: "Type of the descriptor (SDM volume 3, 3.4.5.1).",
      NonSystemSegment: "S: code or data (false: a system descriptor).",
      DescriptorPrivilegeLevel: "DPL.",
      Present: "P.",
      Available: "AVL.",
      Long: "L: 64-bit code.",
      Default: "D/B: 32-bit operands and addresses, or stack pointer.",
      Granularity: "G: the descriptor's limit counts 4 KiB pages.",
      Attributes: "All attribute bits: bits 7..0 are byte 5 of the descriptor, bits 15..12 the high nibble of byte 6.",
    },
  },
  WHV_X64_TABLE_REGISTER: {
    file: "segment-registers",
    doc: "GDTR or IDTR.",
    fields: { Limit: "Last valid offset, in bytes.", Base: "Linear address of the table." },
  },
  WHV_X64_FP_REGISTER: {
    file: "floating-point-registers",
    doc: "An x87 register of 80 bits; MMX registers are its mantissa.",
    fields: {
      Mantissa: "Significand, or the MMX register.",
      BiasedExponent: "Exponent + 16383.",
      Sign: "Negative.",
      AsUINT128: "All bits.",
    },
  },
  WHV_X64_FP_CONTROL_STATUS_REGISTER: {
    file: "floating-point-registers",
    doc: "Control and status of the x87 unit, as FXSAVE lays it out.",
    fields: {
      FpControl: "FCW.",
      FpStatus: "FSW.",
      FpTag: "FTW in the abridged form: bit n is 1 where physical register n is not empty.",
      LastFpOp: "FOP: the last opcode, 11 bits.",
      LastFpRip: "FIP in 64-bit mode.",
      LastFpEip: "FIP outside 64-bit mode.",
      LastFpCs: "FCS outside 64-bit mode.",
      AsUINT128: "All bits.",
    },
  },
  WHV_X64_XMM_CONTROL_STATUS_REGISTER: {
    file: "floating-point-registers",
    doc: "The x87 data pointer and MXCSR, as FXSAVE lays them out.",
    fields: {
      LastFpRdp: "FDP in 64-bit mode.",
      LastFpDp: "FDP outside 64-bit mode.",
      LastFpDs: "FDS outside 64-bit mode.",
      XmmStatusControl: "MXCSR.",
      XmmStatusControlMask: "MXCSR_MASK: which bits of MXCSR may be set.",
      AsUINT128: "All bits.",
    },
  },
  WHV_X64_INTERRUPT_STATE_REGISTER: {
    file: "event-registers",
    doc: "What blocks interrupts.",
    fields: {
      InterruptShadow: "Blocked for one instruction, by STI, MOV SS or POP SS.",
      NmiMasked: "NMIs are blocked until IRET.",
      AsUINT64: "All bits.",
    },
  },
  WHV_X64_PENDING_INTERRUPTION_REGISTER: {
    file: "event-registers",
    doc: "An event that is delivered when the processor runs on.",
    fields: {
      InterruptionPending: "An event waits.",
      InterruptionType: "A {@link (WHV_X64_PENDING_INTERRUPTION_TYPE:variable)}.",
      DeliverErrorCode: "The event pushes `errorCode`.",
      InstructionLength: "Length of the instruction that raised a software event.",
      NestedEvent: "The event belongs to a nested guest.",
      InterruptionVector: "Vector.",
      ErrorCode: "What is pushed, where `deliverErrorCode` is set.",
      AsUINT64: "All bits.",
    },
  },
  WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER: {
    file: "event-registers",
    doc: "Which events the host wants to be told of as soon as they can be delivered (exit reason X64InterruptWindow).",
    fields: {
      NmiNotification: "An NMI.",
      InterruptNotification: "An interrupt above `interruptPriority`.",
      InterruptPriority: "Priority class; 0 for any.",
      AsUINT64: "All bits.",
    },
  },
  WHV_X64_PENDING_EXCEPTION_EVENT: {
    file: "event-registers",
    doc: "`WHvRegisterPendingEvent` as an exception to be delivered.",
    fields: {
      ...event,
      DeliverErrorCode: "The exception pushes `errorCode`.",
      Vector: "Vector.",
      ErrorCode: "What is pushed, where `deliverErrorCode` is set.",
      ExceptionParameter: "CR2, of a page fault.",
    },
  },
  WHV_X64_PENDING_EXT_INT_EVENT: {
    file: "event-registers",
    doc: "`WHvRegisterPendingEvent` as an external interrupt to be delivered.",
    fields: { ...event, Vector: "Vector." },
  },
  WHV_INTERNAL_ACTIVITY_REGISTER: {
    file: "event-registers",
    doc: "Why a processor does not execute.",
    fields: {
      StartupSuspend: "It waits for a start-up interrupt.",
      HaltSuspend: "It stands in HLT.",
      IdleSuspend: "It is idle by a hypervisor call.",
      AsUINT64: "All bits.",
    },
  },
  WHV_X64_PENDING_DEBUG_EXCEPTION: {
    file: "event-registers",
    doc: "Debug traps that are delivered behind the current instruction.",
    fields: {
      Breakpoint0: "DR0 matched.",
      Breakpoint1: "DR1 matched.",
      Breakpoint2: "DR2 matched.",
      Breakpoint3: "DR3 matched.",
      SingleStep: "RFLAGS.TF was set.",
      AsUINT64: "All bits.",
    },
  },
  WHV_REGISTER_VALUE: {
    file: "register-value",
    doc: "A register's value in each of its forms; the register's name says which one counts.",
    oneOf: true,
    fields: {
      Reg128: "XMM registers.",
      Reg64: "Registers of 64 bits.",
      Reg32: "Registers of 32 bits.",
      Reg16: "Registers of 16 bits.",
      Reg8: "Registers of 8 bits.",
      Fp: "x87 and MMX registers.",
      FpControlStatus: "`WHvX64RegisterFpControlStatus`.",
      XmmControlStatus: "`WHvX64RegisterXmmControlStatus`.",
      Segment: "Segment registers, LDTR and TR.",
      Table: "GDTR and IDTR.",
      InterruptState: "`WHvRegisterInterruptState`.",
      PendingInterruption: "`WHvRegisterPendingInterruption`.",
      DeliverabilityNotifications: "`WHvX64RegisterDeliverabilityNotifications`.",
      ExceptionEvent: "`WHvRegisterPendingEvent`, of type exception.",
      ExtIntEvent: "`WHvRegisterPendingEvent`, of type external interrupt.",
      InternalActivity: "`WHvRegisterInternalActivityState`.",
      PendingDebugException: "`WHvX64RegisterPendingDebugException`.",
    },
  },
};
