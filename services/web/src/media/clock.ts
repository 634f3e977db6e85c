// A clip's clock: how its positions count and how they are written.

import {
  formatTimecode,
  framesIn,
  microsecondsOf,
  nominal,
  parseTimecode,
  readEntry,
  type Entry,
  type FrameRate,
  type Timecode,
} from "./timecode";

/** Sound has no frames; its positions count in hundredths of a second. */
const SOUND_RATE: FrameRate = { numerator: 100, denominator: 1 };

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
    return formatTimecode({ ...this.start, frames: this.start.frames + Math.max(0, frame) });
  }

  /** Writes a number of frames as a length, without the start timecode. */
  length(frames: number): string {
    return formatTimecode({ ...this.start, frames });
  }

  /** The frame of a full label (as it stands in an address); undefined if it is not in the clip. */
  frameOf(label: string): number | undefined {
    const timecode = parseTimecode(label, this.rate);
    if (!timecode) return undefined;
    const frame = timecode.frames - this.start.frames;
    return frame >= 0 && frame < this.frames ? frame : undefined;
  }

  read(text: string, current: number): Entry {
    return readEntry(text, this.start, current);
  }
}
