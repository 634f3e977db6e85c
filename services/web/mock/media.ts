// Makes the few media files that the mock serves, once, with FFmpeg.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = process.env.KINORA_MOCK_MEDIA ?? join(tmpdir(), "kinora-mock-media");
const SECONDS = 60;
const COLUMNS = 10;

function ffmpeg(...args: string[]): void {
  const done = spawnSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...args], { stdio: "inherit" });
  if (done.status !== 0) throw new Error("ffmpeg failed");
}

export function mediaFile(name: "proxy" | "poster" | "filmstrip" | "filmstrip.vtt" | "waveform"): string {
  const paths = {
    proxy: join(folder, "proxy.mp4"),
    poster: join(folder, "poster.jpg"),
    filmstrip: join(folder, "filmstrip.jpg"),
    "filmstrip.vtt": join(folder, "filmstrip.vtt"),
    waveform: join(folder, "waveform.dat"),
  };
  if (!existsSync(paths.waveform)) {
    mkdirSync(folder, { recursive: true });
    ffmpeg(
      ..."-f lavfi -i gradients=s=960x540:r=25:c0=0x16324f:c1=0xc98b4a:c2=0x3a6b58:c3=0x7d2f2f:speed=0.02 -f lavfi -i".split(" "),
      "aevalsrc='0.5*sin(2*PI*220*t)*abs(sin(t*1.7))|0.4*sin(2*PI*330*t)*abs(sin(t*0.6))'",
      ...`-t ${SECONDS} -c:v libx264 -preset veryfast -crf 24 -g 12 -pix_fmt yuv420p -c:a aac -movflags +faststart`.split(" "),
      paths.proxy,
    );
    ffmpeg("-ss", "12", "-i", paths.proxy, "-frames:v", "1", "-vf", "scale=480:-2", paths.poster);
    ffmpeg("-i", paths.proxy, "-frames:v", "1", "-vf", `fps=1,scale=160:90,tile=${COLUMNS}x${SECONDS / COLUMNS}`, paths.filmstrip);
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- used here only
    const time = (second: number) => `00:${String(Math.floor(second / 60)).padStart(2, "0")}:${String(second % 60).padStart(2, "0")}.000`;
    const cues = Array.from({ length: SECONDS }, (_, at) => `${time(at)} --> ${time(at + 1)}\nfilmstrip#xywh=${(at % COLUMNS) * 160},${Math.floor(at / COLUMNS) * 90},160,90\n`);
    writeFileSync(paths["filmstrip.vtt"], `WEBVTT\n\n${cues.join("\n")}`);
    writeFileSync(paths.waveform, waveform());
  }
  return paths[name];
}

function waveform(): Buffer {
  const [rate, perPixel, channels] = [48_000, 480, 2];
  const length = (SECONDS * rate) / perPixel;
  const buffer = Buffer.alloc(24 + length * channels * 2);
  [2, 1, rate, perPixel, length, channels].forEach((value, at) => buffer.writeInt32LE(value, at * 4));
  for (let at = 0; at < length; at += 1) {
    const t = at / 100;
    for (let channel = 0; channel < channels; channel += 1) {
      const level = 110 * Math.abs(Math.sin(t * (channel ? 0.6 : 1.7))) * (0.7 + 0.3 * Math.random());
      buffer.writeInt8(-Math.round(level), 24 + (at * channels + channel) * 2);
      buffer.writeInt8(Math.round(level), 25 + (at * channels + channel) * 2);
    }
  }
  return buffer;
}
