import { expect, test } from "vitest";
import { forbiddenText } from "../check.js";

test.each([
  "see /home/someone/project/x.ts",
  "cd /workspace/main",
  "/Users/Someone/x",
  "C:\\Users\\someone\\x",
  "tarball: https://example.test/a.tgz",
  "registry.example.org",
])("%s is found", (text) => {
  expect(forbiddenText("a.md", `first\n${text}\n`)).toHaveLength(1);
  expect(forbiddenText("a.md", `first\n${text}\n`)[0]).toMatch(/^a\.md:2: /);
});

test.each(["/tmp/x", "packages/work/x", "https://github.com/whvkit/whvkit/issues", "the registry. Org", "homepage"])(
  "%s is allowed",
  (text) => {
    expect(forbiddenText("a.md", text)).toEqual([]);
  },
);
