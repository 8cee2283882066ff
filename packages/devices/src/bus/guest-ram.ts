/** How a device reaches guest memory by itself (DMA). The machine implements it; devices only use it. */

/** Guest RAM as a bus master sees it. @public */
export interface GuestRam {
  /**
   * The `length` bytes of RAM from guest-physical address `gpa` on, viewed without copying, or `null` when any of them
   * is not RAM. The view stays valid as long as the machine.
   */
  view(gpa: number, length: number): Uint8Array<ArrayBufferLike> | null;
}
