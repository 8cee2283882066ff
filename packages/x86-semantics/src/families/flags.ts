/** Single flags: CLC to STI, and SMAP's AC. Intel SDM volume 1, 5.1.11; each instruction's page in volume 2. */
import type { Builder, Definition, FlagName } from "../ir/builder.ts";
import { Helper } from "../machine/helper.ts";
import { Vector } from "../machine/machine.ts";
import type { Family } from "./family.ts";
import { privilegeIsNotZero } from "./system.ts";

const setTo =
  (flag: FlagName, value: 0 | 1): Definition =>
  (b) =>
    b.setFlags({ [flag]: b.constant("i1", value) });

/** STI holds interrupts off until after the next instruction, but only where IF was 0. */
const sti: Definition = (b) => {
  const was = b.flag("IF");
  b.call(Helper.setInterruptFlag);
  b.when(b.not(was), () => {
    b.call(Helper.inhibitInterrupts);
  });
};

/** STAC and CLAC are #UD outside CPL 0. */
const accessFlag =
  (value: 0 | 1): Definition =>
  (b: Builder) => {
    b.faultIf(privilegeIsNotZero(b), Vector.UD);
    b.setFlags({ AC: b.constant("i1", value) });
  };

export const flags: Family = {
  name: "flags",
  meanings: {
    clc: setTo("CF", 0),
    stc: setTo("CF", 1),
    cmc: (b) => b.setFlags({ CF: b.not(b.flag("CF")) }),
    cld: setTo("DF", 0),
    std: setTo("DF", 1),
    cli: (b) => {
      b.call(Helper.clearInterruptFlag);
    },
    sti,
    clac: accessFlag(0),
    stac: accessFlag(1),
  },
};
