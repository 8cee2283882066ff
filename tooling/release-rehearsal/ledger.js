// Counts what a rehearsal checks, prints each as it ends, and keeps two things going at a time: the machine has few cores.

export class Ledger {
  passed = 0;
  failed = 0;

  /** @param {(line: string) => void} print */
  constructor(print) {
    this.print = print;
  }

  /**
   * One check: it passes when `action` does not throw.
   *
   * @param {string} name
   * @param {() => unknown} action
   * @returns {Promise<boolean>} whether it passed
   */
  async check(name, action) {
    const start = performance.now();
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    try {
      await action();
    } catch (error) {
      this.failed += 1;
      this.print(`FAILED ${name} (${seconds()})\n${error instanceof Error ? error.message : error}`);
      return false;
    }
    this.passed += 1;
    this.print(`ok     ${name} (${seconds()})`);
    return true;
  }

  get summary() {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}

/**
 * Runs every task, two at a time, in order.
 *
 * @param {readonly (() => Promise<unknown>)[]} tasks
 */
export async function twoAtATime(tasks) {
  const waiting = [...tasks];
  const lane = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
  };
  await Promise.all([lane(), lane()]);
}

/**
 * @param {unknown} actual
 * @param {unknown} expected compared as JSON
 * @param {string} what
 */
export function same(actual, expected, what) {
  const [is, must] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== must) throw new Error(`${what}: ${is}, not ${must}`);
}
