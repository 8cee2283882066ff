/**
 * The `whv` command as a function: what `bin/whv.js` calls, and what a program calls that wants it in its own process.
 *
 * @packageDocumentation
 */
export type { CommandHost, InputStream, OutputStream } from "./command-host.ts";
export { main } from "./main.ts";
