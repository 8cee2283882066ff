/** `whv run`: the demo, flat images, limits, sinks, what is recorded, and the terminal. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { tripleFaultGuest } from "@whvkit/microvm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../src/index.ts";
import { Collector, type Ended, jsonLines, TypingTerminal, whv } from "./command.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "whv-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string): string => path.join(folder, name);
const contentOf = (name: string): string => readFileSync(inFolder(name), "latin1");

/** Runs real-mode code, given as hex digits, at 0x7c00. */
function runCode(code: string, ...options: string[]): Promise<Ended> {
  writeFileSync(inFolder("code.bin"), Buffer.from(code.replaceAll(" ", ""), "hex"));
  return whv(["run", "--flat", inFolder("code.bin"), "--timeout", "20", ...options]);
}

/** OUT of single bytes to a port: MOV DX, port; then MOV AL, byte; OUT DX, AL for each. */
function printing(port: number, text: string): string {
  const low = (port & 0xff).toString(16).padStart(2, "0");
  const high = (port >> 8).toString(16).padStart(2, "0");
  return `ba${low}${high}${[...Buffer.from(text)].map((byte) => `b0${byte.toString(16).padStart(2, "0")}ee`).join("")}`;
}

/** The same on the first serial port, set to eight bits a character before. */
function printingOnSerial(text: string): string {
  return `bafb03b003ee${printing(0x3f8, text)}`;
}

const exitWith = (value: number): string => `b0${value.toString(16).padStart(2, "0")} e6f4`;
const forever = "ebfe";

describe("the demo", () => {
  test("ends by itself without a terminal: it types a script", async () => {
    const ended = await whv(["run", "demo", "--stats"]);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/real mode[\s\S]*protected mode[\s\S]*long mode/);
    expect(ended.stdout).toMatch(/^exits +[0-9,]+$/m);
    expect(ended.stdout).toMatch(/^ {2}X64IoPortAccess +[0-9,]+$/m);
    expect(ended.stdout).toMatch(/^ {2}MemoryAccess +[0-9,]+$/m);
    expect(ended.stdout).toMatch(/^emulations +[0-9,]+ +[0-9,]+ I\/O, [0-9,]+ MMIO$/m);
    expect(ended.stdout).toMatch(/^callbacks per emulation +[0-9]+\.[0-9]{2} /m);
    expect(ended.stdout).toMatch(/^guest instructions +[1-9][0-9,]*$/m);
    expect(ended.stdout).toMatch(/^seconds +[0-9.]+$/m);
    expect(ended.stderr).toBe("The guest switched the machine off.\n");
  });

  test("--quiet keeps progress to itself, --serial none the guest's output, --serial-in types", async () => {
    expect(await whv(["run", "demo", "--quiet", "--serial", "none"])).toEqual({ status: 0, stdout: "", stderr: "" });
    const typed = await whv(["run", "demo", "--quiet", "--serial-in", "-"], { input: "somebody else\n" });
    expect(typed.stdout).toContain("somebody else");
  });

  test("what it recorded replays with the same result, every emulation of it", async () => {
    await whv([
      "run",
      "demo",
      "--quiet",
      "--serial",
      "none",
      "--record",
      inFolder("cases.jsonl"),
      "--stats-json",
      inFolder("stats.json"),
    ]);
    const statistics = JSON.parse(contentOf("stats.json"));
    const { io, mmio } = statistics.emulations;
    const ended = await whv(["emulate", inFolder("cases.jsonl")]);
    const answers = jsonLines(ended);
    expect(answers).toHaveLength(io + mmio);
    expect(answers.filter(({ status }) => status?.[0] !== "EmulationSuccessful")).toEqual([]);
    const calls = (callback: string): number =>
      answers.reduce(
        (sum, answer) => sum + answer.calls.filter((one: { callback: string }) => one.callback === callback).length,
        0,
      );
    expect({
      ioPort: calls("ioPort"),
      memory: calls("memory"),
      getVirtualProcessorRegisters: calls("getRegisters"),
      setVirtualProcessorRegisters: calls("setRegisters"),
      translateGvaPage: calls("translate"),
    }).toEqual(statistics.callbacks);
  });
});

describe("exit status", () => {
  test.each([
    [0, 1],
    [3, 7],
    [0x7f, 255],
  ])("a guest that writes %i to the debug-exit port ends with %i", async (value, status) => {
    expect((await runCode(exitWith(value))).status).toBe(status);
  });

  test("--debug-exit-port moves that port", async () => {
    expect((await runCode("b005 e6f5", "--debug-exit-port", "0xf5")).status).toBe(11);
  });

  test("a triple fault: 1, and says why", async () => {
    const { bytes, mode, load } = tripleFaultGuest();
    writeFileSync(inFolder("fault.bin"), bytes);
    const ended = await whv([
      "run",
      "--flat",
      inFolder("fault.bin"),
      "--mode",
      `${mode}`,
      "--load",
      `0x${load.toString(16)}`,
    ]);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^whv: .*triple.fault/i);
  });

  test("HLT with interrupts off, for good: 1", async () => {
    const ended = await runCode("fa f4");
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^whv: .*halt/i);
  });

  test("limits: 124", async () => {
    expect(await runCode(forever, "--max-instructions", "1000")).toMatchObject({
      status: 124,
      stderr: expect.stringMatching(/instruction/),
    });
    expect(await runCode(forever, "--timeout", "0.2")).toMatchObject({
      status: 124,
      stderr: expect.stringMatching(/0\.2 s|seconds|time/),
    });
  });

  test("--until: 0 when the console shows it", async () => {
    const ended = await runCode(printingOnSerial("login: ") + forever, "--until", "log.n:");
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/^login:/) });
  });

  test("files that are not there, and images that do not fit: why", async () => {
    expect(await whv(["run", "--flat", inFolder("none")])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no such file"),
    });
    expect(await runCode("90", "--load", "0xffffffff")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^whv: /),
    });
    expect(await runCode("90", "--serial", path.join(folder, "a/b"))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no such file"),
    });
  });
});

describe("what cannot be", () => {
  test.each([
    ["3", 2, "--memory is 3, not a multiple of 4096"],
    ["100G", 2, "--memory is 107374182400, not a multiple of 4096 from 1 MiB to 64 GiB"],
    ["8G", 1, "allocateMemory failed"],
  ])("--memory %s: exit status %i, and why", async (size, status, why) => {
    const ended = await whv(["run", "demo", "--memory", size]);
    expect(ended).toMatchObject({ status, stdout: "", stderr: expect.stringMatching(`^whv: .*${why}`) });
  });

  test("more RAM than the simulator takes by itself", async () => {
    expect((await whv(["run", "demo", "--quiet", "--memory", "1200M"])).status).toBe(0);
  });

  test("an instruction that the simulator does not know: 1, and where", async () => {
    // MOV AX, B800; MOV DS, AX; FBSTP [0].
    const ended = await runCode("b800b8 8ed8 df360000");
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^whv: .*UnsupportedFeature at 0000:0*7c05/);
  });
});

describe("where the guest's bytes go", () => {
  test("the serial port: standard output, a file, nowhere", async () => {
    const code = printingOnSerial("hello\n") + exitWith(0);
    expect((await runCode(code)).stdout).toBe("hello\n");
    expect((await runCode(code, "--serial", inFolder("serial"))).stdout).toBe("");
    expect(contentOf("serial")).toBe("hello\n");
    expect((await runCode(code, "--serial", "none")).stdout).toBe("");
  });

  test("debug consoles, several of them", async () => {
    const code = printing(0xe9, "to stdout") + printing(0x402, "to file") + exitWith(0);
    const ended = await runCode(
      code,
      "--debug-console-port",
      "0xe9",
      "--debug-console-port",
      `0x402,${inFolder("log")}`,
    );
    expect(ended.stdout).toBe("to stdout");
    expect(contentOf("log")).toBe("to file");
  });

  test("POST codes as hex", async () => {
    await runCode(printing(0x190, "\x01Z") + exitWith(0), "--post-port", `0x190,${inFolder("post")}`);
    expect(contentOf("post")).toBe("01\n5a\n");
  });

  test("the screen's text: MOV AX, B800; MOV ES, AX; MOV WORD ES:[0], 'A' in grey", async () => {
    const code = `b800b8 8ec0 26c70600004107 ${exitWith(0)}`;
    const ended = await runCode(code, "--vga", "text", "--vga-out", inFolder("screen"));
    expect(ended.stdout.split("\n")[0]).toBe("A");
    expect(contentOf("screen").split("\n")[0]).toBe("A");
  });
});

describe.skipIf(process.platform === "win32")("the native backend where there is no Windows", () => {
  test("--backend win: 1, and one line that says why", async () => {
    const ended = await whv(["run", "demo", "--backend", "win"]);
    expect(ended).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "whv: the backend win cannot be used: the Windows Hypervisor Platform needs 64-bit Windows on x64; " +
        `this is ${process.platform} on ${process.arch}\n`,
    });
  });

  test("--backend auto is the simulator, which counts instructions", async () => {
    const ended = await whv(["run", "demo", "--backend", "auto", "--serial", "none", "--stats"]);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/^guest instructions +[1-9][0-9,]*$/m);
    expect(ended.stderr).toMatch(/^backend: sim\n/);
  });

  test("--emulator native: 1, and what it needs", async () => {
    expect(await whv(["run", "demo", "--backend", "auto", "--emulator", "native"])).toEqual({
      status: 1,
      stdout: "",
      stderr: 'whv: --emulator native needs the backend win, which cannot run guests here; see "whv doctor"\n',
    });
  });
});

describe("at a terminal", () => {
  test("keys go to the guest, raw mode is restored", async () => {
    const stdin = new TypingTerminal();
    const stdout = new Collector(true, (text) => {
      if (text.endsWith("? ") && text.includes("name")) stdin.write("terminal\r");
    });
    const stderr = new Collector(true);
    const status = await main(["run", "demo", "--timeout", "30"], {
      stdin,
      stdout,
      stderr,
      environment: { NO_COLOR: "1" },
    });
    expect(stdout.text).toContain("Hello, terminal!");
    expect(status).toBe(0);
    expect(stdin.rawModes).toEqual([true, false]);
  });

  test("Ctrl-A X leaves, also while the guest waits", async () => {
    const stdin = new TypingTerminal();
    const stdout = new Collector(true, (text) => {
      if (text.includes("name?")) stdin.write("\u0001x");
    });
    const stderr = new Collector(true);
    const status = await main(["run", "demo", "--timeout", "30"], {
      stdin,
      stdout,
      stderr,
      environment: { NO_COLOR: "1" },
    });
    expect(status).toBe(0);
    expect(stderr.text).toBe("left with Ctrl-A X\n");
    expect(stdout.text).not.toContain("Hello");
    expect(stdin.rawModes).toEqual([true, false]);
  });
});
