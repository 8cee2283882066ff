/**
 * The exit as the platform hands it over: `WHV_RUN_VP_EXIT_CONTEXT` in its native layout, in 224 bytes that are used
 * again and again. Everything is written with numbers; nothing is allocated after the record is made.
 */

import {
  WHV_RUN_VP_EXIT_REASON as Reason,
  type RunVpExit,
  RunVpExitContextView,
  type SegmentRegisterView,
} from "@whvkit/whv-types";
import {
  Cr0,
  currentPrivilege,
  Efer,
  type GuestFault,
  type RegisterFile,
  RegisterOffset,
  Segment,
  Vector,
} from "@whvkit/x86-semantics";
import type { EventState } from "./event-state.ts";
import { PendingDebugBit } from "./event-state.ts";
import type { ExitRequest } from "./exit-request.ts";

const rax = RegisterOffset.general >> 2;
const rcx = rax + 2;
const rdx = rax + 4;
const rbx = rax + 6;
const rsi = rax + 12;
const rdi = rax + 14;

/** Bits of `WHV_X64_VP_EXECUTION_STATE`. */
const State = {
  cr0Pe: 1 << 2,
  cr0Am: 1 << 3,
  eferLma: 1 << 4,
  debugActive: 1 << 5,
  interruptionPending: 1 << 6,
  interruptShadow: 1 << 12,
} as const;

/** The instruction that an exit is about. */
export interface ExitInstruction {
  readonly instructionLength: number;
  readonly instructionBytes: Uint8Array;
}

export class ExitRecord {
  readonly view: RunVpExitContextView;
  private readonly bytes: Uint8Array;
  private readonly registers: RegisterFile;
  private readonly events: EventState;
  /** Leave the instruction bytes out of memory-access, port and exception exits. */
  private readonly omitsInstructionBytes: boolean;

  constructor(registers: RegisterFile, events: EventState, omitsInstructionBytes: boolean) {
    const buffer = new ArrayBuffer(RunVpExitContextView.size);
    this.bytes = new Uint8Array(buffer);
    this.view = new RunVpExitContextView(new DataView(buffer));
    this.registers = registers;
    this.events = events;
    this.omitsInstructionBytes = omitsInstructionBytes;
  }

  /** Starts a record: reason and the part that every exit has. */
  private begin(reason: number, instructionLength: number): RunVpExitContextView {
    const { view, registers, events } = this;
    const { words } = registers;
    this.bytes.fill(0);
    view.exitReason = reason as typeof view.exitReason;
    const { vpContext } = view;
    const cr0 = words[RegisterOffset.cr0 >> 2];
    let state = currentPrivilege(registers);
    if ((cr0 & Cr0.PE) !== 0) state |= State.cr0Pe;
    if ((cr0 & Cr0.AM) !== 0) state |= State.cr0Am;
    if ((words[RegisterOffset.efer >> 2] & Efer.LMA) !== 0) state |= State.eferLma;
    if ((words[RegisterOffset.dr7 >> 2] & 0xff) !== 0) state |= State.debugActive;
    if ((events.interruption[0] & 1) !== 0) state |= State.interruptionPending;
    if (events.interruptShadow) state |= State.interruptShadow;
    vpContext.executionState.asUINT16 = state;
    vpContext.instructionLength = instructionLength;
    vpContext.cr8 = words[RegisterOffset.cr8 >> 2] & 15;
    this.copySegment(Segment.cs, vpContext.cs);
    vpContext.ripLow = words[RegisterOffset.rip >> 2] >>> 0;
    vpContext.ripHigh = words[(RegisterOffset.rip >> 2) + 1] >>> 0;
    vpContext.rflagsLow = words[RegisterOffset.rflags >> 2] >>> 0;
    vpContext.rflagsHigh = words[(RegisterOffset.rflags >> 2) + 1] >>> 0;
    return view;
  }

  /** An exit that carries nothing more. */
  plain(reason: number, instructionLength = 0): RunVpExit {
    return this.begin(reason, instructionLength) as RunVpExit;
  }

  /** What an instruction asked for. `fault` matters for exceptions. */
  fromRequest(request: ExitRequest, instruction: ExitInstruction, fault: GuestFault): RunVpExit {
    const { words } = this.registers;
    const length = request.reason === Reason.WHvRunVpExitReasonX64Halt ? 0 : instruction.instructionLength;
    const view = this.begin(request.reason, length);
    switch (request.reason) {
      case Reason.WHvRunVpExitReasonMemoryAccess: {
        const { memoryAccess } = view;
        this.copyBytes(instruction, memoryAccess);
        memoryAccess.accessInfo.accessType = request.accessType as 0 | 1 | 2;
        memoryAccess.accessInfo.gpaUnmapped = request.gpaUnmapped;
        memoryAccess.accessInfo.gvaValid = request.gvaValid;
        memoryAccess.gpa = request.gpa;
        memoryAccess.gvaLow = request.gvaLow >>> 0;
        memoryAccess.gvaHigh = request.gvaHigh >>> 0;
        break;
      }
      case Reason.WHvRunVpExitReasonX64IoPortAccess: {
        const { ioPortAccess } = view;
        this.copyBytes(instruction, ioPortAccess);
        const { accessInfo } = ioPortAccess;
        accessInfo.isWrite = request.isWrite;
        accessInfo.accessSize = request.accessSize;
        accessInfo.stringOp = request.stringOperation;
        accessInfo.repPrefix = request.repeat;
        ioPortAccess.portNumber = request.port;
        ioPortAccess.raxLow = words[rax] >>> 0;
        ioPortAccess.raxHigh = words[rax + 1] >>> 0;
        ioPortAccess.rcxLow = words[rcx] >>> 0;
        ioPortAccess.rcxHigh = words[rcx + 1] >>> 0;
        ioPortAccess.rsiLow = words[rsi] >>> 0;
        ioPortAccess.rsiHigh = words[rsi + 1] >>> 0;
        ioPortAccess.rdiLow = words[rdi] >>> 0;
        ioPortAccess.rdiHigh = words[rdi + 1] >>> 0;
        this.copySegment(Segment.ds, ioPortAccess.ds);
        this.copySegment(Segment.es, ioPortAccess.es);
        break;
      }
      case Reason.WHvRunVpExitReasonX64MsrAccess: {
        const { msrAccess } = view;
        msrAccess.accessInfo.isWrite = request.isWrite;
        msrAccess.msrNumber = request.msr >>> 0;
        msrAccess.raxLow = words[rax] >>> 0;
        msrAccess.raxHigh = words[rax + 1] >>> 0;
        msrAccess.rdxLow = words[rdx] >>> 0;
        msrAccess.rdxHigh = words[rdx + 1] >>> 0;
        break;
      }
      case Reason.WHvRunVpExitReasonX64Cpuid: {
        const { cpuidAccess } = view;
        cpuidAccess.raxLow = words[rax] >>> 0;
        cpuidAccess.raxHigh = words[rax + 1] >>> 0;
        cpuidAccess.rcxLow = words[rcx] >>> 0;
        cpuidAccess.rcxHigh = words[rcx + 1] >>> 0;
        cpuidAccess.rdxLow = words[rdx] >>> 0;
        cpuidAccess.rdxHigh = words[rdx + 1] >>> 0;
        cpuidAccess.rbxLow = words[rbx] >>> 0;
        cpuidAccess.rbxHigh = words[rbx + 1] >>> 0;
        cpuidAccess.defaultResultRaxLow = request.cpuid[0] >>> 0;
        cpuidAccess.defaultResultRbxLow = request.cpuid[1] >>> 0;
        cpuidAccess.defaultResultRcxLow = request.cpuid[2] >>> 0;
        cpuidAccess.defaultResultRdxLow = request.cpuid[3] >>> 0;
        break;
      }
      case Reason.WHvRunVpExitReasonX64Rdtsc: {
        const { readTsc } = view;
        readTsc.tscAuxLow = words[RegisterOffset.tscAux >> 2] >>> 0;
        readTsc.tscLow = request.cpuid[0] >>> 0;
        readTsc.tscHigh = request.cpuid[1] >>> 0;
        readTsc.rdtscInfo.isRdtscp = request.isRdtscp;
        break;
      }
      case Reason.WHvRunVpExitReasonException:
        this.fillException(instruction, fault, fault.vector === Vector.BP || fault.vector === Vector.OF);
        break;
      case Reason.WHvRunVpExitReasonUnsupportedFeature:
        view.unsupportedFeature.featureCode = request.featureCode as 1 | 2;
        break;
    }
    return view as RunVpExit;
  }

  /** An exception that the partition asked to see, before it is delivered. */
  exception(instruction: ExitInstruction, fault: GuestFault): RunVpExit {
    this.begin(Reason.WHvRunVpExitReasonException, instruction.instructionLength);
    this.fillException(instruction, fault, false);
    return this.view as RunVpExit;
  }

  /** `type` is a `WHV_X64_PENDING_INTERRUPTION_TYPE`. */
  interruptWindow(type: number): RunVpExit {
    const view = this.begin(Reason.WHvRunVpExitReasonX64InterruptWindow, 0);
    view.interruptWindow.deliverableType = type as 0 | 2 | 3;
    return view as RunVpExit;
  }

  private fillException(instruction: ExitInstruction, fault: GuestFault, software: boolean): void {
    const { vpException } = this.view;
    this.copyBytes(instruction, vpException);
    vpException.exceptionInfo.errorCodeValid = fault.errorCode !== -1;
    vpException.exceptionInfo.softwareException = software;
    vpException.exceptionType = fault.vector;
    if (fault.errorCode !== -1) vpException.errorCode = fault.errorCode >>> 0;
    if (fault.vector === Vector.PF) {
      vpException.exceptionParameterLow = fault.cr2Low >>> 0;
      vpException.exceptionParameterHigh = fault.cr2High >>> 0;
    } else if (fault.vector === Vector.DB) {
      vpException.exceptionParameterLow =
        this.events.pendingDebug & (PendingDebugBit.breakpoints | PendingDebugBit.singleStep);
    }
  }

  private copyBytes(
    instruction: ExitInstruction,
    target: { instructionByteCount: number; readonly instructionBytes: Uint8Array },
  ): void {
    if (this.omitsInstructionBytes) return;
    target.instructionByteCount = instruction.instructionLength;
    for (let i = 0; i < instruction.instructionLength; i++)
      target.instructionBytes[i] = instruction.instructionBytes[i];
  }

  private copySegment(segment: number, target: SegmentRegisterView): void {
    const { words, halfwords } = this.registers;
    const offset = RegisterOffset.segments + segment * 16;
    target.baseLow = words[offset >> 2] >>> 0;
    target.baseHigh = words[(offset >> 2) + 1] >>> 0;
    target.limit = words[(offset >> 2) + 2] >>> 0;
    target.selector = halfwords[(offset >> 1) + 6];
    target.attributes = halfwords[(offset >> 1) + 7];
  }
}
