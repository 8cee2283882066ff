/**
 * The named operations that an instruction's meaning may call because they are not data flow: control transfers
 * through descriptors, segment loads, system registers, processor identification. The implementations that any
 * machine can share stand in `../system/`; a machine that cannot perform one answers `Abort.unsupported`.
 *
 * Arguments a and b are 64-bit values, 0 where an entry names none. Words 2 and 3 of `machine.data` hold the operand
 * size in bytes and the instruction's length when a helper is called, unless its entry says otherwise; RIP holds the
 * address of the instruction. A helper whose entry says "result" writes no register for it: the instruction does.
 * `helper-registers.ts` lists the registers that each reads and writes by itself.
 *
 * @public
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
  /** IRET, IRETD, IRETQ. */
  interruptReturn: 4,
  /** Software interrupt: a = vector, b = 0 INT n, 1 INT3, 2 INTO, 3 INT1. */
  softwareInterrupt: 5,
  halt: 6,
  /** a = leaf, b = subleaf; result: EAX, EBX, ECX, EDX in words 0 to 3. */
  cpuid: 7,
  /** a = number; result in words 0 and 1. */
  readMsr: 8,
  /** a = number, b = value. */
  writeMsr: 9,
  /** a = number of the control register; result in words 0 and 1. */
  readControl: 10,
  /** a = number, b = value. */
  writeControl: 11,
  /** a = number; result in words 0 and 1. */
  readDebug: 12,
  /** a = number, b = value. */
  writeDebug: 13,
  /** a = 0 GDTR, 1 IDTR; b = base; word 2 of data holds the limit. */
  loadTable: 14,
  /** a = 0 LDTR, 1 TR; b = selector. */
  loadSystemSegment: 15,
  /** INVLPG: a = linear address. */
  invalidatePage: 16,
  /** RDTSC and RDTSCP: result in words 0 and 1, TSC_AUX in word 2. */
  readTimestamp: 17,
  systemCall: 18,
  systemReturn: 19,
  sysenter: 20,
  sysexit: 21,
  /** Writes RFLAGS from a stack image: a = value; privilege decides which bits change. */
  writeFlags: 22,
  clearInterruptFlag: 23,
  setInterruptFlag: 24,
  /** XGETBV: a = number; result in words 0 and 1. */
  readExtendedControl: 25,
  /** XSETBV: a = number, b = value. */
  writeExtendedControl: 26,
  /** LAR, LSL, VERR, VERW: a = selector, b = which (0 to 3); result in word 0, ZF in word 2. */
  inspectSelector: 27,
  swapGs: 28,
  /** WBINVD, WBNOINVD, INVD. */
  writeBackCaches: 29,
  clearTaskSwitched: 30,
  /** INVPCID: a = type, b = linear address of the descriptor. */
  invalidateProcessContext: 31,
  /** MONITOR, MWAIT: a = 0 MONITOR, 1 MWAIT; b = linear address for MONITOR. */
  monitor: 32,
  /** RDPMC: a = number; result in words 0 and 1. */
  readPerformanceCounter: 33,
  /** RDPID: result in words 0 and 1. */
  readProcessorId: 34,
  /** MOV SS / POP SS and STI: interrupts stay off until after the next instruction. */
  inhibitInterrupts: 35,
  /**
   * XSAVE and XRSTOR of state components (a: their bits in XCR0) that the register file lacks, or whose place in the standard
   * format is each processor's own. No machine here performs it.
   */
  otherExtendedState: 36,
} as const;
/** A value of {@link Helper}: one named operation that is no data flow. @public */
export type Helper = (typeof Helper)[keyof typeof Helper];
