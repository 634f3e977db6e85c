import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { auditQuery } from "../../api/queries";
import type { AuditRow } from "../../api/types";
import { Button } from "../../components/controls";
import { Empty, Failed, Folded, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { m } from "../../messages";
import { exactInstant } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";

/** What changed, as two short texts where there is something to compare. */
function changeOf({ before, after }: AuditRow): string | undefined {
  if (before == null && after == null) return undefined;
  return JSON.stringify({ before: before ?? null, after: after ?? null }, null, 2);
}

export function Audit() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const audit = useInfiniteQuery(auditQuery(organisationId));
  useTitle(`${m.administration.title}: ${m.administration.audit}`);
  if (audit.isError && !audit.data) return <Failed what={m.parts.audit} error={audit.error} retry={() => void audit.refetch()} />;
  const rows = audit.data?.pages.flatMap((part) => part.items) ?? [];
  return (
    <div className={page.content}>
      <section className={page.section}>
        <p className={page.lead}>{m.administration.auditLead}</p>
        {audit.isPending ? (
          <Skeleton height={320} style={{ borderRadius: 8 }} />
        ) : rows.length === 0 ? (
          <Empty icon={ScrollText} title={m.administration.noAudit} text={m.administration.auditLead} />
        ) : (
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
                    <span title={row.action}>{m.acts[row.action] ?? row.action}</span>
                  </Cell>
                  <Cell label={m.administration.subject}>{row.subject && <Who name={row.subject} />}</Cell>
                  <Cell label={m.administration.who}>
                    <Who name={row.actor} />
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
