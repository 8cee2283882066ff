/** Where the libraries come from, and what the host is said to offer. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { E_ACCESSDENIED, E_INVALIDARG } from "@whvkit/whv-types";
import { bindWinHvPlatform, createWinHypervisor, describeHost, winHypervisor } from "@whvkit/win-backend";
import { check, libraryDirectory } from "../../../../tooling/windows-stand-ins/suite.ts";
import { assertFails, options, platform } from "./fixtures.ts";

/** Runs with the folder as the working folder and first in PATH, as a program that was started there has it. */
function inSearchPath(folder: string, run: () => void): void {
  const before = { folder: process.cwd(), path: process.env["PATH"] };
  process.chdir(folder);
  process.env["PATH"] = `${folder};${before.path}`;
  try {
    run();
  } finally {
    process.chdir(before.folder);
    process.env["PATH"] = before.path;
  }
}

export function addHostChecks(): void {
  check("the system directory is the only place that is searched, and the answer says what is missing", () => {
    inSearchPath(libraryDirectory, () => {
      const missing = /system32\\WinHvPlatform\.dll is not there; enable the Windows feature HypervisorPlatform/i;
      assertFails(() => winHypervisor.getCapability(0), "WHvGetCapability", 0x8007_007e, missing);
      assertFails(() => winHypervisor.createPartition(), "WHvCreatePartition", 0x8007_007e, missing);
    });
  });

  check("what a library depends on is not taken from the working folder or PATH", () => {
    const folder = (name: string): string => path.win32.join(libraryDirectory, "..", "search-order", name);
    const capability = (name: string): bigint =>
      createWinHypervisor({ libraryDirectory: folder(name) }).getCapability(0);
    inSearchPath(folder("planted"), () => {
      assertFails(
        () => capability("dependent"),
        "WHvGetCapability",
        0x8007_007e,
        /dependent\\WinHvPlatform\.dll cannot be loaded/,
      );
    });
    // Not for another reason: beside the library it is found.
    assert.equal(capability("complete"), 1n);
  });

  check("another folder must be given by absolute path", () => {
    for (const folder of ["", ".", "stand-ins", "\\stand-ins", "C:stand-ins", "..\\x", "/tmp"]) {
      const create = () => createWinHypervisor({ libraryDirectory: folder }).createPartition();
      assertFails(create, "WHvCreatePartition", E_INVALIDARG, /absolute path/);
    }
  });

  check("functions as C has them, bound when they are read", () => {
    const functions = bindWinHvPlatform(options);
    const present = new Uint8Array(4);
    assert.equal(functions.WHvGetCapability(0, present, 4, null), 0);
    assert.equal(present[0], 1);
    assert.equal(functions.WHvGetCapability(0x7777 as 0, present, 4, null), 0x8037_0300, "HRESULTs are unsigned");
    assert.equal(functions.WHvGetCapability, functions.WHvGetCapability);
  });

  check("a host with the platform", () => {
    const host = describeHost(options);
    assert.match(host.platform, /^win32 \d+\.\d+\.\d+ x64$/);
    assert.equal(host.canRunGuests, true);
    assert.equal(host.hypervisorPresent, true);
    assert.deepEqual(host.platformLibrary, {
      path: `${libraryDirectory}\\WinHvPlatform.dll`,
      present: true,
      problem: null,
      missingFunctions: [],
    });
    assert.equal(host.emulationLibrary.problem, null);
    assert.equal(host.features?.dirtyPageTracking, true);
    assert.equal(host.features?.speculationControl, false);
    assert.equal(host.processorVendor, "Intel");
    assert.deepEqual(host.advice, []);
  });

  check("a host without the feature is told to enable it", () => {
    const host = describeHost();
    assert.equal(host.canRunGuests, false);
    assert.equal(host.platformLibrary.present, false);
    assert.equal(host.hypervisorPresent, null);
    assert.match(host.advice.join("\n"), /featurename:HypervisorPlatform/);
  });

  check("a host that refuses for want of rights, and one without a hypervisor", () => {
    platform.fail("WHvCreatePartition", 1, E_ACCESSDENIED);
    const refused = describeHost(options);
    assert.equal(refused.canRunGuests, false);
    assert.match(refused.advice.join("\n"), /Hyper-V Administrators/);
    platform.fail("WHvGetCapability", 1, E_ACCESSDENIED);
    assert.match(describeHost(options).advice.join("\n"), /Hyper-V Administrators/);
    platform.fail("WHvCreatePartition", 1, 0x8037_0303);
    const broken = describeHost(options);
    assert.equal(broken.hypervisorPresent, true);
    assert.equal(broken.advice.length, 1);
    assert.match(broken.advice[0] ?? "", /^The hypervisor refuses: WHvCreatePartition failed with 0x80370303/);
  });

  check("a host whose hypervisor does not run is told of firmware and launch, not of rights", () => {
    platform.hideHypervisor(1);
    try {
      const absent = describeHost(options);
      assert.equal(absent.canRunGuests, false);
      assert.equal(absent.hypervisorPresent, false);
      assert.match(absent.advice.join("\n"), /featurename:HypervisorPlatform[\s\S]*hypervisorlaunchtype/);
      assert.doesNotMatch(absent.advice.join("\n"), /Administrators|koffi/);
    } finally {
      platform.hideHypervisor(0);
    }
  });

  check("a library that is there and cannot be loaded is not mended by enabling the feature", () => {
    const folder = mkdtempSync(path.win32.join(tmpdir(), "whv-"));
    try {
      writeFileSync(path.win32.join(folder, "WinHvPlatform.dll"), "no library");
      const host = describeHost({ libraryDirectory: folder });
      assert.equal(host.platformLibrary.present, true);
      assert.match(host.platformLibrary.problem ?? "", /cannot be loaded/);
      assert.equal(host.advice.length, 1);
      assert.match(host.advice[0] ?? "", /cannot be loaded.*sfc/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
