// How far running steps are. It comes every second and is worth nothing afterwards, so it stays out of
// the query cache: only what shows a step draws itself again.

import { useCallback, useSyncExternalStore } from "react";
import type { Progress } from "../api/types";

const byKey = new Map<string, Progress>();
const listeners = new Map<string, Set<() => void>>();

function put(key: string, progress: Progress): void {
  byKey.set(key, progress);
  for (const listener of listeners.get(key) ?? []) listener();
}

export function setProgress(stepId: string, assetId: string, progress: Progress): void {
  put(stepId, progress);
  put(assetId, progress);
}

/** The newest progress of a step, or of the step that is running for an asset. */
export function useProgress(id: string): Progress | undefined {
  const subscribe = useCallback(
    (listener: () => void) => {
      const known = listeners.get(id) ?? new Set();
      listeners.set(id, known.add(listener));
      return () => known.delete(listener);
    },
    [id],
  );
  return useSyncExternalStore(subscribe, () => byKey.get(id));
}
