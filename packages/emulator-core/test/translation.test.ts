/** When the translate callback is asked, with which flags, what its answers mean, and what the exit itself tells. */
import { WHV_REGISTER_NAME } from "@whvkit/whv-types";
import { describe, expect, test } from "vitest";
import { code } from "./assembly.ts";
import { memoryExit, vpExit } from "./exits.ts";
import { DEVICE, pendingEvent, RAM, TestBed } from "./test-bed.ts";

const NAME = WHV_REGISTER_NAME;
const read = { bytes: code["mov eax, [rdi]"] };
const write = { bytes: code["mov [rdi], eax"], accessType: 1 };
const PAGE = 0xfee0_0000n;

describe("flags", () => {
  test.each([
    ["read", "mov eax, [rdi]", ["translate 0xfee00000 flags 11"]],
    ["write", "mov [rdi], eax", ["translate 0xfee00000 flags 13"]],
    ["read-modify-write", "add [rdi], ecx", ["translate 0xfee00000 flags 13"]],
    ["copy", "movsd", ["translate 0x2000 flags 11", "translate 0xfee00000 flags 13"]],
  ] as const)("%s", (_name, instruction, expected) => {
    const s = new TestBed();
    s.mmio({}, { bytes: code[instruction] });
    expect(s.host.texts("translateGvaPage")).toEqual(expected);
  });
});

describe("the exit's Gva and Gpa", () => {
  test("serve the page they are in", () => {
    const s = new TestBed();
    s.mmio({}, { ...read, gpa: 0x1234_5020, gva: BigInt(DEVICE) });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual(["read 4@12345020"]);
  });

  test("the offset is the computed address's: Gpa may be cut to its page", () => {
    const s = new TestBed();
    s.mmio({}, { ...read, gpa: 0x1234_5000, gva: PAGE });
    expect(s.host.texts("memory")).toEqual(["read 4@12345020"]);
  });

  test("of another page: the computed address is translated", () => {
    const s = new TestBed();
    s.mmio({}, { ...read, gpa: 0x1234_5000, gva: 0x7000n });
    expect(s.host.texts("memory", "translateGvaPage")).toEqual(["translate 0xfee00000 flags 11", "read 4@fee00020"]);
  });

  test("count for nothing without GvaValid", () => {
    const s = new TestBed();
    s.mmio({}, { ...read, gpa: 0x1234_5020, gva: BigInt(DEVICE), gvaValid: false });
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0xfee00000 flags 11"]);
  });

  test("a read does not vouch for a later write to the same page", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRsi, 0xfee0_0100n);
    s.mmio({}, { bytes: code.movsd, gpa: 0xfee0_0100, accessType: 0 });
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0xfee00000 flags 13"]);
  });

  test("a write vouches for a read", () => {
    const s = new TestBed();
    s.host.put(NAME.WHvX64RegisterRsi, 0xfee0_0100n);
    s.mmio({}, { bytes: code.movsd, gpa: DEVICE, accessType: 1 });
    expect(s.host.texts("translateGvaPage")).toEqual([]);
  });

  test.each([0, 1])("a read-modify-write needs no more, AccessType %i", (accessType) => {
    const s = new TestBed();
    s.mmio({}, { bytes: code["add [rdi], ecx"], gpa: DEVICE, accessType });
    expect(s.host.texts("translateGvaPage")).toEqual([]);
  });

  test("of a fetch say nothing of the right to write", () => {
    const s = new TestBed();
    s.mmio({ rip: 0xfee0_0100n }, { bytes: code["add [rdi], ecx"], gpa: 0xfee0_0100, accessType: 2 });
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0xfee00000 flags 13"]);
  });

  test("hold for one call only", () => {
    const s = new TestBed();
    s.mmio({}, { ...read, gpa: DEVICE });
    s.mmio({}, read);
    expect(s.host.texts("translateGvaPage")).toEqual(["translate 0xfee00000 flags 11"]);
  });

  test("beyond 52 bits are not believed", () => {
    const s = new TestBed();
    const access = { ...read, gvaValid: true, gva: BigInt(DEVICE) };
    const exit = memoryExit(access);
    exit.gpaBits = 0xfff0_0000_fee0_0020n;
    s.emulator.tryMmioEmulation(s.host, vpExit(), exit);
    expect(s.host.texts("memory", "translateGvaPage")).toEqual(["translate 0xfee00000 flags 11", "read 4@fee00020"]);
  });
});

test("each page is asked for once a call", () => {
  const s = new TestBed();
  s.host.put(NAME.WHvX64RegisterRcx, 6n).put(NAME.WHvX64RegisterRsi, 0x2ffen);
  s.mmio({}, { bytes: code["rep movsb"], gpa: DEVICE, accessType: 1 });
  expect(s.host.texts("translateGvaPage")).toEqual(["translate 0x2000 flags 11", "translate 0x3000 flags 11"]);
});

describe("result codes", () => {
  test.each([
    ["PageNotPresent", 1, 0],
    ["PrivilegeViolation", 2, 1],
    ["InvalidPageTableFlags", 3, 9],
  ])("%s: #PF, error code by access and privilege", (_name, resultCode, base) => {
    for (const [vp, access, bits] of [
      [{}, read, 0],
      [{}, write, 2],
      [{ cpl: 3 }, read, 4],
      [{ cpl: 3 }, write, 6],
    ] as const) {
      const s = new TestBed();
      s.host.pages.set(PAGE, { result: resultCode });
      const result = s.mmio(vp, access);
      expect(result.statusBits).toBe(1);
      expect(s.set).toEqual({ Rflags: 0x1_0002n, PendingEvent: pendingEvent(14, base | bits, BigInt(DEVICE)) });
      expect(result.diagnostic).toMatchObject({ reason: "guest-fault", phase: "translate" });
    }
  });

  test.each([5, 6, 7])("%i (access refused to the guest-physical page): #GP(0)", (resultCode) => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: resultCode });
    s.mmio({}, read);
    expect(s.set["PendingEvent"]).toBe(pendingEvent(13, 0));
  });

  test("Intercept: InternalEmulationFailure", () => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: 8 });
    const result = s.mmio({}, read);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic).toMatchObject({ reason: "translation-intercepted", phase: "translate" });
    expect(s.host.set).toBe(null);
  });

  test.each([9, -1, 255])("%i, which is none: InternalEmulationFailure", (resultCode) => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: resultCode });
    const result = s.mmio({}, read);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic?.reason).toBe("translation-invalid");
  });

  test("S_OK with another result is not TranslateGvaPageCallbackFailed", () => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: 1 });
    expect(s.mmio({}, read).translateGvaPageCallbackFailed).toBe(false);
  });

  test("a callback that forgets to answer is found out", () => {
    const s = new TestBed();
    s.host.translate = (): number => 0;
    expect(s.mmio({}, read).diagnostic?.reason).toBe("translation-invalid");
  });
});

describe("GpaUnmapped", () => {
  test("with an aligned address is device memory there", () => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: 4, gpa: 0x7000_0000 });
    s.mmio({}, read);
    expect(s.host.texts("memory")).toEqual(["read 4@70000020"]);
  });

  test("with a misaligned one is the host's mistake", () => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { result: 4, gpa: 0x7000_0001 });
    expect(s.mmio({}, read).translateGvaPageCallbackGpaIsNotAligned).toBe(true);
  });

  test("option fault: #GP(0)", () => {
    const s = new TestBed({ gpaUnmapped: "fault" });
    s.host.pages.set(PAGE, { result: 4, gpa: 0x7000_0000 });
    s.mmio({}, read);
    expect(s.set["PendingEvent"]).toBe(pendingEvent(13, 0));
  });
});

describe("addresses that are none", () => {
  test.each([0x1001, 0.5, Number.NaN])("%d is not aligned", (gpa) => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { gpa });
    const result = s.mmio({}, read);
    expect(result.statusBits).toBe(1 << 5);
    expect(result.diagnostic?.reason).toBe("translation-not-aligned");
  });

  test.each([-4096, 2 ** 52])("%d is no guest-physical address", (gpa) => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { gpa });
    const result = s.mmio({}, read);
    expect(result.statusBits).toBe(2);
    expect(result.diagnostic?.reason).toBe("translation-invalid");
  });

  test("the highest page is one", () => {
    const s = new TestBed();
    s.host.pages.set(PAGE, { gpa: 2 ** 52 - 4096 });
    s.mmio({}, read);
    expect(s.host.texts("memory")).toEqual(["read 4@ffffffffff020"]);
  });
});

test("RAM and device alike: the other side of a copy is translated", () => {
  const s = new TestBed();
  s.host.pages.set(BigInt(RAM), { gpa: 0x5000 });
  s.host.putBytes(0x5000, 9, 9, 9, 9);
  s.mmio({}, { bytes: code.movsd, gpa: DEVICE, accessType: 1 });
  expect(s.host.texts("memory")).toEqual(["read 4@5000", "write 4@fee00020=0x9090909"]);
});
