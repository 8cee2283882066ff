// The packages of the registry that somebody gets who installs the packed packages, with their licences: the table of
// SECURITY.md, between `<!-- licences -->` and `<!-- end of licences -->`.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { dependenciesOf, packedManifests } from "./manifests.js";

/**
 * @typedef {object} Licensed
 * @property {string} name
 * @property {string} version
 * @property {string} licence as the package says, or as its licence file begins
 * @property {string} copyright
 * @property {string} through who brings it
 */

/**
 * Everything from outside this project, the packages inside other packages too, sorted by name.
 *
 * @param {string} consumer
 * @returns {Licensed[]}
 */
export function licences(consumer) {
  /** @type {Licensed[]} */
  const found = [];
  for (const [name, manifest] of packedManifests(consumer))
    for (const dependency of Object.keys(dependenciesOf(manifest)).filter((each) => !each.startsWith("@whvkit/")))
      collect(found, path.join(consumer, "node_modules", dependency), `\`${name}\``);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * @param {Licensed[]} found
 * @param {string} linked
 * @param {string} through
 */
function collect(found, linked, through) {
  const folder = realpathSync(linked);
  const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const { name, version } = manifest;
  if (found.some((each) => each.name === name)) return;
  const own = licenceFiles(folder).find((file) => path.dirname(file) === folder);
  found.push({ name, version, licence: manifest.license, copyright: copyrightIn(own), through });
  for (const file of licenceFiles(folder).filter((each) => each !== own)) {
    const part = path.relative(folder, path.dirname(file)).split(path.sep).at(-1) ?? "";
    const licence = /\bMIT License\b|Permission is hereby granted, free of charge/.test(readFileSync(file, "utf8"));
    const inside = { name: part, version: `in ${name}`, licence: licence ? "MIT" : "unknown" };
    found.push({ ...inside, copyright: copyrightIn(file), through: `\`${name}\`` });
  }
  // pnpm lays a package's own dependencies beside it.
  const modules = folder.slice(0, folder.lastIndexOf(`${path.sep}node_modules${path.sep}`) + "/node_modules".length);
  const families = new Map();
  for (const dependency of Object.keys(dependenciesOf(manifest))) {
    const family = dependency.replace(/^(@koromix\/koffi-).*/, "$1…");
    const where = path.join(modules, dependency);
    if (existsSync(where)) families.set(family, where);
    else if (!families.has(family)) families.set(family, null);
  }
  for (const [family, where] of families) {
    // Of a family, one for each system, npm installs the one that fits, which stands for all.
    if (where === null)
      found.push({ name: family, version, licence: "unknown", copyright: "", through: `\`${name}\`` });
    else if (family.endsWith("…")) {
      const { license } = JSON.parse(readFileSync(path.join(where, "package.json"), "utf8"));
      const copyright = copyrightIn(own);
      found.push({ name: family, version, licence: license, copyright, through: `\`${name}\`, one for each system` });
    } else collect(found, where, `\`${name}\``);
  }
}

/** @param {string} folder */
function licenceFiles(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(
      (file) => /(^|[\\/])(licen[cs]e|copying|notice)(\.\w+)?$/i.test(file) && !/(^|[\\/])node_modules[\\/]/.test(file),
    )
    .map((file) => path.join(folder, file))
    .sort();
}

/** @param {string | undefined} file */
function copyrightIn(file) {
  const line = file === undefined ? undefined : /^.*copyright \(c\).*$/im.exec(readFileSync(file, "utf8"))?.[0];
  return (line ?? "")
    .replace(/^.*copyright \(c\)\s*/i, "")
    .replace(/\s*<.*>/, "")
    .replace(/\s+/g, " ")
    .trim();
}

const place = /(<!-- licences -->\n)([\s\S]*?)(<!-- end of licences -->)/;

/**
 * The page with its table as these packages make it.
 *
 * @param {string} text
 * @param {readonly Licensed[]} packages
 */
export function withLicences(text, packages) {
  const rows = packages.map(
    ({ name, version, licence, copyright, through }) =>
      `| \`${name}\` | ${version} | ${licence} | ${copyright} | ${through} |\n`,
  );
  const head = "| package | version | licence | copyright | comes with |\n| --- | --- | --- | --- | --- |\n";
  return text.replace(place, (_all, begin, _table, end) => `${begin}${head}${rows.join("")}${end}`);
}
