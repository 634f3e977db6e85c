// How the installation does, for whoever runs it: what needs attention, hosts, work, backups, and curves.

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { sessionQuery, installationDashboardsQuery, installationStatusQuery } from "../../../api/queries";
import type { FleetDashboards, FleetHost, FleetPanel, InstallationStatus } from "../../../api/types";
import { Notice, Segments } from "../../../components/controls";
import { Failed, NotFound, Skeleton } from "../../../components/states";
import { Cell, Row, Table, Who } from "../../../components/Table";
import { m } from "../../../messages";
import { ago, count, day, exactInstant, instant, size, span } from "../../../messages/format";
import { useTitle } from "../../../shell/title";
import page from "../../page.module.css";
import { Chart } from "./Chart";
import css from "./Installation.module.css";

type Range = "day" | "fortnight";

/** Figures that are older than this say so. */
const STALE_MINUTES = 5;

export function Installation() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const { data: session } = useQuery(sessionQuery);
  const organisation = session?.organisations.find(({ id }) => id === organisationId);
  const status = useQuery(installationStatusQuery);
  useTitle(`${m.administration.title}: ${m.installation.title}`);
  if (session && !organisation?.runs_installation) return <NotFound />;
  if (status.isError && !status.data) return <Failed what={m.parts.installation} error={status.error} retry={() => void status.refetch()} />;
  return (
    <div className={page.content}>
      {status.data ? <Status status={status.data} /> : <Skeleton height={320} style={{ borderRadius: 8 }} />}
      <Curves />
    </div>
  );
}

function Status({ status }: { status: InstallationStatus }) {
  const { glance } = status;
  return (
    <>
      <section className={page.section}>
        <Attention status={status} />
        <p className={page.lead}>{freshness(status)}</p>
      </section>
      {glance && (
        <section className={page.section}>
          <h2>{m.installation.hosts}</h2>
          <Hosts hosts={glance.hosts} />
        </section>
      )}
      <section className={page.section}>
        <h2>{m.installation.work}</h2>
        <Work status={status} />
      </section>
    </>
  );
}

function Attention({ status }: { status: InstallationStatus }) {
  if (status.is_well) {
    return (
      <Notice tone="info">
        <strong>{m.installation.well}</strong>
      </Notice>
    );
  }
  return (
    <Notice tone={status.attention.some(({ severity }) => severity === "critical") ? "danger" : "warning"}>
      <strong>{m.installation.notWell(status.attention.length)}</strong>
      <ul className={css.attention}>
        {status.attention.map(({ severity, text, runbook }) => (
          <li key={text}>
            {m.installation.severities[severity] ?? severity}: {text}
            <span>{m.installation.runbook(runbook)}</span>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** How old what is shown is, or why there is nothing. */
function freshness({ monitoring, glance, at }: InstallationStatus): string {
  if (monitoring.state === "unset") return m.installation.noMonitoring;
  if (!glance) return monitoring.state === "failing" ? m.installation.notAnswering : m.installation.notAsked;
  const minutes = (Date.parse(at) - Date.parse(glance.at)) / 60_000;
  return minutes > STALE_MINUTES ? m.installation.stale(instant(glance.at)) : m.installation.fresh(ago(glance.at, Date.parse(at)));
}

/** What a host is doing, in a few words, and below it what is wrong. */
function Doing({ host }: { host: FleetHost }) {
  if (!host.is_up) return <span className={page.dangerText}>{m.installation.down}</span>;
  const words = [
    host.is_primary ? m.installation.primary : undefined,
    host.replication_lag_bytes == null ? undefined : m.installation.standby(size(host.replication_lag_bytes)),
    host.leads ? m.installation.leads : undefined,
    host.has_public_address ? m.installation.publicAddress : undefined,
  ].filter(Boolean);
  return (
    <div>
      <div>{words.join("; ") || m.installation.up}</div>
      {host.silent.length > 0 && <div className={page.dangerText}>{m.installation.silent(host.silent.join(", "))}</div>}
    </div>
  );
}

function Hosts({ hosts }: { hosts: readonly FleetHost[] }) {
  return (
    <Table
      label={m.installation.hosts}
      columns={[{ name: m.installation.host }, { name: m.installation.state }, { name: m.installation.version }, { name: m.installation.certificate }, { name: m.installation.disk }]}
    >
      {hosts.map((host) => (
        <Row key={host.name}>
          <Cell kind="title">
            <Who name={host.name} below={host.roles.map((role) => role.replaceAll("_", " ")).join(", ")} />
          </Cell>
          <Cell label={m.installation.state}>
            <Doing host={host} />
          </Cell>
          <Cell label={m.installation.version} className="num">
            {[...new Set(Object.values(host.versions))].join(", ") || undefined}
          </Cell>
          <Cell label={m.installation.certificate} className={`${page.nowrap} num`}>
            {host.certificate_ends_at && m.installation.until(day(host.certificate_ends_at))}
          </Cell>
          <Cell label={m.installation.disk} className="num">
            {host.disk_used_ratio != null && m.installation.diskUsed(Math.round(host.disk_used_ratio * 100), host.fullest_disk ?? "")}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function When({ at, none }: { at: string | null | undefined; none: string }) {
  return at ? <span title={exactInstant(at)}>{ago(at)}</span> : none;
}

function Work({ status }: { status: InstallationStatus }) {
  const { queues, mail, storage, glance } = status;
  const backups = glance?.backups;
  const words = m.installation;
  return (
    <>
      <dl className={page.facts}>
        <dt>{words.stored}</dt>
        <dd className="num">{words.storedText(size(storage.bytes), count(storage.objects))}</dd>
        <dt>{words.mail}</dt>
        <dd className="num">{mail.waiting ? words.mailWaits(count(mail.waiting), span(mail.oldest_seconds)) : words.noMail}</dd>
        <dt>{words.backup}</dt>
        <dd>{backups ? <When at={backups.newest_at} none={words.never} /> : words.unknown}</dd>
        <dt>{words.drill}</dt>
        <dd className={backups?.drill_ok === false ? page.dangerText : undefined}>
          {backups?.drill_ok === false && words.drillFailed}
          {backups ? <When at={backups.drill_at} none={words.never} /> : words.unknown}
        </dd>
        <dt>{words.mediaCopy}</dt>
        <dd>{backups ? <When at={backups.media_copy_at} none={words.never} /> : words.unknown}</dd>
      </dl>
      {queues.length === 0 ? (
        <p className={page.lead}>{words.noWork}</p>
      ) : (
        <Table label={words.queues} columns={[{ name: words.step }, { name: words.state }, { name: words.number }, { name: words.oldest }]}>
          {queues.map((queue) => (
            <Row key={`${queue.kind} ${queue.state}`}>
              <Cell kind="title">{nameOfStep(queue.kind)}</Cell>
              <Cell label={words.state}>{(m.stepStates as Record<string, string>)[queue.state] ?? queue.state}</Cell>
              <Cell label={words.number} className="num">
                {count(queue.count)}
              </Cell>
              <Cell label={words.oldest} className="num">
                {span(queue.oldest_seconds)}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </>
  );
}

const nameOfStep = (kind: string) => (m.steps as Record<string, string>)[kind] ?? kind;

/** Lines are called after what people know them by. */
function nameOfLine({ name }: FleetPanel): (line: string) => string {
  if (name === "ingest_steps" || name === "queue_age") return nameOfStep;
  return (line) => m.installation.lines[line] ?? line;
}

function Curves() {
  const { range = "day" } = useSearch({ from: "/app/administration/$organisationId/installation" });
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const navigate = useNavigate();
  const dashboards = useQuery(installationDashboardsQuery);
  const show = (next: Range) => void navigate({ to: "/administration/$organisationId/installation", params: { organisationId }, search: { range: next === "day" ? undefined : next }, replace: true });
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.installation.curves}</h2>
        </div>
        <Segments<Range>
          label={m.installation.range}
          value={range}
          onChange={show}
          options={[
            { value: "day", label: m.installation.day },
            { value: "fortnight", label: m.installation.fortnight },
          ]}
        />
      </header>
      {dashboards.isError && !dashboards.data ? (
        <Failed what={m.parts.installation} error={dashboards.error} retry={() => void dashboards.refetch()} />
      ) : dashboards.data ? (
        <Panels dashboards={dashboards.data} range={range} />
      ) : (
        <Skeleton height={480} style={{ borderRadius: 8 }} />
      )}
    </section>
  );
}

/** In this order, whatever order they come in. */
const PANELS = ["ingest_stages", "ingest_steps", "queue_age", "errors", "storage", "backups"];

function Panels({ dashboards, range }: { dashboards: FleetDashboards; range: Range }) {
  if (dashboards.panels.length === 0) return <p className={page.lead}>{dashboards.monitoring.state === "unset" ? m.installation.noCurves : m.installation.notAsked}</p>;
  const panels = PANELS.map((name) => dashboards.panels.find((panel) => panel.name === name)).filter((panel) => panel !== undefined);
  return (
    <div className={css.panels}>
      {panels.map((panel) => (
        <article key={panel.name} className={css.panel}>
          <h3>{m.installation.panels[panel.name]?.title ?? panel.name}</h3>
          <p>{m.installation.panels[panel.name]?.text}</p>
          <Chart title={m.installation.panels[panel.name]?.title ?? panel.name} chart={panel[range]} unit={panel.unit} nameOf={nameOfLine(panel)} />
        </article>
      ))}
    </div>
  );
}
