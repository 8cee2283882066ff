// Bundles the benchmark with the packages' sources, as a user's bundler would, and runs it in this process:
//   node packages/emulator-core/bench/run.js
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const packages = fileURLToPath(new URL("../../", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "whvkit-bench-"));
try {
  await build({
    configFile: false,
    logLevel: "error",
    root: here,
    resolve: { alias: [{ find: /^@whvkit\/([a-z0-9-]+)$/, replacement: `${packages}$1/src/index.ts` }] },
    build: {
      ssr: join(here, "table.ts"),
      outDir: folder,
      minify: false,
      target: "es2022",
      rollupOptions: { output: { entryFileNames: "table.mjs" } },
    },
    ssr: { noExternal: true },
  });
  const { printTable } = await import(pathToFileURL(join(folder, "table.mjs")).href);
  printTable();
} finally {
  await rm(folder, { recursive: true, force: true });
}
