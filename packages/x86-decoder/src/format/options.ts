// What a caller can tell the formatter.

/**
 * Options of `formatInstruction`.
 *
 * @public
 */
export interface FormatOptions {
  /**
   * `intel`: `mov eax, dword ptr [rdi+0x10]`; `nasm`: `mov eax, dword [rdi+0x10]`; `att`: `mov 0x10(%rdi), %eax`.
   * Default `intel`.
   */
  readonly syntax?: "intel" | "nasm" | "att";
  /** Address of the instruction, from which branch targets and RIP-relative addresses follow. Default 0. */
  readonly ip?: bigint;
  /** Show the address that a RIP-relative operand means instead of `rip+displacement`. Default false. */
  readonly absolute?: boolean;
  /** A name for a branch target or a memory operand's displacement, or `undefined` to print the number. */
  readonly symbol?: (address: bigint, use: "branch" | "memory") => string | undefined;
  /** A name for an I/O port that IN or OUT gives as immediate, or `undefined` to print the number. */
  readonly port?: (port: number) => string | undefined;
  /** A name for a register (a value of `Register`), or `undefined` for its own name. */
  readonly register?: (register: number) => string | undefined;
}
