import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Clapperboard, EllipsisVertical, Pencil, Plus, Trash2, UsersRound } from "lucide-react";
import { useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { ProblemError, sentenceOf } from "../../api/problem";
import { organisationProductionsQuery, sessionQuery } from "../../api/queries";
import { Button, buttonClass, IconButton, Notice, TextField } from "../../components/controls";
import { ActionMenu, Confirm, Dialog, DialogFoot } from "../../components/dialogs";
import { Empty, Failed, Skeleton } from "../../components/states";
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
            <div className={page.tableWrap} tabIndex={0} role="region" aria-label={m.administration.productions}>
              <table className={page.table}>
                <thead>
                  <tr>
                    <th scope="col">{m.common.name}</th>
                    <th scope="col">{m.library.columns.created}</th>
                    <th scope="col">
                      <span className="visually-hidden">{m.common.actions}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {productions.data.map((production) => (
                    <tr key={production.id}>
                      <td className={page.who}>
                        <div title={production.name}>{production.name}</div>
                      </td>
                      <td className={`${page.nowrap} num`}>{day(production.created_at)}</td>
                      <td className={`${page.right} ${page.nowrap}`}>
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
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </section>
      <CreateProduction organisations={session?.organisations.filter(({ id }) => id === organisationId) ?? []} open={creating} onClose={() => setCreating(false)} />
      <RenameProduction production={renaming} onClose={() => setRenaming(undefined)} onDone={reload} />
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

function RenameProduction({ production, onClose, onDone }: { production: Named | undefined; onClose: () => void; onDone: () => Promise<void> }) {
  const [name, setName] = useState("");
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setName(production?.name ?? "");
    setErrors({});
    setFailure(undefined);
  }, [production]);
  const submit = async () => {
    if (!production) return;
    setBusy(true);
    try {
      await unwrap(
        api.PATCH("/api/data/v1/productions/{production_id}", { params: { path: { production_id: production.id }, header: ifMatch(production.revision) }, body: { name: name.trim() } }),
      );
      await onDone();
      say(m.asset.renamed);
      onClose();
    } catch (problem) {
      const fields = problem instanceof ProblemError ? problem.fields : {};
      setErrors(fields);
      if (!fields.name) setFailure(sentenceOf(problem));
      void onDone();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={m.productions.renameTitle} open={!!production} onClose={onClose}>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={page.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField label={m.productions.name} name="name" value={name} onChange={setName} isRequired autoFocus {...limits.ProductionForm.name} />
        <DialogFoot>
          <Button onPress={onClose}>{m.common.cancel}</Button>
          <Button type="submit" tone="primary" busy={busy}>
            {m.common.rename}
          </Button>
        </DialogFoot>
      </Form>
    </Dialog>
  );
}
