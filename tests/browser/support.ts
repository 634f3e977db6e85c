// Support access: given for an hour and ended at once, given for seconds and ended by itself.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hire, setUpApp, THEIRS } from "./factors";
import { keepPicture, launch, linkTo, signIn, sit, url, type Seat } from "./harness";
import { made } from "./outcome";

const HELPER = "help@vendor.example";
const nothing = (page: Page) => page.getByRole("heading", { name: "There is nothing here" });
const library = () => `${url()}/productions/${made.production}/library`;

/** Sends what a page would, as whoever sits there. */
function post<T>(page: Page, path: string, body: unknown): Promise<T> {
  return page.evaluate(
    async ([address, content]) => {
      const { csrf_token } = (await (await fetch("/api/data/v1/session")).json()) as { csrf_token: string };
      const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf_token }, body: content });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as unknown;
    },
    [path, JSON.stringify(body)] as const,
  ) as Promise<T>;
}

export function support(): void {
  describe("support access", () => {
    let browser: Browser;
    let owner: Seat;
    let helper: Seat;
    let link = "";

    beforeAll(async () => {
      browser = await launch();
      [owner, helper] = [await sit(browser), await sit(browser)];
      await signIn(owner.page);
      const vendor = await post<{ id: string }>(owner.page, "/api/data/v1/organisations", { name: "The Vendor" });
      await hire(owner.page, helper.page, HELPER, vendor.id);
      await signIn(helper.page, HELPER, THEIRS);
    });
    afterEach(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      await keepPicture(owner.page, `${task.name} owner`);
      await keepPicture(helper.page, `${task.name} helper`);
    });
    afterAll(() => browser?.close());

    it("is given by an owner; until then there is nothing", async () => {
      await helper.page.goto(library());
      await nothing(helper.page).waitFor();
      const { page } = owner;
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("link", { name: "Support access" }).click();
      await page.getByRole("heading", { name: "No support access was ever given" }).waitFor();
      await page.getByRole("button", { name: "Give support access" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("E-mail address").fill(HELPER);
      await dialog.getByLabel("Reason").fill("A001 stays green in the player");
      await dialog.getByLabel("The Salt Road").check();
      await dialog.getByLabel("Holds for").selectOption("1");
      await dialog.getByRole("button", { name: "Give support access" }).click();
      const row = page.getByRole("row").filter({ hasText: HELPER });
      await row.filter({ hasText: "Not accepted yet" }).waitFor();
      await nothing(helper.page).waitFor();
    });

    it("is accepted by a link in a mail, with the account of that address", async () => {
      link = await linkTo(HELPER, "support-access");
      await owner.page.goto(link);
      await owner.page.getByText(`this support access is for ${HELPER}`).waitFor();
      const { page } = helper;
      await page.goto(link);
      await page.getByRole("heading", { name: "asks for your help" }).waitFor();
      await page.getByText("A001 stays green in the player").waitFor();
      expect(page.url()).not.toContain("#");
      await page.getByRole("button", { name: "Accept support access" }).click();
      await page.waitForURL(/\/productions$/);
      await page.goto(link);
      await page.getByRole("heading", { name: "This support access cannot be accepted" }).waitFor();
      await owner.page.goto(`${url()}/administration/${made.organisation}/support`);
      await owner.page.getByRole("row").filter({ hasText: HELPER }).filter({ hasText: "Active" }).filter({ hasText: "Not yet" }).waitFor();
      // Once more would be a link that works no more: the browser says so, and rightly.
      helper.complaints.length = 0;
    });

    it("counts with a second factor only", async () => {
      const { page } = helper;
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Not now" }).click();
      await page.getByText("It counts only when you have a second factor.").waitFor();
      await page.getByRole("link", { name: "Add one now" }).click();
      await page.getByRole("button", { name: "Authenticator app" }).click();
      await setUpApp(page);
      await page.getByRole("button", { name: "I have written them down" }).click();
    });

    it("is marked on every page under it, and shows no more than it was given for", async () => {
      const { page } = helper;
      await page.goto(library());
      const banner = page.getByRole("status").filter({ hasText: "Support access to" });
      await banner.filter({ hasText: "until" }).waitFor();
      await page.getByRole("gridcell").first().waitFor();
      expect(await page.getByRole("button", { name: "Upload" }).count()).toBe(0);
      await page.goto(`${url()}/productions/${made.production}/assets/${made.asset}`);
      await banner.waitFor();
      await page.locator("video").waitFor();
      expect(await page.getByRole("link", { name: "Download original" }).count()).toBe(0);
      const original = await page.request.get(`${url()}/api/media/v1/assets/${made.asset}/original`);
      expect(original.status()).toBe(403);
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await nothing(page).waitFor();
      expect(helper.complaints).toEqual([]);
    });

    it("tells the owner what was done, and ends in the moment the owner says so", async () => {
      const { page } = owner;
      await helper.page.goto(library());
      await helper.page.getByRole("gridcell").first().waitFor();
      await page.getByRole("link", { name: HELPER }).click();
      await page.waitForURL(/\/support\/[0-9a-f-]{36}$/);
      made.grant = new URL(page.url()).pathname.split("/").at(-1) ?? "";
      const done = page.getByRole("table", { name: "Audit" });
      for (const act of ["Looked through lists", "Looked at", "Followed what happens"]) await done.getByRole("row").filter({ hasText: act }).first().waitFor();
      await done.getByRole("row").filter({ hasText: "A001C001" }).first().waitFor();
      await page.getByRole("link", { name: "Show in the audit trail" }).click();
      await page.waitForURL(/audit\?grant=/);
      await page.getByRole("row").filter({ hasText: "Support access" }).filter({ hasText: HELPER }).first().waitFor();
      await page.goBack();
      await page.getByRole("button", { name: "End now" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "End now" }).click();
      // The page that is open there loses what it shows, without a press.
      await nothing(helper.page).waitFor();
      await page.getByText("Ended", { exact: true }).first().waitFor();
      expect(owner.complaints).toEqual([]);
    });

    it("ends by itself", async () => {
      const ends_at = new Date(Date.now() + 20_000).toISOString();
      const body = { address: HELPER, reason: "One more look", scope: { most_role: "reader", modules: ["library"] }, ends_at };
      await post(owner.page, `/api/data/v1/organisations/${made.organisation}/support-grants`, body);
      const { page } = helper;
      await page.goto(await linkTo(HELPER, "support-access", link));
      await page.getByRole("button", { name: "Accept support access" }).click();
      await page.waitForURL(/\/productions$/);
      await page.goto(library());
      await page.getByRole("status").filter({ hasText: "Support access to" }).waitFor();
      await nothing(page).waitFor({ timeout: 40_000 });
      const answer = await page.request.get(`${url()}/api/data/v1/productions/${made.production}/assets`);
      expect(answer.status()).toBe(404);
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(ends_at));
      await owner.page.goto(`${url()}/administration/${made.organisation}/support`);
      await owner.page.getByRole("row").filter({ hasText: "One more look" }).filter({ hasText: "Ended" }).waitFor();
    }, 90_000);
  });
}
