import { describe, expect, it } from "vitest";
import { following, isWhole, panned, placeOf, wholeOf, zoomed } from "../src/media/view";

describe("the view of the time axis", () => {
  const whole = wholeOf(1500);

  it("keeps what is under the pointer where it is", () => {
    const closer = zoomed(whole, 1500, 25, 0.5, 1000);
    expect(closer.length).toBe(750);
    expect(placeOf(closer, 1000)).toBeCloseTo(placeOf(whole, 1000), 9);
    expect(isWhole(zoomed(closer, 1500, 25, 2, 1000), 1500)).toBe(true);
  });

  it("never shows less than a second, nor what is outside the clip", () => {
    expect(zoomed(whole, 1500, 25, 1e-9, 0)).toEqual({ from: 0, length: 25 });
    expect(zoomed({ from: 1400, length: 100 }, 1500, 25, 4, 1499).from).toBe(1100);
    expect(zoomed(wholeOf(3), 3, 25, 0.1, 1)).toEqual({ from: 0, length: 3 });
    expect(panned({ from: 100, length: 50 }, 1500, -1000).from).toBe(0);
    expect(panned({ from: 100, length: 50 }, 1500, 1e6).from).toBe(1450);
  });

  it("goes along with the playhead, and stays while that is in view", () => {
    const view = { from: 100, length: 50 };
    expect(following(view, 1500, 149)).toBe(view);
    expect(following(view, 1500, 150).from).toBe(145);
    expect(following(view, 1500, 0).from).toBe(0);
    expect(following(view, 1500, 1499).from).toBe(1450);
  });
});
