// An organisation's identity providers and e-mail domains, for its owners.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { AtSign, KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../../api/client";
import { sentenceOf } from "../../../api/problem";
import { domainsQuery, signOnConnectionsQuery } from "../../../api/queries";
import type { OrganisationDomain, SignOnConnection } from "../../../api/types";
import { Button, IconButton, SelectField, TextField } from "../../../components/controls";
import { Confirm } from "../../../components/dialogs";
import { FormDialog } from "../../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../../components/states";
import { Cell, Row, Table, Who } from "../../../components/Table";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { ago, exactInstant } from "../../../messages/format";
import { useTitle } from "../../../shell/title";
import page from "../../page.module.css";
import css from "./signOn.module.css";
import { nextStep } from "./steps";

const t = m.signOn;

/** What a connection's owner should know first. */
function stateOf(connection: SignOnConnection): { text: string; bad?: boolean } {
  if (connection.provider_problem) return { text: t.states.unusable, bad: true };
  const next = nextStep(connection);
  if (!connection.enabled) {
    const untested = connection.last_test?.refusal ? "refused" : "untested";
    return { text: t.states[next === "provider" ? "unfinished" : next === "test" ? untested : "off"] };
  }
  if (connection.fetch_error) return { text: t.states.notRefreshed, bad: true };
  if (connection.warnings.length > 0) return { text: t.states.ending, bad: true };
  return { text: t.states.on };
}

export function SignOn() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const { isPending } = useQuery(signOnConnectionsQuery(organisationId));
  useTitle(`${m.administration.title}: ${t.title}`);
  return (
    <div className={page.content}>
      <Connections organisationId={organisationId} />
      {/* When what stands above it is there, so that nothing moves. */}
      {!isPending && <Domains organisationId={organisationId} />}
    </div>
  );
}

function Connections({ organisationId }: { organisationId: string }) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const connections = useQuery(signOnConnectionsQuery(organisationId));
  const [adding, setAdding] = useState(false);
  if (connections.isError) return <Failed what={m.parts.page} error={connections.error} retry={() => void connections.refetch()} />;
  const add = (
    <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
      {t.add}
    </Button>
  );
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{t.connections}</h2>
          <p className={page.lead}>{t.lead}</p>
        </div>
        {!!connections.data?.length && add}
      </header>
      {connections.isPending ? (
        <Skeleton height={160} style={{ borderRadius: 8 }} />
      ) : connections.data.length === 0 ? (
        <Empty icon={KeyRound} title={t.empty} text={t.emptyText}>
          {add}
        </Empty>
      ) : (
        <Table label={t.connections} columns={[{ name: t.name }, { name: t.state }, { name: t.provider }, { name: t.lastTest }]}>
          {connections.data.map((connection) => {
            const state = stateOf(connection);
            return (
              <Row key={connection.id}>
                <Cell kind="title">
                  <Link to="/administration/$organisationId/sign-on/$connectionId" params={{ organisationId, connectionId: connection.id }}>
                    {connection.name}
                  </Link>
                </Cell>
                <Cell label={t.state}>
                  <span className={state.bad ? page.dangerText : undefined}>{state.text}</span>
                </Cell>
                <Cell label={t.provider}>{connection.provider && <Who name={connection.provider.entity_id} />}</Cell>
                <Cell label={t.lastTest} className={page.nowrap}>
                  {connection.last_test && (
                    <span title={exactInstant(connection.last_test.at)} className={connection.last_test.refusal ? page.dangerText : undefined}>
                      {connection.last_test.refusal ? t.testFailed : connection.last_test.is_current ? t.testPassed : t.testFormer}, {ago(connection.last_test.at)}
                    </span>
                  )}
                </Cell>
              </Row>
            );
          })}
        </Table>
      )}
      <FormDialog
        title={t.addTitle}
        lead={t.addLead}
        open={adding}
        onClose={() => setAdding(false)}
        initial={{ name: "" }}
        submit={t.addSubmit}
        ready={({ name }) => name.trim() !== ""}
        action={async (body) => {
          const made = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections", { params: { path: { organisation_id: organisationId } }, body }));
          await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
          await navigate({ to: "/administration/$organisationId/sign-on/$connectionId", params: { organisationId, connectionId: made.id } });
        }}
      >
        {(value, change) => <TextField autoFocus isRequired name="name" label={t.name} hint={t.nameHint} value={value.name} onChange={(name) => change({ name })} maxLength={100} />}
      </FormDialog>
    </section>
  );
}

/** Which provider the people of a domain are sent to; nothing where there is no choice. */
function LeadsTo({ organisationId, domain }: { organisationId: string; domain: OrganisationDomain }) {
  const cache = useQueryClient();
  const { data: connections = [] } = useQuery(signOnConnectionsQuery(organisationId));
  const [busy, setBusy] = useState(false);
  if (connections.length < 2 && !domain.connection_id) return null;
  const options = [
    { value: "", label: t.leadsToFirst(connections.find(({ enabled }) => enabled)?.name) },
    ...connections.map(({ id, name, enabled }) => ({ value: id, label: enabled ? name : t.leadsToOff(name) })),
  ];
  const choose = async (connection_id: string) => {
    setBusy(true);
    try {
      await unwrap(
        api.PATCH("/api/data/v1/organisations/{organisation_id}/sign-on/domains/{domain_id}", {
          params: { path: { organisation_id: organisationId, domain_id: domain.id }, header: ifMatch(domain.revision) },
          body: { connection_id: connection_id || null },
        }),
      );
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    } finally {
      // Also where somebody was faster: then it shows what they chose.
      await cache.invalidateQueries({ queryKey: domainsQuery(organisationId).queryKey });
      setBusy(false);
    }
  };
  return (
    <div className={css.leadsTo}>
      <SelectField dense hideLabel disabled={busy} label={t.leadsTo(domain.domain)} value={domain.connection_id ?? ""} options={options} onChange={(id) => void choose(id)} />
    </div>
  );
}

function Domains({ organisationId }: { organisationId: string }) {
  const cache = useQueryClient();
  const domains = useQuery(domainsQuery(organisationId));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<OrganisationDomain>();
  const reload = () => cache.invalidateQueries({ queryKey: domainsQuery(organisationId).queryKey });
  if (domains.isError) return <Failed what={t.domains} error={domains.error} retry={() => void domains.refetch()} />;
  const add = (
    <Button icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
      {t.addDomain}
    </Button>
  );
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{t.domains}</h2>
          <p className={page.lead}>{t.domainsLead}</p>
        </div>
        {!!domains.data?.length && add}
      </header>
      {domains.isPending ? (
        <Skeleton height={112} style={{ borderRadius: 8 }} />
      ) : domains.data.length === 0 ? (
        <Empty icon={AtSign} title={t.noDomains} text={t.noDomainsText}>
          {add}
        </Empty>
      ) : (
        <ul className={`${page.panel} ${page.list}`} aria-label={t.domains}>
          {domains.data.map((domain) => (
            <li key={domain.id} className={css.domain}>
              <div className={page.listText}>
                <div>
                  {domain.domain} <span className={page.tag}>{domain.verified_at ? t.confirmed : t.waiting}</span>
                </div>
                <div>{domain.verified_at ? t.confirmedText(ago(domain.verified_at)) : t.waitingText(domain.domain)}</div>
              </div>
              <LeadsTo organisationId={organisationId} domain={domain} />
              <IconButton label={t.removeDomain(domain.domain)} onPress={() => setRemoving(domain)}>
                <Trash2 size={16} />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <FormDialog
        title={t.addDomain}
        lead={t.addDomainLead}
        open={adding}
        onClose={() => setAdding(false)}
        initial={{ domain: "" }}
        submit={t.addDomain}
        ready={({ domain }) => domain.trim() !== ""}
        action={async (body) => {
          await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/domains", { params: { path: { organisation_id: organisationId } }, body }));
          await reload();
        }}
      >
        {(value, change) => (
          <TextField autoFocus isRequired name="domain" label={t.domain} placeholder="studio.example" value={value.domain} onChange={(domain) => change({ domain })} spellCheck="false" maxLength={260} />
        )}
      </FormDialog>
      <Confirm
        title={t.removeDomainTitle(removing?.domain ?? "")}
        text={t.removeDomainText}
        confirm={m.common.remove}
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        action={async () => {
          if (!removing) return;
          await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/sign-on/domains/{domain_id}", { params: { path: { organisation_id: organisationId, domain_id: removing.id } } }));
          await reload();
          say(t.domainRemoved(removing.domain));
        }}
      />
    </section>
  );
}
