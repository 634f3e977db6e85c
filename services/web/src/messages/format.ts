// Numbers, sizes, instants and durations as people read them.

const locale = globalThis.navigator?.languages?.[0] ?? "en";
const counts = new Intl.NumberFormat(locale);
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const lists = new Intl.ListFormat("en", { type: "conjunction" });
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const timeExact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

export const count = (value: number) => counts.format(value);
export const instant = (iso: string) => dateTime.format(new Date(iso));
export const exactInstant = (iso: string) => timeExact.format(new Date(iso));
export const day = (iso: string) => dateOnly.format(new Date(iso));

/** "4.2 GB": powers of a thousand, three figures. */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 ? counts.format(value) : value.toPrecision(3).replace(/\.0+$|(\.\d*?)0+$/, "$1");
  return `${text} ${bytes === 1 ? "byte" : units[unit]}`;
}

export const bitRate = (perSecond: number) => `${size(perSecond).replace(/ bytes?$/, " ").replace(/B$/, "bit")}/s`.replace(" /s", " bit/s");

/** "A, B, and C". */
export const joined = (items: readonly string[]) => lists.format(items);

const pad = (value: number) => String(value).padStart(2, "0");

/** A length of media or work: "4:05", "1:02:33". */
export function clockLength(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** How long work took or will take: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function span(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60 ? `${whole % 60} s` : ""}`.trim();
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** The same for what is still going on: whole seconds, which do not flicker. */
export function roughSpan(seconds: number): string {
  return seconds < 10 ? `${Math.max(0, Math.floor(seconds))} s` : span(seconds);
}

/** "3 minutes ago", "yesterday"; older than a week: the date. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const steps: [number, number, Intl.RelativeTimeFormatUnit][] = [
    [60, 1, "second"],
    [3600, 60, "minute"],
    [86_400, 3600, "hour"],
    [7 * 86_400, 86_400, "day"],
  ];
  if (Math.abs(seconds) < 10) return "just now";
  for (const [limit, unit, name] of steps) {
    if (Math.abs(seconds) < limit) return relative.format(Math.round(seconds / unit), name);
  }
  return dateOnly.format(new Date(iso));
}
