// The end of a membership: a whole day for people, an instant for the server.

const pad = (value: number) => String(value).padStart(2, "0");

/** A day as a date field writes it, in the person's zone. */
const written = (date: Date) => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;

/** The last day of a membership that ends at an instant: the one that holds the moment before it. */
export function dayOf(instant: string | null | undefined): string {
  return instant ? written(new Date(Date.parse(instant) - 1)) : "";
}

/** The instant at which a last day is over: the midnight that follows it. Nothing: no end. */
export function endOf(lastDay: string): string | null {
  const [year, month, day] = lastDay.split("-").map(Number);
  if (!year || !month || !day) return null;
  return new Date(year, month - 1, day + 1).toISOString();
}

/** The day that many days from now. */
export function dayIn(days: number, now = new Date()): string {
  return written(new Date(now.getFullYear(), now.getMonth(), now.getDate() + days));
}

/** Whether an instant is over, as this browser's clock has it. */
export const isPast = (instant: string, now = Date.now()) => Date.parse(instant) <= now;
