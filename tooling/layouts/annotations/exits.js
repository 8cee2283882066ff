// What the exit contexts mean: Microsoft's pages "WHvRunVirtualProcessor" and "WHvExitContextDataTypes", in our words.

export const groups = [
  {
    file: "exit-context",
    page: "WHvExitContextDataTypes",
    doc: "The part that every exit has: where the processor stopped, and in which mode.",
  },
  {
    file: "memory-access",
    page: "MemoryAccess",
    doc: "The exit of an access to guest-physical memory that is not mapped, or not with the rights needed.",
  },
  { file: "io-port-access", page: "IOPortAccess", doc: "The exit of a port instruction: IN, OUT, INS, OUTS." },
  {
    file: "processor-exits",
    page: "MSRAccess, CPUIDAccess, Rdtsc, VirtualProcessorException, InterruptWindow, UnsupportableFeature, ExecutionCancelled",
    doc: "Exits of single instructions and events: MSR, CPUID, RDTSC, exceptions, interrupt windows, cancellation.",
  },
  {
    file: "apic-exits",
    page: "ApicEOI; the other exits have none",
    doc: "Exits of the local APIC and of the synthetic interrupt controller.",
  },
  { file: "hypercall-exit", page: "none", doc: "The exit of a hypercall." },
  {
    file: "run-exit-context",
    page: "WHvRunVirtualProcessor, WHvExitContextDataTypes",
    doc: "The whole exit context that WHvRunVirtualProcessor fills.",
  },
];

const instructionBytes = {
  InstructionByteCount: "Instruction bytes that the hypervisor fetched, 0 to 16; 0 where it fetched none.",
  InstructionBytes: "The bytes at RIP; the first `instructionByteCount` count, and may run past the instruction.",
};

export const structures = {
  WHV_X64_VP_EXECUTION_STATE: {
    file: "exit-context",
    doc: "Mode and pending events of the processor at the exit.",
    fields: {
      Cpl: "Current privilege level.",
      Cr0Pe: "CR0.PE: protected mode.",
      Cr0Am: "CR0.AM: alignment mask.",
      EferLma: "EFER.LMA: long mode is active (64-bit or compatibility mode, by CS.L).",
      DebugActive: "A debug register is armed.",
      InterruptionPending: "An event was being delivered when the exit happened.",
      InterruptShadow: "The processor stands behind STI, MOV SS or POP SS.",
      AsUINT16: "All bits.",
    },
  },
  WHV_VP_EXIT_CONTEXT: {
    file: "exit-context",
    doc: "The part of an exit context that every exit has.",
    fields: {
      ExecutionState: "Mode and pending events.",
      InstructionLength: "Length of the instruction in bytes, or 0 where the hypervisor does not know it.",
      Cr8: "CR8, the task priority.",
      Cs: "The code segment.",
      Rip: "Offset of the instruction in CS; it has not moved on.",
      Rflags: "RFLAGS.",
    },
  },
  WHV_MEMORY_ACCESS_INFO: {
    file: "memory-access",
    doc: "How memory was accessed.",
    fields: {
      AccessType: "A {@link WHV_MEMORY_ACCESS_TYPE}: 0 read, 1 write, 2 execute.",
      GpaUnmapped:
        "Nothing is mapped at that guest-physical address (false: mapped, without the right that was needed).",
      GvaValid: "`Gva` of the context holds the guest-virtual address.",
      AsUINT32: "All bits.",
    },
  },
  WHV_MEMORY_ACCESS_CONTEXT: {
    file: "memory-access",
    doc: "The access that stopped the processor.",
    fields: {
      ...instructionBytes,
      AccessInfo: "How memory was accessed.",
      Gpa: "Where.",
      Gva: "The guest-virtual address, where `accessInfo.gvaValid` says so.",
    },
  },
  WHV_X64_IO_PORT_ACCESS_INFO: {
    file: "io-port-access",
    doc: "How the port was accessed.",
    fields: {
      IsWrite: "OUT or OUTS (false: IN or INS).",
      AccessSize: "Bytes a transfer: 1, 2 or 4.",
      StringOp: "INS or OUTS.",
      RepPrefix: "With a REP prefix.",
      AsUINT32: "All bits.",
    },
  },
  WHV_X64_IO_PORT_ACCESS_CONTEXT: {
    file: "io-port-access",
    doc: "The port instruction that stopped the processor, with the registers that it uses.",
    remarks:
      "The context carries no address size: INS and OUTS must be decoded even though `rsi`, `rdi`, `rcx`, `ds` and `es` are given.",
    fields: {
      ...instructionBytes,
      AccessInfo: "How the port was accessed.",
      PortNumber: "The port.",
      Rax: "RAX: what OUT writes; IN replaces its low `accessInfo.accessSize` bytes.",
      Rcx: "RCX: how often a REP form repeats.",
      Rsi: "RSI: where OUTS reads.",
      Rdi: "RDI: where INS writes.",
      Ds: "DS (of OUTS; a segment override is not applied).",
      Es: "ES, of INS.",
    },
  },
  WHV_X64_MSR_ACCESS_INFO: {
    file: "processor-exits",
    doc: "How the model-specific register was accessed.",
    fields: { IsWrite: "WRMSR (false: RDMSR).", AsUINT32: "All bits." },
  },
  WHV_X64_MSR_ACCESS_CONTEXT: {
    file: "processor-exits",
    doc: "A RDMSR or WRMSR.",
    fields: {
      AccessInfo: "Whether it writes.",
      MsrNumber: "Which register: ECX.",
      Rax: "RAX: the low half of the value is bits 31..0.",
      Rdx: "RDX: the high half of the value is bits 31..0.",
    },
  },
  WHV_X64_CPUID_ACCESS_CONTEXT: {
    file: "processor-exits",
    doc: "A CPUID that the partition's exit list names.",
    fields: {
      Rax: "RAX: the leaf.",
      Rcx: "RCX: the sub-leaf.",
      Rdx: "RDX before the instruction.",
      Rbx: "RBX before the instruction.",
      DefaultResultRax: "RAX that the hypervisor would have given.",
      DefaultResultRcx: "RCX that the hypervisor would have given.",
      DefaultResultRdx: "RDX that the hypervisor would have given.",
      DefaultResultRbx: "RBX that the hypervisor would have given.",
    },
  },
  WHV_VP_EXCEPTION_INFO: {
    file: "processor-exits",
    doc: "What kind of exception.",
    fields: {
      ErrorCodeValid: "The context's `ErrorCode` counts.",
      SoftwareException: "Raised by INT3, INTO or INT n.",
      AsUINT32: "All bits.",
    },
  },
  WHV_VP_EXCEPTION_CONTEXT: {
    file: "processor-exits",
    doc: "An exception that the partition's exception exit bitmap names.",
    fields: {
      ...instructionBytes,
      ExceptionInfo: "What kind.",
      ExceptionType: "The vector: a {@link (WHV_EXCEPTION_TYPE:variable)}.",
      ErrorCode: "The error code, where `exceptionInfo.errorCodeValid` says so.",
      ExceptionParameter: "More about the exception: the faulting address of a page fault.",
    },
  },
  WHV_X64_UNSUPPORTED_FEATURE_CONTEXT: {
    file: "processor-exits",
    doc: "The guest used something that the platform does not support.",
    fields: { FeatureCode: "What.", FeatureParameter: "More about it, by `featureCode`." },
  },
  WHV_RUN_VP_CANCELED_CONTEXT: {
    file: "processor-exits",
    doc: "The run was cancelled.",
    fields: { CancelReason: "By whom." },
  },
  WHV_X64_INTERRUPTION_DELIVERABLE_CONTEXT: {
    file: "processor-exits",
    doc: "An event that the host asked to be told of can be delivered now.",
    fields: { DeliverableType: "Which kind of event." },
  },
  WHV_X64_RDTSC_INFO: {
    file: "processor-exits",
    doc: "Which instruction read the time-stamp counter.",
    fields: { IsRdtscp: "RDTSCP (false: RDTSC).", AsUINT64: "All bits." },
  },
  WHV_X64_RDTSC_CONTEXT: {
    file: "processor-exits",
    doc: "A RDTSC or RDTSCP.",
    fields: {
      TscAux: "IA32_TSC_AUX.",
      VirtualOffset: "What the hypervisor adds to the host's counter.",
      Tsc: "What the instruction would have read.",
      ReferenceTime: "The partition's reference time, in units of 100 ns.",
      RdtscInfo: "Which instruction.",
    },
  },
  WHV_X64_APIC_EOI_CONTEXT: {
    file: "apic-exits",
    doc: "The guest ended an interrupt (level-triggered, with the hypervisor's local APIC).",
    fields: { InterruptVector: "Which vector." },
  },
  WHV_X64_APIC_SMI_CONTEXT: {
    file: "apic-exits",
    doc: "The guest sent a system-management interrupt.",
    fields: { ApicIcr: "The interrupt command register." },
  },
  WHV_X64_APIC_INIT_SIPI_CONTEXT: {
    file: "apic-exits",
    doc: "The guest sent an INIT or start-up interrupt.",
    fields: { ApicIcr: "The interrupt command register." },
  },
  WHV_X64_APIC_WRITE_CONTEXT: {
    file: "apic-exits",
    doc: "The guest wrote a register of the local APIC that the partition traps.",
    fields: { Type: "Which register.", WriteValue: "What was written." },
  },
  WHV_SYNIC_SINT_DELIVERABLE_CONTEXT: {
    file: "apic-exits",
    doc: "Synthetic interrupts can be delivered.",
    fields: { DeliverableSints: "Bit n: synthetic interrupt source n." },
  },
  WHV_HYPERCALL_CONTEXT: {
    file: "hypercall-exit",
    doc: "A hypercall that the hypervisor does not handle itself, with the registers that carry its parameters.",
    fields: {
      Rax: "RAX.",
      Rbx: "RBX.",
      Rcx: "RCX: the hypercall's input value.",
      Rdx: "RDX: guest-physical address of the input, or the first fast parameter.",
      R8: "R8: guest-physical address of the output, or the second fast parameter.",
      Rsi: "RSI.",
      Rdi: "RDI.",
      XmmRegisters: "XMM0 to XMM5, of extended fast hypercalls.",
    },
  },
  WHV_RUN_VP_EXIT_CONTEXT: {
    file: "run-exit-context",
    doc: "Why a virtual processor stopped. The members behind `vpContext` share the same bytes: `exitReason` says which one counts.",
    discriminant: {
      field: "ExitReason",
      members: {
        WHvRunVpExitReasonMemoryAccess: "MemoryAccess",
        WHvRunVpExitReasonX64IoPortAccess: "IoPortAccess",
        WHvRunVpExitReasonUnsupportedFeature: "UnsupportedFeature",
        WHvRunVpExitReasonX64InterruptWindow: "InterruptWindow",
        WHvRunVpExitReasonX64ApicEoi: "ApicEoi",
        WHvRunVpExitReasonSynicSintDeliverable: "SynicSintDeliverable",
        WHvRunVpExitReasonX64MsrAccess: "MsrAccess",
        WHvRunVpExitReasonX64Cpuid: "CpuidAccess",
        WHvRunVpExitReasonException: "VpException",
        WHvRunVpExitReasonX64Rdtsc: "ReadTsc",
        WHvRunVpExitReasonX64ApicSmiTrap: "ApicSmi",
        WHvRunVpExitReasonHypercall: "Hypercall",
        WHvRunVpExitReasonX64ApicInitSipiTrap: "ApicInitSipi",
        WHvRunVpExitReasonX64ApicWriteTrap: "ApicWrite",
        WHvRunVpExitReasonCanceled: "CancelReason",
      },
      bare: [
        "WHvRunVpExitReasonNone",
        "WHvRunVpExitReasonUnrecoverableException",
        "WHvRunVpExitReasonInvalidVpRegisterValue",
        "WHvRunVpExitReasonX64Halt",
      ],
    },
    fields: {
      ExitReason: "Why the processor stopped.",
      VpContext: "Where it stopped, and in which mode.",
      MemoryAccess: "Of exit reason MemoryAccess.",
      IoPortAccess: "Of exit reason X64IoPortAccess.",
      MsrAccess: "Of exit reason X64MsrAccess.",
      CpuidAccess: "Of exit reason X64Cpuid.",
      VpException: "Of exit reason Exception.",
      InterruptWindow: "Of exit reason X64InterruptWindow.",
      UnsupportedFeature: "Of exit reason UnsupportedFeature.",
      CancelReason: "Of exit reason Canceled.",
      ApicEoi: "Of exit reason X64ApicEoi.",
      ReadTsc: "Of exit reason X64Rdtsc.",
      ApicSmi: "Of exit reason X64ApicSmiTrap.",
      Hypercall: "Of exit reason Hypercall.",
      ApicInitSipi: "Of exit reason X64ApicInitSipiTrap.",
      ApicWrite: "Of exit reason X64ApicWriteTrap.",
      SynicSintDeliverable: "Of exit reason SynicSintDeliverable.",
    },
  },
};
