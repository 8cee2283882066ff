// Each test is a little repository with one package, released as 0.1.0 on `main`.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { unannouncedChanges } from "../unannounced-changes.js";

let root = "";
const git = (/** @type {string[]} */ ...args) => {
  const who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...who, ...args], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
};
const write = (/** @type {string} */ file, /** @type {string} */ text) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};
const commit = (/** @type {Record<string, string>} */ files) => {
  for (const [file, text] of Object.entries(files)) write(file, text);
  git("add", "--all");
  git("commit", "--quiet", "--allow-empty", "--message", "change");
};
const manifest = (/** @type {string} */ version) => JSON.stringify({ name: "@whvkit/one", version });
const report = "packages/one/etc/one.api.md";
const changeset = '---\n"@whvkit/one": minor\n---\n\nOne more.\n';
const ask = () => unannouncedChanges(root, {});

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "changes-"));
  git("init", "--quiet", "--initial-branch", "main");
  commit({ "packages/one/package.json": manifest("0.1.0"), [report]: "first\n", ".changeset/config.json": "{}" });
  git("tag", "v0.1.0");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("nothing changed, nothing is missing", () => {
  expect(ask()).toEqual({ unannounced: [], notes: [] });
});

describe("on a branch", () => {
  beforeEach(() => git("checkout", "--quiet", "-b", "branch"));

  const missing = [
    "@whvkit/one: its public API changed since the base branch, and no changeset of it is new",
    "@whvkit/one: its public API changed since v0.1.0, and no pending changeset names it",
  ];

  test("a changed report without a changeset is found", () => {
    commit({ [report]: "second\n" });
    expect(ask().unannounced).toEqual(missing);
  });

  test("a description that was missing and now is not is no change of the API, another release tag is", () => {
    const before = "// @public (undocumented)\nexport class Bus {\n    // (undocumented)\n    width: number;\n}\n";
    commit({ [report]: before, ".changeset/new.md": changeset });
    git("checkout", "--quiet", "main");
    git("merge", "--quiet", "branch");
    git("checkout", "--quiet", "-b", "later");
    write(report, "// @public\nexport class Bus {\n    width: number;\n}\n");
    expect(ask().unannounced).toEqual([]);
    write(report, "// @beta\nexport class Bus {\n    width: number;\n}\n");
    expect(ask().unannounced).toEqual([missing[0]]);
  });

  test("so is one that is not committed yet", () => {
    write(report, "second\n");
    expect(ask().unannounced).toEqual(missing);
  });

  test("a changeset that names the package answers for it, committed or not", () => {
    commit({ [report]: "second\n" });
    write(".changeset/new.md", changeset);
    expect(ask().unannounced).toEqual([]);
    commit({});
    expect(ask().unannounced).toEqual([]);
  });

  test("a changeset of another package does not", () => {
    commit({ [report]: "second\n", ".changeset/new.md": changeset.replace("one", "two") });
    expect(ask().unannounced).toEqual(missing);
  });

  test("nor does one that the base branch has already", () => {
    git("checkout", "--quiet", "main");
    commit({ [report]: "second\n", ".changeset/old.md": changeset });
    git("checkout", "--quiet", "-b", "later");
    commit({ [report]: "third\n" });
    expect(ask().unannounced).toEqual([missing[0]]);
    write(".changeset/old.md", `${changeset}And another.\n`);
    expect(ask().unannounced).toEqual([]);
  });

  test("a release uses changesets up, and is asked for none", () => {
    git("checkout", "--quiet", "main");
    commit({ [report]: "second\n", ".changeset/old.md": changeset });
    git("checkout", "--quiet", "-b", "release");
    rmSync(path.join(root, ".changeset/old.md"));
    commit({ "packages/one/package.json": manifest("0.2.0") });
    expect(ask().unannounced).toEqual([]);
  });
});

test("on the base branch itself, what was not released needs a pending changeset", () => {
  commit({ [report]: "second\n" });
  expect(ask().unannounced).toEqual([
    "@whvkit/one: its public API changed since v0.1.0, and no pending changeset names it",
  ]);
  write(".changeset/new.md", changeset);
  expect(ask().unannounced).toEqual([]);
});

test("a package that was never released needs a pending changeset, whatever the history", () => {
  write("packages/one/package.json", manifest("0.0.0"));
  expect(ask().unannounced).toEqual(["@whvkit/one: it was never released, and no pending changeset names it"]);
});

test("a clone without history says what it cannot tell", () => {
  commit({ [report]: "second\n" });
  const origin = root;
  root = mkdtempSync(path.join(tmpdir(), "changes-"));
  try {
    rmSync(root, { recursive: true });
    execFileSync("git", ["clone", "--quiet", "--depth", "1", "--no-tags", `file://${origin}`, root], { stdio: "pipe" });
    git("checkout", "--quiet", "--detach");
    git("branch", "--quiet", "-D", "main");
    git("remote", "remove", "origin");
    expect(ask()).toEqual({
      unannounced: [],
      notes: [
        "not asked what changed since the base branch: this clone does not know it",
        "not asked what changed since the last release: this clone does not know it, its history is cut off",
      ],
    });
  } finally {
    rmSync(origin, { recursive: true, force: true });
  }
});
