// The rehearsal publishes to its own registry or not at all. The other registry of these tests is a server on loopback
// that counts what reaches it: the count has to stay zero.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clientEnvironment } from "../client-environment.js";
import { isLoopback } from "../loopback-address.js";
import { isOurs, startCounter, startRegistry } from "../loopback-registry.js";
import { pointAt, publishDependencies, publishWorkspace } from "../publishing.js";

/** @type {string} */
let folder;
/** @type {import("../loopback-registry.js").LoopbackRegistry} */
let registry;
/** @type {import("../loopback-registry.js").Counter} */
let other;
/** @type {NodeJS.ProcessEnv} */
let env;
let workspace = "";

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "publishing-"));
  registry = await startRegistry(path.join(folder, "registry"));
  other = await startCounter();
  // The proxy is the counter too: whatever a client asks of the world is counted.
  env = clientEnvironment(folder, registry, other.url);
});
afterAll(() => {
  registry.stop();
  other.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

beforeEach(() => {
  workspace = mkdtempSync(path.join(folder, "workspace-"));
  write("package.json", { name: "workspace", private: true });
  write("pnpm-workspace.yaml", "packages: [packages/*]\n");
  for (const name of ["one", "two"])
    write(`packages/${name}/package.json`, { name: `@whvkit/${name}`, version: "0.1.0" });
  pointAt(workspace, registry);
});

const write = (/** @type {string} */ file, /** @type {unknown} */ content) => {
  mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
  writeFileSync(path.join(workspace, file), typeof content === "string" ? content : JSON.stringify(content));
};
const published = async (/** @type {string} */ name) =>
  (await fetch(`${registry.url}@whvkit%2f${name}`)).status === 200;

/** Publishing is refused for this reason, and no request was made to anybody. */
async function expectRefusal(/** @type {Promise<unknown>} */ publishing, /** @type {string} */ reason) {
  await expect(publishing).rejects.toThrow(reason);
  expect(other.requests).toEqual([]);
  expect([await published("one"), await published("two")]).toEqual([false, false]);
}

describe("publishing is refused", () => {
  test("where one package's publishConfig names another registry", async () => {
    const manifest = { name: "@whvkit/two", version: "0.1.0", publishConfig: { registry: other.url } };
    write("packages/two/package.json", manifest);
    await expectRefusal(
      publishWorkspace(workspace, registry, env),
      `publishConfig.registry of packages/two is ${other.url}`,
    );
  });

  test("where one package's publishConfig names none", async () => {
    write("packages/two/package.json", { name: "@whvkit/two", version: "0.1.0" });
    await expectRefusal(
      publishWorkspace(workspace, registry, env),
      "publishConfig.registry of packages/two is undefined",
    );
  });

  test("where a package has settings of its own", async () => {
    write("packages/two/.npmrc", `registry=${other.url}\n`);
    await expectRefusal(publishWorkspace(workspace, registry, env), "packages/two has an .npmrc");
  });

  test("where the environment names another registry", async () => {
    const elsewhere = { ...env, npm_config_registry: other.url };
    await expectRefusal(publishWorkspace(workspace, registry, elsewhere), `registry of npm is ${other.url}`);
  });

  test("where the workspace's .npmrc names another registry and the environment none", async () => {
    write(".npmrc", `registry=${other.url}\n`);
    const { npm_config_registry: _, ...rest } = env;
    await expectRefusal(publishWorkspace(workspace, registry, rest), `registry of npm is ${other.url}`);
  });

  test("where the scope of the packages has another registry", async () => {
    write(".npmrc", `${registry.npmrc}@whvkit:registry=${other.url}\n`);
    await expectRefusal(publishWorkspace(workspace, registry, env), `@whvkit:registry of npm is ${other.url}`);
  });

  test("where the registry is none that this process started, though it is on this machine", async () => {
    const stranger = { ...registry, url: other.url };
    pointAt(workspace, stranger);
    const theirs = { ...env, npm_config_registry: other.url };
    await expectRefusal(publishWorkspace(workspace, stranger, theirs), "is no registry that this rehearsal started");
    expect(isOurs(stranger)).toBe(false);
  });

  test("where somebody else's package says where it goes", async () => {
    write("packages/two/package.json", {
      name: "@whvkit/two",
      version: "0.1.0",
      publishConfig: { registry: registry.url },
    });
    const dependency = path.join(folder, "dependency");
    mkdirSync(dependency, { recursive: true });
    const manifest = { name: "dependency", version: "1.0.0", publishConfig: { registry: other.url } };
    writeFileSync(path.join(dependency, "package.json"), JSON.stringify(manifest));
    await expectRefusal(publishDependencies([dependency], workspace, registry, env), `is ${other.url}`);
  });
});

test.each([
  ["http://127.0.0.1:4873/", true],
  ["https://127.0.0.1:4873/", false],
  ["http://127.0.0.1:4873", false],
  ["http://localhost:4873/", false],
  ["http://127.0.0.1.example:4873/", false],
  ["http://example@127.0.0.1:4873/", false],
  ["http://127.0.0.1:4873/path/", false],
  [undefined, false],
])("%s is an address on this machine: %s", (url, answer) => {
  expect(isLoopback(url)).toBe(answer);
});

test("what is pointed at our registry is published there, and nowhere else", async () => {
  await publishWorkspace(workspace, registry, env);
  expect([await published("one"), await published("two")]).toEqual([true, true]);
  expect(other.requests).toEqual([]);
});

test("a client gets nothing of the caller's npm settings", () => {
  const inherited = {
    npm_config__authToken: "secret",
    NPM_TOKEN: "secret",
    NODE_AUTH_TOKEN: "secret",
    HTTPS_PROXY: "x",
  };
  Object.assign(process.env, inherited);
  try {
    const clean = clientEnvironment(path.join(folder, "clean"), registry, other.url);
    expect(Object.entries(clean).filter(([, value]) => value === "secret" || value === "x")).toEqual([]);
    expect(clean.HTTPS_PROXY).toBe(other.url);
    expect(readFileSync(/** @type {string} */ (clean.npm_config_userconfig), "utf8")).toBe(registry.npmrc);
    expect(existsSync(/** @type {string} */ (clean.HOME))).toBe(true);
  } finally {
    for (const name of Object.keys(inherited)) delete process.env[name];
  }
});
