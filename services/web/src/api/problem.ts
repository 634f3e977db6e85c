// What can go wrong with a request, as the pages handle it.

import type { Problem } from "./types";
import { m } from "../messages";

/** A proxy in front of the application answers without our details. */
export type ProblemLike = Pick<Problem, "type" | "title" | "status"> & Partial<Problem>;

/** An answer that is not the one hoped for: RFC 9457 problem details. */
export class ProblemError extends Error {
  readonly problem: ProblemLike;
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: ProblemLike, retryAfterSeconds?: number) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The last part of the problem's type: "not-found" for urn:kinora:problem:not-found. */
  get slug(): string {
    return this.problem.type.split(":").at(-1) ?? "";
  }

  get status(): number {
    return this.problem.status;
  }

  /** Sentences by field name, for forms. */
  get fields(): Record<string, string> {
    const entries = (this.problem.errors ?? []).map(({ pointer, detail }) => [pointer?.replace(/^\//, "") ?? "", sentence(detail)]);
    return Object.fromEntries(entries) as Record<string, string>;
  }
}

/** No answer at all: the network or the server is away. */
export class OfflineError extends Error {}

/** Kinora says that it is away for a moment, or whatever stands before it does: after it was asked several times, where it may be. */
export class AwayError extends OfflineError {
  readonly retryAfterSeconds: number;
  /** Whether something was to be changed, of which it is not known to be done. */
  readonly isChange: boolean;

  constructor(problem: ProblemLike, retryAfterSeconds: number, isChange: boolean) {
    super("server away", { cause: problem });
    this.retryAfterSeconds = retryAfterSeconds;
    this.isChange = isChange;
  }
}

/** "must not be empty" as a sentence of its own. */
function sentence(detail: string): string {
  const text = /^(must|is|has|was|should|needs)\b/.test(detail) ? `${m.errors.thisField} ${detail}` : detail;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

/** A sentence for the person. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AwayError) return error.isChange ? m.errors.awayChange(error.retryAfterSeconds) : m.errors.away(error.retryAfterSeconds);
  if (error instanceof OfflineError) return m.errors.offline;
  if (error instanceof ProblemError) {
    if (error.status === 412) return m.errors.changedMeanwhile;
    if (error.slug === "step-up-required") return m.confirm.notConfirmed;
    if (error.status === 429 && error.slug !== "locked") return m.errors.tooFast(error.retryAfterSeconds);
    return error.problem.detail ?? error.problem.title;
  }
  return m.errors.unexpected;
}
