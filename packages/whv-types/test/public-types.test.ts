// The types of the public surface, as a consumer's compiler sees them. The type checker is the test; at run time these
// pass.
import { expectTypeOf, test } from "vitest";
import {
  type EmulatorCallbacks,
  type Hypervisor,
  type IoPortAccessContextView,
  type MemoryAccessContextView,
  type Partition,
  type RegisterValues,
  type RunVpExit,
  RunVpExitContextView,
  SegmentRegisterView,
  type VirtualProcessor,
  VpExitContextView,
  type WHV_CAPABILITY,
  type WHV_MEMORY_ACCESS_CONTEXT,
  WHV_REGISTER_NAME,
  WHV_RUN_VP_EXIT_REASON,
  type WHV_TRANSLATE_GVA_FLAGS,
  type WHV_TRIGGER_PARAMETERS,
  WHV_TRIGGER_TYPE,
  type WhvInit,
  type WinHvEmulationFunctions,
} from "../src/index.ts";

test("enums are constants with literal types, flags are numbers", () => {
  expectTypeOf(WHV_REGISTER_NAME.WHvX64RegisterCr8).toEqualTypeOf<0x20>();
  expectTypeOf<0x20>().toExtend<WHV_REGISTER_NAME>();
  expectTypeOf<0x21_0000>().not.toExtend<WHV_REGISTER_NAME>();
  expectTypeOf<WHV_TRANSLATE_GVA_FLAGS>().toEqualTypeOf<number>();
});

test("a guest-physical address is a number, other 64-bit fields are bigints, single bits are booleans", () => {
  expectTypeOf<WHV_MEMORY_ACCESS_CONTEXT["gpa"]>().toEqualTypeOf<number>();
  expectTypeOf<WHV_MEMORY_ACCESS_CONTEXT["gva"]>().toEqualTypeOf<bigint>();
  expectTypeOf<MemoryAccessContextView["gvaHigh"]>().toEqualTypeOf<number>();
  expectTypeOf<VpExitContextView["executionState"]["cr0Pe"]>().toEqualTypeOf<boolean>();
  expectTypeOf<VpExitContextView["executionState"]["cpl"]>().toEqualTypeOf<number>();
  expectTypeOf<MemoryAccessContextView["instructionBytes"]>().toEqualTypeOf<Uint8Array>();
});

test("an exit is narrowed by its reason", () => {
  const host = (exit: RunVpExit) => {
    if (exit.exitReason === WHV_RUN_VP_EXIT_REASON.WHvRunVpExitReasonX64IoPortAccess) {
      expectTypeOf(exit.ioPortAccess).toEqualTypeOf<IoPortAccessContextView>();
      // @ts-expect-error: that exit has no memory access
      return exit.memoryAccess;
    }
    return exit.vpContext;
  };
  expectTypeOf(host).parameter(0).toEqualTypeOf<RunVpExit>();
});

test("the view of the native exit context is an exit", () => {
  const view = new RunVpExitContextView(new DataView(new ArrayBuffer(224)));
  const exit: RunVpExit = view;
  expectTypeOf(exit).toExtend<RunVpExit>();
  // Every reason of the header is in the union.
  expectTypeOf<RunVpExit["exitReason"]>().toEqualTypeOf<WHV_RUN_VP_EXIT_REASON>();
});

test("object forms of discriminated structures are unions", () => {
  const parameters = (p: WHV_TRIGGER_PARAMETERS) =>
    p.triggerType === WHV_TRIGGER_TYPE.WHvTriggerTypeSynicEvent ? p.synicEvent.flagNumber : undefined;
  expectTypeOf(parameters).returns.toEqualTypeOf<number | undefined>();
  expectTypeOf<WHV_CAPABILITY["features"]>().toBeNullable();
});

test("from and assign take partial objects at every depth", () => {
  expectTypeOf(VpExitContextView.from).toBeCallableWith({ cs: { selector: 8 }, executionState: { cpl: 3 } });
  // @ts-expect-error: no such field
  VpExitContextView.from({ nothing: 1 });
  // @ts-expect-error: a 64-bit field is a bigint
  const wrong: WhvInit<WHV_MEMORY_ACCESS_CONTEXT> = { gva: 1 };
  expectTypeOf(wrong).not.toBeAny();
});

test("fields cannot be exchanged for other memory", () => {
  const view = SegmentRegisterView.from({});
  // @ts-expect-error: read-only
  view.view = new DataView(new ArrayBuffer(16));
  expectTypeOf<RegisterValues["words"]>().toEqualTypeOf<Uint32Array>();
});

test("a host composes by interfaces alone", () => {
  const firstExit = (hypervisor: Hypervisor) => {
    const partition: Partition = hypervisor.createPartition();
    partition.setup();
    partition.suspendTime?.();
    const processor: VirtualProcessor = partition.createVirtualProcessor(0);
    expectTypeOf(processor.readXsaveState).toEqualTypeOf<((destination: Uint8Array) => number) | undefined>();
    return processor.run();
  };
  expectTypeOf(firstExit).returns.toEqualTypeOf<RunVpExit>();
  expectTypeOf<EmulatorCallbacks<string>["ioPort"]>().parameter(0).toEqualTypeOf<string>();
  expectTypeOf<WinHvEmulationFunctions["WHvEmulatorDestroyEmulator"]>().toEqualTypeOf<(emulator: bigint) => number>();
});
