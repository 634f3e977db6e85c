// The outcome's last part in Firefox: signing in holds, and what was uploaded plays.
//
// Spoken to in WebDriver BiDi (W3C), which Debian's own Firefox understands; Playwright drives only a Firefox that it built itself.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { login, PASSWORD, url } from "./harness";
import { made } from "./outcome";

// As WebDriver names keys that write nothing.
const ENTER = "\uE007";
const programs = [process.env.KINORA_FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];

interface Answer {
  id: number;
  type: string;
  message?: string;
  result: Record<string, unknown>;
}

/** A Firefox with one window, in a profile of its own. */
class Firefox {
  private count = 0;
  private window = "";

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {}

  static async launch(): Promise<Firefox> {
    const program = programs.find((path): path is string => !!path && existsSync(path));
    if (!program) throw new Error("There is no Firefox: install the package firefox-esr, or name one in KINORA_FIREFOX.");
    const profile = mkdtempSync(join(tmpdir(), "kinora-firefox-"));
    // With 0 it takes a free port, and says which. It ends with these tests, however they end.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"], { stdio: ["ignore", "ignore", "pipe"] });
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
        if (found) resolve(found);
      });
      child.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    });
    const socket = new WebSocket(`${address}/session`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error(`Firefox does not answer at ${address}`)));
    });
    const firefox = new Firefox(child, profile, socket);
    await firefox.send("session.new", { capabilities: {} });
    const { context } = await firefox.send("browsingContext.create", { type: "window" });
    firefox.window = context as string;
    return firefox;
  }

  private send(method: string, params: object): Promise<Record<string, unknown>> {
    this.count += 1;
    const id = this.count;
    return new Promise((resolve, reject) => {
      const listen = ({ data }: MessageEvent<string>) => {
        const answer = JSON.parse(data) as Answer;
        if (answer.id !== id) return;
        this.socket.removeEventListener("message", listen);
        if (answer.type === "success") resolve(answer.result);
        else reject(new Error(`${method}: ${answer.message}`));
      };
      this.socket.addEventListener("message", listen);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async goto(address: string): Promise<void> {
    await this.send("browsingContext.navigate", { context: this.window, url: address, wait: "complete" });
  }

  /** What an expression is in the page; a page that goes away meanwhile answers nothing. */
  async ask(expression: string): Promise<unknown> {
    try {
      const answer = await this.send("script.evaluate", { expression, target: { context: this.window }, awaitPromise: true });
      return (answer as { result?: { value?: unknown } }).result?.value;
    } catch {
      return undefined;
    }
  }

  /** Waits for what is to become true in the page. */
  until(expression: string): Promise<void> {
    return expect.poll(() => this.ask(expression)).toBe(true);
  }

  /** Types at the keyboard, as people do: what a script presses may not begin to play. */
  private async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
    await this.send("input.performActions", { context: this.window, actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Types into the field with this label. */
  async fill(label: string, text: string): Promise<void> {
    const field = `[...document.querySelectorAll("label")].find((each) => each.textContent.trim() === ${JSON.stringify(label)})?.control`;
    await this.until(`!!${field}`);
    await this.ask(`${field}.focus()`);
    await this.type(text);
  }

  /** Presses the button with this name. */
  async press(name: string): Promise<void> {
    const button = `[...document.querySelectorAll("button")].find((each) => (each.ariaLabel ?? each.textContent).trim() === ${JSON.stringify(name)})`;
    await this.until(`!!${button} && !${button}.disabled`);
    await this.ask(`${button}.focus()`);
    await this.type(ENTER);
  }

  /** Names of the cookies that it has, those that no script sees among them. */
  async cookies(): Promise<string[]> {
    const { cookies } = await this.send("storage.getCookies", { partition: { type: "context", context: this.window } });
    return (cookies as { name: string }[]).map(({ name }) => name);
  }

  close(): void {
    this.socket.close();
    this.process.kill("SIGKILL");
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

export function inFirefox(): void {
  describe("Firefox", () => {
    let firefox: Firefox;
    beforeAll(async () => {
      firefox = await Firefox.launch();
    });
    afterAll(() => firefox?.close());

    it("keeps somebody signed in, whose cookie no script can read", async () => {
      await firefox.goto(`${url()}/sign-in`);
      await firefox.fill("Login or e-mail", login());
      await firefox.press("Continue");
      await firefox.fill("Password", PASSWORD);
      await firefox.press("Sign in");
      const isIn = `!location.pathname.startsWith("/sign-in") && document.body.textContent.includes("The Salt Road")`;
      await firefox.until(isIn);
      await firefox.goto(url());
      await firefox.until(isIn);
      expect(await firefox.cookies()).toContain("__Host-kinora");
      expect(await firefox.ask("document.cookie")).not.toContain("__Host-");
    });

    it("plays what was uploaded", async () => {
      await firefox.goto(`${url()}/productions/${made.production}/assets/${made.asset}`);
      await firefox.press("Play");
      const played = `(({ error, currentTime }) => error?.message ?? currentTime > 0.5)(document.querySelector("video") ?? {})`;
      await expect.poll(() => firefox.ask(played)).toBe(true);
    });
  });
}
