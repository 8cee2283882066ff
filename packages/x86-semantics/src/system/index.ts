/** System operations that any machine can call: what instructions do beyond data flow. */
export { Cr0, Cr4, Efer } from "./control-bits.ts";
export { Descriptor, isNullSelector, readDescriptor, SystemType } from "./descriptor.ts";
export { farCall, farJump, farReturn } from "./far-transfer.ts";
export {
  clearInterruptFlag,
  ioPrivilegeSuffices,
  mergeFlags,
  setInterruptFlag,
  writableFlags,
  writeFlags,
} from "./flags-image.ts";
export { deliverEvent, EventKind } from "./interrupt-delivery.ts";
export { interruptReturn } from "./interrupt-return.ts";
export {
  codeBits,
  currentPrivilege,
  ioPrivilege,
  is64Bit,
  isCanonical,
  isLongMode,
  isParagraphMode,
  isProtected,
  isVirtual8086,
  SegmentAttribute,
  segmentAttributes,
  segmentBaseHigh,
  segmentBaseLow,
  segmentLimit,
  segmentSelector,
  setInstructionPointer,
  setSegment,
  stackAddressSize,
} from "./processor-mode.ts";
export { loadLocalDescriptorTable, loadSegment, loadTaskRegister } from "./segment-load.ts";
export { Inspection, inspectSelector } from "./selector-inspection.ts";
export { swapGs, sysenter, sysexit, systemCall, systemReturn } from "./system-call.ts";
export { checkPortBitmap } from "./task-state.ts";
