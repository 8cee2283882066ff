import { describe, expect, test } from "vitest";
import { getDependencyReleaseLine, getReleaseLine } from "../format.js";

describe("a line of a changelog", () => {
  test("is what the changeset says", async () => {
    expect(await getReleaseLine({ summary: "`Bus` reports unclaimed accesses.\n" })).toBe(
      "- `Bus` reports unclaimed accesses.",
    );
  });

  test("keeps paragraphs, code and lists in the item", async () => {
    expect(await getReleaseLine({ summary: "Renamed.\n\n```ts\nnew Name();\n```\n- one" })).toBe(
      "- Renamed.\n\n  ```ts\n  new Name();\n  ```\n  - one",
    );
  });

  test("names all dependencies in one line, in order", async () => {
    const updated = [
      { name: "@whvkit/x86-decoder", newVersion: "0.2.0" },
      { name: "@whvkit/whv-types", newVersion: "0.2.0" },
    ];
    expect(await getDependencyReleaseLine([], updated)).toBe(
      "- Depends on `@whvkit/whv-types`, `@whvkit/x86-decoder` 0.2.0.",
    );
  });

  test("gives each dependency its version where they differ", async () => {
    const updated = [
      { name: "koffi", newVersion: "4.0.0" },
      { name: "@whvkit/whv-types", newVersion: "0.2.0" },
    ];
    expect(await getDependencyReleaseLine([], updated)).toBe("- Depends on `@whvkit/whv-types 0.2.0`, `koffi 4.0.0`.");
  });

  test("says nothing where no dependency moved", async () => {
    expect(await getDependencyReleaseLine([], [])).toBe("");
  });
});
