// Where the link in a mail to a new address leads. The token stands behind the # of the address, which browsers send
// to nobody; it is used by a press, not by opening the page: some mail programs open every link.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, unwrap } from "../api/client";
import { ProblemError, sentenceOf } from "../api/problem";
import { visitorQuery } from "../api/queries";
import { Button, buttonClass, Notice } from "../components/controls";
import { m } from "../messages";
import { Entry } from "./Entry";

export function ConfirmAddress() {
  const cache = useQueryClient();
  const [token] = useState(() => location.hash.slice(1));
  const [state, setState] = useState<"asked" | "done" | "gone">(token ? "asked" : "gone");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, "", location.pathname);
  }, []);
  const confirm = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      // Whoever is signed in sends their session along, and what changes something in one takes its token.
      await cache.fetchQuery(visitorQuery);
      await unwrap(api.POST("/api/data/v1/address-confirmation", { body: { token } }));
      setState("done");
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404) setState("gone");
      else setFailure(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (state === "asked") {
    return (
      <Entry title={m.privacy.confirmTitle} lead={m.privacy.confirmLead}>
        {failure && <Notice tone="danger">{failure}</Notice>}
        <Button tone="primary" busy={busy} onPress={() => void confirm()}>
          {m.privacy.confirmAddress}
        </Button>
      </Entry>
    );
  }
  return (
    <Entry title={state === "done" ? m.privacy.confirmed : m.privacy.linkGone} lead={state === "done" ? m.privacy.confirmedLead : m.privacy.linkGoneLead}>
      <a className={buttonClass("primary")} href="/account">
        {m.privacy.toAccount}
      </a>
    </Entry>
  );
}
