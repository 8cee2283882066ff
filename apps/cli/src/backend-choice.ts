/**
 * The backends and emulators that options name, as values. The native ones are imported when they are asked for; where they
 * cannot be used, one error says why and what to enable.
 */
import type { CreateEmulator } from "@whvkit/conformance";
import type { Hypervisor } from "@whvkit/whv-types";
import type { HostDescription } from "@whvkit/win-backend";
import { emulatorSource } from "./cases/emulator-source.ts";
import { WorkError } from "./command-error.ts";

/** Values of `--backend`; `auto` is `win` where that can run guests, else `sim`. */
export const backendNames = ["sim", "win", "auto"] as const;
export type BackendName = (typeof backendNames)[number];

/** Values of `--emulator`: the TypeScript emulator, or Microsoft's of `WinHvEmulation.dll`. */
export const emulatorNames = ["ts", "native"] as const;
export type EmulatorName = (typeof emulatorNames)[number];

/** The backend of this name; on `win` a run lasts at most `maxRunMilliseconds`, if that is given. */
export async function backendCalled(name: BackendName, maxRunMilliseconds?: number): Promise<Hypervisor> {
  const { simHypervisor } = await import("@whvkit/sim-backend");
  if (name === "sim") return simHypervisor;
  const { createWinHypervisor, describeHost, winHypervisor } = await import("@whvkit/win-backend");
  const host = describeHost();
  if (host.canRunGuests)
    return maxRunMilliseconds === undefined ? winHypervisor : createWinHypervisor({ maxRunMilliseconds });
  if (name === "auto") return simHypervisor;
  throw new WorkError(unusable(host));
}

/** What makes emulators of this name. */
export async function emulatorCalled(name: EmulatorName): Promise<CreateEmulator> {
  if (name === "ts") return emulatorSource.createEmulator;
  const { createNativeEmulator, describeHost } = await import("@whvkit/win-backend");
  const { problem } = describeHost().emulationLibrary;
  if (problem !== null) throw new WorkError(`the native emulator cannot be used: ${problem}`);
  // Creation options are those of the TypeScript emulator; the native one takes none.
  return (callbacks) => createNativeEmulator(callbacks);
}

/** Why guests cannot run on the native backend, and what to do about it, a step a line. */
function unusable({ platformLibrary, advice }: HostDescription): string {
  const why = platformLibrary.problem ?? "it cannot run guests on this host";
  // No path: Windows cannot be called at all, and the reason says all there is to say.
  const steps = platformLibrary.path === "" ? [] : advice;
  return [`the backend win cannot be used: ${why}`, ...steps].join("\n");
}
