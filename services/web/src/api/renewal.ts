// The session's cookie and CSRF token, which change when the session is confirmed or the person signs in anew, perhaps in
// another tab. A request that was sent with the former ones is refused, and changes nothing: the session is asked for once,
// and the request sent again.

export interface Renewable {
  csrf_token: string;
  person: { id: string };
}

/** How long an answer that sets the cookie may still be on its way to the browser, milliseconds. */
const ON_ITS_WAY_MS = 1000;
/** Held while a tab confirms: the answer brings the cookie for all of them. */
const CONFIRMING = "kinora-confirming";

let csrfToken = "";
let personId = "";
let asking: Promise<boolean> | undefined;

export function keepSession(session: Renewable): void {
  csrfToken = session.csrf_token;
  personId = session.person.id;
}

export function forgetSession(): void {
  csrfToken = "";
  personId = "";
}

/** The token that came with a confirmation. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Headers that a request which changes something must carry. */
export function changeHeaders(): Record<string, string> {
  return csrfToken ? { "X-CSRF-Token": csrfToken } : {};
}

/** Runs what gives the session another cookie; requests of other tabs that are refused meanwhile wait for it. */
export const whileConfirming = <T>(act: () => Promise<T>): Promise<T> => (navigator.locks ? (navigator.locks.request(CONFIRMING, act) as Promise<T>) : act());

/** Whether an answer may only say that the request came with a former cookie or CSRF token. */
export function isOutdated(status: number, problemType: string | undefined): boolean {
  if (!personId) return false;
  return (status === 401 && problemType?.endsWith(":sign-in-required")) || (status === 403 && problemType?.endsWith(":cross-site")) || false;
}

/** Asks for the session, once for all that wait; whether the same person is still signed in, with a token that is good now. */
export function renewSession(): Promise<boolean> {
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask(): Promise<boolean> {
  await navigator.locks?.request(CONFIRMING, { mode: "shared" }, () => undefined);
  const found = await read();
  if (found !== undefined) return found;
  // A confirmation at the identity provider holds no lock: its answer is a page.
  await new Promise((resolve) => {
    setTimeout(resolve, ON_ITS_WAY_MS);
  });
  return (await read()) ?? false;
}

/** Whether it is the same person's; undefined: nobody is signed in. */
async function read(): Promise<boolean | undefined> {
  const answer = await fetch("/api/data/v1/session", { credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401) return undefined;
  if (!answer.ok) throw new Error(`the session cannot be read: ${answer.status}`);
  const session = (await answer.json()) as Renewable;
  // What somebody has begun is not to be done in the name of who has signed in since.
  if (session.person.id !== personId) return false;
  csrfToken = session.csrf_token;
  return true;
}
