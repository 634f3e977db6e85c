// Every page, wide and narrow, dark and light: accessible by axe-core, nothing wider than the screen,
// no layout shift, reachable by keyboard.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { keepPicture, launch, signIn, sit, url } from "./harness";
import { made } from "./outcome";

const axe = readFileSync(new URL("../../services/web/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

const addresses: Record<string, () => string> = {
  productions: () => "/productions",
  library: () => `/productions/${made.production}/library`,
  "library as a list": () => `/productions/${made.production}/library?view=list`,
  "library with panel": () => `/productions/${made.production}/library?asset=${made.asset}`,
  "library without a match": () => `/productions/${made.production}/library?q=nothing-is-called-this`,
  asset: () => `/productions/${made.production}/assets/${made.asset}`,
  "asset's processing": () => `/productions/${made.production}/assets/${made.asset}?tab=processing`,
  members: () => `/productions/${made.production}/members`,
  people: () => `/administration/${made.organisation}/people`,
  "productions of the organisation": () => `/administration/${made.organisation}/productions`,
  "security of the organisation": () => `/administration/${made.organisation}/security`,
  "sign-on": () => `/administration/${made.organisation}/sign-on`,
  "connection to an identity provider": () => `/administration/${made.organisation}/sign-on/${made.connection}`,
  audit: () => `/administration/${made.organisation}/audit`,
  mail: () => `/administration/${made.organisation}/mail`,
  "mail in no state": () => `/administration/${made.organisation}/mail?state=dropped`,
  "invitation without its token": () => "/invitation",
  account: () => "/account",
  "refused sign-in": () => "/sign-in-refused?reason=account&attempt=01998c2e-1111-7000-8000-000000000001",
  "signed out": () => "/signed-out",
  "not found": () => "/no-such-page",
  "API reference": () => "/api/docs",
  "API reference of one operation": () => "/api/docs?tag=productions#create_production",
};

/** Sentences about what axe finds. It is evaluated over the wire: the page's policy allows no injected script. */
async function violations(page: Page): Promise<string[]> {
  const wire = await page.context().newCDPSession(page);
  await wire.send("Runtime.evaluate", { expression: axe });
  const { result } = await wire.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 160) + " " + failureSummary))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await wire.detach();
  return JSON.parse(String(result.value)) as string[];
}

/** Drawn: nothing is being loaded any more. */
async function drawn(page: Page): Promise<void> {
  await page.locator("h1, h2").first().waitFor();
  await expect.poll(() => page.locator("main [aria-busy=true]").count()).toBe(0);
}

export function pages(): void {
  describe.each([
    ["wide, dark", { viewport: { width: 1440, height: 900 }, colorScheme: "dark" as const }],
    ["wide, light", { viewport: { width: 1440, height: 900 }, colorScheme: "light" as const }],
    ["narrow, dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" as const, hasTouch: true, isMobile: true }],
    ["narrow, light", { viewport: { width: 390, height: 844 }, colorScheme: "light" as const, hasTouch: true, isMobile: true }],
  ])("pages, %s", (_name, options) => {
    let browser: Browser;
    let page: Page;
    let complaints: string[];
    beforeAll(async () => {
      browser = await launch();
      ({ page, complaints } = await sit(browser, options));
      await page.goto(`${url()}/sign-in`);
      await page.getByRole("button", { name: "Continue" }).waitFor();
      expect(await violations(page)).toEqual([]);
      await signIn(page);
    });
    afterEach(async ({ task }) => {
      if (task.result?.state === "fail") await keepPicture(page, task.name);
    });
    afterAll(() => browser?.close());

    it.each(Object.keys(addresses))("%s", async (name) => {
      await page.goto(`${url()}${addresses[name]?.()}`);
      await drawn(page);
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      // Nothing of a table is cut off either.
      const cut = await page.locator("main table :is(td, tbody th)").evaluateAll((cells) => cells.filter((cell) => cell.getBoundingClientRect().right > innerWidth).map((cell) => cell.textContent));
      expect(cut).toEqual([]);
      const shift = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let sum = 0;
            const observer = new PerformanceObserver((list) => {
              for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) if (!entry.hadRecentInput) sum += entry.value;
            });
            observer.observe({ type: "layout-shift", buffered: true });
            // Buffered entries are delivered before the next frame is drawn.
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
          }),
      );
      expect(shift).toBeLessThan(0.02);
      expect(complaints).toEqual([]);
    });
  });

  describe("keyboard", () => {
    let browser: Browser;
    afterAll(() => browser?.close());

    it("finds, opens and plays a clip without a mouse", async () => {
      browser = await launch();
      const { page } = await sit(browser);
      await signIn(page);
      await page.goto(`${url()}/productions/${made.production}/library`);
      await drawn(page);
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("/");
      await page.keyboard.type("A001C001");
      await page.waitForURL(/q=A001C001/);
      await page.getByRole("gridcell").filter({ hasText: "A001C001" }).waitFor();
      await page.getByRole("grid").focus();
      await page.keyboard.press("ArrowRight");
      await page.locator("[role=gridcell][aria-selected=true]").waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/assets\//);
      await page.locator("video").waitFor();
      await page.keyboard.press("Space");
      await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    });
  });
}
