// A clip's clock: how its positions count and how they are written.

import {
  formatTimecode,
  framesIn,
  microsecondsOf,
  nominal,
  parseTimecode,
  readEntry,
  readTimeEntry,
  formatTime,
  parseTime,
  type Entry,
  type FrameRate,
  type Timecode,
} from "./timecode";

/** Sound has no frames: its positions count in milliseconds and are written `HH:MM:SS.mmm`. */
const SOUND_RATE: FrameRate = { numerator: 1000, denominator: 1 };
/** What one step moves in sound: ten milliseconds are heard, one is not. */
const SOUND_STEP = 10;

export class Clock {
  readonly rate: FrameRate;
  readonly start: Timecode;
  /** Number of frames; positions are 0 … frames - 1. */
  readonly frames: number;

  constructor(rate: FrameRate | null | undefined, start: Timecode | null | undefined, durationMicroseconds: number, frames?: number | null) {
    this.rate = rate ?? SOUND_RATE;
    const counted = Math.round((durationMicroseconds * this.rate.numerator) / (this.rate.denominator * 1_000_000));
    this.frames = Math.max(1, frames ?? counted);
    const same = start && start.rate.numerator === this.rate.numerator && start.rate.denominator === this.rate.denominator;
    this.start = same
      ? start
      : { frames: start ? framesIn(this.rate, microsecondsOf(start.rate, start.frames)) : 0, rate: this.rate, drop_frame: false };
  }

  get hasFrames(): boolean {
    return this.rate !== SOUND_RATE;
  }

  /** How far one step goes, in positions. */
  get step(): number {
    return this.hasFrames ? 1 : SOUND_STEP;
  }

  /** Length of the clip in seconds. */
  get seconds(): number {
    return (this.frames * this.rate.denominator) / this.rate.numerator;
  }

  get framesPerSecond(): number {
    return nominal(this.rate);
  }

  clamp(frame: number): number {
    return Math.min(this.frames - 1, Math.max(0, Math.round(frame)));
  }

  /** Frame that is shown when the player stands at `seconds`. */
  frameAt(seconds: number): number {
    // A media element rounds to microseconds, and not always upwards.
    return this.clamp(framesIn(this.rate, Math.max(0, seconds) * 1e6 + 1.5));
  }

  /** Where to seek for `frame`: its middle, so that no rounding shows the one before. */
  secondsOf(frame: number): number {
    return ((this.clamp(frame) + 0.5) * this.rate.denominator) / this.rate.numerator;
  }

  label(frame: number): string {
    return this.write(this.start.frames + Math.max(0, frame));
  }

  /** Writes a number of frames as a length, without the start timecode. */
  length(frames: number): string {
    return this.write(frames);
  }

  private write(frames: number): string {
    return this.hasFrames ? formatTimecode({ ...this.start, frames }) : formatTime(frames);
  }

  /** The frame of a full label (as it stands in an address); undefined if it is not in the clip. */
  frameOf(label: string): number | undefined {
    const at = this.hasFrames ? parseTimecode(label, this.rate)?.frames : parseTime(label);
    if (at === undefined) return undefined;
    const frame = at - this.start.frames;
    return frame >= 0 && frame < this.frames ? frame : undefined;
  }

  read(text: string, current: number): Entry {
    return this.hasFrames ? readEntry(text, this.start, current) : readTimeEntry(text, this.start.frames, current);
  }
}

interface Measured {
  kind: string;
  duration_us?: number | null;
  version?: {
    technical?: { start_timecode?: Timecode | null; video?: { frame_rate: FrameRate } | null } | null;
    analysis?: { proxy_frame_rate?: FrameRate | null; proxy_frames?: number | null; proxy_duration_us?: number | null } | null;
  } | null;
}

/**
 * The one clock of an asset, for the player and for everything that is written beside it; undefined
 * while its length is not known. Where there is a picture, what is shown counts: the proxy's frames.
 * Sound is as long as its original; its proxy is longer by what the codec pads.
 */
export function clockOf({ kind, duration_us, version }: Measured): Clock | undefined {
  const { technical, analysis } = version ?? {};
  const rate = kind === "video" ? (analysis?.proxy_frame_rate ?? technical?.video?.frame_rate) : undefined;
  const duration = rate ? (analysis?.proxy_duration_us ?? duration_us) : (duration_us ?? analysis?.proxy_duration_us);
  return duration == null ? undefined : new Clock(rate, technical?.start_timecode, duration, rate ? analysis?.proxy_frames : undefined);
}
