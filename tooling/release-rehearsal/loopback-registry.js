// The registry of a rehearsal: a verdaccio of our own on 127.0.0.1, without uplinks, with its storage in a temporary
// folder. And the network beyond it: a proxy that refuses and notes every request that is not for 127.0.0.1.
import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { endWithUs } from "./child-processes.js";
import { isLoopback } from "./loopback-address.js";

/** Only what stands here was started by this process. @type {WeakSet<LoopbackRegistry>} */
const started = new WeakSet();

/**
 * @typedef {object} LoopbackRegistry
 * @property {string} url `http://127.0.0.1:PORT/`
 * @property {string} npmrc the lines that make a client use it, with the right to publish
 * @property {() => void} stop
 */

/** Whether a registry is one that {@link startRegistry} of this process made, and on this machine. */
export function isOurs(/** @type {LoopbackRegistry} */ registry) {
  return started.has(registry) && isLoopback(registry.url);
}

/**
 * @param {string} folder an empty one, for storage, users and log
 * @returns {Promise<LoopbackRegistry>}
 */
export async function startRegistry(folder) {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "config.json");
  const configuration = {
    storage: path.join(folder, "storage"),
    auth: { htpasswd: { file: path.join(folder, "users") } },
    uplinks: {},
    packages: { "**": { access: "$all", publish: "$authenticated" } },
    log: { type: "file", path: path.join(folder, "log"), level: "http" },
    web: { enable: false },
    max_body_size: "100mb",
  };
  writeFileSync(file, JSON.stringify(configuration));

  const program = fileURLToPath(new URL("registry-server.js", import.meta.url));
  const child = fork(program, [file], { execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  endWithUs(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part) => {
      said += part;
    });
  }
  const port = await new Promise((resolve, reject) => {
    child.once("message", (/** @type {any} */ message) => resolve(message.port));
    child.once("error", reject);
    child.once("close", (status) => reject(new Error(`verdaccio ended with status ${status}\n${said}`)));
  });

  const url = `http://127.0.0.1:${port}/`;
  const answer = await fetch(`${url}-/user/org.couchdb.user:rehearsal`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "rehearsal", password: "rehearsal" }),
  });
  const { token } = /** @type {{ token?: string }} */ (await answer.json());
  if (token === undefined) throw new Error(`verdaccio made no user: status ${answer.status}`);
  /** @type {LoopbackRegistry} */
  const registry = {
    url,
    npmrc: `registry=${url}\n//127.0.0.1:${port}/:_authToken=${token}\n`,
    stop: () => void child.kill("SIGTERM"),
  };
  started.add(registry);
  return registry;
}

/**
 * @typedef {object} Counter
 * @property {string} url
 * @property {string[]} requests `METHOD target` of each
 * @property {() => void} stop
 */

/**
 * A server on 127.0.0.1 that refuses everything and notes it: as a proxy it shows what would have left this machine, and
 * in a test it pretends to be somebody else's registry.
 *
 * @returns {Promise<Counter>}
 */
export async function startCounter() {
  /** @type {string[]} */
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(403).end("{}");
  });
  server.on("connect", (request, socket) => {
    requests.push(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, requests, stop: () => void server.close() };
}
