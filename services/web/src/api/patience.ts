// Kinora is away for some seconds while another server takes over. What may be sent twice is asked again after the time that
// the answer names, a few times; the pages say so meanwhile. What may not is left to the person.

import type { paths } from "./schema";

/** Times that something is asked again: longer than a takeover of the database, with what each answer takes. */
const MOST_TIMES = 5;
/** Where the answer names no time: seconds. */
const USUAL_SECONDS = 2;
/** Whatever the answer names: seconds. */
const LONGEST_SECONDS = 10;

type HeaderOf<P> = P extends { post: { parameters: { header?: infer H } } } ? NonNullable<H> : never;
/** Addresses whose POST takes an Idempotency-Key: sent twice, it is done once. */
type Creation = { [P in keyof paths]: [HeaderOf<paths[P]>] extends [never] ? never : "Idempotency-Key" extends keyof HeaderOf<paths[P]> ? P : never }[keyof paths];

/** All of them: the compiler misses one that is added, and one that is none. */
const CREATIONS: Record<Creation, true> = {
  "/api/data/v1/account/tokens": true,
  "/api/data/v1/organisations": true,
  "/api/data/v1/organisations/{organisation_id}/people": true,
  "/api/data/v1/organisations/{organisation_id}/people/{person_id}/password-link": true,
  "/api/data/v1/organisations/{organisation_id}/productions": true,
  "/api/data/v1/organisations/{organisation_id}/service-accounts": true,
  "/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens": true,
  "/api/data/v1/organisations/{organisation_id}/sign-on/connections": true,
  "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/certificates": true,
  "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning": true,
  "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules": true,
  "/api/data/v1/organisations/{organisation_id}/sign-on/domains": true,
  "/api/data/v1/organisations/{organisation_id}/support-grants": true,
  "/api/data/v1/productions/{production_id}/invitations": true,
  "/api/data/v1/productions/{production_id}/invitations/{invitation_id}/mail": true,
};

/** Whether a request may be sent twice; `path` as the API's description writes it. */
export const mayRepeat = (method: string, path: string): boolean => method === "GET" || (method === "POST" && path in CREATIONS);

/** Whether an answer says that nobody could answer at this moment. */
export const isAway = (status: number): boolean => status === 502 || status === 503 || status === 504;

/** After how many seconds it is worth asking again. */
export function waitSeconds(answer: Response): number {
  const named = Number(answer.headers.get("Retry-After"));
  return named > 0 ? Math.min(Math.ceil(named), LONGEST_SECONDS) : USUAL_SECONDS;
}

/** When each of those that wait asks again, milliseconds since 1970. */
const waiting = new Map<symbol, number>();
const listeners = new Set<() => void>();
let next: number | undefined;

function tell() {
  next = waiting.size ? Math.min(...waiting.values()) : undefined;
  for (const listener of listeners) listener();
}

/** When the first one asks again; nothing while nobody waits. */
export const nextAsking = (): number | undefined => next;

export function onWaiting(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(new DOMException("nobody waits any more", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, milliseconds);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
}

/** Asks again and again while Kinora is away, and gives the last answer. */
export async function askAgain(first: Response, ask: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  const one = Symbol("waiting");
  let answer = first;
  try {
    for (let times = 0; isAway(answer.status) && times < MOST_TIMES; times += 1) {
      const milliseconds = waitSeconds(answer) * 1000;
      waiting.set(one, Date.now() + milliseconds);
      tell();
      await pause(milliseconds, signal);
      answer = await ask();
    }
  } finally {
    if (waiting.delete(one)) tell();
  }
  return answer;
}
