/**
 * What this host offers to the native backend, and what to enable where something is missing: the backend's part of
 * `whv doctor`. Asking changes nothing and throws nothing.
 */
import { existsSync } from "node:fs";
import { release } from "node:os";
import {
  WHV_CAPABILITY_CODE as Capability,
  CapabilityFeaturesView,
  E_ACCESSDENIED,
  type WHV_CAPABILITY_FEATURES,
  WHV_PROCESSOR_VENDOR,
  WhvError,
  WIN_HV_EMULATION_FUNCTIONS,
  WIN_HV_PLATFORM_FUNCTIONS,
} from "@whvkit/whv-types";
import { createWinHypervisor, type WinHypervisor } from "../hypervisor/win-hypervisor.ts";
import { kernel32 } from "../native/kernel32.ts";
import { unsupportedHost } from "../native/native-support.ts";
import { type LibraryName, libraryPath, type NativeLibraryOptions, systemLibrary } from "../native/system-library.ts";

/**
 * One of the platform's libraries on this host.
 *
 * @public
 */
export interface LibraryDescription {
  /** Where it is looked for; empty where there is no Windows. */
  readonly path: string;
  /** The file is there. */
  readonly present: boolean;
  /** Why it cannot be used, for people; `null` where it can. */
  readonly problem: string | null;
  /** Functions of the headers that this version lacks. Empty where the library cannot be used. */
  readonly missingFunctions: readonly string[];
}

/**
 * What this host offers to the native backend.
 *
 * @public
 */
export interface HostDescription {
  /** System, its version, and architecture: `"win32 10.0.22631 x64"`. */
  readonly platform: string;
  /** Partitions can be created here. */
  readonly canRunGuests: boolean;
  /** `WinHvPlatform.dll`. */
  readonly platformLibrary: LibraryDescription;
  /** `WinHvEmulation.dll`; guests can run without it, on the TypeScript emulator. */
  readonly emulationLibrary: LibraryDescription;
  /** `WHvCapabilityCodeHypervisorPresent`; `null` where nobody can be asked. */
  readonly hypervisorPresent: boolean | null;
  /** `WHvCapabilityCodeFeatures`; `null` where nobody can be asked. */
  readonly features: WHV_CAPABILITY_FEATURES | null;
  /** Name of `WHvCapabilityCodeProcessorVendor`, for instance `"Intel"`; `null` where nobody can be asked. */
  readonly processorVendor: string | null;
  /** What to do so that guests can run, one step each; empty where they can. */
  readonly advice: readonly string[];
}

const ENABLE_FEATURE =
  'Enable the Windows feature "Windows Hypervisor Platform" and restart. In a terminal of an administrator: dism /online /enable-feature /featurename:HypervisorPlatform /all';
const ENABLE_FIRMWARE =
  "Enable virtualisation in the firmware (Intel VT-x with EPT, or AMD-V with nested paging; often called SVM). Inside a virtual machine, its host must allow nested virtualisation.";
const CHECK_FIRMWARE = `If it does not run after that: ${ENABLE_FIRMWARE}`;
const ENABLE_LAUNCH =
  "If the feature is enabled already, the hypervisor may be kept from starting. In a terminal of an administrator: bcdedit /set hypervisorlaunchtype auto, then restart.";
const GET_RIGHTS =
  'Windows refused for want of rights. The platform needs no administrator by default: try a terminal that is not restricted, or add this user to the group "Hyper-V Administrators" and sign in again.';

/** `PF_VIRT_FIRMWARE_ENABLED` of `IsProcessorFeaturePresent`. It says no also where a hypervisor runs already. */
const VIRTUALISATION_IN_FIRMWARE = 21;

/**
 * Describes this host.
 *
 * @example
 * ```ts
 * import { describeHost } from "@whvkit/win-backend";
 * const host = describeHost();
 * host.canRunGuests || host.advice.length > 0; // true
 * if (!host.canRunGuests) for (const step of host.advice) console.log(step);
 * ```
 *
 * @public
 */
export function describeHost(options: NativeLibraryOptions = {}): HostDescription {
  const platform = `${process.platform} ${release()} ${process.arch}`;
  const platformLibrary = describeLibrary("WinHvPlatform.dll", options, Object.keys(WIN_HV_PLATFORM_FUNCTIONS));
  const emulationLibrary = describeLibrary("WinHvEmulation.dll", options, Object.keys(WIN_HV_EMULATION_FUNCTIONS));
  const libraries = { platform, platformLibrary, emulationLibrary };
  if (platformLibrary.problem !== null) {
    const nothing = { canRunGuests: false, hypervisorPresent: null, features: null, processorVendor: null };
    return { ...libraries, ...nothing, advice: adviceWithoutLibrary(platformLibrary) };
  }
  const hypervisor = createWinHypervisor(options);
  let hypervisorPresent: boolean | null = null;
  let failure: unknown = null;
  try {
    hypervisorPresent = hypervisor.getCapability(Capability.WHvCapabilityCodeHypervisorPresent) !== 0n;
    if (hypervisorPresent) hypervisor.createPartition().dispose();
  } catch (error) {
    failure = error;
  }
  return {
    ...libraries,
    canRunGuests: hypervisorPresent === true && failure === null,
    hypervisorPresent,
    features: answerOf(() => featuresOf(hypervisor)),
    processorVendor: answerOf(() => vendorOf(hypervisor)),
    advice:
      failure === null ? (hypervisorPresent === true ? [] : adviceWithoutHypervisor()) : adviceForFailure(failure),
  };
}

function describeLibrary(name: LibraryName, options: NativeLibraryOptions, functions: string[]): LibraryDescription {
  let path = "";
  let present = false;
  try {
    path = libraryPath(name, options, "describeHost");
    present = existsSync(path);
    const library = systemLibrary(name, options, "describeHost");
    return { path, present, problem: null, missingFunctions: functions.filter((each) => !library.exports(each)) };
  } catch (error) {
    return { path, present, problem: messageOf(error), missingFunctions: [] };
  }
}

function adviceWithoutLibrary({ path, present, problem }: LibraryDescription): string[] {
  if (unsupportedHost() !== null) return [`${problem ?? ""}. Guests run on the simulator here.`];
  // Windows cannot be asked where its libraries are: koffi is missing, or does not work.
  if (path === "") return [`${problem ?? ""}. Installations that leave out optional packages lack it.`];
  // The file is there: enabling the feature does not mend it.
  if (present) return [`${problem ?? ""}. Repair the files of Windows (sfc /scannow), or enable the feature again.`];
  return virtualisationInFirmware() ? [ENABLE_FEATURE] : [ENABLE_FEATURE, CHECK_FIRMWARE];
}

function adviceWithoutHypervisor(): string[] {
  const rest = [ENABLE_FEATURE, ENABLE_LAUNCH];
  return virtualisationInFirmware() ? rest : [ENABLE_FIRMWARE, ...rest];
}

function virtualisationInFirmware(): boolean {
  return kernel32("describeHost").IsProcessorFeaturePresent(VIRTUALISATION_IN_FIRMWARE) !== 0;
}

function adviceForFailure(failure: unknown): string[] {
  if (failure instanceof WhvError && failure.hresult === E_ACCESSDENIED) return [GET_RIGHTS];
  return [
    `The hypervisor refuses: ${failure instanceof Error ? failure.message : String(failure)}. Restart Windows if the feature was enabled just now; other virtual machine programs may hold the processor's virtualisation.`,
  ];
}

function featuresOf(hypervisor: WinHypervisor): WHV_CAPABILITY_FEATURES {
  const features = new CapabilityFeaturesView(new DataView(new ArrayBuffer(CapabilityFeaturesView.size)));
  hypervisor.readCapability(Capability.WHvCapabilityCodeFeatures, features.bytes);
  return features.toObject();
}

function vendorOf(hypervisor: WinHypervisor): string {
  const vendor = Number(hypervisor.getCapability(Capability.WHvCapabilityCodeProcessorVendor));
  const known = Object.entries(WHV_PROCESSOR_VENDOR).find(([, value]) => value === vendor);
  return known?.[0].replace("WHvProcessorVendor", "") ?? `vendor ${vendor}`;
}

/** What the platform answers, `null` where it refuses: a host is described as far as it goes. */
function answerOf<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof WhvError) return null;
    throw error;
  }
}

/** What is wrong, without the operation that a WhvError puts before it. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof WhvError ? message.replace(/^\w+ failed with 0x[0-9a-f]{8}: /, "") : message;
}
