// Whom the trail is about: members, guests, service accounts, and those who have gone, whom only the trail still knows.

import type { AuditRow, HeldPerson, ServiceAccount } from "../../api/types";

export interface Known {
  held: readonly HeldPerson[];
  programs: readonly ServiceAccount[];
  /** The acts by which people lost their place, or their name. */
  departures: readonly AuditRow[];
  /** The acts by which people came into a production. */
  arrivals: readonly AuditRow[];
}

export type PersonGroup = "members" | "guests" | "programs" | "former";

export interface PersonChoice {
  id: string;
  name: string;
  group: PersonGroup;
}

const ORDER: readonly PersonGroup[] = ["members", "guests", "programs", "former"];

/** Who an accepted invitation brought, and whether as a guest. */
function arrival({ after }: AuditRow): { person?: string; guest?: boolean } {
  return typeof after === "object" && after !== null ? (after as { person?: string; guest?: boolean }) : {};
}

/** Everybody that the trail can be filtered by, each once. */
export function choicesOf({ held, programs, departures, arrivals }: Known): PersonChoice[] {
  const known = new Map<string, { login: string; name: string; group: PersonGroup }>();
  const add = (id: string | null | undefined, login: string, name: string, group: PersonGroup) => {
    if (id && !known.has(id)) known.set(id, { login, name, group });
  };
  // A service account with a role in a production is held as well.
  for (const { id, login, name } of programs) add(id, login, name, "programs");
  for (const { id, login, display_name, role, has_left } of held) add(id, login, display_name, has_left ? "former" : role ? "members" : "guests");
  for (const { subject_id, subject } of departures) if (subject) add(subject_id, subject, subject, "former");
  for (const row of arrivals) if (row.subject) add(arrival(row).person, row.subject, row.subject, "former");
  const bearers = new Map<string, number>();
  for (const { name } of known.values()) bearers.set(name, (bearers.get(name) ?? 0) + 1);
  const isShared = (name: string) => (bearers.get(name) ?? 0) > 1;
  return [...known]
    .map(([id, { login, name, group }]) => ({ id, group, name: isShared(name) && login !== name ? `${name} (${login})` : name }))
    .toSorted((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group) || a.name.localeCompare(b.name));
}

/** Says of a row whether the person it is about is a guest, was one to the end, or was invited to be one. */
export function subjectIsGuest({ held, programs, departures, arrivals }: Known): (row: AuditRow) => boolean {
  const isProgram = new Set(programs.map(({ id }) => id));
  const members = held.filter(({ role }) => role);
  // Whoever had a place in the organisation was removed from it; guests have none to be removed from.
  const belonged = new Set([...members.map(({ id }) => id), ...departures.filter(({ action }) => action === "person.removed").map(({ subject_id }) => subject_id)]);
  const logins = new Set([...members.map(({ login }) => login), ...departures.map(({ subject }) => subject ?? "")].map((login) => login.toLowerCase()));
  const guests = new Set([
    ...held.filter(({ id, role, has_left }) => !role && !has_left && !isProgram.has(id)).map(({ id }) => id),
    ...arrivals.flatMap((row) => arrival(row)).flatMap(({ person, guest }) => (person && guest && !belonged.has(person) ? [person] : [])),
  ]);
  return (row) => {
    if (row.subject_kind === "person") return guests.has(row.subject_id ?? "");
    if (row.subject_kind !== "invitation" || !row.subject) return false;
    return arrival(row).guest ?? !logins.has(row.subject.toLowerCase());
  };
}
