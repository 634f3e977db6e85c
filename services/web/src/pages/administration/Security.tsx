// What an organisation asks of its people when they sign in.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../api/client";
import { organisationQuery, peopleQuery, sessionQuery } from "../../api/queries";
import { Button, Notice } from "../../components/controls";
import { Confirm } from "../../components/dialogs";
import { Failed, Skeleton } from "../../components/states";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import css from "../security/security.module.css";
import { Required } from "./sign-on/Required";

export function OrganisationSecurity() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const cache = useQueryClient();
  const organisation = useQuery(organisationQuery(organisationId));
  const people = useQuery(peopleQuery(organisationId));
  const { data: session } = useQuery(sessionQuery);
  const [asking, setAsking] = useState<"factor" | "mail">();
  useTitle(`${m.administration.title}: ${m.administration.security}`);

  if (organisation.isError) return <Failed what={m.parts.page} error={organisation.error} retry={() => void organisation.refetch()} />;
  const { data } = organisation;
  const without = (people.data ?? []).filter(({ disabled, has_password, has_second_factor }) => !disabled && has_password && !has_second_factor);
  const isOwner = data?.role === "owner";
  const haveOne = !!session && (session.factors.authenticator || session.factors.passkey);
  const isOn = !!data?.second_factor_required;
  const mailIsOn = !!data?.email_code_allowed;
  const put = async (body: { second_factor_required: boolean; email_code_allowed?: boolean }) => {
    if (!data) return;
    await unwrap(
      api.PUT("/api/data/v1/organisations/{organisation_id}/security", {
        params: { path: { organisation_id: organisationId }, header: ifMatch(data.revision) },
        body,
      }),
    );
    await Promise.all([cache.invalidateQueries({ queryKey: organisationQuery(organisationId).queryKey }), cache.invalidateQueries({ queryKey: ["security", organisationId] })]);
    say(m.administration.saved);
  };
  return (
    <div className={`${page.content} ${page.narrow}`}>
      <section className={page.section}>
        <div>
          <h2>{m.administration.secondFactor}</h2>
          <p className={page.lead}>{m.administration.secondFactorLead}</p>
        </div>
        {!data || people.isPending ? (
          <Skeleton height={132} style={{ borderRadius: 8 }} />
        ) : (
          <>
            <div className={`${page.panel} ${css.requirement}`}>
              <div>
                <strong>
                  {m.administration.requirement} <span className={page.tag}>{isOn ? m.administration.on : m.administration.off}</span>
                </strong>
                <p>{without.length === 0 ? m.administration.everybodyHasOne : m.administration.withoutOne(without.length, isOn)}</p>
              </div>
              {isOwner && (
                <Button tone={isOn ? "normal" : "primary"} isDisabled={!isOn && !haveOne} onPress={() => setAsking("factor")}>
                  {isOn ? m.administration.requireOff : m.administration.requireOn}
                </Button>
              )}
            </div>
            <div className={`${page.panel} ${css.requirement}`}>
              <div>
                <strong>
                  {m.administration.emailCodes} <span className={page.tag}>{mailIsOn ? m.administration.on : m.administration.off}</span>
                </strong>
                <p>{m.administration.emailCodesLead}</p>
              </div>
              {isOwner && <Button onPress={() => setAsking("mail")}>{mailIsOn ? m.administration.forbidEmailCodes : m.administration.allowEmailCodes}</Button>}
            </div>
            {!isOwner && <p className={page.quietText}>{m.administration.ownersDecide}</p>}
            {isOwner && !isOn && !haveOne && <Notice tone="info">{m.administration.yourselfFirst}</Notice>}
            {without.length > 0 && (
              <ul className={`${page.panel} ${page.list}`} aria-label={m.administration.withoutLabel}>
                {without.slice(0, 50).map((person) => (
                  <li key={person.id}>
                    <div className={page.listText}>
                      <div>{person.display_name}</div>
                      <div>{person.login}</div>
                    </div>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </section>
      {/* When what stands above it is there, so that nothing moves. */}
      {isOwner && !people.isPending && <Required organisationId={organisationId} />}
      <Confirm
        title={isOn ? m.administration.requireOffTitle : m.administration.requireOnTitle}
        text={isOn ? m.administration.requireOffText : m.administration.requireOnText(without.length)}
        confirm={isOn ? m.administration.requireOff : m.administration.requireOn}
        danger={isOn}
        open={asking === "factor"}
        onClose={() => setAsking(undefined)}
        action={() => put({ second_factor_required: !isOn })}
      />
      <Confirm
        title={mailIsOn ? m.administration.forbidEmailCodesTitle : m.administration.allowEmailCodesTitle}
        text={mailIsOn ? m.administration.forbidEmailCodesText : m.administration.allowEmailCodesText}
        confirm={mailIsOn ? m.administration.forbidEmailCodes : m.administration.allowEmailCodes}
        danger={!mailIsOn}
        open={asking === "mail"}
        onClose={() => setAsking(undefined)}
        action={() => put({ second_factor_required: isOn, email_code_allowed: !mailIsOn })}
      />
    </div>
  );
}
