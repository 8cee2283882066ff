// The order of a rehearsal.
import path from "node:path";
import { clientEnvironment } from "./client-environment.js";
import { checkBackends, checkConsumer, fullMatrix, reducedMatrix, startOnFirst, upgrade } from "./consumer-checks.js";
import { ConsumerProject } from "./consumer-project.js";
import { consumers } from "./consumers.js";
import { same, twoAtATime } from "./ledger.js";
import { startCounter, startRegistry } from "./loopback-registry.js";
import { fetchedNodes } from "./node-versions.js";
import { pointAt, publishDependencies, publishWorkspace, readManifest, refuseOtherRegistries } from "./publishing.js";
import { changeOnePackage, changesetEntries, checkChangelogs, dependencyFolders, versionPackages } from "./release.js";
import { copyWorkspace } from "./workspace-copy.js";

/**
 * @param {string} folder an empty one; everything that the rehearsal makes lies in it
 * @param {import("./ledger.js").Ledger} ledger
 * @param {boolean} full every Node and every compiler
 */
export async function rehearse(folder, ledger, full) {
  const world = await startCounter();
  const registry = await startRegistry(path.join(folder, "registry"));
  try {
    if (full) {
      await ledger.check("every Node of the matrix is there", () =>
        same(fetchedNodes().missing, [], "missing versions"),
      );
    }
    const env = clientEnvironment(folder, registry, world.url);
    const workspace = path.join(folder, "workspace");
    const mustPass = async (/** @type {string} */ name, /** @type {() => unknown} */ action) => {
      if (!(await ledger.check(name, action))) throw new Error(`without "${name}" there is nothing to go on with`);
    };

    let first = "";
    await mustPass("the workspace is copied", () => copyWorkspace(workspace, env));
    await mustPass("changesets make the first release, all packages of one version, with changelogs", async () => {
      const unreleased = readManifest(workspace, "packages/whv-types").version === "0.0.0";
      const entries = changesetEntries(workspace);
      first = await versionPackages(workspace, env);
      if (unreleased) same(first, "0.1.0", "the first release");
      if (entries.length > 0) checkChangelogs(workspace, first, entries);
    });
    await mustPass("npm and pnpm would publish to our registry and to no other", async () => {
      pointAt(workspace, registry);
      await refuseOtherRegistries(workspace, registry, env);
    });
    await mustPass("what the packages depend on is there", () =>
      publishDependencies(dependencyFolders(workspace, ["@types/node"]), workspace, registry, env),
    );
    await mustPass(`all packages are published (${first})`, () => publishWorkspace(workspace, registry, env));

    const project = (/** @type {string} */ name) => new ConsumerProject(path.join(folder, "consumers", name), env);
    const upgraded = project("upgrade");
    await mustPass(`a monitor runs on ${first}`, () => startOnFirst(upgraded, first));
    // The second release is made while consumers of the first one, which name it exactly, are tried.
    await twoAtATime([
      () => tryUpgrade(upgraded, first),
      ...consumers.map((consumer, index) => {
        const matrix = full ? fullMatrix() : reducedMatrix(index);
        return () => checkConsumer(consumer, first, matrix, project, ledger);
      }),
      () => ledger.check("the backend is swapped in one line", () => checkBackends(project("backend"), first)),
    ]);

    async function tryUpgrade(/** @type {ConsumerProject} */ consumer, /** @type {string} */ from) {
      let second = "";
      await mustPass("a change and its changeset make the second release", async () => {
        await changeOnePackage(workspace, env);
        const entries = changesetEntries(workspace);
        second = await versionPackages(workspace, env);
        same(second, nextMinor(from), "the second release");
        checkChangelogs(workspace, second, entries);
        await publishWorkspace(workspace, registry, env);
      });
      await ledger.check(`the monitor is upgraded from ${from} to ${second}`, () => upgrade(consumer, from, second));
    }

    await ledger.check("nothing asked for anything beyond this machine", () => same(world.requests, [], "requests"));
  } finally {
    registry.stop();
    world.stop();
  }
}

/** The version after a release with a changeset of kind `minor`. */
function nextMinor(/** @type {string} */ version) {
  const [major, minor] = version.split(".").map(Number);
  return `${major}.${minor + 1}.0`;
}
