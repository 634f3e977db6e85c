// The activity tray: uploads and processing, wherever one is. One line when folded.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronUp, CircleAlert, CircleCheck, FileUp, LoaderCircle, Pause, Play, RotateCw, X } from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { activeRunsQuery, assetQuery } from "../api/queries";
import type { Run } from "../api/types";
import { Button, IconButton } from "../components/controls";
import { Confirm } from "../components/dialogs";
import { Meter } from "../components/states";
import states from "../components/states.module.css";
import { say } from "../components/toasts";
import { useProgress } from "../live/progress";
import { m } from "../messages";
import { ago, roughSpan, size } from "../messages/format";
import { chooseFiles, uploads, type UploadItem } from "../uploads/manager";
import css from "./Tray.module.css";

const attention = (item: UploadItem) => ["needs-file", "needs-permission", "failed"].includes(item.state);
const underWay = (item: UploadItem) => ["waiting", "uploading", "offline", "paused"].includes(item.state);

export function useUploads(): readonly UploadItem[] {
  return useSyncExternalStore(uploads.subscribe, uploads.items);
}

function useActiveRuns(productionId: string | undefined): readonly Run[] {
  const { data } = useQuery({ ...activeRunsQuery(productionId ?? ""), enabled: !!productionId });
  return data ?? [];
}

export function useActivityCount(productionId: string | undefined): number {
  const items = useUploads();
  return items.filter((item) => item.state !== "complete").length + useActiveRuns(productionId).length;
}

interface TrayProps {
  open: boolean;
  setOpen: (open: boolean) => void;
  productionId: string | undefined;
}

export function Tray({ open, setOpen, productionId }: TrayProps) {
  const items = useUploads();
  const runs = useActiveRuns(productionId);
  const [cancelling, setCancelling] = useState<UploadItem>();
  if (!open && items.length === 0 && runs.length === 0) return null;

  return <Shown open={open} setOpen={setOpen} items={items} runs={runs} cancelling={cancelling} setCancelling={setCancelling} />;
}

/** How long the finished list is left open to be read. */
const LINGER_MS = 6000;

/** Folds once everything is done, unless somebody is at it. */
function useFoldWhenDone(busy: boolean, open: boolean, setOpen: (open: boolean) => void) {
  const tray = useRef<HTMLElement>(null);
  const wasBusy = useRef(busy);
  useEffect(() => {
    const ended = wasBusy.current && !busy;
    wasBusy.current = busy;
    if (!ended || !open) return;
    let timer: ReturnType<typeof setTimeout>;
    const fold = () => {
      if (tray.current?.matches(":hover, :focus-within")) timer = setTimeout(fold, LINGER_MS);
      else setOpen(false);
    };
    timer = setTimeout(fold, LINGER_MS);
    return () => clearTimeout(timer);
  }, [busy, open, setOpen]);
  return tray;
}

interface ShownProps {
  open: boolean;
  setOpen: (open: boolean) => void;
  items: readonly UploadItem[];
  runs: readonly Run[];
  cancelling: UploadItem | undefined;
  setCancelling: (item: UploadItem | undefined) => void;
}

function Shown({ open, setOpen, items, runs, cancelling, setCancelling }: ShownProps) {
  const busy = runs.length > 0 || items.some((item) => item.state !== "complete");
  const tray = useFoldWhenDone(busy, open, setOpen);
  const running = items.filter(underWay);
  const total = running.reduce((sum, item) => sum + item.size, 0);
  const sent = running.reduce((sum, item) => sum + item.sent, 0);
  const waitingForPerson = items.filter(attention).length;
  const done = items.filter((item) => item.state === "complete").length;
  const summary =
    [
      running.length > 0 && m.activity.summaryUploads(running.length),
      runs.length > 0 && m.activity.summaryRuns(runs.length),
      running.length + runs.length === 0 && done > 0 && m.activity.summaryDone(done),
    ]
      .filter(Boolean)
      .join(" · ") || (waitingForPerson ? "" : m.activity.idle);

  const confirm = (
    <Confirm
      title={m.activity.cancelTitle(cancelling?.fileName ?? "")}
      text={m.activity.cancelText}
      confirm={m.activity.cancel}
      cancel={m.activity.keep}
      open={!!cancelling}
      onClose={() => setCancelling(undefined)}
      action={async () => {
        if (cancelling) await uploads.cancel(cancelling.id);
      }}
    />
  );

  if (!open) {
    return (
      <section ref={tray} className={`${css.tray} ${css.folded}`} aria-label={m.activity.title}>
        <div className={css.head}>
          <button type="button" className={css.line} onClick={() => setOpen(true)}>
            {waitingForPerson > 0 ? (
              <CircleAlert size={16} className={css.attention} aria-hidden />
            ) : busy ? (
              <FileUp size={16} aria-hidden />
            ) : (
              <CircleCheck size={16} className={css.done} aria-hidden />
            )}
            <span className="truncate num">
              {waitingForPerson > 0 && <span className={css.attention}>{m.activity.summaryAttention(waitingForPerson)}</span>}
              {waitingForPerson > 0 && summary && " · "}
              {summary}
            </span>
            {running.length > 0 && (
              <span className={css.lineMeter}>
                <Meter label={m.activity.uploads} percent={total ? (sent / total) * 100 : 0} />
              </span>
            )}
          </button>
          <IconButton dense label={m.activity.open} onPress={() => setOpen(true)}>
            <ChevronUp size={16} />
          </IconButton>
          {!busy && (
            <IconButton dense label={m.activity.close} onPress={() => uploads.clearDone()}>
              <X size={16} />
            </IconButton>
          )}
        </div>
        {confirm}
      </section>
    );
  }

  const canPause = items.some((item) => ["waiting", "uploading", "offline"].includes(item.state));
  const canResume = !canPause && items.some((item) => item.state === "paused");
  return (
    <section ref={tray} className={css.tray} aria-label={m.activity.title}>
      <div className={css.head}>
        <h2 className={css.title}>{m.activity.title}</h2>
        {done > 0 && (
          <Button dense tone="quiet" onPress={() => uploads.clearDone()}>
            {m.activity.clearDone}
          </Button>
        )}
        {(canPause || canResume) && items.length > 1 && (
          <Button dense tone="quiet" onPress={() => (canPause ? uploads.pauseAll() : uploads.resumeAll())}>
            {canPause ? m.activity.pauseAll : m.activity.resumeAll}
          </Button>
        )}
        <IconButton dense label={m.activity.fold} onPress={() => setOpen(false)}>
          <ChevronDown size={16} />
        </IconButton>
        {!busy && (
          <IconButton
            dense
            label={m.activity.close}
            onPress={() => {
              uploads.clearDone();
              setOpen(false);
            }}
          >
            <X size={16} />
          </IconButton>
        )}
      </div>
      <div className={css.body}>
        {items.length === 0 && runs.length === 0 && <p className={css.empty}>{m.activity.emptyText}</p>}
        {items.length > 0 && (
          <>
            <h3 className={css.section}>
              <span>{m.activity.uploads}</span>
            </h3>
            <ul>
              {items.map((item) => (
                <UploadRow key={item.id} item={item} onCancel={() => setCancelling(item)} />
              ))}
            </ul>
          </>
        )}
        {runs.length > 0 && (
          <>
            <h3 className={css.section}>
              <span>{m.activity.processing}</span>
            </h3>
            <ul>
              {runs.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </ul>
          </>
        )}
      </div>
      {confirm}
    </section>
  );
}

function UploadRow({ item, onCancel }: { item: UploadItem; onCancel: () => void }) {
  const percent = item.size ? (item.sent / item.size) * 100 : 0;
  const text: Record<UploadItem["state"], string> = {
    waiting: m.activity.waiting,
    uploading: m.activity.uploading(size(item.sent), size(item.size)),
    offline: m.activity.offline,
    paused: `${m.activity.paused} · ${m.activity.uploading(size(item.sent), size(item.size))}`,
    "needs-file": "",
    "needs-permission": "",
    failed: m.activity.failed,
    complete: `${m.activity.complete} · ${size(item.size)}`,
  };
  const choose = async () => {
    const [chosen] = await chooseFiles({ multiple: false });
    if (chosen && !uploads.supply(item.id, chosen.file)) say(m.activity.wrongFile(item.fileName), { danger: true });
  };
  const needs = item.state === "needs-file" || item.state === "needs-permission";
  return (
    <li className={[css.row, item.state === "complete" ? css.good : ""].join(" ")} data-upload={item.state}>
      {item.state === "complete" ? <CircleCheck size={16} aria-hidden /> : attention(item) ? <CircleAlert size={16} aria-hidden className={css.attention} /> : <FileUp size={16} aria-hidden />}
      <span className={`${css.rowName} truncate`} title={item.fileName}>
        {item.fileName}
      </span>
      <span className={css.rowActions}>
        {["waiting", "uploading", "offline"].includes(item.state) && (
          <IconButton dense label={m.activity.pause} onPress={() => uploads.pause(item.id)}>
            <Pause size={14} />
          </IconButton>
        )}
        {item.state === "paused" && (
          <IconButton dense label={m.activity.resume} onPress={() => uploads.resume(item.id)}>
            <Play size={14} />
          </IconButton>
        )}
        {item.state === "failed" && (
          <IconButton dense label={m.activity.retry} onPress={() => uploads.resume(item.id)}>
            <RotateCw size={14} />
          </IconButton>
        )}
        {item.state === "complete" && item.assetId && (
          <Link className={css.rowName} to="/productions/$productionId/assets/$assetId" params={{ productionId: item.productionId, assetId: item.assetId }}>
            {m.activity.openAsset}
          </Link>
        )}
        {item.state === "complete" ? (
          <IconButton dense label={m.activity.dismiss} onPress={() => uploads.dismiss(item.id)}>
            <X size={14} />
          </IconButton>
        ) : (
          <IconButton dense label={m.activity.cancel} onPress={onCancel}>
            <X size={14} />
          </IconButton>
        )}
      </span>
      {needs ? (
        <div className={css.rowAsk}>
          <strong>{item.state === "needs-file" ? m.activity.needsFile : m.activity.needsPermission}</strong>
          <span>
            {item.elsewhere ? m.activity.begunElsewhere(ago(item.createdAt)) : m.activity.needsFileHint} {m.activity.sentSoFar(size(item.sent), size(item.size))}
          </span>
          <Button dense onPress={() => void (item.state === "needs-file" ? choose() : uploads.allow(item.id))}>
            {item.state === "needs-file" ? m.activity.chooseFile : m.activity.allow}
          </Button>
        </div>
      ) : (
        <>
          {item.state !== "complete" && (
            <div className={css.rowMeter}>
              <Meter label={item.fileName} percent={percent} {...(item.state === "failed" ? { tone: "danger" } : item.state === "uploading" ? {} : { tone: "idle" })} />
            </div>
          )}
          <div className={`${css.rowText} num`}>
            <span className={item.state === "failed" ? css.bad : undefined}>
              {text[item.state]}
              {item.failure && `. ${item.failure}`}
            </span>
            {item.bytesPerSecond !== undefined && item.state === "uploading" && (
              <span>
                {m.activity.speed(size(item.bytesPerSecond))}
                {item.secondsLeft !== undefined && Number.isFinite(item.secondsLeft) && ` · ${m.activity.left(roughSpan(item.secondsLeft))}`}
              </span>
            )}
          </div>
        </>
      )}
    </li>
  );
}

function RunRow({ run }: { run: Run }) {
  const current = run.steps.find((step) => step.state === "running") ?? run.steps.find((step) => step.state === "queued" || step.state === "waiting");
  const live = useProgress(current?.id ?? "");
  const progress = live ?? current?.progress ?? undefined;
  const percent = current?.state === "running" && progress?.fraction != null ? progress.fraction * 100 : undefined;
  const name = useQuery(assetQuery(run.asset_id)).data?.name ?? "…";
  return (
    <li className={css.row}>
      <LoaderCircle size={16} className={states.spin} aria-hidden />
      <Link className={`${css.rowName} truncate`} to="/productions/$productionId/assets/$assetId" params={{ productionId: run.production_id, assetId: run.asset_id }} search={{ tab: "processing" }}>
        {name}
      </Link>
      <span className={`${css.rowPercent} num`}>{percent !== undefined && m.run.percent(percent)}</span>
      <div className={css.rowMeter}>
        <Meter label={name} percent={percent} />
      </div>
      <div className={`${css.rowText} num`}>
        <span>{current && (current.state === "running" ? m.steps[current.kind] : `${m.steps[current.kind]}: ${m.stepStates[current.state]}`)}</span>
        <span>
          {progress?.speed != null && m.run.speed(progress.speed)}
          {progress?.remaining_seconds != null && ` · ${m.run.left(roughSpan(progress.remaining_seconds))}`}
        </span>
      </div>
    </li>
  );
}
