import { expect, test } from "vitest";
import { dayIn, dayOf, endOf } from "../src/pages/endDate";

test("a last day ends with the midnight after it, and is read back as the same day", () => {
  for (const day of ["2026-11-22", "2026-12-31", "2028-02-29", "2026-03-29", "2026-10-25"]) {
    const end = new Date(endOf(day) ?? "");
    expect([end.getHours(), end.getMinutes(), end.getSeconds()]).toEqual([0, 0, 0]);
    expect(dayOf(end.toISOString())).toBe(day);
  }
  expect(endOf("")).toBeNull();
  expect(dayOf(null)).toBe("");
});

test("days from now go over the ends of months and years", () => {
  expect(dayIn(90, new Date(2026, 10, 22, 23, 59))).toBe("2027-02-20");
  expect(dayIn(0, new Date(2026, 0, 1))).toBe("2026-01-01");
});
