// The releases of a rehearsal, made in a copy of the workspace: versions and changelogs by changesets, packages by pnpm.
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { commandFile, workspaceRoot } from "@tooling/build-command";
import { runOrThrow } from "./child-processes.js";
import { pnpmFile } from "./client-environment.js";
import { same } from "./ledger.js";
import { publishedFolders, readManifest } from "./publishing.js";
import { commit } from "./workspace-copy.js";

/**
 * Applies the pending changesets: `changeset version`.
 *
 * @param {string} workspace
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} the one version that all packages have now
 */
export async function versionPackages(workspace, env) {
  await runOrThrow(process.execPath, [commandFile("@changesets/cli"), "version"], { cwd: workspace, env });
  await commit(workspace, "Version packages", env);
  const versions = new Set(publishedFolders(workspace).map((folder) => readManifest(workspace, folder).version));
  if (versions.size !== 1) throw new Error(`the packages have ${versions.size} versions: ${[...versions].join(", ")}`);
  return [...versions][0];
}

/** The changesets that wait for the next release. */
export function pendingChangesets(/** @type {string} */ workspace) {
  return readdirSync(path.join(workspace, ".changeset")).filter((name) => /^(?!README).*\.md$/.test(name));
}

/** Every package's changelog has a section of this version, with what each applied changeset says. */
export function checkChangelogs(
  /** @type {string} */ workspace,
  /** @type {string} */ version,
  /** @type {readonly { packages: readonly string[], text: string }[]} */ entries,
) {
  for (const folder of publishedFolders(workspace)) {
    const { name } = readManifest(workspace, folder);
    const changelog = readFileSync(path.join(workspace, folder, "CHANGELOG.md"), "utf8");
    const sections = changelog.split(/^## /m);
    const section = sections.find((one) => one.startsWith(`${version}\n`));
    if (section === undefined) throw new Error(`the changelog of ${name} has no section ${version}`);
    for (const { packages, text } of entries) {
      const there = section.includes(`- ${text.split("\n")[0]}`);
      same(there, packages.includes(name), `"${text}" in the changelog of ${name}`);
    }
    if (/^- [0-9a-f]{7,}: /m.test(section)) throw new Error(`the changelog of ${name} shows commit hashes`);
  }
}

/** What each pending changeset says, and of which packages. */
export function changesetEntries(/** @type {string} */ workspace) {
  return pendingChangesets(workspace).map((file) => {
    const source = readFileSync(path.join(workspace, ".changeset", file), "utf8");
    const [, head = "", text = ""] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(source) ?? [];
    return { packages: [...head.matchAll(/^"(.+?)": \w+$/gm)].map((match) => match[1]), text: text.trim() };
  });
}

/** What the second release of a rehearsal brings: one more export of one package. */
export const addition = { folder: "packages/devices", name: "@whvkit/devices", export: "releaseRehearsal" };

/**
 * Makes a change that users see in the copy, and builds it.
 *
 * @param {string} workspace
 * @param {NodeJS.ProcessEnv} env
 */
export async function changeOnePackage(workspace, env) {
  const source = path.join(workspace, addition.folder, "src");
  writeFileSync(
    path.join(source, "release-rehearsal.ts"),
    `/** Shows that the second release arrived. @public */\nexport const ${addition.export}: string = "second release";\n`,
  );
  const index = path.join(source, "index.ts");
  writeFileSync(index, `${readFileSync(index, "utf8")}export { ${addition.export} } from "./release-rehearsal.ts";\n`);
  const changeset = `---\n"${addition.name}": minor\n---\n\n\`${addition.export}\` shows that this release arrived.\n`;
  writeFileSync(path.join(workspace, ".changeset/release-rehearsal.md"), changeset);
  await runOrThrow(
    process.execPath,
    [pnpmFile, "--config.verify-deps-before-run=false", "--filter", addition.name, "run", "build"],
    {
      cwd: workspace,
      env: { ...env, PATH: `${path.join(workspace, "node_modules/.bin")}${path.delimiter}${env.PATH}` },
    },
  );
  await commit(workspace, "Add an export", env);
}

/**
 * The folders of what the packages need of other people, as they are installed here for this system, dependencies of
 * dependencies included.
 *
 * @param {string} workspace
 * @param {readonly string[]} alsoFromRoot dependencies of the root that consumers want, type packages
 * @returns {string[]}
 */
export function dependencyFolders(workspace, alsoFromRoot) {
  /** @type {Map<string, string>} */
  const folders = new Map();
  const add = (/** @type {string} */ from, /** @type {string} */ name) => {
    const folder = packageFolder(from, name);
    if (folder === null || folders.has(name)) return;
    folders.set(name, folder);
    addDependencies(folder);
  };
  const addDependencies = (/** @type {string} */ folder) => {
    const { dependencies = {}, optionalDependencies = {} } = readManifest(folder, ".");
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!name.startsWith("@whvkit/")) add(folder, name);
    }
  };
  for (const folder of publishedFolders(workspace)) addDependencies(path.join(workspaceRoot, folder));
  for (const name of alsoFromRoot) add(workspaceRoot, name);
  return [...folders.values()];
}

/** Where a package is installed for another; null where it is not, as the binaries for other systems. */
function packageFolder(/** @type {string} */ from, /** @type {string} */ name) {
  for (const folder of createRequire(path.join(from, "package.json")).resolve.paths(name) ?? []) {
    try {
      readManifest(path.join(folder, name), ".");
      // Behind the link: its own dependencies lie beside it there.
      return realpathSync(path.join(folder, name));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") throw error;
    }
  }
  return null;
}
