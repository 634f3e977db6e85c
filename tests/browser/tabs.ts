// Tabs of one browser share its cookie: when it is replaced in one, what the others do goes on.

import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page, Response } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { dropFiles, login, PASSWORD, seated, url, type Seat } from "./harness";
import { made } from "./outcome";

/** What the server refuses a page. */
function refusalsOf(page: Page): string[] {
  const found: string[] = [];
  page.on("response", (response: Response) => {
    if (response.status() === 401 || response.status() === 403) found.push(`${response.request().method()} ${response.status()}`);
  });
  return found;
}

/** Something that is waited for until somebody opens it. */
function makeGate(): { passed: Promise<void>; open: () => void } {
  const waiting: (() => void)[] = [];
  const passed = new Promise<void>((resolve) => {
    waiting.push(resolve);
  });
  return {
    passed,
    open: () => {
      for (const go of waiting) go();
    },
  };
}

/** Holds the first PATCH of a page back, with the headers it has, until it may go. */
async function holdPatch(page: Page): Promise<{ isHeld: Promise<void>; letGo: () => void }> {
  const [arrival, gate] = [makeGate(), makeGate()];
  let held = 0;
  await page.route("**/uploads/*", async (route) => {
    if (route.request().method() === "PATCH" && held === 0) {
      held += 1;
      arrival.open();
      await gate.passed;
    }
    return route.continue();
  });
  return { isHeld: arrival.passed, letGo: gate.open };
}

const administration = () => `${url()}/administration/${made.organisation}/productions`;

const cookieOf = async (context: BrowserContext) => (await context.cookies(url())).find(({ name }) => name === "__Host-kinora")?.value;

/** Begins another session in the browser; the page does not know of it. */
function signInAgain(page: Page): Promise<void> {
  return page.evaluate(
    async ([who, password]) => {
      const answer = await fetch("/api/data/v1/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ login: who, password }) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    [login(), PASSWORD] as const,
  );
}

async function create(page: Page, name: string): Promise<void> {
  await page.goto(administration());
  await page.getByRole("button", { name: "New production" }).first().click();
  await page.getByLabel("Name of the production").fill(name);
  await page.getByRole("button", { name: "Create production" }).click();
  await page.getByRole("heading", { name: "Drop camera files here" }).waitFor();
}

/** Removes a production as after ten minutes: it is refused once, and done after the confirmation with the password. */
async function removeWithConfirmation(page: Page, name: string): Promise<void> {
  let asked = 0;
  await page.route("**/api/data/v1/productions/*", async (route) => {
    if (route.request().method() !== "DELETE" || asked > 0) return route.continue();
    asked += 1;
    return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:kinora:problem:step-up-required", title: "Confirm", status: 403 }) });
  });
  await page.goto(administration());
  await page.getByRole("button", { name: `Actions: ${name}` }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("alertdialog", { name: `Remove “${name}”?` }).getByRole("button", { name: "Remove production" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Is it you?" });
  await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("row").filter({ hasText: name }).waitFor({ state: "detached" });
  expect(await dialog.count()).toBe(0);
}

/** A production, open in two more tabs: its library, and the list that it stands in. */
async function openTabs({ context, page }: Seat, name: string) {
  await create(page, name);
  const [uploading, saving] = [await context.newPage(), await context.newPage()];
  const refused = { uploading: refusalsOf(uploading), saving: refusalsOf(saving) };
  await saving.goto(administration());
  await saving.getByRole("row").filter({ hasText: name }).waitFor();
  await uploading.goto(page.url());
  await uploading.getByRole("heading", { name: "Drop camera files here" }).waitFor();
  return { uploading, saving, refused };
}

export function tabs(): void {
  describe("two tabs of a browser", () => {
    const seat = seated();
    const folder = mkdtempSync(join(tmpdir(), "kinora-tabs-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const ways: [string, (page: Page) => Promise<void>][] = [
      ["somebody signs in anew in one", signInAgain],
      [
        "somebody confirms in one",
        async (page) => {
          await create(page, "Gone Soon");
          await removeWithConfirmation(page, "Gone Soon");
        },
      ],
    ];
    it.each(ways)("%s, the others go on uploading and saving", async (way, replaceCookie) => {
      const { context, page } = seat;
      const name = `Two Doors, ${way}`;
      const { uploading, saving, refused } = await openTabs(seat, name);
      const { isHeld, letGo } = await holdPatch(uploading);
      const file = join(folder, "T001C001.bin");
      writeFileSync(file, Buffer.alloc(8_000_000, 7));
      await dropFiles(uploading, [file]);
      await isHeld;

      const former = await cookieOf(context);
      await replaceCookie(page);
      expect(former).toBeTruthy();
      expect(await cookieOf(context)).not.toBe(former);

      // The PATCH has the token of before: it is refused whole, and the upload goes on with the next one.
      letGo();
      const activity = uploading.getByRole("button", { name: "Show activity" });
      if (await activity.isVisible()) await activity.click();
      await uploading.locator("[data-upload=complete]").filter({ hasText: "T001C001.bin" }).waitFor();
      expect(refused.uploading).toContain("PATCH 403");

      await saving.getByRole("button", { name: `Actions: ${name}` }).click();
      await saving.getByRole("menuitem", { name: "Rename" }).click();
      const renaming = saving.getByRole("dialog", { name: "Rename production" });
      await renaming.getByLabel("Name of the production").fill(`Now ${name}`);
      await renaming.getByRole("button", { name: "Rename" }).click();
      await saving.getByRole("row").filter({ hasText: `Now ${name}` }).waitFor();
      expect(refused.saving).toEqual(["PATCH 403"]);

      // And the stream of events has come back: what is saved there appears here.
      await uploading.getByText(`Now ${name}`).first().waitFor();
      await uploading.close();
      await saving.close();
      expect(seat.complaints).toEqual([]);
    }, 90_000);
  });
}
