// A change of a public API needs a changeset. Two questions are asked of the repository, and a package is named where one
// of them is answered no:
//
//   since the base branch   a report that differs from the merge base with `main` (of the origin, else the local one, or
//                           of $GITHUB_BASE_REF): does a changeset that was added or changed since then name the package?
//   since the last release  a report that differs from the last tag `v…` before HEAD, or any report of a package that was
//                           never released: does a pending changeset name it?
//
// A branch that makes a release (it changes the package's version) has used the changesets up, and is asked neither. A
// clone without the history to answer a question says so, and is not asked it.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * @typedef {object} Answer
 * @property {string[]} unannounced one line for each package whose API changed without a changeset
 * @property {string[]} notes what could not be asked here, and why
 */

/**
 * @param {string} root the repository's work tree; what is not committed counts
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Answer}
 */
export function unannouncedChanges(root, environment = process.env) {
  /** @type {Answer} */
  const answer = { unannounced: [], notes: [] };
  const packages = packagesOf(root);
  const pending = changesetsOf(root);

  const base = baseCommit(root, environment);
  if (base === null) {
    answer.notes.push("not asked what changed since the base branch: this clone does not know it");
  } else {
    const touched = new Set(git(root, "diff", "--name-only", "--diff-filter=d", base, "--", ".changeset").split("\n"));
    for (const file of git(root, "ls-files", "--others", "--exclude-standard", "--", ".changeset").split("\n"))
      touched.add(file);
    const announced = pending.filter(({ file }) => touched.has(`.changeset/${file}`)).flatMap(({ names }) => names);
    for (const one of packages) {
      if (!differs(root, base, one.report) || announced.includes(one.name)) continue;
      if (versionAt(root, base, one.manifest) !== one.version && versionAt(root, base, one.manifest) !== null) continue;
      answer.unannounced.push(
        `${one.name}: its public API changed since the base branch, and no changeset of it is new`,
      );
    }
  }

  const named = new Set(pending.flatMap(({ names }) => names));
  const release = tryGit(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*");
  const shallow = git(root, "rev-parse", "--is-shallow-repository") === "true";
  for (const one of packages) {
    if (named.has(one.name)) continue;
    if (one.version === "0.0.0") {
      answer.unannounced.push(`${one.name}: it was never released, and no pending changeset names it`);
    } else if (release === null) {
      const why = shallow ? "its history is cut off" : "it has no tag v…";
      const note = `not asked what changed since the last release: this clone does not know it, ${why}`;
      if (!answer.notes.includes(note)) answer.notes.push(note);
    } else if (differs(root, release, one.report) && versionAt(root, release, one.manifest) === one.version) {
      answer.unannounced.push(
        `${one.name}: its public API changed since ${release}, and no pending changeset names it`,
      );
    }
  }
  return answer;
}

/** The published packages: where their reports lie and which version they have. */
function packagesOf(/** @type {string} */ root) {
  return ["packages", "apps"].flatMap((group) => {
    if (!existsSync(path.join(root, group))) return [];
    return readdirSync(path.join(root, group)).flatMap((folder) => {
      const report = `${group}/${folder}/etc/${folder}.api.md`;
      const manifest = `${group}/${folder}/package.json`;
      if (!existsSync(path.join(root, report))) return [];
      const { name, version } = JSON.parse(readFileSync(path.join(root, manifest), "utf8"));
      return [{ name, version, report, manifest }];
    });
  });
}

/** The pending changesets, and the packages that each names. */
function changesetsOf(/** @type {string} */ root) {
  const folder = path.join(root, ".changeset");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .map((file) => {
      const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readFileSync(path.join(folder, file), "utf8"))?.[1] ?? "";
      return { file, names: [...head.matchAll(/^["']?([^"':]+)["']?:/gm)].map((match) => match[1]) };
    });
}

/** The commit where this branch left its base; null where the clone cannot tell. */
function baseCommit(/** @type {string} */ root, /** @type {NodeJS.ProcessEnv} */ { GITHUB_BASE_REF }) {
  const candidates = GITHUB_BASE_REF ? [`origin/${GITHUB_BASE_REF}`] : ["origin/main", "main"];
  for (const branch of candidates) {
    const base = tryGit(root, "merge-base", "HEAD", branch);
    if (base !== null) return base;
  }
  return null;
}

/** Whether a report says something else of the API; what it says of missing descriptions and tags is no part of that. */
function differs(/** @type {string} */ root, /** @type {string} */ commit, /** @type {string} */ file) {
  const before = show(root, commit, file);
  return before === null || interfaceOf(before) !== interfaceOf(readFileSync(path.join(root, file), "utf8"));
}

function interfaceOf(/** @type {string} */ report) {
  const remarks = /^[ \t]*\/\/(?: \(undocumented\)| Warning:.*)?\r?\n/gm;
  return report.replace(remarks, "").replaceAll(" (undocumented)", "");
}

/** @returns {string | null} a package's version then; null where it was not there */
function versionAt(/** @type {string} */ root, /** @type {string} */ commit, /** @type {string} */ manifest) {
  const text = show(root, commit, manifest);
  return text === null ? null : JSON.parse(text).version;
}

/** A file's content in a commit; null where it was not there. */
function show(/** @type {string} */ root, /** @type {string} */ commit, /** @type {string} */ file) {
  const result = runGit(root, ["show", `${commit}:${file}`]);
  return result.status === 0 ? result.stdout : null;
}

function tryGit(/** @type {string} */ root, /** @type {string[]} */ ...args) {
  const { status, stdout } = runGit(root, args);
  return status === 0 ? stdout.trim() : null;
}

function git(/** @type {string} */ root, /** @type {string[]} */ ...args) {
  const { status, stdout, stderr } = runGit(root, args);
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

function runGit(/** @type {string} */ root, /** @type {readonly string[]} */ args) {
  const result = spawnSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.error !== undefined) throw result.error;
  return result;
}
