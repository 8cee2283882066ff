// The parts of the extraction, on small inputs.
import { describe, expect, test } from "vitest";
import { layoutsOf } from "../src/extraction/layouts.js";
import { compareBits, compareIntegers, integerProbes, probeSource } from "../src/extraction/probes.js";
import { callbacksOf, definesOf, prototypesOf } from "../src/extraction/prototypes.js";
import { propertyName, viewName } from "../src/names.js";

const debugInfo = `
 <0><b>: Abbrev Number: 1 (DW_TAG_compile_unit)
    <c>   DW_AT_name        : (indirect string, offset: 0x0): headers.c
 <1><10>: Abbrev Number: 2 (DW_TAG_base_type)
    <11>   DW_AT_byte_size   : 4
    <12>   DW_AT_name        : (indirect string, offset: 0x1): unsigned int
 <1><20>: Abbrev Number: 3 (DW_TAG_typedef)
    <21>   DW_AT_name        : UINT32
    <22>   DW_AT_type        : <0x10>
 <1><30>: Abbrev Number: 4 (DW_TAG_structure_type)
    <31>   DW_AT_byte_size   : 8
 <2><32>: Abbrev Number: 5 (DW_TAG_member)
    <33>   DW_AT_name        : Low
    <34>   DW_AT_type        : <0x20>
    <35>   DW_AT_byte_size   : 4
    <36>   DW_AT_bit_size    : 3
    <37>   DW_AT_bit_offset  : 29
    <38>   DW_AT_data_member_location: 0
 <2><40>: Abbrev Number: 6 (DW_TAG_member)
    <41>   DW_AT_name        : Next
    <42>   DW_AT_type        : <0x20>
    <43>   DW_AT_data_member_location: 4
 <1><50>: Abbrev Number: 3 (DW_TAG_typedef)
    <51>   DW_AT_name        : WHV_SMALL
    <52>   DW_AT_type        : <0x30>
`;

test("debugging information becomes fields, bits counted from the lowest", () => {
  expect(layoutsOf(debugInfo).types).toEqual({
    WHV_SMALL: {
      kind: "struct",
      size: 8,
      align: 0,
      fields: [
        { name: "Low", offset: 0, size: 4, type: "UINT32", bitOffset: 0, bitSize: 3 },
        { name: "Next", offset: 4, size: 4, type: "UINT32" },
      ],
    },
  });
});

describe("the second opinion", () => {
  const { types } = layoutsOf(debugInfo);
  const bitFields = [{ type: "WHV_SMALL", field: types.WHV_SMALL.fields[0] }];

  test("asks for every number, and finds one that differs", () => {
    const probes = integerProbes(types, {}, []);
    expect(probes.map(({ what }) => what)).toEqual([
      "sizeof WHV_SMALL",
      "alignof WHV_SMALL",
      "offset of WHV_SMALL.Next",
      "size of WHV_SMALL.Next",
    ]);
    expect(compareIntegers(probes, new Uint8Array(new BigUint64Array([8n, 4n, 4n, 4n]).buffer)).differences).toEqual(
      [],
    );
    expect(compareIntegers(probes, new Uint8Array(new BigUint64Array([8n, 4n, 6n, 4n]).buffer)).differences).toEqual([
      "offset of WHV_SMALL.Next: facts 4, compiler 6",
    ]);
    expect(probeSource(["whv.h"], probes, bitFields)).toContain("const WHV_SMALL bit0 = { .Low = -1 };");
  });

  test("finds a bit-field that lies elsewhere", () => {
    expect(compareBits(bitFields, Uint8Array.of(7, ...new Uint8Array(511)))).toEqual([]);
    expect(compareBits(bitFields, Uint8Array.of(14, ...new Uint8Array(511)))).toEqual([
      "WHV_SMALL.Low: facts 0,1,2, compiler 1,2,3",
    ]);
  });
});

test("prototypes, callbacks and constants are read from the header's text", () => {
  expect(
    prototypesOf("HRESULT WINAPI WHvDo(VOID *Where, UINT32 Size);\nHRESULT WHvGo(HANDLE Process);\n", "A.dll"),
  ).toEqual({
    WHvDo: {
      library: "A.dll",
      result: "HRESULT",
      parameters: [
        { name: "Where", type: "VOID *" },
        { name: "Size", type: "UINT32" },
      ],
    },
    WHvGo: { library: "A.dll", result: "HRESULT", parameters: [{ name: "Process", type: "HANDLE" }] },
  });
  expect(callbacksOf("typedef HRESULT (CALLBACK *WHV_CALLBACK)(VOID *Context);\n", "A.dll")).toHaveProperty(
    "WHV_CALLBACK",
  );
  expect(definesOf("#define WHV_COUNT 2\n#define _GUARD_\n")).toEqual([{ name: "WHV_COUNT", text: "2" }]);
});

test("names follow the header's", () => {
  expect(viewName("WHV_X64_IO_PORT_ACCESS_CONTEXT")).toBe("IoPortAccessContextView");
  expect(viewName("WHV_RUN_VP_EXIT_CONTEXT")).toBe("RunVpExitContextView");
  expect(propertyName("AsUINT64")).toBe("asUINT64");
});
