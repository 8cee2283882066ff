/** Registers and bits of the 16550A, as the PC16550D data sheet (National Semiconductor, June 1995) names them. */

/** Offsets from the base port. Some share one: DLAB and direction tell them apart. */
export const Register = {
  /** Receiver buffer (read), transmitter holding (write), divisor latch low (DLAB = 1). */
  RBR_THR_DLL: 0,
  /** Interrupt enable, divisor latch high (DLAB = 1). */
  IER_DLM: 1,
  /** Interrupt identification (read), FIFO control (write). */
  IIR_FCR: 2,
  LCR: 3,
  MCR: 4,
  LSR: 5,
  MSR: 6,
  SCR: 7,
} as const;

/** Interrupt enable register. */
export const IER = {
  receivedData: 0x01,
  transmitterEmpty: 0x02,
  lineStatus: 0x04,
  modemStatus: 0x08,
  writable: 0x0f,
} as const;

/** Interrupt identification register, bits 3 to 0 in order of priority (data sheet, table III), and bits 7 and 6. */
export const IIR = {
  lineStatus: 0x06,
  receivedData: 0x04,
  characterTimeout: 0x0c,
  transmitterEmpty: 0x02,
  modemStatus: 0x00,
  none: 0x01,
  fifosEnabled: 0xc0,
} as const;

/** FIFO control register. Bits 7 and 6 choose the receiver's trigger level. */
export const FCR = { enable: 0x01, resetReceiver: 0x02, resetTransmitter: 0x04, triggerShift: 6 } as const;

/** Received bytes that raise the interrupt, by the two trigger bits. */
export const TRIGGER_LEVELS: readonly number[] = [1, 4, 8, 14];

export const FIFO_SIZE = 16;

/** Line control register. */
export const LCR = {
  wordLength: 0x03,
  twoStopBits: 0x04,
  parityEnable: 0x08,
  setBreak: 0x40,
  divisorLatchAccess: 0x80,
} as const;

/** Modem control register. */
export const MCR = { dtr: 0x01, rts: 0x02, out1: 0x04, out2: 0x08, loop: 0x10, writable: 0x1f } as const;

/** Line status register. */
export const LSR = {
  dataReady: 0x01,
  overrun: 0x02,
  parity: 0x04,
  framing: 0x08,
  break: 0x10,
  holdingEmpty: 0x20,
  transmitterEmpty: 0x40,
  fifoError: 0x80,
  /** The bits that raise the line status interrupt. */
  errors: 0x1e,
} as const;

/** Modem status register: the deltas (cleared by reading) and the levels. */
export const MSR = {
  deltaCts: 0x01,
  deltaDsr: 0x02,
  trailingRi: 0x04,
  deltaDcd: 0x08,
  deltas: 0x0f,
  cts: 0x10,
  dsr: 0x20,
  ri: 0x40,
  dcd: 0x80,
} as const;

/** The crystal of a PC's serial ports, hertz; the divisor latch divides it by 16 times its value. */
export const CRYSTAL_HZ = 1_843_200;
