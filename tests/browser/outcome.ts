// The outcome: from a one-time password to a clip that plays with timecode, filmstrip and waveform.

import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cable, dropFiles, keepPicture, launch, login, makeFiles, oneTimePassword, PASSWORD, seated, signIn, sit, url, type Files } from "./harness";

/** Addresses that later suites look at. */
export const made = { production: "", asset: "", organisation: "", connection: "", grant: "", serviceAccount: "" };

/** Waits until the server has something of a file durably: before that, going on is beginning anew. */
const hasArrived = (page: Page, name: string) =>
  expect
    .poll(async () => {
      const answer = await page.request.get(`${url()}/api/media/v1/productions/${made.production}/uploads`);
      const { items } = (await answer.json()) as { items: { file_name: string; offset_bytes: number }[] };
      return items.find(({ file_name }) => file_name === name)?.offset_bytes ?? 0;
    })
    .toBeGreaterThan(0);

/** What the browser keeps of unfinished uploads; with `change`, it becomes what a former release would have kept. */
const keptUploads = (page: Page, change: Record<string, string> = {}) =>
  page.evaluate(async (parts) => {
    const opened = indexedDB.open("kinora");
    await new Promise((resolve) => {
      opened.addEventListener("success", resolve);
    });
    const store = opened.result.transaction("uploads", "readwrite").objectStore("uploads");
    const all = store.getAll() as IDBRequest<Record<string, unknown>[]>;
    await new Promise((resolve) => {
      all.addEventListener("success", resolve);
    });
    if (Object.keys(parts).length) {
      for (const { nameMark: _, ...record } of all.result) store.put({ ...record, ...parts });
    }
    opened.result.close();
    return JSON.stringify(all.result);
  }, change);

const timecode = (page: Page) => page.getByLabel("Go to timecode").inputValue();

export function outcome(): void {
  describe("the outcome", () => {
    // Nobody is signed in yet: the first test does that with the one-time password.
    const seat = seated((page) => page.goto(url()));
    let files: Files;
    /** Makes the line slow, or cuts it. Bytes per second; -1 is as fast as it goes. */
    let line: (uploadThroughput: number, offline?: boolean) => Promise<unknown>;

    beforeAll(async () => {
      files = makeFiles();
      const wire = await seat.context.newCDPSession(seat.page);
      line = (uploadThroughput, offline = false) => wire.send("Network.emulateNetworkConditions", { offline, latency: 0, downloadThroughput: -1, uploadThroughput });
    });
    afterAll(() => files?.remove());

    it("signs in with the one-time password and has to choose another", async () => {
      const { page } = seat;
      await page.goto(url());
      await page.getByLabel("Login or e-mail").fill(login());
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByLabel("Password", { exact: true }).fill("certainly not this");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").filter({ hasText: "do not match" }).waitFor();

      await page.getByLabel("Password", { exact: true }).fill(oneTimePassword());
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
      await page.getByLabel("One-time password").fill(oneTimePassword());
      await page.getByLabel("New password", { exact: true }).fill("password1234");
      await page.getByLabel("New password again").fill("password1234");
      await page.getByRole("button", { name: "Set password" }).click();
      // Refused by the server, in words, at the field.
      await page.locator("[aria-invalid=true]").first().waitFor();

      await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
      await page.getByLabel("New password again").fill(PASSWORD);
      await page.getByRole("button", { name: "Set password" }).click();
      await page.getByRole("heading", { name: "Productions", exact: true }).waitFor();
    });

    it("creates a production, whose empty library says what belongs there", async () => {
      const { page } = seat;
      await page.getByRole("button", { name: "New production" }).click();
      await page.getByLabel("Name of the production").fill("The Salt Road");
      await page.getByRole("button", { name: "Create production" }).click();
      await page.getByRole("heading", { name: "Drop camera files here" }).waitFor();
      made.production = new URL(page.url()).pathname.split("/")[2] ?? "";
      expect(made.production).toMatch(/^[0-9a-f-]{36}$/);
      await page.getByRole("link", { name: "Administration" }).click();
      await page.waitForURL(/\/administration\/[0-9a-f-]{36}\/people/);
      made.organisation = new URL(page.url()).pathname.split("/")[2] ?? "";
    });

    it("uploads a dropped camera file and moves its steps before one's eyes", async () => {
      const { page } = seat;
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("heading", { name: "Drop camera files here" }).waitFor();
      await dropFiles(page, [files.camera]);
      // The asset comes by the live stream, without anything being loaded again.
      const tile = page.getByRole("gridcell").filter({ hasText: "A001C001_260511_R1VK.mov" });
      await tile.waitFor({ timeout: 30_000 });
      await tile.dblclick();
      await page.waitForURL(/\/assets\//);
      made.asset = new URL(page.url()).pathname.split("/")[4] ?? "";
      await page.getByRole("tab", { name: /Processing/ }).click();
      const step = page.locator("[data-step=render]");
      await step.waitFor();
      // Each state it is in, however short: a look now and then could miss one.
      const states = await step.evaluateHandle((element) => {
        const seen = [element.getAttribute("data-state")];
        new MutationObserver(() => seen.push(element.getAttribute("data-state"))).observe(element, { attributeFilter: ["data-state"] });
        return seen;
      });
      await page.locator("[data-step=publish][data-state=done]").waitFor({ timeout: 120_000 });
      expect(await states.jsonValue()).toContain("running");
      await page.locator("[data-step=probe][data-state=done]").getByText(/done in/).waitFor();
    }, 180_000);

    it("plays with timecode, waveform and filmstrip", async () => {
      const { page } = seat;
      const video = page.locator("video");
      await video.waitFor();
      await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
      expect(await timecode(page)).toBe("10:00:00:00");
      await page.locator("canvas[data-waveform=drawn]").waitFor();

      await page.keyboard.press("l");
      await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime), { timeout: 20_000 }).toBeGreaterThan(0.5);
      await page.keyboard.press("k");
      expect(await timecode(page)).toMatch(/^10:00:0[0-9]:[0-9]{2}$/);

      const axis = page.locator("[data-timeline]");
      const box = await axis.boundingBox();
      if (!box) throw new Error("no time axis");
      await page.mouse.move(box.x + box.width / 2, box.y + 8);
      await page.locator("[data-preview=tile]").waitFor();
      const sprite = await page.request.get(`${url()}/api/media/v1/assets/${made.asset}/filmstrip`);
      expect(sprite.headers()["content-type"]).toContain("image/jpeg");
      await page.mouse.move(box.x, box.y - 200);
    });

    it("goes to the frame: steps, seconds, typed timecodes, links", async () => {
      const { page } = seat;
      // Keys go to what has the focus first, and the tabs have arrow keys of their own.
      await page.getByRole("slider", { name: "Position" }).focus();
      await page.keyboard.press("Home");
      await expect.poll(() => timecode(page)).toBe("10:00:00:00");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      await expect.poll(() => timecode(page)).toBe("10:00:00:02");
      await page.keyboard.press("Shift+ArrowRight");
      await expect.poll(() => timecode(page)).toBe("10:00:01:02");
      await page.keyboard.press("ArrowLeft");
      await expect.poll(() => timecode(page)).toBe("10:00:01:01");
      await page.keyboard.type("10001205");
      await page.keyboard.press("Enter");
      await expect.poll(() => timecode(page)).toBe("10:00:12:05");
      await page.keyboard.type("+5");
      await page.keyboard.press("Enter");
      await expect.poll(() => timecode(page)).toBe("10:00:12:10");
      await page.keyboard.type("3.");
      await page.keyboard.press("Enter");
      await expect.poll(() => timecode(page)).toBe("10:00:03:00");
      // The picture really is that frame: its middle is what the element stands at.
      const at = () => page.locator("video").evaluate((element: HTMLVideoElement) => (element.seeking ? -1 : element.currentTime));
      await expect.poll(at).toBeCloseTo((75 + 0.5) / 25, 3);
      await page.waitForURL(/[?&]t=10:00:03:00/);
      await page.keyboard.type("09000000");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").filter({ hasText: "not in the clip" }).waitFor();
      await page.keyboard.press("Escape");

      await page.goto(`${url()}/productions/${made.production}/assets/${made.asset}?t=10:00:12:05`);
      await expect.poll(() => timecode(page)).toBe("10:00:12:05");
      await expect.poll(at).toBeCloseTo((305 + 0.5) / 25, 3);
    });

    it("marks in and out, and shuttles backwards", async () => {
      const { page } = seat;
      await page.keyboard.press("i");
      await page.keyboard.press("Shift+ArrowRight");
      await page.keyboard.press("o");
      await page.getByText("Marked").waitFor();
      await page.keyboard.press("j");
      await expect.poll(async () => (await timecode(page)) < "10:00:13:00", { timeout: 20_000 }).toBe(true);
      await page.keyboard.press("k");
      await page.keyboard.press("x");
      await page.getByText("Marked").waitFor({ state: "detached" });
    });

    it("goes on with an upload after a reload, once it has the file again", async () => {
      const { page } = seat;
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("gridcell").first().waitFor();
      const large = join(files.folder, "B002C001_large.bin");
      const file = await open(large, "w");
      await file.truncate(192 * 1024 * 1024);
      await file.close();
      // Slow enough that a reload falls into the middle of it.
      await line(12 * 1024 * 1024);
      await dropFiles(page, [large]);
      const row = page.locator("[data-upload]").filter({ hasText: "B002C001_large.bin" });
      await page.getByRole("button", { name: "Show activity" }).click();
      await row.getByText(/left/).waitFor({ timeout: 20_000 });
      await hasArrived(page, "B002C001_large.bin");
      // The browser keeps no name; a former release did, and the rest of what it kept still counts.
      expect(await keptUploads(page)).toMatch(/^\[\{.*"nameMark":\d+/);
      expect(await keptUploads(page)).not.toMatch(/B002C001|Salt Road/);
      await page.goto("about:blank");
      await line(-1);
      await page.goto(`${url()}/api/docs`);
      await keptUploads(page, { fileName: "B002C001_large.bin", productionName: "The Salt Road" });
      // On a page of no production, after a reload, the server says what it is called.
      await page.goto(`${url()}/account`);
      await row.and(page.locator("[data-upload=needs-file]")).waitFor({ timeout: 20_000 });
      await expect.poll(() => keptUploads(page)).not.toMatch(/B002C001|Salt Road/);
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("gridcell").first().waitFor();
      await row.and(page.locator("[data-upload=needs-file]")).waitFor({ timeout: 20_000 });

      const resumed: number[] = [];
      page.on("request", (request) => {
        const offset = request.method() === "PATCH" ? request.headers()["upload-offset"] : undefined;
        if (offset !== undefined) resumed.push(Number(offset));
      });
      await dropFiles(page, [large]);
      await row.and(page.locator("[data-upload=complete]")).waitFor({ timeout: 60_000 });
      expect(resumed[0]).toBeGreaterThan(0);
      await row.getByRole("link", { name: "Open" }).click();
      await page.waitForURL(/\/assets\//);
      // It is no media: kept, and said so.
      await page.locator("main").getByText("not a media file we can read").first().waitFor({ timeout: 60_000 });
    }, 180_000);

    it("goes on in another browser, which only the server tells of the upload", async () => {
      const { page } = seat;
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("gridcell").first().waitFor();
      const large = join(files.folder, "B004C001_large.bin");
      const file = await open(large, "w");
      await file.truncate(96 * 1024 * 1024);
      await file.close();
      await line(8 * 1024 * 1024);
      await dropFiles(page, [large]);
      const row = page.locator("[data-upload]").filter({ hasText: "B004C001_large.bin" });
      if (await page.getByRole("button", { name: "Show activity" }).isVisible()) await page.getByRole("button", { name: "Show activity" }).click();
      await row.getByText(/left/).waitFor({ timeout: 20_000 });
      await hasArrived(page, "B004C001_large.bin");
      await page.goto("about:blank");
      await line(-1);

      const other = await sit(seat.browser);
      const resumed: number[] = [];
      other.page.on("request", (request) => {
        const offset = request.method() === "PATCH" ? request.headers()["upload-offset"] : undefined;
        if (offset !== undefined) resumed.push(Number(offset));
      });
      await signIn(other.page);
      await other.page.goto(`${url()}/productions/${made.production}/library`);
      const known = other.page.locator("[data-upload]").filter({ hasText: "B004C001_large.bin" });
      await other.page.getByRole("button", { name: "Show activity" }).click();
      await known.and(other.page.locator("[data-upload=needs-file]")).getByText("in another browser").waitFor();
      await dropFiles(other.page, [large]);
      await known.and(other.page.locator("[data-upload=complete]")).waitFor({ timeout: 60_000 });
      expect(resumed[0]).toBeGreaterThan(0);

      // Once nothing is under way any more, the list can be put away.
      await other.page.getByRole("button", { name: "Close activity" }).click({ timeout: 60_000 });
      await known.waitFor({ state: "detached" });
      await other.page.getByRole("region", { name: "Activity" }).waitFor({ state: "detached" });
      expect(other.complaints).toEqual([]);
      await other.context.close();
      // The first browser learns that there is nothing to go on with.
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("gridcell").first().waitFor();
      await row.waitFor({ state: "detached" });
    }, 180_000);

    it("goes on by itself after the network was away", async () => {
      const wire = await cable();
      const through = await launch([wire.argument]);
      const { context, page } = await sit(through);
      try {
        await signIn(page);
        await page.goto(`${url()}/productions/${made.production}/library`);
        await page.getByRole("gridcell").first().waitFor();
        const large = join(files.folder, "B003C001_large.bin");
        const file = await open(large, "w");
        await file.truncate(96 * 1024 * 1024);
        await file.close();
        const network = await context.newCDPSession(page);
        await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 8 * 1024 * 1024 });
        const offsets: number[] = [];
        page.on("request", (request) => {
          if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
        });
        await page.getByRole("button", { name: "Activity" }).first().click();
        await dropFiles(page, [large]);
        const row = page.locator("[data-upload]").filter({ hasText: "B003C001_large.bin" });
        await row.getByText(/left/).waitFor({ timeout: 20_000 });
        wire.pull();
        await row.and(page.locator("[data-upload=offline]")).waitFor({ timeout: 20_000 });
        await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
        wire.plug();
        await row.and(page.locator("[data-upload=complete]")).waitFor({ timeout: 60_000 });
        // It went on from what had been acknowledged, not from the beginning.
        expect(offsets[0]).toBe(0);
        expect(offsets.at(-1)).toBeGreaterThan(0);
      } catch (error) {
        await keepPicture(page, "cable");
        throw error;
      } finally {
        await through.close();
        wire.close();
      }
    }, 120_000);

    it("shows a person without a role nothing, not even that there is something", async () => {
      const { page } = seat;
      await page.goto(`${url()}/administration/${made.organisation}/people`);
      await page.getByRole("button", { name: "Add person" }).click();
      await page.getByLabel("Name", { exact: true }).fill("Amara Okafor");
      await page.getByLabel("Login or e-mail").fill("amara@halcyon.example");
      await page.getByRole("dialog").getByRole("button", { name: "Add person" }).click();
      const link = await page.locator("[data-secret]").innerText();
      expect(new URL(link).origin).toBe(url());
      await page.getByRole("button", { name: "Done" }).click();

      const other = await sit(seat.browser);
      const amara = "walnut-harbour-quilt-meadow";
      await other.page.goto(link);
      await other.page.getByRole("heading", { name: "Welcome, Amara Okafor" }).waitFor();
      await other.page.getByLabel("New password", { exact: true }).fill(amara);
      await other.page.getByLabel("New password again").fill(amara);
      await other.page.getByRole("button", { name: "Set password" }).click();
      await other.page.waitForURL(/\/sign-in/);
      await other.page.getByText("Your password is set").waitFor();
      await other.page.getByLabel("Login or e-mail").fill("amara@halcyon.example");
      await other.page.getByRole("button", { name: "Continue" }).click();
      await other.page.getByLabel("Password", { exact: true }).fill(amara);
      await other.page.getByRole("button", { name: "Sign in" }).click();
      await other.page.getByRole("heading", { name: "No productions yet" }).waitFor();
      for (const path of [`/productions/${made.production}/library`, `/productions/${made.production}/assets/${made.asset}`, `/administration/${made.organisation}/people`]) {
        await other.page.goto(`${url()}${path}`);
        await other.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      }
      expect(await other.page.getByText("Your password is set").count()).toBe(0);
      // What her organisation sees of it.
      await page.goto(`${url()}/administration/${made.organisation}/audit`);
      const row = page.getByRole("row").filter({ hasText: "Signed in" }).filter({ hasText: "amara@halcyon.example" });
      await row.first().waitFor();
      expect(other.complaints).toEqual([]);
      await other.context.close();
    });

    it("offers a reader only what a reader may do", async () => {
      const { page } = seat;
      await page.goto(`${url()}/productions/${made.production}/members`);
      await page.getByRole("button", { name: "Add member" }).first().click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Person").selectOption({ label: "Amara Okafor (amara@halcyon.example)" });
      await dialog.getByRole("button", { name: "Add member" }).click();
      await page.getByRole("row").filter({ hasText: "Amara Okafor" }).waitFor();

      const reader = await sit(seat.browser);
      await signIn(reader.page, "amara@halcyon.example", "walnut-harbour-quilt-meadow");
      await reader.page.goto(`${url()}/productions/${made.production}/assets/${made.asset}`);
      await reader.page.getByRole("link", { name: "Download original" }).waitFor();
      expect(await reader.page.getByRole("link", { name: "Members" }).count()).toBe(0);
      expect(await reader.page.getByRole("button", { name: "Actions" }).count()).toBe(0);
      const asked: string[] = [];
      reader.page.on("request", (request) => request.url().includes("/members") && request.resourceType() === "fetch" && asked.push(request.url()));
      await reader.page.goto(`${url()}/productions/${made.production}/members`);
      await reader.page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      expect(asked).toEqual([]);
      expect(reader.complaints).toEqual([]);
      await reader.context.close();
    });

    it("has nothing to complain about: no page error, no refused script or style, no foreign host", () => {
      expect(seat.complaints).toEqual([]);
    });
  });
}
