/** How the C types of the prototypes cross the ABI, against what the compiled headers say of their sizes. */
import { readFileSync } from "node:fs";
import {
  WHV_PARTITION_PROPERTY_CODE as Code,
  WIN_HV_EMULATION_FUNCTIONS,
  WIN_HV_PLATFORM_FUNCTIONS,
} from "@whvkit/whv-types";
import { expect, test } from "vitest";
import { propertySize } from "../src/hypervisor/property-sizes.ts";
import { nativeType } from "../src/native/function-binding.ts";

const facts = JSON.parse(readFileSync(new URL("../../../tooling/layouts/data/facts.json", import.meta.url), "utf8"));

/** Of basic types, and of typedefs that the facts leave out (WinHvPlatformDefs.h, winnt.h, wdm.h). */
const basicSizes: Readonly<Record<string, number>> = {
  HRESULT: 4,
  UINT32: 4,
  UINT64: 8,
  HANDLE: 8,
  PVOID: 8,
  DEVICE_POWER_STATE: 4,
  WHV_GUEST_PHYSICAL_ADDRESS: 8,
  WHV_GUEST_VIRTUAL_ADDRESS: 8,
  WHV_PARTITION_HANDLE: 8,
  WHV_EMULATOR_HANDLE: 8,
  WHV_TRIGGER_HANDLE: 8,
  WHV_NOTIFICATION_PORT_HANDLE: 8,
  WHV_NOTIFICATION_PORT_PROPERTY: 8,
};

const prototypes = Object.values({ ...WIN_HV_PLATFORM_FUNCTIONS, ...WIN_HV_EMULATION_FUNCTIONS });
const types = new Set(prototypes.flatMap(({ result, parameters }) => [result, ...parameters.map(({ type }) => type)]));

test.for([...types])("%s is passed in its size", (type) => {
  const known = facts.types[type] ?? facts.enums[type];
  const size = type.includes("*") ? 8 : (basicSizes[type] ?? known?.size);
  expect(size, "a size is known").toBeTypeOf("number");
  expect(nativeType(type)).toBe(size === 4 ? "uint32" : type.includes("*") || isPointer(type) ? "void *" : "uint64");
});

/** Handles and PVOID are pointers in the headers. */
function isPointer(type: string): boolean {
  return type.endsWith("HANDLE") || type === "PVOID";
}

/** Properties whose member of `WHV_PARTITION_PROPERTY` is named otherwise than their code. */
const members: Readonly<Record<string, string>> = { ApicRemoteReadSupport: "ApicRemoteRead" };
/** Not integers: for `writeProperty`. */
const structured = /List|Banks$/;

test.for(Object.entries(Code).filter(([name]) => !structured.test(name)))(
  "%s has the size of its member",
  ([name, code]) => {
    const short = name.replace("WHvPartitionPropertyCode", "");
    const fields: { name: string; size: number }[] = facts.types.WHV_PARTITION_PROPERTY.fields;
    const field = fields.find((each) => each.name === (members[short] ?? short));
    // Newer than the headers: a UINT32 on Microsoft's page.
    expect(propertySize(code)).toBe(short === "PhysicalAddressWidth" ? 4 : field?.size);
  },
);
