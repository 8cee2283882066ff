// Runs the benchmark on the built packages, as programs that install them do, in this process:
//   node packages/emulator-core/bench/run.js
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
// Below a folder from which the packages are found.
const folder = await mkdtemp(join(here, "../node_modules/.bench-"));
try {
  await build({
    configFile: false,
    logLevel: "error",
    root: here,
    resolve: { alias: [{ find: "../src/index.ts", replacement: "@whvkit/emulator-core" }] },
    build: {
      ssr: join(here, "table.ts"),
      outDir: folder,
      minify: false,
      target: "es2022",
      rollupOptions: { external: /^@whvkit/, output: { entryFileNames: "table.mjs" } },
    },
  });
  const { printTable } = await import(pathToFileURL(join(folder, "table.mjs")).href);
  printTable();
} finally {
  await rm(folder, { recursive: true, force: true });
}
