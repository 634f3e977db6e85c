// The time axis under the picture: shot changes, filmstrip, waveform, playhead; all show the same part
// of the clip. A press or drag scrubs; wheel, pinch and keys look closer. Drawn on canvases: for that
// no library is needed.

import { useQuery } from "@tanstack/react-query";
import { Scan, ZoomIn, ZoomOut } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent, type PointerEvent } from "react";
import { IconButton } from "../../components/controls";
import { readFilmstrip, tileAt, type Tile } from "../../media/filmstrip";
import { extremes, readWaveform, type Waveform } from "../../media/waveform";
import { following, isWhole, panned, placeOf, wholeOf, zoomed, type View } from "../../media/view";
import { m } from "../../messages";
import { useShortcuts } from "../../shell/keyboard";
import type { Playback } from "./playback";
import css from "./Player.module.css";

async function read(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal, credentials: "same-origin" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response;
}

export function useFilmstrip(url: string | undefined): Tile[] | undefined {
  return useQuery({
    queryKey: ["filmstrip", url],
    queryFn: async ({ signal }) => readFilmstrip(await (await read(url ?? "", signal)).text()),
    enabled: !!url,
    staleTime: Infinity,
  }).data;
}

export function useWaveform(url: string | undefined) {
  return useQuery({
    queryKey: ["waveform", url],
    queryFn: async ({ signal }) => readWaveform(await (await read(url ?? "", signal)).arrayBuffer()),
    enabled: !!url,
    staleTime: Infinity,
  });
}

type Paint = (context: CanvasRenderingContext2D, width: number, height: number) => void;

/** Draws again whenever the element's size or `draw` changes, at the screen's own resolution. */
function useCanvas(draw: Paint) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const paint = () => {
      const ratio = devicePixelRatio || 1;
      const { clientWidth: width, clientHeight: height } = element;
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
      const context = element.getContext("2d");
      if (!context || width === 0) return;
      context.scale(ratio, ratio);
      draw(context, width, height);
    };
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    paint();
    return () => observer.disconnect();
  }, [draw]);
  return canvas;
}

/** The sprite sheet, once it can be drawn. */
function useImage(url: string | undefined): HTMLImageElement | undefined {
  const [image, setImage] = useState<HTMLImageElement>();
  useEffect(() => {
    if (!url) return;
    let wanted = true;
    const loading = new Image();
    loading.src = url;
    loading.decode().then(
      () => wanted && setImage(loading),
      // Without it the lane stays dark; everything else works.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [url]);
  return image;
}

interface Span {
  /** Seconds. */
  from: number;
  to: number;
}

function Waveforms({ waveform, span }: { waveform: Waveform | undefined; span: Span }) {
  const paint = useMemo<Paint>(
    () => (context, width, height) => {
      context.clearRect(0, 0, width, height);
      if (!waveform) return;
      const lane = height / waveform.channels;
      const perPixel = (span.to - span.from) / width;
      context.fillStyle = "#7f9dbf";
      for (let channel = 0; channel < waveform.channels; channel += 1) {
        const middle = lane * (channel + 0.5);
        for (let x = 0; x < width; x += 1) {
          const [low, high] = extremes(waveform, channel, span.from + x * perPixel, span.from + (x + 1) * perPixel);
          const top = middle - high * (lane / 2 - 1);
          context.fillRect(x, top, 1, Math.max(1, middle - low * (lane / 2 - 1) - top));
        }
      }
    },
    [waveform, span],
  );
  const canvas = useCanvas(paint);
  return <canvas ref={canvas} className={css.wave} role="img" aria-label={m.player.waveform} data-waveform={waveform ? "drawn" : undefined} />;
}

function Filmstrip({ image, tiles, span }: { image: HTMLImageElement | undefined; tiles: Tile[] | undefined; span: Span }) {
  const ready = !!image && !!tiles?.[0];
  const paint = useMemo<Paint>(
    () => (context, width, height) => {
      context.clearRect(0, 0, width, height);
      const first = tiles?.[0];
      if (!image || !tiles || !first) return;
      const cell = (height * first.width) / first.height;
      const seconds = ((span.to - span.from) / width) * cell;
      // Cells count from the clip's beginning: they do not flicker while the view moves.
      for (let at = Math.floor(span.from / seconds); at * seconds < span.to; at += 1) {
        const tile = tileAt(tiles, Math.max(0, (at + 0.5) * seconds));
        if (tile) context.drawImage(image, tile.x, tile.y, tile.width, tile.height, ((at * seconds - span.from) / seconds) * cell, 0, cell, height);
      }
    },
    [image, tiles, span],
  );
  const canvas = useCanvas(paint);
  return <canvas ref={canvas} className={css.film} role="img" aria-label={m.player.filmstrip} data-filmstrip={ready ? "drawn" : undefined} />;
}

function Shots({ shotChanges, view }: { shotChanges: number[]; view: View }) {
  const paint = useMemo<Paint>(
    () => (context, width, height) => {
      context.clearRect(0, 0, width, height);
      context.fillStyle = "#8c939e";
      for (const shot of shotChanges) context.fillRect(Math.round(placeOf(view, shot) * width), 2, 1, height - 4);
    },
    [shotChanges, view],
  );
  const canvas = useCanvas(paint);
  return <canvas ref={canvas} className={css.lane} role="img" aria-label={m.player.shots(shotChanges.length)} />;
}

interface Under {
  x: number;
  width: number;
  frame: number;
}

interface Gestures {
  playback: Playback;
  view: View;
  change: (next: (view: View) => View) => void;
}

/** A finger that moves less than this was a tap. */
const TAP_PX = 6;

/** Scrubbing with mouse or finger, and pinching with two. */
function useGestures({ playback, view, change }: Gestures) {
  const { clock } = playback;
  const element = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<Under>();
  const pointers = useRef(new Map<number, { x: number; begun: number }>());
  const scrubbing = useRef(false);
  const pinch = useRef<{ distance: number; view: View; at: number }>(undefined);

  const under = (clientX: number): Under => {
    const box = (element.current as HTMLElement).getBoundingClientRect();
    const x = Math.min(box.width, Math.max(0, clientX - box.left));
    return { x, width: box.width, frame: clock.clamp(Math.floor(view.from + (x / box.width) * view.length)) };
  };
  const scrub = (clientX: number) => {
    scrubbing.current = true;
    if (playback.playing) playback.stop();
    playback.seek(under(clientX).frame);
  };
  const fingers = () => {
    const [a, b] = [...pointers.current.values()];
    return a && b ? { distance: Math.max(24, Math.abs(a.x - b.x)), middle: (a.x + b.x) / 2 } : undefined;
  };

  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, begun: event.clientX });
    const two = fingers();
    if (two) {
      scrubbing.current = false;
      setHover(undefined);
      pinch.current = { distance: two.distance, view, at: under(two.middle).frame };
    } else if (event.pointerType !== "touch") {
      scrub(event.clientX);
    }
  };
  const onPointerMove = (event: PointerEvent) => {
    const own = pointers.current.get(event.pointerId);
    if (own) own.x = event.clientX;
    const two = fingers();
    if (pinch.current && two) {
      const { distance, view: former, at } = pinch.current;
      const next = zoomed(former, clock.frames, clock.framesPerSecond, distance / two.distance, at);
      // What was between the fingers stays between them.
      const { x, width } = under(two.middle);
      change(() => panned(next, clock.frames, at - (next.from + (x / width) * next.length)));
      return;
    }
    if (pinch.current) return;
    if (event.pointerType !== "touch" || scrubbing.current) setHover(under(event.clientX));
    if (scrubbing.current) playback.seek(under(event.clientX).frame);
    else if (own && event.pointerType === "touch" && Math.abs(own.x - own.begun) > TAP_PX) scrub(event.clientX);
  };
  const end = (event: PointerEvent) => {
    const own = pointers.current.get(event.pointerId);
    pointers.current.delete(event.pointerId);
    if (own && event.type === "pointerup" && event.pointerType === "touch" && !pinch.current && !scrubbing.current) scrub(event.clientX);
    if (pointers.current.size > 0) return;
    pinch.current = undefined;
    scrubbing.current = false;
    if (event.pointerType === "touch") setHover(undefined);
  };

  const latest = useRef(under);
  useEffect(() => {
    latest.current = under;
  });
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const wheel = (event: WheelEvent) => {
      // React listens passively: a page that scrolls could not be kept still.
      event.preventDefault();
      const { frame, width } = latest.current(event.clientX);
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      const by = (event.deltaX || event.deltaY) * (event.deltaMode === 1 ? 16 : 1);
      const turned = Math.max(-240, Math.min(240, event.deltaY * (event.deltaMode === 1 ? 16 : 1)));
      change((old) =>
        sideways
          ? panned(old, clock.frames, (by / width) * old.length)
          : zoomed(old, clock.frames, clock.framesPerSecond, Math.exp(turned * (event.ctrlKey ? 0.01 : 0.002)), frame),
      );
    };
    box.addEventListener("wheel", wheel, { passive: false });
    return () => box.removeEventListener("wheel", wheel);
  }, [change, clock]);

  return {
    element,
    hover,
    handlers: { onPointerDown, onPointerMove, onPointerUp: end, onPointerCancel: end, onPointerLeave: () => !scrubbing.current && setHover(undefined) },
  };
}

interface TimelineProps {
  playback: Playback;
  shotChanges: number[];
  filmstrip: string | undefined;
  filmstripIndex: string | undefined;
  waveform: string | undefined;
  /** Sound has no picture: its waveform fills the stage. */
  tall: boolean;
}

export function Timeline({ playback, shotChanges, filmstrip, filmstripIndex, waveform, tall }: TimelineProps) {
  const { clock } = playback;
  const tiles = useFilmstrip(filmstripIndex);
  const image = useImage(filmstrip);
  const wave = useWaveform(waveform);
  const [view, setView] = useState(() => wholeOf(clock.frames));
  const { element, hover, handlers } = useGestures({ playback, view, change: setView });
  const span = useMemo(() => {
    const perSecond = clock.rate.numerator / clock.rate.denominator;
    return { from: view.from / perSecond, to: (view.from + view.length) / perSecond };
  }, [view, clock]);

  // Keys and buttons look closer at where the playhead stands.
  const zoom = useCallback(
    (factor: number) => {
      const { frame } = playback.snapshot();
      setView((old) => zoomed(old, clock.frames, clock.framesPerSecond, factor, frame >= old.from && frame <= old.from + old.length ? frame : old.from + old.length / 2));
    },
    [playback, clock],
  );
  useShortcuts((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "z") zoom(0.5);
    else if (event.key === "Z") zoom(2);
    else if (event.key === "w" || event.key === "W") setView(wholeOf(clock.frames));
    else return false;
    return true;
  });

  const tile = hover && tiles ? tileAt(tiles, (hover.frame * clock.rate.denominator) / clock.rate.numerator) : undefined;
  const previewWidth = tile ? Math.min(tile.width, 200) : 112;
  const scale = tile ? previewWidth / tile.width : 1;
  return (
    <div className={[css.axis, tall ? css.tall : ""].join(" ")}>
      <div ref={element} className={css.timeline} data-timeline {...handlers}>
        {(shotChanges.length > 0 || (!filmstrip && !waveform)) && <Shots shotChanges={shotChanges} view={view} />}
        {filmstrip && <Filmstrip image={image} tiles={tiles} span={span} />}
        {waveform && (
          <div className={css.waveBox}>
            <Waveforms waveform={wave.data} span={span} />
            {wave.isError && <span className={css.waveText}>{m.player.waveformFailed}</span>}
          </div>
        )}
        <Range playback={playback} view={view} />
        <Playhead playback={playback} view={view} change={setView} />
        {hover && (
          <>
            <div className={css.hoverLine} style={{ left: hover.x }} />
            <div
              className={css.preview}
              data-preview={tile ? "tile" : "label"}
              style={{ width: previewWidth + 2, left: Math.min(Math.max(0, hover.x - previewWidth / 2), hover.width - previewWidth - 2) }}
            >
              {tile && filmstrip && (
                <div style={{ width: previewWidth, height: tile.height * scale, overflow: "hidden" }}>
                  <div
                    className={css.tile}
                    style={{
                      width: tile.width,
                      height: tile.height,
                      transform: `scale(${scale})`,
                      transformOrigin: "0 0",
                      backgroundImage: `url("${filmstrip}")`,
                      backgroundPosition: `-${tile.x}px -${tile.y}px`,
                    }}
                  />
                </div>
              )}
              <span className={css.previewLabel}>{clock.label(hover.frame)}</span>
            </div>
          </>
        )}
      </div>
      <div className={css.overview}>
        <Overview view={view} frames={clock.frames} change={setView} label={(frame) => clock.label(frame)} />
        <IconButton dense label={m.player.zoomOut} shortcut="Shift + Z" isDisabled={isWhole(view, clock.frames)} onPress={() => zoom(2)}>
          <ZoomOut size={14} />
        </IconButton>
        <IconButton dense label={m.player.zoomIn} shortcut="Z" onPress={() => zoom(0.5)}>
          <ZoomIn size={14} />
        </IconButton>
        <IconButton dense label={m.player.zoomWhole} shortcut="W" isDisabled={isWhole(view, clock.frames)} onPress={() => setView(wholeOf(clock.frames))}>
          <Scan size={14} />
        </IconButton>
      </div>
    </div>
  );
}

/** Which part of the clip is shown; moves it. */
function Overview({ view, frames, change, label }: { view: View; frames: number; change: (next: (view: View) => View) => void; label: (frame: number) => string }) {
  const track = useRef<HTMLDivElement>(null);
  const from = useRef<number>(undefined);
  const whole = isWhole(view, frames);
  const move = (event: PointerEvent) => {
    if (from.current === undefined || !track.current) return;
    const by = ((event.clientX - from.current) / track.current.clientWidth) * frames;
    from.current = event.clientX;
    change((old) => panned(old, frames, by));
  };
  const key = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -0.1, ArrowRight: 0.1, PageUp: -1, PageDown: 1, Home: -frames, End: frames };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    change((old) => panned(old, frames, step * old.length));
  };
  const last = Math.min(frames - 1, Math.round(view.from + view.length));
  return (
    <div ref={track} className={css.track} data-zoomed={whole ? undefined : ""}>
      <div
        className={css.thumb}
        role="slider"
        aria-label={m.player.shownPart}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, Math.round(frames - view.length))}
        aria-valuenow={Math.round(view.from)}
        aria-valuetext={m.player.shownFromTo(label(Math.round(view.from)), label(last))}
        tabIndex={whole ? -1 : 0}
        style={{ left: `${(view.from / frames) * 100}%`, width: `${(view.length / frames) * 100}%` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = event.clientX;
        }}
        onPointerMove={move}
        onPointerUp={() => {
          from.current = undefined;
        }}
        onKeyDown={key}
      />
    </div>
  );
}

function Range({ playback, view }: { playback: Playback; view: View }) {
  const state = useSyncExternalStore(playback.subscribe, playback.snapshot);
  if (state.in === undefined && state.out === undefined) return null;
  const { frames } = playback.clock;
  const edge = (frame: number) => Math.min(1, Math.max(0, placeOf(view, frame)));
  const [from, to] = [edge(state.in ?? 0), edge((state.out ?? frames - 1) + 1)];
  if (from === to) return null;
  return <div className={css.range} style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />;
}

/** The slider for keyboards and screen readers is the playhead itself. */
function Playhead({ playback, view, change }: { playback: Playback; view: View; change: (next: (view: View) => View) => void }) {
  const { frame } = useSyncExternalStore(playback.subscribe, playback.snapshot);
  const { clock } = playback;
  const at = placeOf(view, frame);
  useEffect(() => change((old) => following(old, clock.frames, frame)), [frame, clock, change]);
  return (
    <div
      className={css.head}
      role="slider"
      tabIndex={0}
      aria-label={m.player.position}
      aria-valuemin={0}
      aria-valuemax={clock.frames - 1}
      aria-valuenow={frame}
      aria-valuetext={clock.label(frame)}
      data-outside={at < 0 || at > 1 ? "" : undefined}
      style={{ transform: `translateX(${Math.min(1, Math.max(0, at)) * 100}%)` }}
    />
  );
}
