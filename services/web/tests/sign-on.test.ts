import { describe, expect, it } from "vitest";
import { failedStage, fingerprintText, isAttemptNumber, nextStep, stagesOf, purposeOf } from "../src/pages/administration/sign-on/steps";

const provider = { entity_id: "https://idp.example", certificates: [], has_logout: false };
const test = (refusal: string | null, is_current = true) => ({ attempt_id: "1", at: "2026-01-01T00:00:00Z", refusal, is_current });

describe("setting a connection up", () => {
  it("asks for metadata, then for a test, then to switch it on", () => {
    expect(nextStep({ provider: null, enabled: false })).toBe("provider");
    expect(nextStep({ provider, enabled: false })).toBe("test");
    expect(nextStep({ provider, enabled: false, last_test: test("unsigned") })).toBe("test");
    expect(nextStep({ provider, enabled: false, last_test: test(null) })).toBe("on");
    expect(nextStep({ provider, enabled: true, last_test: test(null) })).toBe("done");
    expect(nextStep({ provider, enabled: true, last_test: test(null, false) })).toBe("test");
  });

  it("asks for metadata again when what is there cannot be used any more", () => {
    expect(nextStep({ provider: null, provider_problem: "It has ended.", enabled: true, last_test: test(null) })).toBe("provider");
  });
});

describe("a test", () => {
  it("went well when nothing was refused", () => {
    expect(stagesOf({ refusal: null }).every(([, state]) => state === "done")).toBe(true);
  });

  it("shows where it ended, and that nothing came after", () => {
    expect(stagesOf({ refusal: "bad_signature" })).toEqual([
      ["sent", "done"],
      ["returned", "done"],
      ["signature", "failed"],
      ["checks", "open"],
      ["person", "open"],
    ]);
    expect(failedStage("wrong_browser")).toBe("returned");
    expect(failedStage("wrong_audience")).toBe("checks");
    for (const code of ["no_group", "owners_account", "known_elsewhere"]) expect(failedStage(code)).toBe("person");
    expect(failedStage("a_code_of_a_later_release")).toBe("checks");
  });

  it("knows what an attribute is for by either of its names", () => {
    const connection = { subject_attribute: "uid", email_attribute: "mail", name_attribute: null, groups_attribute: null };
    const mapped = { address: "ada@studio.example", display_name: "Ada", groups: ["a", "b"] };
    const use = (name: string, friendly_name: string | null, ...values: string[]) => purposeOf({ name, friendly_name, values }, connection, mapped);
    expect(use("urn:oid:0.9.2342.19200300.100.1.3", "mail", "ada@studio.example")).toBe("email");
    expect(use("uid", null, "7")).toBe("subject");
    // No name is chosen for these: what came of them tells.
    expect(use("displayName", null, "Ada")).toBe("name");
    expect(use("memberOf", null, "b", "a")).toBe("groups");
    expect(use("other", null, "ada@studio.example")).toBeUndefined();
    expect(use("nothing", null)).toBeUndefined();
  });
});

it("writes fingerprints in groups", () => {
  expect(fingerprintText("0123456789ab")).toBe("0123 4567 89ab");
});

describe("the number of an attempt", () => {
  it("is whole or none", () => {
    expect(isAttemptNumber("0199c2f0-7f3a-7000-8000-0123456789ab")).toBe(true);
    for (const text of ["", "0199c2f0", "0199c2f0-7f3a-7000-8000-0123456789a", "0199c2f0-7f3a-7000-8000-0123456789ab?", "../connections"]) expect(isAttemptNumber(text)).toBe(false);
  });
});
