// Reads the audiowaveform data format (.dat), version 1 and 2: minimum and maximum of each stretch
// of samples, per channel, as 8 or 16 bit numbers behind a little-endian header.

export interface Waveform {
  sampleRate: number;
  samplesPerPixel: number;
  channels: number;
  /** Number of stretches. */
  length: number;
  /** Values in -1 … 1: for stretch i, channel c: [(i * channels + c) * 2] is the minimum, + 1 the maximum. */
  data: Float32Array;
}

export function readWaveform(buffer: ArrayBuffer): Waveform {
  const view = new DataView(buffer);
  if (buffer.byteLength < 20) throw new Error("The waveform file is shorter than its header.");
  const version = view.getInt32(0, true);
  if (version !== 1 && version !== 2) throw new Error(`Waveform version ${version} is not known.`);
  const eightBit = (view.getUint32(4, true) & 1) === 1;
  const channels = version === 2 ? Math.max(1, view.getInt32(20, true)) : 1;
  const header = version === 2 ? 24 : 20;
  const available = Math.floor((buffer.byteLength - header) / (eightBit ? 1 : 2));
  const length = Math.min(view.getUint32(16, true), Math.floor(available / (2 * channels)));
  const data = new Float32Array(length * channels * 2);
  for (let index = 0; index < data.length; index += 1) {
    data[index] = eightBit ? view.getInt8(header + index) / 128 : view.getInt16(header + index * 2, true) / 32768;
  }
  return { sampleRate: view.getInt32(8, true), samplesPerPixel: view.getInt32(12, true), channels, length, data };
}

/** Extremes of one channel between two instants. */
export function extremes(waveform: Waveform, channel: number, fromSeconds: number, toSeconds: number): [number, number] {
  const perSecond = waveform.sampleRate / waveform.samplesPerPixel;
  const first = Math.max(0, Math.floor(fromSeconds * perSecond));
  const last = Math.min(waveform.length, Math.max(first + 1, Math.ceil(toSeconds * perSecond)));
  let low = 0;
  let high = 0;
  for (let at = first; at < last; at += 1) {
    const index = (at * waveform.channels + channel) * 2;
    low = Math.min(low, waveform.data[index] ?? 0);
    high = Math.max(high, waveform.data[index + 1] ?? 0);
  }
  return [low, high];
}
