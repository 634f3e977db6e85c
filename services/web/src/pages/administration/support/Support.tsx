// Who outside the organisation was given access to it, and giving it.

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { LifeBuoy, Plus } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "../../../api/client";
import { limits } from "../../../api/limits";
import { organisationProductionsQuery, supportGrantsQuery } from "../../../api/queries";
import type { SupportGrant } from "../../../api/types";
import { Checks } from "../../../components/Checks";
import { Button, SelectField, TextField } from "../../../components/controls";
import { FormDialog } from "../../../components/FormDialog";
import { Empty, Failed, Skeleton } from "../../../components/states";
import { Cell, Row, Table, Who } from "../../../components/Table";
import { say } from "../../../components/toasts";
import { m } from "../../../messages";
import { ago, exactInstant, instant } from "../../../messages/format";
import { useTitle } from "../../../shell/title";
import page from "../../page.module.css";
import { MODULES } from "../../tokenScope";
import { End } from "./End";
import { bodyOf, LASTS, NEW } from "./grantForm";

export function Support() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const grants = useInfiniteQuery(supportGrantsQuery(organisationId));
  const [giving, setGiving] = useState(false);
  const [ending, setEnding] = useState<SupportGrant>();
  useTitle(`${m.administration.title}: ${m.support.title}`);
  if (grants.isError && !grants.data) return <Failed what={m.parts.support} error={grants.error} retry={() => void grants.refetch()} />;
  const rows = grants.data?.pages.flatMap((part) => part.items) ?? [];
  const give = (
    <Button tone={rows.length ? "normal" : "primary"} icon={<Plus size={16} aria-hidden />} onPress={() => setGiving(true)}>
      {m.support.give}
    </Button>
  );
  return (
    <div className={page.content}>
      <section className={page.section}>
        <header>
          <div>
            <p className={page.lead}>{m.support.lead}</p>
          </div>
          {rows.length > 0 && give}
        </header>
        {grants.isPending ? (
          <Skeleton height={240} style={{ borderRadius: 8 }} />
        ) : rows.length === 0 ? (
          <Empty icon={LifeBuoy} title={m.support.none} text={m.support.noneText}>
            {give}
          </Empty>
        ) : (
          <Grants organisationId={organisationId} rows={rows} end={setEnding} />
        )}
        {grants.hasNextPage && (
          <div>
            <Button busy={grants.isFetchingNextPage} onPress={() => void grants.fetchNextPage()}>
              {m.common.loadMore}
            </Button>
          </div>
        )}
      </section>
      <Give organisationId={organisationId} open={giving} onClose={() => setGiving(false)} />
      <End organisationId={organisationId} grant={ending} onClose={() => setEnding(undefined)} />
    </div>
  );
}

function Grants({ organisationId, rows, end }: { organisationId: string; rows: SupportGrant[]; end: (grant: SupportGrant) => void }) {
  return (
    <Table
      label={m.support.title}
      columns={[
        { name: m.support.to },
        { name: m.support.reason },
        { name: m.support.state },
        { name: m.support.time },
        { name: m.support.used },
        { name: m.common.actions, quiet: true },
      ]}
    >
      {rows.map((grant) => (
        <Row key={grant.id}>
          <Cell kind="title">
            <Link to="/administration/$organisationId/support/$grantId" params={{ organisationId, grantId: grant.id }}>
              <Who name={grant.address} />
            </Link>
          </Cell>
          <Cell label={m.support.reason}>
            <Who name={grant.reason} {...(grant.given_by ? { below: `${m.support.by} ${grant.given_by}` } : {})} />
          </Cell>
          <Cell label={m.support.state} className={page.nowrap}>
            <State grant={grant} />
          </Cell>
          <Cell label={m.support.time} className={`${page.nowrap} num`}>
            <div className={page.stacked}>
              <span>{m.support.untilOnly(instant(grant.ended_at ?? grant.ends_at))}</span>
              <span>{m.support.fromOnly(instant(grant.starts_at))}</span>
            </div>
          </Cell>
          <Cell label={m.support.used} className={`${page.nowrap} num`}>
            <Used grant={grant} />
          </Cell>
          <Cell kind="actions">
            {grant.state !== "ended" && (
              <Button dense aria-label={`${m.support.end}: ${grant.address}`} onPress={() => end(grant)}>
                {m.support.end}
              </Button>
            )}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

export function State({ grant }: { grant: SupportGrant }) {
  return <span className={page.tag}>{m.support.states[grant.state]}</span>;
}

export function Used({ grant }: { grant: SupportGrant }) {
  if (!grant.first_used_at) return <span className={page.quietText}>{grant.state === "ended" ? m.support.wasNeverUsed : m.support.neverUsed}</span>;
  return <span title={exactInstant(grant.first_used_at)}>{m.support.firstUsed(ago(grant.first_used_at))}</span>;
}

function Give({ organisationId, open, onClose }: { organisationId: string; open: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const productions = useQuery({ ...organisationProductionsQuery(organisationId), enabled: open });
  return (
    <FormDialog
      title={m.support.give}
      submit={m.support.give}
      initial={NEW}
      open={open}
      onClose={onClose}
      ready={({ modules }) => modules.length > 0}
      action={async (form) => {
        const body = bodyOf(form);
        await unwrap(api.POST("/api/data/v1/organisations/{organisation_id}/support-grants", { params: { path: { organisation_id: organisationId } }, body }));
        void cache.invalidateQueries({ queryKey: ["support", organisationId] });
        void cache.invalidateQueries({ queryKey: ["audit", organisationId] });
        say(m.support.given(body.address));
      }}
    >
      {(form, change) => (
        <>
          <TextField type="email" label={m.support.address} hint={m.support.addressHint} name="address" value={form.address} onChange={(address) => change({ address })} isRequired autoFocus autoComplete="off" {...limits.SupportGrantForm.address} />
          <TextField label={m.support.reason} hint={m.support.reasonHint} name="reason" value={form.reason} onChange={(reason) => change({ reason })} isRequired autoComplete="off" {...limits.SupportGrantForm.reason} />
          <SelectField
            label={m.support.may}
            value={form.most_role}
            onChange={(most_role) => change({ most_role })}
            options={[
              { value: "reader", label: m.support.reader },
              { value: "editor", label: m.support.editor },
            ]}
          />
          <Checks label={m.support.modules} options={MODULES.map((module) => ({ value: module, label: m.modules[module] }))} chosen={form.modules} onChange={(modules) => change({ modules })} />
          <Checks
            label={m.support.productions}
            hint={m.support.productionsHint}
            options={(productions.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            chosen={form.productions}
            onChange={(chosen) => change({ productions: chosen })}
          />
          <SelectField
            label={m.support.originals}
            value={form.originals}
            onChange={(originals) => change({ originals })}
            options={[
              { value: "no", label: m.support.originalsNo },
              { value: "yes", label: m.support.originalsYes },
            ]}
          />
          <TextField type="datetime-local" label={m.support.begins} hint={m.support.beginsHint} name="starts_at" value={form.starts_at} onChange={(starts_at) => change({ starts_at })} />
          <SelectField
            label={m.support.lasts}
            value={form.ends_at}
            onChange={(ends_at) => change({ ends_at })}
            options={LASTS.map((value) => ({ value, label: m.support.lastsNames[Number(value)] ?? value }))}
          />
        </>
      )}
    </FormDialog>
  );
}
