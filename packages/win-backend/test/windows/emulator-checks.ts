/** The native emulator over the real ABI: what reaches the callbacks, what goes back, and what happens when they fail. */
import assert from "node:assert/strict";
import {
  E_FAIL,
  E_INVALIDARG,
  type EmulatorCallbacks,
  IoPortAccessContextView,
  MemoryAccessContextView,
  WHV_REGISTER_NAME as Name,
  VpExitContextView,
} from "@whvkit/whv-types";
import { createNativeEmulator, type NativeEmulator } from "@whvkit/win-backend";
import { check } from "../../../../tooling/windows-stand-ins/suite.ts";
import { assertFails, emulation, options } from "./fixtures.ts";

type Host = { log: string[]; overrides: Partial<EmulatorCallbacks<Host>> };

const callbacks: EmulatorCallbacks<Host> = {
  ioPort(host, access) {
    host.log.push(
      `io ${access.direction} ${access.port.toString(16)} ${access.accessSize} ${access.data.toString(16)}`,
    );
    if (access.direction === 0) access.data = 0x5a5a_5a5a;
    return host.overrides.ioPort?.(host, access) ?? 0;
  },
  memory(host, access) {
    host.log.push(
      `memory ${access.direction} ${access.gpaAddress.toString(16)} ${access.accessSize} ${access.value.toString(16)}`,
    );
    if (access.direction === 0) access.data.fill(0x11 * access.accessSize);
    return host.overrides.memory?.(host, access) ?? 0;
  },
  getVirtualProcessorRegisters(host, names, count, values) {
    host.log.push(`get ${[...names.subarray(0, count)].join()}`);
    for (let i = 0; i < count; i++) values.set128(i, (BigInt((i % 15) + 1) << 124n) | 0x8000_0000_0000_0001n);
    return host.overrides.getVirtualProcessorRegisters?.(host, names, count, values) ?? 0;
  },
  setVirtualProcessorRegisters(host, names, count, values) {
    const all = Array.from({ length: count }, (_, i) => `${names[i]}=${values.get128(i).toString(16)}`);
    host.log.push(`set ${all.join()}`);
    return host.overrides.setVirtualProcessorRegisters?.(host, names, count, values) ?? 0;
  },
  translateGvaPage(host, translation) {
    host.log.push(`translate ${translation.gvaPage.toString(16)} ${translation.flags}`);
    translation.resultCode = 0;
    translation.gpaPage = 0xf_ffff_ffff_f000;
    return host.overrides.translateGvaPage?.(host, translation) ?? 0;
  },
};

const vpContext = VpExitContextView.from({
  rip: 0xffff_8000_0000_1000n,
  instructionLength: 2,
  executionState: { eferLma: true, cr0Pe: true },
  cs: { attributes: 0xa09b },
});

function mmio(gva: bigint, accessType = 0): MemoryAccessContextView {
  return MemoryAccessContextView.from({
    instructionByteCount: 2,
    instructionBytes: Uint8Array.from([0x8b, 0x07, ...new Array(14).fill(0)]),
    accessInfo: { accessType, gvaValid: true },
    gva,
    gpa: 0x1000,
  });
}

function port(isWrite: boolean, stringOp = false, rsi = 0n): IoPortAccessContextView {
  const accessInfo = { isWrite, accessSize: 4, stringOp };
  return IoPortAccessContextView.from({ accessInfo, portNumber: 0xfff8, rax: 0x8765_4321n, rsi, rdi: rsi });
}

function withEmulator(use: (emulator: NativeEmulator<Host>, host: Host) => void): void {
  const emulator = createNativeEmulator(callbacks, options);
  try {
    use(emulator, { log: [], overrides: {} });
  } finally {
    emulation().plan();
    emulator.destroy();
    assert.deepEqual(emulation().takeViolations(), []);
  }
}

export function addEmulatorChecks(): void {
  check("five callbacks of one emulation see exactly what native code passes, addresses above 2^63 too", () =>
    withEmulator((emulator, host) => {
      const result = emulator.tryIoEmulation(host, vpContext, port(true, true, 0xffff_f800_1234_5678n));
      assert.deepEqual(host.log, [
        `get ${[Name.WHvX64RegisterRax, Name.WHvX64RegisterRip, Name.WHvX64RegisterRsi, Name.WHvX64RegisterXmm0].join()}`,
        "translate fffff80012345000 1",
        "memory 0 ffffffffff678 4 aaaaaaaa",
        "io 1 fff8 4 44444444",
        `set 0=10000000000000008000000000000001,16=2000000000000000ffff800000001002,6=30000000000000008000000000000005,${Name.WHvX64RegisterXmm0}=40000000000000008000000000000001`,
      ]);
      assert.equal(result.hresult, 0);
      assert.equal(result.statusBits, 1);
      assert.equal(result.emulationSuccessful, true);
      assert.equal(result.diagnostic, null);
      const answers = emulation().answers();
      assert.equal(answers.gpa, 0x000f_ffff_ffff_f000n);
      assert.deepEqual(answers.first, [0x8000_0000_0000_0001n, 1n << 60n]);
      assert.deepEqual(answers.last, [0x8000_0000_0000_0001n, 4n << 60n]);
    }),
  );

  check("every form of guest-virtual address arrives unsigned", () =>
    withEmulator((emulator, host) => {
      for (const gva of [
        0n,
        0x1000n,
        0xffff_f000n,
        2n ** 32n,
        2n ** 53n - 4096n,
        2n ** 53n,
        2n ** 53n + 4096n,
        2n ** 63n - 4096n,
        2n ** 63n,
        2n ** 63n + 4096n,
        2n ** 64n - 2n ** 53n,
        2n ** 64n - 2n ** 32n,
        2n ** 64n - 4096n,
      ]) {
        host.log.length = 0;
        assert.equal(emulator.tryMmioEmulation(host, vpContext, mmio(gva)).emulationSuccessful, true);
        assert.equal(host.log[1], `translate ${gva.toString(16)} 1`);
      }
    }),
  );

  check("IN goes back to native code, and an access that crosses a page is two accesses", () =>
    withEmulator((emulator, host) => {
      assert.equal(emulator.tryIoEmulation(host, vpContext, port(false)).statusBits, 1);
      assert.equal(host.log[1], "io 0 fff8 4 87654321");
      assert.equal(emulation().answers().data, 0x5a5a_5a5a);
      host.log.length = 0;
      emulator.tryMmioEmulation(host, vpContext, mmio(0x1ffdn));
      assert.deepEqual(host.log.slice(1, 5), [
        "translate 1000 1",
        "memory 0 ffffffffffffd 3 aaaaaa",
        "translate 2000 1",
        "memory 0 ffffffffff000 1 aa",
      ]);
      assert.deepEqual([...emulation().answers().memory.subarray(0, 4)], [0x33, 0x33, 0x33, 0x11]);
      host.log.length = 0;
      emulator.tryMmioEmulation(host, vpContext, mmio(0x1ffdn, 1));
      assert.deepEqual(host.log.slice(1, 3), ["translate 1000 3", "memory 1 ffffffffffffd 3 1"]);
    }),
  );

  check("as many registers as native code asks for", () =>
    withEmulator((emulator, host) => {
      for (const registers of [2, 3, 63, 64, 65, 300]) {
        emulation().plan({ registers });
        host.log.length = 0;
        assert.equal(emulator.tryMmioEmulation(host, vpContext, mmio(0n)).statusBits, 1);
        assert.equal(host.log[0]?.split(",").length, registers);
        assert.deepEqual(emulation().answers().last[0], 0x8000_0000_0000_0001n);
      }
      emulation().plan({ registers: 1100 });
      const result = emulator.tryMmioEmulation(host, vpContext, mmio(0n));
      assert.equal(result.getVirtualProcessorRegistersCallbackFailed, true);
      assert.match(result.diagnostic?.message ?? "", /1100 registers/);
    }),
  );

  const failures: [keyof EmulatorCallbacks, number, string][] = [
    ["ioPort", 1 << 2, "port"],
    ["memory", 1 << 3, "load"],
    ["translateGvaPage", 1 << 4, "translate"],
    ["getVirtualProcessorRegisters", 1 << 6, "registers"],
    ["setVirtualProcessorRegisters", 1 << 7, "commit"],
  ];

  check("a callback that fails: its status bit, and its HRESULT in the diagnostic", () =>
    withEmulator((emulator, host) => {
      for (const [callback, bit, phase] of failures) {
        for (const hresult of [0x8007_000e, E_FAIL, 1, -2147024882]) {
          host.overrides = { [callback]: () => hresult };
          const result = emulator.tryIoEmulation(host, vpContext, port(true, true));
          assert.equal(result.hresult, 0);
          assert.equal(result.statusBits, bit, callback);
          assert.equal(result.diagnostic?.callback, callback);
          assert.equal(result.diagnostic?.callbackHresult, hresult >>> 0);
          assert.equal(result.diagnostic?.phase, phase);
          assert.equal(result.diagnostic?.rip, 0xffff_8000_0000_1000n);
          assert.equal(result.diagnostic?.mode, 64);
          assert.equal(result.diagnostic?.thrown, undefined);
        }
      }
      host.overrides = {};
      assert.equal(emulator.tryIoEmulation(host, vpContext, port(true, true)).diagnostic, null);
    }),
  );

  check("what a callback throws never crosses native code, and is kept", () =>
    withEmulator((emulator, host) => {
      for (const [callback, bit] of failures) {
        for (const thrown of [new TypeError("boom"), "a string", null, undefined]) {
          host.overrides = {
            [callback]: () => {
              throw thrown;
            },
          };
          const result = emulator.tryIoEmulation(host, vpContext, port(true, true));
          assert.equal(result.hresult, 0, "it was caught before native code");
          assert.equal(result.diagnostic?.callback, callback);
          assert.equal(result.statusBits, bit, callback);
          assert.equal(result.diagnostic?.thrown, thrown);
          assert.equal(result.diagnostic?.callbackHresult, E_FAIL);
        }
      }
    }),
  );

  check("answers that are no HRESULT count as failures", () =>
    withEmulator((emulator, host) => {
      for (const answer of ["0", Promise.resolve(0), {}, true, 0n, Number.NaN, 2 ** 32]) {
        host.overrides = { memory: () => answer as number };
        const result = emulator.tryMmioEmulation(host, vpContext, mmio(0n));
        assert.equal(result.memoryCallbackFailed, true, String(answer));
        assert.match(result.diagnostic?.message ?? "", /instead of an HRESULT/);
      }
    }),
  );

  check("translations that fail, are not aligned, or are no address", () =>
    withEmulator((emulator, host) => {
      const answer = (gpaPage: number, resultCode = 0) => {
        host.overrides = {
          translateGvaPage: (_host, translation) => {
            translation.gpaPage = gpaPage;
            translation.resultCode = resultCode;
            return 0;
          },
        };
        return emulator.tryMmioEmulation(host, vpContext, mmio(0n));
      };
      assert.equal(answer(0x1234).translateGvaPageCallbackGpaIsNotAligned, true);
      assert.equal(answer(0x1234).diagnostic?.reason, "translation-not-aligned");
      assert.equal(answer(0x1000, 1).internalEmulationFailure, true);
      assert.equal(emulation().answers().resultCode, 1);
      for (const bad of [-4096, 0.5, Number.NaN, 2 ** 60])
        assert.equal(answer(bad).translateGvaPageCallbackFailed, true, String(bad));
      for (const code of [-1, 0.5])
        assert.equal(answer(0x1000, code).translateGvaPageCallbackFailed, true, String(code));
    }),
  );

  check("statuses and HRESULTs of native code are passed on, with a diagnostic", () =>
    withEmulator((emulator, host) => {
      const reasons: [number, string][] = [
        [1 << 1, "native-failure"],
        [1 << 8, "interrupt-caused-intercept"],
        [1 << 9, "guest-cannot-be-faulted"],
      ];
      for (const [forcedStatus, reason] of reasons) {
        emulation().plan({ forcedStatus });
        const result = emulator.tryMmioEmulation(host, vpContext, mmio(0n));
        assert.equal(result.statusBits, forcedStatus);
        assert.equal(result.diagnostic?.reason, reason);
        assert.deepEqual([...(result.diagnostic?.bytes ?? [])], [0x8b, 0x07]);
      }
      emulation().plan({ answer: E_INVALIDARG });
      assert.equal(emulator.tryMmioEmulation(host, vpContext, mmio(0n)).hresult, E_INVALIDARG);
      emulation().plan({ answer: 0x8000_ffff });
      const catastrophic = emulator.tryMmioEmulation(host, vpContext, mmio(0n));
      assert.equal(catastrophic.hresult, 0x8000_ffff);
      assert.match(catastrophic.diagnostic?.message ?? "", /E_UNEXPECTED/);
      emulation().plan();
      const malformed = mmio(0n);
      malformed.instructionByteCount = 17;
      assert.equal(emulator.tryMmioEmulation(host, vpContext, malformed).hresult, E_INVALIDARG);
    }),
  );

  check("native code that breaks the interface is told so, and nothing crashes", () =>
    withEmulator((emulator, host) => {
      for (const plan of [{ wrongContext: true }, { nullAccess: true }]) {
        emulation().plan(plan);
        assert.equal(emulator.tryIoEmulation(host, vpContext, port(true)).emulationSuccessful, false);
      }
      for (const accessSize of [9, 255]) {
        emulation().plan({ accessSize });
        assert.equal(emulator.tryMmioEmulation(host, vpContext, mmio(0n)).memoryCallbackFailed, true);
      }
      emulation().plan({ portSize: 3 });
      assert.equal(emulator.tryIoEmulation(host, vpContext, port(true)).ioPortCallbackFailed, true);
    }),
  );

  check("an emulator refuses to be entered twice, and the outer call is unharmed; another one may be used", () =>
    withEmulator((emulator, host) => {
      const other = createNativeEmulator(callbacks, options);
      try {
        const inner: number[] = [];
        host.overrides = {
          ioPort: (_host, access) => {
            inner.push(emulator.tryIoEmulation(host, vpContext, port(true)).hresult);
            const nested = other.tryIoEmulation({ log: [], overrides: {} }, vpContext, port(true));
            inner.push(nested.statusBits);
            assert.equal(access.port, 0xfff8);
            return 0;
          },
        };
        assert.equal(emulator.tryIoEmulation(host, vpContext, port(true)).statusBits, 1);
        assert.deepEqual(inner, [E_FAIL, 1]);
      } finally {
        other.destroy();
      }
    }),
  );

  check("destroyed: at once, twice, or from its own callback", () => {
    const emulator = createNativeEmulator(callbacks, options);
    const host: Host = {
      log: [],
      overrides: {
        ioPort: () => {
          emulator.destroy();
          return 0;
        },
      },
    };
    assert.equal(emulation().live(), 1);
    assert.equal(emulator.tryIoEmulation(host, vpContext, port(true)).statusBits, 1);
    assert.equal(emulation().live(), 0);
    emulator.destroy();
    const result = emulator.tryIoEmulation(host, vpContext, port(true));
    assert.equal(result.hresult, E_INVALIDARG);
    assert.match(result.diagnostic?.message ?? "", /destroyed/);
  });

  check("contexts are checked, and may lie in shared memory", () =>
    withEmulator((emulator, host) => {
      const nothing = undefined as unknown as VpExitContextView;
      assert.equal(emulator.tryMmioEmulation(host, nothing, mmio(0n)).hresult, E_INVALIDARG);
      assert.equal(emulator.tryMmioEmulation(host, vpContext, {} as MemoryAccessContextView).hresult, E_INVALIDARG);
      const shared = new DataView(new SharedArrayBuffer(100), 4);
      const inShared = new MemoryAccessContextView(shared, 12).assign(mmio(0x7000n).toObject());
      assert.equal(emulator.tryMmioEmulation(host, vpContext, inShared).statusBits, 1);
      assert.ok(host.log.includes("translate 7000 1"));
      const { ioPort: _left, ...four } = callbacks;
      const create = () => createNativeEmulator(four as EmulatorCallbacks<Host>, options);
      assertFails(create, "WHvEmulatorCreateEmulator", E_INVALIDARG, /no callback ioPort/);
    }),
  );

  check("two hundred emulators, ten times: no handle and no callback is left", () => {
    for (let round = 0; round < 10; round++) {
      const emulators = Array.from({ length: 200 }, () => createNativeEmulator(callbacks, options));
      assert.equal(emulation().live(), 200);
      const host: Host = { log: [], overrides: {} };
      for (const emulator of emulators)
        assert.equal(emulator.tryIoEmulation(host, vpContext, port(true)).statusBits, 1);
      for (const emulator of emulators) emulator[Symbol.dispose]();
      assert.equal(emulation().live(), 0);
    }
  });

  check("a callback that runs out of stack does not take the process with it", () =>
    withEmulator((emulator, host) => {
      const deeper = (): number => deeper() + 1;
      host.overrides = { memory: deeper };
      const result = emulator.tryMmioEmulation(host, vpContext, mmio(0n));
      assert.equal(result.memoryCallbackFailed, true);
      assert.ok(result.diagnostic?.thrown instanceof RangeError);
    }),
  );
}
