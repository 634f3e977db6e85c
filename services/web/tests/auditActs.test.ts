// The filter of the audit trail knows every act that the server records.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "../src/messages/en";
import { ACT_GROUPS, AUDIT_ACTS } from "../src/pages/administration/auditActs";
import { filterOf } from "../src/pages/administration/auditFilter";

/** Of the installation itself: no organisation has such rows. */
const INSTALLATION = ["data_keys", "database", "factor_secrets", "media", "saml_keys"];

const services = new URL("../../", import.meta.url).pathname;

/** What the product's programs record, as it stands in their source; acts of tests are none. */
function recorded(): string[] {
  const acts = new Set<string>();
  for (const program of ["application", "backend", "kinoractl", "store"]) {
    for (const path of readdirSync(join(services, program, "src"), { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".rs")) continue;
      const [product = ""] = readFileSync(join(services, program, "src", path), "utf8").split("#[cfg(test)]");
      for (const [, act = ""] of product.matchAll(/\b(?:Act::new|act)\(\s*"([a-z_]+\.[a-z_]+)"/g)) acts.add(act);
    }
  }
  return [...acts].toSorted();
}

const nounOf = (act: string) => act.split(".")[0] ?? "";

test("every act is said in words", () => {
  const acts = recorded();
  expect(acts.length).toBeGreaterThan(60);
  expect(acts.filter((act) => !(act in en.acts))).toEqual([]);
});

test("every act of an organisation can be filtered by", () => {
  const asked = AUDIT_ACTS.flatMap((acts) => filterOf({ acts }).action ?? []);
  const known = new Set([...asked, ...INSTALLATION.map((noun) => `${noun}.`)]);
  const nouns = new Set([...Object.keys(en.acts), ...recorded()].map(nounOf));
  expect([...nouns].filter((noun) => !known.has(`${noun}.`))).toEqual([]);
  // And the filter has none that nothing is recorded of.
  expect(asked.filter((noun) => !nouns.has(noun.slice(0, -1)))).toEqual([]);
});

test("each stands in one group, and has a name", () => {
  const nouns = Object.values(ACT_GROUPS).flat();
  expect(new Set(nouns).size).toBe(nouns.length);
  expect(Object.keys(en.administration.auditActNames).toSorted()).toEqual(AUDIT_ACTS.toSorted());
});

test("what is done with support access is not what is done under it", () => {
  expect(filterOf({ acts: "support" })).toEqual({ support_only: true });
  expect(filterOf({ acts: "support-access" })).toEqual({ action: "support." });
});
