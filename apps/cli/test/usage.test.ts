/** Help, wrong usage, and what every command shares. */
import { expect, test } from "vitest";
import { main } from "../src/index.ts";
import { Collector, TypingTerminal, whv } from "./command.ts";

const commands = ["run", "decode", "emulate", "explain", "step", "conformance", "doctor"];

test("the help lists the commands that there are, and no other", async () => {
  const { status, stdout } = await whv(["--help"]);
  expect(status).toBe(0);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name);
  expect(listed.filter((name) => name !== "help")).toEqual(commands);
});

test.each(commands)("%s --help shows an example", async (command) => {
  const { status, stdout } = await whv([command, "--help"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples?:\n(?:.*\n)*  \\$ .*whv ${command}`));
});

test.each([
  [[], "Usage: whv"],
  [["bench"], "unknown command 'bench'"],
  [["decod"], "Did you mean decode?"],
  [["decode", "--bits", "64"], "unknown option '--bits'"],
  [["decode", "--mode", "48", "90"], "It must be 16, 32 or 64."],
  [["decode", "--ip", "here", "90"], "It must be a number, such as 16 or 0x10."],
  [["emulate", "a", "b"], "too many arguments"],
  [["run"], "which guest?"],
  [["run", "guest.img"], 'this version runs "demo" and flat images'],
  [["run", "demo", "--flat", "x"], "demo and --flat exclude each other"],
  [["run", "demo", "--mode", "32"], "--mode is for --flat images"],
  [["run", "demo", "--memory", "lots"], "It must be a size"],
  [["run", "demo", "--timeout", "0"], "It must be a number of seconds above 0."],
  [["run", "demo", "--until", "("], "Invalid regular expression"],
  [["run", "demo", "--max-instructions", "0"], "It must be at least 1."],
  [["run", "demo", "--debug-exit-port", "0x10000"], "It may be at most 0xffff."],
  [["run", "demo", "--post-port", "0x190"], "--post-port needs a file"],
  [["run", "demo", "--vga", "png"], "Allowed choices are text."],
  [["run", "demo", "--backend", "kvm"], "Allowed choices are sim, win, auto."],
  [["run", "demo", "--emulator", "c"], "Allowed choices are ts, native."],
  [["run", "demo", "--emulator", "native"], "--emulator native goes with --backend win"],
  [["run", "--kernel", "bzImage"], "--kernel is not implemented yet"],
  [["run", "demo", "--cpus", "2"], "--cpus is not implemented yet"],
])("whv %j is wrong usage: exit status 2, and why", async (args, why) => {
  const ended = await whv(args);
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(ended.stderr).toContain(why);
});

test("at a terminal, a command that reads lines says so; --quiet does not", async () => {
  const start = (args: string[]): Promise<number> => {
    stderr = new Collector(true);
    const stdin = new TypingTerminal();
    stdin.end("90\n");
    return main(args, { stdin, stdout: new Collector(), stderr, environment: { NO_COLOR: "1" } });
  };
  let stderr = new Collector();
  expect(await start(["decode"])).toBe(0);
  expect(stderr.text).toBe("reading lines from the terminal; Ctrl-D ends them\n");
  expect(await start(["decode", "--quiet"])).toBe(0);
  expect(stderr.text).toBe("");
});

test("what is not implemented is not in the help", async () => {
  const { stdout } = await whv(["run", "--help"]);
  expect(stdout).not.toMatch(/--kernel|--bios|--disk|--cpus|--initrd|--append/);
});
