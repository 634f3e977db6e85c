// Personal data: somebody is corrected, exported and erased by an administrator; somebody takes their own along, and goes.

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { linkTo, login, seated, signIn, sit, url, type Seat } from "./harness";
import { made } from "./outcome";

const PASSWORD = "tulip-anchor-velvet-moraine";

/** What a press downloads, as JSON. */
async function downloaded(page: Page, press: () => Promise<void>): Promise<{ people: { id: string; extent: string; data: Record<string, Record<string, unknown>[]> }[] } & Record<string, unknown>> {
  const begun = page.waitForEvent("download");
  await press();
  const path = await (await begun).path();
  return JSON.parse(readFileSync(path, "utf8")) as never;
}

const people = () => `${url()}/administration/${made.organisation}/people`;
const privacy = () => `${url()}/administration/${made.organisation}/privacy`;

export function privacyWalk(): void {
  describe("personal data", () => {
    const FIRST = "mira@elsewhere.example";
    const SECOND = "mira.solano@elsewhere.example";
    const seat = seated();
    let id = "";

    /** Adds somebody and signs them in, in a window of their own. */
    async function hire(name: string, address: string): Promise<Seat> {
      const { page } = seat;
      await page.goto(people());
      await page.getByRole("button", { name: "Add person" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name", { exact: true }).fill(name);
      await dialog.getByLabel("Login or e-mail").fill(address);
      await dialog.getByRole("button", { name: "Add person" }).click();
      const shown = (await page.getByRole("alertdialog").locator("[data-secret]").textContent()) ?? "";
      await page.getByRole("alertdialog").getByRole("button", { name: "Done" }).click();
      const theirs = await sit(seat.browser);
      await theirs.page.goto(shown);
      for (const label of ["New password", "New password again"]) await theirs.page.getByLabel(label, { exact: true }).fill(PASSWORD);
      await theirs.page.getByRole("button", { name: "Set password" }).click();
      await theirs.page.waitForURL(/\/sign-in/);
      await signIn(theirs.page, address, PASSWORD);
      return theirs;
    }

    it("is corrected by an administrator, and the person is told", async () => {
      const { page } = seat;
      const mira = await hire("Mira Solana", FIRST);
      await page.goto(people());
      await page.getByRole("button", { name: "Actions: Mira Solana" }).click();
      await page.getByRole("menuitem", { name: "Correct name or login" }).click();
      await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Mira Solano");
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await page.getByRole("row").filter({ hasText: "Mira Solano" }).waitFor();
      // A new address, by herself: it counts when its mail says so.
      await mira.page.goto(`${url()}/account`);
      await mira.page.getByRole("button", { name: "Change login" }).click();
      await mira.page.getByRole("dialog").getByLabel("New e-mail address").fill(SECOND);
      await mira.page.getByRole("dialog").getByRole("button", { name: "Send the link" }).click();
      await mira.page.getByText(`A mail is on its way to ${SECOND}`).waitFor();
      await mira.page.goto(await linkTo(SECOND, "confirm-address"));
      await mira.page.getByRole("button", { name: "Confirm the address" }).click();
      await mira.page.getByRole("heading", { name: "Your address is confirmed" }).waitFor();
      await mira.page.getByRole("link", { name: "Your account" }).click();
      await mira.page.getByText(`Login: ${SECOND}`).waitFor();
      expect(mira.complaints).toEqual([]);
      await mira.context.close();
    });

    it("is exported, one person and all", async () => {
      const { page } = seat;
      await page.goto(privacy());
      await page.getByRole("row").filter({ hasText: "Mira Solano" }).waitFor();
      const one = await downloaded(page, async () => {
        await page.getByRole("button", { name: "Actions: Mira Solano" }).click();
        await page.getByRole("menuitem", { name: "Export personal data" }).click();
      });
      expect([one.format, one.version, one.people.length]).toEqual(["kinora-personal-data", 1, 1]);
      const [mira] = one.people;
      id = mira?.id ?? "";
      expect(mira?.extent).toBe("account");
      expect(mira?.data.account?.[0]).toMatchObject({ login: SECOND, display_name: "Mira Solano" });
      expect(mira?.data.sessions?.length).toBeGreaterThan(0);
      const all = await downloaded(page, () => page.getByRole("button", { name: "Export all" }).click());
      const logins = all.people.flatMap(({ data }) => data.account ?? []).map((account) => account.login);
      expect(logins).toEqual(expect.arrayContaining([SECOND, login()]));
    });

    it("is erased, with a report, and the name is nowhere on the pages any more", async () => {
      const { page } = seat;
      await page.goto(privacy());
      await page.getByRole("button", { name: "Actions: Mira Solano" }).click();
      await page.getByRole("menuitem", { name: "Erase person" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Login of the person").fill(FIRST);
      await dialog.getByRole("button", { name: "Erase person" }).click();
      await dialog.getByText("is not what this person signs in with").waitFor();
      await dialog.getByLabel("Login of the person").fill(SECOND);
      await dialog.getByRole("button", { name: "Erase person" }).click();
      const report = page.getByRole("dialog", { name: "What was erased" });
      await report.getByRole("row").filter({ hasText: "Sessions" }).filter({ hasText: "Deleted" }).first().waitFor();
      await report.getByText(id).waitFor();
      const kept = await downloaded(page, () => report.getByRole("button", { name: "Download" }).click());
      expect(kept.person_id).toBe(id);
      expect(JSON.stringify(kept)).not.toContain("mira");
      await report.getByRole("button", { name: "Done" }).click();
      await page.getByRole("row").filter({ hasText: "Mira Solano" }).waitFor({ state: "detached" });
      await page.getByRole("button", { name: `Report of ${id}` }).waitFor();
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      await page.getByRole("row").filter({ hasText: "Person erased" }).first().waitFor();
      expect((await page.getByRole("main").textContent()) ?? "").not.toMatch(/mira/i);
      expect(seat.complaints).toEqual([]);
      // There is no account to sign in to.
      const lost = await sit(seat.browser);
      await lost.page.goto(url());
      await lost.page.getByLabel("Login or e-mail").fill(SECOND);
      await lost.page.getByRole("button", { name: "Continue" }).click();
      await lost.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await lost.page.getByRole("button", { name: "Sign in" }).click();
      await lost.page.getByRole("alert").filter({ hasText: "do not match" }).waitFor();
      await lost.context.close();
    });

    it("is taken along and erased by the person, unless nobody could look after the organisation then", async () => {
      const leo = await hire("Leo Brandt", "leo@elsewhere.example");
      const { page } = leo;
      await page.goto(`${url()}/account`);
      const mine = await downloaded(page, () => page.getByRole("button", { name: "Take it along" }).click());
      expect(mine.people[0]?.data.account?.[0]).toMatchObject({ login: "leo@elsewhere.example" });
      await page.getByRole("link", { name: "What is kept of people, and how long" }).click();
      await page.getByRole("heading", { name: "The audit trail" }).waitFor();
      await page.getByRole("heading", { name: "Backups" }).waitFor();
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Erase account" }).click();
      await page.getByRole("dialog").getByLabel("Your login").fill("leo@elsewhere.example");
      await page.getByRole("dialog").getByRole("button", { name: "Erase account" }).click();
      const report = page.getByRole("dialog", { name: "What was erased" });
      await report.getByRole("button", { name: "Done" }).click();
      await page.waitForURL(/\/sign-in/);
      await leo.context.close();

      await seat.page.goto(`${url()}/account`);
      await seat.page.getByRole("button", { name: "Erase account" }).click();
      await seat.page.getByRole("dialog").getByLabel("Your login").fill(login());
      await seat.page.getByRole("dialog").getByRole("button", { name: "Erase account" }).click();
      await seat.page.getByRole("dialog").getByText(/^The only owner of .+ cannot be erased/).waitFor();
      await seat.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    });
  });
}
