/**
 * `bin/whv.js` as a process of its own: pipes, signals, exit statuses. It runs what was built, which the test command
 * does before its tests; where the build is missing or old, these tests are skipped and say so.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";

const executable = fileURLToPath(new URL("../bin/whv.js", import.meta.url));

const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));
const sources = fileURLToPath(new URL("../src/", import.meta.url));

/** Why the executable cannot be tested, or `null`. */
function notBuilt(): string | null {
  if (!existsSync(built)) return "apps/cli is not built; `pnpm build` does it, and the test command before its tests";
  const newest = readdirSync(sources, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(sources + name))
    .reduce((latest, { mtimeMs }) => Math.max(latest, mtimeMs), 0);
  return newest > statSync(built).mtimeMs ? "apps/cli changed after its last build; build it first" : null;
}

beforeEach(({ skip }) => {
  const reason = notBuilt();
  skip(reason !== null, reason ?? "");
});

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [executable, ...args], { stdio: ["pipe", "pipe", "pipe"] });
}

function run(args: readonly string[], input = ""): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...args], { input, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("decode", () => {
  expect(run(["decode", "8b07"])).toEqual({ status: 0, stdout: "8b 07  mov eax, dword ptr [rdi]\n", stderr: "" });
});

test("wrong usage", () => {
  expect(run(["decode", "--mode", "8", "90"])).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining("16, 32 or 64"),
  });
});

test("emulate answers what comes through a pipe, line by line", () => {
  const out = {
    id: "out",
    kind: "io",
    vp: { cs: { attributes: "0x9b" }, rip: 0, instructionLength: 1 },
    exit: { isWrite: true, accessSize: 1, port: 0xe9, rax: 0x21 },
  };
  const { status, stdout } = run(["emulate"], `${JSON.stringify(out)}\n{\n`);
  expect(status).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { id: "out", status: ["EmulationSuccessful"], set: { Rip: "0x1" } },
    { id: null, error: expect.stringMatching(/^line 2: not JSON/) },
  ]);
});

test("run demo ends by itself, with standard input closed and with a pipe that never ends", async () => {
  const child = start(["run", "demo", "--quiet"]);
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  const [status] = await once(child, "close");
  expect(status).toBe(0);
  expect(stdout).toMatch(/real mode[\s\S]*protected mode[\s\S]*long mode/);
  expect(run(["run", "demo", "--quiet"])).toMatchObject({ status: 0, stdout, stderr: "" });
});

describe("readers that go away", () => {
  test("a closed pipe ends the command quietly", async () => {
    const child = start(["decode", "-"]);
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdin?.on("error", () => {});
    const first = once(child.stdout!, "data");
    // More than a pipe holds, so that the command is still writing when its reader goes.
    child.stdin?.write("8b07\n".repeat(200_000));
    await first;
    child.stdout?.destroy();
    child.stdin?.end("8b07\n".repeat(200_000));
    const [status, signal] = await once(child, "close");
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  });

  test.skipIf(process.platform !== "linux")("a full disk is a failure (on Linux, by /dev/full)", () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [executable, "decode", "90"], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "whv: cannot write the output: no space left on the device\n",
    });
  });
});

test("a signal ends a guest that runs for ever", async () => {
  const child = start(["run", "--flat", "-", "--mode", "32", "--quiet"]);
  child.stdin?.end(Buffer.from("baf8030000b021eeebfd", "hex"));
  await once(child.stdout!, "data");
  child.kill("SIGTERM");
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGTERM");
});
