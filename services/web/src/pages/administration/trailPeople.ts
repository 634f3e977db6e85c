// What is read to know whom the trail is about.

import { useQuery } from "@tanstack/react-query";
import { actsQuery, everybodyHeldQuery, serviceAccountsQuery } from "../../api/queries";
import type { Known } from "./auditPeople";

export function useTrailPeople(organisationId: string): Known & { isPending: boolean } {
  const held = useQuery(everybodyHeldQuery(organisationId));
  const programs = useQuery(serviceAccountsQuery(organisationId));
  const removed = useQuery(actsQuery(organisationId, "person.removed"));
  const erased = useQuery(actsQuery(organisationId, "person.erased"));
  const arrivals = useQuery(actsQuery(organisationId, "invitation.accepted"));
  return {
    held: held.data ?? [],
    programs: programs.data ?? [],
    departures: [...(removed.data ?? []), ...(erased.data ?? [])],
    arrivals: arrivals.data ?? [],
    isPending: [held, programs, removed, erased, arrivals].some(({ isPending }) => isPending),
  };
}
