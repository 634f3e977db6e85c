// What membership of a group at the provider gives here.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../../api/client";
import { groupRulesQuery, organisationProductionsQuery } from "../../../api/queries";
import type { GroupRule, ModuleRole, ProductionRoles, SignOnConnection } from "../../../api/types";
import { Button, IconButton, SelectField, TextField } from "../../../components/controls";
import { Confirm } from "../../../components/dialogs";
import { FormDialog } from "../../../components/FormDialog";
import { Failed, Skeleton } from "../../../components/states";
import { m } from "../../../messages";
import page from "../../page.module.css";
import css from "./signOn.module.css";

const t = m.signOn;
const MODULES = ["office", "library", "subtitling", "budget"] as const;
type Module = (typeof MODULES)[number];

/** "library: editor, budget: reader". */
export function rolesText(roles: ProductionRoles): string {
  return MODULES.flatMap((module) => {
    const role = roles[module];
    return role ? [`${m.modules[module]}: ${m.roles[role]}`] : [];
  }).join(", ");
}

interface Fields {
  group: string;
  /** A role in the organisation, or the id of a production. */
  gives: string;
  office: ModuleRole | "";
  library: ModuleRole | "";
  subtitling: ModuleRole | "";
  budget: ModuleRole | "";
}

const EMPTY: Fields = { group: "", gives: "member", office: "", library: "", subtitling: "", budget: "" };
const isOrganisationRole = (gives: string): gives is "member" | "administrator" => gives === "member" || gives === "administrator";

export function Rules({ organisationId, connection }: { organisationId: string; connection: SignOnConnection }) {
  const cache = useQueryClient();
  const rules = useQuery(groupRulesQuery(organisationId, connection.id));
  const productions = useQuery(organisationProductionsQuery(organisationId));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<GroupRule>();
  const path = { organisation_id: organisationId, connection_id: connection.id };
  const reload = () => cache.invalidateQueries({ queryKey: groupRulesQuery(organisationId, connection.id).queryKey });
  if (rules.isError) return <Failed what={t.groups} error={rules.error} retry={() => void rules.refetch()} />;
  const nameOf = (id: string) => productions.data?.find((production) => production.id === id)?.name ?? t.aProduction;
  const gift = (rule: GroupRule) =>
    rule.organisation_role ? m.organisationRoles[rule.organisation_role] : rule.production_id && rule.roles ? `${nameOf(rule.production_id)}: ${rolesText(rule.roles)}` : "";
  return (
    <>
      <div>
        <strong>{t.groups}</strong>
        <p className={page.quietText}>{rules.data?.length === 0 ? (connection.admits_everyone ? t.noRulesAll : t.noRulesNobody) : t.groupsLead}</p>
      </div>
      {rules.isPending ? (
        <Skeleton height={56} style={{ borderRadius: 8 }} />
      ) : (
        rules.data.length > 0 && (
          <ul className={`${page.panel} ${page.list}`} aria-label={t.groups}>
            {rules.data.map((rule) => (
              <li key={rule.id}>
                <div className={page.listText}>
                  <div>{rule.group}</div>
                  <div>{gift(rule)}</div>
                </div>
                <IconButton label={t.removeRule(rule.group)} onPress={() => setRemoving(rule)}>
                  <Trash2 size={16} />
                </IconButton>
              </li>
            ))}
          </ul>
        )
      )}
      <div className={css.actions}>
        <Button icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
          {t.addRule}
        </Button>
      </div>
      <FormDialog
        title={t.addRule}
        lead={t.addRuleLead}
        open={adding}
        onClose={() => setAdding(false)}
        initial={EMPTY}
        submit={t.addRule}
        ready={(value) => value.group.trim() !== "" && (isOrganisationRole(value.gives) || MODULES.some((module) => value[module] !== ""))}
        action={async ({ group, gives, ...chosen }) => {
          const roles = Object.fromEntries(MODULES.map((module) => [module, chosen[module] || null])) as Record<Module, ModuleRole | null>;
          await unwrap(
            api.POST("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules", {
              params: { path },
              body: isOrganisationRole(gives) ? { group, organisation_role: gives } : { group, production_id: gives, roles },
            }),
          );
          await reload();
        }}
      >
        {(value, change) => (
          <>
            <TextField autoFocus isRequired name="group" label={t.group} hint={t.groupHint} value={value.group} onChange={(group) => change({ group })} maxLength={256} spellCheck="false" />
            <SelectField
              label={t.gives}
              value={value.gives}
              onChange={(gives) => change({ gives })}
              options={[
                { value: "member", label: t.inOrganisation(m.organisationRoles.member) },
                { value: "administrator", label: t.inOrganisation(m.organisationRoles.administrator) },
                ...(productions.data ?? []).map(({ id, name }) => ({ value: id, label: t.inProduction(name) })),
              ]}
            />
            {!isOrganisationRole(value.gives) && (
              <div className={css.pair}>
                {MODULES.map((module) => (
                  <SelectField
                    key={module}
                    label={m.modules[module]}
                    value={value[module]}
                    onChange={(role) => change({ [module]: role })}
                    options={[{ value: "", label: m.common.none }, ...(["reader", "editor", "manager"] as const).map((role) => ({ value: role, label: m.roles[role] }))]}
                  />
                ))}
              </div>
            )}
          </>
        )}
      </FormDialog>
      <Confirm
        title={t.removeRuleTitle(removing?.group ?? "")}
        text={t.removeRuleText}
        confirm={m.common.remove}
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        action={async () => {
          if (!removing) return;
          await unwrap(api.DELETE("/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/rules/{rule_id}", { params: { path: { ...path, rule_id: removing.id } } }));
          await reload();
        }}
      />
    </>
  );
}
