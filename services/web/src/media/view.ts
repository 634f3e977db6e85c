// Which part of a clip the time axis shows. Positions are frames (of sound: milliseconds), not always whole.

export interface View {
  from: number;
  length: number;
}

/** Closest look: this many seconds, or ten positions. */
const CLOSEST_SECONDS = 1;

export const wholeOf = (frames: number): View => ({ from: 0, length: frames });

export const isWhole = (view: View, frames: number): boolean => view.length >= frames;

function within(view: View, frames: number): View {
  return { length: view.length, from: Math.min(frames - view.length, Math.max(0, view.from)) };
}

/** `factor` below 1 looks closer; the position `at` stays where it is on the screen. */
export function zoomed(view: View, frames: number, perSecond: number, factor: number, at: number): View {
  const closest = Math.min(frames, Math.max(10, CLOSEST_SECONDS * perSecond));
  const length = Math.min(frames, Math.max(closest, view.length * factor));
  return within({ length, from: at - ((at - view.from) / view.length) * length }, frames);
}

export function panned(view: View, frames: number, by: number): View {
  return within({ ...view, from: view.from + by }, frames);
}

/** Goes along with the playhead: where it leaves the view, the view turns over like a page. */
export function following(view: View, frames: number, frame: number): View {
  if (frame >= view.from && frame < view.from + view.length) return view;
  return within({ ...view, from: frame - view.length * 0.1 }, frames);
}

/** Where a position stands, as a part of the view's width; outside 0 … 1 it is not in view. */
export const placeOf = (view: View, frame: number): number => (frame - view.from) / view.length;
