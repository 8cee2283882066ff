/**
 * A time-stamp counter that counts instructions: the same guest reads the same values in every run.
 */

import type { Timestamp } from "./system-instructions.ts";

const TWO_TO_32 = 0x1_0000_0000;

export class InstructionTimestamp implements Timestamp {
  private readonly count: () => number;
  private baseLow = 0;
  private baseHigh = 0;

  /** @param count - instructions completed so far. */
  constructor(count: () => number) {
    this.count = count;
  }

  read(into: Int32Array): void {
    const sum = this.baseLow + this.count();
    into[0] = (sum % TWO_TO_32) | 0;
    into[1] = (this.baseHigh + Math.floor(sum / TWO_TO_32)) | 0;
  }

  /** From now on the counter goes on from this value. */
  write(low: number, high: number): void {
    const count = this.count();
    const difference = (low >>> 0) - (count % TWO_TO_32);
    this.baseLow = difference < 0 ? difference + TWO_TO_32 : difference;
    this.baseHigh = (high - Math.floor(count / TWO_TO_32) - (difference < 0 ? 1 : 0)) | 0;
  }
}
