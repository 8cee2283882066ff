/**
 * Reading and writing registers by WHv name. A set is checked as a whole before any register changes: all or none.
 * Values that no register can hold are refused here; values that do not fit together are found when the processor runs
 * (`entry-checks.ts`).
 */

import {
  E_INVALIDARG,
  E_POINTER,
  WHV_REGISTER_NAME as Name,
  type RegisterValues,
  shortRegisterName,
  WHV_E_INVALID_VP_REGISTER_NAME,
  WhvError,
} from "@whvkit/whv-types";
import { Efer, isCanonical, type RegisterFile, RegisterOffset } from "@whvkit/x86-semantics";
import { acceptsStateComponents, CR0_BITS, CR3_HIGH_BITS, CR4_HOST_BITS, EFER_BITS } from "./cpu-model.ts";
import type { EventState } from "./event-state.ts";
import { InterruptStateBit } from "./event-state.ts";
import {
  type ExtraRegisters,
  MsrCheck,
  MTRR_CAPABILITIES,
  msrAccepts,
  msrIndex,
  msrWords,
} from "./model-specific-registers.ts";
import { RegisterKind, type RegisterRow, registerRow, ValueCheck } from "./register-table.ts";
import type { Timestamp } from "./system-instructions.ts";

const scratch = 2;

export class RegisterAccess {
  private readonly registers: RegisterFile;
  private readonly extra: ExtraRegisters;
  private readonly events: EventState;
  private readonly timestamp: Timestamp;
  private readonly index: number;
  private readonly counter = new Int32Array(scratch);

  constructor(registers: RegisterFile, extra: ExtraRegisters, events: EventState, timestamp: Timestamp, index: number) {
    this.registers = registers;
    this.extra = extra;
    this.events = events;
    this.timestamp = timestamp;
    this.index = index;
  }

  get(names: Uint32Array, count: number, values: RegisterValues): void {
    const operation = "WHvGetVirtualProcessorRegisters";
    checkCount(operation, names, count, values);
    for (let i = 0; i < count; i++) requireRow(operation, names[i]);
    for (let i = 0; i < count; i++) this.read(registerRow(names[i]) as RegisterRow, i, values);
  }

  set(names: Uint32Array, count: number, values: RegisterValues): void {
    const operation = "WHvSetVirtualProcessorRegisters";
    checkCount(operation, names, count, values);
    for (let i = 0; i < count; i++) {
      const row = requireRow(operation, names[i]);
      if (!accepts(row, values, i))
        throw new WhvError(operation, E_INVALIDARG, `${shortRegisterName(names[i])} cannot hold this value`);
    }
    for (let i = 0; i < count; i++) this.write(registerRow(names[i]) as RegisterRow, i, values);
  }

  private read(row: RegisterRow, entry: number, values: RegisterValues): void {
    const { words } = this.registers;
    const out = values.words;
    const to = entry * 4;
    switch (row.kind) {
      case RegisterKind.word64: {
        const source = msrWords(row.offset, this.registers, this.extra);
        values.setHalves(entry, source[msrIndex(row.offset)], source[msrIndex(row.offset) + 1]);
        return;
      }
      case RegisterKind.word128:
        for (let i = 0; i < 4; i++) out[to + i] = words[(row.offset >> 2) + i];
        return;
      case RegisterKind.table:
        out[to] = 0;
        out[to + 1] = this.registers.halfwords[(row.offset + 6) >> 1] << 16;
        out[to + 2] = words[(row.offset + 8) >> 2];
        out[to + 3] = words[(row.offset + 12) >> 2];
        return;
      case RegisterKind.fpu: {
        const word = this.fpuWord(row.offset);
        for (let i = 0; i < 2; i++) out[to + i] = words[word + i];
        out[to + 2] = words[word + 2] & 0xffff;
        out[to + 3] = 0;
        return;
      }
      case RegisterKind.fpControlStatus: {
        const { bytes, halfwords } = this.registers;
        out[to] = halfwords[RegisterOffset.fpuControl >> 1] | (halfwords[RegisterOffset.fpuStatus >> 1] << 16);
        out[to + 1] = bytes[RegisterOffset.fpuTag] | (halfwords[RegisterOffset.fpuOpcode >> 1] << 16);
        out[to + 2] = words[RegisterOffset.fpuInstructionPointer >> 2];
        out[to + 3] = words[(RegisterOffset.fpuInstructionPointer >> 2) + 1];
        return;
      }
      case RegisterKind.xmmControlStatus:
        out[to] = words[RegisterOffset.fpuDataPointer >> 2];
        out[to + 1] = words[(RegisterOffset.fpuDataPointer >> 2) + 1];
        out[to + 2] = words[RegisterOffset.mxcsr >> 2];
        out[to + 3] = words[RegisterOffset.mxcsrMask >> 2];
        return;
      default:
        this.readSpecial(row.offset, entry, values);
    }
  }

  private readSpecial(name: number, entry: number, values: RegisterValues): void {
    const { events } = this;
    switch (name) {
      case Name.WHvX64RegisterTsc:
        this.timestamp.read(this.counter);
        values.setHalves(entry, this.counter[0], this.counter[1]);
        return;
      case Name.WHvX64RegisterMsrMtrrCap:
        values.setHalves(entry, MTRR_CAPABILITIES, 0);
        return;
      case Name.WHvX64RegisterInitialApicId:
        values.setHalves(entry, this.index, 0);
        return;
      case Name.WHvRegisterPendingInterruption:
        values.setHalves(entry, events.interruption[0], events.interruption[1]);
        return;
      case Name.WHvRegisterInterruptState:
        values.setHalves(
          entry,
          (events.interruptShadow ? InterruptStateBit.interruptShadow : 0) |
            (events.nmiMasked ? InterruptStateBit.nmiMasked : 0),
          0,
        );
        return;
      case Name.WHvRegisterPendingEvent:
        for (let i = 0; i < 4; i++) values.words[entry * 4 + i] = events.event[i];
        return;
      case Name.WHvX64RegisterDeliverabilityNotifications:
        values.setHalves(entry, events.notifications, 0);
        return;
      case Name.WHvRegisterInternalActivityState:
        values.setHalves(entry, events.activity, 0);
        return;
      case Name.WHvX64RegisterPendingDebugException:
        values.setHalves(entry, events.pendingDebug, 0);
        return;
    }
  }

  private write(row: RegisterRow, entry: number, values: RegisterValues): void {
    const { words, halfwords, bytes } = this.registers;
    const source = values.words;
    const from = entry * 4;
    switch (row.kind) {
      case RegisterKind.word64: {
        const target = msrWords(row.offset, this.registers, this.extra);
        target[msrIndex(row.offset)] = source[from];
        target[msrIndex(row.offset) + 1] = source[from + 1];
        // Bit 1 of RFLAGS is always set, CR0.ET as well.
        if (row.check === ValueCheck.rflags) target[msrIndex(row.offset)] |= 2;
        if (row.check === ValueCheck.cr0) target[msrIndex(row.offset)] |= 0x10;
        return;
      }
      case RegisterKind.word128:
        for (let i = 0; i < 4; i++) words[(row.offset >> 2) + i] = source[from + i];
        return;
      case RegisterKind.table:
        halfwords[(row.offset + 6) >> 1] = source[from + 1] >>> 16;
        words[(row.offset + 8) >> 2] = source[from + 2];
        words[(row.offset + 12) >> 2] = source[from + 3];
        return;
      case RegisterKind.fpu: {
        const word = this.fpuWord(row.offset);
        for (let i = 0; i < 2; i++) words[word + i] = source[from + i];
        words[word + 2] = source[from + 2] & 0xffff;
        words[word + 3] = 0;
        return;
      }
      case RegisterKind.fpControlStatus:
        this.moveStackTop((source[from] >>> 27) & 7);
        halfwords[RegisterOffset.fpuControl >> 1] = source[from];
        halfwords[RegisterOffset.fpuStatus >> 1] = source[from] >>> 16;
        bytes[RegisterOffset.fpuTag] = source[from + 1];
        halfwords[RegisterOffset.fpuOpcode >> 1] = source[from + 1] >>> 16;
        words[RegisterOffset.fpuInstructionPointer >> 2] = source[from + 2];
        words[(RegisterOffset.fpuInstructionPointer >> 2) + 1] = source[from + 3];
        return;
      case RegisterKind.xmmControlStatus:
        words[RegisterOffset.fpuDataPointer >> 2] = source[from];
        words[(RegisterOffset.fpuDataPointer >> 2) + 1] = source[from + 1];
        words[RegisterOffset.mxcsr >> 2] = source[from + 2];
        return;
      default:
        this.writeSpecial(row.offset, entry, values);
    }
  }

  private writeSpecial(name: number, entry: number, values: RegisterValues): void {
    const { events } = this;
    const low = values.low(entry);
    switch (name) {
      case Name.WHvX64RegisterTsc:
        this.timestamp.write(low, values.high(entry));
        return;
      case Name.WHvRegisterPendingInterruption:
        events.interruption[0] = low;
        events.interruption[1] = values.high(entry);
        return;
      case Name.WHvRegisterInterruptState:
        events.interruptShadow = (low & InterruptStateBit.interruptShadow) !== 0;
        events.nmiMasked = (low & InterruptStateBit.nmiMasked) !== 0;
        return;
      case Name.WHvRegisterPendingEvent:
        for (let i = 0; i < 4; i++) events.event[i] = values.words[entry * 4 + i];
        return;
      case Name.WHvX64RegisterDeliverabilityNotifications:
        events.notifications = low;
        return;
      case Name.WHvRegisterInternalActivityState:
        events.activity = low;
        return;
      case Name.WHvX64RegisterPendingDebugException:
        events.pendingDebug = low;
        return;
    }
  }

  /**
   * The platform keeps x87 registers as FXSAVE lays them out: FpMmx0 to FpMmx7 are ST(0) to ST(7), and stay what they are
   * when a write of FpControlStatus changes TOP. Here the file holds the physical order, so it is turned.
   */
  private moveStackTop(top: number): void {
    const { words, halfwords } = this.registers;
    const turn = (top - (halfwords[RegisterOffset.fpuStatus >> 1] >> 11)) & 7;
    if (turn === 0) return;
    const first = RegisterOffset.fpu >> 2;
    const old = words.slice(first, first + 32);
    for (let i = 0; i < 32; i++) words[first + ((i + turn * 4) & 31)] = old[i];
  }

  /** FpMmxN is ST(N): the file holds the physical order, TOP says which is which. */
  private fpuWord(stackIndex: number): number {
    const top = (this.registers.halfwords[RegisterOffset.fpuStatus >> 1] >> 11) & 7;
    return (RegisterOffset.fpu >> 2) + ((stackIndex + top) & 7) * 4;
  }
}

function checkCount(operation: string, names: Uint32Array, count: number, values: RegisterValues): void {
  if (!Number.isInteger(count) || count < 0) throw new WhvError(operation, E_INVALIDARG, `count is ${count}`);
  if (count > names.length || count > values.capacity)
    throw new WhvError(operation, E_POINTER, `${count} registers, ${names.length} names, ${values.capacity} values`);
}

function requireRow(operation: string, name: number): RegisterRow {
  const row = registerRow(name);
  if (row === undefined) throw new WhvError(operation, WHV_E_INVALID_VP_REGISTER_NAME, shortRegisterName(name));
  return row;
}

/** Can the register hold the value? Reserved bits that hardware would refuse in a MOV or WRMSR are refused. */
function accepts(row: RegisterRow, values: RegisterValues, entry: number): boolean {
  const low = values.low(entry) | 0;
  const high = values.high(entry) | 0;
  switch (row.check) {
    case ValueCheck.low32:
    case ValueCheck.debugControl:
      return high === 0;
    case ValueCheck.canonical:
      return isCanonical(high, true);
    case ValueCheck.cr0:
      return high === 0 && (low & ~CR0_BITS) === 0;
    case ValueCheck.cr3:
      return (high & ~CR3_HIGH_BITS) === 0;
    case ValueCheck.cr4:
      return high === 0 && (low & ~CR4_HOST_BITS) === 0;
    case ValueCheck.cr8:
      return high === 0 && low >= 0 && low <= 15;
    case ValueCheck.efer:
      return high === 0 && (low & ~(EFER_BITS | Efer.LMA)) === 0;
    case ValueCheck.pat:
      return msrAccepts(MsrCheck.pat, low, high, false);
    case ValueCheck.rflags:
      // Bits 3, 5, 15 and 22 up are reserved and zero.
      return high === 0 && (low & 0xffc0_8028) === 0;
    case ValueCheck.xcr0:
      return acceptsStateComponents(low, high);
    default:
      return true;
  }
}
