import { describe, expect, it } from "vitest";
import { highestOf, lastOf, pathOf, scaleOf, told, trendOf } from "../src/pages/administration/installation/chart";

describe("a chart", () => {
  it("leaves gaps where nothing is known", () => {
    expect(pathOf([0, 5, null, 10], 10, 300, 100)).toBe("M0.0 100.0L100.0 50.0M300.0 0.0h0.1");
    expect(pathOf([null, 20], 10, 300, 100)).toBe("M300.0 0.0h0.1");
    expect(pathOf([], 10, 300, 100)).toBe("");
  });

  it("has a round top that no value is above", () => {
    expect(scaleOf([{ name: "a", values: [3.2, null] }], "seconds")).toBe(5);
    expect(scaleOf([{ name: "a", values: [120, 20] }], "seconds")).toBe(200);
    expect(scaleOf([{ name: "a", values: [0.7] }], "ratio")).toBe(1);
    expect(scaleOf([{ name: "a", values: [0.012] }], "ratio")).toBeCloseTo(0.02);
    expect(scaleOf([], "ratio")).toBeGreaterThan(0);
  });
});

describe("its table", () => {
  it("has the last value, unless that is old", () => {
    expect(lastOf([1, 2])).toBe(2);
    expect(lastOf([1, 2, null])).toBe(2);
    expect(lastOf([1, null, null])).toBeUndefined();
    expect(highestOf([1, null, 3, 2])).toBe(3);
    expect(highestOf([null])).toBeUndefined();
  });

  it("says where a line goes", () => {
    expect(trendOf([1, 1, 1, 2])).toBe("rising");
    expect(trendOf([2, 2, 2, 1])).toBe("falling");
    expect(trendOf([1, 1, 1, 1.05])).toBe("steady");
    expect(trendOf([0, 0, 0, 0])).toBe("steady");
    expect(trendOf([1, null, 2])).toBe("unknown");
  });

  it("has words for values", () => {
    expect(told(0.0123, "ratio")).toBe("1.2 %");
    expect(told(0.4, "ratio")).toBe("40 %");
    expect(told(0, "ratio")).toBe("0 %");
    expect(told(120, "seconds")).toBe("2 min");
    expect(told(1.5, "seconds_per_media_second")).toBe("1.50 s/s");
    expect(told(undefined, "seconds")).toBe("unknown");
  });
});
