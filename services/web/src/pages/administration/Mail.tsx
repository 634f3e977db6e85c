import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { EllipsisVertical, MailX, Mails, RotateCw } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { sentenceOf } from "../../api/problem";
import { mailQuery, mailRelayQuery } from "../../api/queries";
import type { Mail, MailState } from "../../api/types";
import { Button, IconButton, Notice, SelectField } from "../../components/controls";
import { ActionMenu, Confirm } from "../../components/dialogs";
import { Empty, Failed, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { ago, exactInstant, instant } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";

const STATES: readonly MailState[] = ["waiting", "sending", "sent", "failed", "dropped"];

/** What is known beside the state: how often it was tried, and when it is again. */
function progressOf({ state, tries, next_try_at }: Mail): string | undefined {
  if (state === "waiting" && tries > 0 && next_try_at) return `${m.administration.tries(tries)}, ${m.administration.nextTry(instant(next_try_at))}`;
  return tries > 1 ? m.administration.tries(tries) : undefined;
}

export function MailPage() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const { state } = useSearch({ from: "/app/administration/$organisationId/mail" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const mail = useInfiniteQuery(mailQuery(organisationId, state));
  const relay = useQuery(mailRelayQuery(organisationId)).data;
  const [dropping, setDropping] = useState<Mail>();
  useTitle(`${m.administration.title}: ${m.administration.mail}`);

  const reload = () => cache.invalidateQueries({ queryKey: ["mail", organisationId] });
  const path = (one: Mail) => ({ organisation_id: organisationId, message_id: one.id });
  const retry = async (one: Mail) => {
    try {
      await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/mail/{message_id}/retry", { params: { path: path(one) } }));
      say(m.administration.retried);
    } catch (error) {
      say(sentenceOf(error), { danger: true });
    }
    await reload();
  };

  if (mail.isError && !mail.data) return <Failed what={m.parts.mail} error={mail.error} retry={() => void mail.refetch()} />;
  const rows = mail.data?.pages.flatMap((part) => part.items) ?? [];
  return (
    <div className={page.content}>
      <section className={page.section}>
        {relay?.state === "unset" && (
          <Notice tone="warning">
            <strong>{m.administration.relay.unset}</strong>
            <p>{m.administration.relay.unsetText}</p>
          </Notice>
        )}
        {relay?.state === "failing" && (
          <Notice tone="danger">
            <strong>{m.administration.relay.failing}</strong>
            <p>{m.administration.relay.failingText(instant(relay.since))}</p>
            {relay.error && <p>{relay.error}</p>}
          </Notice>
        )}
        <header>
          <div>
            <p className={page.lead}>{m.administration.mailLead}</p>
          </div>
          <SelectField
            label={m.administration.mailState}
            hideLabel
            value={state ?? ""}
            onChange={(next) => void navigate({ to: "/administration/$organisationId/mail", params: { organisationId }, search: { state: next || undefined }, replace: true })}
            options={[{ value: "", label: m.administration.anyMailState }, ...STATES.map((value) => ({ value, label: m.administration.mailStateNames[value] }))]}
          />
        </header>
        {mail.isPending ? (
          <Skeleton height={320} style={{ borderRadius: 8 }} />
        ) : rows.length === 0 ? (
          <Empty icon={Mails} title={m.administration.noMail} text={state ? m.administration.noMailMatch : m.administration.noMailText} />
        ) : (
          <Table
            label={m.administration.mail}
            columns={[
              { name: m.administration.recipient },
              { name: m.administration.mailKind },
              { name: m.administration.mailState },
              { name: m.administration.written },
              { name: m.common.actions, quiet: true },
            ]}
          >
            {rows.map((one) => {
              const progress = progressOf(one);
              return (
                <Row key={one.id}>
                  <Cell kind="title">
                    <Who name={one.recipient} />
                  </Cell>
                  <Cell label={m.administration.mailKind} className={page.nowrap}>
                    {m.administration.mailKinds[one.kind] ?? one.kind}
                  </Cell>
                  <Cell label={m.administration.mailState}>
                    <div className={page.stacked}>
                      <span className={one.state === "failed" ? page.dangerText : undefined}>{m.administration.mailStateNames[one.state]}</span>
                      {progress && <span className="num">{progress}</span>}
                      {one.last_error && one.state !== "sent" && <span>{one.last_error}</span>}
                    </div>
                  </Cell>
                  <Cell label={m.administration.written} className={`${page.nowrap} num`}>
                    <span title={exactInstant(one.created_at)}>{ago(one.created_at)}</span>
                  </Cell>
                  <Cell kind="actions">
                    {(one.can_retry || one.can_drop) && (
                      <ActionMenu
                        label={m.common.actions}
                        trigger={
                          <IconButton dense label={`${m.common.actions}: ${one.recipient}`}>
                            <EllipsisVertical size={16} />
                          </IconButton>
                        }
                        entries={[
                          ...(one.can_retry ? [{ id: "retry", label: m.administration.retryMail, icon: <RotateCw size={16} />, action: () => void retry(one) }] : []),
                          ...(one.can_drop ? [{ id: "drop", label: m.administration.dropMail, icon: <MailX size={16} />, danger: true, action: () => setDropping(one) }] : []),
                        ]}
                      />
                    )}
                  </Cell>
                </Row>
              );
            })}
          </Table>
        )}
        {mail.hasNextPage && (
          <div>
            <Button busy={mail.isFetchingNextPage} onPress={() => void mail.fetchNextPage()}>
              {m.common.loadMore}
            </Button>
          </div>
        )}
      </section>
      <Confirm
        title={m.administration.dropMailTitle(dropping?.recipient ?? "")}
        text={m.administration.dropMailText}
        confirm={m.administration.dropMail}
        open={!!dropping}
        onClose={() => setDropping(undefined)}
        action={async () => {
          if (!dropping) return;
          await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/mail/{message_id}", { params: { path: path(dropping) } }));
          await reload();
        }}
      />
    </div>
  );
}
