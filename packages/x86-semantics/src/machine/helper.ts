/**
 * The named operations that an instruction's meaning may call because they are not data flow: control transfers
 * through descriptors, segment loads, system registers, processor identification. The implementations that any
 * machine can share stand in `../system/`; a machine that cannot perform one answers `Abort.unsupported`.
 */
export const Helper = {
  /** Loads segment register a (index) with selector b. */
  loadSegment: 0,
  /** Far jump: a = selector, b = offset. */
  farJump: 1,
  /** Far call: a = selector, b = offset; operand size from the instruction. */
  farCall: 2,
  /** Far return: a = bytes to release. */
  farReturn: 3,
  interruptReturn: 4,
  /** Software interrupt: a = vector, b = 0 INT n, 1 INT3, 2 INTO, 3 INT1. */
  softwareInterrupt: 5,
  halt: 6,
  cpuid: 7,
  readMsr: 8,
  writeMsr: 9,
  /** a = number of the control register; result in data. */
  readControl: 10,
  /** a = number, b = value. */
  writeControl: 11,
  readDebug: 12,
  writeDebug: 13,
  /** a = 0 GDTR, 1 IDTR; b = base; limit was put in data[2]. */
  loadTable: 14,
  /** a = 0 LDTR, 1 TR; b = selector. */
  loadSystemSegment: 15,
  invalidatePage: 16,
  readTimestamp: 17,
  systemCall: 18,
  systemReturn: 19,
  sysenter: 20,
  sysexit: 21,
  /** Writes RFLAGS from a stack image: a = value; privilege decides which bits change. */
  writeFlags: 22,
  clearInterruptFlag: 23,
  setInterruptFlag: 24,
  readExtendedControl: 25,
  writeExtendedControl: 26,
  /** LAR, LSL, VERR, VERW: a = selector, b = which; result in data, data[2] = ZF. */
  inspectSelector: 27,
  swapGs: 28,
  writeBackCaches: 29,
  clearTaskSwitched: 30,
  invalidateProcessContext: 31,
  monitor: 32,
  readPerformanceCounter: 33,
  readProcessorId: 34,
  /** MOV SS / POP SS and STI: interrupts stay off until after the next instruction. */
  inhibitInterrupts: 35,
} as const;
export type Helper = (typeof Helper)[keyof typeof Helper];
