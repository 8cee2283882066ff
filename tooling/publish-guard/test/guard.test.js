import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandFile, workspaceRoot } from "@tooling/build-command";
import { startCounter } from "@tooling/release-rehearsal/loopback-registry.js";
import { publishedFolders, readManifest } from "@tooling/release-rehearsal/publishing.js";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../guard.js";

const manifest = { name: "@whvkit/whv-types", version: "0.3.0" };
const workflow = {
  GITHUB_ACTIONS: "true",
  GITHUB_REF_TYPE: "tag",
  GITHUB_REF_NAME: "v0.3.0",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/",
  NPM_CONFIG_PROVENANCE: "true",
};

describe("a package may be published", () => {
  test("by the workflow on its version's tag, with provenance", () => {
    expect(refusalOf(manifest, workflow, [])).toBe(null);
  });

  test("by a rehearsal, to this machine", () => {
    const rehearsed = { ...manifest, publishConfig: { registry: "http://127.0.0.1:4873/" } };
    expect(refusalOf(rehearsed, {}, ["next.md"])).toBe(null);
  });
});

describe("a package is not published", () => {
  test.each([
    ["from a laptop", {}, [], "never from here"],
    ["on a branch", { ...workflow, GITHUB_REF_TYPE: "branch", GITHUB_REF_NAME: "main" }, [], "not on branch main"],
    ["on another version's tag", { ...workflow, GITHUB_REF_NAME: "v0.2.0" }, [], "not on tag v0.2.0"],
    ["without provenance", { ...workflow, NPM_CONFIG_PROVENANCE: undefined }, [], "with provenance"],
    [
      "without the right to prove itself",
      { ...workflow, ACTIONS_ID_TOKEN_REQUEST_URL: undefined },
      [],
      "id-token: write",
    ],
    ["with changesets that no version has", workflow, ["next.md"], "changesets wait for a version: next.md"],
  ])("%s", (_, environment, changesets, reason) => {
    expect(refusalOf(manifest, environment, changesets)).toContain(reason);
  });

  test("to another machine that looks like this one", () => {
    const disguised = { ...manifest, publishConfig: { registry: "http://127.0.0.1.example:80/" } };
    expect(refusalOf(disguised, {}, [])).toContain("never from here");
  });
});

test("every published package asks the guard before it is published", () => {
  const folders = publishedFolders(workspaceRoot);
  expect(folders.length).toBeGreaterThan(10);
  for (const folder of folders) {
    const { scripts } = readManifest(workspaceRoot, folder);
    expect(scripts.prepublishOnly, folder).toBe("node ../../tooling/publish-guard/main.js");
  }
});

test.each(["npm", "pnpm"])("%s publish on a laptop ends before any request", async (client) => {
  const registry = await startCounter();
  const folder = mkdtempSync(path.join(tmpdir(), "guard-"));
  try {
    for (const tool of ["publish-guard", "release-rehearsal"]) {
      const target = path.join(folder, "tooling", tool);
      mkdirSync(target, { recursive: true });
      for (const file of readdirSync(path.join(workspaceRoot, "tooling", tool))) {
        if (/\.js(on)?$/.test(file)) cpSync(path.join(workspaceRoot, "tooling", tool, file), path.join(target, file));
      }
    }
    mkdirSync(path.join(folder, ".changeset"));
    const target = path.join(folder, "packages/whv-types");
    mkdirSync(target, { recursive: true });
    const { scripts } = readManifest(workspaceRoot, "packages/whv-types");
    writeFileSync(path.join(target, "package.json"), JSON.stringify({ ...manifest, scripts }));

    const command = client === "npm" ? ["npm"] : [process.execPath, commandFile("pnpm", "pnpm")];
    const args = [...command.slice(1), "publish", "--registry", registry.url];
    if (client === "pnpm") args.push("--no-git-checks");
    const { GITHUB_ACTIONS: _, ...env } = process.env;
    const child = spawn(command[0], args, {
      cwd: target,
      env: { ...env, HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part) => {
        output += part;
      });
    }
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect(output).toContain("@whvkit/whv-types is not published: packages are published by the release workflow");
    expect(status).not.toBe(0);
    expect(registry.requests).toEqual([]);
  } finally {
    registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
