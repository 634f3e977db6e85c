// The audit trail: looked through with filters, whose rows can be had as files, and where guests are told from staff.

import { readFile } from "node:fs/promises";
import type { Download } from "playwright-core";
import { describe, expect, it } from "vitest";
import { seated, url } from "./harness";
import { made } from "./outcome";

/** A table as RFC 4180 writes it: its rows by the names of the columns. */
function rowsOf(text: string): Record<string, string>[] {
  const [columns = [], ...rows] = text
    .split("\r\n")
    .filter(Boolean)
    .map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ""));
  return rows.map((cells) => {
    expect(cells).toHaveLength(columns.length);
    return Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ""]));
  });
}

const textOf = async (download: Download) => readFile(await download.path(), "utf8");

export function trail(): void {
  describe("the audit trail", () => {
    const seat = seated();
    it("is looked through with a filter, and taken along as what the filter shows", async () => {
      const { page } = seat;
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("link", { name: "Audit" }).click();
      const table = page.getByRole("table", { name: "Audit" });
      const acts = () => table.getByRole("rowheader").locator("[title]").evaluateAll((names) => names.map((name) => name.getAttribute("title") ?? ""));
      await expect.poll(acts).toContain("session.begun");
      const filter = page.getByRole("group", { name: "Filter" });
      await page.getByRole("navigation", { name: "Lists of the trail" }).getByRole("link", { name: "Changes of permissions" }).click();
      await page.waitForURL(/[?&]acts=permissions/);
      await expect.poll(acts).not.toContain("session.begun");
      await expect.poll(acts).toContain("membership.changed");
      await filter.getByRole("combobox", { name: "Person" }).selectOption({ label: "Amara Okafor" });
      await page.waitForURL(/[?&]person=[0-9a-f-]{36}/);
      const person = new URL(page.url()).searchParams.get("person") ?? "";
      const others = table.getByRole("row").filter({ has: page.getByRole("rowheader") }).filter({ hasNotText: /amara/i });
      await expect.poll(async () => [await others.count(), (await acts()).includes("membership.changed")]).toEqual([0, true]);
      const shown = await acts();
      expect(shown).toContain("membership.changed");

      const [table_file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
      expect(table_file.suggestedFilename()).toBe("audit.csv");
      const rows = rowsOf(await textOf(table_file));
      expect(rows.map(({ action }) => action)).toEqual(shown);
      for (const row of rows) expect([row.actor_id, row.subject_id]).toContain(person);
      const [json_file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "JSON" }).click()]);
      expect(json_file.suggestedFilename()).toBe("audit.json");
      const entries = JSON.parse(await textOf(json_file)) as { sequence: number; action: string }[];
      expect(entries.map(({ sequence, action }) => [String(sequence), action])).toEqual(rows.map(({ sequence, action }) => [sequence, action]));

      // A day on which nothing was.
      await filter.getByLabel("To", { exact: true }).fill("2020-01-01");
      await page.getByText("Nothing in the trail matches this filter.").waitFor();
      await filter.getByRole("button", { name: "Clear filter" }).click();
      await page.waitForURL((at) => at.search === "?acts=permissions");
      await page.getByRole("navigation", { name: "Lists of the trail" }).getByRole("link", { name: "Everything" }).click();
      await page.waitForURL((at) => at.search === "");
      // Taking it along stands in it.
      await page.reload();
      await table.getByRole("row").filter({ hasText: "Audit trail exported" }).first().waitFor();
      expect(seat.complaints).toEqual([]);
    });

    it("has everybody to choose from, every production, and every kind of act", async () => {
      const { page } = seat;
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      const filter = page.getByRole("group", { name: "Filter" });
      const table = page.getByRole("table", { name: "Audit" });
      const rows = table.getByRole("row").filter({ has: page.getByRole("rowheader") });
      const groupsOf = (name: string) => filter.getByRole("combobox", { name }).locator("optgroup").evaluateAll((groups) => groups.map((group) => (group as HTMLOptGroupElement).label));
      await expect.poll(() => groupsOf("Person")).toEqual(expect.arrayContaining(["Members", "Guests", "Service accounts"]));
      expect(await groupsOf("What")).toEqual(["Signing in", "People and their roles", "Programs", "Single sign-on and provisioning", "Productions and media", "The organisation"]);

      for (const [label, acts, word] of [
        ["Invitations", "invitation", "Invitation accepted"],
        ["API tokens", "token", "API token made"],
        ["Second factors added and removed", "factor", "Second factor added"],
        ["Support access given, used and ended", "support-access", "Support access given"],
        ["Identity providers", "saml_connection", "Identity provider added"],
      ] as const) {
        await filter.getByRole("combobox", { name: "What" }).selectOption({ label });
        await page.waitForURL(new RegExp(`[?&]acts=${acts}`));
        await rows.filter({ hasText: word }).first().waitFor();
      }
      await filter.getByRole("button", { name: "Clear filter" }).click();

      // A guest, whom no list of the organisation's people has.
      const person = filter.getByRole("combobox", { name: "Person" });
      const [guest = ""] = await person.locator('optgroup[label="Guests"] option').allTextContents();
      await person.selectOption({ label: guest });
      await page.waitForURL(/[?&]person=/);
      await rows.filter({ hasText: "Invitation accepted" }).first().waitFor();
      await filter.getByRole("button", { name: "Clear filter" }).click();
      expect(seat.complaints).toEqual([]);
    });

    it("says whether the trail is whole", async () => {
      const { page } = seat;
      const found = { at: new Date(Date.now() - 7.2e6).toISOString(), intact: true, head: "9f2c".repeat(16) };
      // The backend checks once a day, and nobody can make it find something wrong from here.
      await page.route("**/audit/check", (route) => route.fulfill({ json: found }));
      await page.reload();
      await page.getByText("Checked 2 hours ago: complete and unchanged.").waitFor();
      await page.getByText("Fingerprint").click();
      await page.getByText(found.head).waitFor();
      Object.assign(found, { intact: false, head: null });
      await page.reload();
      await page.getByRole("alert").filter({ hasText: "is not what was written" }).waitFor();
      expect(await page.getByText("complete and unchanged").count()).toBe(0);
      await page.unrouteAll({ behavior: "wait" });
      expect(seat.complaints).toEqual([]);
    });

    it("marks who is a guest", async () => {
      const { page } = seat;
      const table = page.getByRole("table", { name: "Audit" });
      const accepted = table.getByRole("row").filter({ hasText: "Invitation accepted" }).filter({ hasText: "noor@elsewhere.example" });
      await page.goto(`${url()}/administration/${made.organisation}/audit?acts=invitation`);
      // Who did it, and to whom it was done.
      await expect.poll(() => accepted.first().getByText("Guest", { exact: true }).count()).toBe(2);
      await page.goto(`${url()}/administration/${made.organisation}/audit?acts=session`);
      const staff = table.getByRole("row").filter({ hasText: "Signed in" }).filter({ hasText: "amara@halcyon.example" });
      await staff.first().waitFor();
      expect(await staff.first().getByText("Guest", { exact: true }).count()).toBe(0);
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
      const marks = (who: string) => rows.filter(({ actor }) => actor === who).map(({ actor_is_guest }) => actor_is_guest);
      const rows = rowsOf(await textOf(file));
      expect(marks("noor@elsewhere.example")).toContain("true");
      expect(new Set(marks("amara@halcyon.example"))).toEqual(new Set(["false"]));
      expect(seat.complaints).toEqual([]);
    });
  });
}
