// The dialog that asks once more who is there, before what a stolen session must not be able to do.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, unwrap } from "../api/client";
import { onConfirmationAsked, settleConfirmation } from "../api/confirmation";
import { sessionQuery } from "../api/queries";
import { m } from "../messages";
import { Dialog } from "./dialogs";
import { FactorForm, waysOf } from "./FactorForm";

export function ConfirmationDialog() {
  const [asked, setAsked] = useState(false);
  const cache = useQueryClient();
  const session = useQuery({ ...sessionQuery, enabled: asked });
  useEffect(() => onConfirmationAsked(setAsked), []);
  return (
    <Dialog title={m.confirm.title} open={asked && !!session.data} onClose={() => settleConfirmation(false)} alert>
      <p>{session.data && waysOf(session.data.factors)[0] === "password" ? m.confirm.leadPassword : m.confirm.lead}</p>
      {session.data && (
        <FactorForm
          ways={waysOf(session.data.factors)}
          submit={m.confirm.submit}
          challenge={() => unwrap(api.POST("/api/data/v1/account/confirmation/challenge"))}
          show={async (proof) => {
            await unwrap(api.POST("/api/data/v1/account/confirmation", { body: proof }));
            settleConfirmation(true);
            void cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
          }}
        />
      )}
    </Dialog>
  );
}
