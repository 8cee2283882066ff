// Holds the sources and the package.json files of all packages against the import map.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { findImports } from "./imports.js";
import { importMap } from "./map.js";

/**
 * @param {string} root the folder of the workspace
 * @param {typeof importMap} [map]
 * @returns {string[]} one line for each violation
 */
export function checkImportMap(root, map = importMap) {
  const violations = packagesMissingFromMap(root, map);
  for (const [name, rule] of Object.entries(map)) {
    const folder = path.join(root, rule.folder);
    if (!existsSync(folder)) {
      violations.push(`${rule.folder}: named by the import map, but not there`);
      continue;
    }
    const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    violations.push(...manifestViolations(manifest, rule));
    const src = path.join(folder, "src");
    for (const file of sourcesBelow(src)) {
      const where = path.relative(root, file);
      let imports;
      try {
        imports = findImports(readFileSync(file, "utf8"));
      } catch (error) {
        violations.push(`${where}: not readable as TypeScript: ${error instanceof Error ? error.message : error}`);
        continue;
      }
      for (const { specifier, line } of imports) {
        const reason =
          violationOf(specifier, file, src, name, rule) ?? undeclaredIn(manifest, /** @type {string} */ (specifier));
        if (reason !== null) violations.push(`${where}:${line}: ${reason}`);
      }
    }
  }
  return violations;
}

/**
 * Why an import is against the map, or null when it is not.
 *
 * @param {string | null} specifier
 * @param {string} file the importing file
 * @param {string} src the package's src folder
 * @param {string} name
 * @param {import("./map.js").PackageRule} rule
 * @returns {string | null}
 */
export function violationOf(specifier, file, src, name, rule) {
  if (specifier === null) return "imports a computed module name, which no check can follow";
  if (specifier.startsWith(".")) {
    const target = path.resolve(path.dirname(file), specifier);
    if (path.relative(src, target).startsWith("..")) return `"${specifier}" leaves the package's src`;
    return null;
  }
  if (isBuiltin(specifier)) {
    if (!rule.node) return `${name} runs in browsers and may not import "${specifier}"`;
    return specifier.startsWith("node:") ? null : `"${specifier}" is to be written "node:${specifier}"`;
  }
  const whvkit = /^@whvkit\/([^/]+)(\/.*)?$/.exec(specifier);
  if (whvkit === null) {
    return rule.external.includes(specifier) ? null : `${name} may not import "${specifier}"`;
  }
  if (whvkit[2] !== undefined) return `"${specifier}" reaches into another package; import "@whvkit/${whvkit[1]}"`;
  if (whvkit[1] === name) return `${name} imports itself by name; use a relative import`;
  return rule.whvkit.includes(whvkit[1] ?? "") ? null : `${name} may not import "${specifier}"`;
}

/**
 * Why an import that the map allows would still fail for somebody who installs the package; null when it would not.
 * (In this workspace it would not fail: the root declares every package, for the tests.)
 *
 * @param {any} manifest
 * @param {string} specifier
 */
function undeclaredIn(manifest, specifier) {
  if (specifier.startsWith(".") || isBuiltin(specifier)) return null;
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  return specifier in declared ? null : `imports "${specifier}", which package.json does not depend on`;
}

/**
 * @param {any} manifest
 * @param {import("./map.js").PackageRule} rule
 */
function manifestViolations(manifest, rule) {
  const allowed = [...rule.whvkit.map((name) => `@whvkit/${name}`), ...rule.external].sort();
  const declared = Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  }).sort();
  const where = `${rule.folder}/package.json`;
  const violations = [];
  for (const name of declared) {
    if (!allowed.includes(name)) violations.push(`${where}: depends on ${name}, which the import map does not allow`);
  }
  for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
    if (name.startsWith("@whvkit/") && range !== "workspace:^") {
      violations.push(`${where}: ${name} is to be "workspace:^", not "${range}"`);
    }
  }
  return violations;
}

/**
 * @param {string} root
 * @param {typeof importMap} map
 */
function packagesMissingFromMap(root, map) {
  const known = new Set(Object.values(map).map((rule) => rule.folder));
  return ["packages", "apps"]
    .filter((group) => existsSync(path.join(root, group)))
    .flatMap((group) => readdirSync(path.join(root, group)).map((name) => `${group}/${name}`))
    .filter((folder) => existsSync(path.join(root, folder, "package.json")) && !known.has(folder))
    .map((folder) => `${folder}: not in the import map`);
}

/** @param {string} folder */
function sourcesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?tsx?$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}
