// Writes src/api/schema.ts from the application's OpenAPI document.
//
//   npm run generate:api -- openapi.json           write the types
//   npm run generate:api -- --check openapi.json   fail if the committed types are not those
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("../src/api/schema.ts", import.meta.url);
const limitsTarget = new URL("../src/api/limits.ts", import.meta.url);
const args = process.argv.slice(2);
const check = args.includes("--check");
const document = args.find((arg) => !arg.startsWith("--"));
if (!document) {
  console.error("usage: npm run generate:api -- [--check] OPENAPI.json  (from `kinora-application openapi`)");
  process.exit(2);
}

// npm changes to the package's folder; INIT_CWD is where the person typed the command.
const path = resolve(process.env.INIT_CWD ?? process.cwd(), document);
const tree = await openapiTS(pathToFileURL(path), { alphabetize: true, emptyObjectsUnknown: true });
const text = `// Generated from the application's OpenAPI document by \`npm run generate:api\`. Do not edit.\n\n${astToString(tree)}`;

/** What forms must keep to: the lengths of the text fields of every schema. */
const limits = {};
const { components } = JSON.parse(await readFile(path, "utf8"));
for (const [schema, { properties }] of Object.entries(components.schemas).toSorted()) {
  for (const [name, { minLength, maxLength }] of Object.entries(properties ?? {}).toSorted()) {
    if (minLength !== undefined || maxLength !== undefined) (limits[schema] ??= {})[name] = { minLength, maxLength };
  }
}
const limitsText = `// Generated from the application's OpenAPI document by \`npm run generate:api\`. Do not edit.\n\nexport const limits = ${JSON.stringify(limits, null, 2)} as const;\n`;

if (!check) {
  await writeFile(target, text);
  await writeFile(limitsTarget, limitsText);
} else if ((await readFile(target, "utf8")) !== text || (await readFile(limitsTarget, "utf8")) !== limitsText) {
  console.error("src/api/schema.ts is not what the application's OpenAPI document gives: run `npm run generate:api`.");
  process.exit(1);
}
