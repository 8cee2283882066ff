// Three kinds of tests. Those of `sources` see `@whvkit/*` as each package's source and need no build; `webassembly` runs the
// guests among them again on the compiling engine; those of `consumers` use the packages as they would be published, which
// packed-packages.js builds and packs once before them.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = fileURLToPath(new URL(".", import.meta.url));

const sources = [
  { find: /^@whvkit\/cli$/, replacement: `${here}apps/cli/src/index.ts` },
  { find: /^@whvkit\/([a-z0-9-]+)$/, replacement: `${here}packages/$1/src/index.ts` },
];
/** Tests that run guests on the simulator: once as everybody runs them, once with everything compiled. */
const guestTests = [
  "packages/sim-backend/test/**/*.test.ts",
  "packages/microvm/test/guest/*.test.ts",
  "packages/conformance/test/step.test.ts",
  "packages/conformance/test/suite/backend.test.ts",
];
const compiled = {
  find: /^@whvkit\/sim-backend$/,
  replacement: `${here}packages/sim-backend/test/webassembly-everywhere.ts`,
};

export default defineConfig({
  test: {
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 60_000,
    projects: [
      {
        resolve: { alias: sources },
        extends: true,
        test: {
          name: "sources",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/*/test/**/*.test.{ts,js}"],
          exclude: ["tooling/consumers/**"],
          benchmark: { include: ["packages/*/bench/**/*.bench.ts"] },
        },
      },
      {
        resolve: { alias: [compiled, ...sources] },
        extends: true,
        test: {
          name: "webassembly",
          include: guestTests,
          // Chooses engines by itself.
          exclude: ["packages/sim-backend/test/engines.fuzz.test.ts"],
          env: { WHVKIT_TEST_ENGINE: "webassembly" },
          benchmark: { include: [] },
        },
      },
      {
        test: {
          name: "consumers",
          include: ["tooling/consumers/test/**/*.test.js"],
          benchmark: { include: [] },
          globalSetup: ["tooling/consumers/packed-packages.js"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
