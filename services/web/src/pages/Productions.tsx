import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Clapperboard, Plus, SearchX } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import { productionsQuery, sessionQuery } from "../api/queries";
import type { OrganisationMembership, Production } from "../api/types";
import { Button, Notice, SearchBox, SelectField, TextField } from "../components/controls";
import { FormDialog } from "../components/FormDialog";
import { Empty, Failed, Skeleton } from "../components/states";
import { m } from "../messages";
import { day, instant } from "../messages/format";
import { useTitle } from "../shell/title";
import css from "./Productions.module.css";
import page from "./page.module.css";

/** "Library: Manager", or one word where all roles are the same. */
function rolesOf({ my_roles }: Production): string {
  const held = (["office", "library", "subtitling", "budget"] as const).flatMap((module) => {
    const role = my_roles[module];
    return role ? [{ module, role }] : [];
  });
  const [first] = held;
  if (first && held.length === 4 && held.every(({ role }) => role === first.role)) return m.roles[first.role];
  return held.map(({ module, role }) => `${m.modules[module]}: ${m.roles[role]}`).join(" · ");
}

export function Productions() {
  useTitle(m.productions.title);
  const { q = "" } = useSearch({ from: "/app/productions" });
  const navigate = useNavigate();
  const productions = useQuery(productionsQuery);
  const { data: session } = useQuery(sessionQuery);
  const [creating, setCreating] = useState(false);
  const administered = session?.organisations.filter(({ role, withheld }) => role !== "member" && !withheld) ?? [];
  const all = productions.data ?? [];
  const shown = all.filter(({ name }) => name.toLocaleLowerCase().includes(q.toLocaleLowerCase()));
  const several = new Set(all.map(({ organisation_id }) => organisation_id)).size > 1;

  const create = administered.length > 0 && (
    <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setCreating(true)}>
      {m.productions.create}
    </Button>
  );

  return (
    <>
      <header className={page.head}>
        <h1>{m.productions.title}</h1>
        {all.length > 6 && (
          <div className={page.headSearch}>
            <SearchBox label={m.productions.filter} value={q} shortcut="/" onChange={(next) => void navigate({ to: "/productions", search: { q: next || undefined }, replace: true })} />
          </div>
        )}
        {all.length > 0 && create}
      </header>
      {session?.second_factor_required && (
        <div className={css.held}>
          <Notice tone="warning">
            {m.productions.held} <Link to="/second-factor">{m.productions.addFactor}</Link>
          </Notice>
        </div>
      )}
      {session?.single_sign_on_required && (
        <div className={css.held}>
          <Notice tone="warning">{m.productions.heldForStudio(session.organisations.filter(({ single_sign_on_required }) => single_sign_on_required).map(({ name }) => name))}</Notice>
        </div>
      )}
      {session?.own_sign_in_required && (
        <div className={css.held}>
          <Notice tone="warning">{m.productions.heldForOwn(session.organisations.filter(({ own_sign_in_required }) => own_sign_in_required).map(({ name }) => name))}</Notice>
        </div>
      )}
      {session?.support.map(({ grant_id, organisation, ends_at, withheld }) => (
        <div key={grant_id} className={css.held}>
          <Notice tone={withheld ? "warning" : "info"}>
            {m.support.held(organisation, instant(ends_at))} {withheld ? m.support.withheld[withheld] : m.support.bannerText}
          </Notice>
        </div>
      ))}
      {productions.isError ? (
        <Failed what={m.parts.productions} error={productions.error} retry={() => void productions.refetch()} />
      ) : productions.isPending ? (
        <div className={page.content} aria-busy="true" aria-label={m.common.loading} role="status">
          <div className={css.grid}>
            {[0, 1, 2, 3, 4, 5].map((index) => (
              <Skeleton key={index} height={112} style={{ borderRadius: 8 }} />
            ))}
          </div>
        </div>
      ) : all.length === 0 ? (
        <Empty icon={Clapperboard} title={m.productions.emptyTitle} text={administered.length ? m.productions.emptyAdministrator : m.productions.emptyMember}>
          {create}
        </Empty>
      ) : shown.length === 0 ? (
        <Empty icon={SearchX} title={m.library.noMatchTitle} text={m.productions.noMatch} />
      ) : (
        <div className={page.content}>
          <ul className={css.grid}>
            {shown.map((production) => (
              <li key={production.id}>
                <Link className={css.card} to="/productions/$productionId/library" params={{ productionId: production.id }}>
                  {several && <span className={`${css.organisation} truncate`}>{production.organisation}</span>}
                  <span className={css.name}>
                    {production.name} {production.guest && <span className={page.tag}>{m.administration.guest}</span>}
                    {production.support && <span className={page.tag}>{m.support.mark}</span>}
                  </span>
                  <span className={css.facts}>
                    <span>{rolesOf(production)}</span>
                    <span className="num">
                      {production.my_membership_ends_at ? `${m.administration.ends} ${(production.support ? instant : day)(production.my_membership_ends_at)}` : m.productions.created(day(production.created_at))}
                    </span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
      <CreateProduction organisations={administered} open={creating} onClose={() => setCreating(false)} />
    </>
  );
}

export function CreateProduction({ organisations, open, onClose }: { organisations: OrganisationMembership[]; open: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  return (
    <FormDialog
      title={m.productions.create}
      lead={m.productions.createLead}
      submit={m.productions.submit}
      initial={{ name: "", organisation_id: organisations[0]?.id ?? "" }}
      open={open}
      onClose={onClose}
      action={async ({ name, organisation_id }) => {
        const made = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/productions", { params: { path: { organisation_id } }, body: { name: name.trim() } }));
        await cache.invalidateQueries({ queryKey: ["productions"] });
        void cache.invalidateQueries({ queryKey: ["organisation-productions", organisation_id] });
        await navigate({ to: "/productions/$productionId/library", params: { productionId: made.id } });
      }}
    >
      {({ name, organisation_id }, change) => (
        <>
          <TextField label={m.productions.name} name="name" value={name} onChange={(next) => change({ name: next })} isRequired autoFocus {...limits.ProductionForm.name} />
          {organisations.length > 1 && (
            <SelectField
              label={m.productions.organisation}
              value={organisation_id}
              onChange={(next) => change({ organisation_id: next })}
              options={organisations.map(({ id, name: label }) => ({ value: id, label }))}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}
