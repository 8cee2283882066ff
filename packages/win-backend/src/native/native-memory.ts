/**
 * Memory of the operating system that a partition maps: page aligned, zeroed, viewed without copying, and given back so
 * that no view of it is left.
 */
import { E_INVALIDARG, E_OUTOFMEMORY, type GuestMemory, WhvError } from "@whvkit/whv-types";
import { kernel32, type NativePointer } from "./kernel32.ts";
import { requireKoffi } from "./native-support.ts";

/** Bytes of a page. */
export const PAGE_SIZE = 4096;

const MEM_COMMIT = 0x1000;
const MEM_RESERVE = 0x2000;
const MEM_RELEASE = 0x8000;
const PAGE_READWRITE = 4;

/** Memory whose buffer could not be taken away from JavaScript: it is freed when nothing can reach it any more. */
const unreachable = new FinalizationRegistry<NativePointer>(free);

/** A run of pages from `VirtualAlloc`. */
export class NativeMemory implements GuestMemory {
  readonly size: number;
  /** Where it lies in this process; 0 after disposal. */
  address: NativePointer;
  bytes: Uint8Array;
  /** Ranges of it that partitions have mapped. */
  mappings = 0;
  private readonly released: (memory: NativeMemory) => void;

  /** @param released - called once when the memory has been given back. */
  constructor(size: number, released: (memory: NativeMemory) => void) {
    const operation = "VirtualAlloc";
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0)
      throw new WhvError(operation, E_INVALIDARG, `the size ${size} is not a positive multiple of ${PAGE_SIZE}`);
    const windows = kernel32(operation);
    const address = windows.VirtualAlloc(null, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (address === null) throw new WhvError(operation, E_OUTOFMEMORY, `Windows gives no ${size} bytes`);
    this.size = size;
    this.address = address;
    this.released = released;
    try {
      this.bytes = new Uint8Array(requireKoffi(operation).view(address, size));
    } catch (error) {
      free(address);
      throw new WhvError(operation, E_OUTOFMEMORY, `no view of ${size} bytes: ${error}`);
    }
  }

  /** Gives the pages back. Every view of `bytes` is empty afterwards. @throws WhvError with `E_INVALIDARG` while mapped. */
  dispose(): void {
    if (this.address === 0n) return;
    if (this.mappings > 0) throw new WhvError("GuestMemory.dispose", E_INVALIDARG, "the memory is still mapped");
    this.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Gives the pages back whatever maps them: for a partition that is no more. */
  release(): void {
    const { address } = this;
    if (address === 0n) return;
    this.address = 0n;
    const buffer = this.bytes.buffer as DetachableBuffer;
    this.bytes = new Uint8Array(0);
    // Node 20 cannot detach a buffer that native code made.
    if (buffer.transfer === undefined) unreachable.register(buffer, address);
    else {
      buffer.transfer();
      free(address);
    }
    this.released(this);
  }
}

interface DetachableBuffer extends ArrayBuffer {
  /** Leaves this buffer empty. Node 22. */
  transfer?(): ArrayBuffer;
}

function free(address: NativePointer): void {
  kernel32("VirtualFree").VirtualFree(address, 0, MEM_RELEASE);
}
