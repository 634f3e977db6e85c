// Accounts of programs: which there are, what for, and who answers for each.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Bot, Plus } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { peopleQuery, serviceAccountsQuery, sessionQuery } from "../../api/queries";
import type { ServiceAccount } from "../../api/types";
import { Button, SelectField, TextField } from "../../components/controls";
import { FormDialog } from "../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../components/states";
import { Cell, Row, Table } from "../../components/Table";
import { m } from "../../messages";
import { ago } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";

const t = m.serviceAccounts;

/** Who answers for it, in words. */
export function responsibleText({ responsible }: ServiceAccount): string {
  if (!responsible) return t.nobody;
  return responsible.present ? responsible.display_name : t.hasLeft(responsible.display_name);
}

export function ServiceAccounts() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const accounts = useQuery(serviceAccountsQuery(organisationId));
  const { data: session } = useQuery(sessionQuery);
  const [adding, setAdding] = useState(false);
  useTitle(`${m.administration.title}: ${t.title}`);
  if (accounts.isError) return <Failed what={t.part} error={accounts.error} retry={() => void accounts.refetch()} />;
  return (
    <div className={page.content}>
      <section className={page.section}>
        <header>
          <div>
            <h2>{t.title}</h2>
            <p className={page.lead}>{t.lead}</p>
          </div>
          <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setAdding(true)}>
            {t.add}
          </Button>
        </header>
        {accounts.isPending ? (
          <Skeleton height={200} style={{ borderRadius: 8 }} />
        ) : accounts.data.length === 0 ? (
          <Empty icon={Bot} title={t.noneTitle} text={t.noneText} />
        ) : (
          <Table label={t.title} columns={[{ name: t.name }, { name: t.responsible }, { name: t.lastUsed }, { name: t.state }]}>
            {accounts.data.map((account) => (
              <Row key={account.id}>
                <Cell kind="title">
                  <Link to="/administration/$organisationId/service-accounts/$accountId" params={{ organisationId, accountId: account.id }}>
                    {account.name}
                  </Link>
                  <div className={page.quietText}>{account.purpose}</div>
                </Cell>
                <Cell label={t.responsible}>{responsibleText(account)}</Cell>
                <Cell label={t.lastUsed} className={page.nowrap}>
                  {account.last_used_at ? ago(account.last_used_at) : t.never}
                </Cell>
                <Cell label={t.state} className={page.nowrap}>
                  {account.deactivated ? t.deactivated : t.active}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </section>
      <FormDialog
        title={t.addTitle}
        lead={t.addLead}
        submit={t.add}
        initial={{ name: "", purpose: "", responsible_id: session?.person.id ?? "" }}
        open={adding}
        onClose={() => setAdding(false)}
        action={async (body) => {
          const made = await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/service-accounts", { params: { path: { organisation_id: organisationId } }, body }));
          await cache.invalidateQueries({ queryKey: ["service-accounts", organisationId] });
          await navigate({ to: "/administration/$organisationId/service-accounts/$accountId", params: { organisationId, accountId: made.id } });
        }}
      >
        {(form, change) => <AccountFields organisationId={organisationId} form={form} change={change} />}
      </FormDialog>
    </div>
  );
}

interface AccountForm {
  name: string;
  purpose: string;
  responsible_id: string;
}

/** Name, purpose, and who answers for it. */
export function AccountFields({ organisationId, form, change }: { organisationId: string; form: AccountForm; change: (part: Partial<AccountForm>) => void }) {
  const people = useQuery(peopleQuery(organisationId));
  const able = (people.data ?? []).filter((person) => !person.disabled);
  return (
    <>
      <TextField label={t.name} name="name" value={form.name} onChange={(name) => change({ name })} isRequired autoFocus {...limits.ServiceAccountForm.name} autoComplete="off" />
      <TextField label={t.purpose} hint={t.purposeHint} name="purpose" value={form.purpose} onChange={(purpose) => change({ purpose })} isRequired {...limits.ServiceAccountForm.purpose} autoComplete="off" />
      <SelectField
        label={t.responsible}
        hint={t.responsibleHint}
        value={form.responsible_id}
        onChange={(responsible_id) => change({ responsible_id })}
        options={able.map(({ id, display_name, login }) => ({ value: id, label: `${display_name} (${login})` }))}
      />
    </>
  );
}
