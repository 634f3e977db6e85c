// Programs: a script with somebody's token, and an account of the organisation's own. What each is for is open to it, and nothing else, until
// its token is revoked on the page.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { seated, url } from "./harness";
import { made } from "./outcome";

const FILM = "The Salt Road";
const PRODUCTIONS = "/api/data/v1/productions";

/** What a program with this token is answered. */
function ask(token: string, path: string, change?: { method: string; body: unknown }): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, ...(change && { "Content-Type": "application/json", "If-Match": "*" }) };
  return fetch(`${url()}${path}`, { headers, ...(change && { method: change.method, body: JSON.stringify(change.body) }) });
}

async function productionsOf(token: string): Promise<string[]> {
  const answer = await ask(token, PRODUCTIONS);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { items: { name: string }[] }).items.map(({ name }) => name);
}

/** Makes a token in the dialog that is open; gives what is shown of it once. */
export async function newToken(page: Page, submit: string): Promise<string> {
  await page.getByRole("dialog").getByRole("button", { name: submit }).click();
  const shown = page.getByRole("alertdialog", { name: "Your new token" });
  const secret = (await shown.locator("[data-secret]").textContent()) ?? "";
  expect(secret.length).toBeGreaterThan(20);
  await shown.getByRole("button", { name: "Done" }).click();
  await shown.waitFor({ state: "detached" });
  // Once.
  expect(await page.content()).not.toContain(secret);
  return secret;
}

export function programs(): void {
  describe("programs", () => {
    const seat = seated();
    it("a script does with a token what its scope says, until the token is revoked", async () => {
      const { page } = seat;
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "New token" }).click();
      const dialog = page.getByRole("dialog", { name: "New API token" });
      await dialog.getByLabel("What is it for?").fill("dailies script");
      await dialog.getByLabel("May do").selectOption("reader");
      expect(await dialog.getByRole("group", { name: "In these modules" }).getByLabel("Library").isChecked()).toBe(true);
      await dialog.getByRole("group", { name: "In these productions" }).getByLabel(FILM).check();
      const token = await newToken(page, "Create token");
      const listed = page.getByRole("listitem").filter({ hasText: "dailies script" });
      await listed.getByText(`Reader in Library, only ${FILM}`).waitFor();
      await listed.getByText("never used").waitFor();

      expect(await productionsOf(token)).toEqual([FILM]);
      expect((await ask(token, `${PRODUCTIONS}/${made.production}/assets`)).status).toBe(200);
      // Its owner may do all of these.
      const renaming = { method: "PATCH", body: { name: "The Sugar Road" } };
      expect((await ask(token, `${PRODUCTIONS}/${made.production}`, renaming)).status).toBe(403);
      expect((await ask(token, `/api/data/v1/organisations/${made.organisation}/people`)).status).toBe(403);
      expect((await ask(token, "/api/data/v1/account/tokens")).status).toBe(403);
      expect(await productionsOf(token)).toEqual([FILM]);
      await page.reload();
      await listed.getByText("last used").waitFor();

      await listed.getByRole("button", { name: "Revoke: dailies script" }).click();
      await page.getByRole("alertdialog", { name: "Revoke “dailies script”?" }).getByRole("button", { name: "Revoke" }).click();
      await listed.waitFor({ state: "detached" });
      await expect.poll(async () => (await ask(token, PRODUCTIONS)).status).toBe(401);
      expect(seat.complaints).toEqual([]);
    });

    it("a service account does what its roles say, and nothing once it is deactivated", async () => {
      const { page } = seat;
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("link", { name: "Service accounts" }).click();
      await page.getByRole("heading", { name: "No service accounts yet" }).waitFor();
      await page.getByRole("button", { name: "Add service account" }).click();
      const adding = page.getByRole("dialog", { name: "Add a service account" });
      await adding.getByLabel("Name").fill("Lab copy");
      await adding.getByLabel("Purpose").fill("Copies dailies to the lab");
      await adding.getByRole("button", { name: "Add service account" }).click();
      await page.waitForURL(/\/service-accounts\/[0-9a-f-]{36}$/);
      made.serviceAccount = new URL(page.url()).pathname.split("/").at(-1) ?? "";
      await page.getByText("It has no role anywhere").waitFor();

      await page.getByRole("button", { name: "New token" }).click();
      await page.getByLabel("What is it for?").fill("nightly copy");
      const token = await newToken(page, "Create token");
      await page.getByRole("listitem").filter({ hasText: "nightly copy" }).getByText("Everything the account may do").waitFor();
      expect(await productionsOf(token)).toEqual([]);
      expect((await ask(token, `${PRODUCTIONS}/${made.production}`)).status).toBe(404);

      await page.getByRole("button", { name: "Give roles" }).click();
      const giving = page.getByRole("dialog", { name: "Give roles in a production" });
      await giving.getByRole("combobox", { name: "Production" }).selectOption({ label: FILM });
      await giving.getByRole("combobox", { name: "Library" }).selectOption("reader");
      await giving.getByRole("button", { name: "Give roles" }).click();
      await page.getByRole("list", { name: "Roles" }).getByRole("listitem").filter({ hasText: FILM }).filter({ hasText: "Library: Reader" }).waitFor();
      await expect.poll(() => productionsOf(token)).toEqual([FILM]);
      const renaming = { method: "PATCH", body: { name: "The Sugar Road" } };
      expect((await ask(token, `${PRODUCTIONS}/${made.production}`, renaming)).status).toBe(403);
      expect((await ask(token, `/api/data/v1/organisations/${made.organisation}/people`)).ok).toBe(false);

      await page.getByRole("button", { name: "Deactivate" }).click();
      await page.getByRole("alertdialog", { name: "Deactivate Lab copy?" }).getByRole("button", { name: "Deactivate" }).click();
      await page.getByText("It is deactivated").first().waitFor();
      await page.getByRole("listitem").filter({ hasText: "nightly copy" }).waitFor({ state: "detached" });
      expect(await page.getByRole("button", { name: "New token" }).isDisabled()).toBe(true);
      await expect.poll(async () => (await ask(token, PRODUCTIONS)).status).toBe(401);
      await page.getByRole("button", { name: "Activate" }).click();
      await page.getByRole("alertdialog", { name: "Activate: Lab copy" }).getByRole("button", { name: "Activate" }).click();
      await page.getByRole("button", { name: "Deactivate" }).waitFor();
      // The token does not come back with it.
      expect((await ask(token, PRODUCTIONS)).status).toBe(401);
      await page.getByRole("link", { name: "All service accounts" }).click();
      await page.getByRole("row").filter({ hasText: "Lab copy" }).filter({ hasText: "Active" }).waitFor();
      expect(seat.complaints).toEqual([]);
    });
  });
}
