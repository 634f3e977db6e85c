// Setting single sign-on up: what an owner sees and does before there is a provider that could answer.

import { describe, expect, it } from "vitest";
import { seated, url } from "./harness";
import { made } from "./outcome";
import { newToken } from "./programs";

export function signOn(): void {
  describe("single sign-on is set up", () => {
    const seat = seated();
    it("from an empty page to the values that the provider needs", async () => {
      const { page } = seat;
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("link", { name: "Sign-on" }).click();
      await page.getByRole("heading", { name: "No identity provider is connected yet" }).waitFor();
      await page.getByRole("button", { name: "Add a connection" }).click();
      await page.getByRole("dialog").getByLabel("Name").fill("Studio account");
      await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
      await page.waitForURL(/\/sign-on\/[0-9a-f-]{36}$/);
      made.connection = new URL(page.url()).pathname.split("/").at(-1) ?? "";
      await page.getByText(`/saml/${made.connection}/acs`).waitFor();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download Kinora’s metadata" }).click()]);
      expect(download.suggestedFilename()).toBe("kinora-metadata.xml");
      expect(await page.getByRole("button", { name: "Run the test" }).isDisabled()).toBe(true);
      expect(await page.getByRole("button", { name: "Switch on" }).isDisabled()).toBe(true);
    });

    it("says what is wrong with metadata, at its place", async () => {
      const { page } = seat;
      await page.getByLabel("Metadata address").fill("http://login.studio.example/metadata");
      await page.getByRole("button", { name: "Fetch and check" }).click();
      await page.getByText("must be an https address").waitFor();
      await page.getByRole("radio", { name: "Text" }).click();
      await page.getByLabel("Metadata", { exact: true }).fill("<html/>");
      await page.getByRole("button", { name: "Check and use" }).click();
      await page.getByRole("alert").filter({ hasText: "identity provider" }).waitFor();
    });

    it("makes a token for provisioning, which does nothing else, until it is revoked", async () => {
      const { page } = seat;
      const part = page.getByRole("region", { name: "Provisioning" });
      await part.getByText("Not set up").waitFor();
      const address = await part.locator("[data-secret]").innerText();
      expect(new URL(address).origin).toBe(url());
      await part.getByRole("button", { name: "New token" }).click();
      await page.getByRole("dialog").getByLabel("Holds for").selectOption("90");
      const token = await newToken(page, "New token");
      const status = async (at: string) => (await fetch(at, { headers: { Authorization: `Bearer ${token}` } })).status;
      expect(await status(`${address}/Users`)).toBe(200);
      expect(await status(`${url()}/api/data/v1/productions`)).toBe(401);
      const listed = part.getByRole("listitem");
      await listed.getByRole("button", { name: /^Revoke: / }).click();
      await page.getByRole("alertdialog", { name: /^Revoke the token/ }).getByRole("button", { name: "Revoke" }).click();
      await listed.waitFor({ state: "detached" });
      await part.getByText("Not set up").waitFor();
      await expect.poll(() => status(`${address}/Users`)).toBe(401);
      expect(seat.complaints).toEqual([]);
    });

    it("takes rules and domains, and shows what they wait for", async () => {
      const { page } = seat;
      await page.getByRole("button", { name: "Add a rule" }).click();
      await page.getByRole("dialog").getByLabel("Group").fill("kinora-editors");
      await page.getByRole("dialog").getByLabel("Gives").selectOption({ label: "In The Salt Road" });
      await page.getByRole("dialog").getByLabel("Library").selectOption("editor");
      await page.getByRole("dialog").getByRole("button", { name: "Add a rule" }).click();
      await page.getByText("The Salt Road: Library: Editor").waitFor();
      await page.getByRole("link", { name: "All identity providers" }).click();
      await page.getByText("Being set up").waitFor();
      await page.getByRole("button", { name: "Add a domain" }).click();
      await page.getByRole("dialog").getByLabel("Domain").fill("gmail.com");
      await page.getByRole("dialog").getByRole("button", { name: "Add a domain" }).click();
      await page.getByText("anybody can have an address").waitFor();
      await page.getByRole("dialog").getByLabel("Domain").fill("Studio.example");
      // What was said about the other one goes when the field is left, and the dialog becomes smaller.
      await page.getByRole("dialog").getByLabel("Domain").blur();
      await page.getByText("anybody can have an address").waitFor({ state: "detached" });
      await page.getByRole("dialog").getByRole("button", { name: "Add a domain" }).click();
      await page.getByText("kinoractl domain confirm studio.example").waitFor();
      expect(seat.complaints).toEqual([]);
    });
  });
}
