// Playing a proxy to the frame: a media element behind whole frame numbers, with shuttle.
//
// Browsers cannot play backwards; the controller seeks from frame to frame instead, which the proxy's
// short groups of pictures make quick enough.

import type { Clock } from "../../media/clock";

const SPEEDS = [1, 2, 4, 8];

export interface PlaybackState {
  /** Frame that is shown or being sought. */
  frame: number;
  /** 0 stands; negative plays backwards. */
  speed: number;
  in: number | undefined;
  out: number | undefined;
  broken: boolean;
}

export class Playback {
  private element: HTMLVideoElement | undefined;
  private listeners = new Set<() => void>();
  private state: PlaybackState = { frame: 0, speed: 0, in: undefined, out: undefined, broken: false };
  /** Frame to go to once the element has finished the seek it is at. */
  private wanted: number | undefined;
  private handle = 0;
  private playingRange = false;

  constructor(readonly clock: Clock) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): PlaybackState => this.state;

  attach(element: HTMLVideoElement, startFrame: number | undefined): () => void {
    this.element = element;
    const { signal, abort } = withAbort();
    const on = (name: string, act: () => void) => element.addEventListener(name, act, { signal });
    on("loadedmetadata", () => this.seek(startFrame ?? this.state.frame));
    on("seeked", () => {
      if (this.wanted !== undefined && this.wanted !== this.clock.frameAt(element.currentTime)) this.apply(this.wanted);
      else this.wanted = undefined;
    });
    on("ended", () => this.stop());
    on("pause", () => this.state.speed > 0 && !element.seeking && this.set({ speed: 0 }));
    on("play", () => this.state.speed <= 0 && this.set({ speed: 1 }));
    on("error", () => this.set({ broken: true, speed: 0 }));
    if (startFrame !== undefined) this.set({ frame: this.clock.clamp(startFrame) });
    if (element.readyState >= 1) this.seek(startFrame ?? this.state.frame);
    const cancel = this.follow(element);
    return () => {
      abort();
      cancel();
      cancelAnimationFrame(this.handle);
      this.element = undefined;
    };
  }

  get playing(): boolean {
    return this.state.speed !== 0;
  }

  toggle(): void {
    if (this.playing) this.stop();
    else this.play(1);
  }

  /** L: forwards, again for faster. */
  faster(): void {
    const { speed } = this.state;
    this.play(speed <= 0 ? 1 : (SPEEDS[SPEEDS.indexOf(speed) + 1] ?? 8));
  }

  /** J: backwards, again for faster. */
  slower(): void {
    const { speed } = this.state;
    this.play(speed >= 0 ? -1 : -(SPEEDS[SPEEDS.indexOf(-speed) + 1] ?? 8));
  }

  /** K: stands, on the frame that is shown. */
  stop(): void {
    const { element } = this;
    const wasPlaying = this.state.speed > 0;
    cancelAnimationFrame(this.handle);
    this.playingRange = false;
    this.set({ speed: 0 });
    if (!element) return;
    element.pause();
    // The picture may be ahead of the last frame we were told of.
    if (wasPlaying && !element.seeking) this.set({ frame: this.clock.frameAt(element.currentTime) });
  }

  step(frames: number): void {
    if (this.playing) this.stop();
    this.seek(this.state.frame + frames);
  }

  seek(frame: number): void {
    const target = this.clock.clamp(frame);
    this.set({ frame: target });
    if (this.element?.seeking) this.wanted = target;
    else this.apply(target);
  }

  mark(which: "in" | "out"): void {
    const { frame } = this.state;
    if (which === "in") this.set({ in: frame, ...(this.state.out !== undefined && this.state.out < frame ? { out: undefined } : {}) });
    else this.set({ out: frame, ...(this.state.in !== undefined && this.state.in > frame ? { in: undefined } : {}) });
  }

  clearMarks(): void {
    this.set({ in: undefined, out: undefined });
  }

  playRange(): void {
    const { in: from, out } = this.state;
    if (from === undefined && out === undefined) return;
    this.seek(from ?? 0);
    this.play(1);
    this.playingRange = true;
  }

  private play(speed: number): void {
    const { element } = this;
    if (!element) return;
    cancelAnimationFrame(this.handle);
    this.playingRange = false;
    if (speed > 0) {
      if (this.state.frame >= this.clock.frames - 1) this.seek(0);
      element.playbackRate = speed;
      this.set({ speed });
      // Refused (by the browser's rules on sound, or a broken file): then it stands.
      element.play().catch(() => this.set({ speed: 0 }));
    } else {
      element.pause();
      this.set({ speed });
      this.rewind(speed);
    }
  }

  private rewind(speed: number): void {
    const from = this.state.frame;
    const began = performance.now();
    const rate = this.clock.rate.numerator / this.clock.rate.denominator;
    const draw = () => {
      const frame = this.clock.clamp(from + ((performance.now() - began) / 1000) * rate * speed);
      if (!this.element?.seeking && frame !== this.state.frame) this.seek(frame);
      if (frame <= 0) this.stop();
      else this.handle = requestAnimationFrame(draw);
    };
    this.handle = requestAnimationFrame(draw);
  }

  private apply(frame: number): void {
    const { element } = this;
    if (!element || element.readyState < 1) return;
    this.wanted = frame;
    element.currentTime = Math.min(this.clock.secondsOf(frame), Math.max(0, (element.duration || Infinity) - 0.001));
  }

  /** Says which frame is shown while it plays. */
  private follow(element: HTMLVideoElement): () => void {
    let stopped = false;
    const show = (frame: number) => {
      if (this.state.speed <= 0 || element.seeking) return;
      if (frame !== this.state.frame) this.set({ frame });
      if (this.playingRange && this.state.out !== undefined && frame >= this.state.out) {
        const { out } = this.state;
        this.stop();
        this.seek(out);
      }
    };
    if ("requestVideoFrameCallback" in element && this.clock.hasFrames) {
      const rate = this.clock.rate.numerator / this.clock.rate.denominator;
      // The media time of a frame is its start, rounded somehow: the nearest frame is the one.
      const next = (_now: number, { mediaTime }: VideoFrameCallbackMetadata) => {
        if (stopped) return;
        show(this.clock.clamp(Math.round(mediaTime * rate)));
        element.requestVideoFrameCallback(next);
      };
      element.requestVideoFrameCallback(next);
    } else {
      const next = () => {
        if (stopped) return;
        show(this.clock.frameAt((element as HTMLVideoElement).currentTime));
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    }
    return () => {
      stopped = true;
    };
  }

  private set(change: Partial<PlaybackState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

function withAbort(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
