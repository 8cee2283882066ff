/**
 * Every named operation (`Helper`) on the simulated processor: most go on to the system operations of x86-semantics;
 * what concerns the partition (exits for CPUID, MSRs and RDTSC, caches of translations, events) is decided here.
 */

import { WHV_RUN_VP_EXIT_REASON, WHV_X64_UNSUPPORTED_FEATURE_CODE } from "@whvkit/whv-types";
import {
  Abort,
  Cr0,
  Cr4,
  clearInterruptFlag,
  codeBits,
  currentPrivilege,
  deliverEvent,
  EventKind,
  Flag,
  farCall,
  farJump,
  farReturn,
  Helper,
  inspectSelector,
  interruptReturn,
  is64Bit,
  isCanonical,
  loadLocalDescriptorTable,
  loadSegment,
  loadTaskRegister,
  RegisterOffset,
  setInterruptFlag,
  swapGs,
  sysenter,
  sysexit,
  systemCall,
  systemReturn,
  Vector,
  writeFlags,
} from "@whvkit/x86-semantics";
import type { GuestMachine, SystemInstructions } from "../memory/guest-machine.ts";
import { readControl, writeControl, writeEfer } from "./control-registers.ts";
import { acceptsStateComponents, type CpuModel } from "./cpu-model.ts";
import type { EventState } from "./event-state.ts";
import {
  type ExtraRegisters,
  Msr,
  MsrCheck,
  MTRR_CAPABILITIES,
  msrAccepts,
  msrIndex,
  msrRow,
  msrWords,
} from "./model-specific-registers.ts";

const ripWord = RegisterOffset.rip >> 2;
const rflagsWord = RegisterOffset.rflags >> 2;
const xcr0Word = RegisterOffset.xcr0 >> 2;
const cr4Word = RegisterOffset.cr4 >> 2;
const dr0Word = RegisterOffset.dr0 >> 2;
const dr6Word = RegisterOffset.dr6 >> 2;
const dr7Word = RegisterOffset.dr7 >> 2;

/** What the partition asks of instructions; read at every use, because properties may change until setup. */
export interface InterceptSettings {
  /** `WHV_EXTENDED_VM_EXITS.X64CpuidExit`. */
  cpuidExit: boolean;
  /** Leaves that exit; null: all. */
  cpuidExitList: ReadonlySet<number> | null;
  /** `WHV_EXTENDED_VM_EXITS.X64MsrExit`, and which MSRs it is about: `WHV_X64_MSR_EXIT_BITMAP`. */
  msrExit: boolean;
  msrExitBitmap: number;
  rdtscExit: boolean;
  /** `WHV_MSR_ACTION` for MSRs that the model lacks: 0 #GP, 1 ignore, 2 exit. */
  unimplementedMsrAction: number;
  /** Bit per vector; all zero when exceptions do not exit. */
  exceptionBitmap: number;
}

/** Bits of `WHV_X64_MSR_EXIT_BITMAP`. */
export const MsrExitBit = { unhandledMsrs: 1, tscMsrWrite: 2, tscMsrRead: 4, apicBaseMsrWrite: 8 } as const;

/** The time-stamp counter. */
export interface Timestamp {
  /** Puts the counter into two words. */
  read(into: Int32Array): void;
  write(low: number, high: number): void;
}

export class SystemInstructionSet implements SystemInstructions {
  private readonly machine: GuestMachine;
  private readonly events: EventState;
  private readonly model: CpuModel;
  private readonly settings: InterceptSettings;
  private readonly extra: ExtraRegisters;
  private readonly timestamp: Timestamp;
  private readonly processor: number;

  constructor(
    machine: GuestMachine,
    events: EventState,
    model: CpuModel,
    settings: InterceptSettings,
    extra: ExtraRegisters,
    timestamp: Timestamp,
    processor: number,
  ) {
    this.machine = machine;
    this.events = events;
    this.model = model;
    this.settings = settings;
    this.extra = extra;
    this.timestamp = timestamp;
    this.processor = processor;
  }

  execute(id: number, aLow: number, aHigh: number, bLow: number, bHigh: number): number {
    const { machine } = this;
    const operandSize = machine.data[2];
    const length = machine.data[3];
    switch (id) {
      case Helper.loadSegment:
        return loadSegment(machine, aLow, bLow & 0xffff);
      case Helper.farJump:
        return this.named(farJump(machine, aLow, bLow, bHigh, operandSize), "far jump through a task gate or TSS");
      case Helper.farCall: {
        this.nextInstruction(length);
        return this.named(
          farCall(machine, aLow, bLow, bHigh, operandSize, this.nextLow, this.nextHigh),
          "far call through a task gate or TSS",
        );
      }
      case Helper.farReturn:
        return farReturn(machine, aLow & 0xffff, operandSize);
      case Helper.interruptReturn:
        return this.interruptReturn(operandSize);
      case Helper.softwareInterrupt:
        return this.softwareInterrupt(aLow & 0xff, bLow, length);
      case Helper.halt:
        return this.privileged() || this.halt();
      case Helper.cpuid:
        return this.cpuid(aLow, bLow);
      case Helper.readMsr:
        return this.privileged() || this.readMsr(aLow);
      case Helper.writeMsr:
        return this.privileged() || this.writeMsr(aLow, bLow, bHigh);
      case Helper.readControl:
        return this.privileged() || readControl(machine, aLow);
      case Helper.writeControl:
        return this.privileged() || this.writeControl(aLow, bLow, bHigh);
      case Helper.readDebug:
        return this.debugAccess(aLow) || this.readDebug(aLow);
      case Helper.writeDebug:
        return this.debugAccess(aLow) || this.writeDebug(aLow, bLow, bHigh);
      case Helper.loadTable:
        return this.privileged() || this.loadTable(aLow, bLow, bHigh, operandSize);
      case Helper.loadSystemSegment:
        return aLow === 0 ? loadLocalDescriptorTable(machine, bLow & 0xffff) : loadTaskRegister(machine, bLow & 0xffff);
      case Helper.invalidatePage:
        return this.privileged() || this.invalidatePage(aLow, aHigh);
      case Helper.readTimestamp:
        return this.readTimestamp(length);
      case Helper.systemCall:
        this.nextInstruction(length);
        return systemCall(machine, this.nextLow, this.nextHigh);
      case Helper.systemReturn:
        return this.attend(systemReturn(machine, operandSize));
      case Helper.sysenter:
        return sysenter(machine);
      case Helper.sysexit:
        return this.attend(sysexit(machine, operandSize));
      case Helper.writeFlags:
        return this.attend(writeFlags(machine, aLow, operandSize));
      case Helper.clearInterruptFlag:
        return clearInterruptFlag(machine);
      case Helper.setInterruptFlag:
        return this.setInterruptFlag();
      case Helper.inspectSelector:
        return inspectSelector(machine, aLow, bLow);
      case Helper.swapGs:
        return swapGs(machine);
      case Helper.writeBackCaches:
        return this.privileged();
      case Helper.clearTaskSwitched:
        return this.privileged() || this.clearTaskSwitched();
      case Helper.readProcessorId:
        machine.data[0] = machine.registers.words[RegisterOffset.tscAux >> 2];
        machine.data[1] = 0;
        return Abort.none;
      case Helper.inhibitInterrupts:
        this.events.inhibitInterrupts();
        return Abort.none;
      case Helper.readExtendedControl:
        return this.readExtendedControl(aLow);
      case Helper.writeExtendedControl:
        return this.writeExtendedControl(aLow, bLow, bHigh);
      case Helper.invalidateProcessContext:
      case Helper.monitor:
      case Helper.readPerformanceCounter:
        // CPUID does not offer INVPCID, MONITOR or performance counters.
        return machine.raise(Vector.UD, -1);
      default:
        return this.unsupported(`system operation ${id}`);
    }
  }

  /** Address of the next instruction, set by {@link SystemInstructionSet.nextInstruction}. */
  private nextLow = 0;
  private nextHigh = 0;

  private nextInstruction(length: number): void {
    const { words } = this.machine.registers;
    const sum = (words[ripWord] >>> 0) + length;
    this.nextLow = codeBits(this.machine.registers) === 16 ? sum & 0xffff : sum | 0;
    this.nextHigh = is64Bit(this.machine.registers) ? (words[ripWord + 1] + (sum > 0xffff_ffff ? 1 : 0)) | 0 : 0;
  }

  /** #GP(0) unless CPL 0; `Abort.none` is 0, so that a check reads `privileged() || operation()`. */
  private privileged(): number {
    return currentPrivilege(this.machine.registers) === 0 ? Abort.none : this.machine.raise(Vector.GP, 0);
  }

  /** Notes for the processor that it must look at its events again. */
  private attend(abort: number): number {
    if (abort === Abort.none) this.events.attention = true;
    return abort;
  }

  /** Gives an unsupported answer of a system operation its exit. */
  private named(abort: number, detail: string): number {
    return abort === Abort.unsupported
      ? this.unsupported(detail, WHV_X64_UNSUPPORTED_FEATURE_CODE.WHvUnsupportedFeatureTaskSwitchTss)
      : abort;
  }

  private unsupported(
    detail: string,
    code: number = WHV_X64_UNSUPPORTED_FEATURE_CODE.WHvUnsupportedFeatureIntercept,
  ): number {
    const { exit } = this.machine;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonUnsupportedFeature;
    exit.featureCode = code;
    exit.detail = detail;
    return Abort.exit;
  }

  private interruptReturn(operandSize: number): number {
    const abort = this.named(interruptReturn(this.machine, operandSize), "IRET from a nested task");
    if (abort === Abort.none) this.events.nmiMasked = false;
    return this.attend(abort);
  }

  /** INT n, INT3, INTO and INT1. `kind` 0 to 3 in that order. */
  private softwareInterrupt(vector: number, kind: number, length: number): number {
    const { machine } = this;
    this.nextInstruction(length);
    if (kind !== 0 && ((this.settings.exceptionBitmap >>> vector) & 1) !== 0) {
      const { exit } = machine;
      exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonException;
      machine.fault.vector = vector;
      machine.fault.errorCode = -1;
      return Abort.exit;
    }
    const eventKind =
      kind === 0 ? EventKind.software : kind === 3 ? EventKind.privilegedSoftware : EventKind.softwareException;
    const abort = deliverEvent(machine, vector, eventKind, -1, this.nextLow, this.nextHigh);
    if (abort === Abort.none) this.events.enteredHandler = true;
    return this.attend(this.named(abort, `software interrupt ${vector} through a task gate`));
  }

  private halt(): number {
    this.machine.exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Halt;
    return Abort.exit;
  }

  private cpuid(leaf: number, subleaf: number): number {
    const { machine, settings } = this;
    this.model.cpuid(leaf, subleaf, machine.registers, this.processor, machine.exit.cpuid);
    if (settings.cpuidExit && (settings.cpuidExitList === null || settings.cpuidExitList.has(leaf >>> 0))) {
      machine.exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Cpuid;
      return Abort.exit;
    }
    for (let i = 0; i < 4; i++) machine.data[i] = machine.exit.cpuid[i];
    return Abort.none;
  }

  private readMsr(msr: number): number {
    const { data, registers } = this.machine;
    const row = msrRow(msr);
    if (row === undefined) return this.unknownMsr(msr, false);
    if (row.msr === Msr.tsc) {
      if (this.intercepts(MsrExitBit.tscMsrRead)) return this.msrAccess(msr, false);
      this.timestamp.read(data);
    } else if (row.offset < 0) {
      data[0] = row.msr === Msr.mtrrCapabilities ? MTRR_CAPABILITIES : 0;
      data[1] = 0;
    } else {
      const words = msrWords(row.offset, registers, this.extra);
      data[0] = words[msrIndex(row.offset)];
      data[1] = words[msrIndex(row.offset) + 1];
    }
    return Abort.none;
  }

  private writeMsr(msr: number, low: number, high: number): number {
    const { machine } = this;
    const { words } = machine.registers;
    const row = msrRow(msr);
    if (row === undefined) return this.unknownMsr(msr, true);
    if (row.msr === Msr.tsc) {
      if (this.intercepts(MsrExitBit.tscMsrWrite)) return this.msrAccess(msr, true);
      this.timestamp.write(low, high);
      return Abort.none;
    }
    if (row.msr === Msr.apicBase && this.intercepts(MsrExitBit.apicBaseMsrWrite)) return this.msrAccess(msr, true);
    if (row.msr === Msr.efer) return writeEfer(machine, machine.cache, low, high);
    const fiveLevel = (words[cr4Word] & Cr4.LA57) !== 0;
    if (!msrAccepts(row.check, low, high, fiveLevel)) return machine.raise(Vector.GP, 0);
    if (row.check === MsrCheck.ignored) return Abort.none;
    const target = msrWords(row.offset, machine.registers, this.extra);
    target[msrIndex(row.offset)] = low;
    target[msrIndex(row.offset) + 1] = high;
    return Abort.none;
  }

  private intercepts(bit: number): boolean {
    return this.settings.msrExit && (this.settings.msrExitBitmap & bit) !== 0;
  }

  private msrAccess(msr: number, isWrite: boolean): number {
    const { exit } = this.machine;
    exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64MsrAccess;
    exit.msr = msr;
    exit.isWrite = isWrite;
    return Abort.exit;
  }

  private unknownMsr(msr: number, isWrite: boolean): number {
    const { machine, settings } = this;
    if (this.intercepts(MsrExitBit.unhandledMsrs) || settings.unimplementedMsrAction === 2)
      return this.msrAccess(msr, isWrite);
    if (settings.unimplementedMsrAction === 1) {
      machine.data[0] = 0;
      machine.data[1] = 0;
      return Abort.none;
    }
    return machine.raise(Vector.GP, 0);
  }

  private writeControl(number: number, low: number, high: number): number {
    const abort = writeControl(this.machine, this.machine.cache, number, low, high);
    return number === 8 ? this.attend(abort) : abort;
  }

  /** CPL 0, CR4.DE for DR4 and DR5, DR7.GD. */
  private debugAccess(number: number): number {
    const { machine } = this;
    const { words } = machine.registers;
    if ((number === 4 || number === 5) && (words[cr4Word] & Cr4.DE) !== 0) return machine.raise(Vector.UD, -1);
    if (number > 7) return machine.raise(Vector.UD, -1);
    const abort = this.privileged();
    if (abort !== Abort.none) return abort;
    if ((words[dr7Word] & 0x2000) !== 0) {
      // General detect: DR6.BD, and GD is cleared on the way to the handler.
      words[dr6Word] |= 0x2000;
      return machine.raise(Vector.DB, -1);
    }
    return Abort.none;
  }

  private readDebug(number: number): number {
    const { data, registers } = this.machine;
    const word = debugWord(number);
    data[0] = registers.words[word];
    data[1] = registers.words[word + 1];
    return Abort.none;
  }

  private writeDebug(number: number, low: number, high: number): number {
    const { machine } = this;
    const word = debugWord(number);
    if (number >= 4) {
      if (high !== 0) return machine.raise(Vector.GP, 0);
      // Reserved bits read as they always do: ones in DR6, bit 10 of DR7 one, its other reserved bits zero.
      low = word === dr6Word ? (low & 0xe00f) | 0xffff_0ff0 : (low & 0xffff_23ff) | 0x400;
    }
    machine.registers.words[word] = low;
    machine.registers.words[word + 1] = number >= 4 ? 0 : high;
    this.events.attention = true;
    return Abort.none;
  }

  /** LGDT and LIDT. The limit is in word 2 of the data. */
  private loadTable(which: number, baseLow: number, baseHigh: number, limit: number): number {
    const { machine } = this;
    const { registers } = machine;
    const wide = is64Bit(registers);
    const fiveLevel = (registers.words[cr4Word] & Cr4.LA57) !== 0;
    if (wide && !isCanonical(baseHigh, fiveLevel)) return machine.raise(Vector.GP, 0);
    const offset = which === 0 ? RegisterOffset.gdtr : RegisterOffset.idtr;
    registers.halfwords[(offset + 6) >> 1] = limit;
    registers.words[(offset + 8) >> 2] = baseLow;
    registers.words[(offset + 12) >> 2] = wide ? baseHigh : 0;
    return Abort.none;
  }

  private invalidatePage(low: number, high: number): number {
    this.machine.cache.clearPage(low, is64Bit(this.machine.registers) ? high : 0);
    return Abort.none;
  }

  /** RDTSC and RDTSCP: CR4.TSD keeps them from CPL above 0. */
  private readTimestamp(length: number): number {
    const { machine } = this;
    const { words } = machine.registers;
    if ((words[cr4Word] & Cr4.TSD) !== 0) {
      const abort = this.privileged();
      if (abort !== Abort.none) return abort;
    }
    if (this.settings.rdtscExit) {
      const { exit } = machine;
      exit.reason = WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64Rdtsc;
      this.timestamp.read(exit.cpuid);
      // RDTSC and RDTSCP come here alike; RDTSCP is the longer one (0F 01 F9 against 0F 31).
      exit.isRdtscp = length > 2;
      return Abort.exit;
    }
    this.timestamp.read(machine.data);
    machine.data[2] = words[RegisterOffset.tscAux >> 2];
    return Abort.none;
  }

  /** XGETBV: #UD without CR4.OSXSAVE, #GP(0) for a register other than XCR0. */
  private readExtendedControl(number: number): number {
    const { machine } = this;
    const { words } = machine.registers;
    if ((words[cr4Word] & Cr4.OSXSAVE) === 0) return machine.raise(Vector.UD, -1);
    if (number !== 0) return machine.raise(Vector.GP, 0);
    machine.data[0] = words[xcr0Word];
    machine.data[1] = words[xcr0Word + 1];
    return Abort.none;
  }

  /** XSETBV. */
  private writeExtendedControl(number: number, low: number, high: number): number {
    const { machine } = this;
    const { words } = machine.registers;
    if ((words[cr4Word] & Cr4.OSXSAVE) === 0) return machine.raise(Vector.UD, -1);
    const abort = this.privileged();
    if (abort !== Abort.none) return abort;
    if (number !== 0 || !acceptsStateComponents(low, high)) return machine.raise(Vector.GP, 0);
    words[xcr0Word] = low;
    words[xcr0Word + 1] = high;
    return Abort.none;
  }

  private setInterruptFlag(): number {
    const { machine } = this;
    const before = machine.registers.words[rflagsWord] & Flag.IF;
    const abort = setInterruptFlag(machine);
    if (abort === Abort.none && before === 0) this.events.inhibitInterrupts();
    return abort;
  }

  private clearTaskSwitched(): number {
    this.machine.registers.words[RegisterOffset.cr0 >> 2] &= ~Cr0.TS;
    return Abort.none;
  }
}

/** Word of a debug register; DR4 and DR5 are names of DR6 and DR7. */
function debugWord(number: number): number {
  if (number < 4) return dr0Word + number * 2;
  return number === 4 || number === 6 ? dr6Word : dr7Word;
}
