// One asset: watch it, know what it is, see what is being done with it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCanGoBack, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { ArrowLeft, CircleX, Download, EllipsisVertical, LoaderCircle, Pencil, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { assetQuery, assetRunsQuery, productionQuery } from "../../api/queries";
import type { AssetDetail } from "../../api/types";
import { buttonClass, IconButton, TextField } from "../../components/controls";
import { ActionMenu, Confirm } from "../../components/dialogs";
import { FormDialog } from "../../components/FormDialog";
import { Failed, Skeleton, Status } from "../../components/states";
import states from "../../components/states.module.css";
import { say } from "../../components/toasts";
import { useProgress } from "../../live/progress";
import { Clock, clockOf } from "../../media/clock";
import { m } from "../../messages";
import { size } from "../../messages/format";
import { useTitle } from "../../shell/title";
import { kindIcons } from "../library/Assets";
import { mayDownload, mayEdit, mayRemove } from "../permissions";
import css from "./AssetPage.module.css";
import { Information } from "./Information";
import { Player } from "./Player";
import { Runs } from "./Runs";

export function AssetPage() {
  const { productionId, assetId } = useParams({ from: "/app/productions/$productionId/assets/$assetId" });
  const search = useSearch({ from: "/app/productions/$productionId/assets/$assetId" });
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const production = useQuery(productionQuery(productionId)).data;
  const { data: asset, error, refetch } = useQuery(assetQuery(assetId));
  const runs = useQuery(assetRunsQuery(assetId));
  const progress = useProgress(assetId);
  const [renaming, setRenaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const cache = useQueryClient();
  useTitle(asset?.name);

  const toLibrary = () => {
    // Back keeps the list as it was: its filters, its place.
    if (canGoBack) router.history.back();
    else void navigate({ to: "/productions/$productionId/library", params: { productionId } });
  };

  if (error && !asset) return <Failed what={m.parts.asset} error={error} retry={() => void refetch()} />;
  if (!asset || !production) return <PageSkeleton />;

  const percent = asset.status === "processing" && progress?.fraction != null ? progress.fraction * 100 : undefined;
  const tab = search.tab ?? "information";
  return (
    <div className={css.page}>
      <header className={css.head}>
        <IconButton label={m.asset.backToLibrary} onPress={toLibrary}>
          <ArrowLeft size={16} />
        </IconButton>
        <div className={css.titleBlock}>
          <h1 className="truncate" title={asset.name} dir="auto">
            {asset.name}
          </h1>
          <div className={`${css.sub} num`}>
            <Status status={asset.status} percent={percent} />
            <span>{size(asset.size_bytes)}</span>
          </div>
        </div>
        {mayDownload(production) && (
          <a className={`${buttonClass()} ${css.download}`} href={asset.original_url} download aria-label={m.asset.download}>
            <Download size={16} aria-hidden />
            <span>{m.asset.download}</span>
          </a>
        )}
        {mayEdit(production) && (
          <ActionMenu
            label={m.common.actions}
            trigger={
              <IconButton label={m.common.actions}>
                <EllipsisVertical size={16} />
              </IconButton>
            }
            entries={[
              { id: "rename", label: m.asset.rename, icon: <Pencil size={16} />, action: () => setRenaming(true) },
              ...(mayRemove(production) ? ["-" as const, { id: "remove", label: m.asset.remove, icon: <Trash2 size={16} />, danger: true, action: () => setRemoving(true) }] : []),
            ]}
          />
        )}
      </header>
      <div className={css.body}>
        <div className={css.stageColumn}>
          <Stage asset={asset} t={search.t} onPosition={(t) => void navigate({ to: ".", search: (old) => ({ ...old, t }), replace: true })} />
        </div>
        <Tabs
          className={css.side ?? ""}
          selectedKey={tab}
          onSelectionChange={(key) => void navigate({ to: ".", search: (old) => ({ ...old, tab: key === "processing" ? "processing" : undefined }), replace: true })}
        >
          <TabList className={css.tabs ?? ""} aria-label={m.common.details}>
            <Tab id="information" className={css.tab ?? ""}>
              {m.asset.information}
            </Tab>
            <Tab id="processing" className={css.tab ?? ""}>
              {m.asset.processing}
              {asset.status === "processing" && <LoaderCircle size={14} className={states.spin} aria-hidden />}
              {asset.status === "failed" && <CircleX size={14} className={css.tabFailed} aria-hidden />}
            </Tab>
          </TabList>
          <TabPanel id="information" className={css.tabPanel ?? ""}>
            <Information asset={asset} />
          </TabPanel>
          <TabPanel id="processing" className={css.tabPanel ?? ""}>
            <Runs runs={runs.data} error={runs.error} retry={() => void runs.refetch()} mayEdit={mayEdit(production)} />
          </TabPanel>
        </Tabs>
      </div>
      <FormDialog
        title={m.asset.renameTitle}
        submit={m.common.rename}
        initial={{ name: asset.name }}
        open={renaming}
        onClose={() => setRenaming(false)}
        action={async ({ name }) => {
          const params = { path: { asset_id: asset.id }, header: ifMatch(asset.revision) };
          try {
            const changed = await unwrap(api.PATCH("/api/data/v1/assets/{asset_id}", { params, body: { name: name.trim() } }));
            cache.setQueryData(assetQuery(asset.id).queryKey, changed);
            say(m.asset.renamed);
          } catch (problem) {
            void cache.invalidateQueries({ queryKey: ["asset", asset.id] });
            throw problem;
          }
        }}
      >
        {({ name }, change) => <TextField label={m.common.name} name="name" value={name} onChange={(next) => change({ name: next })} isRequired autoFocus {...limits.AssetChange.name} />}
      </FormDialog>
      <Confirm
        title={m.asset.removeTitle(asset.name)}
        text={m.library.removeText}
        confirm={m.common.remove}
        open={removing}
        onClose={() => setRemoving(false)}
        action={async () => {
          await unwrap(api.DELETE("/api/data/v1/assets/{asset_id}", { params: { path: { asset_id: asset.id }, header: ifMatch(asset.revision) } }));
          say(m.library.removed(1));
          await navigate({ to: "/productions/$productionId/library", params: { productionId }, replace: true });
          void cache.invalidateQueries({ queryKey: ["assets", productionId] });
        }}
      />
    </div>
  );
}

function Stage({ asset, t, onPosition }: { asset: AssetDetail; t: string | undefined; onPosition: (t: string | undefined) => void }) {
  const { technical, analysis } = asset.version ?? {};
  const proxy = asset.derivatives.find((one) => one.kind === "proxy");
  const poster = asset.derivatives.find((one) => one.kind === "poster");
  const { kind, duration_us, version } = asset;
  // Not with every change of the asset: a new clock starts the player anew.
  const clock = useMemo(() => clockOf({ kind, duration_us, version }) ?? new Clock(null, null, 0), [kind, duration_us, version]);
  if (asset.kind === "still" && poster) {
    return (
      <div className={css.still}>
        <img src={poster.url} alt={asset.name} />
      </div>
    );
  }
  if (!proxy) {
    const Icon = kindIcons[asset.kind];
    return (
      <div className={css.unplayable}>
        <Icon size={40} strokeWidth={1.25} aria-hidden />
        {/* Its status stands above: here is what it means. */}
        {asset.failure && <strong>{asset.failure.message}</strong>}
        <p>{m.asset.notPlayable[asset.status]}</p>
      </div>
    );
  }
  const link = (wanted: string) => asset.derivatives.find((one) => one.kind === wanted)?.url;
  return (
    <Player
      key={proxy.url}
      name={asset.name}
      src={proxy.url}
      poster={poster?.url}
      filmstrip={link("filmstrip")}
      filmstripIndex={link("filmstrip_index")}
      waveform={link("waveform")}
      clock={clock}
      isVideo={!!technical?.video && asset.kind === "video"}
      aspect={analysis?.proxy_width && analysis.proxy_height ? analysis.proxy_width / analysis.proxy_height : 16 / 9}
      shotChanges={analysis?.shot_changes ?? []}
      startAt={t}
      onPosition={onPosition}
    />
  );
}

function PageSkeleton() {
  return (
    <div className={css.page} aria-busy="true" aria-label={m.common.loading} role="status">
      <header className={css.head}>
        <div className={css.titleBlock}>
          <Skeleton width={280} height={16} />
          <Skeleton width={120} height={12} style={{ marginTop: 8 }} />
        </div>
      </header>
      <div className={css.body}>
        <div className={css.stageColumn} />
        <div className={css.side}>
          <div className={css.tabPanel}>
            {Array.from({ length: 12 }, (_, index) => (
              <Skeleton key={index} height={16} style={{ marginBottom: 8 }} />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
