// What a chart draws and what its table says of the same values. Pure.

import type { FleetSeries, FleetUnit } from "../../../api/types";
import { m } from "../../../messages";
import { span } from "../../../messages/format";

export type Trend = "rising" | "falling" | "steady" | "unknown";

type Values = FleetSeries["values"];

const known = (values: Values): number[] => values.filter((value): value is number => typeof value === "number");

/** The newest value, unless it is older than the last two steps: then it is none of now. */
export function lastOf(values: Values): number | undefined {
  const [before, last] = values.slice(-2);
  return last ?? before ?? undefined;
}

export const highestOf = (values: Values): number | undefined => (known(values).length ? Math.max(...known(values)) : undefined);

const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;

/** How the last quarter of what is known compares with what was before: a tenth more or less is steady. */
export function trendOf(values: Values): Trend {
  const all = known(values);
  if (all.length < 4) return "unknown";
  const cut = Math.floor((all.length * 3) / 4);
  const [before, after] = [mean(all.slice(0, cut)), mean(all.slice(cut))];
  if (Math.abs(after - before) <= 0.1 * Math.max(Math.abs(before), Math.abs(after))) return "steady";
  return after > before ? "rising" : "falling";
}

/** The top of the scale: a round number that no value is above. */
export function scaleOf(series: readonly FleetSeries[], unit: FleetUnit): number {
  const highest = Math.max(0, ...series.flatMap(({ values }) => known(values)));
  if (unit === "ratio" && highest > 0.25) return 1;
  if (highest === 0) return unit === "ratio" ? 0.01 : 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return ([1, 2, 5, 10].find((step) => step * power >= highest) ?? 10) * power;
}

/** The path of a line in a box of this size; where nothing is known there is a gap, and a value between two gaps is a dot. */
export function pathOf(values: Values, top: number, width: number, height: number): string {
  const x = (index: number) => ((index / Math.max(1, values.length - 1)) * width).toFixed(1);
  const y = (value: number) => (height - (Math.min(value, top) / top) * height).toFixed(1);
  return values
    .map((value, index) => {
      if (value == null) return "";
      const begins = index === 0 || values[index - 1] == null;
      const alone = begins && values[index + 1] == null;
      return `${begins ? "M" : "L"}${x(index)} ${y(value)}${alone ? "h0.1" : ""}`;
    })
    .join("");
}

/** A value as people read it. */
export function told(value: number | undefined, unit: FleetUnit): string {
  if (value === undefined) return m.installation.unknown;
  if (unit === "ratio") return `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
  return unit === "seconds" ? span(value) : m.installation.perMediaSecond(value.toFixed(2));
}
