// What is done of a connection's set-up, and how far a test came: no drawing here.

import type { SignOnAttempt, SignOnConnection, TestFindings } from "../../../api/types";

export type SetUpStep = "provider" | "test" | "on" | "done";

/** Whether a test went well with the metadata that the connection has now. */
export const isProven = (test: SignOnConnection["last_test"]): boolean => !!test && !test.refusal && test.is_current;

/** What is to be done next. */
export function nextStep({ provider, provider_problem, last_test, enabled }: Pick<SignOnConnection, "provider" | "provider_problem" | "last_test" | "enabled">): SetUpStep {
  if (!provider || provider_problem) return "provider";
  if (!isProven(last_test)) return "test";
  return enabled ? "done" : "on";
}

/** Whether a text is the whole number of an attempt. */
export const isAttemptNumber = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export const STAGES = ["sent", "returned", "signature", "checks", "person"] as const;
export type Stage = (typeof STAGES)[number];
export type StageState = "done" | "failed" | "open";

/** Codes by which the answer never came back to its question. */
const RETURNED = new Set(["bad_form", "request_gone", "wrong_browser", "wrong_connection", "session_gone", "provider_refused", "busy"]);
/** Codes about what was written and signed. */
const SIGNATURE = new Set([
  ...["not_base64", "not_deflated", "too_large", "not_utf8", "not_xml", "doctype", "comment", "too_deep", "too_many_nodes", "namespace", "bad_id", "duplicate_id"],
  ...["unexpected_root", "unexpected_element", "unexpected_attribute", "bad_value", "wrong_version", "several_assertions", "disagreement", "unsigned"],
  ...["misplaced_signature", "several_references", "foreign_reference", "transform", "canonicalisation", "weak_algorithm", "key_info", "unknown_certificate", "bad_signature"],
  ...["encryption_algorithm", "unauthenticated_encryption", "not_decrypted", "wrong_issuer", "timed_out", "verifier_failed"],
]);
/** Codes about whom the answer is, and what they get. */
const PERSON = new Set([
  ...["no_subject", "transient_subject", "no_group", "no_address", "foreign_address"],
  ...["account_elsewhere", "owners_account", "known_elsewhere", "linked_to_another", "disabled", "wrong_person"],
]);

/** Where an attempt with this refusal ended; what is not known is one of the checks. */
export function failedStage(refusal: string): Stage {
  if (RETURNED.has(refusal)) return "returned";
  if (SIGNATURE.has(refusal)) return "signature";
  return PERSON.has(refusal) ? "person" : "checks";
}

/** Every stage of a test, in order, with what became of it. */
export function stagesOf({ refusal }: Pick<SignOnAttempt, "refusal">): [Stage, StageState][] {
  const failed = refusal ? STAGES.indexOf(failedStage(refusal)) : STAGES.length;
  return STAGES.map((stage, index) => [stage, index < failed ? "done" : index === failed ? "failed" : "open"]);
}

/** A fingerprint in groups, as it is compared with another page's. */
export const fingerprintText = (hex: string): string => (hex.match(/.{1,4}/g) ?? []).join(" ");

type Chosen = Pick<SignOnConnection, "subject_attribute" | "email_attribute" | "name_attribute" | "groups_attribute">;
type Attribute = TestFindings["attributes"][number];

/**
 * What an attribute is used for: by the name that the connection has for it, or, where it has none and the usual names
 * are tried, by what came of it.
 */
export function purposeOf({ name, friendly_name, values }: Attribute, connection: Chosen, mapped: Pick<TestFindings["mapped"], "address" | "display_name" | "groups">): "subject" | "email" | "name" | "groups" | undefined {
  const is = (chosen: string | null | undefined, gave: boolean) => (chosen ? chosen === name || chosen === friendly_name : gave);
  if (is(connection.subject_attribute, false)) return "subject";
  if (is(connection.email_attribute, !!mapped.address && values.includes(mapped.address))) return "email";
  if (is(connection.name_attribute, !!mapped.display_name && values.includes(mapped.display_name))) return "name";
  return is(connection.groups_attribute, values.length > 0 && values.every((value) => mapped.groups.includes(value))) ? "groups" : undefined;
}
