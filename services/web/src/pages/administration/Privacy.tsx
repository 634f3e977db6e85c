// Personal data of an organisation's members and guests: exports, erasures and their reports, and what is kept.

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Download, EllipsisVertical, UserX, UsersRound } from "lucide-react";
import { useEffect, useState } from "react";
import { api, unwrap } from "../../api/client";
import { save } from "../../api/download";
import { sentenceOf } from "../../api/problem";
import { erasuresQuery, heldPeopleQuery, sessionQuery } from "../../api/queries";
import type { Erasure, HeldPerson } from "../../api/types";
import { Button, IconButton, SearchBox, TextField } from "../../components/controls";
import { ActionMenu } from "../../components/dialogs";
import { FormDialog } from "../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { exactInstant } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import { Register } from "../privacy/Register";
import { ReportDialog } from "../privacy/Report";
import css from "../privacy/privacy.module.css";

export function Privacy() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const [report, setReport] = useState<Erasure>();
  // What stands below comes when its place is known.
  const [isListed, setListed] = useState(false);
  useTitle(`${m.administration.title}: ${m.privacy.title}`);
  return (
    <div className={page.content}>
      <People organisationId={organisationId} onErased={setReport} onListed={() => setListed(true)} />
      {isListed && (
        <>
          <Erasures organisationId={organisationId} show={setReport} />
          <Register />
        </>
      )}
      <ReportDialog erasure={report} onClose={() => setReport(undefined)} />
    </div>
  );
}

/** Begins a download, and says what is wrong if it fails. */
function attempt(act: Promise<void>): void {
  void act.catch((error: unknown) => say(sentenceOf(error), { danger: true }));
}

interface PeopleProps {
  organisationId: string;
  onErased: (report: Erasure) => void;
  onListed: () => void;
}

function People({ organisationId, onErased, onListed }: PeopleProps) {
  const { q = "" } = useSearch({ from: "/app/administration/$organisationId/privacy" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const people = useInfiniteQuery(heldPeopleQuery(organisationId, q));
  const [erasing, setErasing] = useState<HeldPerson>();
  const { isPending } = people;
  useEffect(() => {
    if (!isPending) onListed();
  }, [isPending, onListed]);
  const path = { organisation_id: organisationId };
  const shown = people.data?.pages.flatMap(({ items }) => items) ?? [];
  const exportOne = ({ id }: HeldPerson) =>
    attempt(
      save(
        `personal-data-${id}.json`,
        api.GET("/api/data/v1/organisations/{organisation_id}/people/{person_id}/personal-data", { params: { path: { ...path, person_id: id } }, parseAs: "blob" }),
      ),
    );
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2>{m.privacy.people}</h2>
          <p className={page.lead}>{m.privacy.peopleLead}</p>
        </div>
        <Button
          icon={<Download size={16} aria-hidden />}
          onPress={() => attempt(save("personal-data.json", api.GET("/api/data/v1/organisations/{organisation_id}/personal-data", { params: { path }, parseAs: "blob" })))}
        >
          {m.privacy.exportAll}
        </Button>
      </header>
      <div>
        <div className={page.headSearch}>
          <SearchBox
            label={m.administration.findPerson}
            shortcut="/"
            value={q}
            onChange={(next) => void navigate({ to: "/administration/$organisationId/privacy", params: { organisationId }, search: { q: next || undefined }, replace: true })}
          />
        </div>
      </div>
      {people.isError ? (
        <Failed what={m.parts.people} error={people.error} retry={() => void people.refetch()} />
      ) : people.isPending ? (
        <div aria-busy="true" aria-label={m.common.loading} role="status">
          <Skeleton height={280} style={{ borderRadius: 8 }} />
        </div>
      ) : shown.length === 0 ? (
        <Empty icon={UsersRound} title={m.library.noMatchTitle} text={m.administration.noMatch} />
      ) : (
        <Table label={m.privacy.people} columns={[{ name: m.common.name }, { name: m.administration.role }, { name: m.common.actions, quiet: true }]}>
          {shown.map((person) => {
            const isMe = person.id === session?.person.id;
            return (
              <Row key={person.id}>
                <Cell kind="title">
                  <Who name={person.display_name} {...(person.has_left ? {} : { below: person.login })} after={isMe && <span className={page.tag}>{m.common.you}</span>} />
                </Cell>
                <Cell label={m.administration.role}>{person.has_left ? m.privacy.hasLeft : person.role ? m.organisationRoles[person.role] : m.administration.guest}</Cell>
                <Cell kind="actions">
                  <ActionMenu
                    label={m.common.actions}
                    trigger={
                      <IconButton dense label={`${m.common.actions}: ${person.display_name}`}>
                        <EllipsisVertical size={16} />
                      </IconButton>
                    }
                    entries={[
                      { id: "export", label: m.privacy.exportOne, icon: <Download size={16} />, action: () => exportOne(person) },
                      // One's own account is erased on its own page.
                      ...(isMe ? [] : ["-" as const, { id: "erase", label: m.privacy.eraseOne, icon: <UserX size={16} />, danger: true, action: () => setErasing(person) }]),
                    ]}
                  />
                </Cell>
              </Row>
            );
          })}
        </Table>
      )}
      {people.hasNextPage && (
        <div>
          <Button busy={people.isFetchingNextPage} onPress={() => void people.fetchNextPage()}>
            {m.privacy.more}
          </Button>
        </div>
      )}
      <FormDialog
        title={erasing ? m.privacy.eraseTitle(erasing.display_name) : m.privacy.eraseOne}
        lead={m.privacy.eraseText}
        submit={m.privacy.eraseOne}
        initial={{ login: "" }}
        open={!!erasing}
        onClose={() => setErasing(undefined)}
        ready={({ login }) => login.trim() !== ""}
        action={async ({ login }) => {
          if (!erasing) return;
          const params = { path: { ...path, person_id: erasing.id } };
          const done = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/people/{person_id}/erasure", { params, body: { login: login.trim() } }));
          for (const key of ["held-people", "erasures", "people", "audit"]) void cache.invalidateQueries({ queryKey: [key, organisationId] });
          onErased(done);
        }}
      >
        {({ login }, edit) => (
          <TextField
            label={m.privacy.typeLogin}
            hint={erasing ? m.privacy.typeLoginHint(erasing.login) : ""}
            name="login"
            value={login}
            onChange={(next) => edit({ login: next })}
            isRequired
            autoFocus
            autoComplete="off"
          />
        )}
      </FormDialog>
    </section>
  );
}

function Erasures({ organisationId, show }: { organisationId: string; show: (report: Erasure) => void }) {
  const erasures = useInfiniteQuery(erasuresQuery(organisationId));
  const rows = erasures.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <section className={page.section}>
      <div>
        <h2>{m.privacy.erasures}</h2>
        <p className={page.lead}>{m.privacy.erasuresLead}</p>
      </div>
      {erasures.isError ? (
        <Failed what={m.privacy.erasures} error={erasures.error} retry={() => void erasures.refetch()} />
      ) : erasures.isPending ? (
        <div aria-busy="true" aria-label={m.common.loading} role="status">
          <Skeleton height={96} style={{ borderRadius: 8 }} />
        </div>
      ) : rows.length === 0 ? (
        <p className={page.quietText}>{m.privacy.noErasures}</p>
      ) : (
        <Table
          label={m.privacy.erasures}
          columns={[{ name: m.privacy.opaqueId }, { name: m.privacy.erasedAt }, { name: m.privacy.askedBy }, { name: m.privacy.extent }, { name: m.common.actions, quiet: true }]}
        >
          {rows.map((row) => (
            <Row key={row.id}>
              <Cell kind="title">
                <span className={css.id}>{row.stands_for}</span>
              </Cell>
              <Cell label={m.privacy.erasedAt} className={`${page.nowrap} num`}>
                {exactInstant(row.erased_at)}
              </Cell>
              <Cell label={m.privacy.askedBy}>{m.privacy.askedByNames[row.asked_by] ?? row.asked_by}</Cell>
              <Cell label={m.privacy.extent}>{m.privacy.extents[row.extent] ?? row.extent}</Cell>
              <Cell kind="actions">
                <Button dense tone="quiet" aria-label={m.privacy.showReportOf(row.stands_for)} onPress={() => show(row)}>
                  {m.privacy.showReport}
                </Button>
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {erasures.hasNextPage && (
        <div>
          <Button busy={erasures.isFetchingNextPage} onPress={() => void erasures.fetchNextPage()}>
            {m.privacy.more}
          </Button>
        </div>
      )}
    </section>
  );
}
