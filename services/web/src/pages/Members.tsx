// Who may do what in a production: people down, modules across.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { CalendarClock, EllipsisVertical, MailPlus, Plus, UserMinus, UsersRound } from "lucide-react";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../api/client";
import { sentenceOf } from "../api/problem";
import { membersQuery, peopleQuery, productionQuery, sessionQuery } from "../api/queries";
import type { Member, ModuleRole, ProductionRoles } from "../api/types";
import { Button, IconButton, SelectField, TextField } from "../components/controls";
import { ActionMenu, Confirm, Dialog } from "../components/dialogs";
import { FormDialog } from "../components/FormDialog";
import { Empty, Failed, NotFound, Skeleton } from "../components/states";
import { Cell, Row, Table, Who } from "../components/Table";
import { say } from "../components/toasts";
import { m } from "../messages";
import { day } from "../messages/format";
import { useTitle } from "../shell/title";
import { dayOf, endOf, isPast } from "./endDate";
import { Invitations, InviteDialog } from "./Invitations";
import page from "./page.module.css";
import { decidesOnMembers } from "./permissions";

const MODULES = ["office", "library", "subtitling", "budget"] as const;
const ROLES = ["", "reader", "editor", "manager"] as const;
const roleOptions = ROLES.map((value) => ({ value, label: m.roles[value || "none"] }));

export function MembersPage() {
  const { productionId } = useParams({ from: "/app/productions/$productionId/members" });
  const production = useQuery(productionQuery(productionId)).data;
  const { data: session } = useQuery(sessionQuery);
  useTitle(production && m.administration.membersOf(production.name));
  if (!production) return null;
  if (!decidesOnMembers(production, session)) return <NotFound />;
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
  const [ending, setEnding] = useState<Member>();
  const [inviting, setInviting] = useState(false);
  const reload = () => cache.invalidateQueries({ queryKey: ["members", productionId] });
  const manages = (module: (typeof MODULES)[number]) => administers || myRoles?.[module] === "manager";

  // The end is that of all roles, so it takes somebody who decides on each of them.
  const decidesOn = (member: Member) => MODULES.every((module) => !member.roles[module] || manages(module));

  const set = async (personId: string, roles: ProductionRoles & { ends_at?: string | null }, revision?: number) => {
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
  const add = (
    <div className={page.buttons}>
      {administers && (
        <Button icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
          {m.administration.addMember}
        </Button>
      )}
      <Button tone="primary" icon={<MailPlus size={16} aria-hidden />} onPress={() => setInviting(true)}>
        {m.administration.invite}
      </Button>
    </div>
  );
  return (
    <>
      <section className={page.section}>
        <header>
          <div>
            <h2 className="truncate">{title}</h2>
            <p className={page.lead}>{m.administration.membersLead}</p>
          </div>
          {members.data?.length !== 0 && add}
        </header>
        {members.isPending ? (
          <Skeleton height={240} style={{ borderRadius: 8 }} />
        ) : members.data.length === 0 ? (
          <Empty icon={UsersRound} title={m.administration.noMembers} text={m.administration.membersLead}>
            {add}
          </Empty>
        ) : (
          <Table
            label={m.administration.membersOf(title)}
            columns={[{ name: m.administration.person }, ...MODULES.map((module) => ({ name: m.modules[module] })), { name: m.administration.ends }, { name: m.common.actions, quiet: true }]}
          >
            {members.data.map((member) => (
              <Row key={member.person.id}>
                <Cell kind="title">
                  <Who
                    name={member.person.display_name}
                    below={member.person.login}
                    after={
                      member.guest && (
                        <span className={page.tag} title={m.administration.guestHint}>
                          {m.administration.guest}
                        </span>
                      )
                    }
                  />
                </Cell>
                {MODULES.map((module) => (
                  <Cell key={module} label={m.modules[module]}>
                    {manages(module) ? (
                      <SelectField
                        label={m.administration.memberRole(member.person.display_name, m.modules[module])}
                        hideLabel
                        dense
                        value={member.roles[module] ?? ""}
                        onChange={(role) => change(member, module, role)}
                        options={roleOptions}
                      />
                    ) : (
                      m.roles[member.roles[module] ?? "none"]
                    )}
                  </Cell>
                ))}
                <Cell label={m.administration.ends} className={`${page.nowrap} num`}>
                  <End at={member.ends_at} />
                </Cell>
                <Cell kind="actions">
                  {decidesOn(member) && (
                    <ActionMenu
                      label={m.common.actions}
                      trigger={
                        <IconButton dense label={`${m.common.actions}: ${member.person.display_name}`}>
                          <EllipsisVertical size={16} />
                        </IconButton>
                      }
                      entries={[
                        { id: "end", label: m.administration.setEnd, icon: <CalendarClock size={16} />, action: () => setEnding(member) },
                        "-",
                        { id: "remove", label: m.administration.removeMember, icon: <UserMinus size={16} />, danger: true, action: () => setRemoving(member) },
                      ]}
                    />
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <InviteDialog productionId={productionId} modules={MODULES.filter(manages)} open={inviting} onClose={() => setInviting(false)} />
        {ending && (
          <FormDialog
            title={m.administration.setEndTitle(ending.person.display_name)}
            submit={m.common.save}
            initial={{ ends_at: dayOf(ending.ends_at) }}
            open
            onClose={() => setEnding(undefined)}
            action={async ({ ends_at }) => {
              await set(ending.person.id, { ...ending.roles, ends_at: endOf(ends_at) }, ending.revision);
              say(m.administration.saved);
            }}
          >
            {({ ends_at }, edit) => (
              <TextField type="date" label={m.administration.endDate} hint={m.administration.endHint} name="ends_at" value={ends_at} onChange={(next) => edit({ ends_at: next })} />
            )}
          </FormDialog>
        )}
        {candidates.length === 0 ? (
          <Dialog title={m.administration.addMemberTitle} open={adding} onClose={() => setAdding(false)}>
            <p>{m.administration.everyoneIsMember}</p>
          </Dialog>
        ) : (
          <FormDialog
            title={m.administration.addMemberTitle}
            submit={m.administration.addMember}
            initial={{ person: candidates[0]?.id ?? "", roles: { library: "reader" } as ProductionRoles }}
            open={adding}
            onClose={() => setAdding(false)}
            ready={({ roles }) => MODULES.some((module) => roles[module])}
            action={({ person, roles }) => set(person, roles)}
          >
            {({ person, roles }, edit) => (
              <>
                <SelectField
                  label={m.administration.person}
                  value={person}
                  onChange={(next) => edit({ person: next })}
                  options={candidates.map(({ id, display_name, login }) => ({ value: id, label: `${display_name} (${login})` }))}
                />
                {MODULES.map((module) => (
                  <SelectField
                    key={module}
                    label={m.modules[module]}
                    value={roles[module] ?? ""}
                    onChange={(role) => edit({ roles: { ...roles, [module]: role || null } })}
                    options={roleOptions}
                    hint={m.roles.explain[roles[module] ?? "none"]}
                  />
                ))}
              </>
            )}
          </FormDialog>
        )}
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
      {members.isSuccess && <Invitations productionId={productionId} decidesOn={(roles) => MODULES.every((module) => !roles[module] || manages(module))} />}
    </>
  );
}

/** When a membership ends; that it has is said in words. */
function End({ at }: { at: string | null | undefined }) {
  if (!at) return <span className={page.quietText}>{m.administration.noEnd}</span>;
  return (
    <span>
      {day(at)} {isPast(at) && <span className={page.tag}>{m.administration.ended}</span>}
    </span>
  );
}
