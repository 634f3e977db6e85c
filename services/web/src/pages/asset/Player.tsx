// The player: picture, time axis, transport, timecode.

import {
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  Link2,
  Maximize,
  Pause,
  Play,
  SkipBack,
  SkipForward,
  Volume2,
  VolumeX,
} from "lucide-react";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import { Button as AriaButton } from "react-aria-components";
import { buttonClass, IconButton } from "../../components/controls";
import { say } from "../../components/toasts";
import type { Clock } from "../../media/clock";
import { m } from "../../messages";
import { useShortcuts } from "../../shell/keyboard";
import { Playback } from "./playback";
import css from "./Player.module.css";
import { Timeline } from "./Timeline";

interface PlayerProps {
  name: string;
  src: string;
  poster: string | undefined;
  filmstrip: string | undefined;
  filmstripIndex: string | undefined;
  waveform: string | undefined;
  clock: Clock;
  isVideo: boolean;
  aspect: number;
  shotChanges: number[];
  /** Timecode to start at. */
  startAt: string | undefined;
  /** Tells where it stands, whenever it stands. */
  onPosition: (timecode: string | undefined) => void;
}

/** How long it has to stand before the address says so. */
const SETTLE_MS = 300;

export function Player(props: PlayerProps) {
  const { name, src, poster, clock, isVideo, aspect, shotChanges, startAt, onPosition } = props;
  const playback = useMemo(() => new Playback(clock), [clock]);
  const { frame, speed, broken, in: markIn, out: markOut } = useSyncExternalStore(playback.subscribe, playback.snapshot);
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const entry = useRef<HTMLInputElement>(null);
  const [muted, setMuted] = useState(false);
  const [volume, setVolume] = useState(1);
  const [problem, setProblem] = useState<string>();

  const wanted = startAt === undefined ? undefined : clock.frameOf(startAt);
  const first = useRef(wanted);
  useEffect(() => (video.current ? playback.attach(video.current, first.current) : undefined), [playback]);

  // The address follows the player, and the player follows the address (Back, or a pasted link).
  const told = useRef(startAt);
  useEffect(() => {
    if (speed !== 0) return;
    const timer = setTimeout(() => {
      const label = frame === 0 ? undefined : clock.label(frame);
      if (label === told.current) return;
      told.current = label;
      onPosition(label);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [frame, speed, clock, onPosition]);
  useEffect(() => {
    if (startAt === told.current) return;
    told.current = startAt;
    playback.seek(wanted ?? 0);
  }, [startAt, wanted, playback]);

  const nextShot = () => playback.seek(shotChanges.find((shot) => shot > frame) ?? clock.frames - 1);
  const previousShot = () => playback.seek(shotChanges.findLast((shot) => shot < frame) ?? 0);
  const fullscreen = () => void (document.fullscreenElement ? document.exitFullscreen() : stage.current?.requestFullscreen());

  useShortcuts((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const onButton = (event.target as HTMLElement).closest("button, a, [role=tab]");
    const second = clock.framesPerSecond;
    switch (event.key) {
      case " ":
        if (onButton) return false;
        playback.toggle();
        break;
      case "k":
      case "K":
        playback.stop();
        break;
      case "l":
      case "L":
        playback.faster();
        break;
      case "j":
      case "J":
        playback.slower();
        break;
      case "ArrowLeft":
        playback.step(event.shiftKey ? -second : -clock.step);
        break;
      case "ArrowRight":
        playback.step(event.shiftKey ? second : clock.step);
        break;
      case "ArrowUp":
        previousShot();
        break;
      case "ArrowDown":
        nextShot();
        break;
      case "Home":
        playback.seek(0);
        break;
      case "End":
        playback.seek(clock.frames - 1);
        break;
      case "i":
      case "I":
        playback.mark("in");
        break;
      case "o":
      case "O":
        playback.mark("out");
        break;
      case "x":
      case "X":
        playback.clearMarks();
        break;
      case "f":
      case "F":
        fullscreen();
        break;
      default:
        if (!/^[0-9+-]$/.test(event.key) || !entry.current) return false;
        entry.current.focus();
        entry.current.value = event.key;
        entry.current.setSelectionRange(1, 1);
    }
    return true;
  });

  const hasMarks = markIn !== undefined || markOut !== undefined;
  return (
    <section className={css.player} ref={stage} aria-label={m.player.label(name)}>
      <div className={isVideo ? css.picture : css.sound} style={isVideo ? { aspectRatio: aspect } : undefined}>
        {/* Captions come with the subtitling module; a proxy has none of its own. */}
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
        <video
          ref={video}
          src={src}
          poster={poster}
          preload="auto"
          playsInline
          muted={muted}
          onClick={() => playback.toggle()}
          hidden={!isVideo}
          aria-label={name}
        />
        {broken && <p className={css.broken}>{m.player.broken}</p>}
        {speed !== 0 && speed !== 1 && <span className={css.speed}>{m.player.speed(speed)}</span>}
      </div>
      <Timeline
        key={clock.frames}
        playback={playback}
        shotChanges={shotChanges}
        filmstrip={props.filmstrip}
        filmstripIndex={props.filmstripIndex}
        waveform={props.waveform}
        tall={!isVideo}
      />
      <div className={css.transport}>
        <div className={css.times}>
          <TimecodeField playback={playback} entry={entry} onProblem={setProblem} />
          <span className={css.length} title={m.player.duration}>
            / {clock.length(clock.frames)}
          </span>
        </div>
        <div className={css.buttons}>
          <span className={css.deskOnly}>
            <IconButton label={m.player.toStart} shortcut="Home" onPress={() => playback.seek(0)}>
              <ChevronFirst size={18} />
            </IconButton>
          </span>
          {shotChanges.length > 0 && (
            <span className={css.deskOnly}>
              <IconButton label={m.player.previousShot} shortcut="↑" onPress={previousShot}>
                <SkipBack size={16} />
              </IconButton>
            </span>
          )}
          <IconButton label={clock.hasFrames ? m.player.frameBack : m.player.stepBack} shortcut="←" onPress={() => playback.step(-clock.step)}>
            <ChevronLeft size={18} />
          </IconButton>
          <AriaButton className={`${buttonClass("normal", { icon: true })} ${css.play}`} aria-label={speed === 0 ? m.player.play : m.player.pause} onPress={() => playback.toggle()}>
            {speed === 0 ? <Play size={18} fill="currentColor" aria-hidden /> : <Pause size={18} fill="currentColor" aria-hidden />}
          </AriaButton>
          <IconButton label={clock.hasFrames ? m.player.frameOn : m.player.stepOn} shortcut="→" onPress={() => playback.step(clock.step)}>
            <ChevronRight size={18} />
          </IconButton>
          {shotChanges.length > 0 && (
            <span className={css.deskOnly}>
              <IconButton label={m.player.nextShot} shortcut="↓" onPress={nextShot}>
                <SkipForward size={16} />
              </IconButton>
            </span>
          )}
          <span className={css.deskOnly}>
            <IconButton label={m.player.toEnd} shortcut="End" onPress={() => playback.seek(clock.frames - 1)}>
              <ChevronLast size={18} />
            </IconButton>
          </span>
        </div>
        <div className={`${css.buttons} ${css.right}`}>
          <IconButton label={m.player.markIn} shortcut="I" onPress={() => playback.mark("in")}>
            <b aria-hidden>I</b>
          </IconButton>
          <IconButton label={m.player.markOut} shortcut="O" onPress={() => playback.mark("out")}>
            <b aria-hidden>O</b>
          </IconButton>
          <IconButton
            label={m.player.copyLink}
            onPress={() => {
              const url = new URL(location.href);
              url.searchParams.set("t", clock.label(frame));
              void navigator.clipboard?.writeText(decodeURIComponent(url.href)).then(() => say(m.player.linkCopied));
            }}
          >
            <Link2 size={16} />
          </IconButton>
          <IconButton
            label={muted ? m.player.unmute : m.player.mute}
            onPress={() => {
              setMuted(!muted);
            }}
          >
            {muted || volume === 0 ? <VolumeX size={16} /> : <Volume2 size={16} />}
          </IconButton>
          <input
            type="range"
            className={css.volume}
            min={0}
            max={1}
            step={0.05}
            value={volume}
            aria-label={m.player.volume}
            onChange={(event) => {
              const value = Number(event.target.value);
              setVolume(value);
              setMuted(false);
              if (video.current) video.current.volume = value;
            }}
          />
          <IconButton label={m.player.fullscreen} shortcut="F" onPress={fullscreen}>
            <Maximize size={16} />
          </IconButton>
        </div>
      </div>
      {problem ? (
        <p className={css.entryProblem} role="alert">
          {problem}
        </p>
      ) : (
        hasMarks && (
          <div className={css.marks}>
            {markIn !== undefined && (
              <span>
                {m.player.inPoint} <b>{clock.label(markIn)}</b>
              </span>
            )}
            {markOut !== undefined && (
              <span>
                {m.player.outPoint} <b>{clock.label(markOut)}</b>
              </span>
            )}
            <span>
              {m.player.marked} <b>{clock.length((markOut ?? clock.frames - 1) - (markIn ?? 0) + 1)}</b>
            </span>
            <button type="button" className={buttonClass("quiet", { dense: true })} onClick={() => playback.playRange()}>
              {m.player.loop}
            </button>
            <button type="button" className={buttonClass("quiet", { dense: true })} onClick={() => playback.clearMarks()}>
              {m.player.clearMarks}
            </button>
          </div>
        )
      )}
    </section>
  );
}

/** Shows where it stands; typing goes somewhere else. */
function TimecodeField({ playback, entry, onProblem }: { playback: Playback; entry: RefObject<HTMLInputElement | null>; onProblem: (problem: string | undefined) => void }) {
  const { frame } = useSyncExternalStore(playback.subscribe, playback.snapshot);
  const { clock } = playback;
  const label = clock.label(frame);
  const words = clock.hasFrames ? m.player : m.player.time;
  const editing = useRef(false);
  const [invalid, setInvalid] = useState(false);

  useEffect(() => {
    // The field is not controlled: sixty times a second React would have to compare what is typed.
    // oxlint-disable-next-line react/immutability -- it is the DOM element's own value
    if (entry.current && !editing.current) entry.current.value = label;
  }, [label, entry]);

  const fail = (sentence: string | undefined) => {
    setInvalid(!!sentence);
    onProblem(sentence);
  };
  const go = (text: string): boolean => {
    const read = clock.read(text, frame);
    if ("problem" in read) {
      fail(read.problem === "form" ? words.notATimecode : words.skippedLabel);
      return false;
    }
    // Steps stop at the ends; a timecode that is not in the clip is a slip of the finger.
    const relative = /^[+-]/.test(text.trim());
    if (!relative && (read.frame < 0 || read.frame >= clock.frames)) {
      fail(words.notInClip);
      return false;
    }
    playback.stop();
    playback.seek(read.frame);
    return true;
  };

  return (
    <input
      ref={entry}
      className={css.timecode}
      aria-label={words.timecodeEntry}
      aria-invalid={invalid}
      title={words.timecodeHint}
      defaultValue={label}
      spellCheck={false}
      autoComplete="off"
      inputMode="text"
      data-timecode
      onFocus={(event) => {
        editing.current = true;
        event.currentTarget.select();
      }}
      onChange={() => fail(undefined)}
      onBlur={(event) => {
        editing.current = false;
        event.currentTarget.value = clock.label(playback.snapshot().frame);
        fail(undefined);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          if (go(event.currentTarget.value)) event.currentTarget.blur();
          else event.currentTarget.select();
        } else if (event.key === "Escape") {
          event.currentTarget.blur();
        } else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}
