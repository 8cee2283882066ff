/**
 * What a port exit says of the access: the few facts that the executor needs, as plain numbers. Where they come from
 * (`WHV_X64_IO_PORT_ACCESS_CONTEXT` or a test) does not matter here.
 */

/**
 * One port access as the processor reported it.
 *
 * @public
 */
export interface PortExit {
  /** 0 to 0xffff. */
  readonly port: number;
  /** Bytes: 1, 2 or 4. */
  readonly accessSize: 1 | 2 | 4;
  /** OUT or OUTS. */
  readonly isWrite: boolean;
  /** INS or OUTS. */
  readonly stringOp: boolean;
  /** With a REP prefix. */
  readonly repPrefix: boolean;
}
