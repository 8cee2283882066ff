// The manifests of the packed packages, and what they say that is installed beside them.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * The manifests of the packed packages, by name.
 *
 * @param {string} consumer the folder of packed-packages.js
 * @returns {Map<string, any>}
 */
export function packedManifests(consumer) {
  const scope = path.join(consumer, "node_modules", "@whvkit");
  return new Map(
    readdirSync(scope).map((name) => {
      const manifest = JSON.parse(readFileSync(path.join(scope, name, "package.json"), "utf8"));
      return [manifest.name, manifest];
    }),
  );
}

/**
 * What a package installs beside itself, with the versions: required, and where the system asks for it.
 *
 * @param {any} manifest
 * @returns {Record<string, string>}
 */
export function dependenciesOf(manifest) {
  return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
}
