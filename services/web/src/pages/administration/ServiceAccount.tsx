// One account of a program: what it may do, and with which tokens.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../api/client";
import { organisationProductionsQuery, serviceAccountsQuery, serviceAccountTokensQuery } from "../../api/queries";
import type { ModuleRole, ServiceAccount } from "../../api/types";
import { Button, buttonClass, IconButton, Notice, SelectField } from "../../components/controls";
import { Confirm } from "../../components/dialogs";
import { FormDialog } from "../../components/FormDialog";
import { Failed, NotFound, Skeleton } from "../../components/states";
import { m } from "../../messages";
import { ago } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import { TokenPanel } from "../Tokens";
import { MODULES } from "../tokenScope";
import { AccountFields, responsibleText } from "./ServiceAccounts";
import { rolesText } from "./sign-on/Rules";

const t = m.serviceAccounts;

export function ServiceAccountPage() {
  const { organisationId, accountId } = useParams({ from: "/app/administration/$organisationId/service-accounts/$accountId" });
  const accounts = useQuery(serviceAccountsQuery(organisationId));
  const account = accounts.data?.find(({ id }) => id === accountId);
  useTitle(`${t.title}: ${account?.name ?? ""}`);
  if (accounts.isError) return <Failed what={t.part} error={accounts.error} retry={() => void accounts.refetch()} />;
  if (accounts.data && !account) return <NotFound />;
  return (
    <div className={page.content}>
      <div>
        <Link className={buttonClass("quiet", { dense: true })} to="/administration/$organisationId/service-accounts" params={{ organisationId }}>
          <ArrowLeft size={16} aria-hidden />
          {t.all}
        </Link>
      </div>
      {account ? <Loaded organisationId={organisationId} account={account} /> : <Skeleton height={400} style={{ borderRadius: 8 }} />}
    </div>
  );
}

function Loaded({ organisationId, account }: { organisationId: string; account: ServiceAccount }) {
  const cache = useQueryClient();
  const tokens = useQuery(serviceAccountTokensQuery(organisationId, account.id));
  const path = { organisation_id: organisationId, person_id: account.id };
  const reload = () => cache.invalidateQueries({ queryKey: ["service-accounts", organisationId] });
  return (
    <>
      <About organisationId={organisationId} account={account} />
      <Roles organisationId={organisationId} account={account} />
      <TokenPanel
        title={t.tokens}
        lead={t.tokensLead}
        empty={account.deactivated ? t.isDeactivated : t.noTokens}
        tokens={tokens}
        productions={account.productions.map(({ production_id, name }) => ({ id: production_id, name }))}
        create={(body) => unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens", { params: { path }, body }))}
        revoke={(token) =>
          unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}/tokens/{token_id}", { params: { path: { ...path, token_id: token.id } } }))
        }
        reload={reload}
        words={{ everything: t.everything, hint: t.scopeHint, productionsHint: t.allProductions }}
        disabled={account.deactivated}
      />
    </>
  );
}

/** What it is, and whether it may do anything at all. */
function About({ organisationId, account }: { organisationId: string; account: ServiceAccount }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState<"change" | "deactivate">();
  const close = () => setAsking(undefined);
  const change = async (body: { name?: string; purpose?: string; responsible_id?: string; deactivated?: boolean }) => {
    await unwrap(
      api.PATCH("/api/data/v1/organisations/{organisation_id}/service-accounts/{person_id}", {
        params: { path: { organisation_id: organisationId, person_id: account.id }, header: ifMatch(account.revision) },
        body,
      }),
    );
    await cache.invalidateQueries({ queryKey: ["service-accounts", organisationId] });
  };
  const { responsible } = account;
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{account.name}</h2>
          <p className={page.lead}>{account.purpose}</p>
        </div>
        <Button onPress={() => setAsking("change")}>{t.change}</Button>
        <Button tone={account.deactivated ? "primary" : "normal"} onPress={() => setAsking("deactivate")}>
          {account.deactivated ? t.activate : t.deactivate}
        </Button>
      </header>
      {!responsible?.present && <Notice tone="warning">{responsible ? t.orphaned(responsible.display_name) : t.orphanedNobody}</Notice>}
      {account.deactivated && <Notice tone="warning">{t.isDeactivated}</Notice>}
      <dl className={page.facts}>
        <dt>{t.responsible}</dt>
        <dd>{responsibleText(account)}</dd>
        <dt>{t.inTrail}</dt>
        <dd className="mono">{account.login}</dd>
        <dt>{t.lastUsed}</dt>
        <dd>{account.last_used_at ? ago(account.last_used_at) : t.never}</dd>
      </dl>
      <FormDialog
        title={t.changeTitle}
        submit={m.common.save}
        initial={{ name: account.name, purpose: account.purpose, responsible_id: responsible?.present ? responsible.id : "" }}
        open={asking === "change"}
        onClose={close}
        ready={({ responsible_id }) => responsible_id !== ""}
        action={change}
      >
        {(form, edit) => <AccountFields organisationId={organisationId} form={form} change={edit} />}
      </FormDialog>
      <Confirm
        title={account.deactivated ? `${t.activate}: ${account.name}` : t.deactivateTitle(account.name)}
        text={account.deactivated ? t.isDeactivated : t.deactivateText}
        confirm={account.deactivated ? t.activate : t.deactivate}
        danger={!account.deactivated}
        open={asking === "deactivate"}
        onClose={close}
        action={() => change({ deactivated: !account.deactivated })}
      />
    </section>
  );
}

type RolesForm = { production: string } & Record<(typeof MODULES)[number], ModuleRole | "">;
const NO_ROLES: RolesForm = { production: "", office: "", library: "", subtitling: "", budget: "" };

/** Its roles, by production. */
function Roles({ organisationId, account }: { organisationId: string; account: ServiceAccount }) {
  const cache = useQueryClient();
  const productions = useQuery(organisationProductionsQuery(organisationId));
  const [giving, setGiving] = useState(false);
  const [taking, setTaking] = useState<ServiceAccount["productions"][number]>();
  const reload = () => cache.invalidateQueries({ queryKey: ["service-accounts", organisationId] });
  const member = (production_id: string) => ({ production_id, person_id: account.id });
  const free = (productions.data ?? []).filter(({ id }) => !account.productions.some(({ production_id }) => production_id === id));
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{t.roles}</h2>
          <p className={page.lead}>{t.rolesLead}</p>
        </div>
        <Button icon={<Plus size={16} aria-hidden />} isDisabled={free.length === 0} onPress={() => setGiving(true)}>
          {t.giveRole}
        </Button>
      </header>
      {account.productions.length === 0 ? (
        <p className={page.quietText}>{t.noRoles}</p>
      ) : (
        <ul className={`${page.panel} ${page.list}`} aria-label={t.roles}>
          {account.productions.map((place) => (
            <li key={place.production_id}>
              <div className={page.listText}>
                <div>{place.name}</div>
                <div>{rolesText(place.roles)}</div>
              </div>
              <IconButton label={t.takeRoles(place.name)} onPress={() => setTaking(place)}>
                <Trash2 size={16} />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <FormDialog
        title={t.giveRoleTitle}
        submit={t.giveRole}
        initial={{ ...NO_ROLES, production: free[0]?.id ?? "" }}
        open={giving}
        onClose={() => setGiving(false)}
        ready={(form) => form.production !== "" && MODULES.some((module) => form[module] !== "")}
        action={async ({ production, ...chosen }) => {
          const roles = Object.fromEntries(MODULES.map((module) => [module, chosen[module] || null]));
          await unwrap(api.PUT("/api/data/v1/productions/{production_id}/members/{person_id}", { params: { path: member(production) }, body: roles }));
          await reload();
        }}
      >
        {(form, change) => (
          <>
            <SelectField label={t.production} value={form.production} onChange={(production) => change({ production })} options={free.map(({ id, name }) => ({ value: id, label: name }))} />
            {MODULES.map((module) => (
              <SelectField
                key={module}
                label={m.modules[module]}
                value={form[module]}
                onChange={(role) => change({ [module]: role })}
                options={[{ value: "" as const, label: t.noRole }, ...(["reader", "editor", "manager"] as const).map((value) => ({ value, label: m.roles[value] }))]}
              />
            ))}
          </>
        )}
      </FormDialog>
      <Confirm
        title={t.takeRolesTitle(taking?.name ?? "")}
        text={t.takeRolesText}
        confirm={m.common.remove}
        open={!!taking}
        onClose={() => setTaking(undefined)}
        action={async () => {
          if (taking) await unwrap(api.DELETE("/api/data/v1/productions/{production_id}/members/{person_id}", { params: { path: member(taking.production_id) } }));
          await reload();
        }}
      />
    </section>
  );
}
