// The packed packages in a browser: a page that Vite built decodes, finishes an exit and boots the demonstration guest, under
// policies that allow no code but the page's own.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { buildPage, project } from "../src/bundles.js";
import { browserUnavailable, launchBrowser, open, serve } from "../src/page-server.js";

const unavailable = browserUnavailable();
const policies = {
  "without any eval": "default-src 'self'; img-src data:",
  "with wasm-unsafe-eval": "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'",
};

describe.skipIf(unavailable !== null)(`in Chromium${unavailable === null ? "" : `: ${unavailable}`}`, () => {
  /** @type {import("playwright-core").Browser} */
  let browser;
  let built = "";
  beforeAll(async () => {
    const { folder, warnings } = await buildPage(project(inject("consumer")));
    expect(warnings).toEqual([]);
    built = folder;
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  describe.each(Object.entries(policies))("under a policy %s", (name, policy) => {
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let server;
    beforeAll(async () => {
      server = await serve(built, policy);
    });
    afterAll(() => server?.close());

    test("decodes, emulates, and boots the guest, and nothing complains", async () => {
      const { page, complaints } = await open(browser, server.address);
      const shown = (/** @type {string} */ id) => page.locator(`#${id}`).textContent();
      expect([complaints, await shown("status"), await page.locator("body").getAttribute("data-state")]).toEqual([
        [],
        "0",
        "done",
      ]);
      expect(await shown("decoded")).toBe("mov eax, dword ptr [rdi]");
      expect(JSON.parse((await shown("emulated")) ?? "")).toEqual({
        status: ["EmulationSuccessful"],
        set: { Rax: "0xdeadbeef", Rip: "0x1002" },
      });
      expect(await shown("serial")).toContain("Hello, whvkit!");
      expect(await shown("screen")).toContain("64 bits");
      await page.close();
    });

    test("compiled forms need wasm-unsafe-eval, and nothing else does", async () => {
      const { page } = await open(browser, server.address);
      // Through the protocol, and so not under the page's policy itself; what the page does is.
      const compiled = page.evaluate("window.compileForms()");
      if (name === "with wasm-unsafe-eval") expect(await compiled).toBe(1);
      else
        await expect(compiled).rejects.toThrow(/CompileError.*wasm-unsafe-eval|WebAssembly.*Content Security Policy/s);
      await page.close();
    });
  });
});
