// The assets as pictures or lines: only what is in view is drawn, however long the list is.

import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, Check, FileQuestion, Film, Image, Music, type LucideIcon } from "lucide-react";
import { memo, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent, type PointerEvent, type Ref } from "react";
import type { Asset, AssetKind, AssetSort } from "../../api/types";
import { Button } from "../../components/controls";
import { Meter, Skeleton, Status } from "../../components/states";
import { useProgress } from "../../live/progress";
import { m } from "../../messages";
import { ago, clockLength, exactInstant, size } from "../../messages/format";
import { useRemembered } from "../../shell/remembered";
import css from "./Library.module.css";
import { move, type How, type Selection } from "./selection";

export const kindIcons: Record<AssetKind, LucideIcon> = { video: Film, audio: Music, still: Image, unknown: FileQuestion };

const GAP = 12;
const SIDE = 24;
const TILE = 216;
const LINE = 44;
const HEAD = 32;

interface Props {
  ref: Ref<HTMLDivElement>;
  items: Asset[];
  list: boolean;
  selection: Selection;
  sort: AssetSort;
  onSort: (sort: AssetSort) => void;
  onSelect: (id: string, how: How) => void;
  onSelectAll: () => void;
  onOpen: (id: string) => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadFailed: string | undefined;
  loadMore: () => void;
  filterKey: string;
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return;
    setWidth(target.clientWidth);
    const observer = new ResizeObserver(() => setWidth(target.clientWidth));
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

/** A fling opens on phones; on a desk a press selects. */
const isTouch = () => matchMedia("(pointer: coarse)").matches;

export function Assets(props: Props) {
  const { ref, items, list, selection, onSelect, onOpen, hasMore, loadingMore, loadFailed, loadMore, filterKey } = props;
  const scroller = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => scroller.current as HTMLDivElement);
  const width = useWidth(scroller);
  const narrow = width < 600;
  const [gap, side] = narrow ? [8, 8] : [GAP, SIDE];
  const columns = list ? 1 : Math.max(narrow ? 2 : 1, Math.floor((width - 2 * side + gap) / (TILE + gap)));
  const tileWidth = (width - 2 * side - (columns - 1) * gap) / columns;
  const rowHeight = list ? LINE : Math.round(((tileWidth - 8) * 9) / 16 + 8 + 44 + gap);
  const rows = Math.ceil(items.length / columns);
  const top = list ? HEAD : 12;

  const virtualizer = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 4,
    paddingStart: list ? 0 : top,
    // The folded activity tray must not cover the last row.
    paddingEnd: 64,
    scrollMargin: 0,
    scrollPaddingStart: top,
  });
  useLayoutEffect(() => {
    virtualizer.measure();
  }, [virtualizer, rowHeight]);
  useEffect(() => {
    // Without the braces the effect would give back what scrollTo does: a promise, in newer browsers.
    scroller.current?.scrollTo({ top: 0 });
  }, [filterKey]);

  const virtualRows = virtualizer.getVirtualItems();
  const lastRow = virtualRows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !loadingMore && !loadFailed && lastRow >= rows - 12) loadMore();
  }, [hasMore, loadingMore, loadFailed, lastRow, rows, loadMore]);

  // Forty thousand ids are not gathered anew for each row that scrolls by.
  const order = useMemo(() => items.map(({ id }) => id), [items]);
  const activeAt = useMemo(() => (selection.active === undefined ? -1 : order.indexOf(selection.active)), [order, selection.active]);
  const reveal = (id: string) => {
    const at = order.indexOf(id);
    if (at >= 0) virtualizer.scrollToIndex(Math.floor(at / columns));
  };

  const lastPressed = useRef<string>(undefined);
  const pressNow = (event: MouseEvent, id: string) => {
    // The panel may open between the two presses of a double press and move another tile here.
    if (event.detail === 2 && lastPressed.current) return onOpen(lastPressed.current);
    lastPressed.current = id;
    if (isTouch() && selection.ids.size === 0) return onOpen(id);
    onSelect(id, event.shiftKey ? "range" : event.ctrlKey || event.metaKey || isTouch() ? "toggle" : "only");
  };

  // Tiles are drawn again only when what they show changes, so what they call must stay the same.
  const newest = useRef({ pressNow, onSelect });
  useLayoutEffect(() => {
    newest.current = { pressNow, onSelect };
  });
  const press = useCallback((event: MouseEvent, id: string) => newest.current.pressNow(event, id), []);
  const check = useCallback((id: string, how: How) => newest.current.onSelect(id, how), []);

  const keys = (event: KeyboardEvent) => {
    const steps: Record<string, number> = list
      ? { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }
      : { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: columns * 3, PageUp: -columns * 3 };
    const step = steps[event.key];
    let target: string | undefined;
    if (step !== undefined) target = move(selection, order, step);
    else if (event.key === "Home") target = order[0];
    else if (event.key === "End") target = order.at(-1);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return props.onSelectAll();
    } else if (event.key === "Enter" && selection.active) return onOpen(selection.active);
    else if (event.key === " " && selection.active) {
      event.preventDefault();
      return onSelect(selection.active, "toggle");
    } else return;
    event.preventDefault();
    if (!target) return;
    onSelect(target, event.shiftKey ? "range" : "only");
    reveal(target);
  };

  const [widths, setWidths] = useRemembered<Record<string, number>>("library.columns", {});
  const template = columnTemplate(widths, narrow);

  return (
    <div
      ref={scroller}
      className={[css.scroller, selection.ids.size > 1 ? css.selecting : ""].join(" ")}
      // The composite widget pattern: focus stays here, and the active descendant moves.
      role="grid"
      tabIndex={0}
      aria-label={m.library.resultsLabel}
      aria-multiselectable
      aria-rowcount={hasMore ? -1 : rows}
      aria-colcount={list ? COLUMNS.length : columns}
      aria-activedescendant={activeAt >= 0 ? `asset-${selection.active}` : undefined}
      onKeyDown={keys}
    >
      {list && <Head widths={widths} setWidths={setWidths} template={template} sort={props.sort} onSort={props.onSort} narrow={narrow} />}
      <div className={css.canvas} style={{ height: virtualizer.getTotalSize() }} role="presentation">
        {width > 0 &&
          virtualRows.map((row) =>
            list ? (
              <Line
                key={items[row.index]?.id ?? row.index}
                asset={items[row.index] as Asset}
                index={row.index}
                y={row.start}
                template={template}
                narrow={narrow}
                selected={selection.ids.has(items[row.index]?.id ?? "")}
                active={activeAt === row.index}
                onPress={press}
                onCheck={check}
              />
            ) : (
              <div
                key={row.key}
                role="row"
                aria-rowindex={row.index + 1}
                className={css.gridRow}
                style={{ transform: `translateY(${row.start}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
              >
                {items.slice(row.index * columns, (row.index + 1) * columns).map((asset, column) => (
                  <Tile
                    key={asset.id}
                    asset={asset}
                    column={column + 1}
                    selected={selection.ids.has(asset.id)}
                    active={selection.active === asset.id}
                    onPress={press}
                    onCheck={check}
                  />
                ))}
              </div>
            ),
          )}
      </div>
      {hasMore && (
        <div className={css.more}>
          {loadFailed ? (
            <span>
              {loadFailed} <Button dense onPress={loadMore}>{m.common.retry}</Button>
            </span>
          ) : (
            <Skeleton width={160} height={12} />
          )}
        </div>
      )}
    </div>
  );
}

function Poster({ asset, big }: { asset: Asset; big: boolean }) {
  const [broken, setBroken] = useState(false);
  const Icon = kindIcons[asset.kind];
  const hasPoster = asset.status === "ready" && (asset.kind === "video" || asset.kind === "still") && !broken;
  return (
    <>
      <Icon size={big ? 24 : 16} strokeWidth={1.5} aria-hidden />
      {hasPoster && <img src={`/api/media/v1/assets/${asset.id}/poster`} alt="" loading="lazy" decoding="async" draggable={false} onError={() => setBroken(true)} />}
    </>
  );
}

function usePercent(asset: Asset): number | undefined {
  const progress = useProgress(asset.status === "processing" ? asset.id : "");
  return progress?.fraction == null ? undefined : progress.fraction * 100;
}

interface ItemProps {
  asset: Asset;
  selected: boolean;
  active: boolean;
  onPress: (event: MouseEvent, id: string) => void;
  onCheck: (id: string, how: How) => void;
}

const Tile = memo(function Tile({ asset, column, selected, active, onPress, onCheck }: ItemProps & { column: number }) {
  const percent = usePercent(asset);
  return (
    // Keys are handled by the grid around it, which has the focus.
    <div
      id={`asset-${asset.id}`}
      role="gridcell"
      aria-colindex={column}
      aria-selected={selected}
      data-active={active || undefined}
      className={css.tile}
      onClick={(event) => onPress(event, asset.id)}
    >
      <div className={css.picture}>
        <Poster asset={asset} big />
        {asset.duration_us != null && asset.status === "ready" && <span className={css.length}>{clockLength(asset.duration_us / 1e6)}</span>}
        <span
          className={css.check}
          aria-hidden
          onClick={(event) => {
            event.stopPropagation();
            onCheck(asset.id, event.shiftKey ? "range" : "toggle");
          }}
        >
          <Check size={14} strokeWidth={3} />
        </span>
        {asset.status === "processing" && (
          <div className={css.tileMeter}>
            <Meter label={asset.name} percent={percent} />
          </div>
        )}
      </div>
      <div className={css.caption}>
        <span className={`${css.name} truncate`} title={asset.name} dir="auto">
          {asset.name}
        </span>
        <span className={`${css.facts} num`}>
          {asset.status === "ready" ? <span>{m.kind[asset.kind]}</span> : <Status status={asset.status} percent={percent} />}
          <span>{size(asset.size_bytes)}</span>
        </span>
      </div>
    </div>
  );
});

type ColumnId = "name" | "status" | "kind" | "duration" | "size" | "created";
const COLUMNS: readonly { id: ColumnId; sort?: "name" | "duration" | "size" | "created"; width: number; figures?: boolean; wide?: boolean }[] = [
  { id: "name", sort: "name", width: 0 },
  { id: "status", width: 140 },
  { id: "kind", width: 80, wide: true },
  { id: "duration", sort: "duration", width: 96, figures: true, wide: true },
  { id: "size", sort: "size", width: 96, figures: true, wide: true },
  { id: "created", sort: "created", width: 140, figures: true, wide: true },
];

function columnTemplate(widths: Record<string, number>, narrow: boolean): string {
  const shown = COLUMNS.filter((column) => !narrow || !column.wide);
  return ["32px", ...shown.map(({ id, width }) => (id === "name" ? `minmax(${narrow ? 0 : 160}px, 1fr)` : narrow ? "112px" : `${widths[id] ?? width}px`))].join(" ");
}

interface HeadProps {
  widths: Record<string, number>;
  setWidths: (widths: Record<string, number>) => void;
  template: string;
  sort: AssetSort;
  onSort: (sort: AssetSort) => void;
  narrow: boolean;
}

function Head({ widths, setWidths, template, sort, onSort, narrow }: HeadProps) {
  const resize = (id: ColumnId, width: number) => setWidths({ ...widths, [id]: Math.round(Math.min(400, Math.max(64, width))) });
  const drag = (event: PointerEvent<HTMLElement>, id: ColumnId, start: number) => {
    const from = event.clientX;
    const grip = event.currentTarget;
    grip.setPointerCapture(event.pointerId);
    const onMove = (moved: globalThis.PointerEvent) => resize(id, start - (moved.clientX - from));
    grip.addEventListener("pointermove", onMove);
    grip.addEventListener("pointerup", () => grip.removeEventListener("pointermove", onMove), { once: true });
  };
  return (
    <div className={css.listHead} role="row" style={{ gridTemplateColumns: template }}>
      <span role="columnheader">
        <span className="visually-hidden">{m.library.selectColumn}</span>
      </span>
      {COLUMNS.filter((column) => !narrow || !column.wide).map(({ id, sort: key, width, figures }) => {
        const current = key && sort.replace("-", "") === key;
        const Arrow = sort.startsWith("-") ? ArrowDown : ArrowUp;
        return (
          <div
            key={id}
            role="columnheader"
            className={[css.headCell, figures ? css.figures : ""].join(" ")}
            aria-sort={current ? (sort.startsWith("-") ? "descending" : "ascending") : undefined}
          >
            {id !== "name" && (
              <span
                className={css.grip}
                style={{ left: -5, right: "auto" }}
                role="slider"
                tabIndex={0}
                aria-label={m.library.resize(m.library.columns[id])}
                aria-valuemin={64}
                aria-valuemax={400}
                aria-valuenow={widths[id] ?? width}
                onPointerDown={(event) => drag(event, id, widths[id] ?? width)}
                onKeyDown={(event) => {
                  const step = { ArrowLeft: 16, ArrowRight: -16 }[event.key];
                  if (!step) return;
                  event.stopPropagation();
                  event.preventDefault();
                  resize(id, (widths[id] ?? width) + step);
                }}
              />
            )}
            {key ? (
              <button type="button" onClick={() => onSort(current ? (sort.startsWith("-") ? key : `-${key}`) : key === "name" ? key : `-${key}`)}>
                <span className="truncate">{m.library.columns[id]}</span>
                {current && <Arrow size={12} aria-hidden />}
              </button>
            ) : (
              <span className="truncate">{m.library.columns[id]}</span>
            )}
          </div>
        );
      })}
    </div>
  );
}

interface LineProps extends ItemProps {
  index: number;
  y: number;
  template: string;
  narrow: boolean;
}

const Line = memo(function Line({ asset, index, y, template, narrow, selected, active, onPress, onCheck }: LineProps) {
  const percent = usePercent(asset);
  return (
    <div
      id={`asset-${asset.id}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      data-active={active || undefined}
      className={css.line}
      style={{ transform: `translateY(${y}px)`, gridTemplateColumns: template }}
      onClick={(event) => onPress(event, asset.id)}
    >
      <span
        role="gridcell"
        aria-label={m.library.select(asset.name)}
        onClick={(event) => {
          event.stopPropagation();
          onCheck(asset.id, event.shiftKey ? "range" : "toggle");
        }}
      >
        <span className={css.lineCheck}>
          <Check size={12} strokeWidth={3} aria-hidden />
        </span>
      </span>
      <span role="gridcell" className={`${css.cell} ${css.cellName}`}>
        <span className={css.thumb}>
          <Poster asset={asset} big={false} />
        </span>
        <span className="truncate" title={asset.name} dir="auto">
          {asset.name}
        </span>
      </span>
      <span role="gridcell" className={css.cell}>
        <Status status={asset.status} percent={percent} />
      </span>
      {!narrow && (
        <>
          <span role="gridcell" className={css.cell}>
            {m.kind[asset.kind]}
          </span>
          <span role="gridcell" className={`${css.cell} ${css.figures} num`}>
            {asset.duration_us != null ? clockLength(asset.duration_us / 1e6) : "–"}
          </span>
          <span role="gridcell" className={`${css.cell} ${css.figures} num`}>
            {size(asset.size_bytes)}
          </span>
          <span role="gridcell" className={`${css.cell} ${css.figures} num`} title={exactInstant(asset.created_at)}>
            {ago(asset.created_at)}
          </span>
        </>
      )}
    </div>
  );
});

export function AssetsSkeleton({ list }: { list: boolean }) {
  return (
    <div className={css.scroller} aria-busy="true" aria-label={m.common.loading} role="status">
      {list ? (
        <div style={{ padding: "36px 24px" }}>
          {Array.from({ length: 14 }, (_, index) => (
            <Skeleton key={index} height={32} style={{ marginBottom: 12 }} />
          ))}
        </div>
      ) : (
        <div className={css.gridRow} style={{ paddingTop: 12, gridTemplateColumns: "repeat(auto-fill, minmax(min(216px, 44%), 1fr))" }}>
          {Array.from({ length: 18 }, (_, index) => (
            <div key={index} className={css.tile}>
              <Skeleton style={{ aspectRatio: "16 / 9" }} />
              <div className={css.caption}>
                <Skeleton width="80%" height={12} style={{ margin: "4px 0" }} />
                <Skeleton width="50%" height={12} style={{ margin: "2px 0" }} />
              </div>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
