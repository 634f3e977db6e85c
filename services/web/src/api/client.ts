// The one way to the Data API: typed by the OpenAPI document, with CSRF token, ETags and errors
// taken care of.

import createClient, { type Middleware } from "openapi-fetch";
import { askForConfirmation } from "./confirmation";
import type { paths } from "./schema";
import { askAgain, isAway, mayRepeat, waitSeconds } from "./patience";
import { AwayError, OfflineError, ProblemError, type ProblemLike } from "./problem";
import { changeHeaders, isOutdated, renewSession } from "./renewal";

/** The condition of a change: it holds for the revision that was read. */
export const ifMatch = (revision: number) => ({ "If-Match": `"${revision}"` });

const conventions: Middleware = {
  onRequest({ request }) {
    if (request.method === "GET") return request;
    for (const [name, value] of Object.entries(changeHeaders())) request.headers.set(name, value);
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    return request;
  },
};

/** Requests under way, to be sent again with the session's new token, should the person have to confirm first, or while Kinora is away. */
const again = new Map<string, Request>();
/** Answers to requests that change nothing. */
const readings = new WeakSet<Response>();

const repetition: Middleware = {
  onRequest({ request, id }) {
    again.set(id, request.clone());
    return undefined;
  },
  async onResponse({ response, schemaPath, id }) {
    const request = again.get(id);
    again.delete(id);
    if (!request) return undefined;
    let answer = mayRepeat(request.method, schemaPath) ? await askAgain(response, () => repeat(request.clone()), request.signal) : response;
    if (request.method === "GET") readings.add(answer);
    if (isOutdated(answer.status, await typeOf(answer)) && (await renewed())) answer = await repeat(request.clone());
    if (!(await typeOf(answer))?.endsWith(":step-up-required")) return answer;
    return (await askForConfirmation()) ? repeat(request) : answer;
  },
  onError({ id }) {
    again.delete(id);
  },
};

/** The type of the problem that an answer tells of. */
async function typeOf(response: Response): Promise<string | undefined> {
  if (response.status !== 401 && response.status !== 403) return undefined;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return isProblem(body) ? body.type : undefined;
}

/** Without an answer the refusal stands. */
const renewed = () => renewSession().catch(() => false);

/** Sends a request again, with the token that is good now. */
function repeat(request: Request): Promise<Response> {
  if (request.method !== "GET") for (const [name, value] of Object.entries(changeHeaders())) request.headers.set(name, value);
  return fetch(request);
}

export const api = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });
api.use(conventions, repetition);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function isProblem(body: unknown): body is ProblemLike {
  return typeof body === "object" && body !== null && "title" in body && "status" in body;
}

/** Gives the answer's body, or throws a ProblemError, AwayError or OfflineError. */
export async function unwrap<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError("no answer", { cause: error });
  }
  if (answer.response.ok) return answer.data as T;
  const wait = Number(answer.response.headers.get("Retry-After")) || undefined;
  const { status, statusText } = answer.response;
  // A proxy in front may answer with a page of its own.
  const problem: ProblemLike = isProblem(answer.error) ? answer.error : { type: `urn:kinora:problem:http-${status}`, title: statusText || `HTTP ${status}`, status };
  if (isAway(status)) throw new AwayError(problem, waitSeconds(answer.response), !readings.has(answer.response));
  throw new ProblemError(problem, wait);
}
