/**
 * Guests for the backend's checks: a partition with RAM at 0, one processor, and code of a few bytes at 0x1000. They work
 * on any hypervisor: nothing but the interfaces is used, and every program ends in an exit.
 */
import {
  E_NOTIMPL,
  type GuestMemory,
  type Hypervisor,
  type Partition,
  RegisterValues,
  type RunVpExit,
  registerByShortName,
  type VirtualProcessor,
  WHV_MAP_GPA_RANGE_FLAGS,
  WHV_PARTITION_PROPERTY_CODE,
  WHV_RUN_VP_EXIT_REASON,
  WhvError,
} from "@whvkit/whv-types";
import { hexBytes } from "../../json/json-fields.ts";
import { type BackendCheck, Difference, expectMatch } from "../check.ts";

const { WHvMapGpaRangeFlagRead, WHvMapGpaRangeFlagWrite, WHvMapGpaRangeFlagExecute } = WHV_MAP_GPA_RANGE_FLAGS;

/** Rights of ordinary RAM. */
export const readWriteExecute: number = WHvMapGpaRangeFlagRead | WHvMapGpaRangeFlagWrite | WHvMapGpaRangeFlagExecute;

/** Where the guests' code starts, guest-physical and in RIP. */
export const codeStart = 0x1000;

/** A guest-physical address where nothing is mapped. */
export const deviceGpa = 0xd000_0000;

/** Base, limit, selector, attributes; of table registers the first two. */
export type SegmentTuple = readonly [base: bigint, limit: number, selector: number, attributes: number];

/** Registers by their short names. */
export type Registers = Readonly<Record<string, bigint | number | SegmentTuple>>;

/** Real mode with all segments at 0. */
const realMode: Registers = {
  Cr0: 0x10,
  Cs: [0n, 0xffff, 0, 0x9b],
  Ds: [0n, 0xffff, 0, 0x93],
  Es: [0n, 0xffff, 0, 0x93],
  Ss: [0n, 0xffff, 0, 0x93],
};

/** Flat 32-bit protected mode at CPL 0, without paging. */
const protectedMode: Registers = {
  Cr0: 0x11,
  Cs: [0n, 0xffff_ffff, 8, 0xc09b],
  Ds: [0n, 0xffff_ffff, 16, 0xc093],
  Es: [0n, 0xffff_ffff, 16, 0xc093],
  Ss: [0n, 0xffff_ffff, 16, 0xc093],
};

/** 64-bit mode at CPL 0; the tables stand at {@link pageTables}. */
const longMode: Registers = {
  ...protectedMode,
  Cr0: 0x8005_0033,
  Cr3: 0x8000,
  Cr4: 0x20,
  Efer: 0x500,
  Cs: [0n, 0xffff_ffff, 8, 0xa09b],
};

/**
 * Four-level tables at 0x8000: the first 2 MiB map to themselves but for the pages at 0x20_0000, which a table at 0xb000
 * maps: read-only RAM, a supervisor page, a device page and nothing.
 */
function writePageTables(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const entry = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
  entry(0x8000, 0x9007n); // PML4[0]: present, writable, user
  entry(0x9000, 0xa007n); // PDPT[0]
  entry(0xa000, 0x87n); // PD[0]: 2 MiB at 0
  entry(0xa008, 0xb007n); // PD[1]
  entry(0xb000, 0x5005n); // 0x20_0000: RAM at 0x5000, user, read-only
  entry(0xb008, 0x6003n); // 0x20_1000: RAM at 0x6000, supervisor, writable
  entry(0xb010, BigInt(deviceGpa) | 7n); // 0x20_2000: device memory
  entry(0xb018, 0n); // 0x20_3000: not present
}

/** What a guest consists of. */
export interface GuestPlan {
  /** `"real"` when left out. */
  readonly mode?: "real" | "protected" | "long";
  /** Hex digits, placed at {@link codeStart}. */
  readonly code?: string;
  /** On top of the mode's. */
  readonly registers?: Registers;
  /** Other bytes in RAM: address and hex digits. */
  readonly bytes?: readonly (readonly [address: number, digits: string])[];
  /** Called before setup. */
  readonly configure?: (partition: Partition) => void;
}

/** A running guest, with what checks need of it. */
export class Guest {
  readonly hypervisor: Hypervisor;
  readonly partition: Partition;
  readonly ram: GuestMemory;
  readonly processor: VirtualProcessor;

  constructor(hypervisor: Hypervisor, partition: Partition, plan: GuestPlan) {
    const { mode = "real", code = "f4", registers = {}, bytes = [], configure } = plan;
    this.hypervisor = hypervisor;
    this.partition = partition;
    partition.setProperty(WHV_PARTITION_PROPERTY_CODE.WHvPartitionPropertyCodeProcessorCount, 1n);
    configure?.(partition);
    partition.setup();
    this.ram = partition.allocateMemory(0x1_0000);
    partition.mapGpaRange(this.ram, 0, 0, this.ram.size, readWriteExecute);
    this.ram.bytes.set(hexBytes(code, "code"), codeStart);
    for (const [address, digits] of bytes) this.ram.bytes.set(hexBytes(digits, "bytes"), address);
    if (mode === "long") writePageTables(this.ram.bytes);
    this.processor = partition.createVirtualProcessor(0);
    const modeRegisters = { real: realMode, protected: protectedMode, long: longMode }[mode];
    this.set({ ...modeRegisters, Rip: codeStart, Rsp: 0x7000, Rflags: 2, ...registers });
  }

  /** Sets registers by short name, in one call. */
  set(registers: Registers): void {
    const entries = Object.entries(registers);
    const values = new RegisterValues(entries.length);
    entries.forEach(([name, value], i) => {
      if (typeof value === "bigint" || typeof value === "number") values.set128(i, BigInt(value));
      else if (name === "Gdtr" || name === "Idtr") values.table(i).assign({ base: value[0], limit: value[1] });
      else {
        const [base, limit, selector, attributes] = value;
        values.segment(i).assign({ base, limit, selector, attributes });
      }
    });
    this.processor.setRegisters(
      Uint32Array.from(entries, ([name]) => registerCode(name)),
      entries.length,
      values,
    );
  }

  /** Reads one register: its low 64 bits. */
  get(name: string): bigint {
    return readRegister(this.processor, name).get64(0);
  }

  /** Runs until an exit other than Canceled, which hosts must expect at any time. */
  run(): RunVpExit {
    for (let runs = 0; runs < 50; runs++) {
      const exit = this.processor.run();
      if (exit.exitReason !== WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonCanceled) return exit;
    }
    throw new Difference("exit reason", "an exit of the guest", "Canceled, 50 times");
  }

  /** Runs until the exit, which must be of this reason. */
  runTo<R extends RunVpExit["exitReason"]>(reason: R): Extract<RunVpExit, { readonly exitReason: R }> {
    const exit = this.run();
    expectMatch("exitReason", reasonName(exit.exitReason), reasonName(reason));
    return exit as Extract<RunVpExit, { readonly exitReason: R }>;
  }
}

/** The header's name of an exit reason. */
export function reasonName(reason: number): string {
  return (
    Object.entries(WHV_RUN_VP_EXIT_REASON).find(([, value]) => value === reason)?.[0] ?? `0x${reason.toString(16)}`
  );
}

/** The `WHV_REGISTER_NAME` of a short name. */
export function registerCode(name: string): number {
  const code = registerByShortName(name);
  if (code === undefined) throw new RangeError(`${name} is no register's name`);
  return code;
}

/** One register as its platform value. */
export function readRegister(processor: VirtualProcessor, name: string): RegisterValues {
  const values = new RegisterValues(1);
  processor.getRegisters(Uint32Array.of(registerCode(name)), 1, values);
  return values;
}

/** Gives a body a partition that is not set up, and deletes it afterwards. */
export function withPartition<T>(hypervisor: Hypervisor, body: (partition: Partition) => T): T {
  const partition = hypervisor.createPartition();
  try {
    return body(partition);
  } finally {
    partition.dispose();
  }
}

/** Gives a body a guest, and deletes its partition afterwards. */
export function withGuest<T>(hypervisor: Hypervisor, plan: GuestPlan, body: (guest: Guest) => T): T {
  return withPartition(hypervisor, (partition) => body(new Guest(hypervisor, partition, plan)));
}

/** A check that the call fails with one of these HRESULTs. */
export function expectFailure(at: string, call: () => unknown, ...hresults: readonly number[]): void {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const wanted = hresults.length === 0 ? "a WhvError" : `a WhvError with ${hresults.map(hex).join(" or ")}`;
  try {
    call();
  } catch (error) {
    if (!(error instanceof WhvError)) throw new Difference(at, wanted, error instanceof Error ? error.message : error);
    // Not a refusal of this call: the backend lacks the operation.
    if (error.hresult === E_NOTIMPL && !hresults.includes(E_NOTIMPL)) throw error;
    if (hresults.length > 0 && !hresults.includes(error.hresult)) throw new Difference(at, wanted, error.message);
    return;
  }
  throw new Difference(at, wanted, "success");
}

/** One check of a backend. */
export function backendCheck(
  id: string,
  title: string,
  reference: string,
  run: (hypervisor: Hypervisor) => void,
  choice = false,
): BackendCheck {
  return { id: `backend.${id}`, title, reference, choice, subject: "backend", run };
}
