// Lines over time. Everything that is drawn is in the table below as well, so that nobody needs the picture.

import { Minus, TrendingDown, TrendingUp } from "lucide-react";
import type { FleetChart, FleetUnit } from "../../../api/types";
import { Cell, Row, Table } from "../../../components/Table";
import { m } from "../../../messages";
import { instant } from "../../../messages/format";
import { highestOf, lastOf, pathOf, scaleOf, told, trendOf, type Trend } from "./chart";
import page from "../../page.module.css";
import css from "./Installation.module.css";

const [WIDTH, HEIGHT] = [600, 120];
/** Lines differ in colour, and in how they are dashed. */
const COLOURS = 5;
const DASHES = ["", "6 3", "2 3", "10 3 2 3"];

const TRENDS: Record<Trend, typeof Minus | undefined> = { rising: TrendingUp, falling: TrendingDown, steady: Minus, unknown: undefined };

const lookOf = (index: number) => ({ className: css[`line${index % COLOURS}`], strokeDasharray: DASHES[Math.floor(index / COLOURS) % DASHES.length] || undefined });

interface Props {
  title: string;
  chart: FleetChart;
  unit: FleetUnit;
  /** What a line is called for people. */
  nameOf: (name: string) => string;
}

export function Chart({ title, chart, unit, nameOf }: Props) {
  const top = scaleOf(chart.series, unit);
  const length = Math.max(0, ...chart.series.map(({ values }) => values.length)) - 1;
  const end = new Date(Date.parse(chart.starts_at) + Math.max(0, length) * chart.step_seconds * 1000).toISOString();
  if (chart.series.every(({ values }) => values.every((value) => value == null))) return <p className={css.nothing}>{m.installation.noValues}</p>;
  return (
    <>
      <figure className={css.chart}>
        <span className={`${css.scale} num`}>{told(top, unit)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={m.installation.chartOf(title)}>
          <line x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} className={css.grid} />
          {chart.series.map(({ name, values }, index) => (
            <path key={name} d={pathOf(values, top, WIDTH, HEIGHT)} {...lookOf(index)} />
          ))}
        </svg>
        <figcaption className={`${css.axis} num`}>
          <span>{instant(chart.starts_at)}</span>
          <span>{instant(end)}</span>
        </figcaption>
      </figure>
      <Table
        small
        label={m.installation.valuesOf(title)}
        columns={[{ name: m.installation.line }, { name: m.installation.last }, { name: m.installation.highest }, { name: m.installation.trend }]}
      >
        {chart.series.map(({ name, values }, index) => {
          const trend = trendOf(values);
          const Icon = TRENDS[trend];
          return (
            <Row key={name}>
              <Cell kind="title">
                <span className={css.legend}>
                  <svg viewBox="0 0 24 4" className={css.swatch} aria-hidden>
                    <path d="M0 2H24" {...lookOf(index)} />
                  </svg>
                  <span className={css.lineName}>{nameOf(name)}</span>
                </span>
              </Cell>
              <Cell label={m.installation.last} className={`${page.nowrap} num`}>
                {told(lastOf(values), unit)}
              </Cell>
              <Cell label={m.installation.highest} className={`${page.nowrap} num`}>
                {told(highestOf(values), unit)}
              </Cell>
              <Cell label={m.installation.trend}>
                <span className={css.legend}>
                  {Icon && <Icon size={14} aria-hidden />}
                  {m.installation.trends[trend]}
                </span>
              </Cell>
            </Row>
          );
        })}
      </Table>
    </>
  );
}
