/** `whv conformance`: the table, the report, the comparison, and what is said where there is no Windows. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { jsonLines, whv } from "./command.ts";

describe("whv conformance", () => {
  test("prints a line a check and the counts, and ends with 0 when nothing failed", async () => {
    const { status, stdout } = await whv(["conformance", "--backend", "sim", "--filter", ".port."]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok {11}emulator\.port\.in-1 +IN of 1 bytes/);
    expect(stdout).toMatch(/emulator ts, backend sim: \d+ passed, 0 failed, 0 different by choice, 0 unsupported\n$/);
  });

  test("names what the backend does not support, and what it says", async () => {
    const { status, stdout } = await whv(["conformance", "--backend", "sim", "--filter", "operation.partition.reset"]);
    expect(status).toBe(0);
    expect(stdout).toContain("unsupported  backend.operation.partition.reset");
    expect(stdout).toContain("Partition.reset: the backend does not have this operation");
  });

  test("--quiet leaves out what passed", async () => {
    const { stdout } = await whv(["conformance", "--backend", "sim", "--filter", ".port.", "--quiet"]);
    expect(stdout).toMatch(/^emulator ts, backend sim: \d+ passed, 0 failed[^\n]*\n$/);
  });

  test("--json is the report, with the host", async () => {
    const [report] = jsonLines(await whv(["conformance", "--backend", "sim", "--filter", "exit.halt", "--json"]));
    expect(report).toMatchObject({
      format: 1,
      emulator: "ts",
      backend: "sim",
      counts: { passed: 2, failed: 0, different: 0, unsupported: 0 },
      host: expect.stringContaining(process.platform),
    });
    expect(report.checks[0]).toMatchObject({ id: "backend.exit.halt", status: "passed", subject: "backend" });
  });

  test("a filter that fits nothing is an error", async () => {
    const ended = await whv(["conformance", "--backend", "sim", "--filter", "no such check"]);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain('no check\'s name contains "no such check"');
  });

  test("an unknown backend is wrong usage", async () => {
    const ended = await whv(["conformance", "--backend", "kvm"]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain("Allowed choices are sim, win, auto.");
  });
});

describe.skipIf(process.platform === "win32")("where there is no Windows", () => {
  test("auto is the simulator", async () => {
    const { stdout } = await whv(["conformance", "--filter", "exit.halt"]);
    expect(stdout).toContain("backend sim: 2 passed");
  });

  test.each([
    [["--backend", "win"], "the backend win cannot be used: the Windows Hypervisor Platform needs 64-bit Windows"],
    [["--backend", "sim", "--emulator", "native"], "the native emulator cannot be used: "],
    [["--compare", "cases.jsonl"], "the native emulator cannot be used: "],
  ])("%j says so, with exit status 1", async (args, why) => {
    const ended = await whv(["conformance", ...args]);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain(why);
  });
});

describe("whv conformance --compare", () => {
  const vp = '{"executionState":{"cr0Pe":true,"eferLma":true},"cs":{"attributes":"0xa09b"},"rip":"0x1000"}';
  const port = `{"id":"in","kind":"io","vp":${vp},"exit":{"instructionBytes":"ec","isWrite":false,"accessSize":1,"port":96}}`;

  async function compare(text: string, ...options: string[]): ReturnType<typeof whv> {
    const folder = mkdtempSync(path.join(tmpdir(), "whv-"));
    try {
      const file = path.join(folder, "cases.jsonl");
      writeFileSync(file, text);
      return await whv(["conformance", "--emulator", "ts", "--compare", file, ...options]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test("the TypeScript emulator against itself: no difference", async () => {
    const ended = await compare(`${port}\n${port}\n`);
    expect(ended).toMatchObject({ status: 0, stdout: "2 cases: 2 the same, 0 with known differences, 0 different\n" });
    const [json] = jsonLines(await compare(`${port}\n`, "--json"));
    expect(json).toEqual({ format: 1, cases: 1, same: 1, known: 0, different: 0, differences: [] });
  });

  test.each([
    ["not json", "line 2: not JSON"],
    ['{"kind":"mmio"}', "line 2: vp"],
  ])("a line that cannot be read is an error: %s", async (line, why) => {
    const ended = await compare(`${port}\n${line}\n`);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain(why);
  });
});
