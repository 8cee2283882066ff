/**
 * What one call answers: the HRESULT, the status bits by number and by name, and the diagnostic. One object per
 * emulator, reused.
 */
import type { EmulationDiagnostic, EmulationResult } from "@whvkit/whv-types";
import { EmulatorStatus } from "./failure.ts";

export class ReusedResult implements EmulationResult {
  hresult = 0;
  statusBits = 0;
  diagnostic: EmulationDiagnostic | null = null;

  /** Fills in all three and answers itself. */
  answer(hresult: number, statusBits: number, diagnostic: EmulationDiagnostic | null): this {
    this.hresult = hresult;
    this.statusBits = statusBits;
    this.diagnostic = diagnostic;
    return this;
  }

  get emulationSuccessful(): boolean {
    return (this.statusBits & EmulatorStatus.emulationSuccessful) !== 0;
  }

  get internalEmulationFailure(): boolean {
    return (this.statusBits & EmulatorStatus.internalEmulationFailure) !== 0;
  }

  get ioPortCallbackFailed(): boolean {
    return (this.statusBits & EmulatorStatus.ioPortCallbackFailed) !== 0;
  }

  get memoryCallbackFailed(): boolean {
    return (this.statusBits & EmulatorStatus.memoryCallbackFailed) !== 0;
  }

  get translateGvaPageCallbackFailed(): boolean {
    return (this.statusBits & EmulatorStatus.translateGvaPageCallbackFailed) !== 0;
  }

  get translateGvaPageCallbackGpaIsNotAligned(): boolean {
    return (this.statusBits & EmulatorStatus.translateGvaPageCallbackGpaIsNotAligned) !== 0;
  }

  get getVirtualProcessorRegistersCallbackFailed(): boolean {
    return (this.statusBits & EmulatorStatus.getVirtualProcessorRegistersCallbackFailed) !== 0;
  }

  get setVirtualProcessorRegistersCallbackFailed(): boolean {
    return (this.statusBits & EmulatorStatus.setVirtualProcessorRegistersCallbackFailed) !== 0;
  }

  get interruptCausedIntercept(): boolean {
    return (this.statusBits & EmulatorStatus.interruptCausedIntercept) !== 0;
  }

  get guestCannotBeFaulted(): boolean {
    return (this.statusBits & EmulatorStatus.guestCannotBeFaulted) !== 0;
  }
}
