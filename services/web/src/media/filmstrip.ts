// Reads the WebVTT index of a filmstrip: which part of the sprite sheet stands for which time.

export interface Tile {
  /** Seconds. */
  from: number;
  to: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

function seconds(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

export function readFilmstrip(text: string): Tile[] {
  const tiles: Tile[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const times = /^\s*([\d:.]+)\s+-->\s+([\d:.]+)/.exec(lines[at] ?? "");
    if (!times) continue;
    const box = /#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)/.exec(lines[at + 1] ?? "");
    if (!box) continue;
    const [x, y, width, height] = box.slice(1).map(Number) as [number, number, number, number];
    tiles.push({ from: seconds(times[1] ?? "0"), to: seconds(times[2] ?? "0"), x, y, width, height });
  }
  return tiles;
}

/** The tile for an instant: the last that begins at or before it. */
export function tileAt(tiles: Tile[], at: number): Tile | undefined {
  let low = 0;
  let high = tiles.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tiles[middle]?.from ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return tiles[low];
}
