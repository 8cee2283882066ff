/** What this host offers to `whv`, as the object of `whv doctor --json` and as findings for people. */
import { availableParallelism, cpus, totalmem } from "node:os";
import { caseFormat } from "@whvkit/conformance";
import { describeHost, type HostDescription, type LibraryDescription } from "@whvkit/win-backend";

/** The object of `whv doctor --json`. */
export interface HostReport {
  readonly format: typeof caseFormat;
  readonly node: { readonly version: string; readonly supported: boolean };
  readonly webAssembly: boolean;
  readonly host: {
    readonly platform: string;
    readonly processors: number;
    readonly processorModel: string;
    readonly memoryBytes: number;
  };
  readonly backends: {
    readonly sim: { readonly canRunGuests: true };
    readonly win: NativeReport;
  };
}

/** The native backend: {@link HostDescription} without the system, and features by name. */
export interface NativeReport extends Omit<HostDescription, "platform" | "features"> {
  readonly features: Readonly<Record<string, boolean>> | null;
}

/** One line for people. */
export interface Finding {
  readonly what: string;
  /** `null`: worth knowing, neither good nor bad. */
  readonly good: boolean | null;
  readonly detail: string;
}

/** Asks the host. `native` is what the native backend says of it. */
export function hostReport(native: HostDescription = describeHost()): HostReport {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const { platform, features, ...win } = native;
  return {
    format: caseFormat,
    node: { version: process.versions.node, supported: major > 20 || (major === 20 && minor >= 19) },
    webAssembly: webAssemblyWorks(),
    host: {
      platform,
      processors: availableParallelism(),
      processorModel: cpus()[0]?.model.trim() ?? "unknown",
      memoryBytes: totalmem(),
    },
    backends: { sim: { canRunGuests: true }, win: { ...win, features: features && namedFeatures(features) } },
  };
}

/** Whether what `whv` cannot do without is there. The native backend is not: guests run on the simulator. */
export function whvWorks({ node, webAssembly }: HostReport): boolean {
  return node.supported && webAssembly;
}

/** The report for people. */
export function hostFindings({ node, webAssembly, host, backends }: HostReport): Finding[] {
  const gibibytes = (host.memoryBytes / 2 ** 30).toFixed(1);
  return [
    {
      what: "Node.js",
      good: node.supported,
      detail: node.supported ? node.version : `${node.version}; whv needs 20.19 or newer`,
    },
    { what: "WebAssembly", good: webAssembly, detail: webAssembly ? "available" : "switched off in this Node.js" },
    {
      what: "host",
      good: null,
      detail: `${host.platform}, ${host.processors} processors (${host.processorModel}), ${gibibytes} GiB`,
    },
    { what: "simulator backend", good: true, detail: "runs here; it needs no hypervisor" },
    ...nativeFindings(backends.win),
  ];
}

function nativeFindings(win: NativeReport): Finding[] {
  const { canRunGuests, platformLibrary, emulationLibrary, hypervisorPresent, features, processorVendor } = win;
  const about = (what: string, detail: string): Finding => ({ what, good: null, detail });
  // No path: Windows cannot be called at all, and the reason says all there is to say.
  if (platformLibrary.path === "") {
    return [about("native backend", `${platformLibrary.problem}; guests run on the simulator here`)];
  }
  return [
    canRunGuests
      ? { what: "native backend", good: true, detail: "runs guests here: whv run --backend win" }
      : about("native backend", "cannot run guests here yet; they run on the simulator"),
    about("  WinHvPlatform.dll", libraryDetail(platformLibrary)),
    about("  WinHvEmulation.dll", libraryDetail(emulationLibrary)),
    ...(hypervisorPresent === null ? [] : [about("  hypervisor", hypervisorPresent ? "running" : "not running")]),
    ...(processorVendor === null ? [] : [about("  processor", processorVendor)]),
    ...(features === null ? [] : [about("  features", featureDetail(features))]),
    ...win.advice.map((step) => about("  to do", step)),
  ];
}

function libraryDetail({ path, problem, missingFunctions }: LibraryDescription): string {
  if (problem !== null) return problem;
  return missingFunctions.length === 0 ? path : `${path}, an older version without ${missingFunctions.join(", ")}`;
}

function featureDetail(features: Readonly<Record<string, boolean>>): string {
  const present = Object.keys(features).filter((name) => features[name]);
  return present.length === 0 ? "none" : present.join(", ");
}

/** The features that have names. */
function namedFeatures(features: object): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(features).filter((entry): entry is [string, boolean] => typeof entry[1] === "boolean"),
  );
}

/** The smallest module there is. */
function webAssemblyWorks(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
}
