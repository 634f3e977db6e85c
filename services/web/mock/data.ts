// Made-up people, productions and assets, in every state a page has to look right in.

import type { AccessToken, Erasure, GroupRule, HeldPerson, OrganisationDomain, PersonalData, Provisioning, ServiceAccount, SignOnAttempt, SignOnConnection } from "../src/api/types";
import type { Asset, AssetDetail, AuditRow, Invitation, Mail, Member, OrganisationPerson, Production, Run, Step, SupportGrant } from "../src/api/types";

export const id = (kind: number, n: number) => `0198c0de-${String(kind).padStart(4, "0")}-7000-8000-${String(n).padStart(12, "0")}`;
const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000).toISOString();
const manager = { office: "manager", library: "manager", subtitling: "manager", budget: "manager" } as const;
export const ORGANISATION = id(1, 1);

const long = "Die außergewöhnlich lange und niemals enden wollende Produktion über die Geschichte des Filmverleihs ".repeat(2).slice(0, 198);
export const productions: Production[] = ["The Salt Road", "Forty Thousand", "Nothing Yet", "Broken Production", "Slow Production", long, "Nordlicht — Staffel 2", "Watch Only", "Helped Out"].map(
  (name, n) => ({
    id: id(2, n),
    organisation_id: n === 8 ? id(1, 2) : ORGANISATION,
    organisation: n === 8 ? "Nordlicht Film" : "Halcyon Pictures",
    name,
    created_at: at(86_400 * (n + 2)),
    updated_at: at(3600),
    revision: 1,
    my_roles: n >= 7 ? { library: "reader" } : n === 6 ? { library: "editor", subtitling: "reader" } : manager,
    guest: n === 7,
    my_membership_ends_at: n === 7 ? at(-86_400 * 40) : n === 8 ? at(-7200) : null,
    support: n === 8 ? { grant_id: id(12, 1), ends_at: at(-7200), originals: false } : null,
  }),
);

const scenes = ["Harbour", "Kitchen", "Lighthouse", "Train", "Market", "Dunes", "Courtroom", "Rooftop"];
const failures: Asset["failure"][] = [
  { code: "not_media", message: "This is not a media file we can read.", detail: "ffprobe: [mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d0] moov atom not found\nA042C013_260511_R1VK.mov: Invalid data found when processing input" },
  { code: "truncated", message: "The file is incomplete: its index is missing. It was probably cut off while it was copied. Upload it again from the source.", detail: "moov atom not found" },
];

export function makeAsset(production: number, n: number): Asset {
  const kind = n % 11 === 5 ? "audio" : n % 17 === 7 ? "still" : "video";
  const status = n === 0 || n === 3 ? "processing" : n % 13 === 4 ? "failed" : n === 9 ? "cancelled" : "ready";
  const name =
    n === 6
      ? "Aufnahme mit einem sehr langen Namen ".repeat(9).slice(0, 296) + ".mov"
      : n === 8
        ? "صورة من المشهد الأول.mov"
        : `${scenes[n % scenes.length]}_A${String(1 + (n % 42)).padStart(3, "0")}C${String(n).padStart(5, "0")}_${kind === "audio" ? "MIX.wav" : kind === "still" ? "REF.dpx" : "R1VK.mov"}`;
  return {
    id: id(30 + production, n),
    production_id: id(2, production),
    name,
    kind: status === "failed" || n === 0 ? "unknown" : kind,
    status,
    size_bytes: 180_000_000 + ((n * 7_919_317) % 9_000_000_000),
    created_at: at(n * 373 + 20),
    updated_at: at(n * 373),
    revision: 1,
    version_id: id(5, 1),
    failure: status === "failed" ? (failures[n % 2] ?? null) : null,
    duration_us: kind === "still" || status === "failed" ? null : 60_000_000,
    created_by: id(3, 1),
  };
}

export const assets = new Map<string, Asset[]>([
  [id(2, 0), Array.from({ length: 38 }, (_, n) => makeAsset(0, n))],
  [id(2, 1), Array.from({ length: 40_000 }, (_, n) => makeAsset(1, n))],
  [id(2, 2), []],
  [id(2, 5), Array.from({ length: 3 }, (_, n) => makeAsset(5, n + 10))],
  [id(2, 6), Array.from({ length: 120 }, (_, n) => makeAsset(6, n + 10))],
  [id(2, 7), []],
]);

export function findAsset(assetId: string): Asset | undefined {
  for (const list of assets.values()) {
    const found = list.find((asset) => asset.id === assetId);
    if (found) return found;
  }
  return undefined;
}

const rate = { numerator: 25, denominator: 1 };
const links = ["proxy", "poster", "filmstrip", "filmstrip_index", "waveform", "raw_probe"] as const;

export function detail(asset: Asset): AssetDetail {
  const base = `/api/media/v1/assets/${asset.id}`;
  const ready = asset.status === "ready";
  return {
    ...asset,
    created_by_name: "Ines Marková",
    created_by_guest: false,
    original_url: `${base}/original`,
    derivatives: ready
      ? links
          .filter((kind) => asset.kind === "video" || (asset.kind === "audio" ? ["proxy", "waveform"].includes(kind) : kind === "poster"))
          .map((kind) => ({ kind, media_type: "", size_bytes: 1, url: `${base}/${kind === "filmstrip_index" ? "filmstrip.vtt" : kind === "raw_probe" ? "probe" : kind}` }))
      : [],
    version: {
      id: id(5, 1),
      number: 1,
      file_name: asset.name,
      media_type: "video/quicktime",
      size_bytes: asset.size_bytes,
      sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      created_at: asset.created_at,
      warnings: asset.name.includes("A002") ? ["The file ends early: the last 3 frames could not be decoded."] : [],
      technical:
        asset.status === "failed"
          ? null
          : {
              kind: asset.kind,
              container: "QuickTime / MOV",
              duration_us: asset.duration_us,
              bit_rate: 184_320_000,
              other_streams: 1,
              reel: "A042",
              start_timecode: { frames: 900_000, rate, drop_frame: false },
              warnings: [],
              camera: [
                { name: "Manufacturer", value: "ARRI" },
                { name: "Camera model", value: "ALEXA 35" },
                { name: "Lens", value: "Signature Prime 35 mm T1.8" },
                { name: "Exposure index", value: "800" },
              ],
              video:
                asset.kind === "audio"
                  ? null
                  : {
                      codec: "Apple ProRes 422 HQ",
                      codec_id: "prores",
                      width: 1920,
                      height: 1080,
                      display_width: 1920,
                      display_height: 1080,
                      rotation_degrees: 0,
                      pixel_aspect: "1:1",
                      frame_rate: rate,
                      variable_frame_rate: false,
                      frame_count: 1500,
                      field_order: "progressive",
                      pixel_format: "yuv422p10le",
                      bit_depth: 10,
                      colour_primaries: "bt709",
                      colour_transfer: "bt709",
                      colour_matrix: "bt709",
                      colour_range: "limited",
                      bit_rate: 182_000_000,
                    },
              audio: [{ codec: "PCM 24 bit little-endian", codec_id: "pcm_s24le", sample_rate: 48_000, channels: 2, layout: "stereo", bit_depth: 24, language: null, bit_rate: 2_304_000 }],
            },
      analysis: ready
        ? {
            loudness: { integrated_lufs: -22.8, range_lu: 6.4, true_peak_dbtp: -1.2 },
            shot_changes: asset.kind === "video" ? [112, 268, 431, 640, 702, 911, 1180, 1333] : [],
            proxy_frames: asset.kind === "video" ? 1500 : null,
            proxy_frame_rate: asset.kind === "video" ? rate : null,
            proxy_width: 960,
            proxy_height: 540,
            proxy_duration_us: 60_000_000,
          }
        : null,
    },
  };
}

export function runOf(asset: Asset): Run {
  const kinds = ["probe", "render", "publish"] as const;
  const steps: Step[] = kinds.map((kind, position) => {
    const base = { id: `${asset.id.slice(0, -4)}${position}${asset.id.slice(-3)}`, kind, attempt: 1, waiting_since: at(220) };
    if (asset.status === "ready") return { ...base, state: "done", started_at: at(200 - position * 60), finished_at: at(170 - position * 50), worker: "worker-1" };
    if (asset.status === "processing" && position === 0) return { ...base, state: "done", started_at: at(43), finished_at: at(42.4), worker: "worker-1" };
    if (asset.status === "processing" && position === 1)
      return { ...base, state: "running", started_at: at(42), worker: "worker-2", progress: { fraction: 0.423, speed: 3.4, remaining_seconds: 48 } };
    if (asset.status === "failed" && position === 0) return { ...base, state: "failed", started_at: at(90), finished_at: at(89.2), worker: "worker-1", failure: asset.failure };
    if (asset.status === "cancelled" && position === 0) return { ...base, state: "done", started_at: at(90), finished_at: at(89.2) };
    if (asset.status === "cancelled" && position === 1) return { ...base, state: "cancelled", started_at: at(89), finished_at: at(70) };
    return { ...base, attempt: 0, state: "blocked" };
  });
  return {
    id: asset.id.replace("-7000-", "-7001-"),
    production_id: asset.production_id,
    asset_id: asset.id,
    version_id: id(5, 1),
    workflow: "ingest",
    state: asset.status === "processing" ? "active" : asset.status === "ready" ? "done" : asset.status,
    created_at: asset.created_at,
    finished_at: asset.status === "processing" ? null : at(60),
    failure: asset.failure ?? null,
    steps,
  };
}

const names = ["Ines Marková", "Tomasz Wiśniewski", "Amara Okafor", "Jean-Baptiste Lefèvre", "Freya Lindqvist", "Bartholomäus von und zu Hohenstein-Oettingen-Wallerstein"];
export const people: OrganisationPerson[] = names.map((display_name, n) => ({
  id: id(3, n + 1),
  login: `${display_name.split(" ")[0]?.toLowerCase()}@halcyon.example`,
  display_name,
  role: n === 0 ? "owner" : n === 1 ? "administrator" : "member",
  disabled: n === 4,
  has_password: n !== 3,
  has_second_factor: n % 3 === 0,
  created_at: at(86_400 * n),
  revision: 1,
}));

const outsiders = [
  { id: id(3, 20), login: "noor@elsewhere.example", display_name: "Noor van Dijk" },
  { id: id(3, 21), login: "maximilian.konstantinopoulos@a-very-long-name-of-a-company.example", display_name: "Maximilian Konstantinopoulos" },
];
export const members: Member[] = [...people.slice(0, 4), ...outsiders].map(({ id: personId, login, display_name }, n) => ({
  person: { id: personId, login, display_name },
  revision: 1,
  guest: n >= 4,
  ends_at: n === 4 ? at(-86_400 * 60) : n === 5 ? at(86_400 * 3) : null,
  roles: n === 0 ? manager : n === 1 ? { library: "editor", office: "reader" } : n === 2 ? { budget: "manager" } : { library: "reader" },
}));

const invited: (Pick<Invitation, "address" | "roles"> & Partial<Invitation>)[] = [
  { address: "kei@colour.example", roles: { library: "editor" }, mail_state: "sent" },
  { address: "someone.with.a.long.address@post-production-facility.example", roles: { library: "reader", subtitling: "editor" }, mail_state: "waiting", mail_error: "The mail relay cannot be reached: Connection error: timed out" },
  { address: "typo@studoi.example", roles: { library: "reader" }, mail_state: "failed", mail_error: "The mail relay does not take mail for this address: permanent error (550): 5.1.1 no such mailbox" },
  { address: "late@elsewhere.example", roles: { office: "reader" }, mail_state: "sent" },
];
export const invitations: Invitation[] = invited.map((part, n) => ({
  id: id(10, n),
  membership_ends_at: n === 1 ? null : at(-86_400 * 90),
  invited_by: "Ines Marková",
  created_at: at(3600 * (n + 1)),
  mailed_at: at(3600 * (n + 1)),
  expires_at: at(n === 3 ? 3600 : -86_400 * (7 - n)),
  revision: 1,
  mail_error: null,
  ...part,
}));

export const mails: Mail[] = (["waiting", "waiting", "sending", "failed", "sent", "sent", "dropped"] as const).map((state, n) => ({
  id: id(11, n),
  recipient: invitations[n % 4]?.address ?? "",
  kind: n % 3 === 1 ? "security" : "invitation",
  state,
  tries: [0, 4, 1, 2, 1, 2, 0][n] ?? 0,
  next_try_at: state === "waiting" ? at(-600) : null,
  last_error: n === 1 ? "The mail relay does not take mail for this address: transient error (451): 4.7.1 greylisted, try again later" : n === 3 ? "The mail relay does not take mail for this address: permanent error (550): 5.1.1 no such mailbox" : null,
  created_at: at(300 * n * n),
  ended_at: n > 2 ? at(200 * n) : null,
  can_retry: state === "waiting" || state === "failed",
  can_drop: state === "waiting" || state === "failed",
}));

export const supportGrants: SupportGrant[] = (["active", "offered", "ended", "ended"] as const).map((state, n) => ({
  id: id(12, n + 1),
  address: ["help@kinora-support.example", "colour@grading-house.example", "help@kinora-support.example", "nobody@elsewhere.example"][n] ?? "",
  state,
  scope: { most_role: n === 1 ? "editor" : "reader", modules: ["library"], productions: n === 0 ? [id(2, 0)] : null },
  originals: n === 2,
  reason: ["The proxy of Harbour_A001 stays green", "Grading needs the titles renamed before Monday’s review with the distributor in Copenhagen", "Reel 3 does not play", "Sound is missing"][n] ?? "",
  given_by: "Ines Marková",
  created_at: at(3600 * (n + 1)),
  starts_at: at(n === 1 ? -86_400 : 3600 * (n * 40 + 1)),
  ends_at: at(n === 1 ? -2 * 86_400 : n === 0 ? -7200 : 3600 * n * 30),
  ended_at: n === 2 ? at(3600 * 70) : null,
  ended_by: n === 2 ? "Freya Lindqvist" : null,
  accepted_at: n === 0 ? at(3000) : n === 2 ? at(3600 * 79) : null,
  first_used_at: n === 0 ? at(2400) : n === 2 ? at(3600 * 75) : null,
}));

export const supportAudit: AuditRow[] = ["support.played", "support.viewed", "support.browsed", "support.followed", "support.browsed"].map((action, n) => ({
  sequence: 90 - n,
  hash: "0".repeat(64),
  at: at(600 + n * 300),
  actor: "help@kinora-support.example",
  address: "203.0.113.9",
  action,
  subject_kind: n < 2 ? "asset" : n === 4 ? "organisation" : "production",
  subject: n < 2 ? "Harbour_A001C00001_R1VK.mov" : n === 4 ? "Halcyon Pictures" : "The Salt Road",
  erased: false,
  actor_is_guest: false,
  after: { method: "GET", route: "/api/media/v1/assets/{asset_id}/proxy" },
  support_grant_id: id(12, 1),
}));

const LONG = `Harbour_${"second-unit_".repeat(20)}A001C00001_R1VK.mov`;
/** Kind and name of what it was done to. */
const acts: [string, string, string | null][] = [
  ["asset.renamed", "asset", "Harbour_A001C00001_R1VK.mov"],
  ["membership.changed", "person", "noor@elsewhere.example"],
  ["invitation.accepted", "invitation", "noor@elsewhere.example"],
  ["person.removed", "person", "maximilian.von-und-zu-hohenstein@halcyon-pictures.example"],
  ["session.begun", "session", null],
  ["production.removed", "production", "The Winter Ferry"],
  ["asset.removed", "asset", LONG],
  ["token.created", "token", "DIT cart upload"],
  ["saml_connection.metadata_refreshed", "saml_connection", "Halcyon accounts"],
];

export const audit: AuditRow[] = Array.from({ length: 60 }, (_, n) => {
  const [action, subject_kind, subject] = acts[n % acts.length] ?? ["session.begun", "session", null];
  return {
    sequence: 60 - n,
    hash: "0".repeat(64),
    at: at(n * 3400),
    actor: subject_kind === "invitation" ? "noor@elsewhere.example" : (names[n % 3] ?? ""),
    address: n % 4 ? "10.20.0.14" : "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    action,
    subject_kind,
    subject_id: action === "membership.changed" ? id(3, 20) : subject_kind === "person" || subject_kind === "production" ? id(14, n % acts.length) : null,
    subject,
    before: action === "membership.changed" ? { library: "reader" } : null,
    after: action === "membership.changed" ? { library: "editor" } : action === "invitation.accepted" ? { person: id(3, 20), guest: true, new_account: true } : null,
    erased: false,
    actor_is_guest: subject_kind === "invitation",
  };
});

export const personalData: PersonalData[] = [
  {
    name: "people",
    title: "Account",
    what: "Your name, the e-mail address or user name you sign in with, and a hash of your password, from which the password cannot be read.",
    why: "To know you, and to let you and nobody else in.",
    kept: "As long as you have the account.",
    fate: "pseudonymised",
    fate_means: "Name, address and password are removed. An opaque id stays, which what you made refers to.",
    section: "account",
    in_database: true
  },
  {
    name: "sessions",
    title: "Sessions",
    what: "When each began and was last used, from which network address, and what your browser says it is.",
    why: "To keep you signed in, and to let you see and end sessions that are not yours.",
    kept: "Until 30 days after its last possible end.",
    fate: "deleted",
    fate_means: null,
    section: "sessions",
    in_database: true
  },
  {
    name: "passkeys",
    title: "Passkeys",
    what: "The public key of each, the name you gave it, and when it was last used.",
    why: "To check that it is yours.",
    kept: "Until you remove it.",
    fate: "deleted",
    fate_means: null,
    section: "passkeys",
    in_database: true
  },
  {
    name: "access_tokens",
    title: "Access tokens",
    what: "The name you gave each, what it may do, and when it was last used.",
    why: "To let your programs in.",
    kept: "As long as you have the account.",
    fate: "deleted",
    fate_means: null,
    section: "access_tokens",
    in_database: true
  },
  {
    name: "invitations",
    title: "Invitations",
    what: "The address an invitation was sent to, by whom, into which production and with which roles.",
    why: "To let those in who were invited, and nobody else.",
    kept: "Until 30 days after it was accepted, withdrawn or has expired.",
    fate: "deleted",
    fate_means: null,
    section: "invitations",
    in_database: true
  },
  {
    name: "assets",
    title: "Assets",
    what: "That you added it, and when.",
    why: "So that the others know whom to ask.",
    kept: "As long as the production keeps it.",
    fate: "kept",
    fate_means: "What you made belongs to the production and stays. Instead of your name stands an opaque id.",
    section: "assets",
    in_database: true
  },
  {
    name: "audit_rows",
    title: "The audit trail",
    what: "What you did and what was done to your account: when, from which network address, under which login.",
    why: "To prove who changed what. Organisations must be able to show that nobody saw what was not theirs.",
    kept: "For ever, unless the operator sets otherwise.",
    fate: "pseudonymised",
    fate_means: "Names, addresses and network addresses are erased from it; that somebody with an opaque id did it stays.",
    section: "audit",
    in_database: true
  },
  {
    name: "backups",
    title: "Backups",
    what: "Copies of the whole database.",
    why: "To bring everything back after a failure.",
    kept: "Until the backup is rotated out (28 days unless the operator sets otherwise).",
    fate: "kept",
    fate_means: "Backups are not changed. After one is restored everybody on the list of erasures is erased again.",
    section: null,
    in_database: false
  }
];

export const erasure: Erasure = {
  id: id(10, 1),
  person_id: id(3, 77),
  extent: "whole",
  stands_for: id(3, 77),
  asked_by: "organisation",
  erased_at: at(90_000),
  report: [
    { table: "sessions", title: "Sessions", done: "deleted", rows: 4 },
    { table: "access_tokens", title: "Access tokens", done: "deleted", rows: 1 },
    { table: "production_members", title: "Roles in productions", done: "deleted", rows: 3 },
    { table: "assets", title: "Assets", done: "kept", rows: 1812 },
    { table: "audit_rows", title: "The audit trail", done: "pseudonymised", rows: 5230 },
    { table: "people", title: "Account", done: "pseudonymised", rows: 1 },
  ],
};

export const heldPeople: HeldPerson[] = [...people.map(({ id: personId, login, display_name, role }) => ({ id: personId, login, display_name, role, has_left: false })), ...outsiders.map(({ id: personId, login, display_name }) => ({ id: personId, login, display_name, role: null, has_left: false })), { id: id(3, 99), login: "viggo@halcyon.example", display_name: "viggo@halcyon.example", role: null, has_left: true }];

export const organisation = { id: ORGANISATION, name: "Halcyon Pictures", role: "owner", created_at: new Date().toISOString(), revision: 1, second_factor_required: false, sso_required: false, email_code_allowed: false };

export const recoveryCodes = ["k7qm-w2np-x4hd-9rst", "b3fg-6uvy-m8kc-aezj", "p5xw-n7dq-2hrt-c9vm", "y4kb-8gsu-e6fa-zj3p", "w9rn-t5mx-q2cd-h7kv", "u6ye-3bgp-s8wf-a4nz", "m2jt-r9hx-k5vq-d7cu", "f8pn-z3ws-b6ye-g4ka", "c7vd-x2qr-j9mt-h5up", "s4nw-e8kb-y6zf-a3gx"];

export const factors = {
  authenticator: { created_at: new Date(Date.now() - 3e9).toISOString(), last_used_at: new Date(Date.now() - 7e6).toISOString() },
  passkeys: [
    { id: id(11, 1), name: "Laptop", is_synced: false, created_at: new Date(Date.now() - 2e9).toISOString(), last_used_at: new Date(Date.now() - 9e5).toISOString() },
    { id: id(11, 2), name: "Phone of Ines", is_synced: true, created_at: new Date(Date.now() - 1e9).toISOString(), last_used_at: null },
  ],
  recovery_codes_left: 3,
  passkeys_possible: true,
  email_codes: null as { created_at: string; last_used_at: string | null } | null,
  email_codes_allowed: true,
};

export const enrolment = {
  key: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
  uri: "otpauth://totp/Kinora%20%28halcyon.example%29:ines?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
  qr: { size: 21, path: "M0 0h7v1h-7zM14 0h7v1h-7zM0 1h1v1h-1zM6 1h1v1h-1zM14 1h1v1h-1zM20 1h1v1h-1zM0 14h7v1h-7z" },
};

const fingerprint = (n: number) => Array.from({ length: 64 }, (_, i) => "0123456789abcdef"[(i * 7 + n * 5) % 16]).join("");
const certificate = (n: number, days: number) => ({ subject: "login.halcyon.example", fingerprint: fingerprint(n), not_after: at(-86_400 * days) });

function connection(n: number, part: Partial<SignOnConnection>): SignOnConnection {
  const base = `https://kinora.halcyon.example/saml/${id(12, n)}`;
  return {
    id: id(12, n),
    name: "Studio account",
    enabled: true,
    ours: { entity_id: `${base}/metadata`, acs_url: `${base}/acs`, logout_url: `${base}/logout` },
    provider: {
      entity_id: "https://login.halcyon.example/realms/studio",
      sign_on_redirect: "https://login.halcyon.example/realms/studio/protocol/saml",
      sign_on_post: "https://login.halcyon.example/realms/studio/protocol/saml",
      has_logout: true,
      valid_until: null,
      certificates: [certificate(1, 21), certificate(2, -3)],
    },
    provider_problem: null,
    metadata_url: "https://login.halcyon.example/realms/studio/protocol/saml/descriptor",
    metadata_signer: null,
    fetched_at: at(7200),
    fetch_tried_at: at(7200),
    fetch_error: null,
    clock_skew_seconds: 60,
    allow_unsolicited: false,
    force_sign_in: false,
    contexts: [],
    name_id_format: null,
    request_binding: null,
    single_logout: true,
    subject_attribute: null,
    email_attribute: "mail",
    name_attribute: null,
    groups_attribute: "groups",
    admits_everyone: true,
    certificates: [
      { role: "signing", ...certificate(3, 700), created_at: at(86_400 * 300) },
      { role: "next", ...certificate(4, 1096), created_at: at(3600) },
    ],
    warnings: [{ what: "provider_certificate", ends_at: at(-86_400 * 21), days_left: 21 }],
    last_test: { attempt_id: id(13, 0), at: at(5400), refusal: null, is_current: true },
    created_at: at(86_400 * 300),
    updated_at: at(7200),
    revision: 4,
    ...part,
  };
}

export const connections: SignOnConnection[] = [
  connection(0, {}),
  connection(1, {
    name: "Post house in Wellington, with a name that is rather long",
    enabled: false,
    metadata_url: "https://idp.post-production-facility.example/a/very/long/path/to/the/metadata/of/this/provider.xml",
    fetch_error: "The server could not be reached: certificate verify failed. Check the address, and whether Kinora's servers may connect to it.",
    last_test: { attempt_id: id(13, 1), at: at(600), refusal: "wrong_audience", is_current: true },
    warnings: [],
  }),
  connection(2, { name: "New one", enabled: false, provider: null, metadata_url: null, fetched_at: null, fetch_tried_at: null, last_test: null, warnings: [], certificates: [{ role: "signing", ...certificate(5, 1096), created_at: at(60) }] }),
];

const serviceAccount = (n: number, part: Partial<ServiceAccount>): ServiceAccount => ({
  id: id(31, n),
  login: `service:lab-copy-89abcde${n}`,
  name: "Lab copy",
  purpose: "Copies dailies of the day to the lab in Wellington, from the machine in the transfer room.",
  responsible: { id: id(3, 1), login: "ada@halcyon.example", display_name: "Ada Löwe", present: true },
  deactivated: false,
  created_at: at(9_000_000),
  last_used_at: at(400),
  productions: [
    { production_id: id(2, 0), name: "The Salt Road", roles: { library: "editor", subtitling: "reader" }, ends_at: null },
    { production_id: id(2, 6), name: "Nordlicht — Staffel 2", roles: { library: "reader" }, ends_at: null },
  ],
  revision: 3,
  ...part,
});
export const serviceAccounts: ServiceAccount[] = [
  serviceAccount(0, {}),
  serviceAccount(1, {
    login: "service:budget-to-accounting-89abcdef",
    name: "Budget to accounting, with a name that is rather long for a table",
    purpose: "Reads the budget every night.",
    responsible: { id: id(3, 9), login: "left@halcyon.example", display_name: "Somebody Else", present: false },
    last_used_at: null,
    productions: [],
  }),
  serviceAccount(2, { login: "service:old-89abcdef", name: "Old upload script", deactivated: true, productions: [] }),
];
export const serviceTokens: AccessToken[] = [
  { id: id(32, 0), name: "transfer room", hint: "9kPz", created_at: at(900_000), expires_at: at(-5_000_000), last_used_at: at(400), scope: { most_role: "editor", modules: ["library"], productions: [id(2, 0)] } },
];
export const provisioning: Provisioning = {
  url: "https://kinora.halcyon.example/scim/v2",
  tokens: [{ id: id(33, 0), hint: "x7Qd", created_at: at(900_000), expires_at: at(-25_000_000), last_used_at: at(300) }],
  active_users: 214,
  inactive_users: 12,
  groups: 9,
};

export const groupRules: GroupRule[] = [
  { id: id(14, 0), group: "kinora-it", organisation_role: "administrator", production_id: null, roles: null, created_at: at(9000) },
  { id: id(14, 1), group: "CN=salt-road-editorial,OU=Productions,DC=halcyon,DC=example", organisation_role: null, production_id: id(2, 0), roles: { library: "editor", subtitling: "reader" }, created_at: at(8000) },
];

export const attempts: SignOnAttempt[] = [
  {
    id: id(13, 0),
    at: at(5400),
    purpose: "test",
    refusal: null,
    sentence: null,
    detail: null,
    person: "ines@halcyon.example",
    address: "10.20.0.14",
    findings: {
      name_id: { value: "f3b1c0de-7a55-4c1e-9a2e-2f0f6a7f1b11", format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" },
      context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
      attributes: [
        { name: "urn:oid:0.9.2342.19200300.100.1.3", friendly_name: "mail", values: ["ines@halcyon.example"] },
        { name: "displayName", friendly_name: null, values: ["Ines Marková"] },
        { name: "groups", friendly_name: null, values: ["all-staff", "kinora-it", "CN=salt-road-editorial,OU=Productions,DC=halcyon,DC=example"] },
        { name: "http://schemas.microsoft.com/identity/claims/objectidentifier", friendly_name: null, values: ["6a1f0a4e-0f53-4b7e-8a0e-0a8a41b6e001"] },
      ],
      mapped: {
        subject_value: "f3b1c0de-7a55-4c1e-9a2e-2f0f6a7f1b11",
        subject_attribute: null,
        address: "ines@halcyon.example",
        display_name: "Ines Marková",
        groups: ["all-staff", "kinora-it", "CN=salt-road-editorial,OU=Productions,DC=halcyon,DC=example"],
        matched_rules: [id(14, 0), id(14, 1)],
        organisation_role: "administrator",
        productions: [{ production_id: id(2, 0), roles: { library: "editor", subtitling: "reader" } }],
      },
    },
  },
  {
    id: id(13, 1),
    at: at(600),
    purpose: "test",
    refusal: "wrong_audience",
    sentence: "The assertion is meant for another application. Compare the audience (entity ID) in the identity provider with the one in Kinora's metadata.",
    detail: "found “https://kinora-old.halcyon.example/saml”, expected “https://kinora.halcyon.example/saml/0192/metadata”",
    person: "ines@halcyon.example",
    address: "10.20.0.14",
    findings: null,
  },
  { id: id(13, 2), at: at(9000), purpose: "sign_in", refusal: "no_group", sentence: "None of the person's groups has a rule, and this connection does not admit everyone.", detail: null, person: null, address: "10.20.0.77", findings: null },
  { id: id(13, 3), at: at(9600), purpose: "sign_in", refusal: null, sentence: null, detail: null, person: "tomasz@halcyon.example", address: "10.20.0.31", findings: null },
];

export const domains: OrganisationDomain[] = [
  { id: id(15, 0), domain: "halcyon.example", verified_at: at(86_400 * 40), connection_id: null, created_at: at(86_400 * 41), revision: 2 },
  { id: id(15, 1), domain: "a-rather-long-subsidiary-of-halcyon-pictures.example", verified_at: null, connection_id: id(12, 1), created_at: at(4000), revision: 1 },
];

export const security = {
  second_factor_required: false,
  email_code_allowed: false,
  sso_required: false,
  sso_proven: true,
  revision: 1,
  owners: people.slice(0, 4).map(({ id: personId, login, display_name, has_password, has_second_factor, disabled }, n) => ({ id: personId, login, display_name, has_password, has_second_factor, disabled, break_glass: n === 0 })),
};
