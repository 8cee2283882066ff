// The declarations of the packed packages need nothing that their users may not have: those for browsers neither the DOM's
// types nor Node's, and they get along with both.
import { importMap } from "@tooling/import-map/map.js";
import { expect, inject, test } from "vitest";
import { compile } from "../src/example-run.js";

const forBrowsers = Object.keys(importMap).filter((name) => !importMap[name].node);
const programs = [
  { source: forBrowsers.map((name, i) => `export * as package${i} from "@whvkit/${name}";\n`).join("") },
  {
    source:
      'import { Decoder, Instruction } from "@whvkit/x86-decoder";\nnew Decoder(64).decode(new Uint8Array(1), 0, new Instruction());\n',
  },
];

test.each([
  ["neither the DOM's nor Node's types", { lib: ["es2022"], types: [] }],
  [
    "the DOM's types, for a bundler",
    { lib: ["es2022", "dom"], types: [], module: "esnext", moduleResolution: "bundler" },
  ],
  ["Node's types and the DOM's", { lib: ["esnext", "dom"], types: ["node"] }],
])("with %s", (_title, options) => {
  expect(compile(inject("consumer"), programs, options)).toEqual([[], []]);
});

test("win-backend brings the type of Symbol.dispose", () => {
  const program = [
    {
      source:
        'import { winHypervisor } from "@whvkit/win-backend";\nwinHypervisor.createPartition()[Symbol.dispose]();\n',
    },
  ];
  for (const options of [
    { lib: ["es2022"], types: [] },
    { lib: ["es2022"], types: ["node"] },
  ])
    expect(compile(inject("consumer"), program, options)).toEqual([[]]);
});
