import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { Download, ScrollText, ShieldCheck } from "lucide-react";
import { auditCheckQuery, auditQuery } from "../../api/queries";
import type { AuditFilter, AuditRow } from "../../api/types";
import { Button, buttonClass, Notice } from "../../components/controls";
import { Empty, Failed, Folded, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { m } from "../../messages";
import { ago, exactInstant } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import css from "./Audit.module.css";
import { exportAddress, filterOf } from "./auditFilter";
import { Filters, Lists } from "./AuditFilters";
import { subjectIsGuest } from "./auditPeople";
import { useTrailPeople } from "./trailPeople";

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
  const check = useQuery(auditCheckQuery(organisationId));
  const people = useTrailPeople(organisationId);
  const rows = audit.data?.pages.flatMap((part) => part.items) ?? [];
  useTitle(`${m.administration.title}: ${m.administration.audit}`);
  if (audit.isError && !audit.data) return <Failed what={m.parts.audit} error={audit.error} retry={() => void audit.refetch()} />;
  // What comes late would move what is there.
  if (check.isPending || people.isPending) {
    return (
      <div className={page.content}>
        <section className={page.section}>
          <p className={page.lead}>{m.administration.auditLead}</p>
          <div aria-busy="true" aria-label={m.common.loading} role="status">
            <Skeleton height={320} style={{ borderRadius: 8 }} />
          </div>
        </section>
      </div>
    );
  }
  return (
    <div className={page.content}>
      <section className={page.section}>
        <p className={page.lead}>{m.administration.auditLead}</p>
        <div className={css.above}>
          <Wholeness organisationId={organisationId} />
          <Exports organisationId={organisationId} filter={filter} />
        </div>
        <Lists organisationId={organisationId} search={search} />
        <Filters organisationId={organisationId} search={search} />
        {audit.isPending ? (
          <Skeleton height={320} style={{ borderRadius: 8 }} />
        ) : rows.length === 0 ? (
          <Empty icon={ScrollText} title={m.administration.noAudit} text={Object.keys(filter).length ? m.administration.noAuditMatch : m.administration.auditLead} />
        ) : (
          <Rows organisationId={organisationId} rows={rows} />
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

interface RowsProps {
  organisationId: string;
  rows: AuditRow[];
  /** What was done under support access says so; not where all of it was. */
  marked?: boolean;
}

export function Rows({ organisationId, rows, marked = true }: RowsProps) {
  const isAboutGuest = subjectIsGuest(useTrailPeople(organisationId));
  const guest = <span className={page.tag}>{m.administration.guest}</span>;
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
            <Cell kind="title" className={css.what}>
              <span title={row.action}>{m.acts[row.action] ?? row.action}</span>{" "}
              {marked && row.support_grant_id && <span className={page.tag}>{m.support.mark}</span>}
            </Cell>
            <Cell label={m.administration.subject}>{row.subject && <Who name={row.subject} after={isAboutGuest(row) && guest} />}</Cell>
            <Cell label={m.administration.who}>
              <Who name={row.actor} after={row.actor_is_guest && guest} />
            </Cell>
            <Cell label={m.administration.when} className={`${page.nowrap} num`}>
              {exactInstant(row.at)}
            </Cell>
            <Cell label={m.administration.address} className={`${page.nowrap} num`}>
              {row.address && (
                <div className={css.address} title={row.address}>
                  {row.address}
                </div>
              )}
            </Cell>
            <Cell label={m.administration.change}>{change && <Folded summary={m.administration.showChange}>{change}</Folded>}</Cell>
          </Row>
        );
      })}
    </Table>
  );
}
