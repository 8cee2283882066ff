/**
 * `whv run` and `whv doctor` over stand-ins for the platform's libraries: guests boot through microvm on the native
 * backend, the TypeScript emulator finishes their exits. The stand-in runs a handful of instructions, or all of them where
 * /dev/kvm works. Afterwards nothing may be left alive, and nothing done that the documentation forbids.
 */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { E_FAIL } from "@whvkit/whv-types";
import { createWinHypervisor, describeHost } from "@whvkit/win-backend";
import { PlatformControl } from "../../../../tooling/windows-stand-ins/stand-in-control.ts";
import { check, libraryDirectory, runChecks, Skipped } from "../../../../tooling/windows-stand-ins/suite.ts";
import { backendCalled, emulatorCalled } from "../../src/backend-choice.ts";
import { UsageError, WorkError } from "../../src/command-error.ts";
import { Output } from "../../src/command-host.ts";
import { hostFindings, hostReport } from "../../src/doctor/host-report.ts";
import { ByteSinks } from "../../src/run/byte-sinks.ts";
import { type MachineSetup, runMachine } from "../../src/run/machine-run.ts";
import { Collector, TypingTerminal } from "../command.ts";

const platform = new PlatformControl(libraryDirectory);
const nothing = Object.fromEntries(Object.keys(platform.live()).map((name) => [name, 0]));

/** Runs real-mode code at 0x7c00, with a debug console at port 0xe9. */
async function runCode(
  code: readonly number[],
  limits: MachineSetup["limits"] = {},
  terminal?: TypingTerminal,
): Promise<{ status: number; stdout: string; cases: string[] }> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const [output, errors] = [new Output(stdout, {}), new Output(stderr, {})];
  const host = { stdin: terminal ?? Readable.from([]), stdout, stderr, environment: {} };
  const sinks = new ByteSinks();
  const cases: string[] = [];
  const status = await runMachine(
    {
      hypervisor: createWinHypervisor({ libraryDirectory, maxRunMilliseconds: 5 }),
      createEmulator: await emulatorCalled("ts"),
      terminal: terminal !== undefined,
      image: { bytes: Uint8Array.from(code), mode: 16, load: 0x7c00 },
      debugConsoles: [{ port: 0xe9, output: sinks.toOutput(output) }],
      limits,
    },
    {
      sinks,
      printScreen: false,
      screenFile: undefined,
      printStatistics: true,
      statisticsFile: undefined,
      record: (line) => cases.push(line),
    },
    { host, output, errors, status: 0, quiet: true },
  );
  await output.flush();
  // Only the simulator counts. Who leaves sees no statistics.
  if (terminal === undefined) assert.match(stdout.text, /^guest instructions +not counted$/m);
  return { status, stdout: stdout.text, cases };
}

/** Code that writes the text to port 0xe9 and 5 to the debug-exit port: MOV AL, [address] and OUT, then the bytes. */
function printing(text: string): number[] {
  const bytes = [...Buffer.from(text), 5];
  const data = 0x7c00 + 5 * bytes.length;
  return [
    ...bytes.flatMap((_, i) => {
      const port = i === bytes.length - 1 ? 0xf4 : 0xe9;
      return [0xa0, (data + i) & 0xff, (data + i) >> 8, 0xe6, port];
    }),
    ...bytes,
  ];
}

check("a guest boots, prints and ends with its own status", async () => {
  const { status, stdout, cases } = await runCode(printing("booted\n"));
  assert.equal(status, 11);
  assert.match(stdout, /^booted\n/);
  assert.match(stdout, /^ {2}X64IoPortAccess +8$/m);
  assert.equal(cases.length, 8);
  assert.equal(JSON.parse(cases[0] ?? "").exit.port, 0xe9);
});

check("a time limit ends a guest that goes on", async () => {
  // Prints "k" for ever: MOV AL, [7C07]; OUT E9, AL; JMP -7; "k".
  const { status, stdout } = await runCode([0xa0, 0x07, 0x7c, 0xe6, 0xe9, 0xeb, 0xf9, 0x6b], {
    timeoutSeconds: 0.2,
  });
  assert.equal(status, 124);
  assert.match(stdout, /^k+/);
});

check("a time limit ends a guest that computes and never exits", async () => {
  // JMP to itself.
  assert.equal((await runCode([0xeb, 0xfe], { timeoutSeconds: 0.2 })).status, 124);
});

check("Ctrl-A X leaves a guest that computes and never exits", async () => {
  const terminal = new TypingTerminal();
  // Writes "k" once, then JMP to itself.
  const running = runCode([0xa0, 0x07, 0x7c, 0xe6, 0xe9, 0xeb, 0xfe, 0x6b], {}, terminal);
  setImmediate(() => terminal.write("\x01x"));
  const { status, stdout } = await running;
  assert.equal(status, 0);
  assert.equal(stdout, "k");
  assert.deepEqual(terminal.rawModes, [true, false]);
});

check("on /dev/kvm: a guest that computes has its timer interrupts", async () => {
  if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
  try {
    const handler = 0x7c2a;
    const { status } = await runCode(
      [
        ...[0x31, 0xc0, 0x8e, 0xd8], // xor ax, ax; mov ds, ax
        ...[0xc7, 0x06, 0x20, 0x00, handler & 0xff, handler >> 8], // mov word [0x20], handler: vector 8
        ...[0xa3, 0x22, 0x00], // mov [0x22], ax
        ...[0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21], // the PIC: vectors from 8 on
        ...[0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21],
        ...[0xb0, 0xfe, 0xe6, 0x21], // IRQ 0 alone
        ...[0xe6, 0x40, 0xe6, 0x40], // the PIT as it is, some milliseconds
        ...[0xfb, 0x90, 0x90, 0xeb, 0xfe], // sti; jmp to itself
        ...[0xb0, 0x03, 0xe6, 0xf4], // the handler: mov al, 3; out 0xf4, al
      ],
      { timeoutSeconds: 10 },
    );
    assert.equal(status, 7);
  } finally {
    platform.useKvm(0);
  }
});

check("what the hypervisor refuses is an error with its operation, and nothing stays alive", async () => {
  for (const operation of ["WHvCreatePartition", "WHvMapGpaRange", "WHvRunVirtualProcessor"]) {
    platform.fail(operation, 1, E_FAIL);
    await assert.rejects(runCode(printing("x")), (error) => {
      assert.ok(error instanceof WorkError, `${error}`);
      assert.match(error.message, new RegExp(`${operation} failed with 0x80004005`));
      return true;
    });
    assert.deepEqual(platform.live(), nothing);
  }
});

check("a limit that needs counted instructions is wrong usage, in the option's name", async () => {
  await assert.rejects(runCode([0xf4], { maxInstructions: 5 }), (error) => {
    assert.ok(error instanceof UsageError, `${error}`);
    assert.equal(error.message, '--max-instructions: the backend "win" does not count instructions');
    return true;
  });
});

check("on /dev/kvm: a guest that loops, calculates, and writes to the screen", async () => {
  if (platform.useKvm(1) === 0) throw new Skipped("there is no /dev/kvm that works here");
  try {
    const { status, stdout } = await runCode([
      ...[0xb8, 0x00, 0xb8, 0x8e, 0xd8], // mov ax, 0xb800; mov ds, ax: the screen
      ...[0xb9, 0x03, 0x00, 0x31, 0xdb], // mov cx, 3; xor bx, bx
      ...[0xb0, 0x61], // mov al, 'a'
      ...[0x88, 0x07], // L: mov [bx], al
      ...[0x80, 0x07, 0x01], // add byte [bx], 1
      ...[0x8a, 0x07], // mov al, [bx]
      ...[0xe6, 0xe9], // out 0xe9, al
      ...[0x43, 0x43], // inc bx, twice
      ...[0xe2, 0xf3], // loop L
      ...[0xb0, 0x03, 0xe6, 0xf4], // mov al, 3; out 0xf4, al
    ]);
    assert.equal(status, 7);
    assert.match(stdout, /^bcd/);
    assert.match(stdout, /^ {2}MemoryAccess +9$/m);
  } finally {
    platform.useKvm(0);
  }
});

check("without the feature: win is an error that tells what to enable, auto is the simulator", async () => {
  if (describeHost().platformLibrary.present) throw new Skipped("this Windows has the platform");
  await assert.rejects(backendCalled("win"), (error) => {
    assert.ok(error instanceof WorkError, `${error}`);
    assert.match(error.message, /^the backend win cannot be used: .*WinHvPlatform\.dll is not there/);
    assert.match(error.message, /featurename:HypervisorPlatform/);
    return true;
  });
  assert.equal((await backendCalled("auto")).name, "sim");
  await assert.rejects(
    emulatorCalled("native"),
    /the native emulator cannot be used: .*WinHvEmulation\.dll is not there/,
  );
});

check("doctor: a host with the platform, and one without", () => {
  const found = (host: ReturnType<typeof describeHost>): string =>
    hostFindings(hostReport(host))
      .map(({ what, good, detail }) => `${good} ${what.trim()}: ${detail}`)
      .join("\n");
  const enabled = found(describeHost({ libraryDirectory }));
  assert.match(enabled, /^true native backend: runs guests here/m);
  assert.match(enabled, /^null hypervisor: running$/m);
  assert.match(enabled, /^null features: .*dirtyPageTracking/m);
  assert.doesNotMatch(enabled, /to do/);
  if (describeHost().platformLibrary.present) return;
  const missing = found(describeHost());
  assert.match(missing, /^null native backend: cannot run guests here yet/m);
  assert.match(missing, /^null to do: .*featurename:HypervisorPlatform/m);
});

await runChecks(() => {
  assert.deepEqual(platform.takeViolations(), [], "what the documentation forbids");
  assert.deepEqual(platform.live(), nothing, "what is still alive");
});
