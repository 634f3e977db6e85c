// What the provider provisions, and the tokens it does it with.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../../api/client";
import { provisioningQuery } from "../../../api/queries";
import type { ProvisioningToken, SignOnConnection } from "../../../api/types";
import { Button, SelectField } from "../../../components/controls";
import { Confirm } from "../../../components/dialogs";
import { FormDialog, SecretDialog } from "../../../components/FormDialog";
import { Secret } from "../../../components/Secret";
import { Failed, Skeleton } from "../../../components/states";
import { m } from "../../../messages";
import { ago, day } from "../../../messages/format";
import page from "../../page.module.css";
import css from "./signOn.module.css";

const t = m.provisioning;
/** Days. */
const VALIDITIES = ["90", "366", "731"] as const;

export function Provisioning({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const query = provisioningQuery(organisationId, connection.id);
  const provisioning = useQuery(query);
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<ProvisioningToken>();
  const path = { organisation_id: organisationId, connection_id: connection.id };
  const reload = () => cache.invalidateQueries({ queryKey: query.queryKey });
  if (provisioning.isError) return <Failed what={t.part} error={provisioning.error} retry={() => void provisioning.refetch()} />;
  const data = provisioning.data;
  const isFull = (data?.tokens.length ?? 0) >= 2;
  return (
    <section className={page.section} aria-label={t.title}>
      <header>
        <div>
          <h2>{t.title}</h2>
          <p className={page.lead}>{t.lead}</p>
        </div>
        <Button icon={<Plus size={16} aria-hidden />} isDisabled={!data || isFull} onPress={() => setCreating(true)}>
          {t.newToken}
        </Button>
      </header>
      {!data ? (
        <Skeleton height={160} style={{ borderRadius: 8 }} />
      ) : (
        <>
          <div className={css.value}>
            <span>{t.url}</span>
            <Secret text={data.url} />
            <p>{t.urlHint}</p>
          </div>
          {data.tokens.length === 0 ? (
            <p className={page.quietText}>{t.none}</p>
          ) : (
            <ul className={`${page.panel} ${page.list}`} aria-label={t.title}>
              {data.tokens.map((token) => (
                <li key={token.id}>
                  <KeyRound size={16} aria-hidden />
                  <div className={page.listText}>
                    <div className="mono">{t.token(token.hint)}</div>
                    <div className="num">
                      {m.account.expiresOn(day(token.expires_at))} · {token.last_used_at ? m.account.lastUsed(ago(token.last_used_at)) : m.account.neverUsed}
                    </div>
                  </div>
                  <Button dense tone="quiet" aria-label={`${m.account.revokeToken}: ${t.token(token.hint)}`} onPress={() => setRevoking(token)}>
                    {m.account.revokeToken}
                  </Button>
                </li>
              ))}
            </ul>
          )}
          {isFull && <p className={page.quietText}>{t.two}</p>}
          {(data.active_users > 0 || data.inactive_users > 0 || data.groups > 0) && (
            <p className={page.quietText}>
              {t.extent(data.active_users, data.inactive_users, data.groups)} {data.groups > 0 && t.groupsDecide}
            </p>
          )}
        </>
      )}
      <FormDialog
        title={t.newTokenTitle}
        lead={t.newTokenLead}
        submit={t.newToken}
        initial={{ expires_in_days: "366" as (typeof VALIDITIES)[number] }}
        open={creating}
        onClose={() => setCreating(false)}
        action={async ({ expires_in_days }) => {
          const made = await unwrap(
            api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning", { params: { path }, body: { expires_in_days: Number(expires_in_days) } }),
          );
          setSecret(made.secret);
          void reload();
        }}
      >
        {(form, change) => (
          <SelectField label={t.expires} value={form.expires_in_days} onChange={(expires_in_days) => change({ expires_in_days })} options={VALIDITIES.map((value) => ({ value, label: m.account.days(Number(value)) }))} />
        )}
      </FormDialog>
      <SecretDialog title={t.tokenTitle} text={t.tokenShownOnce} secret={secret} onClose={() => setSecret(undefined)} />
      <Confirm
        title={t.revokeTitle(revoking?.hint ?? "")}
        text={t.revokeText}
        confirm={m.account.revokeToken}
        open={!!revoking}
        onClose={() => setRevoking(undefined)}
        action={async () => {
          if (revoking) {
            await unwrap(
              api.DELETE("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/provisioning/{token_id}", { params: { path: { ...path, token_id: revoking.id } } }),
            );
          }
          await reload();
        }}
      />
    </section>
  );
}
