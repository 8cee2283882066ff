/** The other exits that a guest causes by itself: halt, failure, what is unsupported, cancellation. */
import { WHV_RUN_VP_EXIT_REASON as Reason, type RunVpExit, WhvError } from "@whvkit/whv-types";
import { type BackendCheck, expectMatch, OneOf } from "../check.ts";
import { documents, expectVpContext, realContext } from "./exit-contexts.ts";
import { backendCheck, codeStart, type GuestPlan, reasonName, withGuest } from "./guest.ts";

/** Checks of exits. */
export const guestExitChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  backendCheck("exit.halt", "HLT: X64Halt, and the next run goes on behind it", documents, (hypervisor) =>
    // hlt; inc ax; hlt
    withGuest(hypervisor, { code: "f440f4" }, (guest) => {
      const { vpContext } = guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectVpContext(vpContext, 1, { ...realContext, rip: new OneOf(BigInt(codeStart), BigInt(codeStart + 1)) });
      guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectMatch("Rax", guest.get("Rax"), 1n);
    }),
  ),
  backendCheck(
    "exit.halt-rip",
    "Behind HLT, RIP is that of the next instruction",
    documents,
    (hypervisor) =>
      withGuest(hypervisor, { code: "f4" }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart + 1));
      }),
    true,
  ),
  backendCheck(
    "exit.triple-fault",
    "An exception that cannot be delivered: UnrecoverableException",
    documents,
    (hypervisor) =>
      // ud2 without an interrupt table
      withGuest(hypervisor, { mode: "protected", code: "0f0b", registers: { Idtr: [0n, 0, 0, 0] } }, (guest) => {
        guest.runTo(Reason.WHvRunVpExitReasonUnrecoverableException);
      }),
  ),
  backendCheck(
    "exit.invalid-registers",
    "Registers that no processor accepts together are refused, or run answers InvalidVpRegisterValue",
    documents,
    (hypervisor) =>
      withGuest(hypervisor, { mode: "protected", code: "f4" }, (guest) => {
        // Paging without protection.
        const invalid = { Cr0: 0x8000_0010 };
        try {
          guest.set(invalid);
        } catch (error) {
          if (error instanceof WhvError) return;
          throw error;
        }
        guest.runTo(Reason.WHvRunVpExitReasonInvalidVpRegisterValue);
      }),
  ),
  backendCheck(
    "exit.task-switch",
    "A hardware task switch: UnsupportedFeature, TaskSwitchTss",
    `${documents}, WHV_X64_UNSUPPORTED_FEATURE_CONTEXT`,
    (hypervisor) => {
      const plan: GuestPlan = {
        mode: "protected",
        // jmp 8:0, where descriptor 8 is a task gate
        code: "ea000000000800",
        registers: { Gdtr: [0x5000n, 0x1f, 0, 0] },
        bytes: [[0x5008, "0000100000850000"]],
      };
      withGuest(hypervisor, plan, (guest) => {
        const { unsupportedFeature } = guest.runTo(Reason.WHvRunVpExitReasonUnsupportedFeature);
        expectMatch("featureCode", unsupportedFeature.featureCode, 2);
      });
    },
    true,
  ),
  backendCheck(
    "exit.canceled",
    "cancelRun before run: Canceled by the user, nothing was run, and the next run is an ordinary one",
    "WHvCancelRunVirtualProcessor",
    (hypervisor) =>
      // inc ax; hlt
      withGuest(hypervisor, { code: "40f4" }, (guest) => {
        guest.processor.cancelRun();
        const exit: RunVpExit = guest.processor.run();
        expectMatch("exitReason", reasonName(exit.exitReason), "WHvRunVpExitReasonCanceled");
        if (exit.exitReason === Reason.WHvRunVpExitReasonCanceled) {
          expectMatch("cancelReason", exit.cancelReason.cancelReason, 0);
        }
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart));
        guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
        expectMatch("Rax", guest.get("Rax"), 1n);
      }),
  ),
  backendCheck("exit.reused", "One exit carries nothing over to the next", documents, (hypervisor) =>
    // in al, 0x60; hlt
    withGuest(hypervisor, { code: "e460f4", registers: { Rax: 0x1234 } }, (guest) => {
      guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
      guest.set({ Rip: codeStart + 2 });
      const exit = guest.runTo(Reason.WHvRunVpExitReasonX64Halt);
      expectVpContext(exit.vpContext, 1, {
        ...realContext,
        rip: new OneOf(BigInt(codeStart + 2), BigInt(codeStart + 3)),
      });
    }),
  ),
];
