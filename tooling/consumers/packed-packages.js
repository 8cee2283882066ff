// Before the tests of this folder: builds what changed, packs every package as a release would, and lays the contents
// out in an empty folder of the temporary directory as `npm install` would, without asking a registry: the tarballs are
// unpacked into `node_modules/@whvkit`, and what they depend on beyond them is linked from the workspace, in its pinned
// version. Nothing of the sources can be reached from there. The tests find the folder by `inject("consumer")`.
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildWorkspace, packWorkspace, workspaceRoot } from "@tooling/build-command";
import { dependenciesOf } from "./src/manifests.js";

/** @param {import("vitest/node").TestProject} project */
export default function setup(project) {
  const consumer = realpathSync(mkdtempSync(path.join(tmpdir(), "consumer-")));
  const teardown = () => rmSync(consumer, { recursive: true, force: true });
  try {
    if (buildWorkspace("build") !== 0) throw new Error("the packages could not be built");
    install(consumer);
  } catch (error) {
    teardown();
    throw error;
  }
  project.provide("consumer", consumer);
  return teardown;
}

/** @param {string} consumer */
function install(consumer) {
  const tarballs = path.join(consumer, "tarballs");
  const modules = path.join(consumer, "node_modules");
  mkdirSync(tarballs);
  packWorkspace(tarballs);
  writeFileSync(path.join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
  // For those who write for Node in TypeScript.
  link(modules, "@types/node", path.join(workspaceRoot, "node_modules"));
  for (const name of readdirSync(tarballs)) {
    const unpacked = path.join(consumer, "unpacked", name);
    mkdirSync(unpacked, { recursive: true });
    const tar = spawnSync("tar", ["xzf", path.join(tarballs, name), "-C", unpacked], { encoding: "utf8" });
    if (tar.status !== 0) throw new Error(`tar xzf ${name}: ${tar.error ?? tar.stderr}`);
    const folder = path.join(unpacked, "package");
    const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    const { directory } = manifest.repository;
    for (const dependency of Object.keys(dependenciesOf(manifest)))
      if (!dependency.startsWith("@whvkit/"))
        link(modules, dependency, path.join(workspaceRoot, directory, "node_modules"));
    const target = path.join(modules, manifest.name);
    mkdirSync(path.dirname(target), { recursive: true });
    renameSync(folder, target);
  }
}

/**
 * @param {string} modules
 * @param {string} name
 * @param {string} from the `node_modules` that has it
 */
function link(modules, name, from) {
  const target = path.join(modules, name);
  mkdirSync(path.dirname(target), { recursive: true });
  symlinkSync(realpathSync(path.join(from, name)), target, "junction");
}
