// What is looked for in the trail. It stands in the address of the page.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { actsQuery, organisationProductionsQuery } from "../../api/queries";
import { Button, buttonClass, SelectField } from "../../components/controls";
import { m } from "../../messages";
import type { AuditSearch } from "../../router";
import css from "./Audit.module.css";
import { FILTERED_ACTS, LISTS } from "./auditActs";
import { choicesOf } from "./auditPeople";
import { useTrailPeople } from "./trailPeople";

const t = m.administration;

const isList = (acts: AuditSearch["acts"]) => LISTS.some((list) => list === acts);

/** The whole trail, and the lists that owners look through on their own. The filter goes on within each. */
export function Lists({ organisationId, search }: { organisationId: string; search: AuditSearch }) {
  return (
    <nav className={css.lists} aria-label={t.auditLists}>
      {[undefined, ...LISTS].map((list) => (
        <Link
          key={list ?? ""}
          className={css.list}
          to="/administration/$organisationId/audit"
          params={{ organisationId }}
          search={{ ...search, acts: list }}
          replace
          // Whatever is chosen below, one of them is where one is.
          activeProps={{}}
          activeOptions={{ exact: true }}
          aria-current={list === (isList(search.acts) ? search.acts : undefined) ? "page" : undefined}
        >
          {list ? t.auditActNames[list] : t.everyAct}
        </Link>
      ))}
    </nav>
  );
}

export function Filters({ organisationId, search }: { organisationId: string; search: AuditSearch }) {
  const navigate = useNavigate();
  const people = choicesOf(useTrailPeople(organisationId));
  const productions = useQuery(organisationProductionsQuery(organisationId)).data ?? [];
  const removed = useQuery(actsQuery(organisationId, "production.removed")).data ?? [];
  const change = (part: AuditSearch) =>
    void navigate({ to: "/administration/$organisationId/audit", params: { organisationId }, search: { ...search, ...part }, replace: true });
  return (
    <div className={css.filters} role="group" aria-label={t.auditFilter}>
      <SelectField
        label={t.auditActs}
        value={isList(search.acts) ? "" : (search.acts ?? "")}
        onChange={(acts) => change({ acts: acts || undefined })}
        options={[{ value: "", label: t.everyAct }, ...FILTERED_ACTS.map(({ acts, group }) => ({ value: acts, label: t.auditActNames[acts], group: t.auditActGroups[group] }))]}
      />
      <SelectField
        label={t.person}
        value={search.person ?? ""}
        onChange={(person) => change({ person: person || undefined })}
        options={withChosen(search.person, t.somebody, [{ value: "", label: t.everybody }, ...people.map(({ id, name, group }) => ({ value: id, label: name, group: t.auditPeople[group] }))])}
      />
      <SelectField
        label={t.oneProduction}
        value={search.production ?? ""}
        onChange={(production) => change({ production: production || undefined })}
        options={withChosen(search.production, t.someProduction, [
          { value: "", label: t.everyProduction },
          ...productions.map(({ id, name }) => ({ value: id, label: name })),
          ...removed.map(({ subject_id, subject }) => ({ value: subject_id ?? "", label: subject ?? "", group: t.removedProductions })),
        ])}
      />
      <Day label={t.fromDay} value={search.from} onChange={(from) => change({ from })} />
      <Day label={t.toDay} value={search.to} onChange={(to) => change({ to })} />
      {search.grant && (
        <Link className={buttonClass("quiet")} to="/administration/$organisationId/support/$grantId" params={{ organisationId, grantId: search.grant }}>
          {m.support.onlyOne}
        </Link>
      )}
      {Object.values({ ...search, acts: isList(search.acts) ? undefined : search.acts }).some(Boolean) && (
        <Button tone="quiet" onPress={() => void navigate({ to: "/administration/$organisationId/audit", params: { organisationId }, search: isList(search.acts) ? { acts: search.acts } : {}, replace: true })}>
          {t.clearFilter}
        </Button>
      )}
    </div>
  );
}

interface Choice {
  value: string;
  label: string;
  group?: string;
}

/** What is chosen is shown as chosen, also before the list is there and if it is not in the list. */
function withChosen(chosen: string | undefined, name: string, choices: Choice[]): Choice[] {
  return !chosen || choices.some(({ value }) => value === chosen) ? choices : [...choices, { value: chosen, label: name }];
}

function Day({ label, value, onChange }: { label: string; value: string | undefined; onChange: (day: string | undefined) => void }) {
  return (
    <label className={css.day}>
      <span>{label}</span>
      <input type="date" value={value ?? ""} onChange={(event) => onChange(event.target.value || undefined)} />
    </label>
  );
}
