// What a file is: everything the probe and the analysis found, and nothing guessed.

import type { ReactNode } from "react";
import type { AssetDetail } from "../../api/types";
import { Notice } from "../../components/controls";
import { Folded } from "../../components/states";
import { clockOf } from "../../media/clock";
import { rateName } from "../../media/timecode";
import { m } from "../../messages";
import { bitRate, count, exactInstant, size } from "../../messages/format";
import css from "./AssetPage.module.css";

type Fact = [name: string, value: ReactNode, className?: string];

function Group({ title, facts }: { title: string; facts: Fact[] }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  if (known.length === 0) return null;
  return (
    <section className={css.group}>
      <h2>{title}</h2>
      <dl className={`${css.facts} num`}>
        {known.map(([name, value, className]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd className={className}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const decibels = (value: number | null | undefined, unit: string) => (value == null ? undefined : `${value.toFixed(1).replace("-", "−")} ${unit}`);

export function Information({ asset }: { asset: AssetDetail }) {
  const { version } = asset;
  const technical = version?.technical;
  const video = technical?.video;
  const analysis = version?.analysis;
  const loudness = analysis?.loudness;
  const start = technical?.start_timecode;
  const clock = clockOf(asset);
  const warnings = [...new Set([...(version?.warnings ?? []), ...(technical?.warnings ?? [])])];
  return (
    <>
      {(asset.failure || warnings.length > 0) && (
        <div className={css.notices}>
          {asset.failure && (
            <Notice tone="danger">
              {asset.failure.message}
              {asset.failure.detail && <Folded summary={m.run.detail}>{asset.failure.detail}</Folded>}
            </Notice>
          )}
          {warnings.map((warning) => (
            <Notice key={warning} tone="warning">
              {warning}
            </Notice>
          ))}
        </div>
      )}
      <Group
        title={m.asset.file}
        facts={[
          [m.asset.fileName, version?.file_name !== asset.name && version?.file_name],
          [m.asset.container, technical?.container],
          [m.asset.duration, clock && clock.length(clock.frames)],
          [m.asset.startTimecode, start && clock && `${clock.label(0)}${clock.hasFrames && clock.rate.denominator === 1001 ? ` ${start.drop_frame ? m.asset.dropFrame : m.asset.nonDropFrame}` : ""}`],
          [m.asset.reel, technical?.reel],
          [m.asset.sizeLabel, size(asset.size_bytes)],
          [m.asset.bitRate, technical?.bit_rate && bitRate(technical.bit_rate)],
          [m.asset.added, `${exactInstant(asset.created_at)}${asset.created_by_name ? ` ${m.asset.addedBy(asset.created_by_name, asset.created_by_guest)}` : ""}`],
          [m.asset.otherStreams, technical?.other_streams ? count(technical.other_streams) : undefined],
          [m.asset.checksum, version?.sha256, css.hash],
        ]}
      />
      {video && (
        <Group
          title={m.asset.picture}
          facts={[
            [m.asset.codec, video.codec],
            [
              m.asset.raster,
              [
                `${video.width} × ${video.height}`,
                video.rotation_degrees ? m.asset.rotated(video.rotation_degrees) : "",
                video.display_width !== video.width || video.display_height !== video.height ? m.asset.shownAs(video.display_width, video.display_height) : "",
              ]
                .filter(Boolean)
                .join(", "),
            ],
            [m.asset.pixelAspect, video.pixel_aspect !== "1:1" && video.pixel_aspect],
            [m.asset.frameRate, `${m.asset.fps(rateName(video.frame_rate))}${video.variable_frame_rate ? `, ${m.asset.variable}` : ""}`],
            [m.asset.frameCount, video.frame_count != null && count(video.frame_count)],
            [m.asset.scan, video.field_order],
            [m.asset.pixelFormat, `${video.pixel_format}${video.bit_depth ? `, ${m.asset.bits(video.bit_depth)}` : ""}`],
            [m.asset.primaries, video.colour_primaries],
            [m.asset.transfer, video.colour_transfer],
            [m.asset.matrix, video.colour_matrix],
            [m.asset.range, video.colour_range],
            [m.asset.bitRate, video.bit_rate && bitRate(video.bit_rate)],
            [m.asset.shotChanges, analysis && analysis.shot_changes.length > 0 && count(analysis.shot_changes.length)],
          ]}
        />
      )}
      {technical?.audio.map((stream, index) => (
        <Group
          // oxlint-disable-next-line react/no-array-index-key -- streams are known by their place in the file
          key={index}
          title={m.asset.sound(index + 1, technical.audio.length)}
          facts={[
            [m.asset.codec, stream.codec],
            [m.asset.channels, `${stream.channels}${stream.layout ? ` (${stream.layout})` : ""}`],
            [m.asset.sampleRate, `${count(stream.sample_rate / 1000)} kHz${stream.bit_depth ? `, ${m.asset.bits(stream.bit_depth)}` : ""}`],
            [m.asset.language, stream.language],
            [m.asset.bitRate, stream.bit_rate && bitRate(stream.bit_rate)],
          ]}
        />
      ))}
      {loudness && (
        <Group
          title={m.asset.loudness}
          facts={[
            [m.asset.integrated, decibels(loudness.integrated_lufs, "LUFS") ?? m.asset.silence],
            [m.asset.loudnessRange, decibels(loudness.range_lu, "LU")],
            [m.asset.truePeak, decibels(loudness.true_peak_dbtp, "dBTP")],
          ]}
        />
      )}
      {technical && technical.camera.length > 0 && <Group title={m.asset.camera} facts={technical.camera.map(({ name, value }): Fact => [name, value])} />}
    </>
  );
}
