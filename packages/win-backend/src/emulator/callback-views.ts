/**
 * The memory that `WinHvEmulation.dll` hands to a callback, viewed in place. It lies on the stack that koffi gives to
 * native calls, so the same few addresses come again and again: making a view takes 3 µs, finding one that was made takes
 * nanoseconds. A view is touched only during a callback that names its address; callers of this package get copies.
 */
import { requireKoffi } from "../native/native-support.ts";

/** Views kept at most; more addresses than that would be a stack that moves. */
const MAX_VIEWS = 256;

/** One run of native memory. */
export interface NativeView {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/** Views of one purpose, by address and size. */
export class CallbackViews {
  private readonly known = new Map<number, NativeView>();
  private lastAddress = 0;
  private lastSize = 0;
  private last: NativeView | null = null;

  /**
   * @param address - not null.
   * @param size - bytes, a multiple of 4.
   */
  at(address: number, size: number): NativeView {
    if (address === this.lastAddress && size === this.lastSize && this.last !== null) return this.last;
    let view = this.known.get(address);
    if (view === undefined || view.bytes.length !== size) {
      if (this.known.size >= MAX_VIEWS) this.known.clear();
      const buffer = requireKoffi("WHV_EMULATOR_CALLBACKS").view(BigInt(address), size);
      view = { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) };
      this.known.set(address, view);
    }
    this.lastAddress = address;
    this.lastSize = size;
    this.last = view;
    return view;
  }
}
