// One configuration for every package's tests. `@whvkit/*` is each package's source, so tests need no build.
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
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tooling/*/test/**/*.test.{ts,js}"],
    benchmark: { include: ["packages/*/bench/**/*.bench.ts"] },
    pool: "threads",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
