// The last attempts at a connection, with the reason of each refusal.

import { useQuery } from "@tanstack/react-query";
import { signOnAttemptsQuery } from "../../../api/queries";
import type { SignOnConnection } from "../../../api/types";
import { Failed, Skeleton } from "../../../components/states";
import { Cell, Row, Table, Who } from "../../../components/Table";
import { m } from "../../../messages";
import { ago, exactInstant } from "../../../messages/format";
import page from "../../page.module.css";

const t = m.signOn;

export function Attempts({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const attempts = useQuery(signOnAttemptsQuery(organisationId, connection.id));
  if (attempts.isError) return <Failed what={t.attempts} error={attempts.error} retry={() => void attempts.refetch()} />;
  return (
    <section className={page.section}>
      <div>
        <h2>{t.attempts}</h2>
        <p className={page.lead}>{attempts.data?.length === 0 ? t.noAttempts : t.attemptsLead}</p>
      </div>
      {attempts.isPending ? (
        <Skeleton height={160} style={{ borderRadius: 8 }} />
      ) : (
        attempts.data.length > 0 && (
          <Table label={t.attempts} columns={[{ name: m.administration.when }, { name: m.administration.who }, { name: m.administration.what }, { name: t.outcome }]}>
            {attempts.data.map((attempt) => (
              <Row key={attempt.id}>
                <Cell kind="title" className={`${page.nowrap} num`}>
                  <span title={exactInstant(attempt.at)}>{ago(attempt.at)}</span>
                </Cell>
                <Cell label={m.administration.who}>{(attempt.person || attempt.address) && <Who name={attempt.person ?? t.somebody} {...(attempt.address ? { below: attempt.address } : {})} />}</Cell>
                <Cell label={m.administration.what} className={page.nowrap}>
                  {t.purposes[attempt.purpose] ?? attempt.purpose}
                </Cell>
                <Cell label={t.outcome}>
                  {attempt.refusal ? (
                    <div className={page.stacked}>
                      <span className={page.dangerText}>{attempt.refusal}</span>
                      {attempt.sentence && <span>{attempt.sentence}</span>}
                      {attempt.detail && <span>{attempt.detail}</span>}
                    </div>
                  ) : (
                    t.letIn
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )
      )}
    </section>
  );
}
