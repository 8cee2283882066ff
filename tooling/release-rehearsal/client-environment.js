// The environment that npm, pnpm and consumers run in: an empty home, nothing of the caller's npm settings, one registry,
// and a proxy that refuses the rest of the world.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { commandFile } from "@tooling/build-command";

/**
 * @param {string} folder where home, caches and pnpm's store go
 * @param {import("./loopback-registry.js").LoopbackRegistry} registry
 * @param {string} proxy address of what refuses everything that is not for this machine
 * @returns {NodeJS.ProcessEnv}
 */
export function clientEnvironment(folder, registry, proxy) {
  const home = path.join(folder, "home");
  mkdirSync(home, { recursive: true });
  const userConfig = path.join(home, ".npmrc");
  const globalConfig = path.join(home, "global-npmrc");
  writeFileSync(userConfig, registry.npmrc);
  writeFileSync(globalConfig, "");

  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    // Variables of a pnpm script or a git hook that called us, and tokens, are not for strangers' projects.
    if (/^(npm|pnpm|node_options|node_auth|git_|turbo|vitest|.*proxy$|.*token)/i.test(name)) continue;
    env[name] = value;
  }
  return {
    ...env,
    CI: "true",
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: path.join(home, "config"),
    XDG_CACHE_HOME: path.join(home, "cache"),
    XDG_DATA_HOME: path.join(home, "data"),
    NO_COLOR: "1",
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: "127.0.0.1",
    npm_config_registry: registry.url,
    npm_config_userconfig: userConfig,
    npm_config_globalconfig: globalConfig,
    npm_config_cache: path.join(home, "npm-cache"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

/** The workspace's own pnpm, to be run by `process.execPath`. */
export const pnpmFile = commandFile("pnpm", "pnpm");
