// A production's library: everything in it as pictures or lines, however many there are.

import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowDownWideNarrow, ArrowUpNarrowWide, FileUp, Film, LayoutGrid, Rows3, SearchX, Upload, X } from "lucide-react";
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { api, ifMatch, unwrap } from "../../api/client";
import { isNotFound, sentenceOf } from "../../api/problem";
import { assetsQuery, productionQuery, type AssetFilter } from "../../api/queries";
import type { Asset, AssetSort } from "../../api/types";
import { Button, IconButton, SearchBox, Segments, SelectField } from "../../components/controls";
import { Confirm } from "../../components/dialogs";
import { Empty, Failed } from "../../components/states";
import { say } from "../../components/toasts";
import { dropAsset, has, onNewAsset, prependAssets } from "../../live/events";
import { m } from "../../messages";
import type { LibrarySearch } from "../../router";
import { useShortcuts } from "../../shell/keyboard";
import { useTitle } from "../../shell/title";
import { chooseFiles, uploads } from "../../uploads/manager";
import { mayDownload, mayEdit, mayRemove } from "../permissions";
import { Assets, AssetsSkeleton } from "./Assets";
import css from "./Library.module.css";
import { Panel } from "./Panel";
import { keepOnly, NOTHING, select, type How, type Selection } from "./selection";

type SortKey = keyof typeof m.library.sorts;
const DEFAULT_SORT: AssetSort = "-created";

export function Library() {
  const { productionId } = useParams({ from: "/app/productions/$productionId/library" });
  const search = useSearch({ from: "/app/productions/$productionId/library" });
  const navigate = useNavigate();
  const cache = useQueryClient();
  const production = useQuery(productionQuery(productionId)).data;
  useTitle(production && `${production.name}: ${m.library.title}`);

  const q = useDeferredValue(search.q);
  const filter: AssetFilter = useMemo(
    () => ({ q, status: search.status, kind: search.kind, sort: search.sort ?? DEFAULT_SORT }),
    [q, search.status, search.kind, search.sort],
  );
  const assets = useInfiniteQuery({ ...assetsQuery(productionId, filter), placeholderData: keepPreviousData, enabled: !!production?.my_roles.library });
  const items = useMemo(() => assets.data?.pages.flatMap((page) => page.items) ?? [], [assets.data]);
  const order = useMemo(() => items.map(({ id }) => id), [items]);

  const [selection, setSelection] = useState<Selection>(NOTHING);
  const kept = useMemo(() => keepOnly(selection, order), [selection, order]);
  const [removing, setRemoving] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);

  const change = useCallback(
    (next: Partial<LibrarySearch>, replace = true) =>
      void navigate({ to: "/productions/$productionId/library", params: { productionId }, search: (old) => ({ ...old, ...next }), replace }),
    [navigate, productionId],
  );

  // What others add goes in at once while the head of the list is in view; otherwise it waits behind a
  // button, so that nothing moves under the pointer.
  const [newer, setNewer] = useState<Asset[]>([]);
  const newestFirst = (search.sort ?? DEFAULT_SORT) === DEFAULT_SORT;
  useEffect(() => {
    setNewer([]);
    return onNewAsset(productionId, (asset) => {
      const key = assetsQuery(productionId, filter).queryKey;
      const data = cache.getQueryData(key);
      if (!data || has(data, asset.id) || !fits(asset, filter)) {
        setNewer((waiting) => (waiting.some(({ id }) => id === asset.id) ? waiting.map((one) => (one.id === asset.id ? asset : one)) : waiting));
        return;
      }
      if (newestFirst && (scroller.current?.scrollTop ?? 0) < 8) cache.setQueryData(key, (old) => prependAssets(old, [asset]) as typeof old);
      else setNewer((waiting) => [asset, ...waiting.filter(({ id }) => id !== asset.id)]);
    });
  }, [cache, productionId, filter, newestFirst]);
  const showNewer = () => {
    if (newestFirst) cache.setQueryData(assetsQuery(productionId, filter).queryKey, (old) => prependAssets(old, newer) as typeof old);
    else void assets.refetch();
    setNewer([]);
    scroller.current?.scrollTo({ top: 0 });
  };

  const openAsset = useCallback(
    (id: string) => void navigate({ to: "/productions/$productionId/assets/$assetId", params: { productionId, assetId: id } }),
    [navigate, productionId],
  );
  const choose = useCallback(
    (id: string, how: How) => {
      setSelection((old) => select(old, order, id, how));
      // A look beside the list: the address changes, so that it can be shared and Back closes it.
      if (how === "only") change({ asset: id }, !!search.asset);
    },
    [order, search.asset, change],
  );

  useShortcuts((event) => {
    if (event.key === "Escape") {
      if (search.asset) change({ asset: undefined });
      else if (kept.ids.size) setSelection(NOTHING);
      else return false;
      return true;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "i") {
      change({ asset: search.asset ? undefined : (kept.active ?? order[0]) });
      return true;
    }
    if ((event.key === "Delete" || event.key === "Backspace") && kept.ids.size && production && mayRemove(production)) {
      setRemoving(true);
      return true;
    }
    return false;
  });

  if (!production) return null;
  if (!production.my_roles.library) return <Failed what={m.parts.library} error={{}} />;

  const editor = mayEdit(production);
  const filtered = !!(search.q || search.status || search.kind);
  const upload = async () => {
    const files = await chooseFiles({ multiple: true });
    if (files.length) uploads.add(productionId, files);
  };
  const removeSelected = async () => {
    const results = await Promise.allSettled(
      [...kept.ids].map(async (asset_id) => {
        const path = { asset_id };
        const removed = () => cache.setQueriesData({ queryKey: ["assets", productionId] }, (data) => dropAsset(data as never, asset_id) as never);
        try {
          await removeAsset(path);
        } catch (error) {
          // Somebody was faster: that is what was wanted.
          if (!isNotFound(error)) throw error;
        }
        removed();
      }),
    );
    const failed = results.filter((result) => result.status === "rejected");
    const done = results.length - failed.length;
    if (done) say(m.library.removed(done));
    if (failed[0]) say(m.library.removeFailed(failed.length, sentenceOf(failed[0].reason)), { danger: true });
    setSelection(NOTHING);
    if (search.asset && kept.ids.has(search.asset)) change({ asset: undefined });
  };

  const sort = search.sort ?? DEFAULT_SORT;
  const sortKey = sort.replace("-", "") as SortKey;
  const setSort = (next: AssetSort) => change({ sort: next === DEFAULT_SORT ? undefined : next });
  const count = items.length === 0 ? "" : assets.hasNextPage ? m.library.loadedSoFar(items.length) : m.library.total(items.length);
  const uploadButton = editor && (
    <Button tone="primary" icon={<Upload size={16} aria-hidden />} onPress={() => void upload()}>
      {items.length || filtered ? m.library.upload : m.library.emptyAction}
    </Button>
  );
  const selectedName = items.find(({ id }) => kept.ids.has(id))?.name ?? "";

  return (
    <div className={css.library}>
      <header className={css.toolbar}>
        <div className={css.titleBlock}>
          <h1 className="truncate" title={production.name}>
            {production.name}
          </h1>
          <p className="num" aria-live="polite">
            {count || m.library.title}
          </p>
        </div>
        <div className={css.search}>
          <SearchBox label={m.library.search} shortcut="/" value={search.q ?? ""} onChange={(next) => change({ q: next || undefined })} />
        </div>
        <div className={css.filter}>
          <SelectField
            label={m.library.status}
            hideLabel
            value={search.status ?? ""}
            onChange={(status) => change({ status: status || undefined })}
            options={[{ value: "", label: m.library.anyStatus }, ...(["ready", "processing", "failed", "cancelled"] as const).map((value) => ({ value, label: m.status[value] }))]}
          />
        </div>
        <div className={`${css.filter} ${css.kindFilter}`}>
          <SelectField
            label={m.library.kind}
            hideLabel
            value={search.kind ?? ""}
            onChange={(kind) => change({ kind: kind || undefined })}
            options={[{ value: "", label: m.library.anyKind }, ...(["video", "audio", "still", "unknown"] as const).map((value) => ({ value, label: m.kind[value] }))]}
          />
        </div>
        <div className={css.sort}>
          <SelectField
            label={m.library.sort}
            hideLabel
            value={sortKey}
            onChange={(key) => setSort(key === "name" ? key : `-${key}`)}
            options={(["created", "name", "size", "duration"] as const).map((value) => ({ value, label: m.library.sorts[value] }))}
          />
          <IconButton label={sort.startsWith("-") ? m.library.descending : m.library.ascending} onPress={() => setSort(sort.startsWith("-") ? sortKey : `-${sortKey}`)}>
            {sort.startsWith("-") ? <ArrowDownWideNarrow size={16} /> : <ArrowUpNarrowWide size={16} />}
          </IconButton>
        </div>
        <div className={css.viewChoice}>
          <Segments
            label={m.library.view}
            value={search.view ?? "grid"}
            onChange={(view) => change({ view: view === "list" ? "list" : undefined })}
            options={[
              { value: "grid", label: m.library.grid, icon: <LayoutGrid size={16} aria-hidden /> },
              { value: "list", label: m.library.list, icon: <Rows3 size={16} aria-hidden /> },
            ]}
          />
        </div>
        {(items.length > 0 || filtered) && uploadButton}
      </header>

      <div className={css.body} data-panel={(search.asset && !assets.isError) || undefined}>
        {assets.isError && items.length === 0 ? (
          <Failed what={m.parts.library} error={assets.error} retry={() => void assets.refetch()} />
        ) : assets.isPending ? (
          <AssetsSkeleton list={search.view === "list"} />
        ) : items.length === 0 && filtered ? (
          <Empty icon={SearchX} title={m.library.noMatchTitle} text={m.library.noMatchText}>
            <Button onPress={() => change({ q: undefined, status: undefined, kind: undefined })}>{m.library.clearFilters}</Button>
          </Empty>
        ) : items.length === 0 ? (
          <Empty icon={editor ? FileUp : Film} title={editor ? m.library.emptyTitle : m.library.title} text={editor ? m.library.emptyText : m.library.emptyReader}>
            {uploadButton}
          </Empty>
        ) : (
          <Assets
            ref={scroller}
            items={items}
            list={search.view === "list"}
            selection={kept}
            sort={sort}
            onSort={setSort}
            onSelect={choose}
            onSelectAll={() => setSelection((old) => ({ ids: new Set(order), active: old.active ?? order[0], anchor: order[0] }))}
            onOpen={openAsset}
            hasMore={assets.hasNextPage}
            loadingMore={assets.isFetchingNextPage}
            loadFailed={assets.isFetchNextPageError ? sentenceOf(assets.error) : undefined}
            loadMore={() => void assets.fetchNextPage()}
            filterKey={JSON.stringify(filter)}
          />
        )}
        {newer.length > 0 && (
          <div className={css.newer}>
            <Button onPress={showNewer}>{m.library.newer(newer.length)}</Button>
          </div>
        )}
        {search.asset && !assets.isError && <Panel assetId={search.asset} productionId={productionId} withOriginal={mayDownload(production)} onClose={() => change({ asset: undefined })} />}
      </div>

      {kept.ids.size > 1 && (
        <div className={css.selection} role="toolbar" aria-label={m.library.selected(kept.ids.size)}>
          <strong className="num" aria-live="polite">
            {m.library.selected(kept.ids.size)}
          </strong>
          {mayDownload(production) && (
            <Button dense onPress={() => downloadAll([...kept.ids])}>
              {m.library.download}
            </Button>
          )}
          {mayRemove(production) && (
            <Button dense onPress={() => setRemoving(true)}>
              {m.common.remove}
            </Button>
          )}
          <Button dense tone="quiet" icon={<X size={14} aria-hidden />} onPress={() => setSelection(NOTHING)}>
            {m.library.clearSelection}
          </Button>
        </div>
      )}
      <Confirm
        title={m.library.removeTitle(kept.ids.size, selectedName)}
        text={m.library.removeText}
        confirm={m.common.remove}
        open={removing}
        onClose={() => setRemoving(false)}
        action={removeSelected}
      />
    </div>
  );
}

/** Removes an asset as it is now: the newest ETag is read first. */
async function removeAsset(path: { asset_id: string }): Promise<void> {
  const { revision } = await unwrap(api.GET("/api/data/v1/assets/{asset_id}", { params: { path } }));
  await unwrap(api.DELETE("/api/data/v1/assets/{asset_id}", { params: { path, header: ifMatch(revision) } }));
}

function fits(asset: Asset, filter: AssetFilter): boolean {
  return (
    (!filter.status || filter.status === asset.status) &&
    (!filter.kind || filter.kind === asset.kind) &&
    (!filter.q || asset.name.toLocaleLowerCase().includes(filter.q.toLocaleLowerCase()))
  );
}

/** One hidden link a file; browsers ask once whether a page may download several. */
function downloadAll(ids: string[]): void {
  for (const id of ids) {
    const link = document.createElement("a");
    link.href = `/api/media/v1/assets/${id}/original`;
    link.download = "";
    link.click();
  }
}
