// The dialog that asks once more who is there, before what a stolen session must not be able to do.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, unwrap } from "../api/client";
import { onConfirmationAsked, settleConfirmation } from "../api/confirmation";
import { sentenceOf } from "../api/problem";
import { sessionQuery } from "../api/queries";
import { setCsrfToken, whileConfirming } from "../api/renewal";
import { m } from "../messages";
import { Button, Notice } from "./controls";
import { Dialog } from "./dialogs";
import { FactorForm, waysOf } from "./FactorForm";

export function ConfirmationDialog() {
  const [asked, setAsked] = useState(false);
  useEffect(() => onConfirmationAsked(setAsked), []);
  return asked && <Asked />;
}

/** Looks at the session only while somebody is asked: a watcher that comes and goes would end the page's own query. */
function Asked() {
  const cache = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  if (!session) return null;
  const ways = waysOf(session.factors);
  // Whoever came with the studio account and has no second factor of their own may have no password either.
  if (session.single_sign_on && ways[0] === "password") return <WithStudioAccount />;
  return (
    <Dialog title={m.confirm.title} open onClose={() => settleConfirmation(false)} alert>
      <p>{ways[0] === "password" ? m.confirm.leadPassword : m.confirm.lead}</p>
      <FactorForm
        ways={ways}
        submit={m.confirm.submit}
        challenge={() => unwrap(api.POST("/api/data/v1/account/confirmation/challenge"))}
        show={async (proof) => {
          const { csrf_token } = await whileConfirming(() => unwrap(api.POST("/api/data/v1/account/confirmation", { body: proof })));
          setCsrfToken(csrf_token);
          settleConfirmation(true);
          void cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
        }}
      />
    </Dialog>
  );
}

/** The way leads over the identity provider's page and back: what was to be done is then done again by hand. */
function WithStudioAccount() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const go = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const body = { return_to: location.pathname + location.search };
      const { address } = await unwrap(api.POST("/api/data/v1/account/confirmation/studio-account", { body }));
      location.assign(address);
    } catch (error) {
      setFailure(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={m.confirm.title} open onClose={() => settleConfirmation(false)} alert>
      <p>{m.confirm.leadStudio}</p>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Button tone="primary" busy={busy} autoFocus onPress={() => void go()}>
        {m.confirm.withStudio}
      </Button>
    </Dialog>
  );
}
