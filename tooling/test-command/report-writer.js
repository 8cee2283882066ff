// A vitest reporter that writes what came of every test, with the reason of each skip, to $TEST_REPORT_FILE.
import { writeFileSync } from "node:fs";
import path from "node:path";

export default class ReportWriter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.TEST_REPORT_FILE;
    if (file === undefined) return;
    /** @type {import("./summary.js").TestReport} */
    const report = { tests: [], errors: unhandledErrors.map((error) => `outside any test: ${messageOf(error)}`) };
    for (const module of modules) {
      const where = path.relative(process.cwd(), module.moduleId).split(path.sep).join("/");
      for (const error of module.errors()) report.errors.push(`${where}: ${messageOf(error)}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) report.errors.push(`${where} > ${suite.fullName}: ${messageOf(error)}`);
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        const note = result.state === "skipped" ? result.note : undefined;
        const state = result.state === "pending" ? "failed" : result.state;
        report.tests.push({ file: where, name: test.fullName, state, ...(note === undefined ? {} : { note }) });
      }
    }
    writeFileSync(file, JSON.stringify(report));
  }
}

function messageOf(/** @type {any} */ error) {
  return String(error?.message ?? error).split("\n")[0];
}
