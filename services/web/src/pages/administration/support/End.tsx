// Ending support access before its time.

import { useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../../../api/client";
import type { SupportGrant } from "../../../api/types";
import { Confirm } from "../../../components/dialogs";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";

export function End({ organisationId, grant, onClose }: { organisationId: string; grant: SupportGrant | undefined; onClose: () => void }) {
  const cache = useQueryClient();
  return (
    <Confirm
      title={m.support.endTitle(grant?.address ?? "")}
      text={m.support.endText}
      confirm={m.support.end}
      open={!!grant}
      onClose={onClose}
      action={async () => {
        if (!grant) return;
        const path = { organisation_id: organisationId, grant_id: grant.id };
        await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/support-grants/{grant_id}/end", { params: { path } }));
        void cache.invalidateQueries({ queryKey: ["audit", organisationId] });
        await cache.invalidateQueries({ queryKey: ["support", organisationId] });
        say(m.support.ended);
      }}
    />
  );
}
