/**
 * Guest-virtual pages to guest-physical ones, through the translate callback, asked at most once a call for each page and
 * kind of access. The exit's own (Gva, Gpa) pair counts as answered. Also the table that turns the result codes of
 * `WHvTranslateGva` into the guest's exceptions.
 */
import { WHV_TRANSLATE_GVA_FLAGS, WHV_TRANSLATE_GVA_RESULT_CODE } from "@whvkit/whv-types";
import { Abort, type GuestFault, Intent, Vector } from "@whvkit/x86-semantics";
import type { GpaUnmappedPolicy } from "./emulator-options.ts";
import { type ExitContext, TRUSTED_MODIFY } from "./exit-context.ts";
import { EmulatorStatus, type Failure, hexOfHalves } from "./failure.ts";
import type { HostCallbacks } from "./host-callbacks.ts";

/** Pages remembered during one call; an instruction seldom touches more than four. */
const CAPACITY = 8;

/** The right of accesses made at the processor's own privilege; `Intent.system` is the other kind. */
const ORDINARY = 32;

const FLAG = WHV_TRANSLATE_GVA_FLAGS;
const RESULT = WHV_TRANSLATE_GVA_RESULT_CODE;

/** The highest guest-physical page of 52 bits. */
const HIGHEST_PAGE = 2 ** 52 - 4096;

/** #PF error code bits (Intel SDM volume 3, section 4.7). */
const PF_PRESENT = 1;
const PF_WRITE = 2;
const PF_USER = 4;
const PF_RESERVED = 8;
const PF_FETCH = 16;

export class Translation<Context> {
  /** What {@link Translation.translate} found: the guest-physical page. A field, because a returned double is allocated. */
  page = 0;
  readonly #exit: ExitContext;
  readonly #host: HostCallbacks<Context>;
  readonly #failure: Failure;
  readonly #fault: GuestFault;
  readonly #gpaUnmapped: GpaUnmappedPolicy;
  readonly #low: Int32Array = new Int32Array(CAPACITY);
  readonly #high: Int32Array = new Int32Array(CAPACITY);
  readonly #rights: Int32Array = new Int32Array(CAPACITY);
  readonly #pages: Float64Array = new Float64Array(CAPACITY);
  #count = 0;
  #next = 0;

  constructor(
    exit: ExitContext,
    host: HostCallbacks<Context>,
    failure: Failure,
    fault: GuestFault,
    gpaUnmapped: GpaUnmappedPolicy,
  ) {
    this.#exit = exit;
    this.#host = host;
    this.#failure = failure;
    this.#fault = fault;
    this.#gpaUnmapped = gpaUnmapped;
  }

  /** Forgets everything: translations hold for one emulation. */
  begin(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** Finds the guest-physical page of a linear address; it is in `page` when the answer is `Abort.none`. */
  translate(low: number, high: number, intent: number): number {
    const exit = this.#exit;
    // Most emulations need no other translation than the exit's own.
    if ((intent & ~exit.pageRights & QUESTION) === 0 && exit.isInPage(low, high)) {
      this.page = exit.page;
      return Abort.none;
    }
    return this.#find(low, high, intent);
  }

  #find(low: number, high: number, intent: number): number {
    const exit = this.#exit;
    if ((intent & QUESTION) === Intent.modify && (exit.pageRights & TRUSTED_MODIFY) !== 0 && exit.isInPage(low, high)) {
      // The processor's read was that of a read-modify-write: the page is writable for its write too.
      exit.pageRights |= Intent.write;
      this.page = exit.page;
      return Abort.none;
    }
    const pageLow = low & PAGE_MASK;
    const wanted = (intent & ACCESS) | ((intent & Intent.system) !== 0 ? Intent.system : ORDINARY);
    for (let i = 0; i < this.#count; i++) {
      if (this.#low[i] !== pageLow || this.#high[i] !== (high | 0)) continue;
      if ((this.#rights[i] & wanted) !== wanted) continue;
      this.page = this.#pages[i];
      return Abort.none;
    }
    return this.#ask(low, pageLow, high, intent, wanted);
  }

  #ask(low: number, pageLow: number, high: number, intent: number, wanted: number): number {
    const host = this.#host;
    if (!host.translateGvaPage(pageLow, high, translateFlags(intent))) return Abort.host;
    const { resultCode, gpaPage } = host.translation;
    const mapped = resultCode === RESULT.WHvTranslateGvaResultSuccess;
    const device = resultCode === RESULT.WHvTranslateGvaResultGpaUnmapped && this.#gpaUnmapped === "device";
    if (!mapped && !device) return this.#refused(low, high, intent, resultCode);
    // Also what is no whole number, or none at all.
    if ((gpaPage & ~PAGE_MASK) !== 0 || Math.floor(gpaPage) !== gpaPage) {
      this.#failure.record(
        EmulatorStatus.translateGvaPageCallbackGpaIsNotAligned,
        "translation-not-aligned",
        "translate",
        `The translateGvaPage callback answered 0x${gpaPage.toString(16)} for the page ${hexOfHalves(pageLow, high)}; page addresses are multiples of 4096.`,
      );
      return Abort.host;
    }
    if (!(gpaPage >= 0 && gpaPage <= HIGHEST_PAGE)) {
      const answer = `0x${gpaPage.toString(16)} for the page ${hexOfHalves(pageLow, high)}`;
      const message = `The translateGvaPage callback answered ${answer}; guest-physical addresses have at most 52 bits.`;
      this.#failure.internal("translation-invalid", "translate", message);
      return Abort.host;
    }
    // A question about writing was one about reading too.
    this.#remember(pageLow, high, (wanted & Intent.write) !== 0 ? wanted | Intent.read : wanted, gpaPage);
    this.page = gpaPage;
    return Abort.none;
  }

  /** The page is not to be had: the guest's exception, or the end. */
  #refused(low: number, high: number, intent: number, resultCode: number): number {
    switch (resultCode) {
      case RESULT.WHvTranslateGvaResultPageNotPresent:
        return this.#pageFault(low, high, intent, 0);
      case RESULT.WHvTranslateGvaResultPrivilegeViolation:
        return this.#pageFault(low, high, intent, PF_PRESENT);
      case RESULT.WHvTranslateGvaResultInvalidPageTableFlags:
        return this.#pageFault(low, high, intent, PF_PRESENT | PF_RESERVED);
      case RESULT.WHvTranslateGvaResultGpaUnmapped:
      case RESULT.WHvTranslateGvaResultGpaNoReadAccess:
      case RESULT.WHvTranslateGvaResultGpaNoWriteAccess:
      case RESULT.WHvTranslateGvaResultGpaIllegalOverlayAccess:
        this.#fault.vector = Vector.GP;
        this.#fault.errorCode = 0;
        return Abort.fault;
      case RESULT.WHvTranslateGvaResultIntercept: {
        const message = `The translation of ${hexOfHalves(low, high)} met an intercept of the hypervisor (result code 8).`;
        this.#failure.internal("translation-intercepted", "translate", message);
        return Abort.host;
      }
      default: {
        const message = `The translateGvaPage callback answered result code ${resultCode} for ${hexOfHalves(low, high)}, which is none of WHV_TRANSLATE_GVA_RESULT_CODE.`;
        this.#failure.internal("translation-invalid", "translate", message);
        return Abort.host;
      }
    }
  }

  #pageFault(low: number, high: number, intent: number, cause: number): number {
    const user = this.#exit.cpl === 3 && (intent & Intent.system) === 0 ? PF_USER : 0;
    const write = (intent & Intent.write) !== 0 ? PF_WRITE : 0;
    // Whether the fetch bit is reported depends on EFER.NXE and CR4.SMEP; `fault-injection.ts` clears it where it must.
    const fetch = (intent & Intent.execute) !== 0 ? PF_FETCH : 0;
    this.#fault.vector = Vector.PF;
    this.#fault.errorCode = cause | user | write | fetch;
    this.#fault.cr2Low = low | 0;
    this.#fault.cr2High = high | 0;
    return Abort.fault;
  }

  #remember(pageLow: number, high: number, rights: number, gpaPage: number): void {
    const kind = rights & (ORDINARY | Intent.system);
    for (let i = 0; i < this.#count; i++) {
      if (this.#low[i] !== pageLow || this.#high[i] !== (high | 0) || this.#pages[i] !== gpaPage) continue;
      if ((this.#rights[i] & kind) === 0) continue;
      this.#rights[i] = this.#rights[i] | rights;
      return;
    }
    const place = this.#next;
    this.#next = (place + 1) % CAPACITY;
    if (this.#count < CAPACITY) this.#count++;
    this.#low[place] = pageLow;
    this.#high[place] = high;
    this.#rights[place] = rights;
    this.#pages[place] = gpaPage;
  }
}

const PAGE_MASK = ~0xfff;
const ACCESS = Intent.read | Intent.write | Intent.execute;
/** What tells one question from another. */
const QUESTION = ACCESS | Intent.system;

/**
 * Execute for a fetch, Read for a read, Read and Write for a write and for a read-modify-write; always with the accessed
 * and dirty bits set as the processor would; privilege counts except where the processor itself is the one who accesses.
 */
function translateFlags(intent: number): number {
  let flags: number = FLAG.WHvTranslateGvaFlagSetPageTableBits;
  if ((intent & Intent.execute) !== 0) flags |= FLAG.WHvTranslateGvaFlagValidateExecute;
  if ((intent & (Intent.read | Intent.write)) !== 0) flags |= FLAG.WHvTranslateGvaFlagValidateRead;
  if ((intent & Intent.write) !== 0) flags |= FLAG.WHvTranslateGvaFlagValidateWrite;
  if ((intent & Intent.system) !== 0) flags |= FLAG.WHvTranslateGvaFlagPrivilegeExempt;
  return flags;
}
