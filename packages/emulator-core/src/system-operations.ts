/**
 * The named operations (`Helper`) as far as five callbacks reach: those that read descriptors, load registers and transfer
 * control are performed by `@whvkit/x86-semantics` on the machine; those that are the hypervisor's own (caches of
 * translations, MSRs, CPUID, halting) are refused by name.
 */
import {
  Abort,
  Cr0,
  clearInterruptFlag,
  currentPrivilege,
  deliverEvent,
  EventKind,
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
  type Machine,
  RegisterOffset,
  setInterruptFlag,
  Vector,
  writeFlags,
} from "@whvkit/x86-semantics";
import type { Failure } from "./failure.ts";

const RIP = RegisterOffset.rip >> 2;

/** Told when an instruction inhibits interrupts. */
export interface ShadowStart {
  startsShadow: boolean;
}

export class SystemOperations {
  readonly #failure: Failure;
  readonly #retirement: ShadowStart;
  readonly #fiveLevelPaging: () => boolean | null;
  /** Address of the next instruction. */
  #nextLow = 0;
  #nextHigh = 0;

  /**
   * @param retirement - is told when the instruction inhibits interrupts.
   * @param fiveLevelPaging - reads CR4.LA57; `null` when the register callback failed.
   */
  constructor(failure: Failure, retirement: ShadowStart, fiveLevelPaging: () => boolean | null) {
    this.#failure = failure;
    this.#retirement = retirement;
    this.#fiveLevelPaging = fiveLevelPaging;
  }

  /** `Machine.helper`. The operand size and the instruction's length stand in words 2 and 3 of `machine.data`. */
  perform(machine: Machine, id: number, aLow: number, _aHigh: number, bLow: number, bHigh: number): number {
    const operandSize = machine.data[2];
    const length = machine.data[3];
    switch (id) {
      case Helper.loadSegment:
        return loadSegment(machine, aLow, bLow & 0xffff);
      case Helper.farJump:
        return this.#transfer(farJump(machine, aLow, bLow, bHigh, operandSize));
      case Helper.farCall:
        this.#nextInstruction(machine, length);
        return this.#transfer(farCall(machine, aLow, bLow, bHigh, operandSize, this.#nextLow, this.#nextHigh));
      case Helper.farReturn:
        return farReturn(machine, aLow & 0xffff, operandSize);
      case Helper.interruptReturn:
        return this.#transfer(interruptReturn(machine, operandSize));
      case Helper.softwareInterrupt:
        this.#nextInstruction(machine, length);
        return this.#softwareInterrupt(machine, aLow & 0xff, bLow);
      case Helper.loadTable:
        // Here word 2 of data is the limit.
        return this.#loadTable(machine, aLow, bLow, bHigh, machine.data[2] & 0xffff);
      case Helper.loadSystemSegment:
        return aLow === 0 ? loadLocalDescriptorTable(machine, bLow & 0xffff) : loadTaskRegister(machine, bLow & 0xffff);
      case Helper.inspectSelector:
        return inspectSelector(machine, aLow, bLow);
      case Helper.writeFlags:
        return writeFlags(machine, aLow, operandSize);
      case Helper.clearInterruptFlag:
        return clearInterruptFlag(machine);
      case Helper.setInterruptFlag:
        return setInterruptFlag(machine);
      case Helper.writeControl:
        return aLow === 0 ? this.#loadMachineStatus(machine, bLow) : this.#refuse(id);
      case Helper.inhibitInterrupts:
        this.#retirement.startsShadow = true;
        return Abort.none;
      default:
        return this.#refuse(id);
    }
  }

  #nextInstruction(machine: Machine, length: number): void {
    const { words } = machine.registers;
    const sum = (words[RIP] >>> 0) + length;
    this.#nextLow = sum | 0;
    this.#nextHigh = is64Bit(machine.registers) ? (words[RIP + 1] + (sum > 0xffffffff ? 1 : 0)) | 0 : 0;
  }

  /** Far transfers end as unsupported only where the guest asks for a hardware task switch. The message goes on from the instruction's name. */
  #transfer(abort: number): number {
    if (abort === Abort.unsupported) {
      const message = "switches tasks through a TSS or task gate, which the emulator does not do.";
      this.#failure.internal("unreachable-operation", "execute", message);
    }
    return abort;
  }

  /** `kind`: 0 INT n, 1 INT3, 2 INTO, 3 INT1. */
  #softwareInterrupt(machine: Machine, vector: number, kind: number): number {
    const event =
      kind === 0 ? EventKind.software : kind === 3 ? EventKind.privilegedSoftware : EventKind.softwareException;
    return this.#transfer(deliverEvent(machine, vector, event, -1, this.#nextLow, this.#nextHigh));
  }

  /** LGDT and LIDT. */
  #loadTable(machine: Machine, table: number, baseLow: number, baseHigh: number, limit: number): number {
    const { registers } = machine;
    if (currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
    if (is64Bit(registers) && !isCanonical(baseHigh, false)) {
      const wide = this.#fiveLevelPaging();
      if (wide === null) return Abort.host;
      if (!isCanonical(baseHigh, wide)) return machine.raise(Vector.GP, 0);
    }
    const offset = table === 0 ? RegisterOffset.gdtr : RegisterOffset.idtr;
    registers.halfwords[(offset + 6) >> 1] = limit;
    registers.words[(offset + 8) >> 2] = baseLow;
    registers.words[(offset + 12) >> 2] = baseHigh;
    return Abort.none;
  }

  /** LMSW, the only write of a control register with a memory operand: it changes PE (to 1 only), MP, EM and TS. */
  #loadMachineStatus(machine: Machine, value: number): number {
    const { registers } = machine;
    if (currentPrivilege(registers) !== 0) return machine.raise(Vector.GP, 0);
    const low = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS;
    const word = RegisterOffset.cr0 >> 2;
    registers.words[word] = (registers.words[word] & ~low) | (value & low);
    return Abort.none;
  }

  #refuse(id: number): number {
    const name = Object.entries(Helper).find(([, value]) => value === id)?.[0] ?? `helper ${id}`;
    const message = `needs the operation ${name}, which the five callbacks do not reach.`;
    this.#failure.internal("unreachable-operation", "execute", message);
    return Abort.unsupported;
  }
}
