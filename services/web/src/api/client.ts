// The one way to the Data API: typed by the OpenAPI document, with CSRF token, ETags and errors
// taken care of.

import createClient, { type Middleware } from "openapi-fetch";
import { askForConfirmation } from "./confirmation";
import type { paths } from "./schema";
import { OfflineError, ProblemError, type ProblemLike } from "./problem";

let csrfToken = "";

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Headers that a request which changes something must carry. */
export function changeHeaders(): Record<string, string> {
  return csrfToken ? { "X-CSRF-Token": csrfToken } : {};
}

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

/** Requests under way, to be sent again should the person have to confirm first. */
const again = new Map<string, Request>();

const confirmation: Middleware = {
  onRequest({ request, id }) {
    again.set(id, request.clone());
    return undefined;
  },
  async onResponse({ response, id }) {
    const request = again.get(id);
    again.delete(id);
    if (!request || response.status !== 403) return undefined;
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined);
    if (!isProblem(body) || !body.type.endsWith(":step-up-required")) return undefined;
    return (await askForConfirmation()) ? fetch(request) : undefined;
  },
  onError({ id }) {
    again.delete(id);
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });
api.use(conventions, confirmation);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function isProblem(body: unknown): body is ProblemLike {
  return typeof body === "object" && body !== null && "title" in body && "status" in body;
}

/** Gives the answer's body, or throws a ProblemError or OfflineError. */
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
  if (status === 502 || status === 503 || status === 504) throw new OfflineError("server away", { cause: problem });
  throw new ProblemError(problem, wait);
}
