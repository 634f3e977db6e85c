// Tokens for programs: what each may do, until when, and when it was last used. One's own, or those of a service account.

import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { productionsQuery, sessionQuery, tokensQuery } from "../api/queries";
import type { AccessToken, NewAccessToken } from "../api/types";
import { Checks } from "../components/Checks";
import { Button, SelectField, TextField } from "../components/controls";
import { Confirm } from "../components/dialogs";
import { FormDialog, SecretDialog } from "../components/FormDialog";
import { Failed } from "../components/states";
import { m } from "../messages";
import { ago, day } from "../messages/format";
import page from "./page.module.css";
import { bodyOf, MODULES, NEW, scopeSentence, VALIDITIES, type TokenForm } from "./tokenScope";

type Named = readonly { id: string; name: string }[];

export function Tokens() {
  const cache = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const productions = useQuery(productionsQuery);
  const { data: session } = useQuery(sessionQuery);
  const administered = session?.organisations.filter(({ role, withheld }) => role !== "member" && !withheld) ?? [];
  return (
    <TokenPanel
      title={m.account.tokens}
      lead={m.account.tokensLead}
      empty={m.account.noTokens}
      tokens={tokens}
      productions={productions.data ?? []}
      create={(body) => unwrap(api.POST("/api/data/v1/account/tokens", { body }))}
      revoke={(token) => unwrap(api.DELETE("/api/data/v1/account/tokens/{token_id}", { params: { path: { token_id: token.id } } }))}
      reload={() => cache.invalidateQueries({ queryKey: tokensQuery.queryKey })}
    >
      {administered.map(({ id, name }) => (
        <p key={id} className={page.quietText}>
          {m.serviceAccounts.elsewhere}{" "}
          <Link to="/administration/$organisationId/service-accounts" params={{ organisationId: id }}>
            {m.serviceAccounts.of(name)}
          </Link>
        </p>
      ))}
    </TokenPanel>
  );
}

interface ScopeWords {
  everything: string;
  hint: string;
  productionsHint: string;
}

const OWN: ScopeWords = { everything: m.account.everything, hint: m.account.scopeHint, productionsHint: m.account.inProductionsHint };

interface PanelProps {
  title: string;
  lead: string;
  empty: string;
  tokens: UseQueryResult<AccessToken[]>;
  /** Those that a token can be made for. */
  productions: Named;
  create: (body: NewAccessToken) => Promise<{ secret: string }>;
  revoke: (token: AccessToken) => Promise<unknown>;
  reload: () => Promise<unknown>;
  /** How the choice of a scope is worded: by default for somebody's own tokens. */
  words?: ScopeWords;
  /** Nothing can be made at the moment. */
  disabled?: boolean;
  children?: ReactNode;
}

export function TokenPanel({ title, lead, empty, tokens, productions, create, revoke, reload, words = OWN, disabled = false, children }: PanelProps) {
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<AccessToken>();
  const listed = tokens.data ?? [];
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{title}</h2>
          <p className={page.lead}>{lead}</p>
        </div>
        <Button icon={<Plus size={16} aria-hidden />} onPress={() => setCreating(true)} isDisabled={disabled}>
          {m.account.newToken}
        </Button>
      </header>
      {tokens.isError ? (
        <Failed what={m.parts.tokens} error={tokens.error} retry={() => void tokens.refetch()} />
      ) : listed.length === 0 ? (
        <p className={page.quietText}>{empty}</p>
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
                  {scopeSentence(token.scope, productions, words.everything)} · {m.account.expiresOn(day(token.expires_at))} · {token.last_used_at ? m.account.lastUsed(ago(token.last_used_at)) : m.account.neverUsed}
                </div>
              </div>
              <Button dense tone="quiet" aria-label={`${m.account.revokeToken}: ${token.name}`} onPress={() => setRevoking(token)}>
                {m.account.revokeToken}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {children}
      <FormDialog
        title={m.account.newTokenTitle}
        submit={m.account.createToken}
        initial={NEW}
        open={creating}
        onClose={() => setCreating(false)}
        action={async (form) => {
          const made = await create(bodyOf(form));
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
            <Scope form={form} change={change} productions={productions} words={words} />
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
          if (revoking) await revoke(revoking);
          await reload();
        }}
      />
    </section>
  );
}

/** What it may do at most; the choice of modules and productions comes with the choice of a role. */
function Scope({ form, change, productions, words }: { form: TokenForm; change: (part: Partial<TokenForm>) => void; productions: Named; words: ScopeWords }) {
  return (
    <>
      <SelectField
        label={m.account.mayDo}
        value={form.most_role}
        onChange={(next) => change({ most_role: next })}
        options={[
          { value: "", label: words.everything },
          { value: "reader", label: m.account.mostReader },
          { value: "editor", label: m.account.mostEditor },
          { value: "manager", label: m.account.mostManager },
        ]}
        hint={form.most_role ? words.hint : m.account.everythingHint}
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
            hint={words.productionsHint}
            options={productions.map(({ id, name }) => ({ value: id, label: name }))}
            chosen={form.productions}
            onChange={(chosen) => change({ productions: chosen })}
          />
        </>
      )}
    </>
  );
}
