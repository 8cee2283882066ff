/* The state of a processor: from registers of the platform to what KVM is told before a run, and back after it. */
#include "kvm.h"
#include <string.h>

static const WHV_REGISTER_NAME general_names[18] = {
  WHvX64RegisterRax, WHvX64RegisterRbx, WHvX64RegisterRcx, WHvX64RegisterRdx, WHvX64RegisterRsi, WHvX64RegisterRdi,
  WHvX64RegisterRsp, WHvX64RegisterRbp, WHvX64RegisterR8, WHvX64RegisterR9, WHvX64RegisterR10, WHvX64RegisterR11,
  WHvX64RegisterR12, WHvX64RegisterR13, WHvX64RegisterR14, WHvX64RegisterR15, WHvX64RegisterRip, WHvX64RegisterRflags,
};
static const WHV_REGISTER_NAME segment_names[8] = {
  WHvX64RegisterCs, WHvX64RegisterDs, WHvX64RegisterEs, WHvX64RegisterFs, WHvX64RegisterGs, WHvX64RegisterSs, WHvX64RegisterTr, WHvX64RegisterLdtr,
};
/* The time-stamp counter is the first: it goes on by itself. */
static const struct { WHV_REGISTER_NAME name; UINT32 index; } msr_names[] = {
  {WHvX64RegisterTsc, 0x10}, {WHvX64RegisterKernelGsBase, 0xc0000102}, {WHvX64RegisterPat, 0x277},
  {WHvX64RegisterSysenterCs, 0x174}, {WHvX64RegisterSysenterEsp, 0x175}, {WHvX64RegisterSysenterEip, 0x176},
  {WHvX64RegisterStar, 0xc0000081}, {WHvX64RegisterLstar, 0xc0000082}, {WHvX64RegisterCstar, 0xc0000083},
  {WHvX64RegisterSfmask, 0xc0000084}, {WHvX64RegisterTscAux, 0xc0000103},
};
enum { MSRS = sizeof msr_names / sizeof *msr_names };

static Segment segment_of(Processor *processor, WHV_REGISTER_NAME name) {
  WHV_X64_SEGMENT_REGISTER from = register_slot(processor, name)->Segment;
  Segment to = {from.Base, from.Limit, from.Selector, from.SegmentType, from.Present, from.DescriptorPrivilegeLevel, from.Default,
    from.NonSystemSegment, from.Long, from.Granularity, from.Available, !from.Present, 0};
  return to;
}

static void set_segment(Processor *processor, WHV_REGISTER_NAME name, const Segment *from) {
  WHV_X64_SEGMENT_REGISTER *to = &register_slot(processor, name)->Segment;
  to->Base = from->base;
  to->Limit = from->limit;
  to->Selector = from->selector;
  to->Attributes = (UINT16)(from->type | from->s << 4 | from->dpl << 5 | (from->unusable ? 0 : from->present << 7) | from->avl << 12 | from->l << 13 | from->db << 14 | from->g << 15);
}

/* What waits in PendingInterruption, PendingEvent and PendingDebugException, as KVM delivers it before the next instruction.
 * An external interrupt of PendingEvent waits for its window, which is the run loop's. */
static Events events_of(Processor *processor, SystemRegisters *system, DebugRegisters *debug) {
  Events events;
  WHV_X64_PENDING_INTERRUPTION_REGISTER interruption = {.AsUINT64 = register_of(processor, WHvRegisterPendingInterruption)};
  WHV_X64_INTERRUPT_STATE_REGISTER state = {.AsUINT64 = register_of(processor, WHvRegisterInterruptState)};
  WHV_X64_PENDING_EXCEPTION_EVENT event = register_slot(processor, WHvRegisterPendingEvent)->ExceptionEvent;
  UINT64 trap = register_of(processor, WHvX64RegisterPendingDebugException);
  int real = !(system->cr0 & 1);
  memset(&events, 0, sizeof events);
  events.flags = KVM_VCPUEVENT_VALID_SHADOW;
  events.interrupt.shadow = state.InterruptShadow ? 1 : 0;
  events.nmi.masked = state.NmiMasked;
  if (interruption.InterruptionPending) {
    UINT8 vector = (UINT8)interruption.InterruptionVector;
    switch (interruption.InterruptionType) {
      case WHvX64PendingNmi: events.nmi.injected = 1; break;
      case WHvX64PendingException:
        events.exception.injected = 1;
        events.exception.nr = vector;
        events.exception.has_error_code = interruption.DeliverErrorCode && !real;
        events.exception.error_code = interruption.ErrorCode;
        break;
      default: events.interrupt.injected = 1; events.interrupt.nr = vector; break;
    }
  } else if (event.EventPending && event.EventType == WHvX64PendingEventException) {
    events.exception.injected = 1;
    events.exception.nr = (UINT8)event.Vector;
    events.exception.has_error_code = event.DeliverErrorCode && !real;
    events.exception.error_code = event.ErrorCode;
    if (event.Vector == 14) system->cr2 = event.ExceptionParameter;
    memset(register_slot(processor, WHvRegisterPendingEvent), 0, sizeof(WHV_REGISTER_VALUE));
  } else if (trap) {
    events.exception.injected = 1;
    events.exception.nr = 1;
    debug->dr6 |= (trap & 15) | (trap >> 4 & 1) << 14;
    set_register(processor, WHvX64RegisterPendingDebugException, 0);
  }
  return events;
}

static void load_fpu(Processor *processor) {
  Fpu fpu;
  memset(&fpu, 0, sizeof fpu);
  WHV_X64_FP_CONTROL_STATUS_REGISTER status = register_slot(processor, WHvX64RegisterFpControlStatus)->FpControlStatus;
  WHV_X64_XMM_CONTROL_STATUS_REGISTER vector = register_slot(processor, WHvX64RegisterXmmControlStatus)->XmmControlStatus;
  for (int i = 0; i < 8; i++) memcpy(fpu.fpr[i], register_slot(processor, WHvX64RegisterFpMmx0 + i), 16);
  for (int i = 0; i < 16; i++) memcpy(fpu.xmm[i], register_slot(processor, WHvX64RegisterXmm0 + i), 16);
  fpu.fcw = status.FpControl;
  fpu.fsw = status.FpStatus;
  fpu.ftwx = status.FpTag;
  fpu.last_opcode = status.LastFpOp;
  fpu.last_ip = status.LastFpRip;
  fpu.last_dp = vector.LastFpRdp;
  fpu.mxcsr = vector.XmmStatusControl;
  control(processor->kvm->file, KVM_SET_FPU, &fpu);
}

static void store_fpu(Processor *processor) {
  Fpu fpu;
  control(processor->kvm->file, KVM_GET_FPU, &fpu);
  WHV_X64_FP_CONTROL_STATUS_REGISTER *status = &register_slot(processor, WHvX64RegisterFpControlStatus)->FpControlStatus;
  WHV_X64_XMM_CONTROL_STATUS_REGISTER *vector = &register_slot(processor, WHvX64RegisterXmmControlStatus)->XmmControlStatus;
  for (int i = 0; i < 8; i++) memcpy(register_slot(processor, WHvX64RegisterFpMmx0 + i), fpu.fpr[i], 10);
  for (int i = 0; i < 16; i++) memcpy(register_slot(processor, WHvX64RegisterXmm0 + i), fpu.xmm[i], 16);
  status->FpControl = fpu.fcw;
  status->FpStatus = fpu.fsw;
  status->FpTag = fpu.ftwx;
  status->LastFpOp = fpu.last_opcode;
  status->LastFpRip = fpu.last_ip;
  vector->LastFpRdp = fpu.last_dp;
  vector->XmmStatusControl = fpu.mxcsr;
}

int kvm_load(Processor *processor) {
  struct Kvm *kvm = processor->kvm;
  Registers general;
  SystemRegisters system;
  DebugRegisters debug;
  ExtendedControl extended = {.count = 1, .xcrs = {{0, 0, register_of(processor, WHvX64RegisterXCr0)}}};
  Msrs msrs = {.count = 0};
  GuestDebug none = {0, 0, {0}};
  memset(&debug, 0, sizeof debug);
  control(kvm->file, KVM_SET_GUEST_DEBUG, &none);
  for (int i = 0; i < 18; i++) ((UINT64 *)&general)[i] = register_of(processor, general_names[i]);
  control(kvm->file, KVM_GET_SREGS, &system);
  for (int i = 0; i < 8; i++) (&system.cs)[i] = segment_of(processor, segment_names[i]);
  WHV_X64_TABLE_REGISTER gdt = register_slot(processor, WHvX64RegisterGdtr)->Table, idt = register_slot(processor, WHvX64RegisterIdtr)->Table;
  system.gdt = (Table){gdt.Base, gdt.Limit, {0}};
  system.idt = (Table){idt.Base, idt.Limit, {0}};
  system.cr0 = register_of(processor, WHvX64RegisterCr0);
  system.cr2 = register_of(processor, WHvX64RegisterCr2);
  system.cr3 = register_of(processor, WHvX64RegisterCr3);
  system.cr4 = register_of(processor, WHvX64RegisterCr4);
  system.cr8 = register_of(processor, WHvX64RegisterCr8);
  system.efer = register_of(processor, WHvX64RegisterEfer);
  system.apic_base = register_of(processor, WHvX64RegisterApicBase);
  memset(system.interrupt_bitmap, 0, sizeof system.interrupt_bitmap);
  for (int i = 0; i < 4; i++) debug.db[i] = register_of(processor, WHvX64RegisterDr0 + i);
  debug.dr6 = register_of(processor, WHvX64RegisterDr6);
  debug.dr7 = register_of(processor, WHvX64RegisterDr7);
  Events events = events_of(processor, &system, &debug);
  if (control(kvm->file, KVM_SET_SREGS, &system) < 0) return 0;
  if (control(kvm->file, KVM_SET_XCRS, &extended) < 0 && extended.xcrs[0].value != 1) return 0;
  if (control(kvm->file, KVM_SET_DEBUGREGS, &debug) < 0) return 0;
  for (int i = register_of(processor, WHvX64RegisterTsc) == kvm->time_stamp ? 1 : 0; i < MSRS; i++)
    msrs.entries[msrs.count++] = (Msr){msr_names[i].index, 0, register_of(processor, msr_names[i].name)};
  control(kvm->file, KVM_SET_MSRS, &msrs);
  load_fpu(processor);
  if (control(kvm->file, KVM_SET_REGS, &general) < 0 || control(kvm->file, KVM_SET_VCPU_EVENTS, &events) < 0) return 0;
  kvm->run->state.general = general;
  kvm->run->state.system = system;
  kvm->run->state.events = events;
  return 1;
}

static UINT64 interruption_of(const Events *events) {
  WHV_X64_PENDING_INTERRUPTION_REGISTER interruption = {.AsUINT64 = 0};
  interruption.InterruptionPending = events->interrupt.injected || events->nmi.injected || events->exception.injected;
  if (events->interrupt.injected) {
    interruption.InterruptionType = WHvX64PendingInterrupt;
    interruption.InterruptionVector = events->interrupt.nr;
  } else if (events->nmi.injected) {
    interruption.InterruptionType = WHvX64PendingNmi;
    interruption.InterruptionVector = 2;
  } else if (events->exception.injected) {
    interruption.InterruptionType = WHvX64PendingException;
    interruption.InterruptionVector = events->exception.nr;
    interruption.DeliverErrorCode = events->exception.has_error_code;
    interruption.ErrorCode = events->exception.error_code;
  }
  return interruption.AsUINT64;
}

void kvm_store(Processor *processor, const Registers *general, const SystemRegisters *system, const Events *events) {
  struct Kvm *kvm = processor->kvm;
  DebugRegisters debug;
  ExtendedControl extended = {.count = 0};
  Msrs msrs = {.count = MSRS};
  WHV_X64_INTERRUPT_STATE_REGISTER state = {.AsUINT64 = 0};
  for (int i = 0; i < 18; i++) set_register(processor, general_names[i], ((const UINT64 *)general)[i]);
  for (int i = 0; i < 8; i++) set_segment(processor, segment_names[i], &system->cs + i);
  WHV_X64_TABLE_REGISTER *gdt = &register_slot(processor, WHvX64RegisterGdtr)->Table, *idt = &register_slot(processor, WHvX64RegisterIdtr)->Table;
  gdt->Base = system->gdt.base;
  gdt->Limit = system->gdt.limit;
  idt->Base = system->idt.base;
  idt->Limit = system->idt.limit;
  set_register(processor, WHvX64RegisterCr0, system->cr0);
  set_register(processor, WHvX64RegisterCr2, system->cr2);
  set_register(processor, WHvX64RegisterCr3, system->cr3);
  set_register(processor, WHvX64RegisterCr4, system->cr4);
  set_register(processor, WHvX64RegisterCr8, system->cr8);
  set_register(processor, WHvX64RegisterEfer, system->efer);
  set_register(processor, WHvX64RegisterApicBase, system->apic_base);
  control(kvm->file, KVM_GET_DEBUGREGS, &debug);
  for (int i = 0; i < 4; i++) set_register(processor, WHvX64RegisterDr0 + i, debug.db[i]);
  set_register(processor, WHvX64RegisterDr6, debug.dr6);
  set_register(processor, WHvX64RegisterDr7, debug.dr7);
  if (control(kvm->file, KVM_GET_XCRS, &extended) >= 0 && extended.count) set_register(processor, WHvX64RegisterXCr0, extended.xcrs[0].value);
  for (int i = 0; i < MSRS; i++) msrs.entries[i].index = msr_names[i].index;
  long long read = control(kvm->file, KVM_GET_MSRS, &msrs);
  for (int i = 0; i < read; i++) set_register(processor, msr_names[i].name, msrs.entries[i].data);
  kvm->time_stamp = register_of(processor, WHvX64RegisterTsc);
  store_fpu(processor);
  state.InterruptShadow = events->interrupt.shadow != 0;
  state.NmiMasked = events->nmi.masked;
  set_register(processor, WHvRegisterInterruptState, state.AsUINT64);
  set_register(processor, WHvRegisterPendingInterruption, interruption_of(events));
}
