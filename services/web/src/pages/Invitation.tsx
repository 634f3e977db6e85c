// Where the link of an invitation leads: what is offered, and accepting it with one's account or a new one.
// The token stands behind the # of the address, which browsers send to nobody.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { OfflineError, ProblemError, sentenceOf } from "../api/problem";
import { keepSession } from "../api/renewal";
import { offerQuery, sessionQuery, visitorQuery } from "../api/queries";
import type { InvitationOffer, ModuleRole, Session } from "../api/types";
import { Button, buttonClass, Notice, TextField } from "../components/controls";
import { Skeleton } from "../components/states";
import { m } from "../messages";
import { day, instant } from "../messages/format";
import { Entry } from "./Entry";
import css from "./Entry.module.css";
import { Accept, isLogin, OtherAccount, SignInFirst, useLinkToken } from "./linked";
import { NewPassword, passwordProblems } from "./NewPassword";
import page from "./page.module.css";

const MODULES = ["office", "library", "subtitling", "budget"] as const;

/** "Library: Reader · Budget: Editor" */
export function rolesText(roles: Partial<Record<(typeof MODULES)[number], ModuleRole | null>>): string {
  return MODULES.flatMap((module) => {
    const role = roles[module];
    return role ? [`${m.modules[module]}: ${m.roles[role]}`] : [];
  }).join(" · ");
}

const KEPT = "kinora.invitation";

export function InvitationPage() {
  const token = useLinkToken(KEPT);
  const visitor = useQuery(visitorQuery);
  const offer = useQuery(offerQuery(token, !visitor.isPending));
  if (!token) return <Entry title={m.invitation.noToken} lead={m.invitation.noTokenText}>{null}</Entry>;
  if (offer.isError) {
    return (
      <Entry title={m.invitation.gone} lead={offer.error instanceof OfflineError ? sentenceOf(offer.error) : m.invitation.goneText}>
        <a className={buttonClass()} href="/productions">
          {m.errors.toProductions}
        </a>
      </Entry>
    );
  }
  if (!offer.data || visitor.isPending) {
    return (
      <Entry title={m.common.loading} lead="">
        <Skeleton height={160} width="100%" />
      </Entry>
    );
  }
  return (
    <Entry title={m.invitation.title(offer.data.production)} lead={m.invitation.lead(offer.data.invited_by, offer.data.organisation)}>
      <dl className={page.facts}>
        <dt>{m.invitation.youGet}</dt>
        <dd>{rolesText(offer.data.roles)}</dd>
        {offer.data.membership_ends_at && (
          <>
            <dt>{m.invitation.until}</dt>
            <dd className="num">{day(offer.data.membership_ends_at)}</dd>
          </>
        )}
        <dt>{m.invitation.linkUntil}</dt>
        <dd className="num">{m.invitation.hereUntil(instant(offer.data.expires_at))}</dd>
      </dl>
      <Answer token={token} offer={offer.data} session={visitor.data ?? undefined} />
    </Entry>
  );
}

interface AnswerProps {
  token: string;
  offer: InvitationOffer;
  session: Session | undefined;
}

function Answer({ token, offer, session }: AnswerProps) {
  const accept = useAccept(token);
  if (session && !isLogin(session, offer.address)) return <OtherAccount text={m.invitation.otherAccount(session.person.login, offer.address)} />;
  if (session) return <Accept label={m.invitation.accept} session={session} accept={accept} />;
  return offer.has_account ? <SignInFirst text={m.invitation.haveAccount(offer.address)} back="/invitation" /> : <NewAccount token={token} offer={offer} />;
}

/** Accepts, and opens the production. */
function useAccept(token: string) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    const { production_id } = await unwrap(api.POST("/api/data/v1/invitation/acceptance", { body: { token } }));
    sessionStorage.removeItem(KEPT);
    await cache.invalidateQueries({ queryKey: ["productions"] });
    await navigate({ to: "/productions/$productionId", params: { productionId: production_id } });
  };
}

function NewAccount({ token, offer }: { token: string; offer: InvitationOffer }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [value, setValue] = useState({ next: "", repeat: "" });
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    const problems = passwordProblems(value, "password");
    setErrors(problems);
    setFailure(undefined);
    if (Object.keys(problems).length) return;
    setBusy(true);
    try {
      const body = { token, display_name: name.trim(), password: value.next };
      const { production_id } = await unwrap(api.POST("/api/data/v1/invitation/account", { body }));
      sessionStorage.removeItem(KEPT);
      const session = await unwrap(api.POST("/api/data/v1/session", { body: { login: offer.address, password: value.next } }));
      // Something more is asked for: the sign-in page knows what.
      if (!("person" in session)) return await navigate({ to: "/sign-in", search: { return: `/productions/${production_id}` } });
      keepSession(session);
      cache.setQueryData(sessionQuery.queryKey, session);
      await cache.invalidateQueries({ queryKey: ["productions"] });
      await navigate({ to: "/productions/$productionId", params: { productionId: production_id } });
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      if (!fields.password && !fields.display_name) setFailure(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={css.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p className={css.foot}>{m.invitation.newLead}</p>
        <TextField label={m.signIn.login} name="username" value={offer.address} isReadOnly autoComplete="username" />
        <TextField label={m.invitation.newName} hint={m.invitation.newNameHint} name="display_name" value={name} onChange={setName} autoComplete="name" isRequired autoFocus {...limits.InvitedAccount.display_name} />
        <NewPassword name="password" value={value} onChange={setValue} />
        <Button type="submit" tone="primary" busy={busy}>
          {m.invitation.create}
        </Button>
      </Form>
    </>
  );
}
