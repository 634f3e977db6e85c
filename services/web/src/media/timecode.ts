// Media time: exact frame rates and SMPTE ST 12-1 timecode.
//
// The same rules as services/core/src/timecode.rs: a position is a whole number of frames at a
// rational rate; text is only a way of writing it; drop-frame counting skips labels, never frames.

export interface FrameRate {
  numerator: number;
  denominator: number;
}

export interface Timecode {
  /** Frames since 00:00:00:00. */
  frames: number;
  rate: FrameRate;
  drop_frame: boolean;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The rate in lowest terms; undefined for zero on either side or more than 1,000 frames a second. */
export function frameRate(numerator: number, denominator: number): FrameRate | undefined {
  if (!(numerator > 0) || !(denominator > 0) || numerator > 1000 * denominator) return undefined;
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/** Labels in one second of timecode: the rate rounded up to whole frames. */
export function nominal(rate: FrameRate): number {
  return Math.max(1, Math.ceil(rate.numerator / rate.denominator));
}

/** Whether drop-frame counting is defined: 30000/1001 and its multiples. */
export function allowsDropFrame(rate: FrameRate): boolean {
  return rate.denominator === 1001 && rate.numerator % 30_000 === 0;
}

export function framesPerSecond(rate: FrameRate): number {
  return rate.numerator / rate.denominator;
}

/** Number of the frame that is shown at `microseconds` after the first one begins. */
export function framesIn(rate: FrameRate, microseconds: number): number {
  return Number((BigInt(Math.round(microseconds)) * BigInt(rate.numerator)) / (BigInt(rate.denominator) * 1_000_000n));
}

/** Microseconds to the start of frame `frames`, rounded up so that `framesIn` gives `frames` back. */
export function microsecondsOf(rate: FrameRate, frames: number): number {
  const product = BigInt(frames) * BigInt(rate.denominator) * 1_000_000n;
  const divisor = BigInt(rate.numerator);
  return Number((product + divisor - 1n) / divisor);
}

/** "23.976", "25", "29.97": as people say it. */
export function rateName(rate: FrameRate): string {
  const value = framesPerSecond(rate);
  return Number.isInteger(value) ? String(value) : value.toFixed(3).replace(/0+$/, "");
}

function droppedPerMinute(rate: FrameRate, dropFrame: boolean): number {
  return dropFrame && allowsDropFrame(rate) ? nominal(rate) / 15 : 0;
}

const digits = (value: number, width = 2) => String(value).padStart(width, "0");

/** `HH:MM:SS:FF`, with `;` before the frames for drop-frame; wraps at 24 hours. */
export function formatTimecode(timecode: Timecode): string {
  const perSecond = nominal(timecode.rate);
  const dropped = droppedPerMinute(timecode.rate, timecode.drop_frame);
  const perMinute = perSecond * 60 - dropped;
  const perTenMinutes = perMinute * 10 + dropped;
  const frames = timecode.frames % (perTenMinutes * 6 * 24);
  const tens = Math.floor(frames / perTenMinutes);
  const rest = frames % perTenMinutes;
  // The first minute of ten is longer, as it drops nothing.
  const minutes = rest < perSecond * 60 ? 0 : Math.floor((rest - dropped) / perMinute);
  const label = frames + dropped * (tens * 9 + minutes);
  const separator = timecode.drop_frame ? ";" : ":";
  return [
    digits(Math.floor(label / (perSecond * 3600))),
    ":",
    digits(Math.floor(label / (perSecond * 60)) % 60),
    ":",
    digits(Math.floor(label / perSecond) % 60),
    separator,
    digits(label % perSecond, String(perSecond - 1).length > 2 ? 3 : 2),
  ].join("");
}

/** Reads `HH:MM:SS:FF`; `;` or `.` before the frames means drop-frame counting. Undefined if it is none. */
export function parseTimecode(text: string, rate: FrameRate): Timecode | undefined {
  const dropFrame = /[;.]/.test(text);
  const parts = text.split(/[:;.]/);
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]{1,3}$/.test(part))) return undefined;
  if (dropFrame && !allowsDropFrame(rate)) return undefined;
  const [hours, minutes, seconds, frames] = parts.map(Number) as [number, number, number, number];
  return timecodeOf(hours, minutes, seconds, frames, rate, dropFrame);
}

function timecodeOf(
  hours: number,
  minutes: number,
  seconds: number,
  frames: number,
  rate: FrameRate,
  dropFrame: boolean,
): Timecode | undefined {
  const perSecond = nominal(rate);
  if (hours > 23 || minutes > 59 || seconds > 59 || frames >= perSecond) return undefined;
  const dropped = droppedPerMinute(rate, dropFrame);
  if (frames < dropped && seconds === 0 && minutes % 10 !== 0) return undefined;
  const totalMinutes = hours * 60 + minutes;
  const labels = (totalMinutes * 60 + seconds) * perSecond + frames;
  const skipped = dropped * (totalMinutes - Math.floor(totalMinutes / 10));
  return { frames: labels - skipped, rate, drop_frame: dropFrame };
}

/** What a person typed into the timecode field means, as frames from the start of the clip. */
export type Entry = { frame: number } | { problem: "form" | "missing" };

/**
 * Reads what editors type, relative to a clip that starts at `start` and stands at frame `current`:
 *
 * - `10:00:12:05` or `10001205`: a timecode, its digits filled from the right; what is missing on the
 *   left is taken from where the clip stands, so `1205` at 10:00:02:00 is 10:00:12:05;
 * - a dot stands for two zeros: `12.` at 10:00:02:00 is 10:00:12:00;
 * - `+5`, `-12`: so many frames on or back; `+1.` is a second, `+1:00:00` a minute.
 *
 * Labels that drop-frame counting skips mean the next frame that exists.
 */
export function readEntry(text: string, start: Timecode, current: number): Entry {
  const compact = text.trim().replaceAll(" ", "");
  const match = /^([+-]?)([0-9:;.,]+)$/.exec(compact);
  if (!match || !/[0-9]/.test(compact)) return { problem: "form" };
  const [, sign = "", body = ""] = match;

  const separated = /[:;]/.test(body) || /[.,][0-9]/.test(body);
  let fields: number[];
  if (separated) {
    const parts = body.split(/[:;.,]/);
    if (parts.length > 4 || !parts.every((part) => /^[0-9]{0,3}$/.test(part))) return { problem: "form" };
    fields = parts.map(Number);
  } else {
    const figures = body.replace(/[.,]/g, "00");
    if (figures.length > 8) return { problem: "form" };
    const padded = figures.length % 2 ? `0${figures}` : figures;
    fields = (padded.match(/../g) ?? []).map(Number);
  }
  const here = sign ? "00:00:00:00" : formatTimecode({ ...start, frames: start.frames + current });
  const surroundings = here.split(/[:;]/).map(Number);
  fields = [...surroundings.slice(0, 4 - fields.length), ...fields];
  const [hours, minutes, seconds, frames] = fields as [number, number, number, number];
  const perSecond = nominal(start.rate);

  if (sign) {
    // A bare figure is a count of frames, however many; anything else is a length of time.
    const plain = /^[0-9]+$/.test(body) && body.length <= 4;
    const count = plain ? Number(body) : ((hours * 60 + minutes) * 60 + seconds) * perSecond + frames;
    return { frame: current + (sign === "-" ? -count : count) };
  }

  let label = timecodeOf(hours, minutes, seconds, frames, start.rate, start.drop_frame);
  for (let skip = frames + 1; !label && start.drop_frame && skip <= frames + 4 && skip < perSecond; skip += 1) {
    label = timecodeOf(hours, minutes, seconds, skip, start.rate, true);
  }
  return label ? { frame: label.frames - start.frames } : { problem: "missing" };
}

/** `HH:MM:SS.mmm` of a whole number of milliseconds; for sound, which has no frames. */
export function formatTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${digits(Math.floor(seconds / 3600))}:${digits(Math.floor(seconds / 60) % 60)}:${digits(seconds % 60)}.${digits(milliseconds % 1000, 3)}`;
}

/** Reads `HH:MM:SS.mmm`; undefined if it is none. */
export function parseTime(text: string): number | undefined {
  const parts = /^(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})$/.exec(text);
  if (!parts) return undefined;
  const [hours, minutes, seconds, milliseconds] = parts.slice(1).map(Number) as [number, number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}

/**
 * The same as `readEntry` for sound, whose positions are milliseconds:
 *
 * - `1:02:03.5` or `10203.5`: a time, its digits filled from the right; what is missing on the left is
 *   taken from where the clip stands, so `12` at 00:01:02.000 is 00:01:12.000;
 * - `+5`, `-0.25`, `+1:30`: so many seconds on or back.
 */
export function readTimeEntry(text: string, start: number, current: number): Entry {
  const match = /^([+-]?)([0-9:]*)(?:[.,]([0-9]*))?$/.exec(text.trim().replaceAll(" ", ""));
  if (!match || !/[0-9]/.test(text)) return { problem: "form" };
  const [, sign = "", body = "", decimals = ""] = match;
  const milliseconds = Math.round(Number(`0.${decimals || "0"}`) * 1000);
  const relativeSeconds = sign && /^[0-9]*$/.test(body) ? Number(body) : undefined;
  if (relativeSeconds !== undefined) {
    const by = relativeSeconds * 1000 + milliseconds;
    return { frame: current + (sign === "-" ? -by : by) };
  }
  const figures = body.length % 2 ? `0${body}` : body;
  const fields = (body.includes(":") ? body.split(":") : (figures.match(/../g) ?? ["0"])).map(Number);
  if (fields.length > 3) return { problem: "form" };
  const here = sign ? [0, 0, 0] : formatTime(start + current).split(/[:.]/).slice(0, 3).map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = [...here.slice(0, 3 - fields.length), ...fields];
  if (minutes > 59 || seconds > 59) return { problem: "missing" };
  const at = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
  return { frame: sign ? current + (sign === "-" ? -at : at) : at - start };
}
