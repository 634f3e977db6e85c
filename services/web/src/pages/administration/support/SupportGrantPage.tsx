// One support access: what it allows, and what was done with it.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ChevronLeft, ScrollText } from "lucide-react";
import { useState } from "react";
import { auditQuery, organisationProductionsQuery, supportGrantQuery } from "../../../api/queries";
import type { SupportGrant } from "../../../api/types";
import { Button } from "../../../components/controls";
import { Empty, Failed, Skeleton } from "../../../components/states";
import { m } from "../../../messages";
import { instant } from "../../../messages/format";
import { useTitle } from "../../../shell/title";
import page from "../../page.module.css";
import { scopeSentence } from "../../tokenScope";
import { Rows } from "../Audit";
import css from "../sign-on/signOn.module.css";
import { End } from "./End";
import { State, Used } from "./Support";

export function SupportGrantPage() {
  const { organisationId, grantId } = useParams({ from: "/app/administration/$organisationId/support/$grantId" });
  const grant = useQuery(supportGrantQuery(organisationId, grantId));
  useTitle(`${m.support.title}: ${grant.data?.address ?? ""}`);
  if (grant.isError) return <Failed what={m.support.one} error={grant.error} retry={() => void grant.refetch()} />;
  return (
    <div className={page.content}>
      <Link className={css.back} to="/administration/$organisationId/support" params={{ organisationId }}>
        <ChevronLeft size={16} aria-hidden /> {m.support.all}
      </Link>
      {grant.isPending ? <Skeleton height={240} style={{ borderRadius: 8 }} /> : <Facts organisationId={organisationId} grant={grant.data} />}
      <Done organisationId={organisationId} grantId={grantId} />
    </div>
  );
}

function endedHow({ ended_at, ended_by }: SupportGrant): string {
  if (!ended_at) return m.support.endedByItself;
  return ended_by ? m.support.endedBy(ended_by) : m.support.endedByReset;
}

function Facts({ organisationId, grant }: { organisationId: string; grant: SupportGrant }) {
  const productions = useQuery(organisationProductionsQuery(organisationId)).data;
  const [ending, setEnding] = useState<SupportGrant>();
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>
            {grant.address} <State grant={grant} />
          </h2>
          <p className={page.lead}>{grant.reason}</p>
        </div>
        {grant.state !== "ended" && (
          <Button tone="danger" onPress={() => setEnding(grant)}>
            {m.support.end}
          </Button>
        )}
      </header>
      <dl className={page.facts}>
        <dt>{m.support.scope}</dt>
        <dd>{scopeSentence(grant.scope, productions)}</dd>
        <dt>{m.support.originals}</dt>
        <dd>{grant.originals ? m.support.originalsYes : m.support.originalsNo}</dd>
        <dt>{m.support.time}</dt>
        <dd className="num">{m.support.until(instant(grant.starts_at), instant(grant.ends_at))}</dd>
        {grant.state === "ended" && (
          <>
            <dt>{m.support.states.ended}</dt>
            <dd className="num">
              {instant(grant.ended_at ?? grant.ends_at)}, {endedHow(grant)}
            </dd>
          </>
        )}
        <dt>{m.support.by}</dt>
        <dd>
          {grant.given_by}, <span className="num">{instant(grant.created_at)}</span>
        </dd>
        <dt>{m.support.accepted}</dt>
        <dd className="num">{grant.accepted_at ? instant(grant.accepted_at) : grant.state === "ended" ? m.support.neverAccepted : m.support.notAccepted}</dd>
        <dt>{m.support.used}</dt>
        <dd className="num">
          <Used grant={grant} />
        </dd>
      </dl>
      <End organisationId={organisationId} grant={ending} onClose={() => setEnding(undefined)} />
    </section>
  );
}

function Done({ organisationId, grantId }: { organisationId: string; grantId: string }) {
  const audit = useInfiniteQuery(auditQuery(organisationId, { support_grant: grantId }));
  const rows = audit.data?.pages.flatMap((part) => part.items) ?? [];
  if (audit.isError && !audit.data) return <Failed what={m.parts.audit} error={audit.error} retry={() => void audit.refetch()} />;
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.support.done}</h2>
          <p className={page.lead}>{m.support.doneLead}</p>
        </div>
        <Link to="/administration/$organisationId/audit" params={{ organisationId }} search={{ grant: grantId }}>
          {m.support.inAudit}
        </Link>
      </header>
      {audit.isPending ? <Skeleton height={160} style={{ borderRadius: 8 }} /> : rows.length === 0 ? <Empty icon={ScrollText} title={m.support.nothing} text={m.support.doneLead} /> : <Rows organisationId={organisationId} rows={rows} marked={false} />}
      {audit.hasNextPage && (
        <div>
          <Button busy={audit.isFetchingNextPage} onPress={() => void audit.fetchNextPage()}>
            {m.common.loadMore}
          </Button>
        </div>
      )}
    </section>
  );
}
