import { describe, expect, it } from "vitest";
import { keepOnly, move, NOTHING, select } from "../src/pages/library/selection";

const order = ["a", "b", "c", "d", "e", "f", "g"];
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].toSorted().join("");

const at = (active: string) => ({ ...NOTHING, active });

describe("selection", () => {
  it("selects one, toggles, and extends from the anchor both ways", () => {
    let selection = select(NOTHING, order, "c", "only");
    selection = select(selection, order, "e", "range");
    expect(ids(selection)).toBe("cde");
    selection = select(selection, order, "a", "range");
    expect(ids(selection)).toBe("abc");
    selection = select(selection, order, "b", "toggle");
    expect(ids(selection)).toBe("ac");
    expect(selection.anchor).toBe("b");
    expect(ids(select(selection, order, "g", "only"))).toBe("g");
  });

  it("moves within the list, and to the end from the last full row", () => {
    expect(move(NOTHING, order, 3)).toBe("a");
    expect(move(at("b"), order, 1)).toBe("c");
    expect(move(at("a"), order, -1)).toBeUndefined();
    expect(move(at("g"), order, 1)).toBeUndefined();
    expect(move(at("e"), order, 3)).toBe("g");
  });

  it("forgets what is gone, and stays the same object if nothing is", () => {
    const selection = select(select(NOTHING, order, "b", "only"), order, "d", "toggle");
    expect(keepOnly(selection, order)).toBe(selection);
    const kept = keepOnly(selection, ["a", "b"]);
    expect(ids(kept)).toBe("b");
    expect(kept.active).toBeUndefined();
  });
});
