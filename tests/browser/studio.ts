// Staff of a studio: the connection is tried with a real identity provider that this project did not write and switched on,
// somebody signs in with the studio account, has the role that a group gives, and has it no longer when the group is gone.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withAuthenticator } from "./factors";
import { operate, seated, signIn, sit, url, type Seat } from "./harness";
import { made } from "./outcome";

const ADA = "ada@studio.example";
const FILM = "The Salt Road";

/** Of a certificate, as the page writes it. */
const fingerprint = (text: string) => /(?:[0-9a-f]{4} ?){16}/.exec(text)?.[0] ?? "none";

/** Kinora's, towards the provider. */
const ownMetadata = async () => (await fetch(`${url()}/saml/${made.connection}/metadata`)).text();

interface Provider {
  process: ChildProcess;
  url: string;
}

/** pysaml2's, until its standard input is closed. */
async function provide(): Promise<Provider> {
  const script = join(fileURLToPath(new URL(".", import.meta.url)), "../idp/idp.py");
  const child = spawn("pysaml2-python", [script], { stdio: ["pipe", "pipe", "ignore"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { process: child, url: (JSON.parse(line) as { url: string }).url };
  }
  throw new Error("the identity provider says nothing");
}

export function studio(): void {
  describe("staff with a studio account", () => {
    const seat = seated();
    let provider: Provider;

    const put = async (path: string, body: string) => {
      const answer = await fetch(`${provider.url}${path}`, { method: "PUT", body });
      expect(answer.status).toBe(204);
    };
    /** The provider's own page; what it loads is no business of the product's. */
    const enterAt = async (page: Page, login: string) => {
      await page.waitForURL(`${provider.url}/**`);
      await page.getByLabel("Login").fill(login);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    const complaintsOf = ({ complaints }: Seat) => complaints.filter((text) => !text.startsWith(`foreign host: ${provider.url}/`));
    /** Begins at the sign-in page with an address of the studio's domain, and says at the provider who it is. */
    const comeAs = async (who: string): Promise<Seat> => {
      const ada = await sit(seat.browser);
      await ada.page.goto(`${url()}/sign-in`);
      await ada.page.getByLabel("Login or e-mail").fill(ADA);
      await ada.page.getByRole("button", { name: "Continue" }).click();
      await enterAt(ada.page, who);
      return ada;
    };
    const arrive = async (who = "ada"): Promise<Seat> => {
      const somebody = await comeAs(who);
      await somebody.page.waitForURL((at) => at.origin === url() && !at.pathname.startsWith("/saml/"));
      return somebody;
    };

    beforeAll(async () => {
      provider = await provide();
    });
    afterAll(() => provider?.process.stdin?.end());

    const metadata = async () => (await fetch(`${provider.url}/metadata`)).text();

    it("is connected by the address of the metadata", async () => {
      const { page } = seat;
      const address = "https://login.studio.example/metadata";
      const connection = `**/sign-on/connections/${made.connection}`;
      const fetched = { metadata_url: address, fetched_at: new Date().toISOString() };
      let asked = "";
      // Nothing is fetched from this very machine, and no other has it: what would be there is given as text. Fetching
      // itself has its tests in tests/cases/single_sign_on/metadata.rs.
      await page.route(`${connection}/metadata`, async (route) => {
        const { url: given, ...rest } = route.request().postDataJSON() as { url: string };
        asked = given;
        const answer = await route.fetch({ postData: JSON.stringify({ ...rest, xml: await metadata() }) });
        await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), ...fetched } });
      });
      await page.route(connection, async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), ...(asked ? fetched : {}) } });
      });
      await page.goto(`${url()}/administration/${made.organisation}/sign-on/${made.connection}`);
      await page.getByLabel("Metadata address").fill(address);
      await page.getByRole("button", { name: "Fetch and check" }).click();
      await page.getByText(`${provider.url}/sso`).first().waitFor();
      expect(asked).toBe(address);
      await page.getByText(address).waitFor();
      await page.getByRole("button", { name: "Fetch again now" }).waitFor();
      expect(await page.getByLabel("Metadata address").count()).toBe(0);
      await page.unrouteAll({ behavior: "wait" });
    });

    it("is connected by a file", async () => {
      const { page } = seat;
      const folder = mkdtempSync(join(tmpdir(), "kinora-metadata-"));
      const [large, good] = [join(folder, "large.xml"), join(folder, "metadata.xml")];
      writeFileSync(large, "<!-- -->".repeat(40_000));
      writeFileSync(good, await metadata());
      await page.reload();
      await page.getByRole("button", { name: "Replace" }).click();
      const choose = async (file: string) => {
        const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose a file" }).click()]);
        await chooser.setFiles(file);
      };
      await choose(large);
      await page.getByRole("alert").filter({ hasText: "larger than metadata of one provider" }).waitFor();
      await choose(good);
      await expect.poll(() => page.getByLabel("Metadata", { exact: true }).inputValue()).toContain(`${provider.url}/sso`);
      expect(await page.getByRole("alert").count()).toBe(0);
      await page.getByRole("button", { name: "Check and use" }).click();
      await page.getByText("given as text").waitFor();
      await page.getByText(`${provider.url}/sso`).first().waitFor();
      rmSync(folder, { recursive: true });
    });

    it("is tried by an owner, who sees what came and what it would give", async () => {
      const { page } = seat;
      await put("/service", await ownMetadata());
      await page.reload();
      await page.getByRole("button", { name: "Run the test" }).click();
      await enterAt(page, "ada");
      await page.waitForURL(/\?attempt=/);
      await page.getByText("Ada Löwe").first().waitFor();
      await page.getByText(ADA).first().waitFor();
      await page.getByText(`${FILM}: Library: Editor`).first().waitFor();
    });

    it("begins when it is switched on and the domain is confirmed", async () => {
      const { page } = seat;
      operate("domain", "confirm", "studio.example");
      await page.getByRole("button", { name: "Switch on" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Switch on" }).click();
      await page.getByRole("button", { name: "Switch off" }).waitFor();
      expect(complaintsOf(seat)).toEqual([]);
    });

    it("is required of everybody, but for an owner who can do without", async () => {
      const { page } = seat;
      const security = `${url()}/administration/${made.organisation}/security`;
      await page.goto(security);
      await page.getByText("Choose somebody below first").waitFor();
      expect(await page.getByRole("button", { name: "Require single sign-on" }).isDisabled()).toBe(true);
      // Without a second factor an owner cannot be the one.
      const able = page.getByRole("list", { name: "Owners who may sign in without the provider" }).getByRole("checkbox");
      expect(await able.isDisabled()).toBe(true);
      await withAuthenticator(seat);
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByRole("button", { name: "I have written them down" }).click();
      await page.goto(security);
      await able.click();
      await page.getByText("Everything for it is in place.").waitFor();
      await page.getByRole("button", { name: "Require single sign-on" }).click();
      const asking = page.getByRole("alertdialog", { name: "Require single sign-on of everybody?" });
      await asking.getByRole("button", { name: "Require single sign-on" }).click();
      await asking.waitFor({ state: "detached" });

      const amara = await sit(seat.browser);
      await signIn(amara.page, "amara@halcyon.example", "walnut-harbour-quilt-meadow");
      await amara.page.goto(`${url()}/productions`);
      await amara.page.getByText("asks for the studio account").waitFor();
      expect(await amara.page.getByText(FILM).count()).toBe(0);
      await amara.page.goto(`${url()}/productions/${made.production}/library`);
      await amara.page.getByRole("heading", { name: "The production could not be loaded" }).waitFor();
      expect(await amara.page.getByText(FILM).count()).toBe(0);
      const ada = await arrive();
      await ada.page.goto(`${url()}/productions/${made.production}/library`);
      await ada.page.getByRole("gridcell").first().waitFor();

      // The day on which the provider fails: with the passkey, past the provider, and on record.
      await seat.context.clearCookies();
      await page.goto(`${url()}/sign-in`);
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.waitForURL(/productions/);
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      await page.getByRole("row").filter({ hasText: "Signed in without the provider" }).first().waitFor();
      await page.goto(security);
      await page.getByText("Only the owners chosen below").waitFor();
      // The last who can do without stays one.
      await able.click();
      await page.getByText(/^Choose at least one owner with a password and a second factor/).waitFor();
      expect(await able.isChecked()).toBe(true);
      await page.getByRole("button", { name: "Stop requiring single sign-on" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Stop requiring single sign-on" }).click();
      await page.getByRole("button", { name: "Require single sign-on" }).waitFor();
      await able.click();
      await page.getByText("Choose somebody below first").waitFor();
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: /^Remove: / }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("button", { name: /^Remove: / }).waitFor({ state: "detached" });

      await amara.page.goto(`${url()}/productions`);
      await amara.page.getByRole("main").getByRole("listitem").filter({ hasText: FILM }).waitFor();
      for (const one of [seat, amara, ada]) expect(complaintsOf(one)).toEqual([]);
      for (const one of [amara, ada]) await one.context.close();
    }, 120_000);

    it("lands with the role of a group, and without it when the group is gone", async () => {
      const ada = await arrive();
      await ada.page.goto(`${url()}/productions`);
      const cards = ada.page.getByRole("main").getByRole("listitem");
      await cards.filter({ hasText: FILM }).waitFor();
      expect(await cards.count()).toBe(1);
      await ada.page.goto(`${url()}/productions/${made.production}/library`);
      // An editor adds.
      await ada.page.getByRole("button", { name: "Upload" }).first().waitFor();
      await put("/settings", JSON.stringify({ people: { ada: { displayName: ["Ada Löwe"], mail: [ADA], groups: [] } } }));
      const again = await arrive();
      await again.page.goto(`${url()}/productions`);
      await again.page.getByRole("heading", { level: 1 }).waitFor();
      await again.page.goto(`${url()}/productions/${made.production}/library`);
      await again.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      // Where she sat before as well, without anything being loaded again.
      await ada.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      for (const one of [ada, again]) {
        expect(complaintsOf(one)).toEqual([]);
        await one.context.close();
      }
    });

    it("is joined with an account that somebody has, is a way in then, and is separated again", async () => {
      // At the provider she has another address, of a domain that no account is made for.
      await put("/settings", JSON.stringify({ people: { ada: { displayName: ["Ada Löwe"], mail: [ADA], groups: [] }, mara: { displayName: ["Amara Okafor"], mail: ["mara@elsewhere.example"], groups: [] } } }));
      const refused = await comeAs("mara");
      await refused.page.waitForURL(/\/sign-in-refused/);

      const amara = await sit(seat.browser);
      await signIn(amara.page, "amara@halcyon.example", "walnut-harbour-quilt-meadow");
      await amara.page.goto(`${url()}/account`);
      const accounts = amara.page.getByRole("region", { name: "Studio account" });
      await accounts.getByRole("button", { name: "Join: Studio account" }).click();
      await enterAt(amara.page, "mara");
      await amara.page.waitForURL(`${url()}/account`);
      await accounts.getByText(/^Joined /).waitFor();
      expect(await accounts.getByRole("button", { name: /^Join: / }).count()).toBe(0);

      const back = await arrive("mara");
      await back.page.goto(`${url()}/account`);
      await back.page.getByText("amara@halcyon.example").first().waitFor();

      // In a session that does not rest on it.
      await amara.context.clearCookies();
      await signIn(amara.page, "amara@halcyon.example", "walnut-harbour-quilt-meadow");
      await amara.page.goto(`${url()}/account`);
      await accounts.getByRole("button", { name: "Separate: Studio account" }).click();
      const asking = amara.page.getByRole("alertdialog", { name: "Separate Studio account from this account?" });
      await asking.getByRole("button", { name: "Separate" }).click();
      await amara.page.getByText("Studio account is separated from this account.").waitFor();
      await accounts.getByRole("button", { name: "Join: Studio account" }).waitFor();
      const again = await comeAs("mara");
      await again.page.waitForURL(/\/sign-in-refused/);
      for (const one of [refused, amara, back, again]) {
        expect(complaintsOf(one)).toEqual([]);
        await one.context.close();
      }
    }, 120_000);

    it("leads from the number on the page of somebody who was refused to the reason", async () => {
      const mara = await comeAs("mara");
      await mara.page.waitForURL(/\/sign-in-refused/);
      const number = await mara.page.getByRole("code").innerText();
      const { page } = seat;
      const at = `${url()}/administration/${made.organisation}/sign-on/${made.connection}`;
      await page.goto(at);
      const rows = page.getByRole("table", { name: "Last attempts" }).getByRole("row");
      const finder = page.getByRole("searchbox", { name: "Number on the person’s page" });
      await rows.filter({ hasText: number }).filter({ hasText: "foreign_address" }).waitFor();
      await rows.filter({ hasText: "Accepted" }).first().waitFor();
      await page.getByRole("radio", { name: "Refused" }).click();
      await rows.filter({ hasText: "Accepted" }).first().waitFor({ state: "detached" });
      await rows.filter({ hasText: number }).waitFor();
      await finder.fill(number.slice(0, 13));
      await page.getByText("This is no whole number of an attempt").waitFor();
      await finder.fill(made.connection);
      await page.getByText("No attempt here has this number").waitFor();
      // As it may be written in a letter.
      await finder.fill(` ${number.toUpperCase()}`);
      await rows.filter({ hasText: number }).waitFor();
      expect(await rows.count()).toBe(2);

      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(`${at}?attempt=${number}`);
      await rows.filter({ hasText: number }).filter({ hasText: "foreign_address" }).waitFor();
      expect(await finder.inputValue()).toBe(number);
      expect(await finder.isVisible()).toBe(true);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      // It is none of the test, which shows what it found as before.
      await page.getByText(/^Passed, /).waitFor();
      await page.setViewportSize({ width: 1440, height: 900 });
      for (const one of [mara, seat]) expect(complaintsOf(one)).toEqual([]);
      await mara.context.close();
    });

    it("goes on while the certificate is changed, as long as the provider has read of the next one", async () => {
      const { page } = seat;
      const former = await ownMetadata();
      await page.goto(`${url()}/administration/${made.organisation}/sign-on/${made.connection}`);
      const listed = page.getByRole("list", { name: "Kinora’s certificates" }).getByRole("listitem");
      await listed.filter({ hasText: "Signs" }).waitFor();
      await page.getByRole("button", { name: "Make the next one" }).click();
      await listed.filter({ hasText: "Next" }).waitFor();
      // Made by mistake: it can go, and another can be made.
      await page.getByRole("button", { name: "Drop the next one" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await listed.filter({ hasText: "Next" }).waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Make the next one" }).click();
      await listed.filter({ hasText: "Next" }).waitFor();
      const [signing = "", next = ""] = await listed.allInnerTexts();
      const both = await ownMetadata();
      await put("/service", both);
      await (await arrive()).context.close();

      await page.getByRole("button", { name: "Switch to the next one" }).click();
      const asking = page.getByRole("alertdialog", { name: "Sign with the next certificate from now on?" });
      await asking.getByRole("button", { name: "Switch to the next one" }).click();
      await listed.filter({ hasText: "Former" }).waitFor();
      expect(fingerprint(next)).not.toBe("none");
      expect((await listed.allInnerTexts()).map(fingerprint)).toEqual([fingerprint(next), fingerprint(signing)]);
      await (await arrive()).context.close();
      // A provider that has not read of it refuses what is signed with it.
      await put("/service", former);
      const stranger = await sit(seat.browser);
      await stranger.page.goto(`${url()}/sign-in`);
      await stranger.page.getByLabel("Login or e-mail").fill(ADA);
      await stranger.page.getByRole("button", { name: "Continue" }).click();
      await stranger.page.getByRole("heading", { name: "Refused" }).waitFor();
      await stranger.context.close();
      await put("/service", both);

      await page.getByRole("button", { name: "Drop the former one" }).click();
      await page.getByRole("alertdialog", { name: "Remove this certificate from the metadata?" }).getByRole("button", { name: "Remove" }).click();
      await listed.filter({ hasText: "Former" }).waitFor({ state: "detached" });
      expect(await listed.count()).toBe(1);
      const last = await ownMetadata();
      expect(last.match(/use="signing"/g)).toHaveLength(1);
      expect(both.match(/use="signing"/g)).toHaveLength(2);
      await put("/service", last);
      const ada = await arrive();
      expect(complaintsOf(ada)).toEqual([]);
      await ada.context.close();
      expect(complaintsOf(seat)).toEqual([]);
    }, 120_000);
  });
}
