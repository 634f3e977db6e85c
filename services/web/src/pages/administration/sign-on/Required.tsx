// Whether everybody must sign in through the identity provider, and which owners can do without it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../../api/client";
import { sentenceOf } from "../../../api/problem";
import { organisationQuery, securityQuery } from "../../../api/queries";
import type { SecurityOwner } from "../../../api/types";
import { Button } from "../../../components/controls";
import { Confirm } from "../../../components/dialogs";
import { Failed, Skeleton } from "../../../components/states";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import page from "../../page.module.css";
import security from "../../security/security.module.css";
import { Checked } from "./Mapping";

const t = m.signOn;

/** Why an owner cannot be chosen; nothing: they can. */
function missingOf(owner: SecurityOwner): string | undefined {
  if (owner.disabled) return t.disabled;
  const missing = [...(owner.has_password ? [] : [t.password]), ...(owner.has_second_factor ? [] : [t.secondFactor])];
  return missing.length ? t.unable(missing.join(", ")) : undefined;
}

export function Required({ organisationId }: { organisationId: string }) {
  const cache = useQueryClient();
  const state = useQuery(securityQuery(organisationId));
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  if (state.isError) return <Failed what={t.required} error={state.error} retry={() => void state.refetch()} />;
  const put = async (body: { sso_required?: boolean; break_glass?: string[] }) => {
    if (!state.data) return;
    const { revision, second_factor_required } = state.data;
    await unwrap(
      api.PUT("/api/data/v1/organisations/{organisation_id}/security", {
        params: { path: { organisation_id: organisationId }, header: ifMatch(revision) },
        body: { second_factor_required, ...body },
      }),
    );
    await Promise.all([cache.invalidateQueries({ queryKey: ["security", organisationId] }), cache.invalidateQueries({ queryKey: organisationQuery(organisationId).queryKey })]);
    say(m.administration.saved);
  };
  const owners = state.data?.owners ?? [];
  const chosen = owners.filter((owner) => owner.break_glass).map(({ id }) => id);
  const choose = async (id: string, wanted: boolean) => {
    setBusy(true);
    try {
      await put({ break_glass: wanted ? [...chosen, id] : chosen.filter((one) => one !== id) });
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    } finally {
      setBusy(false);
    }
  };
  const isOn = !!state.data?.sso_required;
  const proven = !!state.data?.sso_proven;
  return (
    <section className={page.section}>
      <div>
        <h2>{t.required}</h2>
        <p className={page.lead}>{t.requiredLead}</p>
      </div>
      {!state.data ? (
        <Skeleton height={132} style={{ borderRadius: 8 }} />
      ) : (
        <>
          <div className={`${page.panel} ${security.requirement}`}>
            <div>
              <strong>
                {t.requirement} <span className={page.tag}>{isOn ? m.administration.on : m.administration.off}</span>
              </strong>
              <p>{isOn ? t.isRequired : !proven ? t.notProven : chosen.length === 0 ? t.nobodyChosen : t.ready}</p>
            </div>
            <Button tone={isOn ? "normal" : "primary"} isDisabled={!isOn && (!proven || chosen.length === 0)} onPress={() => setAsking(true)}>
              {isOn ? t.requireOff : t.requireOn}
            </Button>
          </div>
          <div>
            <strong>{t.glass}</strong>
            <p className={page.quietText}>{t.glassLead}</p>
          </div>
          <ul className={`${page.panel} ${page.list}`} aria-label={t.glass}>
            {owners.map((owner) => {
              const missing = missingOf(owner);
              return (
                <li key={owner.id}>
                  <Checked
                    label={owner.display_name}
                    hint={missing ? `${owner.login}, ${missing}` : owner.login}
                    checked={owner.break_glass}
                    disabled={busy || (!owner.break_glass && !!missing)}
                    onChange={(wanted) => void choose(owner.id, wanted)}
                  />
                </li>
              );
            })}
          </ul>
        </>
      )}
      <Confirm
        title={isOn ? t.requireOffTitle : t.requireOnTitle}
        text={isOn ? t.requireOffText : t.requireOnText}
        confirm={isOn ? t.requireOff : t.requireOn}
        danger={isOn}
        open={asking}
        onClose={() => setAsking(false)}
        action={() => put({ sso_required: !isOn })}
      />
    </section>
  );
}
