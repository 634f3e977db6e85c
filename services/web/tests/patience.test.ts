import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { askAgain, isAway, mayRepeat, nextAsking, onWaiting, waitSeconds } from "../src/api/patience";

const away = (headers: Record<string, string> = {}, status = 503) => new Response("<h1>away</h1>", { status, headers });
const nobody = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what may be sent twice", () => {
  it("reads, and makes what a key makes once", () => {
    expect(mayRepeat("GET", "/api/data/v1/session")).toBe(true);
    expect(mayRepeat("POST", "/api/data/v1/organisations")).toBe(true);
    for (const [method, path] of [["POST", "/api/data/v1/session"], ["POST", "/api/data/v1/invitation/account"], ["PATCH", "/api/data/v1/organisations"], ["DELETE", "/api/data/v1/productions/{production_id}"]] as const) {
      expect(mayRepeat(method, path), `${method} ${path}`).toBe(false);
    }
  });

  it("is what the API's description says", () => {
    const schema = readFileSync(new URL("../src/api/schema.ts", import.meta.url), "utf8");
    const [paths = "", operations = ""] = schema.split("export interface operations");
    const keyed = new Set([...operations.matchAll(/\n {4}(\w+): \{\n(.*?)\n {4}\};/gs)].filter(([, , text = ""]) => text.includes('"Idempotency-Key"')).map(([, name]) => name));
    const posts = [...paths.matchAll(/\n {4}"(\/[^"]*)": \{\n(.*?)\n {4}\};/gs)].flatMap(([, path = "", text = ""]) => {
      const name = /post: operations\["(\w+)"\]/.exec(text)?.[1];
      return name ? [[path, keyed.has(name)] as const] : [];
    });
    expect(posts.length).toBeGreaterThan(30);
    for (const [path, hasKey] of posts) expect(mayRepeat("POST", path), path).toBe(hasKey);
  });
});

describe("while Kinora is away", () => {
  it("it is asked after the time that the answer names, and pages know when", async () => {
    const told: (number | undefined)[] = [];
    const end = onWaiting(() => told.push(nextAsking()));
    const began = Date.now();
    const ask = vi.fn(() => Promise.resolve(Response.json({})));
    const asked = askAgain(away({ "Retry-After": "5" }), ask, nobody);
    await vi.advanceTimersByTimeAsync(4999);
    expect(ask).not.toHaveBeenCalled();
    expect(nextAsking()).toBe(began + 5000);
    await vi.advanceTimersByTimeAsync(1);
    expect((await asked).status).toBe(200);
    expect(ask).toHaveBeenCalledTimes(1);
    expect([told.at(-1), nextAsking()]).toEqual([undefined, undefined]);
    end();
  });

  it("it is asked a few times and no longer", async () => {
    const ask = vi.fn(() => Promise.resolve(away({}, 502)));
    const asked = askAgain(away(), ask, nobody);
    await vi.runAllTimersAsync();
    expect((await asked).status).toBe(502);
    expect(ask).toHaveBeenCalledTimes(5);
    expect(nextAsking()).toBeUndefined();
  });

  it("nobody asks for whoever has left", async () => {
    const left = new AbortController();
    const ask = vi.fn(() => Promise.resolve(Response.json({})));
    const asked = askAgain(away(), ask, left.signal).catch((error: unknown) => error);
    left.abort();
    expect(await asked).toMatchObject({ name: "AbortError" });
    await vi.runAllTimersAsync();
    expect(ask).not.toHaveBeenCalled();
    expect(nextAsking()).toBeUndefined();
  });

  it("no answer makes anybody wait for ever, and other answers are none of this", async () => {
    expect([waitSeconds(away({ "Retry-After": "3600" })), waitSeconds(away({ "Retry-After": "soon" })), waitSeconds(away())]).toEqual([10, 2, 2]);
    expect([500, 502, 503, 504, 507, 429].filter(isAway)).toEqual([502, 503, 504]);
    const ask = vi.fn();
    expect((await askAgain(new Response(null, { status: 404 }), ask, nobody)).status).toBe(404);
    expect(ask).not.toHaveBeenCalled();
  });
});

/** The client of a page whose server gives these answers, in turn; and what it was asked. */
async function open(...answers: Response[]) {
  const requests: Request[] = [];
  vi.stubGlobal("location", { origin: "https://kinora.test" });
  vi.stubGlobal("fetch", (request: Request) => {
    requests.push(request);
    const answer = answers.shift();
    if (!answer) throw new Error("asked once too often");
    return Promise.resolve(answer);
  });
  vi.resetModules();
  const { api, unwrap } = await import("../src/api/client");
  return { api, unwrap, requests };
}

describe("requests of the pages", () => {
  it("are read again", async () => {
    const { api, unwrap, requests } = await open(away(), away(), Response.json({ items: [] }));
    const read = unwrap(api.GET("/api/data/v1/productions", {}));
    await vi.runAllTimersAsync();
    expect(await read).toEqual({ items: [] });
    expect(requests).toHaveLength(3);
  });

  it("are made again with the same key", async () => {
    const { api, unwrap, requests } = await open(away(), Response.json({ id: "1" }, { status: 201 }));
    const made = unwrap(api.POST("/api/data/v1/organisations", { body: { name: "Studio" } as never }));
    await vi.runAllTimersAsync();
    expect(await made).toEqual({ id: "1" });
    const keys = requests.map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(['{"name":"Studio"}', '{"name":"Studio"}']);
  });

  it("are not made again without one, and it is said that they are not done", async () => {
    const { api, unwrap, requests } = await open(away({ "Retry-After": "5" }));
    const failed = await unwrap(api.POST("/api/data/v1/session", { body: {} as never })).catch((error: unknown) => error);
    expect(requests).toHaveLength(1);
    const { sentenceOf } = await import("../src/api/problem");
    expect(sentenceOf(failed)).toMatch(/take it as not done, and try again in 5 s/);
  });

  it("say so where it was asked in vain", async () => {
    const { api, unwrap } = await open(...Array.from({ length: 6 }, () => away()));
    const failed = unwrap(api.GET("/api/data/v1/productions", {})).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    const { sentenceOf } = await import("../src/api/problem");
    expect(sentenceOf(await failed)).toMatch(/temporarily unavailable.*asked several times; try again in 2 s/);
  });
});
