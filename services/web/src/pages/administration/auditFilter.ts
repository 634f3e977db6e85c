// What is looked for in the audit trail: from the address of the page to the request.

import type { AuditFilter } from "../../api/types";
import type { AuditSearch } from "../../router";
import { endOf } from "../endDate";
import { actionsOf } from "./auditActs";

/** Days of the person's zone become instants; the last one is included. */
export function filterOf({ acts, person, production, grant, from, to }: AuditSearch): AuditFilter {
  const filter: AuditFilter = {};
  if (acts === "permissions") filter.permissions_only = true;
  else if (acts === "support") filter.support_only = true;
  else if (acts) filter.action = actionsOf(acts);
  if (person) filter.person = person;
  if (production) filter.production = production;
  if (grant) filter.support_grant = grant;
  const [year, month, day] = (from ?? "").split("-").map(Number);
  if (year && month && day) filter.since = new Date(year, month - 1, day).toISOString();
  const until = to && endOf(to);
  if (until) filter.until = until;
  return filter;
}

/** Where the same rows can be had as a file. */
export function exportAddress(organisationId: string, filter: AuditFilter, format: "csv" | "json"): string {
  const query = new URLSearchParams({ format, ...Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, String(value)])) });
  return `/api/data/v1/organisations/${organisationId}/audit/export?${query}`;
}
