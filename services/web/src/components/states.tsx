// Empty, loading, failed; and what state a thing is in, never by colour alone.

import { useRouter } from "@tanstack/react-router";
import { Ban, CircleCheck, CircleX, LoaderCircle, SearchX, Unplug, type LucideIcon } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import { isNotFound, OfflineError, ProblemError, sentenceOf } from "../api/problem";
import type { AssetStatus } from "../api/types";
import { m } from "../messages";
import { Button, buttonClass } from "./controls";
import css from "./states.module.css";

interface EmptyProps {
  icon: LucideIcon;
  title: string;
  text: string;
  heading?: "h1" | "h2";
  children?: ReactNode;
  detail?: string | undefined;
}

export function Empty({ icon: Icon, title, text, heading: Heading = "h2", children, detail }: EmptyProps) {
  return (
    <div className={css.empty}>
      <Icon size={32} strokeWidth={1.5} aria-hidden />
      <Heading className={css.emptyTitle}>{title}</Heading>
      <p className={css.emptyText}>{text}</p>
      {children && <div className={css.emptyActions}>{children}</div>}
      {detail && (
        <details className={css.detail}>
          <summary>{m.errors.technical}</summary>
          <pre>{detail}</pre>
        </details>
      )}
    </div>
  );
}

export function NotFound() {
  return (
    <Empty icon={SearchX} heading="h1" title={m.errors.notFoundTitle} text={m.errors.notFound}>
      <a className={buttonClass("primary")} href="/productions">
        {m.errors.toProductions}
      </a>
    </Empty>
  );
}

/** A part that could not be loaded, or the page that is not there. */
export function Failed({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  const router = useRouter();
  if (isNotFound(error)) return <NotFound />;
  const detail = error instanceof ProblemError && error.problem.request_id ? m.common.requestId(error.problem.request_id) : undefined;
  return (
    <Empty icon={error instanceof OfflineError ? Unplug : CircleX} title={m.errors.failedToLoad(what)} text={sentenceOf(error)} detail={detail}>
      <Button tone="primary" onPress={() => (retry ? retry() : void router.invalidate())}>
        {m.common.retry}
      </Button>
    </Empty>
  );
}

/** The last net: something on the page threw. */
export function Crashed({ error }: { error: unknown }) {
  if (isNotFound(error)) return <NotFound />;
  if (error instanceof ProblemError || error instanceof OfflineError) return <Failed what={m.parts.page} error={error} />;
  return (
    <Empty icon={CircleX} heading="h1" title={m.errors.crashTitle} text={m.errors.crash} detail={error instanceof Error ? (error.stack ?? error.message) : String(error)}>
      <Button tone="primary" onPress={() => location.reload()}>
        {m.errors.reload}
      </Button>
    </Empty>
  );
}

export function Skeleton({ width, height, style }: { width?: number | string; height?: number | string; style?: CSSProperties }) {
  return <span className={css.skeleton} style={{ width, height, ...style }} aria-hidden />;
}

export function Folded({ summary, children }: { summary: string; children: string }) {
  return (
    <details className={css.folded}>
      <summary>{summary}</summary>
      <pre>{children}</pre>
    </details>
  );
}

const statusIcons: Record<AssetStatus, LucideIcon> = { processing: LoaderCircle, ready: CircleCheck, failed: CircleX, cancelled: Ban };

export function Status({ status, percent }: { status: AssetStatus; percent?: number | undefined }) {
  const Icon = statusIcons[status];
  return (
    <span className={`${css.status} ${css[status]}`}>
      <Icon size={14} aria-hidden className={status === "processing" ? css.spin : undefined} />
      <span className="num">
        {m.status[status]}
        {status === "processing" && percent !== undefined && ` ${m.library.processingPercent(percent)}`}
      </span>
    </span>
  );
}

export function Meter({ label, percent, tone }: { label: string; percent: number | undefined; tone?: "danger" | "idle" | "done" }) {
  const look = { danger: css.meterDanger, idle: css.meterIdle, done: css.meterDone };
  return (
    <div
      className={[css.meter, tone ? look[tone] : ""].join(" ")}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === undefined ? undefined : Math.floor(percent)}
    >
      <div className={css.meterFill} style={{ transform: `scaleX(${(percent ?? 0) / 100})` }} />
    </div>
  );
}
