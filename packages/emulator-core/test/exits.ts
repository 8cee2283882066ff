/** Exit contexts for tests, in few words: what is left out is what a 64-bit kernel would have. */
import {
  IoPortAccessContextView,
  MemoryAccessContextView,
  VpExitContextView,
  type WHV_X64_SEGMENT_REGISTER,
} from "@whvkit/whv-types";

export interface VpInit {
  mode?: 16 | 32 | 64;
  /** Real mode: CR0.PE clear. */
  real?: boolean;
  cpl?: number;
  rip?: bigint;
  rflags?: bigint;
  instructionLength?: number;
  interruptShadow?: boolean;
  interruptionPending?: boolean;
  debugActive?: boolean;
  cr0Am?: boolean;
  csBase?: bigint;
  csLimit?: number;
  /** EFER.LMA; by default in 64-bit mode only. */
  longMode?: boolean;
}

export function vpExit(init: VpInit = {}): VpExitContextView {
  const mode = init.mode ?? 64;
  const attributes =
    (init.real ? 0x9b : 0x809b | ((init.cpl ?? 0) << 5)) | (mode === 64 ? 0x2000 : mode === 32 ? 0x4000 : 0);
  return VpExitContextView.from({
    executionState: {
      cpl: init.cpl ?? 0,
      cr0Pe: !init.real,
      cr0Am: init.cr0Am ?? false,
      eferLma: init.longMode ?? mode === 64,
      debugActive: init.debugActive ?? false,
      interruptionPending: init.interruptionPending ?? false,
      interruptShadow: init.interruptShadow ?? false,
    },
    instructionLength: init.instructionLength ?? 0,
    cs: {
      base: init.csBase ?? 0n,
      limit: init.csLimit ?? (mode === 16 ? 0xffff : 0xffff_ffff),
      selector: 8,
      attributes,
    },
    rip: init.rip ?? 0x1000n,
    rflags: init.rflags ?? 2n,
  });
}

export interface MemoryInit {
  bytes?: readonly number[];
  byteCount?: number;
  accessType?: number;
  gvaValid?: boolean;
  gva?: bigint;
  gpa?: number;
}

/** A memory exit; with a `gpa`, the guest-virtual address is valid and the same unless given. */
export function memoryExit(init: MemoryInit = {}): MemoryAccessContextView {
  const bytes = new Uint8Array(16);
  bytes.set(init.bytes ?? []);
  return MemoryAccessContextView.from({
    instructionByteCount: init.byteCount ?? init.bytes?.length ?? 0,
    instructionBytes: bytes,
    accessInfo: {
      accessType: init.accessType ?? 0,
      gpaUnmapped: true,
      gvaValid: init.gvaValid ?? init.gpa !== undefined,
    },
    gpa: init.gpa ?? 0,
    gva: init.gva ?? BigInt(init.gpa ?? 0),
  });
}

export interface PortInit {
  bytes?: readonly number[];
  byteCount?: number;
  port?: number;
  size?: number;
  isWrite?: boolean;
  stringOp?: boolean;
  repPrefix?: boolean;
  rax?: bigint;
  rcx?: bigint;
  rsi?: bigint;
  rdi?: bigint;
  ds?: Partial<WHV_X64_SEGMENT_REGISTER>;
  es?: Partial<WHV_X64_SEGMENT_REGISTER>;
}

const flat = { base: 0n, limit: 0xffff_ffff, selector: 0x10, attributes: 0xc093 };

export function portExit(init: PortInit = {}): IoPortAccessContextView {
  const bytes = new Uint8Array(16);
  bytes.set(init.bytes ?? []);
  return IoPortAccessContextView.from({
    instructionByteCount: init.byteCount ?? init.bytes?.length ?? 0,
    instructionBytes: bytes,
    accessInfo: {
      isWrite: init.isWrite ?? false,
      accessSize: init.size ?? 1,
      stringOp: init.stringOp ?? false,
      repPrefix: init.repPrefix ?? false,
    },
    portNumber: init.port ?? 0x60,
    rax: init.rax ?? 0n,
    rcx: init.rcx ?? 0n,
    rsi: init.rsi ?? 0n,
    rdi: init.rdi ?? 0n,
    ds: { ...flat, ...init.ds },
    es: { ...flat, ...init.es },
  });
}
