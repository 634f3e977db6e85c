import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Ban, EllipsisVertical, KeyRound, PencilLine, Plus, ShieldCheck, ShieldOff, UserMinus, UserRoundCheck, UsersRound } from "lucide-react";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { sentenceOf } from "../../api/problem";
import { peopleQuery, sessionQuery } from "../../api/queries";
import type { OneTimeLink, OrganisationPerson, OrganisationRole } from "../../api/types";
import { Button, IconButton, SearchBox, SelectField, TextField } from "../../components/controls";
import { ActionMenu, Confirm } from "../../components/dialogs";
import { FormDialog, SecretDialog } from "../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { exactInstant } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";

const ROLES: readonly OrganisationRole[] = ["member", "administrator", "owner"];

/** The roles somebody with `mine` may give or take: nobody lifts above themselves. */
function grantable(mine: OrganisationRole | undefined): readonly OrganisationRole[] {
  return mine ? ROLES.slice(0, ROLES.indexOf(mine) + 1) : [];
}

type Asking = { what: "disable" | "remove" | "reset"; person: OrganisationPerson };

/** What is asked before each of them. */
const questions = {
  get disable() {
    return { title: m.administration.disableTitle, text: m.administration.disableText, confirm: m.administration.disable };
  },
  get remove() {
    return { title: m.administration.removePersonTitle, text: m.administration.removePersonText, confirm: m.common.remove };
  },
  get reset() {
    return { title: m.administration.resetFactorsTitle, text: m.administration.resetFactorsText, confirm: m.administration.resetFactors };
  },
};

export function People() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const { q = "" } = useSearch({ from: "/app/administration/$organisationId/people" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const people = useQuery(peopleQuery(organisationId));
  const { data: session } = useQuery(sessionQuery);
  const mine = session?.organisations.find(({ id }) => id === organisationId)?.role;
  const [adding, setAdding] = useState(false);
  const [link, setLink] = useState<{ name: string; link: OneTimeLink }>();
  const [asking, setAsking] = useState<Asking>();
  const [correcting, setCorrecting] = useState<OrganisationPerson>();
  useTitle(`${m.administration.title}: ${m.administration.people}`);

  const reload = () => cache.invalidateQueries({ queryKey: ["people", organisationId] });
  const path = (person: OrganisationPerson) => ({ organisation_id: organisationId, person_id: person.id });
  const change = async (person: OrganisationPerson, body: { role?: OrganisationRole; disabled?: boolean; display_name?: string; login?: string }) => {
    await unwrap(api.PATCH("/api/data/v1/organisations/{organisation_id}/people/{person_id}", { params: { path: path(person), header: ifMatch(person.revision) }, body }));
    await reload();
    say(m.administration.saved);
  };
  const attempt = (act: Promise<unknown>) =>
    void act.catch((error: unknown) => {
      say(sentenceOf(error), { danger: true });
      void reload();
    });
  const newLink = async (person: OrganisationPerson) => {
    const made = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/people/{person_id}/password-link", { params: { path: path(person) } }));
    setLink({ name: person.display_name, link: made });
  };

  if (people.isError) return <Failed what={m.parts.people} error={people.error} retry={() => void people.refetch()} />;
  const shown = (people.data ?? []).filter((person) => `${person.display_name} ${person.login}`.toLocaleLowerCase().includes(q.toLocaleLowerCase()));

  return (
    <div className={page.content}>
      <section className={page.section}>
        <header>
          <div>
            <div className={page.headSearch}>
              <SearchBox
                label={m.administration.findPerson}
                shortcut="/"
                value={q}
                onChange={(next) => void navigate({ to: "/administration/$organisationId/people", params: { organisationId }, search: { q: next || undefined }, replace: true })}
              />
            </div>
          </div>
          <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
            {m.administration.addPerson}
          </Button>
        </header>
        {people.isPending ? (
          <Skeleton height={280} style={{ borderRadius: 8 }} />
        ) : shown.length === 0 ? (
          <Empty icon={UsersRound} title={m.library.noMatchTitle} text={m.administration.noMatch} />
        ) : (
          <Table
            label={m.administration.people}
            columns={[{ name: m.common.name }, { name: m.administration.role }, { name: m.administration.state }, { name: m.common.actions, quiet: true }]}
          >
            {shown.map((person) => {
              const isMe = person.id === session?.person.id;
              const mayChange = grantable(mine).includes(person.role);
              return (
                <Row key={person.id}>
                  <Cell kind="title">
                    <Who name={person.display_name} below={person.login} after={isMe && <span className={page.tag}>{m.common.you}</span>} />
                  </Cell>
                  <Cell label={m.administration.role}>
                    {mayChange ? (
                      <SelectField
                        label={m.administration.changeRole(person.display_name)}
                        hideLabel
                        dense
                        value={person.role}
                        onChange={(role) => attempt(change(person, { role }))}
                        options={grantable(mine).map((value) => ({ value, label: m.organisationRoles[value] }))}
                      />
                    ) : (
                      m.organisationRoles[person.role]
                    )}
                  </Cell>
                  <Cell label={m.administration.state} className={page.nowrap}>
                    {person.has_second_factor && <ShieldCheck size={14} className={page.stateIcon} aria-label={m.administration.hasSecondFactor} />}
                    {person.disabled ? m.administration.disabled : person.has_password ? m.administration.active : m.administration.invited}
                  </Cell>
                  <Cell kind="actions">
                    {/* Of oneself, and of those above: nothing that could be done. */}
                    {mayChange && !isMe && (
                      <ActionMenu
                        label={m.common.actions}
                        trigger={
                          <IconButton dense label={`${m.common.actions}: ${person.display_name}`}>
                            <EllipsisVertical size={16} />
                          </IconButton>
                        }
                        entries={[
                          { id: "correct", label: m.privacy.correct, icon: <PencilLine size={16} />, action: () => setCorrecting(person) },
                          { id: "link", label: m.administration.newLink, icon: <KeyRound size={16} />, action: () => attempt(newLink(person)) },
                          ...(person.has_second_factor ? [{ id: "reset", label: m.administration.resetFactors, icon: <ShieldOff size={16} />, action: () => setAsking({ what: "reset", person }) }] : []),
                          person.disabled
                            ? { id: "enable", label: m.administration.enable, icon: <UserRoundCheck size={16} />, action: () => attempt(change(person, { disabled: false })) }
                            : { id: "disable", label: m.administration.disable, icon: <Ban size={16} />, action: () => setAsking({ what: "disable", person }) },
                          "-",
                          { id: "remove", label: m.administration.removePerson, icon: <UserMinus size={16} />, danger: true, action: () => setAsking({ what: "remove", person }) },
                        ]}
                      />
                    )}
                  </Cell>
                </Row>
              );
            })}
          </Table>
        )}
      </section>
      <FormDialog
        title={m.administration.addPersonTitle}
        lead={m.administration.addPersonLead}
        submit={m.administration.addPerson}
        initial={{ display_name: "", login: "", role: "member" as OrganisationRole }}
        open={adding}
        onClose={() => setAdding(false)}
        action={async (value) => {
          const name = value.display_name.trim();
          const body = { ...value, display_name: name, login: value.login.trim() };
          const made = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/people", { params: { path: { organisation_id: organisationId } }, body }));
          // Somebody who has an account elsewhere in this installation needs no link.
          if (made.password_link) setLink({ name, link: made.password_link });
          else say(m.administration.added(name));
          void reload();
        }}
      >
        {({ display_name, login, role }, edit) => (
          <>
            <TextField label={m.administration.displayName} name="display_name" value={display_name} onChange={(next) => edit({ display_name: next })} isRequired autoFocus {...limits.NewPerson.display_name} autoComplete="off" />
            <TextField label={m.administration.login} name="login" value={login} onChange={(next) => edit({ login: next })} isRequired {...limits.NewPerson.login} autoComplete="off" />
            <SelectField
              label={m.administration.role}
              value={role}
              onChange={(next) => edit({ role: next })}
              options={grantable(mine).map((value) => ({ value, label: m.organisationRoles[value] }))}
              hint={m.organisationRoles.explain[role]}
            />
          </>
        )}
      </FormDialog>
      <FormDialog
        title={correcting ? m.privacy.correctTitle(correcting.display_name) : m.privacy.correct}
        lead={m.privacy.correctLead}
        submit={m.common.save}
        initial={{ display_name: correcting?.display_name ?? "", login: correcting?.login ?? "" }}
        open={!!correcting}
        onClose={() => setCorrecting(undefined)}
        action={async (value) => {
          if (correcting) await change(correcting, { display_name: value.display_name.trim(), login: value.login.trim() });
        }}
      >
        {({ display_name, login }, edit) => (
          <>
            <TextField label={m.administration.displayName} name="display_name" value={display_name} onChange={(next) => edit({ display_name: next })} isRequired autoFocus {...limits.NewPerson.display_name} autoComplete="off" />
            <TextField label={m.administration.login} name="login" value={login} onChange={(next) => edit({ login: next })} isRequired {...limits.NewPerson.login} autoComplete="off" />
          </>
        )}
      </FormDialog>
      <SecretDialog
        title={m.administration.linkTitle}
        text={link ? m.administration.linkText(link.name, exactInstant(link.link.expires_at)) : ""}
        secret={link && new URL(link.link.url, location.origin).href}
        onClose={() => setLink(undefined)}
      />
      <Confirm
        title={asking ? questions[asking.what].title(asking.person.display_name) : ""}
        text={asking ? questions[asking.what].text : ""}
        confirm={asking ? questions[asking.what].confirm : ""}
        open={!!asking}
        onClose={() => setAsking(undefined)}
        action={async () => {
          if (!asking) return;
          if (asking.what === "disable") await change(asking.person, { disabled: true });
          else if (asking.what === "reset") {
            await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/people/{person_id}/factors", { params: { path: path(asking.person) } }));
            say(m.administration.factorsReset(asking.person.display_name));
            await reload();
          }
          else {
            await unwrap(
              api.DELETE("/api/data/v1/organisations/{organisation_id}/people/{person_id}", { params: { path: path(asking.person), header: ifMatch(asking.person.revision) } }),
            );
            await reload();
          }
        }}
      />
    </div>
  );
}
