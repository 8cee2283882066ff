/** `whv doctor`: this host, and hosts as the native backend describes them. What it finds on Windows is in windows.test.ts. */
import type { HostDescription } from "@whvkit/win-backend";
import { describe, expect, test } from "vitest";
import { hostFindings, hostReport, whvWorks } from "../src/doctor/host-report.ts";
import { jsonLines, whv } from "./command.ts";

test("says what works", async () => {
  const { status, stdout } = await whv(["doctor"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ok {2}Node\.js: /m);
  expect(stdout).toMatch(/^ok {2}simulator backend: /m);
  expect(stdout).toMatch(/native backend: /);
  expect(await whv(["doctor", "--quiet"])).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("--json", async () => {
  const [report, ...more] = jsonLines(await whv(["doctor", "--json"]));
  expect(more).toEqual([]);
  expect(report).toMatchObject({
    format: 1,
    node: { version: process.versions.node, supported: true },
    webAssembly: true,
    host: { platform: expect.stringContaining(`${process.platform} `), processors: expect.any(Number) },
    backends: { sim: { canRunGuests: true }, win: { canRunGuests: expect.any(Boolean), advice: expect.any(Array) } },
  });
});

test.skipIf(process.platform === "win32")("where there is no Windows, one line says so", async () => {
  const { stdout } = await whv(["doctor"]);
  expect(stdout.match(/Windows Hypervisor Platform/g)).toHaveLength(1);
  expect(stdout).toMatch(
    /^- {3}native backend: the Windows Hypervisor Platform needs .*; guests run on the simulator here$/m,
  );
  const [{ backends }] = jsonLines(await whv(["doctor", "--json"]));
  expect(backends.win).toMatchObject({ canRunGuests: false, hypervisorPresent: null, features: null });
});

describe("on Windows", () => {
  const library = { path: "C:\\Windows\\System32\\X.dll", present: true, problem: null, missingFunctions: [] };
  const enabled: HostDescription = {
    platform: "win32 10.0.22631 x64",
    canRunGuests: true,
    platformLibrary: { ...library, missingFunctions: ["WHvStartPartitionMigration"] },
    emulationLibrary: library,
    hypervisorPresent: true,
    features: {
      partialUnmap: true,
      localApicEmulation: true,
      xsave: false,
      dirtyPageTracking: false,
      speculationControl: false,
      apicRemoteRead: false,
      idleSuspend: false,
      virtualPciDeviceSupport: false,
      iommuSupport: false,
      vpHotAddRemove: false,
      reserved: 1n << 40n,
    },
    processorVendor: "Intel",
    advice: [],
  };
  const lines = (host: HostDescription): string[] =>
    hostFindings(hostReport(host)).map(({ what, good, detail }) => `${good} ${what.trim()}: ${detail}`);

  test("that can run guests", () => {
    expect(lines(enabled)).toEqual(
      expect.arrayContaining([
        "true native backend: runs guests here: whv run --backend win",
        `null WinHvPlatform.dll: ${library.path}, an older version without WHvStartPartitionMigration`,
        `null WinHvEmulation.dll: ${library.path}`,
        "null hypervisor: running",
        "null processor: Intel",
        "null features: partialUnmap, localApicEmulation",
      ]),
    );
    expect(JSON.parse(JSON.stringify(hostReport(enabled))).backends.win.features).toMatchObject({
      partialUnmap: true,
      xsave: false,
    });
  });

  test("that has no hypervisor is told what to enable, and whv works all the same", () => {
    const advice = ["Enable virtualisation in the firmware.", "Enable the feature HypervisorPlatform."];
    const host = { ...enabled, canRunGuests: false, hypervisorPresent: false, advice };
    expect(lines(host)).toEqual(
      expect.arrayContaining([
        "null native backend: cannot run guests here yet; they run on the simulator",
        "null hypervisor: not running",
        ...advice.map((step) => `null to do: ${step}`),
      ]),
    );
    expect(whvWorks(hostReport(host))).toBe(true);
  });

  test("without the feature", () => {
    const missing = { path: library.path, present: false, problem: "it is not there", missingFunctions: [] };
    const unknown = { hypervisorPresent: null, features: null, processorVendor: null };
    const found = lines({
      ...enabled,
      ...unknown,
      canRunGuests: false,
      platformLibrary: missing,
      advice: ["Enable it."],
    });
    expect(found).toEqual(
      expect.arrayContaining(["null WinHvPlatform.dll: it is not there", "null to do: Enable it."]),
    );
    expect(found.join()).not.toMatch(/hypervisor:|features:/);
  });
});

test("a Node.js that is too old is a failure", () => {
  const report = { ...hostReport(), node: { version: "18.0.0", supported: false } };
  expect(whvWorks(report)).toBe(false);
  expect(hostFindings(report)[0]).toEqual({
    what: "Node.js",
    good: false,
    detail: "18.0.0; whv needs 20.19 or newer",
  });
});
