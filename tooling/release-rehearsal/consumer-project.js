// One clean project of a stranger in a temporary folder: installs packages by name, compiles a program against their
// declarations and runs it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { commandFile } from "@tooling/build-command";
import { run, runOrThrow } from "./child-processes.js";
import { pnpmFile } from "./client-environment.js";

/** Compilers by major version; both are pinned dependencies of this folder or of the workspace. */
export const compilers = {
  6: fileURLToPath(new URL("node_modules/typescript-6/bin/tsc", import.meta.url)),
  7: commandFile("typescript", "tsc"),
};

/** @typedef {"node16" | "nodenext" | "bundler"} Resolution */

export class ConsumerProject {
  /**
   * @param {string} folder a folder that is not there yet
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(folder, env) {
    this.folder = folder;
    this.env = env;
    mkdirSync(folder, { recursive: true });
    const manifest = { name: "consumer", version: "1.0.0", private: true, type: "module" };
    this.write("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
    // Nothing of the browser or of Node is declared but this, so declarations that need more are found out.
    this.write("console.d.ts", "declare const console: { log(...values: unknown[]): void };\n");
  }

  /** Writes a file of the project. */
  write(/** @type {string} */ file, /** @type {string} */ text) {
    writeFileSync(path.join(this.folder, file), text);
  }

  /**
   * @param {"npm" | "pnpm"} client
   * @param {readonly string[]} packages names, with ranges where they matter
   */
  async install(client, packages) {
    const options = { cwd: this.folder, env: this.env };
    if (client === "npm") await this.npm(["install", ...packages]);
    else await runOrThrow(process.execPath, [pnpmFile, "add", "--ignore-workspace", ...packages], options);
  }

  /** Runs npm in the project. */
  async npm(/** @type {readonly string[]} */ args) {
    await runOrThrow("npm", args, { cwd: this.folder, env: this.env });
  }

  /** The package.json of an installed package of ours. */
  installed(/** @type {string} */ name) {
    return JSON.parse(readFileSync(path.join(this.folder, "node_modules/@whvkit", name, "package.json"), "utf8"));
  }

  /**
   * Puts a program there: as a module, and as a script that comes to it by `require()`.
   *
   * @param {string} source
   */
  program(source) {
    this.write("main.ts", source);
    this.write("require.cts", source);
  }

  /**
   * Compiles the program, declarations of packages included, into `out`. Under `nodenext` both of its forms; the other
   * resolutions know no `require()` of a module.
   *
   * @param {6 | 7} compiler
   * @param {Resolution} resolution
   * @param {{ types?: readonly string[], files?: readonly string[] }} [options]
   */
  async compile(compiler, resolution, { types = [], files } = {}) {
    const configuration = {
      compilerOptions: {
        target: "es2022",
        lib: ["es2022"],
        module: resolution === "bundler" ? "esnext" : resolution,
        moduleResolution: resolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmitOnError: true,
        outDir: "out",
        rootDir: ".",
        types: types.map((name) => name.replace("@types/", "")),
      },
      files: ["console.d.ts", ...(files ?? (resolution === "nodenext" ? ["main.ts", "require.cts"] : ["main.ts"]))],
    };
    // Node's own types declare a console.
    if (types.length > 0) configuration.files.shift();
    this.write("tsconfig.json", JSON.stringify(configuration, null, 2));
    return await run(process.execPath, [compilers[compiler], "-p", "tsconfig.json"], {
      cwd: this.folder,
      env: this.env,
    });
  }

  /**
   * Runs the compiled program.
   *
   * @param {"import" | "require"} form
   * @param {string} [node] another Node than this one
   */
  async run(form, node = process.execPath) {
    const file = form === "import" ? "out/main.js" : "out/require.cjs";
    return await run(node, [file], { cwd: this.folder, env: this.env });
  }

  /** Runs the installed `whv` command, as a shell finds it; its first line asks the path for Node. */
  async whv(/** @type {readonly string[]} */ args, node = process.execPath) {
    const env = { ...this.env, PATH: `${path.dirname(node)}${path.delimiter}${this.env.PATH}` };
    return await run(path.join(this.folder, "node_modules/.bin/whv"), args, { cwd: this.folder, env });
  }
}

/** The source of a program of `consumers/`. */
export function programSource(/** @type {string} */ name) {
  return readFileSync(new URL(`consumers/${name}.ts`, import.meta.url), "utf8");
}
