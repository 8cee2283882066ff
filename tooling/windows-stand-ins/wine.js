// How Wine is started: its prefix, no display, no messages of its own, and paths as Windows programs see them.
import { cacheFolders } from "./cache.js";

/** @returns {Record<string, string | undefined>} */
export function wineEnvironment(prefix = cacheFolders.prefix) {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...environment } = process.env;
  return {
    ...environment,
    WINEPREFIX: prefix,
    WINEDEBUG: "-all",
    // Neither .NET nor a browser engine: Wine would ask to download them.
    WINEDLLOVERRIDES: "mscoree=;mshtml=",
  };
}

/** An absolute path as a program under Wine names it; on Windows, the path itself. */
export function windowsPath(/** @type {string} */ file) {
  return process.platform === "win32" ? file : `Z:${file.replaceAll("/", "\\")}`;
}
