// Publishing to the rehearsal's registry, and to no other: what a client would do is asked of the client itself, in the
// folder and the environment that it then publishes from, and anything but the one registry that this process started on
// 127.0.0.1 is refused before a request is made.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run, runOrThrow } from "./child-processes.js";
import { pnpmFile } from "./client-environment.js";
import { isOurs } from "./loopback-registry.js";

/** The command that publishes what the registry does not have yet; `.github/workflows/release.yml` runs the same. */
export const publishCommand = ["--recursive", "--filter", "@whvkit/*", "publish", "--no-git-checks"];

/** Folders of the packages that are published, from the workspace's root. */
export function publishedFolders(/** @type {string} */ workspace) {
  return ["packages", "apps"].flatMap((group) => {
    if (!existsSync(path.join(workspace, group))) return [];
    return readdirSync(path.join(workspace, group))
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(path.join(workspace, folder, "package.json")))
      .filter((folder) => readManifest(workspace, folder).private !== true);
  });
}

/** @returns {any} */
export function readManifest(/** @type {string} */ workspace, /** @type {string} */ folder) {
  return JSON.parse(readFileSync(path.join(workspace, folder, "package.json"), "utf8"));
}

/** Makes a copy of the workspace publish to this registry: in its `.npmrc` and in each package's `publishConfig`. */
export function pointAt(
  /** @type {string} */ workspace,
  /** @type {import("./loopback-registry.js").LoopbackRegistry} */ registry,
) {
  writeFileSync(path.join(workspace, ".npmrc"), registry.npmrc);
  for (const folder of publishedFolders(workspace)) {
    const manifest = readManifest(workspace, folder);
    manifest.publishConfig = { ...manifest.publishConfig, registry: registry.url };
    writeFileSync(path.join(workspace, folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

/**
 * @param {string} workspace the copy to publish from
 * @param {import("./loopback-registry.js").LoopbackRegistry} registry
 * @param {NodeJS.ProcessEnv} env
 * @throws Error that says which setting names another registry, or that the registry is not one that we started
 */
export async function refuseOtherRegistries(workspace, registry, env) {
  if (!isOurs(registry)) throw new Error(`refused: ${registry.url} is no registry that this rehearsal started`);
  for (const folder of publishedFolders(workspace)) {
    const named = readManifest(workspace, folder).publishConfig?.registry;
    if (named !== registry.url) throw new Error(`refused: publishConfig.registry of ${folder} is ${named}`);
    if (existsSync(path.join(workspace, folder, ".npmrc"))) throw new Error(`refused: ${folder} has an .npmrc`);
  }
  const clients = /** @type {const} */ ([
    ["npm", "npm", []],
    ["pnpm", process.execPath, [pnpmFile]],
  ]);
  for (const [client, command, before] of clients) {
    for (const setting of ["registry", "@whvkit:registry"]) {
      const { status, stdout, stderr } = await run(command, [...before, "config", "get", setting], {
        cwd: workspace,
        env,
      });
      const answer = stdout.trim();
      if (status !== 0) throw new Error(`refused: ${client} does not tell its ${setting}\n${stdout}${stderr}`);
      if (answer === registry.url || (setting !== "registry" && answer === "undefined")) continue;
      throw new Error(`refused: ${setting} of ${client} is ${answer}`);
    }
  }
}

/**
 * Publishes all packages of a copy of the workspace to our registry.
 *
 * @param {Parameters<typeof refuseOtherRegistries>} to
 */
export async function publishWorkspace(...to) {
  await refuseOtherRegistries(...to);
  const [workspace, registry, env] = to;
  await runOrThrow(process.execPath, [pnpmFile, ...publishCommand], {
    cwd: workspace,
    env: { ...env, npm_config_registry: registry.url },
  });
}

/**
 * Publishes folders of other people's packages, as they are installed here, so that consumers can install them without a
 * network.
 *
 * @param {readonly string[]} folders
 * @param {Parameters<typeof refuseOtherRegistries>} to
 */
export async function publishDependencies(folders, ...to) {
  await refuseOtherRegistries(...to);
  const [workspace, registry, env] = to;
  for (const folder of folders) {
    // npm obeys a package's own publishConfig before the command line.
    const named = readManifest(folder, ".").publishConfig?.registry;
    if (named !== undefined) throw new Error(`refused: publishConfig.registry of ${folder} is ${named}`);
    const args = ["publish", folder, "--ignore-scripts", "--registry", registry.url];
    await runOrThrow("npm", args, { cwd: workspace, env: { ...env, npm_config_provenance: "false" } });
  }
}
