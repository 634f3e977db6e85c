// What was and is being done with an asset: each run with its steps.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Ban, CircleCheck, CircleDashed, CircleX, Clock3, LoaderCircle, type LucideIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { api, unwrap } from "../../api/client";
import { sentenceOf } from "../../api/problem";
import type { Run, Step, StepState } from "../../api/types";
import { Button } from "../../components/controls";
import { Failed, Folded, Meter, Skeleton } from "../../components/states";
import states from "../../components/states.module.css";
import { say } from "../../components/toasts";
import { applyRun } from "../../live/events";
import { useProgress } from "../../live/progress";
import { m } from "../../messages";
import { exactInstant, roughSpan, span } from "../../messages/format";
import css from "./AssetPage.module.css";

const icons: Record<StepState, LucideIcon> = {
  blocked: CircleDashed,
  waiting: Clock3,
  queued: Clock3,
  running: LoaderCircle,
  done: CircleCheck,
  failed: CircleX,
  cancelled: Ban,
};

interface RunsProps {
  runs: Run[] | undefined;
  error: unknown;
  retry: () => void;
  mayEdit: boolean;
}

export function Runs({ runs, error, retry, mayEdit }: RunsProps) {
  if (error && !runs) return <Failed what={m.parts.runs} error={error} retry={retry} />;
  if (!runs) {
    return (
      <div aria-busy="true">
        {[0, 1, 2].map((index) => (
          <Skeleton key={index} height={36} style={{ marginBottom: 16 }} />
        ))}
      </div>
    );
  }
  if (runs.length === 0) return <p>{m.run.none}</p>;
  return (
    <div>
      {runs.map((run) => (
        <RunView key={run.id} run={run} mayEdit={mayEdit} />
      ))}
    </div>
  );
}

/** Counts on while something runs. */
function useNow(active: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}

function RunView({ run, mayEdit }: { run: Run; mayEdit: boolean }) {
  const cache = useQueryClient();
  const now = useNow(run.state === "active");
  const onSuccess = (changed: Run) => applyRun(cache, run.production_id, changed);
  const onError = (error: unknown) => {
    say(sentenceOf(error), { danger: true });
    void cache.invalidateQueries({ queryKey: ["asset-runs", run.asset_id] });
  };
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST("/api/data/v1/runs/{run_id}/cancel", { params: { path: { run_id: run.id } } })),
    onSuccess,
    onError,
  });
  const restart = useMutation({
    mutationFn: (step_id: string) => unwrap(api.POST("/api/data/v1/runs/{run_id}/steps/{step_id}/restart", { params: { path: { run_id: run.id, step_id } } })),
    onSuccess,
    onError,
  });
  const cancelling = !!run.cancel_requested_at && run.state === "active";
  const seconds = run.finished_at ? (Date.parse(run.finished_at) - Date.parse(run.created_at)) / 1000 : undefined;
  return (
    <section className={css.run} aria-label={`${m.run.ingest}, ${m.runStates[run.state]}`}>
      <div className={css.runHead}>
        <div>
          <h2>
            {run.workflow === "ingest" ? m.run.ingest : run.workflow}: {m.runStates[run.state]}
          </h2>
          <p className="num">
            {m.run.started(exactInstant(run.created_at))}
            {seconds !== undefined && run.state === "done" && `, ${m.run.doneIn(span(seconds))}`}
          </p>
        </div>
        {mayEdit && run.state === "active" && (
          <Button dense isDisabled={cancelling} busy={cancel.isPending} onPress={() => cancel.mutate()}>
            {cancelling ? m.run.cancelling : m.run.cancel}
          </Button>
        )}
      </div>
      <ol>
        {run.steps.map((step) => (
          <StepView key={step.id} step={step} now={now} restart={mayEdit ? () => restart.mutate(step.id) : undefined} busy={restart.isPending && restart.variables === step.id} />
        ))}
      </ol>
    </section>
  );
}

function StepView({ step, now, restart, busy }: { step: Step; now: number; restart: (() => void) | undefined; busy: boolean }) {
  const live = useProgress(step.id);
  const progress = step.state === "running" ? (live ?? step.progress) : undefined;
  const percent = progress?.fraction == null ? undefined : progress.fraction * 100;
  const Icon = icons[step.state];
  const started = step.started_at ? Date.parse(step.started_at) : undefined;
  const took = started === undefined ? undefined : ((step.finished_at ? Date.parse(step.finished_at) : now) - started) / 1000;
  const text = {
    blocked: m.stepStates.blocked,
    waiting: m.stepStates.waiting,
    queued: m.stepStates.queued,
    running: [percent === undefined ? m.stepStates.running : m.run.percent(percent), took !== undefined && m.run.runningFor(roughSpan(took))].filter(Boolean).join(", "),
    done: took === undefined ? m.stepStates.done : m.run.doneIn(span(took)),
    failed: took === undefined ? m.stepStates.failed : m.run.failedAfter(span(took)),
    cancelled: m.stepStates.cancelled,
  }[step.state];
  const right = [
    progress?.speed != null && m.run.speed(progress.speed),
    progress?.remaining_seconds != null && m.run.left(roughSpan(progress.remaining_seconds)),
    step.state !== "running" && step.attempt > 1 && m.run.attempt(step.attempt),
  ].filter(Boolean);
  return (
    <li className={css.step} data-step={step.kind} data-state={step.state}>
      <span className={css.stepIcon} data-state={step.state}>
        <Icon size={16} aria-hidden className={step.state === "running" ? states.spin : undefined} />
      </span>
      <div className={css.stepBody}>
        <span className={css.stepName}>{m.steps[step.kind]}</span>
        {step.state === "running" && <Meter label={m.steps[step.kind]} percent={percent} />}
        <span className={`${css.stepText} num`}>
          <span>{text}</span>
          <span>{right.join(" · ")}</span>
        </span>
        {step.failure && step.state === "failed" && (
          <>
            <p className={css.stepFailure}>{step.failure.message}</p>
            {(step.failure.detail || step.worker) && (
              <Folded summary={m.run.detail}>{[step.failure.detail, step.worker && m.run.onWorker(step.worker)].filter(Boolean).join("\n")}</Folded>
            )}
          </>
        )}
        {restart && (step.state === "failed" || step.state === "cancelled") && (
          <div className={css.stepActions}>
            <Button dense busy={busy} onPress={restart}>
              {m.run.restart}
            </Button>
          </div>
        )}
      </div>
    </li>
  );
}
