// What the pages offer to whom. The server decides; these only keep from offering what it would refuse.

import type { Production, Session } from "../api/types";

export function mayEdit(production: Production): boolean {
  return production.my_roles.library === "editor" || production.my_roles.library === "manager";
}

export function mayRemove(production: Production): boolean {
  return production.my_roles.library === "manager";
}

/** Members download what they see; support access says whether it includes originals. */
export function mayDownload(production: Production): boolean {
  return production.support?.originals ?? true;
}

/** Managers of a module, and administrators of the organisation; for others the list of members is not there. */
export function decidesOnMembers(production: Production, session: Session | undefined): boolean {
  const administers = session?.organisations.some(({ id, role }) => id === production.organisation_id && role !== "member") ?? false;
  return administers || Object.values(production.my_roles).includes("manager");
}
