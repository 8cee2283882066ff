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
 * @returns an `Abort`; RAX is unchanged unless it is `Abort.none`.
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
 * @returns an `Abort`.
 * @public
 */
export function outputFromAccumulator(machine: Machine, port: number, accessSize: 1 | 2 | 4): number {
  return machine.out(port, accessSize, machine.registers.words[RAX]);
}
