// The time axis under the picture: scrubber with shot changes, waveform, playhead, filmstrip on hover.
// The waveform is drawn here on a canvas: one fixed view of the whole clip needs no library.

import { useQuery } from "@tanstack/react-query";
import { useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type PointerEvent } from "react";
import { readFilmstrip, tileAt, type Tile } from "../../media/filmstrip";
import { extremes, readWaveform, type Waveform } from "../../media/waveform";
import { m } from "../../messages";
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

export function WaveformCanvas({ waveform, seconds, className }: { waveform: Waveform | undefined; seconds: number; className?: string | undefined }) {
  const paint = useMemo<Paint>(
    () => (context, width, height) => {
      context.clearRect(0, 0, width, height);
      if (!waveform) return;
      const lane = height / waveform.channels;
      context.fillStyle = "#7f9dbf";
      for (let channel = 0; channel < waveform.channels; channel += 1) {
        const middle = lane * (channel + 0.5);
        for (let x = 0; x < width; x += 1) {
          const [low, high] = extremes(waveform, channel, (x / width) * seconds, ((x + 1) / width) * seconds);
          const top = middle - high * (lane / 2 - 1);
          context.fillRect(x, top, 1, Math.max(1, middle - low * (lane / 2 - 1) - top));
        }
      }
    },
    [waveform, seconds],
  );
  const canvas = useCanvas(paint);
  return <canvas ref={canvas} className={className} role="img" aria-label={m.player.waveform} data-waveform={waveform ? "drawn" : undefined} />;
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
  const wave = useWaveform(waveform);
  const element = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<{ x: number; width: number; frame: number }>();
  const dragging = useRef(false);
  const seconds = (clock.frames * clock.rate.denominator) / clock.rate.numerator;

  const paintShots = useMemo<Paint>(
    () => (context, width, height) => {
      context.clearRect(0, 0, width, height);
      context.fillStyle = "#8c939e";
      for (const shot of shotChanges) context.fillRect(Math.round((shot / clock.frames) * width), height / 2, 1, height / 2);
    },
    [shotChanges, clock],
  );
  const shots = useCanvas(paintShots);

  const frameUnder = (event: PointerEvent): { x: number; width: number; frame: number } => {
    const box = (element.current as HTMLElement).getBoundingClientRect();
    const x = Math.min(box.width, Math.max(0, event.clientX - box.left));
    return { x, width: box.width, frame: clock.clamp(Math.floor((x / box.width) * clock.frames)) };
  };
  const move = (event: PointerEvent) => {
    const under = frameUnder(event);
    setHover(under);
    if (dragging.current) playback.seek(under.frame);
  };

  const tile = hover && tiles ? tileAt(tiles, (hover.frame * clock.rate.denominator) / clock.rate.numerator) : undefined;
  const previewWidth = tile ? Math.min(tile.width, 200) : 112;
  const scale = tile ? previewWidth / tile.width : 1;
  return (
    <div
      ref={element}
      className={[css.timeline, tall ? css.tall : ""].join(" ")}
      data-timeline
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        dragging.current = true;
        if (playback.playing) playback.stop();
        playback.seek(frameUnder(event).frame);
      }}
      onPointerMove={move}
      onPointerUp={() => {
        dragging.current = false;
      }}
      onPointerLeave={() => !dragging.current && setHover(undefined)}
    >
      <canvas ref={shots} className={css.lane} role="img" aria-label={m.player.shots(shotChanges.length)} />
      {waveform && (
        <div className={css.waveBox}>
          <WaveformCanvas waveform={wave.data} seconds={seconds} className={css.wave} />
          {wave.isError && <span className={css.waveText}>{m.player.waveformFailed}</span>}
        </div>
      )}
      <Range playback={playback} />
      <Playhead playback={playback} />
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
  );
}

function Range({ playback }: { playback: Playback }) {
  const state = useSyncExternalStore(playback.subscribe, playback.snapshot);
  if (state.in === undefined && state.out === undefined) return null;
  const { frames } = playback.clock;
  const [from, to] = [state.in ?? 0, (state.out ?? frames - 1) + 1];
  return <div className={css.range} style={{ left: `${(from / frames) * 100}%`, width: `${((to - from) / frames) * 100}%` }} />;
}

/** The slider for keyboards and screen readers is the playhead itself. */
function Playhead({ playback }: { playback: Playback }) {
  const { frame } = useSyncExternalStore(playback.subscribe, playback.snapshot);
  const { clock } = playback;
  const at = clock.frames > 1 ? frame / clock.frames : 0;
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
      style={{ transform: `translateX(${at * 100}%)` }}
    />
  );
}
