/** What a backend says that it has: where a check needs more, it is reported as unsupported, by the capability's name. */
import {
  WHV_CAPABILITY_CODE as Capability,
  type Hypervisor,
  WHV_E_UNKNOWN_CAPABILITY,
  WhvError,
} from "@whvkit/whv-types";
import { Unsupported } from "../check.ts";

/** Bits of `WHV_CAPABILITY_FEATURES` that checks need. */
const features = { partialUnmap: 1n, localApicEmulation: 2n, dirtyPageTracking: 8n } as const;

/** Reports a feature that `WHV_CAPABILITY_FEATURES` lacks. */
export function requireFeature(hypervisor: Hypervisor, name: keyof typeof features): void {
  const capable = hypervisor.getCapability(Capability.WHvCapabilityCodeFeatures);
  if ((capable & features[name]) === 0n) {
    throw new Unsupported(`WHV_CAPABILITY_FEATURES.${name}`, `WHvCapabilityCodeFeatures is 0x${capable.toString(16)}`);
  }
}

/** Reports an extended exit that the capability does not name. */
export function requireExtendedExit(hypervisor: Hypervisor, name: string, bit: bigint): void {
  const what = `WHV_EXTENDED_VM_EXITS.${name}`;
  try {
    const capable = hypervisor.getCapability(Capability.WHvCapabilityCodeExtendedVmExits);
    if ((capable & bit) === 0n)
      throw new Unsupported(what, `WHvCapabilityCodeExtendedVmExits is 0x${capable.toString(16)}`);
  } catch (error) {
    if (error instanceof WhvError && error.hresult === WHV_E_UNKNOWN_CAPABILITY)
      throw new Unsupported(what, error.message);
    throw error;
  }
}
