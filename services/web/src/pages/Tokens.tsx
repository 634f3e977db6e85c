// Tokens for programs: what each may do, until when, and when it was last used.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { productionsQuery, tokensQuery } from "../api/queries";
import type { AccessToken } from "../api/types";
import { Checks } from "../components/Checks";
import { Button, SelectField, TextField } from "../components/controls";
import { Confirm } from "../components/dialogs";
import { FormDialog, SecretDialog } from "../components/FormDialog";
import { Failed } from "../components/states";
import { m } from "../messages";
import { ago, day } from "../messages/format";
import page from "./page.module.css";
import { bodyOf, MODULES, NEW, scopeSentence, VALIDITIES, type TokenForm } from "./tokenScope";

export function Tokens() {
  const cache = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const productions = useQuery(productionsQuery);
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<AccessToken>();
  const listed = tokens.data ?? [];
  const reload = () => cache.invalidateQueries({ queryKey: tokensQuery.queryKey });
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.account.tokens}</h2>
          <p className={page.lead}>{m.account.tokensLead}</p>
        </div>
        <Button icon={<Plus size={16} aria-hidden />} onPress={() => setCreating(true)}>
          {m.account.newToken}
        </Button>
      </header>
      {tokens.isError ? (
        <Failed what={m.parts.tokens} error={tokens.error} retry={() => void tokens.refetch()} />
      ) : listed.length === 0 ? (
        <p className={page.quietText}>{m.account.noTokens}</p>
      ) : (
        <ul className={`${page.panel} ${page.list}`}>
          {listed.map((token) => (
            <li key={token.id}>
              <KeyRound size={16} aria-hidden />
              <div className={page.listText}>
                <div>
                  {token.name} <span className={`${page.tag} mono`}>…{token.hint}</span>
                </div>
                <div className="num">
                  {scopeSentence(token.scope, productions.data)} · {m.account.expiresOn(day(token.expires_at))} · {token.last_used_at ? m.account.lastUsed(ago(token.last_used_at)) : m.account.neverUsed}
                </div>
              </div>
              <Button dense tone="quiet" aria-label={`${m.account.revokeToken}: ${token.name}`} onPress={() => setRevoking(token)}>
                {m.account.revokeToken}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <FormDialog
        title={m.account.newTokenTitle}
        submit={m.account.createToken}
        initial={NEW}
        open={creating}
        onClose={() => setCreating(false)}
        action={async (form) => {
          const made = await unwrap(api.POST("/api/data/v1/account/tokens", { body: bodyOf(form) }));
          setSecret(made.secret);
          void reload();
        }}
      >
        {(form, change) => (
          <>
            <TextField label={m.account.tokenName} hint={m.account.tokenNameHint} name="name" value={form.name} onChange={(next) => change({ name: next })} isRequired autoFocus {...limits.NewAccessToken.name} autoComplete="off" />
            <SelectField
              label={m.account.expires}
              value={form.expires_in_days}
              onChange={(next) => change({ expires_in_days: next })}
              options={VALIDITIES.map((value) => ({ value, label: m.account.days(Number(value)) }))}
            />
            <Scope form={form} change={change} />
          </>
        )}
      </FormDialog>
      <SecretDialog title={m.account.tokenTitle} text={m.account.tokenShownOnce} secret={secret} onClose={() => setSecret(undefined)} />
      <Confirm
        title={m.account.revokeTokenTitle(revoking?.name ?? "")}
        text={m.account.revokeTokenText}
        confirm={m.account.revokeToken}
        open={!!revoking}
        onClose={() => setRevoking(undefined)}
        action={async () => {
          if (revoking) await unwrap(api.DELETE("/api/data/v1/account/tokens/{token_id}", { params: { path: { token_id: revoking.id } } }));
          await reload();
        }}
      />
    </section>
  );
}

/** What it may do at most; the choice of modules and productions comes with the choice of a role. */
function Scope({ form, change }: { form: TokenForm; change: (part: Partial<TokenForm>) => void }) {
  const productions = useQuery(productionsQuery);
  return (
    <>
      <SelectField
        label={m.account.mayDo}
        value={form.most_role}
        onChange={(next) => change({ most_role: next })}
        options={[
          { value: "", label: m.account.everything },
          { value: "reader", label: m.account.mostReader },
          { value: "editor", label: m.account.mostEditor },
          { value: "manager", label: m.account.mostManager },
        ]}
        hint={form.most_role ? m.account.scopeHint : m.account.everythingHint}
      />
      {form.most_role && (
        <>
          <Checks
            label={m.account.inModules}
            options={MODULES.map((module) => ({ value: module, label: m.modules[module] }))}
            chosen={form.modules}
            onChange={(modules) => change({ modules })}
          />
          <Checks
            label={m.account.inProductions}
            hint={m.account.inProductionsHint}
            options={(productions.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            chosen={form.productions}
            onChange={(chosen) => change({ productions: chosen })}
          />
        </>
      )}
    </>
  );
}
