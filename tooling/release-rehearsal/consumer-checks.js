// What is checked of the published packages: each alone, in clean projects of both clients; the change of backend; the way
// from one release to the next.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { programSource } from "./consumer-project.js";
import { backendLine, consumers, noWindows } from "./consumers.js";
import { same } from "./ledger.js";
import { fetchedNodes } from "./node-versions.js";
import { addition } from "./release.js";

/** @typedef {import("./consumer-project.js").ConsumerProject} ConsumerProject */
/** @typedef {import("./ledger.js").Ledger} Ledger */
/**
 * @typedef {object} Matrix
 * @property {readonly ("npm" | "pnpm")[]} clients
 * @property {readonly { compiler: 6 | 7, resolution: import("./consumer-project.js").Resolution }[]} compilations
 * @property {readonly { version: string, file: string }[]} nodes
 */

/** One compilation and this Node; `index` takes turns between the clients, and both have the largest packages. */
export function reducedMatrix(/** @type {number} */ index) {
  const { name } = consumers[index];
  const both = name === "cli" || name === "microvm";
  /** @type {Matrix} */
  const matrix = {
    clients: both ? ["npm", "pnpm"] : [index % 2 === 0 ? "npm" : "pnpm"],
    compilations: [{ compiler: 7, resolution: "nodenext" }],
    nodes: [{ version: process.versions.node, file: process.execPath }],
  };
  return matrix;
}

/** Both clients, both compilers with every resolution, and every Node that was fetched. @returns {Matrix} */
export function fullMatrix() {
  const resolutions = /** @type {const} */ (["nodenext", "node16", "bundler"]);
  return {
    clients: ["npm", "pnpm"],
    compilations: /** @type {const} */ ([7, 6]).flatMap((compiler) =>
      resolutions.map((resolution) => ({ compiler, resolution })),
    ),
    nodes: fetchedNodes().there,
  };
}

/**
 * Installs one package with each client, compiles a program against it, and runs both of its forms.
 *
 * @param {import("./consumers.js").Consumer} consumer
 * @param {string} version
 * @param {Matrix} matrix
 * @param {(name: string) => ConsumerProject} newProject
 * @param {Ledger} ledger
 */
export async function checkConsumer({ name, packages, types = [], output }, version, matrix, newProject, ledger) {
  const wanted = [...packages.map((one) => `@whvkit/${one}@${version}`), ...types];
  for (const client of matrix.clients) {
    const project = newProject(`${name}-${client}`);
    if (!(await ledger.check(`${name}: ${client} installs it`, () => project.install(client, wanted)))) continue;
    await ledger.check(`${name}, ${client}: its changelog came along`, () => {
      const changelog = readFileSync(path.join(project.folder, "node_modules/@whvkit", name, "CHANGELOG.md"), "utf8");
      if (!changelog.includes(`\n## ${version}\n`)) throw new Error(`the changelog has no section ${version}`);
    });
    project.program(programSource(name));
    for (const { compiler, resolution } of matrix.compilations) {
      await ledger.check(`${name}, ${client}: TypeScript ${compiler} compiles it under ${resolution}`, () =>
        compiles(project, compiler, resolution, types),
      );
    }
    // What runs is what nodenext made; the other resolutions emit the same module.
    await compiles(project, 7, "nodenext", types);
    for (const { version: node, file } of matrix.nodes) {
      for (const form of /** @type {const} */ (["import", "require"])) {
        await ledger.check(`${name}, ${client}: Node ${node} gets it by ${form}`, async () => {
          const result = await project.run(form, file);
          same(quietly(result), { status: 0, stdout: output, stderr: "" }, form);
        });
      }
      if (name === "cli") {
        await ledger.check(
          `whv, ${client}: decodes, boots the demonstration guest, knows its version, on Node ${node}`,
          () => checkCommand(project, version, file),
        );
      }
    }
  }
}

async function compiles(
  /** @type {ConsumerProject} */ project,
  /** @type {6 | 7} */ compiler,
  /** @type {import("./consumer-project.js").Resolution} */ resolution,
  /** @type {readonly string[]} */ types = [],
) {
  const { status, stdout, stderr } = await project.compile(compiler, resolution, { types });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}

/** Node 20.19 to 22 say once that `require()` of a module is an experiment; that is no fault of a package. */
function quietly(/** @type {import("./child-processes.js").Result} */ { status, stdout, stderr }) {
  const lines = stderr.split("\n").filter((line) => !/ExperimentalWarning|--trace-warnings/.test(line));
  return { status, stdout, stderr: lines.join("\n") };
}

async function checkCommand(
  /** @type {ConsumerProject} */ project,
  /** @type {string} */ version,
  /** @type {string} */ node,
) {
  const decoded = { status: 0, stdout: "8b 07  mov eax, dword ptr [rdi]\n", stderr: "" };
  same(await project.whv(["decode", "8b07"], node), decoded, "whv decode");
  same(await project.whv(["--version"], node), { status: 0, stdout: `${version}\n`, stderr: "" }, "whv --version");
  const { status, stdout, stderr } = await project.whv(["run", "demo"], node);
  if (status !== 0) throw new Error(`whv run demo ended with status ${status}\n${stdout}${stderr}`);
}

/**
 * One line changes, and the same monitor takes the native hypervisor; where that is not, it says so and ends.
 *
 * @param {ConsumerProject} project
 * @param {string} version
 */
export async function checkBackends(project, version) {
  await project.install(
    "npm",
    ["microvm", "win-backend"].map((name) => `@whvkit/${name}@${version}`),
  );
  const source = programSource("microvm");
  same(source.split(backendLine.simulator).length, 2, "parts of the program around the line that names the backend");
  project.program(source.replace(backendLine.simulator, backendLine.windows));
  await compiles(project, 7, "nodenext");
  if (process.platform === "win32") return;
  const { status, stdout, stderr } = await project.run("import");
  same([status, stdout], [1, ""], "status and output of the program");
  same(
    stderr.split("\n").filter((line) => line.startsWith("WhvError: ")),
    [`WhvError: ${noWindows}`],
    "the error",
  );
}

const monitor = ["microvm", "sim-backend", "devices"];

/**
 * A project on the first release, with the ranges that a client writes by itself.
 *
 * @param {ConsumerProject} project
 * @param {string} first
 */
export async function startOnFirst(project, first) {
  await project.install(
    "npm",
    monitor.map((name) => `@whvkit/${name}@^${first}`),
  );
  project.program(programSource("microvm"));
  await compiles(project, 7, "nodenext");
  same(await project.run("import"), { status: 0, stdout: "0 true\n", stderr: "" }, "on the first release");
  same(versionsIn(project), [first], "versions of our packages");
}

/**
 * `npm update` stays in the range: below 1.0.0 it does not take a minor release, which may break. Asked for the next
 * release by name it takes that, of every package, and each once.
 *
 * @param {ConsumerProject} project
 * @param {string} first
 * @param {string} second
 */
export async function upgrade(project, first, second) {
  await project.npm(["update"]);
  const breaking = first.startsWith("0.");
  same(versionsIn(project), [breaking ? first : second], "versions after npm update");
  await project.install(
    "npm",
    monitor.map((name) => `@whvkit/${name}@^${second}`),
  );
  same(versionsIn(project), [second], "versions after the upgrade");
  project.program(
    `${programSource("microvm")}\nimport { ${addition.export} } from "${addition.name}";\nconsole.log(${addition.export});\n`,
  );
  await compiles(project, 7, "nodenext");
  const upgraded = { status: 0, stdout: "0 true\nsecond release\n", stderr: "" };
  same(await project.run("import"), upgraded, "on the second release");
}

/** The versions of our packages in a project, nested copies included. */
function versionsIn(/** @type {ConsumerProject} */ project) {
  const scope = path.join(project.folder, "node_modules/@whvkit");
  const names = readdirSync(scope);
  for (const name of names) {
    if (existsSync(path.join(scope, name, "node_modules/@whvkit"))) throw new Error(`${name} has a copy of its own`);
  }
  return [...new Set(names.map((name) => project.installed(name).version))];
}
