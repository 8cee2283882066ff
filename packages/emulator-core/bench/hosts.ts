/**
 * Hosts for measuring: the least that a real one does for each callback. Six classes of the same shape, so that one
 * process can show what happens to an engine's inline caches when many hosts share an emulator's code.
 */
import type {
  EmulatorCallbacks,
  EmulatorIoAccess,
  EmulatorMemoryAccess,
  EmulatorTranslation,
  RegisterValues,
} from "@whvkit/whv-types";

/** Device memory starts here; below is RAM. */
export const DEVICE: number = 0xfee0_0000;

export interface BenchHost extends EmulatorCallbacks<null> {
  /** Sixteen general registers and RIP, two words each. */
  readonly registers: Uint32Array;
  calls: number;
}

const makeHostClass = (deviceAddress: number): (new () => BenchHost) =>
  class implements BenchHost {
    readonly registers: Uint32Array = new Uint32Array(64);
    readonly ram: Uint8Array = new Uint8Array(1 << 20);
    device = 0;
    calls = 0;

    ioPort(_context: null, access: EmulatorIoAccess): number {
      this.calls++;
      if (access.direction === 0) access.data = this.device++;
      else this.device = access.data;
      return 0;
    }

    memory(_context: null, access: EmulatorMemoryAccess): number {
      this.calls++;
      const { gpaAddress, accessSize, data } = access;
      if (gpaAddress >= deviceAddress) {
        if (access.direction === 0) access.words[0] = this.device;
        else this.device = access.words[0] as number;
      } else if (access.direction === 0)
        for (let i = 0; i < accessSize; i++) data[i] = this.ram[gpaAddress + i] as number;
      else for (let i = 0; i < accessSize; i++) this.ram[gpaAddress + i] = data[i] as number;
      return 0;
    }

    getVirtualProcessorRegisters(_context: null, names: Uint32Array, count: number, values: RegisterValues): number {
      this.calls++;
      const { words } = values;
      for (let i = 0; i < count; i++) {
        const name = (names[i] as number) * 2;
        words[i * 4] = this.registers[name] as number;
        words[i * 4 + 1] = this.registers[name + 1] as number;
      }
      return 0;
    }

    setVirtualProcessorRegisters(_context: null, names: Uint32Array, count: number, values: RegisterValues): number {
      this.calls++;
      const { words } = values;
      for (let i = 0; i < count; i++) {
        const name = (names[i] as number) * 2;
        this.registers[name] = words[i * 4] as number;
        this.registers[name + 1] = words[i * 4 + 1] as number;
      }
      return 0;
    }

    translateGvaPage(_context: null, translation: EmulatorTranslation): number {
      this.calls++;
      translation.resultCode = 0;
      translation.gpaPage = translation.gvaPageLow;
      return 0;
    }
  };

/**
 * Six classes, each compiled from source of its own: classes made by one function would share the engine's type feedback
 * and slow each other down, which says nothing of the emulator.
 */
export const hostClasses: readonly (new () => BenchHost)[] = Array.from(
  { length: 6 },
  () => new Function(`return (${makeHostClass.toString()})(${DEVICE})`)() as new () => BenchHost,
);
