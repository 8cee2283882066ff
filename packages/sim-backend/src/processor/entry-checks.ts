/**
 * What must fit together in the registers before a processor can run at all: the checks that VM entry makes of guest
 * state (Intel SDM volume 3, 27.3; AMD APM volume 2, 15.5). A state that fails them is not a guest's fault but its
 * host's, and ends `run` with InvalidVpRegisterValue.
 */

import {
  Cr0,
  Cr4,
  Efer,
  Flag,
  isCanonical,
  type RegisterFile,
  RegisterOffset,
  Segment,
  SegmentAttribute,
  segmentAttributes,
  segmentBaseHigh,
  segmentBaseLow,
  segmentLimit,
  segmentSelector,
} from "@whvkit/x86-semantics";
import type { EventState } from "./event-state.ts";

/** Why the state cannot run, for people; null when it can. */
export function findInvalidState(registers: RegisterFile, events: EventState): string | null {
  const { words } = registers;
  const cr0 = words[RegisterOffset.cr0 >> 2];
  const cr4 = words[RegisterOffset.cr4 >> 2];
  const efer = words[RegisterOffset.efer >> 2];
  const flags = words[RegisterOffset.rflags >> 2];
  const paging = (cr0 & Cr0.PG) !== 0;
  const isProtected = (cr0 & Cr0.PE) !== 0;
  const longMode = (efer & Efer.LMA) !== 0;
  if (paging && !isProtected) return "Cr0 has PG without PE";
  if ((cr0 & Cr0.NW) !== 0 && (cr0 & Cr0.CD) === 0) return "Cr0 has NW without CD";
  if (longMode !== (paging && (efer & Efer.LME) !== 0)) return "Efer.LMA does not follow from Efer.LME and Cr0.PG";
  if (longMode && (cr4 & Cr4.PAE) === 0) return "Efer.LMA without Cr4.PAE";
  if (longMode && (flags & Flag.VM) !== 0) return "Rflags.VM in long mode";
  if (!isProtected && (flags & Flag.VM) !== 0) return "Rflags.VM without Cr0.PE";
  const cs = segmentAttributes(registers, Segment.cs);
  const code64 = longMode && (cs & SegmentAttribute.long) !== 0;
  if (code64 && (cs & SegmentAttribute.default) !== 0) return "Cs has L and D in long mode";
  const ripHigh = words[(RegisterOffset.rip >> 2) + 1];
  if (code64 ? !isCanonical(ripHigh, (cr4 & Cr4.LA57) !== 0) : ripHigh !== 0)
    return "Rip is not an address of this mode";
  if ((flags & Flag.VM) !== 0) {
    const invalid = findInvalidVirtual8086(registers);
    if (invalid !== null) return invalid;
  } else if (isProtected) {
    if ((cs & SegmentAttribute.present) === 0) return "Cs is not present";
    // Type 3, accessed writable data, is what CS holds between real mode and the first far jump (SDM: unrestricted guests).
    const isCode = (cs & SegmentAttribute.code) !== 0 || (cs & SegmentAttribute.type) === 3;
    if ((cs & SegmentAttribute.nonSystem) === 0 || !isCode) return "Cs is no code segment";
  }
  return findInvalidEvent(flags, events);
}

/** In virtual-8086 mode every segment is what a load there makes of it. */
function findInvalidVirtual8086(registers: RegisterFile): string | null {
  for (let segment: number = Segment.es; segment <= Segment.gs; segment++) {
    const regular =
      segmentBaseLow(registers, segment) === segmentSelector(registers, segment) << 4 &&
      segmentBaseHigh(registers, segment) === 0 &&
      segmentLimit(registers, segment) === 0xffff &&
      (segmentAttributes(registers, segment) & 0xff) === 0xf3;
    if (!regular) return "a segment register does not fit virtual-8086 mode";
  }
  return null;
}

/** An event to inject must be one that exists, and an interrupt one that the guest can take now. */
function findInvalidEvent(flags: number, events: EventState): string | null {
  const [event = 0] = events.interruption;
  if ((event & 1) === 0) return null;
  const type = (event >> 1) & 7;
  const vector = event >>> 16;
  if (type !== 0 && type !== 2 && type !== 3) return "PendingInterruption has an unknown type";
  if (vector > 0xff || (type === 3 && vector > 31) || (type === 2 && vector !== 2))
    return "PendingInterruption has an impossible vector";
  if (type === 0 && (flags & Flag.IF) === 0) return "PendingInterruption is an interrupt and Rflags.IF is clear";
  if (type === 0 && events.interruptShadow) return "PendingInterruption is an interrupt in an interrupt shadow";
  return null;
}
