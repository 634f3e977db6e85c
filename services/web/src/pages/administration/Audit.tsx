import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Download, ScrollText, ShieldCheck } from "lucide-react";
import { auditCheckQuery, auditQuery, organisationProductionsQuery, peopleQuery } from "../../api/queries";
import type { AuditFilter, AuditRow } from "../../api/types";
import { Button, buttonClass, Notice, SelectField } from "../../components/controls";
import { Empty, Failed, Folded, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { m } from "../../messages";
import { ago, exactInstant } from "../../messages/format";
import { AUDIT_ACTS, type AuditSearch } from "../../router";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import css from "./Audit.module.css";
import { exportAddress, filterOf } from "./auditFilter";

/** What changed, as two short texts where there is something to compare. */
function changeOf({ before, after }: AuditRow): string | undefined {
  if (before == null && after == null) return undefined;
  return JSON.stringify({ before: before ?? null, after: after ?? null }, null, 2);
}

export function Audit() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const search = useSearch({ from: "/app/administration/$organisationId/audit" });
  const filter = filterOf(search);
  const audit = useInfiniteQuery(auditQuery(organisationId, filter));
  const rows = audit.data?.pages.flatMap((part) => part.items) ?? [];
  useTitle(`${m.administration.title}: ${m.administration.audit}`);
  if (audit.isError && !audit.data) return <Failed what={m.parts.audit} error={audit.error} retry={() => void audit.refetch()} />;
  return (
    <div className={page.content}>
      <section className={page.section}>
        <p className={page.lead}>{m.administration.auditLead}</p>
        <div className={css.above}>
          <Wholeness organisationId={organisationId} />
          <Exports organisationId={organisationId} filter={filter} />
        </div>
        <Filters organisationId={organisationId} search={search} />
        {audit.isPending ? (
          <Skeleton height={320} style={{ borderRadius: 8 }} />
        ) : rows.length === 0 ? (
          <Empty icon={ScrollText} title={m.administration.noAudit} text={Object.keys(filter).length ? m.administration.noAuditMatch : m.administration.auditLead} />
        ) : (
          <Rows rows={rows} />
        )}
        {audit.hasNextPage && (
          <div>
            <Button busy={audit.isFetchingNextPage} onPress={() => void audit.fetchNextPage()}>
              {m.common.loadMore}
            </Button>
          </div>
        )}
      </section>
    </div>
  );
}

/** The rows of the filter as files. */
function Exports({ organisationId, filter }: { organisationId: string; filter: AuditFilter }) {
  return (
    <div className={css.exports}>
      <a className={buttonClass()} href={exportAddress(organisationId, filter, "csv")} download>
        <Download size={16} aria-hidden />
        {m.administration.exportCsv}
      </a>
      <a className={buttonClass("quiet")} href={exportAddress(organisationId, filter, "json")} download>
        {m.administration.exportJson}
      </a>
    </div>
  );
}

/** What the last check of the whole trail found. */
function Wholeness({ organisationId }: { organisationId: string }) {
  const check = useQuery(auditCheckQuery(organisationId)).data;
  if (!check) return null;
  if (check.intact === false) return <Notice tone="danger">{m.administration.trailBroken}</Notice>;
  return (
    <div className={css.check}>
      <ShieldCheck size={16} aria-hidden />
      <span title={check.at ? exactInstant(check.at) : undefined}>{check.at ? m.administration.trailIntact(ago(check.at)) : m.administration.trailUnchecked}</span>
      {check.head && (
        <Folded summary={m.administration.trailHead}>
          {`${check.head}\n${m.administration.trailHeadText}`}
        </Folded>
      )}
    </div>
  );
}

function Filters({ organisationId, search }: { organisationId: string; search: AuditSearch }) {
  const navigate = useNavigate();
  const people = useQuery(peopleQuery(organisationId)).data ?? [];
  const productions = useQuery(organisationProductionsQuery(organisationId)).data ?? [];
  const change = (part: AuditSearch) =>
    void navigate({ to: "/administration/$organisationId/audit", params: { organisationId }, search: { ...search, ...part }, replace: true });
  return (
    <div className={css.filters} role="group" aria-label={m.administration.auditFilter}>
      <SelectField
        label={m.administration.auditActs}
        value={search.acts ?? ""}
        onChange={(acts) => change({ acts: acts || undefined })}
        options={[{ value: "", label: m.administration.everyAct }, ...AUDIT_ACTS.map((value) => ({ value, label: m.administration.auditActNames[value] }))]}
      />
      <SelectField
        label={m.administration.person}
        value={search.person ?? ""}
        onChange={(person) => change({ person: person || undefined })}
        options={[{ value: "", label: m.administration.everybody }, ...people.map(({ id, display_name }) => ({ value: id, label: display_name }))]}
      />
      <SelectField
        label={m.administration.oneProduction}
        value={search.production ?? ""}
        onChange={(production) => change({ production: production || undefined })}
        options={[{ value: "", label: m.administration.everyProduction }, ...productions.map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <Day label={m.administration.fromDay} value={search.from} onChange={(from) => change({ from })} />
      <Day label={m.administration.toDay} value={search.to} onChange={(to) => change({ to })} />
      {search.grant && (
        <Link className={buttonClass("quiet")} to="/administration/$organisationId/support/$grantId" params={{ organisationId, grantId: search.grant }}>
          {m.support.onlyOne}
        </Link>
      )}
      {Object.values(search).some(Boolean) && (
        <Button tone="quiet" onPress={() => void navigate({ to: "/administration/$organisationId/audit", params: { organisationId }, search: {}, replace: true })}>
          {m.administration.clearFilter}
        </Button>
      )}
    </div>
  );
}

function Day({ label, value, onChange }: { label: string; value: string | undefined; onChange: (day: string | undefined) => void }) {
  return (
    <label className={css.day}>
      <span>{label}</span>
      <input type="date" value={value ?? ""} onChange={(event) => onChange(event.target.value || undefined)} />
    </label>
  );
}

interface RowsProps {
  rows: AuditRow[];
  /** What was done under support access says so; not where all of it was. */
  marked?: boolean;
}

export function Rows({ rows, marked = true }: RowsProps) {
  return (
    <Table
      label={m.administration.audit}
      columns={[
        { name: m.administration.what },
        { name: m.administration.subject },
        { name: m.administration.who },
        { name: m.administration.when },
        { name: m.administration.address },
        { name: m.administration.change },
      ]}
    >
      {rows.map((row) => {
        const change = changeOf(row);
        return (
          <Row key={row.sequence}>
            <Cell kind="title">
              <span title={row.action}>{m.acts[row.action] ?? row.action}</span>{" "}
              {marked && row.support_grant_id && <span className={page.tag}>{m.support.mark}</span>}
            </Cell>
            <Cell label={m.administration.subject}>{row.subject && <Who name={row.subject} />}</Cell>
            <Cell label={m.administration.who}>
              <Who name={row.actor} after={row.actor_is_guest && <span className={page.tag}>{m.administration.guest}</span>} />
            </Cell>
            <Cell label={m.administration.when} className={`${page.nowrap} num`}>
              {exactInstant(row.at)}
            </Cell>
            <Cell label={m.administration.address} className={`${page.nowrap} num`}>
              {row.address}
            </Cell>
            <Cell label={m.administration.change}>{change && <Folded summary={m.administration.showChange}>{change}</Folded>}</Cell>
          </Row>
        );
      })}
    </Table>
  );
}
