// How a made-up fleet does: one thing is wrong, and one line has gaps.

import type { FleetDashboards, FleetPanel, InstallationStatus } from "../src/api/types";

const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000).toISOString();
const monitoring = { state: "working" as const, asked_at: at(30), error: null };

const host = (name: string, roles: string[], rest: Partial<NonNullable<InstallationStatus["glance"]>["hosts"][number]> = {}) => ({
  name,
  roles,
  is_up: true,
  silent: [],
  versions: { application: "1.4.0" },
  is_primary: null,
  replication_lag_bytes: null,
  leads: null,
  has_public_address: null,
  certificate_ends_at: at(-86_400 * 71),
  fullest_disk: "/var/lib/postgresql",
  disk_used_ratio: 0.43,
  ...rest,
});

export const status = (): InstallationStatus => ({
  at: at(0),
  is_well: false,
  attention: [{ severity: "warning", text: "KinoraDiskFilling on storage-with-a-rather-long-name-1 (/srv/kinora) since 2026-11-23 02:11 UTC", runbook: "docs/operations/alerts.md#kinoradiskfilling" }],
  monitoring,
  glance: {
    at: at(30),
    hosts: [
      host("app1", ["applications"]),
      host("be1", ["backends", "monitoring"], { leads: true }),
      host("db1", ["databases"], { is_primary: true, disk_used_ratio: 0.61 }),
      host("db2", ["databases"], { replication_lag_bytes: 18_500 }),
      host("lb1", ["load_balancers"], { has_public_address: true, silent: ["balancer"] }),
      host("wk1", ["workers"], { is_up: false, versions: {}, disk_used_ratio: null, certificate_ends_at: null }),
    ],
    backups: { newest_at: at(18_000), archive_lag_seconds: 2, drill_at: at(12_000), drill_ok: true, media_copy_at: at(30_000) },
    alerts: [],
  },
  queues: [
    { kind: "render", state: "running", count: 4, oldest_seconds: 320 },
    { kind: "probe", state: "waiting", count: 12, oldest_seconds: 45 },
  ],
  mail: { waiting: 0, oldest_seconds: 0 },
  storage: { objects: 48_210, bytes: 31_400_000_000_000, counted_at: at(300) },
});

const chart = (names: string[], count: number, step_seconds: number, top: number) => ({
  starts_at: at((count - 1) * step_seconds),
  step_seconds,
  series: names.map((name, line) => ({
    name,
    values: Array.from({ length: count }, (_, index) => (line === 1 && index > 30 && index < 45 ? null : top * (0.4 + 0.1 * line + 0.2 * Math.sin(index / (5 + line)) + (line === 0 ? index / count / 4 : 0)))),
  })),
});

const panel = (name: string, unit: FleetPanel["unit"], names: string[], top: number): FleetPanel => ({ name, unit, at: at(120), day: chart(names, 97, 900, top), fortnight: chart(names, 85, 14_400, top) });

export const dashboards = (): FleetDashboards => ({
  at: at(0),
  monitoring,
  panels: [
    panel("ingest_stages", "seconds_per_media_second", ["sign_in", "upload", "ingest", "play"], 3),
    panel("ingest_steps", "seconds_per_media_second", ["probe", "settle", "render", "publish"], 2),
    panel("queue_age", "seconds", ["probe", "render"], 240),
    panel("errors", "ratio", ["requests", "steps"], 0.012),
    panel("storage", "ratio", ["app1", "be1", "db1", "db2", "lb1", "storage-with-a-rather-long-name-1", "wk1"], 0.6),
    panel("backups", "seconds", ["backup", "drill"], 80_000),
  ],
});
