// Serves a built page on 127.0.0.1 under a content-security policy of the test's choice, and drives Debian's Chromium
// through it.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { chromium } from "playwright-core";

/** Debian's, and what Ubuntu's runners have; playwright-core brings no browser of its own. */
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((file) => existsSync(file));

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

/** Why no browser can be driven here; `null` where one can. */
export function browserUnavailable() {
  return CHROMIUM === undefined ? "chromium is not installed (Debian package chromium)" : null;
}

/** Chromium without anything that asks the network for something by itself. */
export function launchBrowser() {
  if (CHROMIUM === undefined) throw new Error("chromium is not installed");
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  const args = ["--disable-gpu", "--disable-quic", ...quiet];
  return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid?.() !== 0, args });
}

/**
 * @param {string} folder what is served
 * @param {string} policy the content-security policy of every answer
 * @returns {Promise<{ address: string, close(): Promise<void> }>}
 */
export async function serve(folder, policy) {
  const server = createServer((request, response) => {
    const name = path.normalize(new URL(request.url ?? "/", "http://localhost").pathname).replace(/\/$/, "/index.html");
    const file = path.join(folder, name);
    const type = types[/** @type {keyof typeof types} */ (path.extname(file))];
    if (type === undefined || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/**
 * Opens a page and waits until it says that it has ended.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} address
 * @returns {Promise<{ page: import("playwright-core").Page, complaints: string[] }>} `complaints`: errors and warnings of the
 * console, uncaught errors, requests that failed
 */
export async function open(browser, address) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (!response.ok()) complaints.push(`${response.url()}: ${response.status()}`);
  });
  await page.goto(address);
  await page.waitForSelector('body:not([data-state="running"])');
  return { page, complaints };
}
