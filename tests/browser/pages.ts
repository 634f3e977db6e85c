// Every page, wide and narrow, dark and light: accessible by axe-core, nothing wider than the screen,
// no layout shift, reachable by keyboard.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { enterPassword, THEIRS } from "./factors";
import { keepPicture, launch, signIn, sit, url, type Seat } from "./harness";
import { invitationOf, linkIn } from "./invitation";
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
  "support access": () => `/administration/${made.organisation}/support`,
  "one support access": () => `/administration/${made.organisation}/support/${made.grant}`,
  "members of a production, by administrators": () => `/administration/${made.organisation}/productions/${made.production}`,
  "one service account": () => `/administration/${made.organisation}/service-accounts/${made.serviceAccount}`,
  "service accounts": () => `/administration/${made.organisation}/service-accounts`,
  "personal data of the organisation": () => `/administration/${made.organisation}/privacy`,
  "what is kept of people": () => "/personal-data",
  audit: () => `/administration/${made.organisation}/audit`,
  installation: () => `/administration/${made.organisation}/installation`,
  "installation, fourteen days": () => `/administration/${made.organisation}/installation?range=fortnight`,
  mail: () => `/administration/${made.organisation}/mail`,
  "mail in no state": () => `/administration/${made.organisation}/mail?state=dropped`,
  "invitation without its token": () => "/invitation",
  "support access without its token": () => "/support-access",
  account: () => "/account",
  "a second factor is asked for": () => "/second-factor",
  "a password has to be chosen": () => "/choose-password",
  "confirmation of an address without its token": () => "/confirm-address",
  "refused sign-in": () => "/sign-in-refused?reason=account&attempt=01998c2e-1111-7000-8000-000000000001",
  "signed out": () => "/signed-out",
  "not found": () => "/no-such-page",
  "API reference": () => "/api/docs",
  "API reference of one operation": () => "/api/docs?tag=productions#create_production",
};

/** What whoever is not signed in meets: how they come there. */
const outside: Record<string, (page: Page) => Promise<void>> = {
  "one-time password link": async (page) => {
    await page.goto(links.password);
    await page.getByRole("heading", { name: "Welcome, Lena Ohm" }).waitFor();
  },
  "one-time password link that is no good": async (page) => {
    await page.goto(`${links.password}x`);
    await page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
  },
  invitation: async (page) => {
    await page.goto(links.invitation);
    await page.getByRole("button", { name: "Accept and create account" }).waitFor();
  },
  "second step of the sign-in": async (page) => {
    await enterPassword(page, "ada@factors.example", THEIRS);
    await page.getByRole("heading", { name: "One more step" }).waitFor();
  },
};
const links = { password: "", invitation: "" };

/** Makes the links that nobody has used, once. */
async function makeLinks(page: Page): Promise<void> {
  if (links.invitation) return;
  const address = "lena@elsewhere.example";
  await page.goto(`${url()}/administration/${made.organisation}/people`);
  await page.getByRole("button", { name: "Add person" }).click();
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Lena Ohm");
  await page.getByRole("dialog").getByLabel("Login or e-mail").fill("lena@halcyon.example");
  await page.getByRole("dialog").getByRole("button", { name: "Add person" }).click();
  links.password = await page.getByRole("alertdialog").locator("[data-secret]").innerText();
  await page.goto(`${url()}/productions/${made.production}/members`);
  await page.getByRole("button", { name: "Invite" }).first().click();
  await page.getByRole("dialog").getByLabel("E-mail address").fill(address);
  await page.getByRole("dialog").getByRole("button", { name: "Send invitation" }).click();
  links.invitation = linkIn(await invitationOf(address));
}

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

/** How far things moved by themselves since the page was opened. */
function shiftOf(page: Page): Promise<number> {
  return page.evaluate(
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
}

/** The page that is open is as each has to be. */
async function look({ page, complaints }: Seat): Promise<void> {
  expect(await violations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  // Nothing of a table is cut off either.
  const cut = await page.locator("main table :is(td, tbody th)").evaluateAll((cells) => cells.filter((cell) => cell.getBoundingClientRect().right > innerWidth).map((cell) => cell.textContent));
  expect(cut).toEqual([]);
  expect(await shiftOf(page)).toBeLessThan(0.02);
  expect(complaints).toEqual([]);
}

export function pages(): void {
  describe.each([
    ["wide, dark", { viewport: { width: 1440, height: 900 }, colorScheme: "dark" as const }],
    ["wide, light", { viewport: { width: 1440, height: 900 }, colorScheme: "light" as const }],
    ["narrow, dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" as const, hasTouch: true, isMobile: true }],
    ["narrow, light", { viewport: { width: 390, height: 844 }, colorScheme: "light" as const, hasTouch: true, isMobile: true }],
  ])("pages, %s", (_name, options) => {
    let browser: Browser;
    let seat: Seat;
    let visitor: Seat;
    beforeAll(async () => {
      browser = await launch();
      [seat, visitor] = [await sit(browser, options), await sit(browser, options)];
      const { page } = seat;
      await page.goto(`${url()}/sign-in`);
      await page.getByRole("button", { name: "Continue" }).waitFor();
      expect(await violations(page)).toEqual([]);
      await signIn(page);
      await makeLinks(page);
    });
    afterEach(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      await keepPicture(seat.page, task.name);
      await keepPicture(visitor.page, `${task.name} visitor`);
    });
    afterAll(() => browser?.close());

    it.each(Object.keys(addresses))("%s", async (name) => {
      await seat.page.goto(`${url()}${addresses[name]?.()}`);
      await drawn(seat.page);
      await look(seat);
    });

    it.each(Object.keys(outside))("for visitors: %s", async (name) => {
      await visitor.page.goto("about:blank");
      await outside[name]?.(visitor.page);
      await look(visitor);
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
      // What was there before the search is gone.
      await expect.poll(() => page.getByRole("gridcell").filter({ hasNotText: "A001C001" }).count()).toBe(0);
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
