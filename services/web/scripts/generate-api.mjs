// Writes src/api/schema.ts from the application's OpenAPI document.
//
//   npm run generate:api -- openapi.json           write the types
//   npm run generate:api -- --check openapi.json   fail if the committed types are not those
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("../src/api/schema.ts", import.meta.url);
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

if (!check) {
  await writeFile(target, text);
} else if ((await readFile(target, "utf8")) !== text) {
  console.error("src/api/schema.ts is not what the application's OpenAPI document gives: run `npm run generate:api`.");
  process.exit(1);
}
