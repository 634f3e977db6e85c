import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Clapperboard, EllipsisVertical, Pencil, Plus, Trash2, UsersRound } from "lucide-react";
import { useState } from "react";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { organisationProductionsQuery, sessionQuery } from "../../api/queries";
import { Button, buttonClass, IconButton, TextField } from "../../components/controls";
import { ActionMenu, Confirm } from "../../components/dialogs";
import { FormDialog } from "../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../components/states";
import { Cell, Row, Table, Who } from "../../components/Table";
import { say } from "../../components/toasts";
import { m } from "../../messages";
import { day } from "../../messages/format";
import { useTitle } from "../../shell/title";
import page from "../page.module.css";
import { CreateProduction } from "../Productions";

interface Named {
  id: string;
  name: string;
  revision: number;
}

export function AdministrationProductions() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const productions = useQuery(organisationProductionsQuery(organisationId));
  const { data: session } = useQuery(sessionQuery);
  const cache = useQueryClient();
  const [creating, setCreating] = useState(false);
  const [renaming, setRenaming] = useState<Named>();
  const [removing, setRemoving] = useState<Named>();
  useTitle(`${m.administration.title}: ${m.administration.productions}`);
  const reload = async () => {
    await cache.invalidateQueries({ queryKey: ["organisation-productions", organisationId] });
    void cache.invalidateQueries({ queryKey: ["productions"] });
  };

  if (productions.isError) return <Failed what={m.parts.productions} error={productions.error} retry={() => void productions.refetch()} />;
  const create = (
    <Button tone="primary" icon={<Plus size={16} aria-hidden />} onPress={() => setCreating(true)}>
      {m.productions.create}
    </Button>
  );
  return (
    <div className={page.content}>
      <section className={page.section}>
        {productions.isPending ? (
          <Skeleton height={280} style={{ borderRadius: 8 }} />
        ) : productions.data.length === 0 ? (
          <Empty icon={Clapperboard} title={m.productions.emptyTitle} text={m.productions.emptyAdministrator}>
            {create}
          </Empty>
        ) : (
          <>
            <header>
              <div />
              {create}
            </header>
            <Table label={m.administration.productions} columns={[{ name: m.common.name }, { name: m.library.columns.created }, { name: m.common.actions, quiet: true }]}>
              {productions.data.map((production) => (
                <Row key={production.id}>
                  <Cell kind="title">
                    <Who name={production.name} />
                  </Cell>
                  <Cell label={m.library.columns.created} className={`${page.nowrap} num`}>
                    {day(production.created_at)}
                  </Cell>
                  <Cell kind="actions">
                    <Link
                      className={buttonClass("quiet", { dense: true })}
                      to="/administration/$organisationId/productions/$productionId"
                      params={{ organisationId, productionId: production.id }}
                    >
                      <UsersRound size={16} aria-hidden />
                      {m.administration.manageMembers}
                    </Link>
                    <ActionMenu
                      label={m.common.actions}
                      trigger={
                        <IconButton dense label={`${m.common.actions}: ${production.name}`}>
                          <EllipsisVertical size={16} />
                        </IconButton>
                      }
                      entries={[
                        { id: "rename", label: m.common.rename, icon: <Pencil size={16} />, action: () => setRenaming(production) },
                        "-",
                        { id: "remove", label: m.common.remove, icon: <Trash2 size={16} />, danger: true, action: () => setRemoving(production) },
                      ]}
                    />
                  </Cell>
                </Row>
              ))}
            </Table>
          </>
        )}
      </section>
      <CreateProduction organisations={session?.organisations.filter(({ id }) => id === organisationId) ?? []} open={creating} onClose={() => setCreating(false)} />
      <FormDialog
        title={m.productions.renameTitle}
        submit={m.common.rename}
        initial={{ name: renaming?.name ?? "" }}
        open={!!renaming}
        onClose={() => setRenaming(undefined)}
        action={async ({ name }) => {
          if (!renaming) return;
          const params = { path: { production_id: renaming.id }, header: ifMatch(renaming.revision) };
          // Also after a failure: somebody else may have changed it, and then the next try needs the newest.
          await unwrap(api.PATCH("/api/data/v1/productions/{production_id}", { params, body: { name: name.trim() } })).finally(() => void reload());
          say(m.asset.renamed);
        }}
      >
        {({ name }, change) => <TextField label={m.productions.name} name="name" value={name} onChange={(next) => change({ name: next })} isRequired autoFocus {...limits.ProductionForm.name} />}
      </FormDialog>
      <Confirm
        title={m.productions.removeTitle(removing?.name ?? "")}
        text={m.productions.removeText}
        confirm={m.productions.removeConfirm}
        open={!!removing}
        onClose={() => setRemoving(undefined)}
        action={async () => {
          if (!removing) return;
          await unwrap(api.DELETE("/api/data/v1/productions/{production_id}", { params: { path: { production_id: removing.id }, header: ifMatch(removing.revision) } }));
          await reload();
        }}
      />
    </div>
  );
}
