import { describe, expect, it } from "vitest";
import { fingerprintText, nextStep } from "../src/pages/administration/sign-on/steps";

const provider = { entity_id: "https://idp.example", certificates: [], has_logout: false };
const test = (refusal: string | null) => ({ attempt_id: "1", at: "2026-01-01T00:00:00Z", refusal });

describe("setting a connection up", () => {
  it("asks for metadata, then for a test, then to switch it on", () => {
    expect(nextStep({ provider: null, enabled: false })).toBe("provider");
    expect(nextStep({ provider, enabled: false })).toBe("test");
    expect(nextStep({ provider, enabled: false, last_test: test("unsigned") })).toBe("test");
    expect(nextStep({ provider, enabled: false, last_test: test(null) })).toBe("on");
    expect(nextStep({ provider, enabled: true, last_test: test(null) })).toBe("done");
  });

  it("asks for metadata again when what is there cannot be used any more", () => {
    expect(nextStep({ provider: null, provider_problem: "It has ended.", enabled: true, last_test: test(null) })).toBe("provider");
  });
});

it("writes fingerprints in groups", () => {
  expect(fingerprintText("0123456789ab")).toBe("0123 4567 89ab");
});
