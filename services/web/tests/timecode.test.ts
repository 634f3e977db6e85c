// The same tables as services/core/src/timecode.rs.
import { describe, expect, it } from "vitest";
import {
  formatTimecode,
  frameRate,
  framesIn,
  microsecondsOf,
  parseTimecode,
  rateName,
  readEntry,
  type FrameRate,
} from "../src/media/timecode";
import { Clock, clockOf } from "../src/media/clock";

const rate = (numerator: number, denominator: number): FrameRate => {
  const made = frameRate(numerator, denominator);
  if (!made) throw new Error("not a rate");
  return made;
};
const ntsc = rate(30_000, 1001);

describe("timecode", () => {
  it.each([
    [1799, "00:00:59;29"],
    [1800, "00:01:00;02"],
    [17981, "00:09:59;29"],
    [17982, "00:10:00;00"],
    [107_892, "01:00:00;00"],
    [2_589_407, "23:59:59;29"],
    [2_589_408, "00:00:00;00"],
  ])("labels frame %i of 29.97 drop-frame %s", (frames, label) => {
    expect(formatTimecode({ frames, rate: ntsc, drop_frame: true })).toBe(label);
  });

  it("writes and reads back the frames of a day", () => {
    const cases: [FrameRate, boolean][] = [
      [rate(24_000, 1001), false],
      [rate(25, 1), false],
      [ntsc, true],
      [ntsc, false],
      [rate(60_000, 1001), true],
    ];
    for (const [at, drop_frame] of cases) {
      const perSecond = Math.ceil(at.numerator / at.denominator);
      const day = perSecond * 86_400 - (drop_frame ? (perSecond / 15) * 1296 : 0);
      for (let frames = 0; frames < day; frames += frames < 40_000 ? 1 : 173) {
        const label = formatTimecode({ frames, rate: at, drop_frame });
        const back = parseTimecode(label, at);
        if (back?.frames !== frames || back.drop_frame !== drop_frame) {
          expect([label, back]).toEqual([label, { frames, rate: at, drop_frame }]);
        }
      }
    }
  });

  it.each([
    "", "1", "00:00:00", "00:00:00:00:00", "aa:00:00:00", "00:00:00:-1", "24:00:00:00", "00:60:00:00",
    "00:00:60:00", "00:00:00:30", "00:01:00;00", "00:01:00;01", "٠٠:00:00:00",
  ])("refuses %j", (text) => {
    expect(parseTimecode(text, ntsc)).toBeUndefined();
  });

  it("knows where drop-frame counting is defined", () => {
    expect(parseTimecode("00:10:00;00", ntsc)).toBeDefined();
    expect(parseTimecode("00:00:00;00", rate(25, 1))).toBeUndefined();
    expect(frameRate(0, 1)).toBeUndefined();
    expect(frameRate(25, 0)).toBeUndefined();
    expect(frameRate(50, 2)).toEqual({ numerator: 25, denominator: 1 });
  });

  it("turns frames into microseconds and back", () => {
    for (const at of [rate(24_000, 1001), rate(25, 1), ntsc, rate(60_000, 1001), rate(12, 1)]) {
      for (let frame = 0; frame < 2_000_000; frame += 997) {
        expect(framesIn(at, microsecondsOf(at, frame))).toBe(frame);
      }
    }
  });

  it("says rates as people do", () => {
    expect([rate(24_000, 1001), rate(25, 1), ntsc, rate(60_000, 1001), rate(25, 2)].map(rateName)).toEqual([
      "23.976", "25", "29.97", "59.94", "12.5",
    ]);
  });
});

describe("timecode entry", () => {
  const start = parseTimecode("10:00:00:00", rate(25, 1));
  const dropStart = parseTimecode("01:00:00;00", ntsc);
  if (!start || !dropStart) throw new Error("not a timecode");

  it.each([
    ["10001205", 305],
    ["10:00:12:05", 305],
    ["10:00:12.", 300],
    ["+5", 105],
    ["-5", 95],
    ["+75", 175],
    ["+1.", 125],
    ["+1:00", 125],
    ["12.", 300],
    ["1205", 305],
    ["7", 107],
    ["1.", 25],
    ["9595900", 9 * 90_000 + 59 * 1500 + 59 * 25 - 900_000],
    ["abc", undefined],
    ["10:00:61:00", undefined],
    ["100000000", undefined],
  ])("reads %s", (text, frame) => {
    const entry = readEntry(text, start, 100);
    expect("frame" in entry ? entry.frame : undefined).toBe(frame);
  });

  it("takes the next frame for a label that drop-frame counting skips", () => {
    expect(readEntry("01:01:00;00", dropStart, 0)).toEqual({ frame: 1800 });
    expect(readEntry("1010002", dropStart, 0)).toEqual({ frame: 1800 });
    expect(readEntry("100.", dropStart, 0)).toEqual({ frame: 1800 });
  });
});

describe("clock", () => {
  it("gives each frame back whose middle it seeks to", () => {
    for (const at of [rate(24_000, 1001), rate(25, 1), ntsc, rate(60_000, 1001)]) {
      const clock = new Clock(at, null, 36_000_000_000);
      for (let frame = 0; frame < clock.frames; frame += 9973) {
        expect(clock.frameAt(clock.secondsOf(frame))).toBe(frame);
        expect(clock.frameAt(microsecondsOf(at, frame) / 1e6)).toBe(frame);
      }
    }
  });

  it("writes sound in milliseconds: never as frames", () => {
    const clock = new Clock(null, null, 61_500_000);
    expect(clock.label(clock.frameAt(61.25))).toBe("00:01:01.250");
    expect(clock.length(clock.frames)).toBe("00:01:01.500");
    expect(clock.hasFrames).toBe(false);
    expect(clock.frameOf("00:01:01.250")).toBe(61_250);
    expect(clock.frameOf("00:01:01:25")).toBeUndefined();
  });

  it("is the same for the player and for what is written beside it", () => {
    const version = {
      technical: { start_timecode: null, video: { frame_rate: rate(25, 1) } },
      // A codec that pads makes the proxy longer than the sound that went in.
      analysis: { proxy_duration_us: 61_521_333, proxy_frame_rate: rate(25, 1), proxy_frames: 1538 },
    };
    const sound = clockOf({ kind: "audio", duration_us: 61_500_000, version });
    expect(sound?.length(sound.frames)).toBe("00:01:01.500");
    const picture = clockOf({ kind: "video", duration_us: 61_500_000, version });
    expect(picture?.length(picture.frames)).toBe("00:01:01:13");
    expect(clockOf({ kind: "video", version: null })).toBeUndefined();
  });

  it.each([
    ["1:02:03.5", 3_723_500],
    ["10203.5", 3_723_500],
    ["12", 72_000],
    ["12.", 72_000],
    [".25", 60_250],
    ["2:00", 120_000],
    ["+5", 67_000],
    ["-0.25", 61_750],
    ["+1:30", 152_000],
    ["+90", 152_000],
    ["1:75", undefined],
    ["10:00:00:00", undefined],
    ["abc", undefined],
  ])("reads %s as a time in sound", (text, at) => {
    const entry = new Clock(null, null, 7_200_000_000).read(text, 62_000);
    expect("frame" in entry ? entry.frame : undefined).toBe(at);
  });

  it("reads positions from addresses and keeps them in the clip", () => {
    const clock = new Clock(rate(25, 1), parseTimecode("10:00:00:00", rate(25, 1)), 20_000_000);
    expect(clock.frameOf("10:00:12:05")).toBe(305);
    expect(clock.frameOf("09:00:00:00")).toBeUndefined();
    expect(clock.frameOf("10:00:20:00")).toBeUndefined();
    expect(clock.clamp(1e9)).toBe(499);
  });
});
