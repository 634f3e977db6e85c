// Where the link of a mail leads that offers support access: what it is for, and accepting it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, unwrap } from "../api/client";
import { OfflineError, sentenceOf } from "../api/problem";
import { sessionQuery, supportOfferQuery, visitorQuery } from "../api/queries";
import type { Session, SupportOffer } from "../api/types";
import { buttonClass } from "../components/controls";
import { Skeleton } from "../components/states";
import { m } from "../messages";
import { instant } from "../messages/format";
import { Entry } from "./Entry";
import { Accept, isLogin, OtherAccount, SignInFirst, useLinkToken } from "./linked";
import page from "./page.module.css";
import { modulesOf } from "./tokenScope";

const KEPT = "kinora.support-access";

export function SupportAccess() {
  const token = useLinkToken(KEPT);
  const visitor = useQuery(visitorQuery);
  const offer = useQuery(supportOfferQuery(token, !visitor.isPending));
  if (!token) return <Entry title={m.invitation.noToken} lead={m.invitation.noTokenText}>{null}</Entry>;
  if (offer.isError) {
    return (
      <Entry title={m.supportOffer.gone} lead={offer.error instanceof OfflineError ? sentenceOf(offer.error) : m.supportOffer.goneText}>
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
  const { organisation, given_by, reason, scope, originals, starts_at, ends_at } = offer.data;
  return (
    <Entry title={m.supportOffer.title(organisation)} lead={m.supportOffer.lead}>
      <dl className={page.facts}>
        <dt>{m.support.reason}</dt>
        <dd>{reason}</dd>
        {given_by && (
          <>
            <dt>{m.support.by}</dt>
            <dd>{given_by}</dd>
          </>
        )}
        <dt>{m.support.may}</dt>
        <dd>
          {scope.most_role === "editor" ? m.supportOffer.editor : m.supportOffer.reader} · {modulesOf(scope).join(", ")}
        </dd>
        <dt>{m.support.originals}</dt>
        <dd>{originals ? m.support.originalsYes : m.support.originalsNo}</dd>
        <dt>{m.support.time}</dt>
        <dd className="num">{m.support.until(instant(starts_at), instant(ends_at))}</dd>
      </dl>
      <Answer token={token} offer={offer.data} session={visitor.data ?? undefined} />
    </Entry>
  );
}

function Answer({ token, offer, session }: { token: string; offer: SupportOffer; session: Session | undefined }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const accept = async () => {
    await unwrap(api.POST("/api/data/v1/support-access/acceptance", { body: { token } }));
    sessionStorage.removeItem(KEPT);
    await cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
    await cache.invalidateQueries({ queryKey: ["productions"] });
    await navigate({ to: "/productions" });
  };
  if (!session) return <SignInFirst text={m.supportOffer.signInFirst(offer.address)} back="/support-access" />;
  if (!isLogin(session, offer.address)) return <OtherAccount text={m.supportOffer.otherAccount(session.person.login, offer.address)} />;
  return <Accept label={m.supportOffer.accept} session={session} accept={accept} />;
}
