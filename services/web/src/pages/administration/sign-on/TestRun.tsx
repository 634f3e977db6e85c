// The live test: sends the administrator to the provider, and shows what came back, step by step.

import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../../api/client";
import { sentenceOf } from "../../../api/problem";
import { groupRulesQuery, organisationProductionsQuery, signOnAttemptQuery } from "../../../api/queries";
import type { SignOnAttempt, SignOnConnection, TestFindings } from "../../../api/types";
import { Button, Notice } from "../../../components/controls";
import { Failed, Skeleton } from "../../../components/states";
import { Cell, Row, Table } from "../../../components/Table";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { instant } from "../../../messages/format";
import page from "../../page.module.css";
import { rolesText } from "./Rules";
import css from "./signOn.module.css";
import { stagesOf, purposeOf, type Stage, type StageState } from "./steps";

const t = m.signOn;
const ICONS = { done: CircleCheck, failed: CircleX, open: CircleDashed } satisfies Record<StageState, unknown>;

interface Part {
  organisationId: string;
  connection: SignOnConnection;
}

export function TestRun({ attemptId, ...part }: Part & { attemptId: string | undefined }) {
  const { organisationId, connection } = part;
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const { address } = await unwrap(
        api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/test", { params: { path: { organisation_id: organisationId, connection_id: connection.id } } }),
      );
      location.assign(address);
    } catch (error) {
      say(sentenceOf(error), { danger: true });
      setBusy(false);
    }
  };
  return (
    <>
      <header>
        <div>
          <h2>{t.test}</h2>
          <p className={page.lead}>{t.testLead}</p>
        </div>
        <Button tone={connection.provider && !connection.enabled ? "primary" : "normal"} busy={busy} isDisabled={!connection.provider} onPress={() => void run()}>
          {attemptId ? t.testAgain : t.testRun}
        </Button>
      </header>
      {!connection.provider && <p className={page.quietText}>{t.testNeedsMetadata}</p>}
      {attemptId && <Result {...part} attemptId={attemptId} />}
    </>
  );
}

function Result({ organisationId, connection, attemptId }: Part & { attemptId: string }) {
  const attempt = useQuery(signOnAttemptQuery(organisationId, connection.id, attemptId));
  if (attempt.isError) return <Failed what={t.test} error={attempt.error} retry={() => void attempt.refetch()} />;
  if (attempt.isPending) return <Skeleton height={240} style={{ borderRadius: 8 }} />;
  const { data } = attempt;
  return (
    <>
      <div className={`${page.panel} ${css.padded}`}>
        <strong>
          {data.refusal ? t.testFailed : t.testPassed}, {instant(data.at)}
        </strong>
        <ol className={css.stages}>
          {stagesOf(data).map(([stage, state]) => (
            <StageLine key={stage} stage={stage} state={state} attempt={data} />
          ))}
        </ol>
      </div>
      {data.findings && <Found organisationId={organisationId} connection={connection} findings={data.findings} />}
    </>
  );
}

function StageLine({ stage, state, attempt }: { stage: Stage; state: StageState; attempt: SignOnAttempt }) {
  const Icon = ICONS[state];
  return (
    <li data-state={state}>
      <Icon size={16} aria-hidden />
      <div>
        {t.stages[stage]} <span className="visually-hidden">({t.stageStates[state]})</span>
        {state === "failed" && (
          <div className={css.reason}>
            <Notice tone="danger">{attempt.sentence ?? t.refused}</Notice>
            <code>
              {attempt.refusal}
              {attempt.detail && `: ${attempt.detail}`}
            </code>
          </div>
        )}
      </div>
    </li>
  );
}

/** What came, and what the person would be here. */
function Found({ organisationId, connection, findings }: Part & { findings: TestFindings }) {
  const rules = useQuery(groupRulesQuery(organisationId, connection.id));
  const productions = useQuery(organisationProductionsQuery(organisationId));
  const { mapped } = findings;
  const nameOf = (id: string) => productions.data?.find((production) => production.id === id)?.name ?? t.aProduction;
  const matched = (rules.data ?? []).filter(({ id }) => mapped.matched_rules.includes(id)).map(({ group }) => group);
  const places = mapped.productions.map(({ production_id, roles }) => `${nameOf(production_id)} (${rolesText(roles)})`);
  const facts: [string, string][] = [
    [t.identity, mapped.subject_value ?? t.missing],
    [t.address, mapped.address ?? t.missing],
    [t.personName, mapped.display_name ?? t.missing],
    [t.matchedGroups, matched.length ? matched.join(", ") : mapped.groups.length ? t.noMatch(mapped.groups.length) : t.noGroups],
    [t.wouldGet, [mapped.organisation_role ? m.organisationRoles[mapped.organisation_role] : t.notLetIn, ...places].join("; ")],
  ];
  return (
    <>
      <div className={`${page.panel} ${css.padded}`}>
        <strong>{t.person}</strong>
        <dl className={page.facts}>
          {facts.map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <Table label={t.attributes} columns={[{ name: t.attribute }, { name: t.values }, { name: t.usedFor }]}>
        {findings.name_id && (
          <Row>
            <Cell kind="title">NameID</Cell>
            <Cell label={t.values}>
              <span className={css.mono}>{findings.name_id.value}</span>
            </Cell>
            <Cell label={t.usedFor}>{!connection.subject_attribute && t.uses.subject}</Cell>
          </Row>
        )}
        {findings.attributes.map((attribute) => {
          const { name, friendly_name, values } = attribute;
          const use = purposeOf(attribute, connection, mapped);
          return (
            <Row key={name}>
              <Cell kind="title">
                <span className={css.mono}>{friendly_name ?? name}</span>
              </Cell>
              <Cell label={t.values}>{values.length > 0 && <span className={css.mono}>{values.join(", ")}</span>}</Cell>
              <Cell label={t.usedFor}>{use && t.uses[use]}</Cell>
            </Row>
          );
        })}
      </Table>
    </>
  );
}
