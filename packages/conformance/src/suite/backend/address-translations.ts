/** translateGva: results, rights, privilege, accessed and dirty bits. */
import {
  WHV_TRANSLATE_GVA_FLAGS as Flag,
  type GvaTranslation,
  WHV_TRANSLATE_GVA_RESULT_CODE as Result,
} from "@whvkit/whv-types";
import { type BackendCheck, expectMatch, OneOf } from "../check.ts";
import { backendCheck, deviceGpa, type Guest, type Registers, withGuest } from "./guest.ts";

const read = Flag.WHvTranslateGvaFlagValidateRead;
const write = Flag.WHvTranslateGvaFlagValidateWrite;
const execute = Flag.WHvTranslateGvaFlagValidateExecute;
const success = Result.WHvTranslateGvaResultSuccess;

/** 64-bit code at CPL 3. */
const user: Registers = { Cs: [0n, 0xffff_ffff, 0x1b, 0xa0fb], Ss: [0n, 0xffff_ffff, 0x23, 0xc0f3] };

function translate(guest: Guest, gva: number, flags: number): GvaTranslation {
  const result: GvaTranslation = { resultCode: -1, gpa: 0 };
  guest.processor.translateGva(gva, 0, flags, result);
  return result;
}

interface TranslationRow {
  readonly name: string;
  readonly title: string;
  readonly gva: number;
  readonly flags: number;
  readonly result: number | OneOf;
  readonly gpa?: number;
  readonly registers?: Registers;
  readonly choice?: boolean;
}

/** The tables stand in guest.ts. */
const rows: readonly TranslationRow[] = [
  {
    name: "large-page",
    title: "a 2 MiB page",
    gva: 0x1234,
    flags: read | write | execute,
    result: success,
    gpa: 0x1234,
  },
  { name: "small-page", title: "a 4 KiB page, read", gva: 0x20_0123, flags: read, result: success, gpa: 0x5123 },
  {
    name: "read-only",
    title: "a write to a read-only page at CPL 0 with CR0.WP: PrivilegeViolation",
    gva: 0x20_0123,
    flags: read | write,
    result: Result.WHvTranslateGvaResultPrivilegeViolation,
  },
  {
    name: "supervisor",
    title: "a supervisor page at CPL 0",
    gva: 0x20_1000,
    flags: read | write,
    result: success,
    gpa: 0x6000,
  },
  {
    name: "supervisor-cpl-3",
    title: "a supervisor page at CPL 3: PrivilegeViolation",
    gva: 0x20_1000,
    flags: read,
    registers: user,
    result: Result.WHvTranslateGvaResultPrivilegeViolation,
  },
  {
    name: "privilege-exempt",
    title: "a supervisor page at CPL 3 with PrivilegeExempt",
    gva: 0x20_1000,
    flags: read | Flag.WHvTranslateGvaFlagPrivilegeExempt,
    registers: user,
    result: success,
    gpa: 0x6000,
  },
  {
    name: "not-present",
    title: "an entry that is not present: PageNotPresent",
    gva: 0x20_3000,
    flags: read,
    result: Result.WHvTranslateGvaResultPageNotPresent,
  },
  {
    name: "no-table",
    title: "no table: PageNotPresent",
    gva: 0x4000_0000,
    flags: read,
    result: Result.WHvTranslateGvaResultPageNotPresent,
  },
  {
    name: "device",
    title: "a page that is not mapped in the partition: Success, or GpaUnmapped",
    gva: 0x20_2004,
    flags: read,
    result: new OneOf(success, Result.WHvTranslateGvaResultGpaUnmapped),
  },
];

/** Checks of translation. */
export const addressTranslationChecks: readonly BackendCheck[] = /* @__PURE__ */ [
  ...rows.map(({ name, title, gva, flags, result, gpa, registers = {}, choice = false }) =>
    backendCheck(
      `translate.${name}`,
      `translateGva: ${title}`,
      "WHvTranslateGva",
      (hypervisor) =>
        withGuest(hypervisor, { mode: "long", registers }, (guest) => {
          const answer = translate(guest, gva, flags);
          expectMatch("resultCode", answer.resultCode, result);
          if (gpa !== undefined) expectMatch("gpa", answer.gpa, gpa);
        }),
      choice,
    ),
  ),
  backendCheck(
    "translate.device-gpa",
    "translateGva of a page that is not mapped in the partition still gives its address",
    "WHvTranslateGva",
    (hypervisor) =>
      withGuest(hypervisor, { mode: "long" }, (guest) => {
        expectMatch("answer", translate(guest, 0x20_2004, read), { resultCode: success, gpa: deviceGpa + 4 });
      }),
    true,
  ),
  backendCheck("translate.no-paging", "translateGva without paging is the identity", "WHvTranslateGva", (hypervisor) =>
    withGuest(hypervisor, { mode: "protected" }, (guest) =>
      expectMatch("answer", translate(guest, 0x1234, read), { resultCode: success, gpa: 0x1234 }),
    ),
  ),
  backendCheck(
    "translate.page-table-bits",
    "Accessed and dirty bits are set with SetPageTableBits, and only then",
    "WHvTranslateGva",
    (hypervisor) =>
      withGuest(hypervisor, { mode: "long" }, (guest) => {
        const entry = (): number => guest.ram.bytes[0xb008] ?? 0;
        translate(guest, 0x20_1000, read | write);
        expectMatch("entry without SetPageTableBits", entry(), 3);
        translate(guest, 0x20_1000, read | Flag.WHvTranslateGvaFlagSetPageTableBits);
        expectMatch("entry after a read", entry(), 0x23);
        translate(guest, 0x20_1000, read | write | Flag.WHvTranslateGvaFlagSetPageTableBits);
        expectMatch("entry after a write", entry(), 0x63);
      }),
  ),
];
