import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run, runOrThrow } from "../child-processes.js";

const options = { cwd: process.cwd(), env: process.env };

test("a program that cannot be started says so and does not throw", async () => {
  const result = await run("no-such-program-of-whvkit", [], options);
  expect(result.status).toBe(null);
  expect(result.stderr).toContain("ENOENT");
});

test("a program that fails is told with everything that it said", async () => {
  const program = 'console.log("half"); console.error("reason"); process.exit(3)';
  const failing = runOrThrow(process.execPath, ["-e", program], options);
  await expect(failing).rejects.toThrow(/ended with status 3\nhalf\nreason/);
});

test("a registry ends with the process that started it, even when that is killed", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "orphan-"));
  try {
    const module = new URL("../loopback-registry.js", import.meta.url).href;
    const program = `const { startRegistry } = await import(${JSON.stringify(module)});
      const { url } = await startRegistry(${JSON.stringify(path.join(folder, "registry"))});
      process.stdout.write(url + "\\n");`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const url = await new Promise((resolve, reject) => {
      parent.stdout.once("data", (text) => resolve(String(text).trim()));
      parent.once("close", (status) => reject(new Error(`the parent ended with status ${status}`)));
    });
    expect((await fetch(`${url}-/ping`)).status).toBe(200);
    const closed = new Promise((resolve) => parent.once("close", resolve));
    parent.kill("SIGKILL");
    await closed;
    await expect
      .poll(
        () =>
          fetch(`${url}-/ping`).then(
            () => "alive",
            () => "gone",
          ),
        { timeout: 20_000 },
      )
      .toBe("gone");
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
