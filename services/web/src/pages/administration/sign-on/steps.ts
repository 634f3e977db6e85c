// What is done of a connection's set-up, no drawing here.

import type { SignOnConnection } from "../../../api/types";

export type SetUpStep = "provider" | "test" | "on" | "done";

/** What is to be done next. */
export function nextStep({ provider, provider_problem, last_test, enabled }: Pick<SignOnConnection, "provider" | "provider_problem" | "last_test" | "enabled">): SetUpStep {
  if (!provider || provider_problem) return "provider";
  if (!last_test || last_test.refusal) return "test";
  return enabled ? "done" : "on";
}

/** A fingerprint in groups, as it is compared with another page's. */
export const fingerprintText = (hex: string): string => (hex.match(/.{1,4}/g) ?? []).join(" ");
