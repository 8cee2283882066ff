// Differential tests against iced-x86, an oracle that nobody on this project wrote. The campaign variables make them as
// long as one likes: X86_CAMPAIGN=20000000 compares that many random strings per mode and every enumeration in full.

import { DecoderOptions as IcedOptions } from "iced-x86";
import { describe, expect, test } from "vitest";
import { Decoder, formatInstruction } from "../src/index.ts";
import { evexOpcodes, legacyOpcodes, randomInstructions, vexOpcodes } from "./oracle/byte-strings.ts";
import { addresses, compareAll } from "./oracle/comparison.ts";
import {
  amdDifferences,
  decodingDifferences,
  explain,
  flagDifferences,
  registerDifferences,
  textDifferences,
} from "./oracle/differences.ts";
import { compareFlags, compareFlow, compareRegisters } from "./oracle/iced-information.ts";
import { icedFormatter, normalise } from "./oracle/iced-text.ts";

const campaign = Number(process.env["X86_CAMPAIGN"] ?? 0);
const seed = Number(process.env["X86_SEED"] ?? 0x5eed);
const count = campaign || 200_000;
const density = campaign ? "all" : "some";
const timeout = campaign ? 24 * 3600_000 : 120_000;
const modes = [16, 32, 64] as const;

describe.each(modes)("in %i-bit mode as iced-x86", (mode) => {
  test(`random byte strings (seed ${seed})`, { timeout }, () => {
    const outcome = compareAll(new Decoder(mode), randomInstructions(seed, mode, count), decodingDifferences);
    expect(outcome.unexplained).toEqual([]);
    expect(outcome.compared).toBe(count);
    expect(outcome.valid).toBeGreaterThan(count / 5);
  });

  test("every opcode of the legacy maps", { timeout }, () => {
    expect(compareAll(new Decoder(mode), legacyOpcodes(mode, density), decodingDifferences).unexplained).toEqual([]);
  });

  test("every opcode of the VEX and XOP maps", { timeout }, () => {
    expect(compareAll(new Decoder(mode), vexOpcodes(mode, density), decodingDifferences).unexplained).toEqual([]);
  });

  test("every opcode of the EVEX maps", { timeout }, () => {
    expect(compareAll(new Decoder(mode), evexOpcodes(mode, density), decodingDifferences).unexplained).toEqual([]);
  });

  test.each([
    ["amd", IcedOptions.AMD],
    ["mpx", IcedOptions.MPX],
    ["old", IcedOptions.Umov | IcedOptions.Xbts | IcedOptions.OldFpu | IcedOptions.MovTr | IcedOptions.Loadall386],
  ] as const)("the option %s", { timeout }, (name, option) => {
    const decoder = new Decoder(mode, { [name]: true });
    const source = randomInstructions(seed + 4, mode, count / 4);
    expect(
      compareAll(decoder, source, [...decodingDifferences, ...amdDifferences], undefined, option).unexplained,
    ).toEqual([]);
  });

  test("flags and flow control", { timeout }, () => {
    const check = (...[own, iced]: Parameters<typeof compareFlags>): string =>
      compareFlags(own, iced) || compareFlow(own, iced);
    const outcome = compareAll(
      new Decoder(mode),
      randomInstructions(seed + 1, mode, count / 10),
      [...decodingDifferences, ...flagDifferences],
      check,
    );
    expect(outcome.unexplained).toEqual([]);
  });

  test("used registers", { timeout }, () => {
    const differences = [...decodingDifferences, ...registerDifferences];
    const outcome = compareAll(
      new Decoder(mode),
      randomInstructions(seed + 3, mode, count / 10),
      differences,
      compareRegisters,
    );
    expect(outcome.unexplained).toEqual([]);
  });

  test("text in Intel syntax, normalised", { timeout }, () => {
    const formatter = icedFormatter();
    const ip = addresses[mode];
    const outcome = compareAll(
      new Decoder(mode),
      randomInstructions(seed + 2, mode, count / 10),
      decodingDifferences,
      (own, iced) => {
        const a = normalise(formatInstruction(own, { ip }));
        const b = normalise(formatter.format(iced));
        return a === b || explain(textDifferences, a) ? "" : `"${a}", iced "${b}"`;
      },
    );
    expect(outcome.unexplained).toEqual([]);
  });
});
