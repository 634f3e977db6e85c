// A look at one asset beside the list.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ExternalLink, X } from "lucide-react";
import { assetQuery } from "../../api/queries";
import { buttonClass, IconButton, Notice } from "../../components/controls";
import { Failed, Skeleton, Status } from "../../components/states";
import { m } from "../../messages";
import { exactInstant, size } from "../../messages/format";
import { clockOf } from "../../media/clock";
import { rateName } from "../../media/timecode";
import { useProgress } from "../../live/progress";
import { kindIcons } from "./Assets";
import css from "./Library.module.css";

interface PanelProps {
  assetId: string;
  productionId: string;
  /** Whether the original may be downloaded. */
  withOriginal: boolean;
  onClose: () => void;
}

export function Panel({ assetId, productionId, withOriginal, onClose }: PanelProps) {
  const { data: asset, error, refetch } = useQuery(assetQuery(assetId));
  const progress = useProgress(assetId);
  const close = (
    <IconButton label={m.common.close} shortcut="Esc" onPress={onClose}>
      <X size={16} />
    </IconButton>
  );
  if (error) {
    return (
      <aside className={css.panel} aria-label={m.library.panel}>
        <div className={css.panelHead}>
          <h2>{m.common.details}</h2>
          {close}
        </div>
        <Failed what={m.parts.asset} error={error} retry={() => void refetch()} />
      </aside>
    );
  }
  if (!asset) {
    return (
      <aside className={css.panel} aria-label={m.library.panel} aria-busy="true">
        <div className={css.panelHead}>
          <h2>
            <Skeleton width={180} height={14} />
          </h2>
          {close}
        </div>
        <div className={css.panelBody}>
          <Skeleton style={{ aspectRatio: "16 / 9", borderRadius: 6 }} />
          <Skeleton height={32} />
          <Skeleton height={120} />
        </div>
      </aside>
    );
  }
  const technical = asset.version?.technical;
  const video = technical?.video;
  const Icon = kindIcons[asset.kind];
  const poster = asset.derivatives.find(({ kind }) => kind === "poster");
  const clock = clockOf(asset);
  const facts: [string, string | null | undefined][] = [
    [m.asset.duration, clock?.length(clock.frames)],
    [m.asset.startTimecode, technical?.start_timecode ? clock?.label(0) : undefined],
    [m.asset.codec, video?.codec ?? technical?.audio[0]?.codec],
    [m.asset.raster, video && `${video.width} × ${video.height}`],
    [m.asset.frameRate, video && m.asset.fps(rateName(video.frame_rate))],
    [m.asset.reel, technical?.reel ?? undefined],
    [m.asset.sizeLabel, size(asset.size_bytes)],
    [m.asset.added, exactInstant(asset.created_at)],
  ];
  const percent = progress?.fraction != null && asset.status === "processing" ? progress.fraction * 100 : undefined;
  return (
    <aside className={css.panel} aria-label={m.library.panel}>
      <div className={css.panelHead}>
        <h2 dir="auto">{asset.name}</h2>
        {close}
      </div>
      <div className={css.panelBody}>
        <Link className={css.picture} to="/productions/$productionId/assets/$assetId" params={{ productionId, assetId }} aria-label={`${m.library.open}: ${asset.name}`} tabIndex={-1}>
          <Icon size={32} strokeWidth={1.5} aria-hidden />
          {poster && <img src={poster.url} alt="" />}
        </Link>
        <div className={css.panelActions}>
          <Link className={buttonClass("primary")} to="/productions/$productionId/assets/$assetId" params={{ productionId, assetId }}>
            <ExternalLink size={16} aria-hidden />
            {m.library.open}
          </Link>
          {withOriginal && (
            <a className={buttonClass()} href={asset.original_url} download>
              {m.library.download}
            </a>
          )}
        </div>
        <Status status={asset.status} percent={percent} />
        {asset.failure && <Notice tone="danger">{asset.failure.message}</Notice>}
        {asset.version?.warnings.map((warning) => (
          <Notice key={warning} tone="warning">
            {warning}
          </Notice>
        ))}
        <dl className={css.facts2}>
          {facts.map(([name, value]) =>
            value ? (
              <div key={name} style={{ display: "contents" }}>
                <dt>{name}</dt>
                <dd className="num">{value}</dd>
              </div>
            ) : null,
          )}
        </dl>
      </div>
    </aside>
  );
}
