// The last attempts at a connection, with the reason of each refusal; or the one whose number somebody was shown.

import { useQuery } from "@tanstack/react-query";
import { ListChecks, SearchX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { isNotFound } from "../../../api/problem";
import { signOnAttemptQuery, signOnAttemptsQuery } from "../../../api/queries";
import type { SignOnAttempt, SignOnConnection } from "../../../api/types";
import { SearchBox, Segments } from "../../../components/controls";
import { Empty, Failed, Skeleton } from "../../../components/states";
import { Cell, Row, Table, Who } from "../../../components/Table";
import { m } from "../../../messages";
import { ago, exactInstant } from "../../../messages/format";
import page from "../../page.module.css";
import css from "./signOn.module.css";
import { isAttemptNumber } from "./steps";

const t = m.signOn;
type Kind = "all" | "refused";

interface Part {
  organisationId: string;
  connection: SignOnConnection;
}

export function Attempts({ wanted = "", ...part }: Part & { wanted?: string | undefined }) {
  const [text, setText] = useState(wanted);
  const [kind, setKind] = useState<Kind>("all");
  const number = text.trim().toLowerCase();
  const place = useRef<HTMLElement>(null);
  // Whoever comes for one attempt is led to it, past the rest of the page.
  useEffect(() => {
    if (wanted) place.current?.scrollIntoView({ block: "center" });
  }, [wanted]);
  return (
    <section className={page.section} ref={place}>
      <header>
        <div>
          <h2>{t.attempts}</h2>
          <p className={page.lead}>{t.attemptsLead}</p>
        </div>
      </header>
      <div className={css.finder}>
        <SearchBox label={t.findAttempt} value={text} onChange={setText} />
        {!number && <Segments<Kind> label={t.attemptKind} value={kind} onChange={setKind} options={(["all", "refused"] as const).map((value) => ({ value, label: t.attemptKinds[value] }))} />}
      </div>
      {!number ? <Last {...part} kind={kind} /> : isAttemptNumber(number) ? <One {...part} number={number} /> : <Empty icon={SearchX} title={t.noAttemptNumber} text={t.noAttemptNumberText} />}
    </section>
  );
}

function Last({ organisationId, connection, kind }: Part & { kind: Kind }) {
  const attempts = useQuery(signOnAttemptsQuery(organisationId, connection.id, kind === "refused"));
  if (attempts.isError) return <Failed what={t.attempts} error={attempts.error} retry={() => void attempts.refetch()} />;
  if (attempts.isPending) return <Skeleton height={160} style={{ borderRadius: 8 }} />;
  if (attempts.data.length > 0) return <Rows attempts={attempts.data} />;
  return kind === "refused" ? <Empty icon={ListChecks} title={t.noRefusals} text={t.noRefusalsText} /> : <Empty icon={ListChecks} title={t.noAttempts} text={t.noAttemptsText} />;
}

function One({ organisationId, connection, number }: Part & { number: string }) {
  const attempt = useQuery(signOnAttemptQuery(organisationId, connection.id, number));
  if (isNotFound(attempt.error)) return <Empty icon={SearchX} title={t.attemptMissing} text={t.attemptMissingText} />;
  if (attempt.isError) return <Failed what={t.attempt} error={attempt.error} retry={() => void attempt.refetch()} />;
  if (attempt.isPending) return <Skeleton height={88} style={{ borderRadius: 8 }} />;
  return <Rows attempts={[attempt.data]} />;
}

function Rows({ attempts }: { attempts: SignOnAttempt[] }) {
  return (
    <Table
      label={t.attempts}
      columns={[{ name: m.administration.when }, { name: m.administration.who }, { name: m.administration.what }, { name: t.outcome }, { name: t.attemptNumber }]}
    >
      {attempts.map((attempt) => (
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
          <Cell label={t.attemptNumber}>
            <div className={`${css.mono} ${css.attemptNumber}`}>{attempt.id}</div>
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
