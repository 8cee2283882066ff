/**
 * The host of one case: answers exactly the five documented callbacks from what the case says, stages the failure it asks
 * for, and writes down every call. It offers none of the optional callbacks, so that what passes here passes on any host.
 */
import {
  E_ABORT,
  type EmulatorCallbacks,
  type EmulatorIoAccess,
  type EmulatorMemoryAccess,
  type EmulatorTranslation,
  type RegisterValues,
  registerForm,
  S_OK,
  shortRegisterName,
  WHV_REGISTER_NAME,
  WHV_TRANSLATE_GVA_RESULT_CODE,
} from "@whvkit/whv-types";
import type { CallbackName, EmulationCase } from "../emulation/emulation-case.ts";
import { hexNumber, hexString } from "../json/json-fields.ts";
import { flatDataSegment } from "../registers/flat-segment.ts";
import {
  integerOf,
  type RegisterJson,
  type RegisterWords,
  registersJson,
  wordsOf,
} from "../registers/register-json.ts";
import { CaseMemory } from "./case-memory.ts";
import { walkPageTables } from "./page-walk.ts";
import type { CallbackCall } from "./transcript.ts";

/** The callbacks for emulators whose context is a {@link CaseHost}; one table serves every case. */
export const caseCallbacks: EmulatorCallbacks<CaseHost> = {
  ioPort: (host, access) => host.ioPort(access),
  memory: (host, access) => host.accessMemory(access),
  getVirtualProcessorRegisters: (host, names, count, values) => host.getRegisters(names, count, values),
  setVirtualProcessorRegisters: (host, names, count, values) => host.setRegisters(names, count, values),
  translateGvaPage: (host, translation) => host.translate(translation),
};

const zero: RegisterWords = [0, 0, 0, 0];

/**
 * The most callbacks that one case may lead to. A case is a line from somebody else's machine, and REP with a count of 2^64
 * would otherwise fill all memory with the record of its calls.
 */
export const MAX_CALLS = 1_000_000;

/** The world of one case, and the record of what the emulator did to it. */
export class CaseHost {
  readonly calls: CallbackCall[] = [];
  readonly memory: CaseMemory;
  /** What the SetVirtualProcessorRegisters call carried; `null` until it is called. */
  set: Record<string, RegisterJson> | null = null;
  /** Whether a call beyond {@link MAX_CALLS} was refused; what the emulator answered then says nothing about the case. */
  exhausted = false;
  private readonly case: EmulationCase;
  private readonly counts: Map<CallbackName, number> = new Map();
  private deviceBytesRead = 0;
  private portReadsDone = 0;

  constructor(emulationCase: EmulationCase) {
    this.case = emulationCase;
    this.memory = new CaseMemory(emulationCase.memory);
  }

  /** The value of a register before the emulation. */
  register(code: number): RegisterWords {
    return this.case.registers.get(code) ?? this.unlistedRegister(code);
  }

  getRegisters(names: Uint32Array, count: number, values: RegisterValues): number {
    const hresult = this.enter("getRegisters");
    this.calls.push({ callback: "getRegisters", names: shortNames(names, count), ...failed(hresult) });
    if (hresult !== S_OK) return hresult;
    for (let i = 0; i < count; i++) values.words.set(this.register(names[i] ?? 0), 4 * i);
    return S_OK;
  }

  setRegisters(names: Uint32Array, count: number, values: RegisterValues): number {
    const hresult = this.enter("setRegisters");
    this.calls.push({ callback: "setRegisters", names: shortNames(names, count), ...failed(hresult) });
    this.set = { ...this.set, ...registersJson(names, count, values) };
    return hresult;
  }

  accessMemory(access: EmulatorMemoryAccess): number {
    const hresult = this.enter("memory");
    const { gpaAddress, accessSize } = access;
    const isRead = access.direction === 0;
    if (hresult === S_OK && isRead) this.readMemory(gpaAddress, access.data.subarray(0, accessSize));
    const data = hresult !== S_OK && isRead ? "" : hexString(access.data.subarray(0, accessSize));
    if (hresult === S_OK && !isRead) {
      for (let i = 0; i < accessSize; i++) this.memory.write(gpaAddress + i, access.data[i] ?? 0);
    }
    const direction = isRead ? "read" : "write";
    this.calls.push({
      callback: "memory",
      direction,
      gpa: hexNumber(gpaAddress),
      size: accessSize,
      data,
      ...failed(hresult),
    });
    return hresult;
  }

  ioPort(access: EmulatorIoAccess): number {
    const hresult = this.enter("ioPort");
    const { port, accessSize: size } = access;
    const isRead = access.direction === 0;
    if (hresult === S_OK && isRead) access.data = this.case.portReads[this.portReadsDone++] ?? 0xffff_ffff;
    const data = hresult !== S_OK && isRead ? "" : hexNumber(BigInt.asUintN(8 * size, BigInt(access.data)));
    this.calls.push({ callback: "ioPort", direction: isRead ? "in" : "out", port, size, data, ...failed(hresult) });
    return hresult;
  }

  translate(translation: EmulatorTranslation): number {
    const hresult = this.enter("translate");
    const { gvaPage, flags } = translation;
    if (hresult === S_OK) this.answerTranslation(translation);
    this.calls.push({
      callback: "translate",
      gvaPage: hexNumber(gvaPage),
      flags,
      result: translation.resultCode,
      gpaPage: hexNumber(translation.gpaPage),
      ...failed(hresult),
    });
    return hresult;
  }

  /** Translates a page as the case says, off the record. Answers the result code. */
  answerTranslation(translation: EmulatorTranslation): number {
    const { result, gpaPage } = this.translatePage(translation.gvaPage, translation.flags);
    translation.resultCode = result;
    translation.gpaPage = gpaPage;
    return result;
  }

  /** Counts a call and says what it must answer. */
  private enter(callback: CallbackName): number {
    if (this.calls.length >= MAX_CALLS) {
      this.exhausted = true;
      return E_ABORT;
    }
    const index = this.counts.get(callback) ?? 0;
    this.counts.set(callback, index + 1);
    const fail = this.case.fail;
    return fail !== null && fail.callback === callback && fail.at === index ? fail.hresult : S_OK;
  }

  private readMemory(gpa: number, into: Uint8Array): void {
    for (let i = 0; i < into.length; i++) {
      const byte = this.memory.read(gpa + i);
      into[i] = byte >= 0 ? byte : (this.case.deviceReads[this.deviceBytesRead++] ?? 0xff);
    }
  }

  private translatePage(gvaPage: bigint, flags: number): { result: number; gpaPage: number } {
    const notPresent = { result: WHV_TRANSLATE_GVA_RESULT_CODE.WHvTranslateGvaResultPageNotPresent, gpaPage: 0 };
    const how = this.case.translate;
    if (how === "identity") {
      // No guest-physical address is above 52 bits.
      return gvaPage >= 1n << 52n ? notPresent : { result: 0, gpaPage: Number(gvaPage) };
    }
    if (how === "walk") {
      const value = (code: number): bigint => integerOf(this.register(code));
      const state = {
        cr0: value(WHV_REGISTER_NAME.WHvX64RegisterCr0),
        cr3: value(WHV_REGISTER_NAME.WHvX64RegisterCr3),
        cr4: value(WHV_REGISTER_NAME.WHvX64RegisterCr4),
        efer: value(WHV_REGISTER_NAME.WHvX64RegisterEfer),
        rflags: this.case.vp.rflags,
        cpl: this.case.vp.cpl,
      };
      return walkPageTables(this.memory, state, gvaPage, flags);
    }
    return how.find((page) => page.gvaPage === gvaPage) ?? notPresent;
  }

  private unlistedRegister(code: number): RegisterWords {
    const { vp } = this.case;
    if (code === WHV_REGISTER_NAME.WHvX64RegisterRip) return wordsOf(vp.rip);
    if (code === WHV_REGISTER_NAME.WHvX64RegisterRflags) return wordsOf(vp.rflags);
    if (code === WHV_REGISTER_NAME.WHvX64RegisterCs) return vp.cs;
    if (code === WHV_REGISTER_NAME.WHvX64RegisterXCr0) return wordsOf(1n);
    return registerForm(code) === "segment" ? flatDataSegment(vp.cpl) : zero;
  }
}

function shortNames(names: Uint32Array, count: number): string[] {
  return Array.from(names.subarray(0, count), shortRegisterName);
}

function failed(hresult: number): { hresult?: string } {
  return hresult === S_OK ? {} : { hresult: hexNumber(hresult) };
}
