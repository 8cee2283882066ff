/** X64IoPortAccess exits, field by field. */
import { WHV_RUN_VP_EXIT_REASON as Reason } from "@whvkit/whv-types";
import { type BackendCheck, expectMatch } from "../check.ts";
import { documents, expectInstructionBytes, expectVpContext, realContext } from "./exit-contexts.ts";
import { backendCheck, codeStart, withGuest } from "./guest.ts";

const ports = [
  ["in al, 0x60", "e460", { isWrite: false, accessSize: 1, stringOp: false, repPrefix: false }, 0x60],
  ["in ax, dx", "ed", { isWrite: false, accessSize: 2, stringOp: false, repPrefix: false }, 0x3f8],
  ["in eax, dx", "66ed", { isWrite: false, accessSize: 4, stringOp: false, repPrefix: false }, 0x3f8],
  ["out dx, al", "ee", { isWrite: true, accessSize: 1, stringOp: false, repPrefix: false }, 0x3f8],
  ["out 0xcf, ax", "e7cf", { isWrite: true, accessSize: 2, stringOp: false, repPrefix: false }, 0xcf],
  ["outsb", "6e", { isWrite: true, accessSize: 1, stringOp: true, repPrefix: false }, 0x3f8],
  ["insw", "6d", { isWrite: false, accessSize: 2, stringOp: true, repPrefix: false }, 0x3f8],
  ["rep insb", "f36c", { isWrite: false, accessSize: 1, stringOp: true, repPrefix: true }, 0x3f8],
  ["rep outsd", "66f36f", { isWrite: true, accessSize: 4, stringOp: true, repPrefix: true }, 0x3f8],
] as const;
/** Checks of X64IoPortAccess exits. */
export const portExitChecks: readonly BackendCheck[] = /* @__PURE__ */ ports.map(([text, code, accessInfo, port]) =>
  backendCheck(
    `exit.port-${text.replaceAll(/[ ,]+/g, "-")}`,
    `${text}: X64IoPortAccess, every field, RIP at the instruction`,
    `${documents}, WHV_X64_IO_PORT_ACCESS_CONTEXT`,
    (hypervisor) => {
      const registers = { Rax: 0x1122_3344_5566_7788n, Rcx: 3, Rdx: 0x3f8, Rsi: 0x2000, Rdi: 0x3000 };
      withGuest(hypervisor, { code: `${code}f4`, registers }, (guest) => {
        const { vpContext, ioPortAccess } = guest.runTo(Reason.WHvRunVpExitReasonX64IoPortAccess);
        expectVpContext(vpContext, code.length / 2, { ...realContext, rip: BigInt(codeStart) });
        expectMatch("ioPortAccess", ioPortAccess.toObject(), {
          accessInfo,
          portNumber: port,
          rax: 0x1122_3344_5566_7788n,
          // The platform fills these for string instructions; for others they may hold anything.
          ...(accessInfo.stringOp
            ? { rcx: 3n, rsi: 0x2000n, rdi: 0x3000n, ds: { base: 0n, limit: 0xffff }, es: { base: 0n, limit: 0xffff } }
            : {}),
        });
        expectInstructionBytes(ioPortAccess, code);
        expectMatch("Rip", guest.get("Rip"), BigInt(codeStart));
      });
    },
  ),
);
