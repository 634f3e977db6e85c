// Fails if what a browser must load before the first page is too much: the entry script and
// everything it imports statically, compressed with gzip.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 250_000;
const AIM_BYTES = 160_000;

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL(".vite/manifest.json", dist), "utf8"));

async function weigh(names, seen = new Set()) {
  let total = 0;
  for (const name of names) {
    const chunk = manifest[name];
    if (!chunk || seen.has(name)) continue;
    seen.add(name);
    total += gzipSync(await readFile(new URL(chunk.file, dist))).length;
    total += await weigh(chunk.imports ?? [], seen);
  }
  return total;
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const entry = Object.keys(manifest).filter((name) => manifest[name].isEntry);
const initial = await weigh(entry);
console.log(`initial script: ${kilobytes(initial)} gzip (limit ${kilobytes(LIMIT_BYTES)}, aim ${kilobytes(AIM_BYTES)})`);
for (const [name, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry) continue;
  const seen = new Set();
  await weigh(entry, seen);
  console.log(`  + ${name}: ${kilobytes(await weigh([name], seen))}`);
}
if (initial > LIMIT_BYTES) {
  console.error("The initial script is too large.");
  process.exit(1);
}
