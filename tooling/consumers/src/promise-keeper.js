// Beside an example that runs: `promised`, which its promises (promises.js) call. Imported before it by `node --import`.
import assert from "node:assert/strict";

/** @type {Map<number, { printed: unknown[], expected: unknown[] }>} */
const printing = new Map();

Object.assign(globalThis, {
  promised: {
    /**
     * @template T
     * @param {T} actual
     * @param {unknown} expected
     * @param {number} line
     */
    value(actual, expected, line) {
      assert.deepEqual(plain(actual), expected, `line ${line} of the page promises another value`);
      return actual;
    },
    /**
     * @param {() => unknown} run
     * @param {string} expected
     * @param {number} line
     */
    error(run, expected, line) {
      assert.throws(
        run,
        (error) => {
          assert.equal(`${/** @type {Error} */ (error).name}: ${/** @type {Error} */ (error).message}`, expected);
          return true;
        },
        `line ${line} of the page promises ${expected}`,
      );
    },
    /**
     * @param {unknown[]} args
     * @param {unknown[]} expected
     * @param {number} line
     */
    printed(args, expected, line) {
      const seen = printing.get(line) ?? { printed: [], expected };
      seen.printed.push(args.length === 1 ? args[0] : args);
      printing.set(line, seen);
      return args;
    },
  },
});

process.on("exit", (status) => {
  if (status !== 0) return;
  for (const [line, { printed, expected }] of printing)
    assert.deepEqual(printed.map(plain), expected, `line ${line} of the page promises other output`);
});

/** Objects of classes and typed arrays are written as literals on a page. */
function plain(/** @type {unknown} */ value) {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(/** @type {any} */ (value));
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
