import { expect, test } from "vitest";
import { exportAddress, filterOf } from "../src/pages/administration/auditFilter";

test("nothing chosen is no filter", () => {
  expect(filterOf({})).toEqual({});
});

test("kinds of acts, and days with both ends", () => {
  expect(filterOf({ acts: "permissions" })).toEqual({ permissions_only: true });
  const filter = filterOf({ acts: "person", from: "2026-11-20", to: "2026-11-20" });
  expect(filter.action).toBe("person.");
  expect(Date.parse(filter.until ?? "") - Date.parse(filter.since ?? "")).toBe(86_400_000);
});

test("the export has the filter of the list", () => {
  const address = exportAddress("o", { permissions_only: true, person: "p" }, "csv");
  expect(address).toBe("/api/data/v1/organisations/o/audit/export?format=csv&permissions_only=true&person=p");
});
