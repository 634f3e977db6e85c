import { expect, test } from "vitest";
import type { AuditRow, HeldPerson, ServiceAccount } from "../src/api/types";
import { choicesOf, subjectIsGuest, type Known } from "../src/pages/administration/auditPeople";

const row = (part: Partial<AuditRow>) => part as AuditRow;
const person = (id: string, display_name: string, role: HeldPerson["role"] = null): HeldPerson => ({ id, display_name, login: `${id}@halcyon.example`, role, has_left: false });
const left = (subject_id: string, action = "person.removed") => row({ action, subject_kind: "person", subject_id, subject: `${subject_id}@halcyon.example` });
const came = (id: string, guest: boolean) => row({ action: "invitation.accepted", subject_kind: "invitation", subject: `${id}@halcyon.example`, after: { person: id, guest, new_account: true } });

const known: Known = {
  held: [person("ines", "Ines Marková", "owner"), person("noor", "Noor Haddad"), person("render", "Render farm")],
  programs: [{ id: "render", login: "render", name: "Render farm" } as ServiceAccount],
  departures: [left("freya"), left("ghost", "person.erased")],
  arrivals: [came("noor", true), came("hired", true), came("ines", false), came("gone", true)],
};
const hired: Known = { ...known, held: [...known.held, person("hired", "Hired Since", "member")] };

test("everybody can be chosen, also who has gone", () => {
  expect(choicesOf(hired).map(({ id, group }) => [id, group])).toEqual([
    ["hired", "members"],
    ["ines", "members"],
    ["noor", "guests"],
    ["render", "programs"],
    ["freya", "former"],
    ["ghost", "former"],
    ["gone", "former"],
  ]);
});

test("those of the same name are told apart", () => {
  const names = choicesOf({ ...known, held: [person("a", "Sam Lee", "member"), person("b", "Sam Lee"), person("c", "Ada Löwe")] }).map(({ name }) => name);
  expect(names).toContain("Sam Lee (a@halcyon.example)");
  expect(names).toContain("Sam Lee (b@halcyon.example)");
  expect(names).toContain("Ada Löwe");
});

test("guests are marked as whom something is done to: those of today, and those who have gone", () => {
  const isGuest = subjectIsGuest(hired);
  const about = (subject_id: string) => isGuest(row({ subject_kind: "person", subject_id }));
  expect(["noor", "gone", "ines", "hired", "freya", "render", "unknown"].map(about)).toEqual([true, true, false, false, false, false, false]);
  // A token of a guest is not a guest.
  expect(isGuest(row({ subject_kind: "token", subject_id: "noor" }))).toBe(false);
});

test("an invitation is a guest's, unless it is a member's", () => {
  const isGuest = subjectIsGuest(known);
  const invited = (subject: string) => isGuest(row({ action: "invitation.created", subject_kind: "invitation", subject, after: { expires_at: "2026-12-01" } }));
  expect(invited("new@elsewhere.example")).toBe(true);
  expect(invited("INES@halcyon.example")).toBe(false);
  expect(isGuest(came("ines", false))).toBe(false);
  expect(isGuest(came("noor", true))).toBe(true);
});
