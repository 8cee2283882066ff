// Who may publish a package: the release workflow on the tag of that version, with provenance; and the release rehearsal,
// to a registry on this machine. Nobody else, however the publishing was started. Imports nothing that must be installed: the
// guard holds in a bare checkout, too.
import { isLoopback } from "../release-rehearsal/loopback-address.js";

/**
 * @param {{ name: string, version: string, publishConfig?: { registry?: string } }} manifest of the package
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} pendingChangesets file names
 * @returns {string | null} why not, for people; null where it may be published
 */
export function refusalOf(manifest, environment, pendingChangesets) {
  if (isLoopback(manifest.publishConfig?.registry)) return null;
  const { GITHUB_ACTIONS, GITHUB_REF_TYPE, GITHUB_REF_NAME, ACTIONS_ID_TOKEN_REQUEST_URL } = environment;
  if (GITHUB_ACTIONS !== "true")
    return "packages are published by the release workflow, never from here; see RELEASING.md";
  const tag = `v${manifest.version}`;
  if (GITHUB_REF_TYPE !== "tag" || GITHUB_REF_NAME !== tag) {
    return `version ${manifest.version} is published on the tag ${tag}, not on ${GITHUB_REF_TYPE} ${GITHUB_REF_NAME}`;
  }
  if (environment.NPM_CONFIG_PROVENANCE !== "true" || !ACTIONS_ID_TOKEN_REQUEST_URL) {
    return "packages are published with provenance: NPM_CONFIG_PROVENANCE=true and the permission id-token: write";
  }
  if (pendingChangesets.length > 0) return `changesets wait for a version: ${pendingChangesets.join(", ")}`;
  return null;
}
