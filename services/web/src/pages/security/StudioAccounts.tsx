// The studio accounts that are joined with one's own: how one signs in at the studio's identity provider.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Building2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { sentenceOf } from "../../api/problem";
import { studioAccountsQuery } from "../../api/queries";
import { Button } from "../../components/controls";
import { Confirm } from "../../components/dialogs";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { ago, day } from "../../messages/format";
import page from "../page.module.css";

/** Nothing where no organisation has a connection: there is nothing to be done about it here. */
export function StudioAccounts() {
  const { data } = useQuery(studioAccountsQuery);
  const cache = useQueryClient();
  const [busy, setBusy] = useState<string>();
  const [separating, setSeparating] = useState<{ connection_id: string; connection: string }>();
  if (!data || (!data.joined.length && !data.open.length)) return null;
  const joined = new Set(data.joined.map(({ connection_id }) => connection_id));
  const join = async (connection_id: string) => {
    setBusy(connection_id);
    try {
      const { address } = await unwrap(api.POST("/api/data/v1/account/studio-accounts", { body: { connection_id, return_to: "/account" } }));
      location.assign(address);
    } catch (error) {
      say(sentenceOf(error), { danger: true });
      setBusy(undefined);
    }
  };
  return (
    <section className={page.section} aria-labelledby="studio-accounts">
      <div>
        <h2 id="studio-accounts">{m.security.studioAccounts}</h2>
        <p className={page.lead}>{m.security.studioAccountsLead}</p>
      </div>
      <ul className={`${page.panel} ${page.list}`}>
        {data.joined.map(({ connection_id, connection, created_at, last_signed_in_at }) => (
          <li key={`${connection_id} ${created_at}`}>
            <Building2 size={16} aria-hidden />
            <div className={page.listText}>
              <div>{connection}</div>
              <div className="num">
                {m.security.joinedOn(day(created_at))} · {m.account.lastUsed(ago(last_signed_in_at))}
              </div>
            </div>
            <Button dense aria-label={`${m.security.separate}: ${connection}`} onPress={() => setSeparating({ connection_id, connection })}>
              {m.security.separate}
            </Button>
          </li>
        ))}
        {data.open
          .filter(({ connection_id }) => !joined.has(connection_id))
          .map(({ connection_id, connection }) => (
            <li key={connection_id}>
              <Building2 size={16} aria-hidden />
              <div className={page.listText}>
                <div>{connection}</div>
                <div>{m.security.joinLead}</div>
              </div>
              <Button dense busy={busy === connection_id} aria-label={`${m.security.join}: ${connection}`} onPress={() => void join(connection_id)}>
                {m.security.join}
              </Button>
            </li>
          ))}
      </ul>
      <Confirm
        title={m.security.separateTitle(separating?.connection ?? "")}
        text={m.security.separateText}
        confirm={m.security.separate}
        open={!!separating}
        onClose={() => setSeparating(undefined)}
        action={async () => {
          if (!separating) return;
          await unwrap(api.DELETE("/api/data/v1/account/studio-accounts/{connection_id}", { params: { path: { connection_id: separating.connection_id } } }));
          // What its groups gave is gone: every page may show less now.
          await cache.invalidateQueries();
          say(m.security.separated(separating.connection));
        }}
      />
    </section>
  );
}
