// The time axis: the filmstrip with mouse and finger, looking closer, and sound without frames.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropFiles, makeFiles, makeSound, seated, signIn, sit, url, type Files } from "./harness";
import { made } from "./outcome";

const asset = () => `${url()}/productions/${made.production}/assets/${made.asset}`;

export function timeline(): void {
  describe("the time axis", () => {
    const seat = seated();
    let files: Files;
    beforeAll(() => {
      files = makeFiles();
    });
    afterAll(() => files?.remove());

    it("shows the filmstrip and looks closer with wheel, keys and buttons", async () => {
      const { page } = seat;
      await page.goto(asset());
      await page.locator("canvas[data-filmstrip=drawn]").waitFor();
      await page.locator("canvas[data-waveform=drawn]").waitFor();
      const part = page.getByRole("slider", { name: "Part that is shown", includeHidden: true });
      const shown = () => part.getAttribute("aria-valuetext");
      expect(await shown()).toBe("10:00:00:00 to 10:00:19:24");

      await page.locator("[data-timeline]").hover();
      await page.mouse.wheel(0, -300);
      await expect.poll(shown).not.toBe("10:00:00:00 to 10:00:19:24");
      await page.getByRole("button", { name: "Show all of it" }).click();
      await expect.poll(shown).toBe("10:00:00:00 to 10:00:19:24");
      await page.getByRole("slider", { name: "Position" }).focus();
      await page.keyboard.press("Home");
      await page.keyboard.press("z");
      await expect.poll(shown).toBe("10:00:00:00 to 10:00:10:00");
      // The view goes along with the playhead.
      await page.keyboard.press("End");
      await expect.poll(shown).toBe("10:00:10:00 to 10:00:19:24");
      await part.focus();
      await page.keyboard.press("Home");
      await expect.poll(shown).toBe("10:00:00:00 to 10:00:10:00");
      await page.keyboard.press("w");
      await expect.poll(shown).toBe("10:00:00:00 to 10:00:19:24");
    });

    it("scrubs under a finger", async () => {
      const phone = await sit(seat.browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
      await signIn(phone.page);
      await phone.page.goto(asset());
      const film = phone.page.locator("canvas[data-filmstrip=drawn]");
      await film.waitFor();
      const box = await film.boundingBox();
      if (!box) throw new Error("no filmstrip");
      await phone.page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
      await expect.poll(() => phone.page.getByLabel("Go to timecode").inputValue()).toMatch(/^10:00:(09|10):/);
      const wire = await phone.context.newCDPSession(phone.page);
      const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...at: number[]) =>
        wire.send("Input.dispatchTouchEvent", { type, touchPoints: at.map((part, id) => ({ x: box.x + box.width * part, y: box.y + box.height / 2, id })) });
      await touch("touchStart", 0.5);
      await touch("touchMove", 0.6);
      await touch("touchMove", 0.75);
      await touch("touchEnd");
      await expect.poll(() => phone.page.getByLabel("Go to timecode").inputValue()).toMatch(/^10:00:(14|15):/);
      // Two fingers that part look closer, and do not scrub.
      await touch("touchStart", 0.4, 0.6);
      await touch("touchMove", 0.3, 0.7);
      await touch("touchMove", 0.1, 0.9);
      await touch("touchEnd");
      const part = phone.page.getByRole("slider", { name: "Part that is shown", includeHidden: true });
      await expect.poll(async () => Number(await part.getAttribute("aria-valuemax"))).toBeGreaterThan(200);
      expect(await phone.page.getByLabel("Go to timecode").inputValue()).toMatch(/^10:00:(14|15):/);
      expect(phone.complaints).toEqual([]);
      await phone.context.close();
    });

    it("writes the length of sound once and the same everywhere, in milliseconds", async () => {
      const { page } = seat;
      await page.goto(`${url()}/productions/${made.production}/library`);
      await page.getByRole("gridcell").first().waitFor();
      await dropFiles(page, [makeSound(files.folder)]);
      await page.getByRole("gridcell").filter({ hasText: "S001T03.wav" }).dblclick({ timeout: 30_000 });
      await page.locator("canvas[data-waveform=drawn]").waitFor({ timeout: 60_000 });
      expect(await page.getByTitle("Duration").innerText()).toBe("/ 00:00:07.337");
      expect(await page.locator("dt", { hasText: "Duration" }).locator("+ dd").innerText()).toBe("00:00:07.337");
      await page.getByRole("slider", { name: "Position" }).focus();
      await page.keyboard.type("2.5");
      await page.keyboard.press("Enter");
      await expect.poll(() => page.getByLabel("Go to time").inputValue()).toBe("00:00:02.500");
      await page.waitForURL(/[?&]t=00:00:02.500/);
      await page.keyboard.press("ArrowRight");
      await expect.poll(() => page.getByLabel("Go to time").inputValue()).toBe("00:00:02.510");
      // There is no picture: neither a filmstrip nor an empty place for one.
      expect(await page.locator("[data-timeline] canvas").count()).toBe(1);
      expect(seat.complaints).toEqual([]);
    }, 120_000);
  });
}
