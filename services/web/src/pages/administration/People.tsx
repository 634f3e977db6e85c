import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Ban, EllipsisVertical, KeyRound, Plus, UserMinus, UserRoundCheck, UsersRound } from "lucide-react";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { ProblemError, sentenceOf } from "../../api/problem";
import { peopleQuery, sessionQuery } from "../../api/queries";
import type { OneTimeLink, OrganisationPerson, OrganisationRole } from "../../api/types";
import { Button, IconButton, Notice, SearchBox, SelectField, TextField } from "../../components/controls";
import { ActionMenu, Confirm, Dialog, DialogFoot } from "../../components/dialogs";
import { Secret } from "../../components/Secret";
import { Empty, Failed, Skeleton } from "../../components/states";
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

type Asking = { what: "disable" | "remove"; person: OrganisationPerson };

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
  useTitle(`${m.administration.title}: ${m.administration.people}`);

  const reload = () => cache.invalidateQueries({ queryKey: ["people", organisationId] });
  const path = (person: OrganisationPerson) => ({ organisation_id: organisationId, person_id: person.id });
  const change = async (person: OrganisationPerson, body: { role?: OrganisationRole; disabled?: boolean }) => {
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
          <div className={page.tableWrap} tabIndex={0} role="region" aria-label={m.administration.people}>
            <table className={page.table}>
              <thead>
                <tr>
                  <th scope="col">{m.common.name}</th>
                  <th scope="col">{m.administration.role}</th>
                  <th scope="col">{m.administration.state}</th>
                  <th scope="col">
                    <span className="visually-hidden">{m.common.actions}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((person) => {
                  const isMe = person.id === session?.person.id;
                  const mayChange = grantable(mine).includes(person.role);
                  return (
                    <tr key={person.id}>
                      <td className={page.who}>
                        <div title={person.display_name}>
                          {person.display_name} {isMe && <span className={page.tag}>{m.common.you}</span>}
                        </div>
                        <div title={person.login}>{person.login}</div>
                      </td>
                      <td style={{ width: 168, minWidth: 144 }}>
                        <SelectField
                          label={m.administration.changeRole(person.display_name)}
                          hideLabel
                          dense
                          disabled={!mayChange}
                          value={person.role}
                          onChange={(role) => attempt(change(person, { role }))}
                          options={ROLES.map((value) => ({ value, label: m.organisationRoles[value], disabled: !grantable(mine).includes(value) }))}
                        />
                      </td>
                      <td className={page.nowrap}>{person.disabled ? m.administration.disabled : person.has_password ? m.administration.active : m.administration.invited}</td>
                      <td className={page.right}>
                        <ActionMenu
                          label={m.common.actions}
                          trigger={
                            <IconButton dense label={`${m.common.actions}: ${person.display_name}`}>
                              <EllipsisVertical size={16} />
                            </IconButton>
                          }
                          entries={[
                            { id: "link", label: m.administration.newLink, icon: <KeyRound size={16} />, disabled: !mayChange || isMe, action: () => attempt(newLink(person)) },
                            person.disabled
                              ? { id: "enable", label: m.administration.enable, icon: <UserRoundCheck size={16} />, disabled: !mayChange, action: () => attempt(change(person, { disabled: false })) }
                              : { id: "disable", label: m.administration.disable, icon: <Ban size={16} />, disabled: !mayChange || isMe, action: () => setAsking({ what: "disable", person }) },
                            "-",
                            { id: "remove", label: m.administration.removePerson, icon: <UserMinus size={16} />, danger: true, disabled: !mayChange || isMe, action: () => setAsking({ what: "remove", person }) },
                          ]}
                        />
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <AddPerson
        organisationId={organisationId}
        roles={grantable(mine)}
        open={adding}
        onClose={() => setAdding(false)}
        onAdded={(name, made) => {
          setAdding(false);
          // Somebody who has an account elsewhere in this installation needs no link.
          if (made) setLink({ name, link: made });
          else say(m.administration.added(name));
          void reload();
        }}
      />
      <Dialog title={m.administration.linkTitle} open={!!link} onClose={() => setLink(undefined)} alert>
        {link && (
          <>
            <p>{m.administration.linkText(link.name, exactInstant(link.link.expires_at))}</p>
            <Secret text={new URL(link.link.url, location.origin).href} />
            <DialogFoot>
              <Button tone="primary" onPress={() => setLink(undefined)}>
                {m.common.done}
              </Button>
            </DialogFoot>
          </>
        )}
      </Dialog>
      <Confirm
        title={asking?.what === "remove" ? m.administration.removePersonTitle(asking.person.display_name) : m.administration.disableTitle(asking?.person.display_name ?? "")}
        text={asking?.what === "remove" ? m.administration.removePersonText : m.administration.disableText}
        confirm={asking?.what === "remove" ? m.common.remove : m.administration.disable}
        open={!!asking}
        onClose={() => setAsking(undefined)}
        action={async () => {
          if (!asking) return;
          if (asking.what === "disable") await change(asking.person, { disabled: true });
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

interface AddPersonProps {
  organisationId: string;
  roles: readonly OrganisationRole[];
  open: boolean;
  onClose: () => void;
  onAdded: (name: string, link: OneTimeLink | undefined) => void;
}

function AddPerson({ organisationId, roles, open, onClose, onAdded }: AddPersonProps) {
  const [value, setValue] = useState({ display_name: "", login: "", role: "member" as OrganisationRole });
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (!open) return;
    setValue({ display_name: "", login: "", role: "member" });
    setErrors({});
    setFailure(undefined);
  }, [open]);
  const submit = async () => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      const made = await unwrap(
        api.POST("/api/data/v1/organisations/{organisation_id}/people", {
          params: { path: { organisation_id: organisationId } },
          body: { ...value, display_name: value.display_name.trim(), login: value.login.trim() },
        }),
      );
      onAdded(value.display_name.trim(), made.password_link ?? undefined);
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      if (!fields.login && !fields.display_name) setFailure(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={m.administration.addPersonTitle} open={open} onClose={onClose}>
      <p>{m.administration.addPersonLead}</p>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={page.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField label={m.administration.displayName} name="display_name" value={value.display_name} onChange={(display_name) => setValue({ ...value, display_name })} isRequired autoFocus {...limits.NewPerson.display_name} autoComplete="off" />
        <TextField label={m.administration.login} name="login" value={value.login} onChange={(login) => setValue({ ...value, login })} isRequired {...limits.NewPerson.login} autoComplete="off" />
        <SelectField
          label={m.administration.role}
          value={value.role}
          onChange={(role) => setValue({ ...value, role })}
          options={roles.map((role) => ({ value: role, label: m.organisationRoles[role] }))}
          hint={m.organisationRoles.explain[value.role]}
        />
        <DialogFoot>
          <Button onPress={onClose}>{m.common.cancel}</Button>
          <Button type="submit" tone="primary" busy={busy}>
            {m.administration.addPerson}
          </Button>
        </DialogFoot>
      </Form>
    </Dialog>
  );
}
