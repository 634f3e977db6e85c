// What pages have in common that the link of a mail leads to: the token, and who answers to what is offered there.

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, unwrap } from "../api/client";
import { sentenceOf } from "../api/problem";
import { sessionQuery, visitorQuery } from "../api/queries";
import { forgetSession } from "../api/renewal";
import type { Session } from "../api/types";
import { Button, buttonClass, Notice } from "../components/controls";
import { m } from "../messages";
import css from "./Entry.module.css";

/** Whether somebody signs in with this address; the server decides. */
export const isLogin = ({ person }: Session, address: string) => person.login.trim().toLocaleLowerCase() === address.trim().toLocaleLowerCase();

/** Takes the token out of the address, so that it stays in no history. The tab keeps it over a sign-in, under `kept`. */
export function useLinkToken(kept: string): string {
  const [token] = useState(() => location.hash.slice(1) || (sessionStorage.getItem(kept) ?? ""));
  useEffect(() => {
    if (token) sessionStorage.setItem(kept, token);
    if (location.hash) history.replaceState(history.state, "", location.pathname);
  }, [token, kept]);
  return token;
}

/** For who is signed in as somebody else. */
export function OtherAccount({ text }: { text: string }) {
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  return (
    <>
      <Notice tone="warning">{text}</Notice>
      <Button
        busy={busy}
        onPress={() => {
          setBusy(true);
          void unwrap(api.DELETE("/api/data/v1/session")).finally(() => {
            forgetSession();
            cache.removeQueries({ queryKey: sessionQuery.queryKey });
            void cache.resetQueries({ queryKey: visitorQuery.queryKey });
          });
        }}
      >
        {m.invitation.signOut}
      </Button>
    </>
  );
}

/** Accepts, and goes on from there. */
export function Accept({ label, session, accept }: { label: string; session: Session; accept: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Button
        tone="primary"
        busy={busy}
        onPress={() => {
          setBusy(true);
          accept().catch((error: unknown) => {
            setFailure(sentenceOf(error));
            setBusy(false);
          });
        }}
      >
        {label}
      </Button>
      <p className={css.foot}>{m.invitation.signedInAs(session.person.display_name)}</p>
    </>
  );
}

/** By way of the sign-in page, which knows every way of signing in, and back. */
export function SignInFirst({ text, back }: { text: string; back: string }) {
  return (
    <>
      <p>{text}</p>
      <Link className={buttonClass("primary")} to="/sign-in" search={{ return: back }}>
        {m.invitation.signIn}
      </Link>
    </>
  );
}
