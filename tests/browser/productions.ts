// Administrators rename a production and remove it; whoever is in it sees that at once.

import { describe, expect, it } from "vitest";
import { seated, url } from "./harness";
import { made } from "./outcome";

export function productions(): void {
  describe("a production", () => {
    const seat = seated();
    it("is renamed and removed, also before the eyes of whoever is in it", async () => {
      const { context, page } = seat;
      const administration = `${url()}/administration/${made.organisation}/productions`;
      await page.goto(administration);
      await page.getByRole("button", { name: "New production" }).click();
      await page.getByLabel("Name of the production").fill("Low Tide");
      await page.getByRole("button", { name: "Create production" }).click();
      await page.getByRole("heading", { name: "Drop camera files here" }).waitFor();
      const library = page.url();
      const inside = await context.newPage();
      await inside.goto(library);
      await inside.getByRole("heading", { name: "Drop camera files here" }).waitFor();

      await page.goto(administration);
      const row = (name: string) => page.getByRole("row").filter({ hasText: name });
      await row("Low Tide").getByRole("button", { name: "Actions: Low Tide" }).click();
      await page.getByRole("menuitem", { name: "Rename" }).click();
      const renaming = page.getByRole("dialog", { name: "Rename production" });
      expect(await renaming.getByLabel("Name of the production").inputValue()).toBe("Low Tide");
      await renaming.getByLabel("Name of the production").fill("High Tide");
      await renaming.getByRole("button", { name: "Rename" }).click();
      await row("High Tide").waitFor();
      expect(await row("Low Tide").count()).toBe(0);
      await inside.getByText("High Tide").first().waitFor();

      await row("High Tide").getByRole("button", { name: "Actions: High Tide" }).click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      const asking = page.getByRole("alertdialog", { name: "Remove “High Tide”?" });
      await asking.getByText("a week later").waitFor();
      await asking.getByRole("button", { name: "Cancel" }).click();
      await asking.waitFor({ state: "detached" });
      await row("High Tide").getByRole("button", { name: "Actions: High Tide" }).click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      await asking.getByRole("button", { name: "Remove production" }).click();
      await row("High Tide").waitFor({ state: "detached" });

      await inside.getByRole("heading", { name: "There is nothing here" }).waitFor();
      await page.goto(`${url()}/productions`);
      await page.getByRole("main").getByRole("listitem").filter({ hasText: "The Salt Road" }).waitFor();
      expect(await page.getByText("High Tide").count()).toBe(0);
      await page.goto(library);
      await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      for (const act of ["Production renamed", "Production removed"]) await page.getByRole("row").filter({ hasText: act }).filter({ hasText: "Tide" }).first().waitFor();
      expect(seat.complaints).toEqual([]);
    }, 60_000);
  });
}
