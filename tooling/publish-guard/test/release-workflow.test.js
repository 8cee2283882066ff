// The workflow that publishes, held to RELEASING.md: on a tag only, tests first, with provenance, naming no registry, and by
// the command that the rehearsal runs.
import { readFileSync } from "node:fs";
import path from "node:path";
import { workspaceRoot } from "@tooling/build-command";
import { publishCommand, publishedFolders, readManifest } from "@tooling/release-rehearsal/publishing.js";
import { expect, test } from "vitest";
import { parse } from "yaml";

const source = readFileSync(path.join(workspaceRoot, ".github/workflows/release.yml"), "utf8");
const workflow = parse(source);
const { test: testing, publish } = workflow.jobs;
/** @type {any[]} */
const steps = publish.steps;
const root = readManifest(workspaceRoot, ".");

test("it runs on a version's tag, and on nothing else", () => {
  expect(workflow.on).toEqual({ push: { tags: ["v*"] } });
});

test("everything is tested before anything is published", () => {
  expect(testing.steps.at(-1).run).toBe("bash .ci/run");
  expect(publish.needs).toBe("test");
});

test("only the publishing job may identify itself, and nothing may write to the repository", () => {
  expect(workflow.permissions).toEqual({ contents: "read" });
  expect(testing.permissions).toBe(undefined);
  expect(publish.permissions).toEqual({ contents: "read", "id-token": "write" });
});

test("it publishes by the command that is rehearsed, with provenance, last", () => {
  const quoted = publishCommand.map((word) => (/[*]/.test(word) ? `"${word}"` : word));
  const { run, env } = steps.at(-1);
  expect(run).toBe(`npx -y ${root.packageManager} ${quoted.join(" ")}`);
  expect(env.NPM_CONFIG_PROVENANCE).toBe("true");
  expect(steps.filter((step) => /\bpublish\b/.test(step.run ?? ""))).toHaveLength(1);
});

test("it names no registry: neither an address, nor a setting of one", () => {
  expect(source).not.toMatch(/https?:\/\/|registry-url|--registry\b|registry=(?!\$\(npm config get registry\))/);
  expect(source).not.toMatch(/\bregistry\.[a-z]/);
});

test("every package has what provenance is checked against, and is public", () => {
  for (const folder of publishedFolders(workspaceRoot)) {
    const { repository, publishConfig } = readManifest(workspaceRoot, folder);
    expect(repository, folder).toEqual({
      type: "git",
      url: "git+https://github.com/whvkit/whvkit.git",
      directory: folder,
    });
    expect(publishConfig, folder).toEqual({ access: "public" });
  }
});
