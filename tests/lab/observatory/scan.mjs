// Grades one address by MDN's HTTP Observatory, as its own command does, but at an address that no name server knows.
//
//   node scan.mjs TOOL-DIRECTORY NAME PATH ADDRESS       NODE_EXTRA_CA_CERTS says whose certificates are right

import dns from "node:dns";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [tool, name, where, address] = process.argv.slice(2);
const family = address.includes(":") ? 6 : 4;
dns.lookup = (_host, options, callback) => {
  const done = callback ?? options;
  if (options?.all) done(null, [{ address, family }]);
  else done(null, address, family);
};

const library = path.join(tool, "node_modules/@mdn/mdn-http-observatory");
// The list of names that browsers preload comes from the internet after its installation. A studio's name is not on it.
const preloaded = path.join(library, "conf/hsts-preload.json");
if (!fs.existsSync(preloaded)) fs.writeFileSync(preloaded, "{}\n");

const { scan } = await import(pathToFileURL(path.join(library, "src/scanner/index.js")));
const { scan: outcome, tests } = await scan(name + where);
const lost = Object.entries(tests)
  .filter(([, test]) => test.scoreModifier < 0 || !test.pass)
  .map(([test, { result, scoreModifier }]) => `${test}: ${result} (${scoreModifier})`);
console.log(JSON.stringify({ score: outcome.score, grade: outcome.grade, status: outcome.statusCode, lost,
  gained: Object.entries(tests).filter(([, test]) => test.scoreModifier > 0).map(([test, { scoreModifier }]) => `${test} +${scoreModifier}`) }));
