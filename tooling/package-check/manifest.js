// What a stranger and the registry read of a package: its package.json as packed, the list of files, and the README. Held
// here are the rules that are this project's own; that the files are what package.json says, publint and attw tell.

/**
 * @typedef {object} PackedPackage
 * @property {any} manifest package.json as packed
 * @property {readonly string[]} files paths in the package
 * @property {string} readme
 * @property {string} folder in the repository, `packages/x86-decoder`
 */

const repository = "https://github.com/whvkit/whvkit";
/** Old ways to say what `exports` says, which tools prefer differently. */
const superseded = ["main", "module", "browser", "types", "typings", "typesVersions"];
/** What npm runs on the machine of whoever installs. */
const installScripts = ["preinstall", "install", "postinstall", "prepare"];

/**
 * @param {PackedPackage} packed
 * @param {string} node `engines.node` of the workspace
 * @returns {string[]} one line for each rule that does not hold
 */
export function manifestProblems({ manifest, files, readme, folder }, node) {
  /** @type {string[]} */
  const problems = [];
  const hold = (/** @type {unknown} */ holds, /** @type {string} */ rule) => {
    if (!holds) problems.push(rule);
  };
  const is = (/** @type {string} */ field, /** @type {unknown} */ value) =>
    hold(JSON.stringify(manifest[field]) === JSON.stringify(value), `${field} is not ${JSON.stringify(value)}`);

  const short = folder.split("/").at(-1);
  is("name", `@whvkit/${short}`);
  hold(/^\d+\.\d+\.\d+$/.test(manifest.version), "version is not three numbers");
  hold(/^.{20,160}\.$/.test(manifest.description ?? ""), "description is no sentence of 20 to 160 characters");
  const keywords = manifest.keywords ?? [];
  hold(keywords.includes("whvkit") && keywords.length >= 3, "keywords are fewer than three, or lack whvkit");
  hold(new Set(keywords).size === keywords.length, "a keyword is there twice");
  is("license", "MIT");
  is("homepage", `${repository}/tree/main/${folder}#readme`);
  is("bugs", `${repository}/issues`);
  is("repository", { type: "git", url: `git+${repository}.git`, directory: folder });
  is("type", "module");
  is("sideEffects", false);
  is("engines", { node });
  is("exports", {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./package.json": "./package.json",
  });
  for (const field of superseded) hold(!(field in manifest), `${field} is there beside exports`);
  for (const script of installScripts)
    hold(!(script in (manifest.scripts ?? {})), `the script ${script} runs at install`);
  hold(!("peerDependencies" in manifest), "peerDependencies: below 1.0.0 they break with every minor release");
  for (const kind of ["dependencies", "optionalDependencies"]) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      // Ours by range, so that all packages of one release can be one copy; others pinned, as they were tested.
      const expected = name.startsWith("@whvkit/") ? `^${manifest.version}` : /^\d+\.\d+\.\d+$/;
      const right = typeof expected === "string" ? range === expected : expected.test(range);
      hold(right, `${kind}: ${name} is ${range}`);
    }
  }

  for (const entry of manifest.files ?? []) {
    if (entry === "CHANGELOG.md") continue; // There from the first release on.
    hold(
      files.some((file) => file === entry || file.startsWith(`${entry}/`)),
      `files: nothing of ${entry} is packed`,
    );
  }
  hold(manifest.files?.includes("CHANGELOG.md"), "files: CHANGELOG.md is not named");
  for (const needed of ["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
    hold(files.includes(needed), `${needed} is not packed`);
  }
  for (const file of Object.values(manifest.bin ?? {})) hold(files.includes(file), `bin: ${file} is not packed`);
  for (const file of files) hold(!/(^|\/)(test|bench|etc|node_modules)\/|\.test\./.test(file), `${file} is packed`);

  hold(readme.startsWith(`# @whvkit/${short}\n`), "README: the heading is not the package's name");
  const install = readme.search(new RegExp(`^npm install (?:.* )?@whvkit/${short}(?:\\s|$)`, "m"));
  hold(install >= 0, "README: no line installs the package");
  hold(/^```(?:ts|sh)\n/m.test(readme.slice(Math.max(install, 0))), "README: no example after the install line");
  return problems;
}
