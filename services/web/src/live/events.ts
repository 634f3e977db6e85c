// What others change appears here: one stream of server-sent events for the production that is open.
// The browser reconnects by itself and the server replays what was missed (Last-Event-ID).

import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Asset, Progress, Run } from "../api/types";
import { renewSession } from "../api/renewal";
import { setProgress } from "./progress";

interface AssetPage {
  items: Asset[];
  next_cursor?: string | null;
  total?: number;
}

type Assets = InfiniteData<AssetPage>;

/** A changed asset in every list that has it. Its place stays: rows do not move under the pointer. */
export function patchAsset(data: Assets | undefined, asset: Asset): Assets | undefined {
  let found = false;
  const pages = data?.pages.map((page) => {
    const at = page.items.findIndex((item) => item.id === asset.id);
    if (at < 0) return page;
    found = true;
    return { ...page, items: page.items.with(at, { ...page.items[at], ...asset }) };
  });
  return data && found && pages ? { ...data, pages } : data;
}

export function dropAsset(data: Assets | undefined, id: string): Assets | undefined {
  if (!data?.pages.some((page) => page.items.some((item) => item.id === id))) return data;
  return {
    ...data,
    pages: data.pages.map((page) => ({
      ...page,
      ...(page.total === undefined ? {} : { total: Math.max(0, page.total - 1) }),
      items: page.items.filter((item) => item.id !== id),
    })),
  };
}

/** Puts assets that came meanwhile at the head of a list. */
export function prependAssets(data: Assets | undefined, assets: Asset[]): Assets | undefined {
  const [first, ...rest] = data?.pages ?? [];
  if (!data || !first) return data;
  const known = new Set(data.pages.flatMap((page) => page.items.map((item) => item.id)));
  const fresh = assets.filter((asset) => !known.has(asset.id));
  return {
    ...data,
    pages: [{ ...first, ...(first.total === undefined ? {} : { total: first.total + fresh.length }), items: [...fresh, ...first.items] }, ...rest],
  };
}

export function has(data: Assets | undefined, id: string): boolean {
  return data?.pages.some((page) => page.items.some((item) => item.id === id)) ?? false;
}

type NewAssetListener = (asset: Asset) => void;
const newAssetListeners = new Map<string, Set<NewAssetListener>>();

/** Tells of assets that no cached list has yet. */
export function onNewAsset(productionId: string, listener: NewAssetListener): () => void {
  const listeners = newAssetListeners.get(productionId) ?? new Set();
  newAssetListeners.set(productionId, listeners.add(listener));
  return () => listeners.delete(listener);
}

export function applyAsset(cache: QueryClient, productionId: string, asset: Asset): void {
  cache.setQueriesData<Assets>({ queryKey: ["assets", productionId] }, (data) => patchAsset(data, asset));
  // The whole asset (with its version and links) is more than the event carries.
  void cache.invalidateQueries({ queryKey: ["asset", asset.id] });
  for (const listener of newAssetListeners.get(productionId) ?? []) listener(asset);
}

export function applyRun(cache: QueryClient, productionId: string, run: Run): void {
  const put = (runs: Run[] | undefined, keepFinal: boolean) => {
    if (!runs) return runs;
    const at = runs.findIndex(({ id }) => id === run.id);
    if (run.state !== "active" && !keepFinal) return runs.filter(({ id }) => id !== run.id);
    return at < 0 ? [run, ...runs] : runs.with(at, run);
  };
  cache.setQueryData<Run[]>(["asset-runs", run.asset_id], (runs) => put(runs, true));
  cache.setQueryData<Run[]>(["active-runs", productionId], (runs) => put(runs, false));
}

/** What a stream of events says, applied to the cache. */
function follow(source: EventSource, cache: QueryClient, productionId: string): void {
  const listen = <T,>(name: string, act: (data: T) => void) =>
    source.addEventListener(name, (event) => act(JSON.parse((event as MessageEvent<string>).data) as T));

  // What is not kept any more for a replay has to be read anew.
  listen("reset", () => void cache.invalidateQueries());
  // Lists that were read before the stream stood may lack what happened in between.
  listen("ready", () => {
    void cache.invalidateQueries({ queryKey: ["active-runs", productionId] });
    void cache.invalidateQueries({ queryKey: ["asset-runs"] });
    void cache.invalidateQueries({
      queryKey: ["assets", productionId],
      predicate: (query) => ((query.state.data as Assets | undefined)?.pages.length ?? 0) <= 1,
    });
  });
  listen<Asset>("asset", (asset) => applyAsset(cache, productionId, asset));
  listen<{ id: string }>("asset_removed", ({ id }) => {
    cache.setQueriesData<Assets>({ queryKey: ["assets", productionId] }, (data) => dropAsset(data, id));
    void cache.invalidateQueries({ queryKey: ["asset", id] });
  });
  listen<Run>("run", (run) => applyRun(cache, productionId, run));
  listen<{ run_id: string; step_id: string; asset_id: string; attempt: number; progress: Progress }>("progress", (event) =>
    setProgress(event.step_id, event.asset_id, event.progress),
  );
  listen("production", () => rolesChanged(cache, productionId));
  listen("membership", () => rolesChanged(cache, productionId));
}

function rolesChanged(cache: QueryClient, productionId: string): void {
  void cache.invalidateQueries({ queryKey: ["productions"] });
  void cache.invalidateQueries({ queryKey: ["production", productionId] });
}

/** Keeps the cache in step with the production while the page is open. */
export function useProductionEvents(productionId: string): void {
  const cache = useQueryClient();
  useEffect(() => {
    let isLeft = false;
    let mayReopen = true;
    const open = () => {
      const opened = new EventSource(`/api/data/v1/productions/${productionId}/events`);
      follow(opened, cache, productionId);
      opened.addEventListener("ready", () => {
        mayReopen = true;
      });
      opened.addEventListener("error", () => {
        if (opened.readyState === EventSource.CLOSED && !isLeft) void refused();
      });
      return opened;
    };
    // A stream that is refused does not come back by itself: what it was opened with has ended, or the session has
    // another cookie since.
    const refused = async () => {
      rolesChanged(cache, productionId);
      if (!mayReopen) return;
      mayReopen = false;
      const isSame = await renewSession().catch(() => false);
      if (!isSame || isLeft) return;
      source = open();
      // It does not know what the former one has shown.
      void cache.invalidateQueries();
    };
    let source = open();
    return () => {
      isLeft = true;
      source.close();
    };
  }, [cache, productionId]);
}
