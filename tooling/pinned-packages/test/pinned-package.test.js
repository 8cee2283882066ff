import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasPinnedPackage, unpackPinned } from "../pinned-package.js";

let folder = "";
let tarball = "";
let sha512 = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "pinned-"));
  const source = path.join(folder, "source");
  mkdirSync(path.join(source, "package"), { recursive: true });
  writeFileSync(path.join(source, "package/answer.txt"), "42");
  mkdirSync(path.join(folder, "fetched"));
  tarball = path.join(folder, "fetched/answer.tgz");
  execFileSync("tar", ["czf", tarball, "-C", source, "package"]);
  sha512 = createHash("sha512").update(readFileSync(tarball)).digest("base64");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a tarball of the pinned content is unpacked and known again", () => {
  const target = path.join(folder, "cache/answer");
  unpackPinned(tarball, { sha512 }, target);
  expect(readFileSync(path.join(target, "answer.txt"), "utf8")).toBe("42");
  expect(hasPinnedPackage({ sha512 }, target)).toBe(true);
});

test("a tarball of another content is refused, and nothing is unpacked", () => {
  const target = path.join(folder, "cache/answer");
  const other = createHash("sha512").update("another").digest("base64");
  expect(() => unpackPinned(tarball, { sha512: other }, target)).toThrow(`the tarball's sha512 is ${sha512}`);
  expect(existsSync(target)).toBe(false);
});

test("an older pin's content is not taken for the new one's, and is replaced", () => {
  const target = path.join(folder, "cache/answer");
  mkdirSync(target, { recursive: true });
  writeFileSync(path.join(target, "old.txt"), "41");
  expect(hasPinnedPackage({ sha512 }, target)).toBe(false);
  unpackPinned(tarball, { sha512 }, target);
  expect(existsSync(path.join(target, "old.txt"))).toBe(false);
});
