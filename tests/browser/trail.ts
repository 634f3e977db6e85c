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
      await filter.getByRole("combobox", { name: "What" }).selectOption({ label: "Changes of permissions" });
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
      await page.waitForURL((at) => at.search === "");
      // Taking it along stands in it.
      await page.reload();
      await table.getByRole("row").filter({ hasText: "Audit trail exported" }).first().waitFor();
      expect(seat.complaints).toEqual([]);
    });

    it("marks who is a guest", async () => {
      const { page } = seat;
      const table = page.getByRole("table", { name: "Audit" });
      const accepted = table.getByRole("row").filter({ hasText: "Invitation accepted" }).filter({ hasText: "noor@elsewhere.example" });
      await accepted.first().getByText("Guest", { exact: true }).waitFor();
      const staff = table.getByRole("row").filter({ hasText: "Signed in" }).filter({ hasText: "amara@halcyon.example" });
      expect(await staff.first().getByText("Guest", { exact: true }).count()).toBe(0);
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
      const marks = (who: string) => rows.filter(({ actor }) => actor === who).map(({ actor_is_guest }) => actor_is_guest);
      const rows = rowsOf(await textOf(file));
      expect(marks("noor@elsewhere.example")).toContain("true");
      expect(new Set(marks("amara@halcyon.example"))).toEqual(new Set(["false"]));
      expect(seat.complaints).toEqual([]);
    });
  });
}
