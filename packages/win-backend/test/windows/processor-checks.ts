/** Virtual processors over the real ABI: exits field by field, registers, cancel, translation, blocks of state. */
import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import {
  E_INVALIDARG,
  WHV_REGISTER_NAME as Name,
  ProcessorApicCountersView,
  ProcessorRuntimeCountersView,
  WHV_PARTITION_PROPERTY_CODE as Property,
  WHV_RUN_VP_EXIT_REASON as Reason,
  RegisterValues,
  WHV_VIRTUAL_PROCESSOR_STATE_TYPE as StateType,
  WHV_TRANSLATE_GVA_FLAGS as TranslateFlag,
  WHV_E_INSUFFICIENT_BUFFER,
  WHV_E_INVALID_VP_REGISTER_NAME,
  WHV_E_INVALID_VP_STATE,
  WHV_E_UNKNOWN_PROPERTY,
  WHV_E_VP_ALREADY_EXISTS,
  WHV_E_VP_DOES_NOT_EXIST,
} from "@whvkit/whv-types";
import { createWinHypervisor } from "@whvkit/win-backend";
import { check, libraryDirectory } from "../../../../tooling/windows-stand-ins/suite.ts";
import {
  assertFails,
  hypervisor,
  loadCode,
  queueExit,
  queueWait,
  READ_WRITE_EXECUTE,
  register,
  withPartition,
  withPartitionAsync,
} from "./fixtures.ts";

/** Registers that cannot hold every value. */
const bounded: readonly number[] = [
  ...[Name.WHvX64RegisterCr0, Name.WHvX64RegisterCr3, Name.WHvX64RegisterCr4, Name.WHvX64RegisterCr8],
  ...[Name.WHvX64RegisterDr6, Name.WHvX64RegisterDr7, Name.WHvX64RegisterXCr0, Name.WHvX64RegisterEfer],
  ...[Name.WHvX64RegisterPat, Name.WHvX64RegisterLstar, Name.WHvX64RegisterCstar, Name.WHvX64RegisterKernelGsBase],
  ...[Name.WHvX64RegisterSysenterEip, Name.WHvX64RegisterSysenterEsp],
];

export function addProcessorChecks(): void {
  check("a guest runs from exit to exit", () =>
    withPartition((partition) => {
      // nop; out 0x80, al; in al, dx; mov al, [0x8000…]; hlt
      const processor = loadCode(partition, [0x90, 0xe6, 0x80, 0xed, 0xa0, 0x00, 0x80, 0xf4]);
      const values = new RegisterValues(3);
      values.set64(0, 0x1122_3344_5566_7741n);
      values.set64(1, 0x3f8n);
      values.segment(2).assign({ base: 0xf_0000n, limit: 0xffff, selector: 0xf000, attributes: 0x93 });
      processor.setRegisters(
        Uint32Array.of(Name.WHvX64RegisterRax, Name.WHvX64RegisterRdx, Name.WHvX64RegisterDs),
        3,
        values,
      );
      const advance = (by: bigint): void => {
        const rip = new RegisterValues(1);
        rip.set64(0, register(processor, Name.WHvX64RegisterRip) + by);
        processor.setRegisters(Uint32Array.of(Name.WHvX64RegisterRip), 1, rip);
      };
      let exit = processor.run();
      assert.ok(exit.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess);
      assert.equal(exit.vpContext.rip, 0x1001n);
      assert.equal(exit.vpContext.instructionLength, 2);
      assert.equal(exit.ioPortAccess.portNumber, 0x80);
      assert.equal(exit.ioPortAccess.accessInfo.isWrite, true);
      assert.equal(exit.ioPortAccess.rax, 0x1122_3344_5566_7741n);
      advance(2n);
      const same = exit;
      exit = processor.run();
      assert.equal(exit, same, "the exit object is reused");
      assert.ok(exit.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess);
      assert.deepEqual([exit.ioPortAccess.accessInfo.isWrite, exit.ioPortAccess.portNumber], [false, 0x3f8]);
      advance(1n);
      exit = processor.run();
      assert.ok(exit.exitReason === Reason.WHvRunVpExitReasonMemoryAccess);
      assert.deepEqual([exit.memoryAccess.gpa, exit.memoryAccess.gva], [0xf_8000, 0xf_8000n]);
      assert.deepEqual([...exit.memoryAccess.instructionBytes.subarray(0, 3)], [0xa0, 0x00, 0x80]);
      advance(3n);
      assert.equal(processor.run().exitReason, Reason.WHvRunVpExitReasonX64Halt);
    }),
  );

  check("scripted exits arrive field by field, addresses at and above 2^63 too", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const vpContext = {
        executionState: { cpl: 3, cr0Pe: true, cr0Am: true, eferLma: true, interruptShadow: true },
        instructionLength: 15,
        cr8: 9,
        cs: { base: 2n ** 64n - 4096n, limit: 0xffff_ffff, selector: 0x33, attributes: 0xa0fb },
        rip: 0xffff_8000_0000_0000n,
        rflags: 0x8000_0000_0001_0202n,
      };
      const memoryAccess = {
        instructionByteCount: 16,
        instructionBytes: Uint8Array.from({ length: 16 }, (_, at) => 0xf0 + at),
        accessInfo: { accessType: 1, gpaUnmapped: true, gvaValid: true },
        gpa: 2 ** 52 - 8,
        gva: 2n ** 63n,
      };
      queueExit(partition, 0, { exitReason: Reason.WHvRunVpExitReasonMemoryAccess, vpContext, memoryAccess });
      const first = processor.run();
      assert.ok(first.exitReason === Reason.WHvRunVpExitReasonMemoryAccess);
      const seen = first.vpContext.toObject();
      assert.equal(seen.rip, vpContext.rip);
      assert.equal(seen.rflags, vpContext.rflags);
      assert.equal(seen.instructionLength, 15);
      assert.equal(seen.cr8, 9);
      assert.deepEqual({ ...seen.executionState, ...vpContext.executionState }, seen.executionState);
      assert.deepEqual({ ...seen.cs, ...vpContext.cs }, seen.cs);
      assert.deepEqual(first.memoryAccess.instructionBytes, memoryAccess.instructionBytes);
      assert.deepEqual([first.memoryAccess.gpa, first.memoryAccess.gva], [memoryAccess.gpa, 2n ** 63n]);

      const ioPortAccess = {
        instructionByteCount: 3,
        accessInfo: { isWrite: true, accessSize: 4, stringOp: true, repPrefix: true },
        portNumber: 0xffff,
        rax: 2n ** 64n - 1n,
        rcx: 2n ** 63n,
        rsi: 2n ** 63n - 1n,
        rdi: 1n,
        ds: { base: 2n ** 63n, limit: 1, selector: 2, attributes: 3 },
        es: { base: 4n, limit: 5, selector: 6, attributes: 7 },
      };
      queueExit(partition, 0, { exitReason: Reason.WHvRunVpExitReasonX64IoPortAccess, ioPortAccess });
      const second = processor.run();
      assert.ok(second.exitReason === Reason.WHvRunVpExitReasonX64IoPortAccess);
      const port = second.ioPortAccess.toObject();
      for (const [name, value] of Object.entries(ioPortAccess)) {
        const got: unknown = port[name as keyof typeof port];
        if (typeof value === "object") assert.deepEqual({ ...(got as object), ...value }, got, name);
        else assert.equal(got, value, name);
      }
    }),
  );

  check("every exit reason that the headers name arrives as it is", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      for (const [name, exitReason] of Object.entries(Reason)) {
        queueExit(partition, 0, { exitReason, vpContext: { rip: BigInt(exitReason) } } as never);
        const exit = processor.run();
        assert.equal(exit.exitReason, exitReason, name);
        assert.equal(exit.vpContext.rip, BigInt(exitReason), name);
      }
    }),
  );

  check("register values cross in both directions bit for bit", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const names = Uint32Array.from(new Set(Object.values(Name))).filter((name) => !bounded.includes(name));
      const values = new RegisterValues(names.length);
      for (let i = 0; i < values.words.length; i++) values.words[i] = Math.imul(i + 1, 0x9e3779b1);
      processor.setRegisters(names, names.length, values);
      const back = new RegisterValues(names.length);
      processor.getRegisters(names, names.length, back);
      assert.deepEqual(back.words, values.words);
      // Only the first entries count.
      back.words.fill(0xdead_beef);
      processor.getRegisters(names, 2, back);
      assert.deepEqual(back.words.subarray(0, 8), values.words.subarray(0, 8));
      assert.ok(back.words.subarray(8).every((word) => word === 0xdead_beef));
      // Entries in the middle of somebody's memory.
      const shared = new RegisterValues(new SharedArrayBuffer(64), 16, 2);
      processor.getRegisters(names, 2, shared);
      assert.deepEqual([...shared.words], [...values.words.subarray(0, 8)]);
    }),
  );

  check("a value that a register cannot hold is refused, and nothing is written", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const values = new RegisterValues(2);
      for (const name of bounded) {
        const before = register(processor, name);
        values.set64(0, 7n);
        values.set64(1, 0x8000_1234_5678_9abcn);
        const set = (): void => processor.setRegisters(Uint32Array.of(Name.WHvX64RegisterRax, name), 2, values);
        assertFails(set, "WHvSetVirtualProcessorRegisters", E_INVALIDARG);
        assert.equal(register(processor, Name.WHvX64RegisterRax), 0n);
        assert.equal(register(processor, name), before);
      }
    }),
  );

  check("after a reset of the partition processors are as new", () =>
    withPartition((partition) => {
      const processor = loadCode(partition, [0xf4]);
      const other = partition.createVirtualProcessor(1);
      const all = [Name.WHvX64RegisterRip, Name.WHvX64RegisterCs, Name.WHvX64RegisterRbx, Name.WHvX64RegisterCr0];
      const value = new RegisterValues(1);
      value.set64(0, 5n);
      processor.setRegisters(Uint32Array.of(Name.WHvX64RegisterRbx), 1, value);
      partition.reset();
      assert.equal(register(processor, Name.WHvX64RegisterRip), 0xfff0n);
      for (const name of all) assert.equal(register(processor, name), register(other, name));
    }, 2n),
  );

  check("a guest that never exits gives its thread back after the time that the hypervisor was given", () => {
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2e6])
      assertFails(() => createWinHypervisor({ maxRunMilliseconds: bad }), "createWinHypervisor", E_INVALIDARG);
    const partition = createWinHypervisor({ libraryDirectory, maxRunMilliseconds: 5 }).createPartition();
    try {
      partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 2n);
      partition.setup();
      // jmp to itself; another processor has a time of its own.
      const processor = loadCode(partition, [0xeb, 0xfe, 0xf4]);
      for (let runs = 0; runs < 3; runs++) assert.equal(processor.run().exitReason, Reason.WHvRunVpExitReasonCanceled);
      const halting = partition.createVirtualProcessor(1);
      const values = new RegisterValues(2);
      values.segment(0).assign({ base: 0n, limit: 0xffff, selector: 0, attributes: 0x9b });
      values.set64(1, 0x1002n);
      const place = Uint32Array.of(Name.WHvX64RegisterCs, Name.WHvX64RegisterRip);
      halting.setRegisters(place, 2, values);
      let exit = halting.run().exitReason;
      while (exit === Reason.WHvRunVpExitReasonCanceled) exit = halting.run().exitReason;
      assert.equal(exit, Reason.WHvRunVpExitReasonX64Halt);
      processor.dispose();
      assertFails(() => processor.run(), "WHvRunVirtualProcessor", WHV_E_VP_DOES_NOT_EXIST);
    } finally {
      partition.dispose();
    }
  });

  check("a run on another thread is cut short, too", async () => {
    const partition = createWinHypervisor({ libraryDirectory, maxRunMilliseconds: 5 }).createPartition();
    try {
      partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 1n);
      partition.setup();
      const processor = loadCode(partition, [0xeb, 0xfe]);
      assert.equal((await processor.runAsync()).exitReason, Reason.WHvRunVpExitReasonCanceled);
    } finally {
      partition.dispose();
    }
  });

  check("unknown registers and counts that do not fit are refused, and nothing is written", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const values = new RegisterValues(2);
      values.set64(0, 7n);
      const names = Uint32Array.of(Name.WHvX64RegisterRax, 0x7777);
      const set = () => processor.setRegisters(names, 2, values);
      assertFails(set, "WHvSetVirtualProcessorRegisters", WHV_E_INVALID_VP_REGISTER_NAME);
      assert.equal(register(processor, Name.WHvX64RegisterRax), 0n);
      for (const count of [-1, 3, 1.5, Number.NaN, 2 ** 32]) {
        assertFails(
          () => processor.getRegisters(names, count, values),
          "WHvGetVirtualProcessorRegisters",
          E_INVALIDARG,
        );
      }
      assertFails(
        () => processor.getRegisters(new Uint32Array(3), 3, values),
        "WHvGetVirtualProcessorRegisters",
        E_INVALIDARG,
      );
    }),
  );

  check("processors are created once, in range, with properties where they are given, and deleted", () =>
    withPartition((partition) => {
      const first = partition.createVirtualProcessor(0);
      const operation = "WHvCreateVirtualProcessor";
      assertFails(() => partition.createVirtualProcessor(0), operation, WHV_E_VP_ALREADY_EXISTS);
      assertFails(() => partition.createVirtualProcessor(2), operation, E_INVALIDARG);
      assertFails(() => partition.createVirtualProcessor(-1), operation, E_INVALIDARG);
      first.dispose();
      first.dispose();
      assertFails(() => first.run(), "WHvRunVirtualProcessor", WHV_E_VP_DOES_NOT_EXIST);
      const numaNode = { propertyCode: 0, reserved: 0, padding: 1n } as const;
      const again = partition.createVirtualProcessor(0, [numaNode]);
      assert.equal(again.index, 0);
      again[Symbol.dispose]();
      const odd = () => partition.createVirtualProcessor(1, [{ ...numaNode, propertyCode: 9 as 0 }]);
      assertFails(odd, "WHvCreateVirtualProcessor2", WHV_E_UNKNOWN_PROPERTY);
    }, 2n),
  );

  check("a cancel before the run ends the run at once", () =>
    withPartition((partition) => {
      const processor = loadCode(partition, [0xeb, 0xfe]);
      processor.cancelRun();
      const exit = processor.run();
      assert.ok(exit.exitReason === Reason.WHvRunVpExitReasonCanceled);
      assert.equal(exit.cancelReason.cancelReason, 0);
    }),
  );

  check("a run on another thread is cancelled from this one, and meanwhile refuses what it must", () =>
    withPartitionAsync(async (partition) => {
      const processor = loadCode(partition, [0xeb, 0xfe]);
      const running = processor.runAsync();
      const operation = "WHvRunVirtualProcessor";
      assertFails(() => processor.run(), operation, WHV_E_INVALID_VP_STATE);
      await assert.rejects(processor.runAsync(), /is running/);
      // A turn of the event loop: this thread is free.
      await new Promise((resolve) => setTimeout(resolve, 20));
      processor.cancelRun();
      assert.equal((await running).exitReason, Reason.WHvRunVpExitReasonCanceled);
      assert.equal(register(processor, Name.WHvX64RegisterRip), 0x1000n);
    }),
  );

  check("several processors run at once, and end in any order", () =>
    withPartitionAsync(async (partition) => {
      const processors = [0, 1, 2].map((index) => partition.createVirtualProcessor(index));
      const ended: number[] = [];
      const runs = processors.map((processor) => {
        queueWait(partition, processor.index);
        return processor.runAsync().then((exit) => {
          assert.equal(exit.exitReason, Reason.WHvRunVpExitReasonCanceled);
          ended.push(processor.index);
        });
      });
      for (const index of [2, 0, 1]) {
        processors[index]?.cancelRun();
        await runs[index];
      }
      assert.deepEqual(ended, [2, 0, 1]);
    }, 3n),
  );

  check("deleting a partition whose processor runs cancels it first", () =>
    withPartitionAsync(async (partition) => {
      const processor = partition.createVirtualProcessor(0);
      queueWait(partition, 0);
      const running = processor.runAsync();
      await new Promise((resolve) => setTimeout(resolve, 20));
      partition.dispose();
      assert.throws(() => partition.handle, /deleted/);
      assert.equal((await running).exitReason, Reason.WHvRunVpExitReasonCanceled);
    }),
  );

  check("a run that holds this thread is cancelled by a worker that has the handle", () =>
    withPartition((partition) => {
      const processor = loadCode(partition, [0xeb, 0xfe]);
      const ready = new Int32Array(new SharedArrayBuffer(4));
      const workerData = { handle: partition.handle, libraryDirectory, ready };
      const worker = new Worker(new URL(import.meta.url), { workerData, stdout: true, stderr: true });
      worker.unref();
      Atomics.wait(ready, 0, 0, 20_000);
      assert.equal(Atomics.load(ready, 0), 1, "the worker has started");
      assert.equal(processor.run().exitReason, Reason.WHvRunVpExitReasonCanceled);
    }),
  );

  check("translation takes addresses of 64 bits, with and without paging", () =>
    withPartition((partition) => {
      const processor = loadCode(partition, []);
      const result = { resultCode: -1, gpa: -1 };
      processor.translateGva(0x1234, 0, TranslateFlag.WHvTranslateGvaFlagValidateRead, result);
      assert.deepEqual(result, { resultCode: 0, gpa: 0x1234 });
      // Page tables: 0xffff8000'00000000, and nothing else.
      const memory = partition.allocateMemory(0x5000);
      const entries = new BigUint64Array(memory.bytes.buffer, memory.bytes.byteOffset, memory.size / 8);
      partition.mapGpaRange(memory, 0, 0x10_0000, memory.size, READ_WRITE_EXECUTE);
      entries[256] = 0x10_1003n;
      entries[512] = 0x10_2003n;
      entries[1024] = 0x10_3003n;
      entries[1536] = 0x000f_ffff_ffff_f001n;
      const values = new RegisterValues(3);
      values.set64(0, 0x8001_0011n);
      values.set64(1, 0x10_0000n);
      values.set64(2, 0x500n);
      processor.setRegisters(
        Uint32Array.of(Name.WHvX64RegisterCr0, Name.WHvX64RegisterCr3, Name.WHvX64RegisterEfer),
        3,
        values,
      );
      processor.translateGva(0xabc, 0xffff_8000, TranslateFlag.WHvTranslateGvaFlagValidateRead, result);
      assert.deepEqual(result, { resultCode: 0, gpa: 0x000f_ffff_ffff_fabc });
      processor.translateGva(0xabc | 0, 0xffff_8000 | 0, TranslateFlag.WHvTranslateGvaFlagValidateWrite, result);
      assert.equal(result.resultCode, 2, "signed halves are the same halves");
      processor.translateGva(0x1000, 0xffff_8000, 0, result);
      assert.equal(result.resultCode, 1);
      assertFails(() => processor.translateGva(0, 0, 0x4000, result), "WHvTranslateGva", E_INVALIDARG);
    }),
  );

  check("extended state, local APIC and other blocks are written and read back", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const area = Uint8Array.from({ length: 832 }, (_, at) => at * 7);
      const back = new Uint8Array(4096);
      processor.writeXsaveState(area);
      assert.equal(processor.readXsaveState(back), 832);
      assert.deepEqual(back.subarray(0, 832), area);
      assert.equal(processor.readState(StateType.WHvVirtualProcessorStateTypeXsaveState, back), 832);
      const apic = Uint8Array.from({ length: 4096 }, (_, at) => at * 13);
      processor.writeInterruptControllerState(apic);
      assert.equal(processor.readInterruptControllerState(back), 4096);
      assert.deepEqual(back, apic);
      processor.writeState(StateType.WHvVirtualProcessorStateTypeSynicTimerState, new Uint8Array(200).fill(3));
      assert.equal(processor.readState(StateType.WHvVirtualProcessorStateTypeSynicTimerState, back), 200);
      const operation = "WHvGetVirtualProcessorState";
      assertFails(() => processor.readXsaveState(new Uint8Array(16)), operation, WHV_E_INSUFFICIENT_BUFFER);
      assertFails(() => processor.readState(0x999 as 0, back), operation, WHV_E_UNKNOWN_PROPERTY);
    }),
  );

  check("counters and CPUID", () =>
    withPartition((partition) => {
      const processor = partition.createVirtualProcessor(0);
      const runtime = new ProcessorRuntimeCountersView(
        new DataView(new ArrayBuffer(ProcessorRuntimeCountersView.size)),
      );
      assert.equal(processor.readCounters(0, runtime.bytes), ProcessorRuntimeCountersView.size);
      assert.deepEqual(runtime.toObject(), { totalRuntime100ns: 0x8000_0000_0000_0002n, hypervisorRuntime100ns: 3n });
      const bytes = new Uint8Array(ProcessorApicCountersView.size);
      assert.equal(processor.readCounters(3, bytes), bytes.length);
      assertFails(() => processor.readCounters(1, bytes), "WHvGetVirtualProcessorCounters", WHV_E_UNKNOWN_PROPERTY);
      assert.deepEqual(processor.getCpuidOutput(0x8000_0001, 0xffff_fff0), {
        eax: 0x8000_0002,
        ebx: 0,
        ecx: 0xffff_fff2,
        edx: 0xffff_ffff,
      });
      assertFails(() => processor.readGpaRange(0, new Uint8Array(17)), "WHvReadGpaRange", E_INVALIDARG);
    }),
  );

  check("the synthetic interrupt controller, where the partition has the local APIC", () => {
    const partition = hypervisor.createPartition();
    try {
      partition.setProperty(Property.WHvPartitionPropertyCodeProcessorCount, 1n);
      partition.setProperty(Property.WHvPartitionPropertyCodeLocalApicEmulationMode, 1n);
      partition.setup();
      const processor = partition.createVirtualProcessor(0);
      assert.equal(processor.signalSynicEvent(15, 2047), true);
      assert.equal(processor.signalSynicEvent(15, 2047), false);
      assertFails(() => processor.signalSynicEvent(16, 0), "WHvSignalVirtualProcessorSynicEvent", E_INVALIDARG);
      processor.postSynicMessage(3, new Uint8Array(256));
      const long = () => processor.postSynicMessage(3, new Uint8Array(257));
      assertFails(long, "WHvPostVirtualProcessorSynicMessage", E_INVALIDARG);
    } finally {
      partition.dispose();
    }
  });
}
