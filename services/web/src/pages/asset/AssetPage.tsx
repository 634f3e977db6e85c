// One asset: watch it, know what it is, see what is being done with it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCanGoBack, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { ArrowLeft, Download, EllipsisVertical, Pencil, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { Form, Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { api, ifMatch, unwrap } from "../../api/client";
import { limits } from "../../api/limits";
import { ProblemError, sentenceOf } from "../../api/problem";
import { assetQuery, assetRunsQuery, productionQuery } from "../../api/queries";
import type { AssetDetail } from "../../api/types";
import { Button, buttonClass, IconButton, Notice, TextField } from "../../components/controls";
import { ActionMenu, Confirm, Dialog, DialogFoot } from "../../components/dialogs";
import { Failed, Skeleton, Status } from "../../components/states";
import { say } from "../../components/toasts";
import { useProgress } from "../../live/progress";
import { Clock } from "../../media/clock";
import { m } from "../../messages";
import { size } from "../../messages/format";
import { useTitle } from "../../shell/title";
import { kindIcons } from "../library/Assets";
import { mayEdit, mayRemove } from "../ProductionFrame";
import page from "../page.module.css";
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
        <a className={`${buttonClass()} ${css.wideOnly}`} href={asset.original_url} download>
          <Download size={16} aria-hidden />
          {m.asset.download}
        </a>
        <ActionMenu
          label={m.common.actions}
          trigger={
            <IconButton label={m.common.actions}>
              <EllipsisVertical size={16} />
            </IconButton>
          }
          entries={[
            { id: "download", label: m.asset.download, icon: <Download size={16} />, action: () => download(asset.original_url) },
            { id: "rename", label: m.asset.rename, icon: <Pencil size={16} />, disabled: !mayEdit(production), action: () => setRenaming(true) },
            "-",
            { id: "remove", label: m.asset.remove, icon: <Trash2 size={16} />, danger: true, disabled: !mayRemove(production), action: () => setRemoving(true) },
          ]}
        />
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
              {asset.status !== "ready" && <span className={page.tag}>{m.status[asset.status]}</span>}
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
      <Rename asset={asset} open={renaming} onClose={() => setRenaming(false)} />
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

function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}

function Stage({ asset, t, onPosition }: { asset: AssetDetail; t: string | undefined; onPosition: (t: string | undefined) => void }) {
  const { technical, analysis } = asset.version ?? {};
  const proxy = asset.derivatives.find(({ kind }) => kind === "proxy");
  const poster = asset.derivatives.find(({ kind }) => kind === "poster");
  const duration = analysis?.proxy_duration_us ?? asset.duration_us ?? 0;
  const clock = useMemo(
    () => new Clock(analysis?.proxy_frame_rate ?? (technical?.video ? technical.video.frame_rate : null), technical?.start_timecode, duration, analysis?.proxy_frames),
    [analysis, technical, duration],
  );
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
        <strong>{asset.failure?.message ?? m.status[asset.status]}</strong>
        {asset.status !== "ready" && <p>{m.asset.notPlayable[asset.status]}</p>}
      </div>
    );
  }
  const link = (wanted: string) => asset.derivatives.find(({ kind }) => kind === wanted)?.url;
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

function Rename({ asset, open, onClose }: { asset: AssetDetail; open: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const [name, setName] = useState(asset.name);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setErrors({});
    setFailure(undefined);
    try {
      const changed = await unwrap(
        api.PATCH("/api/data/v1/assets/{asset_id}", { params: { path: { asset_id: asset.id }, header: ifMatch(asset.revision) }, body: { name: name.trim() } }),
      );
      cache.setQueryData(assetQuery(asset.id).queryKey, changed);
      say(m.asset.renamed);
      onClose();
    } catch (problem) {
      const fields = problem instanceof ProblemError ? problem.fields : {};
      setErrors(fields);
      if (!fields.name) setFailure(sentenceOf(problem));
      void cache.invalidateQueries({ queryKey: ["asset", asset.id] });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={m.asset.renameTitle} open={open} onClose={onClose}>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={page.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField label={m.common.name} name="name" value={name} onChange={setName} isRequired autoFocus {...limits.AssetChange.name} />
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
