import { describe, expect, it } from "vitest";
import { dropAsset, patchAsset, prependAssets } from "../src/live/events";
import { readFilmstrip, tileAt } from "../src/media/filmstrip";
import { extremes, readWaveform } from "../src/media/waveform";
import { Speedometer } from "../src/uploads/speed";
import { deviceName } from "../src/pages/device";
import type { Asset } from "../src/api/types";

interface Shape {
  version?: number;
  bits?: number;
  channels?: number;
  /** Number of stretches that the header claims. */
  claimed?: number;
}

function dat(values: number[], { version = 2, bits = 8, channels = 1, claimed }: Shape = {}): ArrayBuffer {
  const header = version === 2 ? 24 : 20;
  const view = new DataView(new ArrayBuffer(header + values.length * (bits / 8)));
  [version, bits === 8 ? 1 : 0, 48_000, 480, claimed ?? values.length / 2 / channels, channels].slice(0, header / 4).forEach((value, at) => view.setInt32(at * 4, value, true));
  values.forEach((value, at) => (bits === 8 ? view.setInt8(header + at, value) : view.setInt16(header + at * 2, value, true)));
  return view.buffer;
}

describe("waveform", () => {
  it("reads both versions, both widths, several channels", () => {
    const stereo = readWaveform(dat([-64, 64, -32, 32, 0, 0, -128, 127], { channels: 2 }));
    expect([stereo.channels, stereo.length, stereo.sampleRate, stereo.samplesPerPixel]).toEqual([2, 2, 48_000, 480]);
    expect(extremes(stereo, 0, 0, 0.01)).toEqual([-0.5, 0.5]);
    expect(extremes(stereo, 1, 0, 0.02)[0]).toBe(-1);
    expect(readWaveform(dat([-16_384, 16_384], { version: 1, bits: 16 })).data).toEqual(new Float32Array([-0.5, 0.5]));
  });

  it("gives what is there of a file that was cut off, and refuses what is none", () => {
    expect(readWaveform(dat([-64, 64], { claimed: 1000 })).length).toBe(1);
    expect(() => readWaveform(new ArrayBuffer(7))).toThrow("shorter");
    expect(() => readWaveform(dat([], { version: 9 }))).toThrow("version 9");
  });
});

describe("filmstrip", () => {
  const tiles = readFilmstrip("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nf#xywh=0,0,160,90\n\n1\n00:02.000 --> 00:04.500\nf#xywh=160,0,160,90\n\nNOTE nothing\n");
  it("reads cues with and without hours", () => {
    expect(tiles).toEqual([
      { from: 0, to: 2, x: 0, y: 0, width: 160, height: 90 },
      { from: 2, to: 4.5, x: 160, y: 0, width: 160, height: 90 },
    ]);
  });
  it("finds the tile of an instant, the last one after the end", () => {
    expect([0, 1.99, 2, 99].map((at) => tileAt(tiles, at)?.x)).toEqual([0, 0, 160, 160]);
    expect(tileAt([], 1)).toBeUndefined();
  });
});

const asset = (id: string, name = id): Asset => ({ id, name }) as Asset;

describe("live lists", () => {
  const list = { pages: [{ items: [asset("a"), asset("b")] }, { items: [asset("c")] }], pageParams: [undefined, "2"] };

  it("changes an asset where it stands and leaves other pages as they are", () => {
    const changed = patchAsset(list, asset("b", "new"));
    expect(changed?.pages[0]?.items.map(({ name }) => name)).toEqual(["a", "new"]);
    expect(changed?.pages[1]).toBe(list.pages[1]);
    expect(patchAsset(list, asset("z"))).toBe(list);
  });

  it("drops and prepends, never twice", () => {
    expect(dropAsset(list, "c")?.pages[1]?.items).toEqual([]);
    expect(dropAsset(list, "z")).toBe(list);
    expect(prependAssets(list, [asset("n"), asset("a")])?.pages[0]?.items.map(({ id }) => id)).toEqual(["n", "a", "b"]);
  });
});

it("measures speed over the last seconds only", () => {
  const speed = new Speedometer();
  speed.add(0, 0);
  expect(speed.perSecond()).toBeUndefined();
  for (let at = 1; at <= 20; at += 1) speed.add(at * 1000, at < 10 ? 0 : (at - 10) * 5_000_000);
  expect(speed.perSecond()).toBeCloseTo(5_000_000);
  speed.reset();
  expect(speed.perSecond()).toBeUndefined();
});

it("names browsers roughly", () => {
  expect(deviceName("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36", "?")).toBe("Chrome · Linux");
  expect(deviceName("curl/8.5.0", "?")).toBe("curl/8.5.0");
  expect(deviceName(null, "?")).toBe("?");
});
