/**
 * IN and OUT: one port access between a port and AL, AX or EAX. The exit says all there is to know, so no instruction is
 * decoded.
 */
import { Abort, type Machine, RegisterOffset } from "@whvkit/x86-semantics";

const RAX = RegisterOffset.general >> 2;

/**
 * IN: reads the port into the accumulator. 8 and 16 bits keep the rest of RAX, 32 bits clear its upper half (Intel SDM
 * volume 1, section 3.4.1.1).
 *
 * @param machine - answers the port access, and has RAX
 * @param port - 0 to 0xffff
 * @param accessSize - bytes
 * @returns an `Abort`; RAX is unchanged unless it is `Abort.none`.
 *
 * @example
 * ```ts
 * import { inputToAccumulator } from "@whvkit/io-executor";
 * import { Abort, FlatMachine, RegisterOffset } from "@whvkit/x86-semantics";
 * const machine = new FlatMachine(new Uint8Array(0), { read: () => 0x41 });
 * machine.registers.set64(RegisterOffset.general, 0x1234n); // RAX
 * inputToAccumulator(machine, 0x60, 1) === Abort.none; // true
 * machine.registers.get64(RegisterOffset.general); // 0x1241n
 * ```
 *
 * @public
 */
export function inputToAccumulator(machine: Machine, port: number, accessSize: 1 | 2 | 4): number {
  const abort = machine.in(port, accessSize);
  if (abort !== Abort.none) return abort;
  const { bytes, halfwords, words } = machine.registers;
  const value = machine.data[0];
  if (accessSize === 4) {
    words[RAX] = value;
    words[RAX + 1] = 0;
  } else if (accessSize === 2) halfwords[RegisterOffset.general >> 1] = value;
  else bytes[RegisterOffset.general] = value;
  return Abort.none;
}

/**
 * OUT: writes AL, AX or EAX to the port.
 *
 * @param machine - takes the port access, and has RAX
 * @param port - 0 to 0xffff
 * @param accessSize - bytes
 * @returns an `Abort`.
 *
 * @example
 * ```ts
 * import { outputFromAccumulator } from "@whvkit/io-executor";
 * import { Abort, FlatMachine, RegisterOffset } from "@whvkit/x86-semantics";
 * const written: number[] = [];
 * const machine = new FlatMachine(new Uint8Array(0), { write: (_port, _size, value) => written.push(value) });
 * machine.registers.set64(RegisterOffset.general, 0x1234n); // RAX
 * outputFromAccumulator(machine, 0x80, 2) === Abort.none; // true
 * written; // [0x1234]
 * ```
 *
 * @public
 */
export function outputFromAccumulator(machine: Machine, port: number, accessSize: 1 | 2 | 4): number {
  return machine.out(port, accessSize, machine.registers.words[RAX]);
}
