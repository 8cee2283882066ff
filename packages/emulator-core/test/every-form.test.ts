/**
 * Every row of the decoder's form table, in every mode, through the five callbacks: what has a meaning is carried out on
 * device memory, what has none is reported by its name, and no form is missing.
 */
import { Decoder, formCount, formInfo, Instruction, mnemonicName } from "@whvkit/x86-decoder";
import { type Program, programFor } from "@whvkit/x86-semantics";
import { expect, test } from "vitest";
import { type Encoding, everyForm } from "../../x86-decoder/test/oracle/form-encodings.ts";
import { emulate, hasMemory, hostFor, OPERAND } from "./form-bed.ts";
import type { TestHost } from "./test-host.ts";
import { applyWrites } from "./transcript.ts";

interface Form extends Encoding {
  readonly text: string;
  readonly program: Program;
}

const encodings: readonly Encoding[] = [...everyForm()];

/** Those that name or access memory. */
const forms: readonly Form[] = encodings.flatMap((encoding) => {
  const instruction = new Instruction();
  new Decoder(encoding.mode).decode(Uint8Array.from(encoding.bytes), 0, instruction);
  const program = programFor(instruction);
  const hex = Buffer.from(encoding.bytes).toString("hex");
  const text = `${mnemonicName(program.mnemonic)} ${hex} in ${encoding.mode}-bit mode`;
  return hasMemory(instruction) || program.accessesMemory ? [{ ...encoding, program, text }] : [];
});
const supported = forms.filter(({ program }) => program.unsupported === null);

/** What these instructions do instead of ending as others do; everything else in the table succeeds. */
const UNDEFINED = new Set(["ud0", "ud1"]);
const BEYOND_CALLBACKS = new Set(["invlpg", "invpcid"]);

test("no form is missing but those that only a decoder option shows", () => {
  const made = new Set(encodings.map(({ form, mode }) => `${form.form}:${mode === 64}`));
  const missing = new Set<string>();
  for (let number = 1; number <= formCount; number++) {
    const { name, operands, legacyModes, longMode } = formInfo(number);
    if (!operands.some(({ allowsMemory }) => allowsMemory)) continue;
    if ((legacyModes && !made.has(`${number}:false`)) || (longMode && !made.has(`${number}:true`))) missing.add(name);
  }
  const optional = [
    "bndcl",
    "bndcn",
    "bndcu",
    "bndldx",
    "bndmk",
    "bndmov",
    "bndstx",
    "ibts",
    "reservednop",
    "umov",
    "xbts",
  ];
  const withRexOnAmd = ["call", "jmp", "lfs", "lgs", "lss"];
  expect([...missing].sort()).toEqual([...optional, ...withRexOnAmd].sort());
});

test("what has a meaning is carried out, with the five callbacks unless it needs registers that they do not reach", () => {
  const wrong = supported.flatMap((form) => {
    const { name } = form.form;
    const host = hostFor(form);
    let result = emulate(form, host, "five");
    if (result.diagnostic?.reason === "unreachable-registers") {
      if (host.calls.length > 0) return [`${form.text}: refused after a callback`];
      result = emulate(form, hostFor(form), "all");
    }
    const { diagnostic } = result;
    if (UNDEFINED.has(name)) return diagnostic?.exception?.vector === 6 ? [] : [`${form.text}: no #UD`];
    if (BEYOND_CALLBACKS.has(name))
      return diagnostic?.reason === "unreachable-operation" && diagnostic.message.startsWith(name.toUpperCase())
        ? []
        : [`${form.text}: ${diagnostic?.message}`];
    return result.statusBits === 1 && diagnostic === null ? [] : [`${form.text}: ${diagnostic?.message}`];
  });
  expect(wrong).toEqual([]);
});

test("what has none is reported by name, before any callback", () => {
  const unsupported = forms.filter(({ program }) => program.unsupported !== null);
  const wrong = unsupported.filter((form) => {
    const host = hostFor(form);
    const { statusBits, diagnostic } = emulate(form, host, "five");
    const named = diagnostic?.message.startsWith(`${form.form.name.toUpperCase()} is a valid instruction`) ?? false;
    return statusBits !== 2 || diagnostic?.reason !== "unsupported-instruction" || !named || host.calls.length > 0;
  });
  expect(wrong.map(({ text }) => text)).toEqual([]);
});

/** Those that end well; of vector instructions, which access memory alike in all modes, one mode is enough. */
const carriedOut = supported.filter(
  ({ form, mode, program }) =>
    !UNDEFINED.has(form.name) &&
    !BEYOND_CALLBACKS.has(form.name) &&
    (mode === 64 || program.requires === null || !form.longMode),
);

test("every call position fails in turn: its status bit, no register changes, memory is what the calls before made of it", () => {
  const STATUS = {
    ioPort: 1 << 2,
    memory: 1 << 3,
    translateGvaPage: 1 << 4,
    getVirtualProcessorRegisters: 1 << 6,
    setVirtualProcessorRegisters: 1 << 7,
  };
  const wrong: string[] = [];
  for (const form of carriedOut) {
    const good = hostFor(form);
    emulate(form, good, "all");
    for (const [position, { callback }] of good.calls.entries()) {
      const at = good.calls.slice(0, position).filter((call) => call.callback === callback).length;
      const host = hostFor(form);
      host.failing = { callback, at };
      const { statusBits, diagnostic } = emulate(form, host, "all");
      const before = good.calls.slice(0, position + 1);
      const same = host.calls.length === before.length && host.calls.every(({ text }, i) => text === before[i]?.text);
      if (statusBits !== STATUS[callback] || diagnostic?.reason !== "callback-failed" || host.set !== null || !same)
        wrong.push(`${form.text}: call ${position}: ${statusBits} ${diagnostic?.message}`);
      const expected = applyWrites(hostFor(form), before.slice(0, -1));
      if (!sameMemory(host.ram, expected.ram) || !sameMemory(host.deviceWrites, expected.device))
        wrong.push(`${form.text}: call ${position}: memory`);
    }
  }
  expect(wrong).toEqual([]);
});

/** Where an operand starts, so that each of its parts comes to lie across a page or right behind one. */
const OFFSETS = [0xffe, 0xfff, 0xffc, 0xff8, 0xff6, 0xff0, 0xfe0, 0xfc0, 0xe00];

/**
 * What is read before the page is looked for that may be missing: the operand before the stack is written (or the other way
 * round), as processors do; the selector, which says where the descriptor is.
 */
const READS_FIRST = /^(push|pop|call|jmp|retf|iret[dq]?|mov|l[defgs]s|lldt|ltr|lar|lsl|verr|verw)$/;
/** Stores what it can before it finds the page that is missing, as the processor was seen to do. */
const STORES_FIRST = "enter";

test("pages that are not present, each in turn: the page fault, no device is touched, no register changes", () => {
  const wrong = new Set<string>();
  for (const form of carriedOut) {
    for (const offset of OFFSETS) {
      const operand = OPERAND + offset;
      const good = hostFor(form, operand);
      // Some demand alignment.
      if (emulate(form, good, "all").diagnostic !== null) continue;
      const pages = good.texts("translateGvaPage").map((text) => BigInt((/0x\w+/.exec(text) as RegExpExecArray)[0]));
      for (const page of new Set(pages)) {
        const host = hostFor(form, operand);
        host.pages.set(page, { result: 1 });
        const { diagnostic } = emulate(form, host, "all");
        const { vector, cr2 } = diagnostic?.exception ?? { vector: null, cr2: null };
        if (vector !== 14 || cr2 === null || (cr2 & ~0xfffn) !== page)
          wrong.add(`${form.text}: ${diagnostic?.message ?? "no exception"}`);
        const repeated = (diagnostic?.repCompleted ?? 0) > 0;
        const isOperand = page === BigInt(OPERAND) || page === BigInt(OPERAND + 0x1000);
        const mayRead = READS_FIRST.test(form.form.name) && (!isOperand || form.form.name === "pop");
        const touched = host.texts("memory").filter((text) => !(/^read/.test(text) && (mayRead || isRam(host, text))));
        if (!repeated && form.form.name !== STORES_FIRST && touched.length > 0)
          wrong.add(`${form.text}: ${page.toString(16)} is missing: ${touched.join(", ")}`);
        const allowed = ["PendingEvent", "Rflags", ...(repeated ? ["Rcx", "Rsi", "Rdi"] : [])];
        const others = [...(host.set?.keys() ?? [])].filter((name) => !allowed.includes(name));
        if (others.length > 0) wrong.add(`${form.text}: sets ${others.join(" ")}`);
      }
    }
  }
  expect([...wrong]).toEqual([]);
});

test("LOCK: #UD but for read-modify-writes of memory, which do the same as without", () => {
  const wrong = carriedOut.flatMap((form) => {
    const locked = { ...form, bytes: [0xf0, ...form.bytes] };
    const [host, other] = [hostFor(form), hostFor(form)];
    const { diagnostic } = emulate(locked, host, "all");
    // Without memory the form's first operand is a register.
    const legal = form.form.lockable && form.form.operands[0]?.allowsMemory === true;
    if (!legal) return diagnostic?.exception?.vector === 6 ? [] : [`${form.text}: LOCK is accepted`];
    emulate(form, other, "all");
    other.set?.set("Rip", (other.set.get("Rip") ?? 0n) + 1n);
    const same = JSON.stringify(host.texts()) === JSON.stringify(other.texts());
    return diagnostic === null && same && sameRegisters(host.set, other.set)
      ? []
      : [`${form.text}: differs under LOCK`];
  });
  expect(wrong).toEqual([]);
});

test("each byte of memory is read at most once and written at most once, whatever lies where", () => {
  const wrong = carriedOut.flatMap((form) =>
    [0, 0xffd].flatMap((offset) => {
      const host = hostFor(form, OPERAND + offset);
      if (emulate(form, host, "all").diagnostic !== null) return [];
      const bytes = host.texts("memory").flatMap((text) => {
        const [, direction, size, gpa] = /^(\w+) (\d)@([0-9a-f]+)/.exec(text) as unknown as [
          string,
          string,
          string,
          string,
        ];
        return Array.from({ length: Number(size) }, (_, i) => `${direction} ${Number.parseInt(gpa, 16) + i}`);
      });
      const twice = bytes.filter((byte, at) => bytes.indexOf(byte) !== at);
      return twice.length === 0 ? [] : [`${form.text}: ${twice.join(", ")}`];
    }),
  );
  expect(wrong).toEqual([]);
});

const STATUS_FLAGS = { cf: 1n, pf: 4n, af: 0x10n, zf: 0x40n, sf: 0x80n, of: 0x800n } as const;
const ALL_SET = Object.values(STATUS_FLAGS).reduce((sum, bit) => sum | bit, 2n);

test("with all status flags clear and with all set: those that the decoder does not list stay, and nothing else depends on them", () => {
  const wrong = new Set<string>();
  for (const form of carriedOut) {
    const { flags } = form.form;
    const [clear, set] = [2n, ALL_SET].map((rflags) => {
      const host = hostFor(form);
      emulate(form, host, "all", { rflags });
      return { host, after: host.set?.get("Rflags") ?? rflags };
    }) as [{ host: TestHost; after: bigint }, { host: TestHost; after: bigint }];
    for (const [name, bit] of Object.entries(STATUS_FLAGS) as [keyof typeof STATUS_FLAGS, bigint][]) {
      if (flags.undefined.includes(name)) continue;
      const values = [clear.after & bit, set.after & bit].map((value) => (value === 0n ? 0 : 1)).join("");
      let expected = /^01$/;
      if (flags.cleared.includes(name)) expected = /^00$/;
      else if (flags.set.includes(name)) expected = /^11$/;
      else if (flags.written.includes(name)) expected = flags.read.length > 0 ? /^..$/ : /^(00|11)$/;
      if (!expected.test(values)) wrong.add(`${form.text}: ${name} ${values}`);
    }
    if (flags.read.length > 0) continue;
    const texts = (host: TestHost): string => JSON.stringify(host.texts("memory", "ioPort", "translateGvaPage"));
    if (texts(clear.host) !== texts(set.host)) wrong.add(`${form.text}: accesses depend on flags`);
    for (const { host } of [clear, set]) host.set?.delete("Rflags");
    if (!sameRegisters(clear.host.set, set.host.set)) wrong.add(`${form.text}: registers depend on flags`);
  }
  expect([...wrong]).toEqual([]);
});

function sameRegisters(a: ReadonlyMap<string, bigint> | null, b: ReadonlyMap<string, bigint> | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

const isRam = (host: TestHost, text: string): boolean =>
  host.ram.has(Number.parseInt((/@([0-9a-f]+)/.exec(text) as RegExpExecArray)[1] as string, 16));

function sameMemory(actual: ReadonlyMap<number, number>, expected: ReadonlyMap<number, number>): boolean {
  return actual.size === expected.size && [...actual].every(([at, byte]) => expected.get(at) === byte);
}
