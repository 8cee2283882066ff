/**
 * Loads and stores of interpreted instructions: a look into the translation cache, and the access itself where the look
 * finds the page. Everything else (page walks, accesses across pages, segments that are not plain, memory with decoded
 * instructions in it) is the machine's, by a call.
 */

import { type IntegerType, Intent, type Local, MachineAccess, type Push, RegisterOffset } from "@whvkit/x86-semantics";
import { FrameOffset } from "./engine-frame.ts";

/** Addresses that interpreted code has in it. */
export interface InterpreterLayout {
  /** The processor's state. */
  readonly state: number;
  /** Its {@link EngineFrame}. */
  readonly frame: number;
  /** One byte for each page of the arena: not 0 where it holds decoded instructions. */
  readonly codePages: number;
}

type MemoryType = IntegerType | "v128";

const SIZE = { i8: 1, i16: 2, i32: 4, i64: 8, v128: 16 } as const satisfies Record<MemoryType, number>;
const LOAD = {
  i8: "i32.load8_u",
  i16: "i32.load16_u",
  i32: "i32.load",
  i64: "i64.load",
  v128: "v128.load",
} as const satisfies Record<MemoryType, string>;
const STORE = {
  i8: "i32.store8",
  i16: "i32.store16",
  i32: "i32.store",
  i64: "i64.store",
  v128: "v128.store",
} as const satisfies Record<MemoryType, string>;

/** Offset in an entry of the translation cache of the arena page. */
const ENTRY_PAGE = 8;
/** Bits of a page number that choose the entry, where 16 bytes an entry put them. */
const ENTRY_MASK = 0xff0;

export class GuestAccess extends MachineAccess {
  private readonly layout: InterpreterLayout;
  /** 64-bit mode: no segment limits. */
  private readonly long: boolean;

  constructor(layout: InterpreterLayout, long: boolean, ...parts: ConstructorParameters<typeof MachineAccess>) {
    super(...parts);
    this.layout = layout;
    this.long = long;
  }

  override load(type: MemoryType, segment: Push, address: Local, intent: number, result: Local): void {
    if ((intent & Intent.system) !== 0) {
      super.load(type, segment, address, intent, result);
      return;
    }
    const { code } = this;
    const entry = this.find(segment, address, SIZE[type], intent);
    code.if();
    this.place(entry, address);
    code.load(LOAD[type]);
    code.set(result);
    code.else();
    super.load(type, segment, address, intent, result);
    code.end();
  }

  override store(type: MemoryType, segment: Push, address: Local, value: Local, intent: number): void {
    if ((intent & Intent.system) !== 0) {
      super.store(type, segment, address, value, intent);
      return;
    }
    const { code } = this;
    const done = code.block();
    const entry = this.find(segment, address, SIZE[type], intent);
    code.if();
    code.get(entry);
    code.load("i32.load", ENTRY_PAGE);
    code.i32(12);
    code.op("i32.shr_u");
    code.load("i32.load8_u", this.layout.codePages);
    code.op("i32.eqz");
    code.if();
    this.place(entry, address);
    code.get(value);
    code.store(STORE[type]);
    code.branch(done);
    code.end();
    code.end();
    super.store(type, segment, address, value, intent);
    code.end();
  }

  /** Pushes whether the access may be made without the machine; the answer is the cache entry to make it with. */
  private find(segment: Push, address: Local, size: number, intent: number): Local {
    const { code, layout } = this;
    const writes = (intent & Intent.write) !== 0;
    const entry = this.scope.local("i32");
    code.address(0);
    code.load("i32.load", layout.frame + (writes ? FrameOffset.writes : FrameOffset.reads));
    code.get(address);
    code.op("i32.wrap_i64");
    code.i32(8);
    code.op("i32.shr_u");
    code.i32(ENTRY_MASK);
    code.op("i32.and");
    code.op("i32.add");
    code.tee(entry);
    // The tag is the page's last byte; an access that leaves the page has its own last byte in another.
    code.load("i64.load");
    code.get(address);
    if (size > 1) {
      code.i64(size - 1);
      code.op("i64.add");
    }
    code.i64(0xfff);
    code.op("i64.or");
    code.op("i64.eq");
    if (!this.long) {
      this.insideSegment(segment, address, size, writes);
      code.op("i32.and");
    }
    return entry;
  }

  /** Pushes whether the access lies below the limit of its segment. */
  private insideSegment(segment: Push, address: Local, size: number, writes: boolean): void {
    const { code, layout } = this;
    const place = this.scope.local("i32");
    segment();
    code.i32(4);
    code.op("i32.shl");
    code.set(place);
    code.get(address);
    code.op("i32.wrap_i64");
    code.get(place);
    code.load("i32.load", layout.state + RegisterOffset.segments);
    code.op("i32.sub");
    code.op("i64.extend_i32_u");
    if (size > 1) {
      code.i64(size - 1);
      code.op("i64.add");
    }
    code.get(place);
    code.load("i64.load", layout.frame + FrameOffset.limits + (writes ? 8 : 0));
    code.op("i64.le_s");
  }

  /** Pushes the arena address behind a linear one. */
  private place(entry: Local, address: Local): void {
    const { code } = this;
    code.get(entry);
    code.load("i32.load", ENTRY_PAGE);
    code.get(address);
    code.op("i32.wrap_i64");
    code.i32(0xfff);
    code.op("i32.and");
    code.op("i32.add");
  }
}
