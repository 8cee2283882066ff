/**
 * Events of Windows that the platform sets (doorbells, notification ports, device notifications) as calls of a JavaScript
 * function. A thread of Windows waits for the event; the call is made when Node's event loop turns, so not while `run`
 * holds the thread. A waiting event does not keep the process alive.
 */
import { E_OUTOFMEMORY, WhvError } from "@whvkit/whv-types";
import { kernel32, lastErrorHresult, type NativePointer } from "./kernel32.ts";
import { requireKoffi } from "./native-support.ts";

const INFINITE = 0xffffffff;

/** Who is called for which number; a call that comes too late finds nobody. */
const listeners = new Map<number, () => void>();
let lastNumber = 0;
/** One for all events of this thread: `WAITORTIMERCALLBACK`. */
let trampoline: NativePointer | undefined;

function sharedTrampoline(): NativePointer {
  if (trampoline === undefined) {
    const koffi = requireKoffi("RegisterWaitForSingleObject");
    const callback = koffi.proto("void", ["uint64", "uint8"]);
    trampoline = koffi.register((number: number) => {
      try {
        listeners.get(number)?.();
      } catch (thrown) {
        // Not through native code: as from any other callback of the event loop.
        process.nextTick(() => {
          throw thrown;
        });
      }
    }, koffi.pointer(callback));
  }
  return trampoline;
}

/** An auto-reset event, for the platform to set. */
export class SignalEvent {
  /** Of the event, for the platform. */
  readonly handle: NativePointer;
  private readonly wait: NativePointer;
  private readonly number: number;
  private live = true;

  constructor(onSignal: () => void) {
    const operation = "CreateEventW";
    const windows = kernel32(operation);
    const handle = windows.CreateEventW(null, 0, 0, null);
    if (handle === null) throw new WhvError(operation, E_OUTOFMEMORY);
    this.handle = handle;
    lastNumber += 1;
    this.number = lastNumber;
    listeners.set(this.number, onSignal);
    const wait = new BigUint64Array(1);
    if (windows.RegisterWaitForSingleObject(wait, handle, sharedTrampoline(), this.number, INFINITE, 0) === 0) {
      const hresult = lastErrorHresult(windows);
      listeners.delete(this.number);
      windows.CloseHandle(handle);
      throw new WhvError("RegisterWaitForSingleObject", hresult);
    }
    this.wait = wait[0] as NativePointer;
  }

  dispose(): void {
    if (!this.live) return;
    this.live = false;
    const windows = kernel32("CloseHandle");
    listeners.delete(this.number);
    // Without waiting for a call under way: that one waits for this thread.
    windows.UnregisterWait(this.wait);
    windows.CloseHandle(this.handle);
  }
}
