// Work in a library: uploads that pause, processing that is cancelled and goes on, lists in another order, assets that get another name and go;
// and the sessions of whoever does it.

import { execFileSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropFiles, makeFiles, seated, signIn, sit, url, type Files } from "./harness";
import { made } from "./outcome";

const library = () => `${url()}/productions/${made.production}/library`;

/** One of many assets. */
const number = (at: number) => `Many ${String(at).padStart(4, "0")}`;
const tile = (page: Page, name: string) => page.getByRole("gridcell").filter({ hasText: name });
/** Names of the assets that are shown, in their order, of those that are known here. */
const names = async (page: Page, known: string[]) => (await page.getByRole("gridcell").allTextContents()).map((text) => known.find((name) => text.includes(name)) ?? text);

/** The camera file many times over: long enough that its processing does not end under one's hands. */
function makeLong({ folder, camera }: Files): string {
  const long = join(folder, "C001C001_long.mov");
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", "-stream_loop", "5", "-i", camera, "-map", "0:v", "-map", "0:a", "-c", "copy", long], { stdio: ["ignore", "inherit", "inherit"] });
  return long;
}

async function makeSized(folder: string, name: string, mebibytes: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, "w");
  await file.truncate(mebibytes * 1024 * 1024);
  await file.close();
  return path;
}

export function workInLibrary(): void {
  describe("work in a library", () => {
    const seat = seated();
    let files: Files;
    let line: (uploadThroughput: number) => Promise<unknown>;

    beforeAll(async () => {
      files = makeFiles();
      const wire = await seat.context.newCDPSession(seat.page);
      line = (uploadThroughput) => wire.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
    });
    afterAll(() => files?.remove());

    it("pauses an upload, alone and with all others, and goes on from where it was", async () => {
      const { page } = seat;
      await page.goto(library());
      await page.getByRole("gridcell").first().waitFor();
      const [large, small] = [await makeSized(files.folder, "D001C001_large.bin", 96), await makeSized(files.folder, "D002C001_small.bin", 1)];
      const sent: { address: string; offset: number }[] = [];
      page.on("request", (request) => {
        if (request.method() === "PATCH") sent.push({ address: request.url(), offset: Number(request.headers()["upload-offset"]) });
      });
      await line(4 * 1024 * 1024);
      await page.getByRole("button", { name: "Activity" }).first().click();
      await dropFiles(page, [large]);
      const row = page.locator("[data-upload]").filter({ hasText: "D001C001_large.bin" });
      await row.getByText(/left/).waitFor();
      await row.getByRole("button", { name: "Pause" }).click();
      await row.and(page.locator("[data-upload=paused]")).getByText("Paused").waitFor();
      const address = sent[0]?.address;
      const before = sent.length;
      expect([before, sent[0]?.offset]).toEqual([1, 0]);
      // Another one goes all its way meanwhile; the one that is paused stays where it is.
      await dropFiles(page, [small]);
      await page.locator("[data-upload=complete]").filter({ hasText: "D002C001_small.bin" }).waitFor();
      expect(sent.slice(before).filter((request) => request.address === address)).toEqual([]);
      expect(await row.getAttribute("data-upload")).toBe("paused");

      await row.getByRole("button", { name: "Resume" }).click();
      await row.getByText(/left/).waitFor();
      await page.getByRole("button", { name: "Pause all" }).click();
      await row.and(page.locator("[data-upload=paused]")).waitFor();
      await line(-1);
      await page.getByRole("button", { name: "Resume all" }).click();
      await row.and(page.locator("[data-upload=complete]")).waitFor();
      const offsets = sent.filter((request) => request.address === address).map(({ offset }) => offset);
      // Each time from what had been acknowledged, never again from the beginning.
      expect(offsets.length).toBeGreaterThanOrEqual(3);
      expect(offsets[1]).toBeGreaterThan(0);
      expect(offsets.at(-1)).toBeGreaterThan(offsets[1] ?? 0);
      expect(seat.complaints).toEqual([]);
    }, 120_000);

    it("cancels the processing of a file, and restarts one step of it alone", async () => {
      const { page } = seat;
      await page.goto(library());
      await page.getByRole("gridcell").first().waitFor();
      await dropFiles(page, [makeLong(files)]);
      // How far it is stands in the list as well, and comes with the stream: nothing is loaded again for it.
      await tile(page, "C001C001_long.mov").getByText(/^Processing \d+ %$/).waitFor({ timeout: 60_000 });
      await tile(page, "C001C001_long.mov").dblclick();
      await page.getByRole("tab", { name: /Processing/ }).click();
      const step = (name: string, state: string) => page.locator(`[data-step=${name}][data-state=${state}]`);
      await step("render", "running").waitFor({ timeout: 60_000 });
      await step("render", "running").getByText(/^\d+ %/).waitFor();
      await step("render", "running").getByText(/^[\d.]+× · .+ left$/).waitFor();
      const head = page.locator("header", { has: page.getByRole("heading", { level: 1, name: "C001C001_long.mov" }) });
      await head.getByText(/^Processing \d+ %$/).waitFor();
      await page.getByRole("button", { name: "Cancel processing" }).click();
      await page.getByRole("heading", { name: "Ingest: Cancelled" }).waitFor({ timeout: 30_000 });
      await step("render", "cancelled").getByText("Cancelled").waitFor();
      // What was done before stays done, and offers nothing.
      expect(await step("probe", "done").getByRole("button", { name: "Restart this step" }).count()).toBe(0);
      await page.getByText("Its processing was cancelled").waitFor();

      // It is found by its state, alone.
      await page.goto(library());
      await page.getByRole("combobox", { name: "Status" }).selectOption("cancelled");
      await page.waitForURL(/[?&]status=cancelled/);
      await expect.poll(() => names(page, ["C001C001_long.mov"])).toEqual(["C001C001_long.mov"]);
      await tile(page, "C001C001_long.mov").dblclick();
      await page.getByRole("tab", { name: /Processing/ }).click();
      await step("render", "cancelled").getByRole("button", { name: "Restart this step" }).click();
      await step("publish", "done").waitFor({ timeout: 120_000 });
      await step("render", "done").getByText("attempt 2").waitFor();
      // Alone: what was done before was not done again.
      expect(await step("probe", "done").getByText("attempt").count()).toBe(0);
      await page.locator("video").waitFor();
      expect(seat.complaints).toEqual([]);
    }, 240_000);

    it("shows a library in another order, and part of it", async () => {
      const { page } = seat;
      const known = ["A001C001_260511_R1VK.mov", "B002C001_large.bin", "B003C001_large.bin", "B004C001_large.bin", "C001C001_long.mov", "D001C001_large.bin", "D002C001_small.bin", "S001T03.wav"];
      await page.goto(library());
      await page.getByRole("gridcell").first().waitFor();
      await page.getByRole("combobox", { name: "Sort by" }).selectOption("name");
      await page.waitForURL(/[?&]sort=name/);
      await expect.poll(() => names(page, known)).toEqual(known);
      await page.getByRole("button", { name: "Ascending" }).click();
      await page.waitForURL(/[?&]sort=-name/);
      await expect.poll(() => names(page, known)).toEqual(known.toReversed());
      await page.getByRole("combobox", { name: "Status" }).selectOption("failed");
      await page.waitForURL(/[?&]status=failed/);
      await expect.poll(() => names(page, known)).toEqual(known.filter((name) => name.endsWith(".bin")).toReversed());
      // The address is all that it takes to see the same.
      await page.reload();
      await expect.poll(() => names(page, known)).toEqual(known.filter((name) => name.endsWith(".bin")).toReversed());
      await page.getByRole("combobox", { name: "Kind" }).selectOption("still");
      await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
      await page.getByRole("button", { name: "Clear search and filters" }).click();
      await expect.poll(() => names(page, known)).toEqual(known.toReversed());
    });

    it("draws of a library of thousands only what is in view, to its end", async () => {
      const { page } = seat;
      const [pages, each] = [20, 100];
      // The server's own first page, its assets many times over.
      const list = /\/api\/data\/v1\/productions\/[^/]+\/assets\?/;
      await page.route(list, async (route) => {
        const asked = new URL(route.request().url());
        const at = Number(asked.searchParams.get("cursor") ?? 0);
        asked.searchParams.delete("cursor");
        const answer = await route.fetch({ url: asked.href });
        const { items } = (await answer.json()) as { items: { id: string; name: string }[] };
        const many = Array.from({ length: each }, (_, index) => ({ ...items[index % items.length], id: crypto.randomUUID(), name: number(at * each + index) }));
        await route.fulfill({ response: answer, json: { items: many, next_cursor: at + 1 < pages ? String(at + 1) : null } });
      });
      const cells = page.getByRole("gridcell");
      await page.goto(library());
      await tile(page, number(0)).waitFor();
      const scroll = (to: "end" | "begin") => page.getByRole("grid").evaluate((grid, end) => grid.scrollTo({ top: end === "end" ? grid.scrollHeight : 0 }), to);
      const most = async () => expect(await cells.count()).toBeLessThan(100);
      await most();
      // Each time the end of what has been loaded, until there is no more.
      await expect
        .poll(async () => {
          await scroll("end");
          await most();
          return tile(page, number(pages * each - 1)).count();
        })
        .toBe(1);
      expect(await tile(page, number(0)).count()).toBe(0);
      await scroll("begin");
      await tile(page, number(0)).waitFor();
      await most();
      await page.unroute(list);
      expect(seat.complaints).toEqual([]);
    });

    it("gives an asset another name, and removes it", async () => {
      const { page } = seat;
      await page.goto(library());
      await tile(page, "C001C001_long.mov").dblclick();
      await page.waitForURL(/\/assets\//);
      const address = new URL(page.url()).pathname;
      const actions = page.getByRole("button", { name: "Actions", exact: true });
      await actions.click();
      await page.getByRole("menuitem", { name: "Rename" }).click();
      const renaming = page.getByRole("dialog", { name: "Rename asset" });
      await renaming.getByLabel("Name").fill("Harbour at dusk");
      await renaming.getByRole("button", { name: "Rename" }).click();
      await page.getByRole("heading", { level: 1, name: "Harbour at dusk" }).waitFor();
      // What was delivered keeps its name.
      await page.getByRole("tab", { name: "Information" }).click();
      await page.locator("dt", { hasText: "File name" }).locator("+ dd").filter({ hasText: "C001C001_long.mov" }).waitFor();
      await page.goto(library());
      await tile(page, "Harbour at dusk").waitFor();
      // Somebody else looks at the list meanwhile.
      const other = await sit(seat.browser);
      await signIn(other.page);
      await other.page.goto(library());
      await tile(other.page, "Harbour at dusk").waitFor();

      await tile(page, "Harbour at dusk").dblclick();
      await actions.click();
      await page.getByRole("menuitem", { name: "Remove" }).click();
      await page.getByRole("alertdialog", { name: "Remove “Harbour at dusk”?" }).getByRole("button", { name: "Remove" }).click();
      await page.waitForURL(/\/library/);
      await page.getByRole("gridcell").first().waitFor();
      await tile(page, "Harbour at dusk").waitFor({ state: "detached" });
      await tile(other.page, "Harbour at dusk").waitFor({ state: "detached" });
      await page.goto(`${url()}${address}`);
      await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
      for (const one of [seat, other]) expect(one.complaints).toEqual([]);
      await other.context.close();
    });

    it("lists where one is signed in, and ends a session elsewhere", async () => {
      const { page } = seat;
      const lost = await sit(seat.browser, { userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0" });
      await signIn(lost.page);
      await page.goto(`${url()}/account`);
      await page.getByRole("listitem").filter({ hasText: "this one" }).waitFor();
      const listed = page.getByRole("listitem").filter({ hasText: "Firefox · Windows" });
      await listed.getByText("signed in").waitFor();
      // One's own is ended by signing out.
      expect(await page.getByRole("listitem").filter({ hasText: "this one" }).getByRole("button").count()).toBe(0);
      await listed.getByRole("button", { name: "End the session Firefox · Windows" }).click();
      await page.getByText("Session ended.").waitFor();
      await listed.waitFor({ state: "detached" });
      await expect
        .poll(async () => {
          await lost.page.goto(`${url()}/productions`);
          await lost.page.locator("h1").first().waitFor();
          return new URL(lost.page.url()).pathname;
        })
        .toBe("/sign-in");
      await page.reload();
      await page.getByRole("listitem").filter({ hasText: "this one" }).waitFor();
      for (const one of [seat, lost]) expect(one.complaints).toEqual([]);
      await lost.context.close();
    });
  });
}
