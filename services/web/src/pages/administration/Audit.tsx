import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { auditQuery } from "../../api/queries";
import type { AuditRow } from "../../api/types";
import { Button } from "../../components/controls";
import { Empty, Failed, Folded, Skeleton } from "../../components/states";
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
          <div className={page.tableWrap} tabIndex={0} role="region" aria-label={m.administration.audit}>
            <table className={page.table}>
              <thead>
                <tr>
                  <th scope="col">{m.administration.when}</th>
                  <th scope="col">{m.administration.who}</th>
                  <th scope="col">{m.administration.what}</th>
                  <th scope="col">{m.administration.subject}</th>
                  <th scope="col">{m.administration.address}</th>
                  <th scope="col">{m.administration.change}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => {
                  const change = changeOf(row);
                  return (
                    <tr key={row.sequence}>
                      <td className={`${page.nowrap} num`}>{exactInstant(row.at)}</td>
                      <td className={page.who}>
                        <div title={row.actor}>{row.actor}</div>
                      </td>
                      <td className={page.nowrap}>
                        <span className="mono">{row.action}</span>
                      </td>
                      <td className={page.who}>
                        <div title={row.subject ?? undefined}>{row.subject ?? "–"}</div>
                      </td>
                      <td className={`${page.nowrap} ${page.quietText} num`}>{row.address ?? "–"}</td>
                      <td>{change ? <Folded summary={m.administration.change}>{change}</Folded> : "–"}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
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
