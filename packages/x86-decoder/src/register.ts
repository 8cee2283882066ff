// Registers as numbers: a class and a number in the class. What a register's name is, how large it is.

/**
 * Classes of registers. A register is `(class << 5) | number`; 0 is no register.
 *
 * @public
 */
export const RegisterClass = {
  none: 0,
  /** AL, CL, DL, BL, SPL, BPL, SIL, DIL, R8B to R15B. */
  gpr8: 1,
  /** AH, CH, DH, BH as 0 to 3. */
  gpr8High: 2,
  gpr16: 3,
  gpr32: 4,
  gpr64: 5,
  /** ES, CS, SS, DS, FS, GS as 0 to 5. */
  segment: 6,
  control: 7,
  debug: 8,
  test: 9,
  st: 10,
  mm: 11,
  xmm: 12,
  ymm: 13,
  zmm: 14,
  /** Opmask registers K0 to K7. */
  mask: 15,
  /** AMX tiles TMM0 to TMM7. */
  tile: 16,
  /** MPX bounds BND0 to BND3. */
  bound: 17,
  /** IP as 0, EIP as 1, RIP as 2. */
  ip: 18,
} as const;

const legacy8 = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const legacy16 = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];

const numbered = (count: number, name: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => name(n));
const general = (first: readonly string[], suffix: string): string[] =>
  numbered(32, (n) => first[n] ?? `r${n}${suffix}`);

const namesByClass: readonly (readonly string[])[] = [
  [],
  general(legacy8, "b"),
  ["ah", "ch", "dh", "bh"],
  general(legacy16, "w"),
  general(
    legacy16.map((name) => `e${name}`),
    "d",
  ),
  general(
    legacy16.map((name) => `r${name}`),
    "",
  ),
  ["es", "cs", "ss", "ds", "fs", "gs"],
  numbered(16, (n) => `cr${n}`),
  numbered(16, (n) => `dr${n}`),
  numbered(8, (n) => `tr${n}`),
  numbered(8, (n) => `st${n}`),
  numbered(8, (n) => `mm${n}`),
  numbered(32, (n) => `xmm${n}`),
  numbered(32, (n) => `ymm${n}`),
  numbered(32, (n) => `zmm${n}`),
  numbered(8, (n) => `k${n}`),
  numbered(8, (n) => `tmm${n}`),
  numbered(4, (n) => `bnd${n}`),
  ["ip", "eip", "rip"],
];

const sizeByClass: readonly number[] = [0, 1, 1, 2, 4, 8, 2, 8, 8, 4, 10, 8, 16, 32, 64, 8, 1024, 16, 0];

type Numbers = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7";
type HighNumbers = "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15";
type VectorNumbers = Numbers | HighNumbers | `1${"6" | "7" | "8" | "9"}` | `2${Numbers | "8" | "9"}` | "30" | "31";
type Legacy = "ax" | "cx" | "dx" | "bx" | "sp" | "bp" | "si" | "di";

/**
 * Names of registers, lower case, as `registerName` gives them.
 *
 * @public
 */
export type RegisterName =
  | `${"a" | "b" | "c" | "d"}${"l" | "h"}`
  | "spl"
  | "bpl"
  | "sil"
  | "dil"
  | Legacy
  | `e${Legacy}`
  | `r${Legacy}`
  | `r${HighNumbers}${"" | "b" | "w" | "d"}`
  | "es"
  | "cs"
  | "ss"
  | "ds"
  | "fs"
  | "gs"
  | `${"cr" | "dr"}${Numbers | HighNumbers}`
  | `${"tr" | "st" | "mm" | "k" | "tmm"}${Numbers}`
  | `${"xmm" | "ymm" | "zmm"}${VectorNumbers}`
  | "bnd0"
  | "bnd1"
  | "bnd2"
  | "bnd3"
  | "ip"
  | "eip"
  | "rip";

/**
 * Registers by name.
 *
 * @example
 * ```ts
 * import { Register, RegisterClass } from "@whvkit/x86-decoder";
 * Register.ecx === ((RegisterClass.gpr32 << 5) | 1); // true
 * ```
 *
 * @public
 */
export const Register: Readonly<Record<RegisterName | "none", number>> = /* @__PURE__ */ registersByName();

function registersByName(): Record<RegisterName | "none", number> {
  const result: Record<string, number> = { none: 0 };
  namesByClass.forEach((names, registerClass) => {
    names.forEach((name, number) => {
      if (registerClass > RegisterClass.gpr64 || number < 16) result[name] = (registerClass << 5) | number;
    });
  });
  return result as Record<RegisterName | "none", number>;
}

/**
 * The class of a register, one of {@link RegisterClass}.
 *
 * @param register - a value of {@link Register}
 *
 * @example
 * ```ts
 * import { Register, RegisterClass, registerClass } from "@whvkit/x86-decoder";
 * registerClass(Register.ecx) === RegisterClass.gpr32; // true
 * registerClass(Register.xmm1) === RegisterClass.xmm; // true
 * ```
 *
 * @public
 */
export function registerClass(register: number): number {
  return register >> 5;
}

/**
 * The number of a register in its class: 0 to 31.
 *
 * @param register - a value of {@link Register}
 *
 * @example
 * ```ts
 * import { Register, registerNumber } from "@whvkit/x86-decoder";
 * registerNumber(Register.ecx); // 1
 * registerNumber(Register.r9); // 9
 * ```
 *
 * @public
 */
export function registerNumber(register: number): number {
  return register & 31;
}

/**
 * The size of a register in bytes; 0 for none and for the instruction pointer. Control and debug registers count 8, also
 * in modes where only their lower half can be reached; the operand's size says what an instruction moves.
 *
 * @param register - a value of {@link Register}
 *
 * @example
 * ```ts
 * import { Register, registerSize } from "@whvkit/x86-decoder";
 * registerSize(Register.cx); // 2
 * registerSize(Register.zmm31); // 64
 * registerSize(Register.none); // 0
 * ```
 *
 * @public
 */
export function registerSize(register: number): number {
  return sizeByClass[register >> 5] ?? 0;
}

/**
 * The name of a register in lower case, or `""` for no register or a number that is none.
 *
 * @param register - a value of {@link Register}
 *
 * @example
 * ```ts
 * import { Register, registerName } from "@whvkit/x86-decoder";
 * registerName(Register.ecx); // "ecx"
 * registerName(0); // ""
 * ```
 *
 * @public
 */
export function registerName(register: number): string {
  return namesByClass[register >> 5]?.[register & 31] ?? "";
}
