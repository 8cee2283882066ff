// Walks the decoder's form table: every form with a meaning has its vectors in every mode, or a reason for having none; and the
// README says how many of each.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { exclusionOf, exclusionReasons } from "../src/exclusions.js";
import { walkForms } from "../src/forms.js";
import { encodingsOf } from "../src/inputs.js";
import { hashText } from "../src/random.js";
import { recordedFamilies, VECTORS_PER_FORM, VectorFile } from "../src/vectors.js";

const FOLDER = path.join(import.meta.dirname, "../../../packages/x86-semantics/test/vectors");
const README = readFileSync(path.join(import.meta.dirname, "../README.md"), "utf8");
const LEAST = 200;
/** The walk takes seconds on an idle machine, and a busy one must not fail it. */
const TIMEOUT = 600_000;
const MOST_BYTES = 10 * 1024 * 1024;

/** @type {Map<string, { file: VectorFile, bytes: number }>} */
const files = new Map();
/** Forms by the reason that they have no vectors; "" for those that have. @type {Map<string, string[]>} */
const forms = new Map();

beforeAll(() => {
  for (const family of recordedFamilies) {
    const bytes = readFileSync(path.join(FOLDER, `${family}.bin`));
    files.set(family, { file: new VectorFile(family, bytes), bytes: bytes.length });
  }
  for (const formCase of walkForms()) {
    const reason = exclusionOf(formCase, encodingsOf(formCase, 0)) ?? "";
    forms.set(reason, [...(forms.get(reason) ?? []), formCase.key]);
  }
}, TIMEOUT);

const number = (/** @type {number} */ value) => value.toLocaleString("en-US");

describe("the committed vectors", () => {
  test("are at least 200 for every form that has no reason to have none", () => {
    const covered = new Set(forms.get(""));
    const wrong = walkForms()
      .filter(({ key, family }) => covered.has(key) !== (files.get(family)?.file.has({ key }) ?? false))
      .map(
        ({ key }) => `${key}: ${covered.has(key) ? "no vectors, and no reason" : "vectors, and a reason to have none"}`,
      );
    expect(wrong).toEqual([]);
    expect(VECTORS_PER_FORM).toBeGreaterThanOrEqual(LEAST);
  });

  test("are of nothing else", () => {
    const sections = [...files.values()].reduce((sum, { file }) => sum + file.sections, 0);
    expect(sections).toBe(forms.get("")?.length);
    expect(readdirSync(FOLDER).sort()).toEqual(recordedFamilies.map((family) => `${family}.bin`).sort());
  });

  test("take at most 10 MiB", () => {
    expect([...files.values()].reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MOST_BYTES);
  });

  test("are found by keys that tell all forms apart", () => {
    const hashes = walkForms().map(({ key }) => hashText(key));
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe("the README", () => {
  test("counts forms, vectors and bytes", () => {
    const rows = [...files].map(([family, { file, bytes }]) =>
      [`| ${family}`, file.sections, file.sections * VECTORS_PER_FORM, `${bytes} |`]
        .map((cell) =>
          typeof cell === "number"
            ? number(cell)
            : cell.replace(/\d+/, (digits) => (cell.endsWith("|") ? number(Number(digits)) : digits)),
        )
        .join(" | "),
    );
    expect(rows.filter((row) => !README.includes(row))).toEqual([]);
  });

  test("counts the forms without vectors, reason by reason, of which each applies to some", () => {
    const rows = exclusionReasons.map((reason) => `| ${reason} | ${number(forms.get(reason)?.length ?? 0)} |`);
    expect(rows.filter((row) => !README.includes(row))).toEqual([]);
    expect(exclusionReasons.filter((reason) => forms.get(reason) === undefined)).toEqual([]);
  });
});
