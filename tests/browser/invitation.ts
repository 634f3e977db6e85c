// An invitation: sent by mail, read at a real mail server, accepted by a guest who sees that production alone.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mailDirectory, seated, signIn, sit, url } from "./harness";
import { made } from "./outcome";

interface Mail {
  to: string[];
  subject: string;
  plain: string;
  html: string;
}

/** The newest of `count` invitations of an address, when it is there. */
export async function invitationOf(address: string, count = 1): Promise<Mail> {
  for (;;) {
    const files = readdirSync(mailDirectory()).filter((name) => name.endsWith(".json")).toSorted();
    const mails = files.map((name) => JSON.parse(readFileSync(join(mailDirectory(), name), "utf8")) as Mail).filter((mail) => mail.to.includes(address) && linkIn(mail));
    const newest = mails.at(-1);
    if (newest && mails.length >= count) return newest;
    // The test's own time limit ends this.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

export const linkIn = ({ plain }: Mail) => /^\S+\/invitation#\S+$/m.exec(plain)?.[0] ?? "";

const members = () => `${url()}/productions/${made.production}/members`;

export function invitation(): void {
  describe("an invitation", () => {
    const GUEST = "noor@elsewhere.example";
    const seat = seated();
    let link = "";

    it("is sent by mail, and listed until it is accepted", async () => {
      const { page } = seat;
      await page.goto(members());
      await page.getByRole("button", { name: "Invite" }).first().click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("E-mail address").fill("nobody");
      await dialog.getByLabel("E-mail address").fill(GUEST);
      expect(await dialog.getByLabel("Library").inputValue()).toBe("reader");
      // A sensible end is offered.
      expect(await dialog.getByLabel("Last day").inputValue()).toMatch(/^\d{4}-\d\d-\d\d$/);
      await dialog.getByRole("button", { name: "Send invitation" }).click();
      const row = page.getByRole("row").filter({ hasText: GUEST });
      await row.waitFor();
      const mail = await invitationOf(GUEST);
      expect(mail.subject).toMatch(/ invites you to “.+”$/);
      link = linkIn(mail);
      expect(new URL(link).origin).toBe(url());
      expect(mail.html).toContain(link);
      await page.goto(`${url()}/administration/${made.organisation}/mail`);
      const sent = page.getByRole("row").filter({ hasText: GUEST });
      await sent.filter({ hasText: "Sent" }).waitFor();
      expect(await sent.filter({ hasText: "Invitation" }).count()).toBe(1);
    });

    it("makes whoever accepts it a guest, who sees that production and nothing else", async () => {
      const guest = await sit(seat.browser);
      await guest.page.goto(link);
      await guest.page.getByRole("heading", { name: /is waiting for you/ }).waitFor();
      // The token does not stay in the address.
      await guest.page.waitForFunction("location.hash === ''");
      expect(await guest.page.getByLabel("Login or e-mail").inputValue()).toBe(GUEST);
      await guest.page.getByLabel("Your name").fill("Noor van Dijk");
      await guest.page.getByLabel("New password", { exact: true }).fill("password1234");
      await guest.page.getByLabel("New password again").fill("password1234");
      await guest.page.getByRole("button", { name: "Accept and create account" }).click();
      await guest.page.locator("[aria-invalid=true]").first().waitFor();
      for (const label of ["New password", "New password again"]) await guest.page.getByLabel(label, { exact: true }).fill("tulip-anchor-velvet-moraine");
      await guest.page.getByRole("button", { name: "Accept and create account" }).click();
      await guest.page.waitForURL(new RegExp(`/productions/${made.production}/library`));
      expect(await guest.page.getByRole("link", { name: "Members" }).count()).toBe(0);
      expect(await guest.page.getByRole("link", { name: "Administration" }).count()).toBe(0);
      await guest.page.goto(`${url()}/productions`);
      const cards = guest.page.getByRole("main").getByRole("listitem");
      await cards.filter({ hasText: "Guest" }).waitFor();
      expect(await cards.count()).toBe(1);
      for (const path of [`/administration/${made.organisation}/people`, `/administration/${made.organisation}/mail`, `/productions/${made.production}/members`]) {
        await guest.page.goto(`${url()}${path}`);
        await guest.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      }
      // Once.
      await guest.context.clearCookies();
      await guest.page.goto("about:blank");
      await guest.page.goto(link);
      await guest.page.getByRole("heading", { name: "This invitation does not work any more" }).waitFor();
      expect(guest.complaints).toEqual([]);
      await guest.context.close();
    });

    it("marks the guest, whose access can be given an end and be taken at once", async () => {
      const { page } = seat;
      await page.goto(members());
      const row = page.getByRole("row").filter({ hasText: "Noor van Dijk" });
      await row.getByText("Guest", { exact: true }).waitFor();
      const guest = await sit(seat.browser);
      await signIn(guest.page, GUEST, "tulip-anchor-velvet-moraine");
      await guest.page.goto(`${url()}/productions/${made.production}/library`);
      await guest.page.getByRole("button", { name: /Activity/ }).first().waitFor();

      await row.getByRole("button", { name: "Actions: Noor van Dijk" }).click();
      await page.getByRole("menuitem", { name: "Set end date" }).click();
      await page.getByRole("dialog").getByLabel("Last day").fill("");
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await row.getByText("no end").waitFor();
      await row.getByRole("button", { name: "Actions: Noor van Dijk" }).click();
      await page.getByRole("menuitem", { name: "Remove from production" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await row.waitFor({ state: "detached" });
      // Without anything being loaded again.
      await guest.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      await guest.context.close();
    });

    it("is accepted with the account its address has, after signing in", async () => {
      const { page } = seat;
      const before = link;
      await page.goto(members());
      await page.getByRole("button", { name: "Invite" }).first().click();
      await page.getByRole("dialog").getByLabel("E-mail address").fill(GUEST);
      await page.getByRole("dialog").getByRole("button", { name: "Send invitation" }).click();
      link = linkIn(await invitationOf(GUEST, 2));
      expect(link).not.toBe(before);
      const guest = await sit(seat.browser);
      await guest.page.goto(link);
      await guest.page.getByRole("link", { name: "Sign in" }).click();
      await guest.page.getByLabel("Login or e-mail").fill(GUEST);
      await guest.page.getByRole("button", { name: "Continue" }).click();
      await guest.page.getByLabel("Password", { exact: true }).fill("tulip-anchor-velvet-moraine");
      await guest.page.getByRole("button", { name: "Sign in" }).click();
      await guest.page.getByRole("button", { name: "Accept invitation" }).click();
      await guest.page.waitForURL(new RegExp(`/productions/${made.production}/library`));
      expect(guest.complaints).toEqual([]);
      await guest.context.close();
    });

    it("says when its mail is not delivered, and why", async () => {
      const { page } = seat;
      const address = "refused@elsewhere.example";
      await page.goto(members());
      await page.getByRole("button", { name: "Invite" }).first().click();
      await page.getByRole("dialog").getByLabel("E-mail address").fill(address);
      await page.getByRole("dialog").getByRole("button", { name: "Send invitation" }).click();
      await page.getByRole("row").filter({ hasText: address }).waitFor();
      await page.goto(`${url()}/administration/${made.organisation}/mail`);
      const row = page.getByRole("row").filter({ hasText: address });
      await row.filter({ hasText: "Given up" }).filter({ hasText: "no such mailbox" }).waitFor();
      await row.getByRole("button", { name: `Actions: ${address}` }).click();
      await page.getByRole("menuitem", { name: "Try again now" }).click();
      await row.filter({ hasText: "2 tries" }).filter({ hasText: "Given up" }).waitFor();
      await page.goto(members());
      await page.getByRole("row").filter({ hasText: address }).filter({ hasText: "Mail not delivered" }).waitFor();
      expect(seat.complaints).toEqual([]);
    });
  });
}
