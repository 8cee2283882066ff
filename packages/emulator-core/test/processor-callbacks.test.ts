/** The three callbacks over a virtual processor: what they pass on, and what comes of a processor that refuses. */
import { simHypervisor } from "@whvkit/sim-backend";
import {
  EmulatorTranslation,
  RegisterValues,
  S_OK,
  type VirtualProcessor,
  WHV_REGISTER_NAME,
  WHV_TRANSLATE_GVA_FLAGS,
  WHV_TRANSLATE_GVA_RESULT_CODE,
  WhvError,
} from "@whvkit/whv-types";
import { expect, test } from "vitest";
import { createEmulator, processorCallbacks } from "../src/index.ts";

/** A processor that stopped at a store to device memory: `mov [0x8000], al` in real mode. */
function stopped(): VirtualProcessor {
  const partition = simHypervisor.createPartition();
  partition.setup();
  const memory = partition.allocateMemory(0x1000);
  memory.bytes.set([0xa2, 0x00, 0x80], 0);
  partition.mapGpaRange(memory, 0, 0, 0x1000, 7);
  const processor = partition.createVirtualProcessor(0);
  const values = new RegisterValues(3);
  values.segment(0).assign({ limit: 0xffff, attributes: 0x9b });
  values.set64(2, 0x5an);
  const names = ["WHvX64RegisterCs", "WHvX64RegisterRip", "WHvX64RegisterRax"] as const;
  processor.setRegisters(
    Uint32Array.from(names, (name) => WHV_REGISTER_NAME[name]),
    3,
    values,
  );
  return processor;
}

const others = { ioPort: () => S_OK, memory: () => S_OK };

test("registers and translations are the processor's", () => {
  const processor = stopped();
  const callbacks = processorCallbacks(processor);
  const names = Uint32Array.of(WHV_REGISTER_NAME.WHvX64RegisterRbx);
  const values = new RegisterValues(1);
  values.set64(0, 0x1234_5678_9abc_def0n);
  expect(callbacks.setVirtualProcessorRegisters(null, names, 1, values)).toBe(S_OK);
  const back = new RegisterValues(1);
  expect(callbacks.getVirtualProcessorRegisters(null, names, 1, back)).toBe(S_OK);
  expect(back.get64(0)).toBe(0x1234_5678_9abc_def0n);

  const page = new EmulatorTranslation();
  page.gvaPageLow = 0x3000;
  page.flags = WHV_TRANSLATE_GVA_FLAGS.WHvTranslateGvaFlagValidateRead;
  page.resultCode = 77;
  expect(callbacks.translateGvaPage(null, page)).toBe(S_OK);
  expect([page.resultCode, page.gpaPage]).toEqual([WHV_TRANSLATE_GVA_RESULT_CODE.WHvTranslateGvaResultSuccess, 0x3000]);
});

test("with two of its own, a host finishes an exit", () => {
  const processor = stopped();
  const exit = processor.run();
  const written: string[] = [];
  const emulator = createEmulator({
    ...others,
    ...processorCallbacks(processor),
    memory(_, access) {
      written.push(`${access.gpaAddress.toString(16)}: ${access.value}`);
      return S_OK;
    },
  });
  if (exit.exitReason !== 1) throw new Error(`exit ${exit.exitReason}`);
  const result = emulator.tryMmioEmulation(null, exit.vpContext, exit.memoryAccess);
  expect([result.emulationSuccessful, written]).toEqual([true, ["8000: 90"]]);
});

test("a processor that refuses is a callback that failed, and what it threw is kept", () => {
  const processor = stopped();
  const exit = processor.run();
  const refusing: VirtualProcessor = Object.create(processor, {
    setRegisters: {
      value: () => {
        throw new WhvError("WHvSetVirtualProcessorRegisters", 0x8037_0301);
      },
    },
  });
  const emulator = createEmulator({ ...others, ...processorCallbacks(refusing) });
  if (exit.exitReason !== 1) throw new Error(`exit ${exit.exitReason}`);
  const result = emulator.tryMmioEmulation(null, exit.vpContext, exit.memoryAccess);
  expect(result.setVirtualProcessorRegistersCallbackFailed).toBe(true);
  expect(result.diagnostic?.thrown).toBeInstanceOf(WhvError);
});
