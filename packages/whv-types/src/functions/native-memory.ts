/** How a function prototype names memory. */

/**
 * Memory that a C function is handed by pointer: bytes, an address (a `bigint`, as handles and pointers inside
 * structures are), or `null`. The C type beside each parameter says what it points to.
 *
 * @public
 */
export type NativeMemory = Uint8Array | bigint | null;
