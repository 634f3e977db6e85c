import { expect, test } from "vitest";
import { bodyOf, NEW } from "../src/pages/administration/support/grantForm";

const now = new Date("2026-11-22T10:00:00Z");

test("it begins now unless something else is said", () => {
  const body = bodyOf({ ...NEW, address: " help@vendor.example ", reason: " Reel 3 " }, now);
  expect(body).toEqual({
    address: "help@vendor.example",
    reason: "Reel 3",
    scope: { most_role: "reader", modules: ["library"] },
    originals: false,
    ends_at: "2026-11-22T14:00:00.000Z",
  });
});

test("a later beginning moves the end", () => {
  const later = bodyOf({ ...NEW, starts_at: "2026-12-01T08:30", ends_at: "168", originals: "yes", productions: ["p"] }, now);
  expect(Date.parse(later.ends_at) - Date.parse(later.starts_at ?? "")).toBe(7 * 24 * 3_600_000);
  expect(later.starts_at).toBe(new Date("2026-12-01T08:30").toISOString());
  expect(later.originals).toBe(true);
  expect(later.scope.productions).toEqual(["p"]);
});
