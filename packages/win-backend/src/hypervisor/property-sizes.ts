/**
 * How many bytes a partition property has that is one integer (`WHV_PARTITION_PROPERTY`, WinHvPlatformDefs.h): the
 * platform wants the size of the member, not of the union.
 */
import { WHV_PARTITION_PROPERTY_CODE as Code } from "@whvkit/whv-types";

/** Bytes of a property's value: 1, 2, 4 or 8. Codes that are not known here are taken for 64-bit. */
export function propertySize(code: number): 1 | 2 | 4 | 8 {
  switch (code) {
    case Code.WHvPartitionPropertyCodeProcessorClFlushSize:
      return 1;
    case Code.WHvPartitionPropertyCodePrimaryNumaNode:
      return 2;
    case Code.WHvPartitionPropertyCodeSeparateSecurityDomain:
    case Code.WHvPartitionPropertyCodeNestedVirtualization:
    case Code.WHvPartitionPropertyCodeCpuReserve:
    case Code.WHvPartitionPropertyCodeCpuCap:
    case Code.WHvPartitionPropertyCodeCpuWeight:
    case Code.WHvPartitionPropertyCodeProcessorFrequencyCap:
    case Code.WHvPartitionPropertyCodeAllowDeviceAssignment:
    case Code.WHvPartitionPropertyCodeDisableSmt:
    case Code.WHvPartitionPropertyCodeLocalApicEmulationMode:
    case Code.WHvPartitionPropertyCodeApicRemoteReadSupport:
    case Code.WHvPartitionPropertyCodeUnimplementedMsrAction:
    case Code.WHvPartitionPropertyCodePhysicalAddressWidth:
    case Code.WHvPartitionPropertyCodeProcessorCount:
      return 4;
    default:
      return 8;
  }
}
