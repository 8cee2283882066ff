import { describe, expect, test } from "vitest";
import { missingExamples } from "../examples.js";

const example = "/**\n * Reads.\n *\n * @example\n * ```ts\n * read(); // 1\n * ```\n * @public\n */\n";
const none = "/**\n * Reads.\n * @public\n */\n";

describe("the examples of declarations", () => {
  test("functions and classes that have one are in order, and so is what needs none", () => {
    const declarations = `${example}export declare function read(): number;\n${example}export declare abstract class Bus {\n}\n${none}export declare const width: number;\n${none}export declare interface Device {\n}\n`;
    expect(missingExamples(declarations)).toEqual([]);
  });

  test("a function and a class without one are named, however deep the line is indented", () => {
    const declarations = `${none}export declare function read(): number;\n   ${none.replaceAll("\n *", "\n    *")}   export declare class Bus {\n}\n`;
    expect(missingExamples(declarations)).toEqual(["read has no @example", "Bus has no @example"]);
  });

  test("the example of the declaration before, or of a member, is nobody else's", () => {
    const declarations = `${example}export declare function read(): number;\n\nexport declare class Bus {\n    ${example.replaceAll("\n", "\n    ").trimEnd()}\n    read(): void;\n}\n`;
    expect(missingExamples(declarations)).toEqual(["Bus has no @example"]);
  });

  test("of overloads one has it", () => {
    const declarations = `${example}export declare function read(): number;\n${none}export declare function read(at: number): number;\n`;
    expect(missingExamples(declarations)).toEqual([]);
  });
});
