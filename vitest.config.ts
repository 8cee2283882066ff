// Two kinds of tests. Those of `sources` see `@whvkit/*` as each package's source and need no build; those of `consumers`
// use the packages as they would be published, which packed-packages.js builds and packs once before them.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@whvkit\/cli$/, replacement: `${here}apps/cli/src/index.ts` },
      { find: /^@whvkit\/([a-z0-9-]+)$/, replacement: `${here}packages/$1/src/index.ts` },
    ],
  },
  test: {
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "sources",
          include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/*/test/**/*.test.{ts,js}"],
          exclude: ["tooling/consumers/**"],
          benchmark: { include: ["packages/*/bench/**/*.bench.ts"] },
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
