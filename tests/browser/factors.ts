// Second factors as people meet them: an app and recovery codes, passkeys in Chromium's virtual authenticator,
// codes by mail from a real mail server, the confirmation, and an organisation that asks for a factor.

import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import decodeQR from "qr/decode.js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { keepPicture, launch, login, mailDirectory, PASSWORD, signIn, sit, url, type Seat } from "./harness";
import { made } from "./outcome";

export const THEIRS = "velvet-harbour-nineteen-lamps";

/** What an authenticator app with this key shows, `later` steps from now (RFC 6238). */
function codeOf(key: string, later = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replaceAll(" ", "")].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const value = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(value % 1_000_000).padStart(6, "0");
}

/** What the camera of a phone makes of a QR code on the screen, by a decoder of others. */
async function scan(code: Locator): Promise<string> {
  const picture = await code.screenshot();
  const pixels = await code.page().evaluate(async (bytes) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
    const drawing = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    if (!drawing) throw new Error("no canvas");
    drawing.drawImage(bitmap, 0, 0);
    return { width: bitmap.width, height: bitmap.height, data: [...drawing.getImageData(0, 0, bitmap.width, bitmap.height).data] };
  }, [...picture]);
  return decodeQR({ ...pixels, data: Uint8Array.from(pixels.data) });
}

/** The code in the newest of `count` mails with codes to an address, when it is there. */
async function mailedCode(address: string, count: number): Promise<string> {
  for (;;) {
    const files = readdirSync(mailDirectory()).filter((name) => name.endsWith(".json")).toSorted();
    const mails = files.map((name) => JSON.parse(readFileSync(join(mailDirectory(), name), "utf8")) as { to: string[]; subject: string; plain: string });
    const codes = mails.filter(({ to, subject }) => to.includes(address) && subject.startsWith("Your code to ")).map(({ plain }) => /^\s*(\d{8})$/m.exec(plain)?.[1] ?? "");
    const newest = codes.at(-1);
    if (newest && codes.length >= count) return newest;
    // The test's own time limit ends this.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** A phone or laptop that makes passkeys and recognises its owner. */
export async function withAuthenticator({ context, page }: Seat): Promise<void> {
  const wire = await context.newCDPSession(page);
  await wire.send("WebAuthn.enable");
  await wire.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

/** Adds a person to an organisation and chooses their password. */
export async function hire(owner: Page, page: Page, who: string, organisation = made.organisation): Promise<void> {
  const link = await owner.evaluate(
    async ([at, name]) => {
      const { csrf_token } = (await (await fetch("/api/data/v1/session")).json()) as { csrf_token: string };
      const answer = await fetch(`/api/data/v1/organisations/${at}/people`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf_token },
        body: JSON.stringify({ login: name, display_name: `Name of ${name}`, role: "member" }),
      });
      return ((await answer.json()) as { password_link: { url: string } }).password_link.url;
    },
    [organisation, who] as const,
  );
  const { pathname, hash } = new URL(link);
  await page.goto(`${url()}${pathname}${hash}`);
  await page.getByLabel("New password", { exact: true }).fill(THEIRS);
  await page.getByLabel("New password again").fill(THEIRS);
  await page.getByRole("button", { name: "Set password" }).click();
  await page.waitForURL(/sign-in/);
}

export async function enterPassword(page: Page, who: string, password: string): Promise<void> {
  await page.goto(`${url()}/sign-in`);
  await page.getByLabel("Login or e-mail").fill(who);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Forgets the session, as a browser that was closed. */
const signOut = (seat: Seat) => seat.context.clearCookies();

/** Sets up an app on the page that is open; gives its key and the code that was used for it. */
export async function setUpApp(page: Page): Promise<{ key: string; used: string }> {
  const drawing = page.getByRole("img", { name: "QR code for the authenticator app" });
  await drawing.waitFor();
  const scanned = new URL(await scan(drawing));
  await page.getByText("I cannot scan it").click();
  const key = (await page.locator("code[data-secret]").textContent()) ?? "";
  expect([scanned.protocol, scanned.searchParams.get("secret")]).toEqual(["otpauth:", key.replaceAll(" ", "")]);
  // Six digits are sent without a press.
  const used = codeOf(key);
  await page.getByLabel("Code from the app").fill(used);
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  return { key, used };
}

export function factors(): void {
  describe("second factors", () => {
    let browser: Browser;
    let owner: Seat;
    let ada: Seat;
    let app = { key: "", used: "" };
    let codes: string[] = [];

    beforeAll(async () => {
      browser = await launch();
      [owner, ada] = [await sit(browser), await sit(browser)];
      await signIn(owner.page);
      await hire(owner.page, ada.page, "ada@factors.example");
    });
    afterEach(async ({ task }) => {
      if (task.result?.state !== "fail") return;
      await keepPicture(ada.page, `${task.name} ada`);
      await keepPicture(owner.page, `${task.name} owner`);
    });
    afterAll(() => browser?.close());

    it("an app is set up, with recovery codes to keep", async () => {
      const { page } = ada;
      await signIn(page, "ada@factors.example", THEIRS);
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Set up" }).click();
      app = await setUpApp(page);
      codes = await page.locator("[data-secret] code").allTextContents();
      expect(codes).toHaveLength(10);
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download" }).click();
      const text = await readFile(await (await download).path(), "utf8");
      for (const code of codes) expect(text).toContain(code);
      await page.getByRole("button", { name: "Done" }).click();
      await page.getByText("10 of 10 left").waitFor();
      expect(ada.complaints).toEqual([]);
    });

    it("signing in takes a second step: a code, or a recovery code", async () => {
      const { page } = ada;
      await signOut(ada);
      await enterPassword(page, "ada@factors.example", THEIRS);
      await page.getByRole("heading", { name: "One more step" }).waitFor();
      // The one of the enrolment was used, whether or not its half minute is over.
      const code = page.getByLabel("Code from your authenticator app");
      await code.fill(app.used);
      await page.getByText("This is not the code that the app shows now").waitFor();
      await code.fill(codeOf(app.key, 1));
      await page.waitForURL(/productions/);
      await signOut(ada);
      await enterPassword(page, "ada@factors.example", THEIRS);
      await page.getByRole("button", { name: "Use a recovery code instead" }).click();
      await page.getByLabel("Recovery code").fill(codes[0]?.toUpperCase() ?? "");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.waitForURL(/productions/);
      await page.goto(`${url()}/account`);
      await page.getByText("9 of 10 left").waitFor();
    });

    it("a passkey signs in without login and password", async () => {
      const { page } = ada;
      await withAuthenticator(ada);
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByLabel("Name", { exact: true }).last().fill("Test laptop");
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByText("Test laptop").waitFor();
      await signOut(ada);
      await page.goto(`${url()}/sign-in`);
      await page.getByRole("button", { name: "Use a passkey" }).click();
      await page.waitForURL(/productions/);
      // And as the second step.
      await signOut(ada);
      await enterPassword(page, "ada@factors.example", THEIRS);
      await page.getByRole("button", { name: "Use a passkey", exact: true }).click();
      await page.waitForURL(/productions/);
      expect(ada.complaints).toEqual([]);
    });

    it("what asks for a confirmation is done after it", async () => {
      const { page } = ada;
      await page.goto(`${url()}/account`);
      let asked = 0;
      await page.route("**/api/data/v1/account/tokens", async (route) => {
        if (route.request().method() !== "POST" || asked > 0) return route.continue();
        asked += 1;
        return route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:kinora:problem:step-up-required", title: "Confirm", status: 403 }) });
      });
      await page.getByRole("button", { name: "New token" }).click();
      await page.getByLabel("What is it for?").fill("a script");
      await page.getByRole("button", { name: "Create token" }).click();
      const dialog = page.getByRole("alertdialog", { name: "Is it you?" });
      await dialog.getByRole("button", { name: "Use a passkey", exact: true }).click();
      await page.getByRole("alertdialog", { name: "Your new token" }).waitFor();
      expect(await dialog.count()).toBe(0);
      await page.getByRole("button", { name: "Done" }).click();
      await page.unroute("**/api/data/v1/account/tokens");
    });

    it("a code by mail is the last resort, where an owner allows it", async () => {
      const { page } = ada;
      await page.goto(`${url()}/account`);
      await page.getByText("of 10 left").waitFor();
      expect(await page.getByText("Codes by mail").count()).toBe(0);
      await owner.page.goto(`${url()}/administration/${made.organisation}/security`);
      await owner.page.getByRole("button", { name: "Allow them" }).click();
      await owner.page.getByRole("alertdialog").getByRole("button", { name: "Allow them" }).click();
      await owner.page.getByRole("button", { name: "Stop allowing them" }).waitFor();
      await page.reload();
      await page.getByRole("button", { name: "Add codes" }).click();
      const dialog = page.getByRole("dialog", { name: "Add codes by mail" });
      await dialog.getByText("The weakest way").waitFor();
      await dialog.getByRole("button", { name: "Send the code" }).click();
      // Eight digits are sent without a press.
      await dialog.getByLabel("Code from your mail").fill(await mailedCode("ada@factors.example", 1));
      await page.getByText("Codes by mail are added").waitFor();
      await signOut(ada);
      await enterPassword(page, "ada@factors.example", THEIRS);
      await page.getByRole("button", { name: "Get a code by mail instead" }).click();
      await page.getByRole("button", { name: "Send the code" }).click();
      const code = await mailedCode("ada@factors.example", 2);
      const field = page.getByLabel("Code from your mail");
      await field.fill(code === "00000000" ? "00000001" : "00000000");
      await page.getByText("This is not the code that was sent last").waitFor();
      await field.fill(code);
      await page.waitForURL(/productions/);
      // It confirms nothing: what asks for a confirmation asks for something better.
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Remove: Codes by mail" }).click();
      await page.getByRole("alertdialog", { name: "Remove codes by mail?" }).getByRole("button", { name: "Remove" }).click();
      const asked = page.getByRole("alertdialog", { name: "Is it you?" });
      await asked.waitFor();
      expect(await asked.getByText("by mail").count()).toBe(0);
      await asked.getByRole("button", { name: "Use a passkey", exact: true }).click();
      await page.getByRole("button", { name: "Add codes" }).waitFor();
      expect(ada.complaints).toEqual([]);
      await owner.page.getByRole("button", { name: "Stop allowing them" }).click();
      await owner.page.getByRole("alertdialog").getByRole("button", { name: "Stop allowing them" }).click();
      await owner.page.getByRole("button", { name: "Allow them" }).waitFor();
      expect(owner.complaints).toEqual([]);
    });

    it("an organisation that asks for a factor shows nothing until there is one", async () => {
      const bob = await sit(browser);
      await hire(owner.page, bob.page, "bob@factors.example");
      await signIn(bob.page, "bob@factors.example", THEIRS);
      const { page } = owner;
      await page.goto(`${url()}/administration/${made.organisation}/security`);
      await page.getByText("Add a second factor to your own account first").waitFor();
      await withAuthenticator(owner);
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByRole("button", { name: "I have written them down" }).click();
      await page.goto(`${url()}/administration/${made.organisation}/security`);
      await page.getByRole("button", { name: "Require it" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Require it" }).click();
      await page.getByRole("button", { name: "Stop requiring it" }).waitFor();

      // An open page of somebody who has none.
      await expect
        .poll(async () => {
          await bob.page.goto(`${url()}/productions`);
          await bob.page.locator("h1").first().waitFor();
          return new URL(bob.page.url()).pathname;
        })
        .toBe("/second-factor");
      await bob.page.getByRole("heading", { name: "Add a second factor" }).waitFor();
      await bob.page.getByRole("button", { name: /Authenticator app/ }).click();
      await setUpApp(bob.page);
      await bob.page.getByRole("button", { name: "I have written them down" }).click();
      await bob.page.waitForURL(/productions/);

      // They lose the phone; the owner helps.
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("button", { name: "Actions: Name of bob@factors.example" }).click();
      await page.getByRole("menuitem", { name: "Reset second factors" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Reset second factors" }).click();
      await page.getByText("signs in with the password alone now").waitFor();

      await page.goto(`${url()}/administration/${made.organisation}/security`);
      await page.getByRole("button", { name: "Stop requiring it" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Stop requiring it" }).click();
      await page.getByRole("button", { name: "Require it" }).waitFor();
      await page.goto(`${url()}/account`);
      await page.getByRole("button", { name: /^Remove: / }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("button", { name: /^Remove: / }).waitFor({ state: "detached" });
      expect(owner.complaints).toEqual([]);
      expect(bob.complaints).toEqual([]);
      await bob.context.close();
      await owner.context.close();
      const again = await sit(browser);
      await signIn(again.page, login(), PASSWORD);
    });
  });
}
