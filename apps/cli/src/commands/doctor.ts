/** `whv doctor`: what this host can do, and what to do where something is missing. */
import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { Command } from "commander";
import { exitStatus } from "../command-error.ts";
import type { Output } from "../command-host.ts";
import type { CommandContext } from "../main.ts";

interface Finding {
  readonly what: string;
  /** `null`: worth knowing, neither good nor bad. */
  readonly good: boolean | null;
  readonly detail: string;
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description("Say what this host can do, and what to enable.")
    .addHelpText(
      "after",
      `
Exit status 1 when something that whv needs is missing.

Example:
  $ whv doctor`,
    )
    .action(async () => {
      const { output, quiet } = context;
      for (const { what, good, detail } of findings()) {
        if (quiet && good !== false) continue;
        await output.line(`${mark(good, output)}  ${what}: ${detail}`);
        if (good === false) context.status = exitStatus.failure;
      }
    });
}

/** Two columns wide. */
function mark(good: boolean | null, output: Output): string {
  if (good === null) return output.style("dim", "- ");
  return good ? output.style("green", "ok") : output.style("red", "no");
}

function findings(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const nodeIsNew = major > 20 || (major === 20 && minor >= 19);
  const gibibytes = (totalmem() / 2 ** 30).toFixed(1);
  return [
    {
      what: "Node.js",
      good: nodeIsNew,
      detail: nodeIsNew ? process.versions.node : `${process.versions.node}; whv needs 20.19 or newer`,
    },
    {
      what: "WebAssembly",
      good: webAssemblyWorks(),
      detail: webAssemblyWorks() ? "available" : "switched off in this Node.js",
    },
    { what: "simulator backend", good: true, detail: "runs here; it needs no hypervisor" },
    { what: "native backend", good: null, detail: nativeBackend() },
    {
      what: "host",
      good: null,
      detail: `${process.platform} ${release()} ${process.arch}, ${availableParallelism()} processors (${cpus()[0]?.model.trim() ?? "unknown"}), ${gibibytes} GiB`,
    },
  ];
}

/** The smallest module there is. */
function webAssemblyWorks(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
}

function nativeBackend(): string {
  if (process.platform === "win32") return "not in this version; guests run on the simulator";
  return "the Windows Hypervisor Platform is part of Windows; here guests run on the simulator";
}
