/**
 * Hosts for measuring: the least that a real one does for each callback. Six classes of the same shape, so that one
 * process can show what happens to an engine's inline caches when many hosts share an emulator's code.
 */
import type { EmulatorIoAccess, EmulatorMemoryAccess, EmulatorTranslation, RegisterValues } from "@whvkit/whv-types";
import type { EmulatorBulkIoAccess, EmulatorBulkMemoryAccess, EmulatorCallbackSet } from "../src/index.ts";

/** Device memory starts here; below is RAM. */
export const DEVICE: number = 0xfee0_0000;

export interface BenchHost extends EmulatorCallbackSet<null> {
  /** Sixteen general registers and RIP, two words each. */
  readonly registers: Uint32Array;
  /** Calls so far: of the get, of translate, of all memory and port callbacks, of the set. */
  gets: number;
  translations: number;
  accesses: number;
  sets: number;
}

const makeHostClass = (deviceAddress: number) =>
  class Host implements BenchHost {
    readonly registers: Uint32Array = new Uint32Array(64);
    readonly ram: Uint8Array = new Uint8Array(1 << 20);
    device = 0;
    gets = 0;
    translations = 0;
    accesses = 0;
    sets = 0;

    ioPort(_context: null, access: EmulatorIoAccess): number {
      this.accesses++;
      if (access.direction === 0) access.data = this.device++;
      else this.device = access.data;
      return 0;
    }

    memory(_context: null, access: EmulatorMemoryAccess): number {
      this.accesses++;
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
      this.gets++;
      const { words } = values;
      for (let i = 0; i < count; i++) {
        const name = (names[i] as number) * 2;
        words[i * 4] = this.registers[name] as number;
        words[i * 4 + 1] = this.registers[name + 1] as number;
      }
      return 0;
    }

    setVirtualProcessorRegisters(_context: null, names: Uint32Array, count: number, values: RegisterValues): number {
      this.sets++;
      const { words } = values;
      for (let i = 0; i < count; i++) {
        const name = (names[i] as number) * 2;
        this.registers[name] = words[i * 4] as number;
        this.registers[name + 1] = words[i * 4 + 1] as number;
      }
      return 0;
    }

    translateGvaPage(_context: null, translation: EmulatorTranslation): number {
      this.translations++;
      translation.resultCode = 0;
      translation.gpaPage = translation.gvaPageLow;
      return 0;
    }
  };

/** The same with bulk callbacks: RAM is copied, the device is a queue. */
const makeBulkHostClass = (deviceAddress: number) => {
  const Host = makeHostClass(deviceAddress);
  return class BulkHost extends Host {
    /** What the device was given last. */
    readonly queue: Uint8Array = new Uint8Array(4096);
    /** Views of the last run in RAM, because making them costs as much as copying. */
    #gpa = -1;
    #run: Uint8Array = new Uint8Array(0);
    #part: Uint8Array = new Uint8Array(0);

    memoryBulk(_context: null, access: EmulatorBulkMemoryAccess): number {
      this.accesses++;
      const { gpaAddress, data } = access;
      const bytes = access.elementSize * access.elementCount;
      if (gpaAddress >= deviceAddress) this.#transfer(access.direction, data);
      else {
        if (gpaAddress !== this.#gpa || bytes !== this.#run.length) {
          this.#gpa = gpaAddress;
          this.#run = this.ram.subarray(gpaAddress, gpaAddress + bytes);
          this.#part = data.subarray(0, bytes);
        }
        if (access.direction === 0) this.#part.set(this.#run);
        else this.#run.set(this.#part);
      }
      access.completed = access.elementCount;
      return 0;
    }

    ioPortBulk(_context: null, access: EmulatorBulkIoAccess): number {
      this.accesses++;
      this.#transfer(access.direction, access.data);
      access.completed = access.elementCount;
      return 0;
    }

    /** Takes or gives the whole page, which costs less than a view of its part. */
    #transfer(direction: 0 | 1, data: Uint8Array): void {
      if (direction === 0) data.set(this.queue);
      else this.queue.set(data);
    }
  };
};

const source = `const makeHostClass = ${makeHostClass.toString()}; const makeBulkHostClass = ${makeBulkHostClass.toString()};`;

/**
 * Six classes, each compiled from source of its own: classes made by one function would share the engine's type feedback
 * and slow each other down, which says nothing of the emulator.
 */
const sixOf = (maker: string): readonly (new () => BenchHost)[] =>
  Array.from({ length: 6 }, () => new Function(`${source} return ${maker}(${DEVICE})`)() as new () => BenchHost);

export const hostClasses: readonly (new () => BenchHost)[] = sixOf("makeHostClass");
export const bulkHostClasses: readonly (new () => BenchHost)[] = sixOf("makeBulkHostClass");
