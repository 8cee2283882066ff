import { expect, test } from "vitest";
import { Ledger, same, twoAtATime } from "../ledger.js";

test("what throws has failed, says why, and does not end the rehearsal", async () => {
  /** @type {string[]} */
  const lines = [];
  const ledger = new Ledger((line) => lines.push(line.replace(/\([\d.]+ s\)/, "(time)")));
  expect(await ledger.check("adds", () => same(1 + 1, 2, "sum"))).toBe(true);
  expect(await ledger.check("carries", () => same(9 + 1, 0, "sum"))).toBe(false);
  expect(lines).toEqual(["ok     adds (time)", "FAILED carries (time)\nsum: 10, not 0"]);
  expect(ledger.summary).toBe("1 passed, 1 failed");
});

test("tasks run two at a time, each once and in order", async () => {
  let running = 0;
  let most = 0;
  /** @type {number[]} */
  const started = [];
  await twoAtATime(
    [0, 1, 2, 3, 4].map((index) => async () => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    }),
  );
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
});
