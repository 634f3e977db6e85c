// What the browser tests share: the browser, people at it, and a camera file.
//
// They run beside a whole product (`kinora-devstack with … -- npm run test:browser`) and find it by
// KINORA_URL, KINORA_LOGIN, KINORA_ONE_TIME_PASSWORD and KINORA_DIRECTORY; KINORA_PROGRAMS says where its programs are.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this beside a product, with \`kinora-devstack with … -- npm run test:browser\``);
  return value;
}

export const url = () => needed("KINORA_URL").replace(/\/$/, "");
export const login = () => needed("KINORA_LOGIN");
/** Where the mail relay puts what it was given. */
export const mailDirectory = () => needed("KINORA_MAIL");
export const oneTimePassword = () => needed("KINORA_ONE_TIME_PASSWORD");
/** The link in the newest mail to an address that leads to a page, when it is there; another one than `before`. */
export async function linkTo(address: string, path: string, before?: string): Promise<string> {
  for (;;) {
    for (const name of readdirSync(mailDirectory()).filter((file) => file.endsWith(".json")).toSorted().toReversed()) {
      const { to, plain } = JSON.parse(readFileSync(join(mailDirectory(), name), "utf8")) as { to: string[]; plain: string };
      const link = new RegExp(`^\\S+/${path}#\\S+$`, "m").exec(plain)?.[0];
      if (link && link !== before && to.includes(address)) return link;
    }
    // The test's own time limit ends this.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** A command of the operator, with what it needs to find the product's database. */
export function operate(...words: string[]): void {
  const directory = needed("KINORA_DIRECTORY");
  const settings = readdirSync(join(directory, "settings")).find((name) => name.startsWith("application"));
  const server = ["--settings", join(directory, "settings", settings ?? ""), "--credentials", join(directory, "credentials/application")];
  execFileSync(join(needed("KINORA_PROGRAMS"), "kinoractl"), [...words, ...server], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Chosen by the first test, used by all others. */
export const PASSWORD = "granite-lantern-tobacco-fjord";

const chromes = [process.env.KINORA_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function launch(extra: string[] = []): Promise<Browser> {
  const executablePath = chromes.find((path): path is string => !!path && existsSync(path));
  if (!executablePath) throw new Error("There is no Chromium: install the package chromium, or name one in KINORA_CHROMIUM.");
  return chromium.launch({
    executablePath,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--autoplay-policy=no-user-gesture-required",
      ...extra,
    ],
  });
}

export interface Seat {
  browser: Browser;
  context: BrowserContext;
  page: Page;
  /** What the browser complained about: page errors, and whatever the content security policy refused. */
  complaints: string[];
}

export async function sit(browser: Browser, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Seat> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(url()).origin && !/^(data|blob):/.test(request.url())) complaints.push(`foreign host: ${request.url()}`);
  });
  return { browser, context, page, complaints };
}

/**
 * Somebody who sits there from the first test of a group on, in a browser of their own, signed in unless `enter` does something else.
 * A picture is kept of each test that fails.
 */
export function seated(enter: (page: Page) => Promise<unknown> = (page) => signIn(page)): Seat {
  const seat = {} as Seat;
  beforeAll(async () => {
    Object.assign(seat, await sit(await launch()));
    await enter(seat.page);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await keepPicture(seat.page, task.name);
  });
  afterAll(() => seat.browser?.close());
  return seat;
}

export async function signIn(page: Page, who = login(), password = PASSWORD): Promise<void> {
  await page.goto(`${url()}/sign-in`);
  await page.getByLabel("Login or e-mail").fill(who);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
}

export interface Cable {
  /** For a browser that is to go through it. The address stays the same: the product checks where requests come from. */
  argument: string;
  pull: () => void;
  plug: () => void;
  close: () => void;
}

/** A cable between browser and product that can be pulled out in the middle of a transfer. */
export async function cable(): Promise<Cable> {
  const target = new URL(url());
  const ends = new Set<Socket>();
  let pulled = false;
  const server = createServer((near) => {
    if (pulled) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [end, other] of [[near, far], [far, near]] as const) {
      ends.add(end);
      end.pipe(other);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        ends.delete(end);
        other.destroy();
      });
    }
    return undefined;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    argument: `--host-resolver-rules=MAP localhost:${target.port} 127.0.0.1:${(server.address() as AddressInfo).port}`,
    pull: () => {
      pulled = true;
      for (const end of ends) end.destroy();
    },
    plug: () => {
      pulled = false;
    },
    close: () => {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}

/** Keeps a picture of the page of a test that failed, where KINORA_PICTURES says. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.KINORA_PICTURES;
  if (folder) await page.screenshot({ path: join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`) });
}

export interface Files {
  folder: string;
  camera: string;
  remove: () => void;
}

/** A camera file with timecode, sound and three shots, 20 seconds long. */
export function makeFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), "kinora-browser-"));
  const camera = join(folder, "A001C001_260511_R1VK.mov");
  const shots = ["testsrc2=s=640x360:r=25:d=8", "smptehdbars=s=640x360:r=25:d=6", "mandelbrot=s=640x360:r=25"].flatMap((source) => ["-f", "lavfi", "-t", source.includes("mandelbrot") ? "6" : "8", "-i", source]);
  execFileSync(
    "ffmpeg",
    [
      ...["-hide_banner", "-loglevel", "error", "-y"],
      ...shots,
      ...["-f", "lavfi", "-t", "20", "-i", "sine=frequency=440:sample_rate=48000,volume='abs(sin(t))':eval=frame"],
      ...["-filter_complex", "[0:v][1:v][2:v]concat=n=3:v=1[v]", "-map", "[v]", "-map", "3:a"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le", "-t", "20"],
      ...["-timecode", "10:00:00:00", "-metadata", "reel_name=A001", camera],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  return { folder, camera, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Sound whose length is no whole number of frames or hundredths: 7.337 seconds. */
export function makeSound(folder: string): string {
  const sound = join(folder, "S001T03.wav");
  execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-t", "7.337", "-i", "sine=frequency=330:sample_rate=48000", "-c:a", "pcm_s24le", sound], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return sound;
}

/** Drops files of this machine on the page, as a person would from the file manager. */
export async function dropFiles(page: Page, paths: string[]): Promise<void> {
  // Files that are too large for a message go through a file chooser of the test's own.
  const input = await page.evaluateHandle(() => {
    const made = document.createElement("input");
    made.type = "file";
    made.multiple = true;
    document.body.append(made);
    return made;
  });
  await input.asElement()?.setInputFiles(paths);
  await input.evaluate((element) => {
    const transfer = new DataTransfer();
    for (const file of (element as HTMLInputElement).files ?? []) transfer.items.add(file);
    element.remove();
    for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    }
  });
}
