import { describe, expect, test } from "vitest";
import { missingDocumentation } from "../documentation.js";

describe("missing from a report", () => {
  test("nothing, where every export and member is described and tagged", () => {
    const report = "// @public\nexport class Bus {\n    constructor();\n    readonly width: number;\n}\n";
    expect(missingDocumentation(report)).toEqual([]);
  });

  test("the description of an export", () => {
    expect(missingDocumentation("// @public (undocumented)\nexport type Width = 1 | 2;\n")).toEqual([
      "Width has no description",
    ]);
  });

  test("the description of a member, accessors and methods too", () => {
    const members = ["readonly a: number;", "get b(): number;", "c(x: number): void;", "static d?: string;"];
    const report = `// @public\nexport class Bus {\n${members.map((one) => `    // (undocumented)\n    ${one}\n`).join("")}}\n`;
    expect(missingDocumentation(report)).toEqual(["a", "b", "c", "d"].map((name) => `Bus.${name} has no description`));
  });

  test("the description of a member whose name is computed", () => {
    const report = "// @public\nexport class Bus {\n    // (undocumented)\n    [Symbol.dispose](): void;\n}\n";
    expect(missingDocumentation(report)).toEqual(["Bus.[Symbol.dispose](): void; has no description"]);
  });

  test("a release tag", () => {
    const report =
      '// Warning: (ae-missing-release-tag) "Bus" is part of the package\'s API, but it is missing a release tag\n//\n// @public\nexport class Bus {\n}\n';
    expect(missingDocumentation(report)).toEqual(["Bus has no release tag"]);
  });
});

describe("a member needs no description of its own", () => {
  const described = "// @public\nexport interface Device<T> {\n    read(offset: number): T;\n}\n\n";

  test("where it implements a described one of an interface in the report", () => {
    const report = `${described}// @public\nexport class Uart implements Device<number>, Other {\n    // (undocumented)\n    read(offset: number): number;\n}\n`;
    expect(missingDocumentation(report)).toEqual([]);
  });

  test("where that interface has it from another one", () => {
    const report = `${described}// @public\nexport interface Wide extends Device<bigint> {\n}\n\n// @public\nexport class Uart implements Wide {\n    // (undocumented)\n    read(offset: number): bigint;\n}\n`;
    expect(missingDocumentation(report)).toEqual([]);
  });

  test("but it does where nobody describes it", () => {
    const report = `${described}// @public\nexport class Uart implements Device<number> {\n    // (undocumented)\n    write(offset: number): void;\n}\n`;
    expect(missingDocumentation(report)).toEqual(["Uart.write has no description"]);
  });

  test("where it is internal", () => {
    const report = "// @public\nexport class Uart {\n    // @internal (undocumented)\n    bits: number;\n}\n";
    expect(missingDocumentation(report)).toEqual([]);
  });
});
