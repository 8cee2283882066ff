/** The first callback of an emulation that did not answer `S_OK`: which, what it answered or threw, and to what. */
import { E_FAIL, type EmulationPhase, type EmulatorCallbacks } from "@whvkit/whv-types";

export class CallbackFailure {
  happened = false;
  callback: keyof EmulatorCallbacks | null = null;
  hresult = 0;
  thrown: unknown = undefined;
  phase: EmulationPhase = "execute";
  message = "";

  clear(): void {
    this.happened = false;
    this.callback = null;
    this.hresult = 0;
    this.thrown = undefined;
    this.phase = "execute";
    this.message = "";
  }

  /** What `callback` answered is no HRESULT of success. Answers what native code is told: always an HRESULT. */
  answered(callback: keyof EmulatorCallbacks, phase: EmulationPhase, answer: unknown): number {
    // Not a number, or one that has no bits: whatever it is, it is not S_OK.
    const isHresult = typeof answer === "number" && answer >>> 0 !== 0;
    const hresult = isHresult ? answer >>> 0 : E_FAIL;
    const said = isHresult ? `0x${hresult.toString(16).padStart(8, "0")}` : `${describe(answer)} instead of an HRESULT`;
    this.record(callback, phase, hresult, undefined, `The ${callback} callback answered ${said}.`);
    return hresult;
  }

  threw(callback: keyof EmulatorCallbacks, phase: EmulationPhase, thrown: unknown): number {
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    this.record(callback, phase, E_FAIL, thrown, `The ${callback} callback threw ${what}`);
    return E_FAIL;
  }

  /** What was asked of the callback, or what it answered, is not what the interface says. */
  malformed(callback: keyof EmulatorCallbacks, phase: EmulationPhase, message: string): number {
    this.record(callback, phase, E_FAIL, undefined, message);
    return E_FAIL;
  }

  /** Something threw on the way to a callback. */
  escaped(thrown: unknown): void {
    this.record(null, "execute", E_FAIL, thrown, `A callback could not be called: ${String(thrown)}`);
  }

  private record(
    callback: keyof EmulatorCallbacks | null,
    phase: EmulationPhase,
    hresult: number,
    thrown: unknown,
    message: string,
  ): void {
    if (this.happened) return;
    this.happened = true;
    this.callback = callback;
    this.phase = phase;
    this.hresult = hresult;
    this.thrown = thrown;
    this.message = message;
  }
}

function describe(answer: unknown): string {
  const isPromise = typeof answer === "object" && answer !== null && "then" in answer;
  return isPromise ? "a promise (callbacks are synchronous)" : String(answer);
}
