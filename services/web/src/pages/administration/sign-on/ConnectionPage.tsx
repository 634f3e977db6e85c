// One connection to an identity provider: three steps to set it up, a test, and the switch.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ChevronLeft, Check, Download, EllipsisVertical } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { api, ifMatch, unwrap } from "../../../api/client";
import { sessionQuery, signOnAttemptQuery, signOnConnectionQuery, signOnConnectionsQuery } from "../../../api/queries";
import type { SignOnConnection } from "../../../api/types";
import { Button, buttonClass, IconButton, Notice, TextField } from "../../../components/controls";
import { ActionMenu, Confirm } from "../../../components/dialogs";
import { FormDialog } from "../../../components/FormDialog";
import { Secret } from "../../../components/Secret";
import { Failed, NotFound, Skeleton } from "../../../components/states";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { instant } from "../../../messages/format";
import { useTitle } from "../../../shell/title";
import page from "../../page.module.css";
import security from "../../security/security.module.css";
import { Attempts } from "./Attempts";
import { Certificates } from "./Certificates";
import { Mapping } from "./Mapping";
import { ProviderMetadata } from "./ProviderMetadata";
import { Provisioning } from "./Provisioning";
import { Rules } from "./Rules";
import css from "./signOn.module.css";
import { isAttemptNumber, isProven, nextStep } from "./steps";
import { TestRun } from "./TestRun";

const t = m.signOn;

export function ConnectionPage() {
  const { organisationId, connectionId } = useParams({ from: "/app/administration/$organisationId/sign-on/$connectionId" });
  const { attempt } = useSearch({ from: "/app/administration/$organisationId/sign-on/$connectionId" });
  const connection = useQuery(signOnConnectionQuery(organisationId, connectionId));
  useTitle(`${t.title}: ${connection.data?.name ?? ""}`);
  if (connection.isError) return <Failed what={t.connection} error={connection.error} retry={() => void connection.refetch()} />;
  return (
    <div className={page.content}>
      <Link className={css.back} to="/administration/$organisationId/sign-on" params={{ organisationId }}>
        <ChevronLeft size={16} aria-hidden /> {t.allConnections}
      </Link>
      {connection.isPending ? <Skeleton height={640} style={{ borderRadius: 8 }} /> : <Loaded organisationId={organisationId} connection={connection.data} attempt={attempt} />}
    </div>
  );
}

function Loaded({ organisationId, connection, attempt }: { organisationId: string; connection: SignOnConnection; attempt: string | undefined }) {
  const next = nextStep(connection);
  const part = { organisationId, connection };
  const isNumber = !!attempt && isAttemptNumber(attempt);
  const named = useQuery({ ...signOnAttemptQuery(organisationId, connection.id, attempt ?? ""), enabled: isNumber });
  // A test comes back with its attempt; any other attempt is one that somebody asks about.
  const isTest = isNumber && !named.isError && (!named.data || named.data.purpose === "test");
  const wanted = isTest ? undefined : attempt;
  return (
    <>
      <Head {...part} />
      {connection.warnings.map((warning) => (
        <Notice key={warning.what} tone={warning.days_left > 7 ? "warning" : "danger"}>
          <strong>{t.ends[warning.what](instant(warning.ends_at), warning.days_left)}</strong>
          <p>{t.endsHelp[warning.what]}</p>
        </Notice>
      ))}
      <SetUpStep number={1} title={t.step1} lead={t.step1Lead} done={next !== "provider"}>
        <Values connection={connection} />
      </SetUpStep>
      <SetUpStep number={2} title={t.step2} lead={t.step2Lead} done={next !== "provider"}>
        <ProviderMetadata {...part} />
      </SetUpStep>
      <SetUpStep number={3} title={t.step3} lead={t.step3Lead} done={next === "on" || next === "done"}>
        <Mapping key={connection.revision} {...part} />
        <Rules {...part} />
      </SetUpStep>
      <section className={page.section} aria-label={t.test}>
        <TestRun {...part} attemptId={isTest ? attempt : connection.last_test?.attempt_id} />
      </section>
      <Switch {...part} />
      <Provisioning {...part} />
      <Certificates {...part} />
      <Attempts key={wanted} {...part} wanted={wanted} />
    </>
  );
}

function SetUpStep({ number, title, lead, done, children }: { number: number; title: string; lead: string; done: boolean; children: ReactNode }) {
  return (
    <section className={css.step}>
      <span className={css.number} data-done={done || undefined} aria-hidden>
        {done ? <Check size={20} /> : number}
      </span>
      <div className={css.body}>
        <div>
          <h2>
            <span className="visually-hidden">{t.stepNumber(number)}: </span>
            {title}
          </h2>
          <p className={page.lead}>{lead}</p>
        </div>
        {children}
      </div>
    </section>
  );
}

function Head({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<"rename" | "remove">();
  const path = { organisation_id: organisationId, connection_id: connection.id };
  const close = () => setAsking(undefined);
  return (
    <div className={css.title}>
      <h2>{connection.name}</h2>
      <span className={page.tag}>{connection.enabled ? t.states.on : t.states.off}</span>
      <ActionMenu
        label={m.common.actions}
        trigger={
          <IconButton label={`${m.common.actions}: ${connection.name}`}>
            <EllipsisVertical size={16} />
          </IconButton>
        }
        entries={[
          { id: "rename", label: m.common.rename, action: () => setAsking("rename") },
          { id: "remove", label: m.common.remove, danger: true, action: () => setAsking("remove") },
        ]}
      />
      <FormDialog
        title={t.renameTitle}
        open={asking === "rename"}
        onClose={close}
        initial={{ name: connection.name }}
        submit={m.common.save}
        action={async (body) => {
          await unwrap(api.PATCH("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", { params: { path, header: ifMatch(connection.revision) }, body }));
          await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
        }}
      >
        {(value, change) => <TextField autoFocus isRequired name="name" label={t.name} value={value.name} onChange={(name) => change({ name })} maxLength={100} />}
      </FormDialog>
      <Confirm
        title={t.removeTitle(connection.name)}
        text={t.removeText}
        confirm={m.common.remove}
        open={asking === "remove"}
        onClose={close}
        action={async () => {
          await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", { params: { path, header: ifMatch(connection.revision) } }));
          await navigate({ to: "/administration/$organisationId/sign-on", params: { organisationId } });
          cache.removeQueries({ queryKey: signOnConnectionQuery(organisationId, connection.id).queryKey });
          await cache.invalidateQueries({ queryKey: signOnConnectionsQuery(organisationId).queryKey });
          say(t.removed(connection.name));
        }}
      />
    </div>
  );
}

/** What the provider is to know of Kinora. */
function Values({ connection: { ours } }: { connection: SignOnConnection }) {
  const values: [string, string, string][] = [
    [t.entityId, ours.entity_id, t.entityIdHint],
    [t.acsUrl, ours.acs_url, t.acsUrlHint],
    [t.logoutUrl, ours.logout_url, t.logoutUrlHint],
  ];
  return (
    <div className={css.values}>
      <div className={css.actions}>
        <a className={buttonClass()} href={new URL(ours.entity_id).pathname} download="kinora-metadata.xml">
          <Download size={16} aria-hidden /> {t.downloadMetadata}
        </a>
      </div>
      {values.map(([label, value, hint]) => (
        <div key={label} className={css.value}>
          <span>{label}</span>
          <Secret text={value} />
          <p>{hint}</p>
        </div>
      ))}
    </div>
  );
}

function Switch({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const { enabled, provider, last_test } = connection;
  const untested = !isProven(last_test);
  return (
    <section className={page.section} aria-label={t.switch}>
      <div className={`${page.panel} ${security.requirement}`}>
        <div>
          <strong>
            {t.switch} <span className={page.tag}>{enabled ? m.administration.on : m.administration.off}</span>
          </strong>
          <p>{enabled ? t.switchedOn : !provider ? t.switchNeedsMetadata : untested ? t.switchUntested : t.switchReady}</p>
        </div>
        <Button tone={enabled ? "normal" : "primary"} isDisabled={!enabled && !provider} onPress={() => setAsking(true)}>
          {enabled ? t.switchOff : t.switchOn}
        </Button>
      </div>
      <Confirm
        title={enabled ? t.switchOffTitle(connection.name) : t.switchOnTitle(connection.name)}
        text={enabled ? t.switchOffText : untested ? t.switchOnUntestedText : t.switchOnText}
        confirm={enabled ? t.switchOff : t.switchOn}
        danger={enabled}
        open={asking}
        onClose={() => setAsking(false)}
        action={async () => {
          await unwrap(
            api.PATCH("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}", {
              params: { path: { organisation_id: organisationId, connection_id: connection.id }, header: ifMatch(connection.revision) },
              body: { enabled: !enabled },
            }),
          );
          await cache.invalidateQueries({ queryKey: ["sign-on", organisationId] });
        }}
      />
    </section>
  );
}

/** Where a test comes back to: the provider's answer names the connection alone, so its organisation is looked for. */
export function FindConnection() {
  const { connectionId } = useParams({ from: "/app/administration/sign-on/$connectionId" });
  const { attempt } = useSearch({ from: "/app/administration/sign-on/$connectionId" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    if (!session) return;
    const find = async () => {
      for (const { id, role } of session.organisations) {
        if (role !== "owner") continue;
        const known = await cache.fetchQuery(signOnConnectionsQuery(id)).catch(() => []);
        if (!known.some((one) => one.id === connectionId)) continue;
        await navigate({ to: "/administration/$organisationId/sign-on/$connectionId", params: { organisationId: id, connectionId }, search: { attempt }, replace: true });
        return;
      }
      setMissing(true);
    };
    void find();
  }, [session, connectionId, attempt, cache, navigate]);
  return missing ? <NotFound /> : <Skeleton height={320} style={{ margin: 24 }} />;
}
