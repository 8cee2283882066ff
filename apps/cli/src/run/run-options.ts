/** The options of `whv run`, as its description in commands/run.ts parses them. */
import type { BackendName, EmulatorName } from "../backend-choice.ts";

/** Absent: not given. */
export interface RunOptions {
  readonly flat?: string;
  readonly mode?: 16 | 32 | 64;
  readonly load?: number;
  readonly entry?: number;
  readonly memory?: number;
  readonly backend: BackendName;
  readonly emulator: EmulatorName;
  readonly serial: string;
  readonly serialIn?: string;
  readonly vga?: "text";
  readonly vgaOut?: string;
  readonly debugExitPort?: number;
  readonly debugConsolePort?: readonly PortAndFile[];
  readonly postPort?: readonly PortAndFile[];
  readonly maxInstructions?: number;
  readonly timeout?: number;
  readonly until?: RegExp;
  readonly stats?: true;
  readonly statsJson?: string;
  readonly record?: string;
}

/** `PORT` or `PORT,FILE`. */
export interface PortAndFile {
  readonly port: number;
  readonly file: string | undefined;
}
