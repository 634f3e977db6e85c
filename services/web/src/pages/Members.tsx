// Who may do what in a production: people down, modules across.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus, UserMinus, UsersRound } from "lucide-react";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, ifMatch, unwrap } from "../api/client";
import { sentenceOf } from "../api/problem";
import { membersQuery, peopleQuery, productionQuery, sessionQuery } from "../api/queries";
import type { Member, ModuleRole, OrganisationPerson, ProductionRoles } from "../api/types";
import { Button, IconButton, Notice, SelectField } from "../components/controls";
import { Confirm, Dialog, DialogFoot } from "../components/dialogs";
import { Empty, Failed, Skeleton } from "../components/states";
import { say } from "../components/toasts";
import { m } from "../messages";
import { useTitle } from "../shell/title";
import page from "./page.module.css";

const MODULES = ["office", "library", "subtitling", "budget"] as const;
const ROLES = ["", "reader", "editor", "manager"] as const;
const roleOptions = ROLES.map((value) => ({ value, label: m.roles[value || "none"] }));

export function MembersPage() {
  const { productionId } = useParams({ from: "/app/productions/$productionId/members" });
  const production = useQuery(productionQuery(productionId)).data;
  const { data: session } = useQuery(sessionQuery);
  useTitle(production && m.administration.membersOf(production.name));
  if (!production) return null;
  const administers = session?.organisations.some(({ id, role }) => id === production.organisation_id && role !== "member") ?? false;
  return (
    <>
      <header className={page.head}>
        <h1 className="truncate">{m.rail.members}</h1>
      </header>
      <div className={page.content}>
        <Members productionId={productionId} organisationId={production.organisation_id} title={production.name} administers={administers} myRoles={production.my_roles} />
      </div>
    </>
  );
}

interface MembersProps {
  productionId: string;
  organisationId: string;
  title: string;
  /** Manages the whole organisation; others manage the modules they are manager of. */
  administers: boolean;
  myRoles?: ProductionRoles;
}

export function Members({ productionId, organisationId, title, administers, myRoles }: MembersProps) {
  const cache = useQueryClient();
  const members = useQuery(membersQuery(productionId));
  const people = useQuery({ ...peopleQuery(organisationId), enabled: administers });
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Member>();
  const reload = () => cache.invalidateQueries({ queryKey: ["members", productionId] });
  const manages = (module: (typeof MODULES)[number]) => administers || myRoles?.[module] === "manager";

  const set = async (personId: string, roles: ProductionRoles, revision?: number) => {
    await unwrap(
      api.PUT("/api/data/v1/productions/{production_id}/members/{person_id}", {
        params: { path: { production_id: productionId, person_id: personId }, ...(revision === undefined ? {} : { header: ifMatch(revision) }) },
        body: roles,
      }),
    );
    await reload();
    void cache.invalidateQueries({ queryKey: ["production", productionId] });
    void cache.invalidateQueries({ queryKey: ["productions"] });
  };
  const change = (member: Member, module: (typeof MODULES)[number], role: ModuleRole | "") => {
    const roles = { ...member.roles, [module]: role || null };
    if (MODULES.every((one) => !roles[one])) {
      setRemoving(member);
      return;
    }
    set(member.person.id, roles, member.revision).then(
      () => say(m.administration.saved),
      (error: unknown) => {
        say(sentenceOf(error), { danger: true });
        void reload();
      },
    );
  };

  if (members.isError) return <Failed what={m.parts.members} error={members.error} retry={() => void members.refetch()} />;
  const known = new Set(members.data?.map(({ person }) => person.id));
  const candidates = (people.data ?? []).filter(({ id, disabled }) => !known.has(id) && !disabled);
  const add = administers && (
    <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
      {m.administration.addMember}
    </Button>
  );
  return (
    <section className={page.section}>
      <header>
        <div>
          <h2 className="truncate">{title}</h2>
          <p className={page.lead}>{m.administration.membersLead}</p>
        </div>
        {(members.data?.length ?? 0) > 0 && add}
      </header>
      {members.isPending ? (
        <Skeleton height={240} style={{ borderRadius: 8 }} />
      ) : members.data.length === 0 ? (
        <Empty icon={UsersRound} title={m.administration.noMembers} text={m.administration.membersLead}>
          {add}
        </Empty>
      ) : (
        <div className={page.tableWrap} tabIndex={0} role="region" aria-label={m.administration.membersOf(title)}>
          <table className={page.table}>
            <thead>
              <tr>
                <th scope="col">{m.administration.person}</th>
                {MODULES.map((module) => (
                  <th key={module} scope="col">
                    {m.modules[module]}
                  </th>
                ))}
                <th scope="col">
                  <span className="visually-hidden">{m.common.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {members.data.map((member) => (
                <tr key={member.person.id}>
                  <th scope="row" className={page.who} style={{ position: "static", fontSize: 13, color: "inherit", height: 52 }}>
                    <div title={member.person.display_name}>{member.person.display_name}</div>
                    <div>{member.person.login}</div>
                  </th>
                  {MODULES.map((module) => (
                    <td key={module} style={{ minWidth: 128 }}>
                      <SelectField
                        label={m.administration.memberRole(member.person.display_name, m.modules[module])}
                        hideLabel
                        dense
                        disabled={!manages(module)}
                        value={member.roles[module] ?? ""}
                        onChange={(role) => change(member, module, role)}
                        options={roleOptions}
                      />
                    </td>
                  ))}
                  <td className={page.right}>
                    {administers && (
                      <IconButton dense label={`${m.administration.removeMember}: ${member.person.display_name}`} onPress={() => setRemoving(member)}>
                        <UserMinus size={16} />
                      </IconButton>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <AddMember candidates={candidates} open={adding} onClose={() => setAdding(false)} add={set} />
      <Confirm
        title={m.administration.removePersonTitle(removing?.person.display_name ?? "")}
        text={m.administration.removeMemberText}
        confirm={m.common.remove}
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        action={async () => {
          if (!removing) return;
          await unwrap(
            api.DELETE("/api/data/v1/productions/{production_id}/members/{person_id}", {
              params: { path: { production_id: productionId, person_id: removing.person.id }, header: ifMatch(removing.revision) },
            }),
          );
          await reload();
        }}
      />
    </section>
  );
}

interface AddMemberProps {
  candidates: OrganisationPerson[];
  open: boolean;
  onClose: () => void;
  add: (personId: string, roles: ProductionRoles) => Promise<void>;
}

function AddMember({ candidates, open, onClose, add }: AddMemberProps) {
  const [person, setPerson] = useState("");
  const [roles, setRoles] = useState<ProductionRoles>({ library: "reader" });
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const chosen = person || candidates[0]?.id || "";
  useEffect(() => {
    if (!open) return;
    setPerson("");
    setRoles({ library: "reader" });
    setFailure(undefined);
  }, [open]);
  const submit = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await add(chosen, roles);
      onClose();
    } catch (error) {
      setFailure(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={m.administration.addMemberTitle} open={open} onClose={onClose}>
      {failure && <Notice tone="danger">{failure}</Notice>}
      {candidates.length === 0 ? (
        <p>{m.administration.everyoneIsMember}</p>
      ) : (
        <Form
          className={page.form ?? ""}
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <SelectField
            label={m.administration.person}
            value={chosen}
            onChange={setPerson}
            options={candidates.map(({ id, display_name, login }) => ({ value: id, label: `${display_name} (${login})` }))}
          />
          {MODULES.map((module) => (
            <SelectField
              key={module}
              label={m.modules[module]}
              value={roles[module] ?? ""}
              onChange={(role) => setRoles({ ...roles, [module]: role || null })}
              options={roleOptions}
              hint={m.roles.explain[roles[module] ?? "none"]}
            />
          ))}
          <DialogFoot>
            <Button onPress={onClose}>{m.common.cancel}</Button>
            <Button type="submit" tone="primary" busy={busy} isDisabled={MODULES.every((module) => !roles[module])}>
              {m.administration.addMember}
            </Button>
          </DialogFoot>
        </Form>
      )}
    </Dialog>
  );
}
