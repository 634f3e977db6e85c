// What is read to know whom the trail is about.

import { useQuery } from "@tanstack/react-query";
import { actsQuery, everybodyHeldQuery, serviceAccountsQuery } from "../../api/queries";
import type { Known } from "./auditPeople";

export function useTrailPeople(organisationId: string): Known {
  const held = useQuery(everybodyHeldQuery(organisationId)).data ?? [];
  const programs = useQuery(serviceAccountsQuery(organisationId)).data ?? [];
  const removed = useQuery(actsQuery(organisationId, "person.removed")).data ?? [];
  const erased = useQuery(actsQuery(organisationId, "person.erased")).data ?? [];
  const arrivals = useQuery(actsQuery(organisationId, "invitation.accepted")).data ?? [];
  return { held, programs, departures: [...removed, ...erased], arrivals };
}
