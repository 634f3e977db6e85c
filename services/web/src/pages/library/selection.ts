// Which assets are selected, and which one the keyboard stands on. Pure, so that it can be tested.

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** Where the keyboard stands. */
  readonly active: string | undefined;
  /** Where a range begins. */
  readonly anchor: string | undefined;
}

export const NOTHING: Selection = { ids: new Set(), active: undefined, anchor: undefined };

export type How = "only" | "toggle" | "range";

/** Selects `id` among `order` (the ids as they are shown). */
export function select(selection: Selection, order: readonly string[], id: string, how: How): Selection {
  if (how === "toggle") {
    const ids = new Set(selection.ids);
    if (!ids.delete(id)) ids.add(id);
    return { ids, active: id, anchor: id };
  }
  if (how === "range" && selection.anchor !== undefined) {
    const [from, to] = [order.indexOf(selection.anchor), order.indexOf(id)];
    if (from >= 0 && to >= 0) return { ids: new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1)), active: id, anchor: selection.anchor };
  }
  return { ids: new Set([id]), active: id, anchor: id };
}

/** Moves the keyboard by `step` places; undefined if there is nowhere to go. */
export function move(selection: Selection, order: readonly string[], step: number): string | undefined {
  const at = selection.active === undefined ? -1 : order.indexOf(selection.active);
  if (at < 0) return order[0];
  const next = at + step;
  // A step that leads out of the last, half-filled row goes to the last one.
  if (next >= order.length) return step > 1 ? order.at(-1) : undefined;
  return next < 0 ? undefined : order[next];
}

/** Forgets what is not there any more. */
export function keepOnly(selection: Selection, order: readonly string[]): Selection {
  const known = new Set(order);
  if ([...selection.ids].every((id) => known.has(id)) && (selection.active === undefined || known.has(selection.active))) return selection;
  return {
    ids: new Set([...selection.ids].filter((id) => known.has(id))),
    active: selection.active !== undefined && known.has(selection.active) ? selection.active : undefined,
    anchor: selection.anchor !== undefined && known.has(selection.anchor) ? selection.anchor : undefined,
  };
}
