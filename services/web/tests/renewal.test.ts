import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { changeHeaders, forgetSession, isOutdated, keepSession, renewSession, whileConfirming } from "../src/api/renewal";

const ADA = { csrf_token: "former", person: { id: "ada" } };
const SIGN_IN = "urn:kinora:problem:sign-in-required";
const CROSS_SITE = "urn:kinora:problem:cross-site";

/** Answers of the server, in turn: a session, or a status. */
function serve(...answers: (typeof ADA | number)[]) {
  const fetch = vi.fn(() => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error("asked once too often");
    return Promise.resolve(typeof answer === "number" ? new Response(null, { status: answer }) : Response.json(answer));
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

/** Locks of a browser, as far as they are used: one name, shared or not. */
function makeLocks() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_name: string, ...rest: unknown[]) => {
      const act = rest.at(-1) as () => unknown;
      const done = last.then(act);
      last = done.catch(() => undefined);
      return done;
    },
  };
}

describe("a session that has another token now", () => {
  beforeEach(() => {
    vi.stubGlobal("navigator", { locks: makeLocks() });
    vi.useFakeTimers();
    keepSession(ADA);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is asked for once by all that were refused", async () => {
    const fetch = serve({ ...ADA, csrf_token: "next" });
    expect(await Promise.all([renewSession(), renewSession(), renewSession()])).toEqual([true, true, true]);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(changeHeaders()).toEqual({ "X-CSRF-Token": "next" });
  });

  it("is nobody else's: what one person began is not done by another", async () => {
    serve({ csrf_token: "theirs", person: { id: "eve" } });
    expect(await renewSession()).toBe(false);
    expect(changeHeaders()).toEqual({ "X-CSRF-Token": "former" });
  });

  it("is asked for again where the answer with its cookie is still on its way", async () => {
    const fetch = serve(401, { ...ADA, csrf_token: "next" });
    const renewed = renewSession();
    await vi.runAllTimersAsync();
    expect(await renewed).toBe(true);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("has ended where nobody is signed in", async () => {
    const fetch = serve(401, 401);
    const renewed = renewSession();
    await vi.runAllTimersAsync();
    expect(await renewed).toBe(false);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("is waited for while another tab confirms", async () => {
    const fetch = serve({ ...ADA, csrf_token: "next" });
    const waiting: (() => void)[] = [];
    const confirming = whileConfirming(
      () =>
        new Promise<void>((resolve) => {
          waiting.push(resolve);
        }),
    );
    const renewed = renewSession();
    await vi.runAllTimersAsync();
    expect(fetch).not.toHaveBeenCalled();
    for (const finish of waiting) finish();
    await confirming;
    expect(await renewed).toBe(true);
  });

  it("is told from other refusals", () => {
    expect([isOutdated(401, SIGN_IN), isOutdated(403, CROSS_SITE)]).toEqual([true, true]);
    for (const [status, type] of [[401, "urn:kinora:problem:sign-in-failed"], [403, "urn:kinora:problem:forbidden"], [403, undefined], [200, undefined], [404, SIGN_IN]] as const) {
      expect(isOutdated(status, type), `${status} ${type}`).toBe(false);
    }
    forgetSession();
    // Whoever was not signed in has nothing to renew.
    expect(isOutdated(401, SIGN_IN)).toBe(false);
  });
});
