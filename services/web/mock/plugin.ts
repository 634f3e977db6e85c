// Answers /api from made-up data, so that every page can be looked at without the services.
// Development only. Sign in with any login; the password "wrong" is refused, the login "new" has to
// choose a password, the login "nobody" has no productions, and to the login "broken" the audit trail is not whole.

import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import type { Asset } from "../src/api/types";
import * as data from "./data";
import * as installation from "./installation";
import { mediaFile } from "./media";

const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

let login = "";
const streams = new Map<string, Set<ServerResponse>>();
const uploads = new Map<string, { length: number; offset: number; name: string; production: string }>();

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": status >= 400 ? "application/problem+json" : "application/json", ETag: '"1"' });
  response.end(JSON.stringify(body));
}

const problem = (response: ServerResponse, status: number, slug: string, detail: string, errors?: unknown) =>
  json(response, { type: `urn:kinora:problem:${slug}`, title: slug, status, detail, request_id: "mock-1", errors }, status);

const body = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>) : {};
};

function session() {
  return {
    person: { id: data.id(3, 1), login, display_name: "Ines Marková" },
    csrf_token: "mock",
    password_change_required: login === "new",
    organisations: login === "nobody" ? [] : [{ id: data.ORGANISATION, name: "Halcyon Pictures", role: "owner", withheld: login === "held", single_sign_on_required: false, runs_installation: true }],
    factors: { authenticator: login === "second", passkey: login === "second", email_code: false },
    second_factor_required: login === "held",
    single_sign_on: false,
    single_sign_on_required: false,
    confirmed_until: new Date(Date.now() + 6e5).toISOString(),
    support: login === "nobody" ? [] : [{ grant_id: data.id(12, 1), organisation_id: data.id(1, 2), organisation: "Nordlicht Film", ends_at: new Date(Date.now() + 7.2e6).toISOString(), withheld: login === "held" ? "second_factor" : null }],
  };
}

function publish(production: string, event: string, payload: unknown, eventId = true): void {
  for (const stream of streams.get(production) ?? []) stream.write(`event: ${event}\n${eventId ? `id: ${Date.now()}\n` : ""}data: ${JSON.stringify(payload)}\n\n`);
}

function listAssets(production: string, url: URL, response: ServerResponse): void {
  if (production === data.id(2, 3)) return problem(response, 500, "internal", "The library could not be read. Try again in a moment; if it stays so, tell whoever runs Kinora.");
  if (production === data.id(2, 4)) return;
  const query = url.searchParams;
  const [status, kind, q] = [query.get("status"), query.get("kind"), query.get("q")?.toLowerCase()];
  const sort = query.get("sort") ?? "-created";
  const key = { created: (a: Asset) => a.created_at, name: (a: Asset) => a.name.toLowerCase(), size: (a: Asset) => a.size_bytes, duration: (a: Asset) => a.duration_us ?? -1 }[
    sort.replace("-", "") as "name"
  ];
  const found = (data.assets.get(production) ?? [])
    .filter((asset) => (!status || asset.status === status) && (!kind || asset.kind === kind) && (!q || asset.name.toLowerCase().includes(q)))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1) * (sort.startsWith("-") ? -1 : 1));
  const [from, limit] = [Number(query.get("cursor") ?? 0), Number(query.get("limit") ?? 50)];
  json(response, { items: found.slice(from, from + limit), next_cursor: from + limit < found.length ? String(from + limit) : null });
}

function sendFile(request: IncomingMessage, response: ServerResponse, path: string, type: string): void {
  const size = statSync(path).size;
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const [start, end] = range ? [Number(range[1]), range[2] ? Number(range[2]) : size - 1] : [0, size - 1];
  response.writeHead(range ? 206 : 200, {
    "Content-Type": type,
    "Content-Length": end - start + 1,
    "Accept-Ranges": "bytes",
    ...(range ? { "Content-Range": `bytes ${start}-${end}/${size}` } : {}),
  });
  createReadStream(path, { start, end }).pipe(response);
}

function ingest(production: string, name: string, size: number): string {
  const list = data.assets.get(production) ?? [];
  const asset: Asset = { ...data.makeAsset(0, 0), id: crypto.randomUUID(), production_id: production, name, size_bytes: size, created_at: new Date().toISOString() };
  list.unshift(asset);
  data.assets.set(production, list);
  publish(production, "asset", asset);
  publish(production, "run", data.runOf(asset));
  let percent = 0;
  const timer = setInterval(() => {
    percent += 8;
    const run = data.runOf(asset);
    const step = run.steps[1];
    if (percent < 100 && step) {
      publish(production, "progress", { run_id: run.id, step_id: step.id, asset_id: asset.id, attempt: 1, progress: { fraction: percent / 100, speed: 4.1, remaining_seconds: Math.round((100 - percent) / 8) }, at: new Date().toISOString() }, false);
      return;
    }
    clearInterval(timer);
    Object.assign(asset, { status: "ready", kind: "video", duration_us: 60_000_000 });
    publish(production, "asset", asset);
    publish(production, "run", data.runOf(asset));
  }, 1000);
  return asset.id;
}

async function upload(request: IncomingMessage, response: ServerResponse, production: string, uploadId: string | undefined): Promise<void> {
  const headers: Record<string, string> = { "Tus-Resumable": "1.0.0" };
  if (request.method === "GET") {
    const forgotten = { location: `/api/media/v1/productions/${production}/uploads/forgotten`, id: data.id(9, 1), file_name: "C003C014_260511_R1VK.mov", length_bytes: 4_000_000_000, offset_bytes: 2_710_000_000, created_at: new Date(Date.now() - 7.2e6).toISOString(), expires_at: new Date(Date.now() + 1e8).toISOString() };
    return json(response, { items: production === data.id(2, 0) ? [forgotten] : [] });
  }
  if (request.method === "POST") {
    const metadata = String(request.headers["upload-metadata"] ?? "");
    const name = Buffer.from(/filename ([^,]+)/.exec(metadata)?.[1] ?? "", "base64").toString();
    const made = crypto.randomUUID();
    uploads.set(made, { length: Number(request.headers["upload-length"]), offset: 0, name, production });
    response.writeHead(201, { ...headers, Location: `/api/media/v1/productions/${production}/uploads/${made}` }).end();
    return;
  }
  const known = uploads.get(uploadId ?? "");
  if (!known) return problem(response, 404, "not-found", "There is no such upload.");
  if (request.method === "HEAD") {
    response.writeHead(200, { ...headers, "Upload-Offset": known.offset, "Upload-Length": known.length, "Cache-Control": "no-store" }).end();
  } else if (request.method === "DELETE") {
    uploads.delete(uploadId ?? "");
    response.writeHead(204, headers).end();
  } else {
    for await (const chunk of request) known.offset += (chunk as Buffer).length;
    const done = known.offset === known.length ? { "Kinora-Asset": ingest(production, known.name, known.length) } : {};
    response.writeHead(204, { ...headers, "Upload-Offset": known.offset, ...done }).end();
  }
}

function answerSignOn(list: string, oneId: string | undefined, part: string | undefined, partId: string | undefined, method: string, input: Record<string, unknown>, response: ServerResponse, query: URLSearchParams): void {
  if (list === "domains") return json(response, oneId || method === "POST" ? data.domains[0] : { items: data.domains, next_cursor: null });
  if (!oneId) return json(response, method === "POST" ? data.connections[2] : { items: data.connections, next_cursor: null }, method === "POST" ? 201 : 200);
  const known = data.connections.find((one) => one.id === oneId);
  if (!known) return problem(response, 404, "not-found", "There is no such connection.");
  if (part === "provisioning") return json(response, method === "POST" ? { secret: "kinora_scim_4fZkqv0mX9cLw2s7Jp1TgYb8RnHd3VuEaCx7QdJp1TgYb8RnHd3V", token: data.provisioning.tokens[0] } : known.provider ? data.provisioning : { ...data.provisioning, tokens: [], active_users: 0, inactive_users: 0, groups: 0 });
  if (part === "rules") return json(response, method === "GET" ? { items: known.provider ? data.groupRules : [], next_cursor: null } : data.groupRules[0]);
  if (part === "attempts" && partId) {
    const attempt = data.attempts.find(({ id }) => id === partId);
    return attempt ? json(response, attempt) : problem(response, 404, "not-found", "There is no such attempt.");
  }
  if (part === "attempts") {
    const listed = data.attempts.filter(({ refusal }) => !query.has("refused") || !!refusal);
    return json(response, { items: known.provider ? listed.map((one) => ({ ...one, findings: null })) : [], next_cursor: null });
  }
  if (part === "test") return json(response, { address: `/administration/sign-on/${oneId}?attempt=${known.last_test?.attempt_id ?? ""}` });
  if (part === "metadata" && method === "PUT") return problem(response, 422, "invalid", "A value in the request is not allowed.", [{ pointer: input.url ? "/url" : "/xml", detail: "The metadata has no signing certificate, without which nothing the identity provider says can be checked." }]);
  if (method === "PATCH") Object.assign(known, input);
  json(response, known);
}

const handle: Connect.NextHandleFunction = (request, response, next) => {
  const url = new URL(request.url ?? "/", "http://mock");
  const method = request.method ?? "GET";
  const path = url.pathname;
  if (!path.startsWith("/api/")) {
    if (process.env.KINORA_MOCK_CSP) response.setHeader("Content-Security-Policy", csp);
    next();
    return;
  }
  const respond = async (): Promise<void> => {
    const media = /^\/api\/media\/v1\/productions\/([^/]+)\/uploads\/?([^/]*)$/.exec(path);
    if (media) return upload(request, response, media[1] ?? "", media[2] || undefined);
    const file = /^\/api\/media\/v1\/assets\/[^/]+\/(.+)$/.exec(path)?.[1];
    if (file === "waveform" || file === "proxy" || file === "poster" || file === "filmstrip" || file === "filmstrip.vtt") {
      const types = { proxy: "video/mp4", poster: "image/jpeg", filmstrip: "image/jpeg", "filmstrip.vtt": "text/vtt", waveform: "application/octet-stream" };
      return sendFile(request, response, mediaFile(file), types[file]);
    }
    const events = /^\/api\/data\/v1\/productions\/([^/]+)\/events$/.exec(path)?.[1];
    if (events) {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      response.write(": hello\n\n");
      streams.set(events, (streams.get(events) ?? new Set()).add(response));
      request.on("close", () => streams.get(events)?.delete(response));
      return;
    }
    const rest = path.replace("/api/data/v1", "");
    const input = method === "GET" || method === "DELETE" ? {} : await body(request);
    if (rest === "/session" && method === "POST") {
      if (input.password === "wrong") return problem(response, 401, "sign-in-failed", "Login and password do not match.");
      login = String(input.login);
      if (login === "second") {
        login = "";
        return json(response, { factors: { authenticator: true, passkey: true, email_code: true }, expires_at: new Date(Date.now() + 6e5).toISOString() }, 202);
      }
      return json(response, session());
    }
    if (rest === "/session/route") return json(response, { way: "password", address: null });
    if (rest === "/session" && method === "DELETE") {
      login = "";
      return json(response, {}, 204);
    }
    if (rest === "/password-link/password") return json(response, {}, 204);
    if (rest === "/password-link") return input.token === "used" ? problem(response, 404, "not-found", "This link does not work any more.") : json(response, { login: "freya@halcyon.example", display_name: "Freya Lindqvist", expires_at: new Date(Date.now() + 8e7).toISOString() });
    if (rest === "/session/second-factor/email-code") return json(response, { expires_at: new Date(Date.now() + 6e5).toISOString() });
    if (rest === "/session/second-factor") {
      if (input.code === "000000") return problem(response, 422, "invalid", "A value is not allowed.", [{ pointer: "/code", detail: "is not the code that the app shows now" }]);
      login = "second";
      return json(response, session());
    }
    if (rest === "/invitation") {
      if (input.token === "used") return problem(response, 404, "not-found", "This link does not work any more.");
      return json(response, { production_id: data.id(2, 0), production: "The Salt Road", organisation: "Halcyon Pictures", invited_by: "Ines Marková", address: "noor@elsewhere.example", roles: { library: "reader", subtitling: "editor" }, membership_ends_at: new Date(Date.now() + 8e9).toISOString(), expires_at: new Date(Date.now() + 5e8).toISOString(), has_account: input.token === "known" });
    }
    if (rest === "/invitation/account" || rest === "/invitation/acceptance") return json(response, { production_id: data.id(2, 0) }, 201);
    if (rest.startsWith("/support-access")) {
      if (input.token === "used") return problem(response, 404, "not-found", "This link does not work any more.");
      const { given_by, scope, originals, reason, starts_at, ends_at } = data.supportGrants[0] ?? {};
      return json(response, { organisation: "Nordlicht Film", given_by, address: "ines@halcyon.example", scope, originals, reason, starts_at, ends_at });
    }
    if (rest === "/address-confirmation") return input.token === "used" ? problem(response, 404, "not-found", "This link does not work any more.") : json(response, {}, 204);
    if (!login) return problem(response, 401, "not-signed-in", "Sign in first.");
    if (rest === "/session") return json(response, session());
    if (rest === "/account/studio-accounts") return json(response, { joined: [{ connection_id: data.id(9, 1), connection: "Halcyon accounts", created_at: new Date(Date.now() - 9e9).toISOString(), last_signed_in_at: new Date(Date.now() - 9e6).toISOString() }], open: [{ connection_id: data.id(9, 2), connection: "Halcyon Paris", organisation_id: data.ORGANISATION }] });
    if (rest === "/account/password") {
      if (String(input.new_password).length < 8) return problem(response, 422, "invalid", "Check the fields.", [{ pointer: "/new_password", detail: "This password would be guessed in seconds. Add a word or two." }]);
      login = "ines";
      return json(response, {}, 204);
    }
    if (rest === "/account/sessions")
      return json(response, { items: [true, false, false].map((current, n) => ({ id: data.id(7, n), current, created_at: new Date(Date.now() - n * 8e7).toISOString(), last_seen_at: new Date(Date.now() - n * 4e6).toISOString(), expires_at: new Date().toISOString(), address: "10.20.0.14", user_agent: n ? "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1" : "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36" })), next_cursor: null });
    if (rest === "/account/factors") return json(response, data.factors);
    if (rest === "/account/factors/email-code") return json(response, { expires_at: new Date(Date.now() + 6e5).toISOString() }, method === "POST" ? 200 : 204);
    if (rest === "/account/factors/authenticator" && method === "POST") return json(response, { ...data.enrolment, expires_at: new Date(Date.now() + 1.8e6).toISOString() });
    if (rest === "/account/factors/authenticator" || rest === "/account/factors/recovery-codes") return json(response, { recovery_codes: data.recoveryCodes });
    if (rest === "/account/tokens" && method === "POST")
      return json(response, { token: { id: data.id(8, 9), name: input.name, hint: "x7Qd", created_at: new Date().toISOString(), expires_at: new Date(Date.now() + 8e9).toISOString() }, secret: "kinora_4fZkqv0mX9cLw2s7Jp1TgYb8RnHd3VuEaCx7Qd" }, 201);
    if (rest === "/account/tokens")
      return json(response, { items: [{ id: data.id(8, 1), name: "DIT cart upload", hint: "9kPz", created_at: new Date(Date.now() - 9e8).toISOString(), expires_at: new Date(Date.now() + 5e9).toISOString(), last_used_at: new Date(Date.now() - 7e6).toISOString() }], next_cursor: null });
    if (rest === "/productions") return json(response, { items: login === "nobody" ? [] : data.productions, next_cursor: null });
    if (/^\/organisations\/[^/]+\/productions$/.test(rest)) {
      if (method === "POST") {
        const made = { ...data.productions[2], id: crypto.randomUUID(), name: String(input.name), created_at: new Date().toISOString() } as (typeof data.productions)[0];
        data.productions.unshift(made);
        data.assets.set(made.id, []);
        return json(response, made, 201);
      }
      return json(response, { items: data.productions, next_cursor: null });
    }
    if (/^\/organisations\/[^/]+\/people$/.test(rest)) {
      const made = { ...data.people[3], id: crypto.randomUUID(), ...input };
      if (method === "POST") return json(response, { person: made, password_link: { url: "https://kinora.halcyon.example/welcome#d2hhdCBhIG5pY2UgdG9rZW4gdGhpcyBpcw", expires_at: new Date(Date.now() + 2e8).toISOString() } }, 201);
      return json(response, { items: data.people, next_cursor: null });
    }
    if (/^\/organisations\/[^/]+\/security$/.test(rest) && method === "GET") return json(response, data.security);
    const signOn = /^\/organisations\/[^/]+\/sign-on\/(connections|domains)(?:\/([^/]+))?(?:\/([a-z/]+))?(?:\/([^/]+))?$/.exec(rest);
    if (signOn) return answerSignOn(signOn[1] ?? "", signOn[2], signOn[3]?.split("/")[0], signOn[4], method, input, response, url.searchParams);
    const service = /^\/organisations\/[^/]+\/service-accounts(?:\/([^/]+))?(\/tokens)?/.exec(rest);
    if (service) {
      const known = data.serviceAccounts.find((one) => one.id === service[1]);
      if (service[2]) return json(response, method === "POST" ? { token: data.serviceTokens[0], secret: "kinora_4fZkqv0mX9cLw2s7Jp1TgYb8RnHd3VuEaCx7Qd" } : { items: known?.deactivated ? [] : data.serviceTokens, next_cursor: null });
      if (known && method === "PATCH") Object.assign(known, input);
      return json(response, known ?? (method === "POST" ? { ...data.serviceAccounts[0], ...input } : { items: login === "nobody" ? [] : data.serviceAccounts, next_cursor: null }));
    }
    if (/^\/organisations\/[^/]+(\/security)?$/.test(rest)) return json(response, { ...data.organisation, ...input });
    if (rest.endsWith("/password-link")) return json(response, { url: "https://kinora.halcyon.example/welcome#d2hhdCBhIG5pY2UgdG9rZW4gdGhpcyBpcw", expires_at: new Date(Date.now() + 2e8).toISOString() }, 201);
    if (rest.endsWith("/mail-relay")) return json(response, { state: "failing", since: new Date(Date.now() - 4e6).toISOString(), error: "The mail relay cannot be reached: Connection error: timed out" });
    if (/\/mail(\/[^/]+)?(\/retry)?$/.test(rest) && rest.startsWith("/organisations/")) return method === "GET" ? json(response, { items: data.mails.filter(({ state }) => (url.searchParams.get("state") ?? state) === state), next_cursor: null }) : json(response, data.mails[0]);
    if (rest === "/installation/status") return json(response, installation.status());
    if (rest === "/installation/dashboards") return json(response, installation.dashboards());
    if (rest === "/personal-data") return json(response, { items: data.personalData, next_cursor: null });
    if (rest === "/account/address") return json(response, { expires_at: new Date(Date.now() + 8.64e7).toISOString() });
    if (rest.endsWith("/erasure")) {
      if (!String(input.login).includes("@")) return problem(response, 422, "invalid", "A value is not allowed.", [{ pointer: "/login", detail: "is not what this person signs in with" }]);
      return json(response, { ...data.erasure, asked_by: rest.startsWith("/account") ? "person" : "organisation" });
    }
    if (rest.endsWith("/erasures")) return json(response, { items: login === "fresh" ? [] : [data.erasure], next_cursor: null });
    if (rest.endsWith("/personal-data/people")) return json(response, { items: data.heldPeople.filter(({ display_name }) => display_name.toLowerCase().includes(url.searchParams.get("q")?.toLowerCase() ?? "")), next_cursor: null });
    if (rest.endsWith("/personal-data")) return json(response, { format: "kinora-personal-data", version: 1, exported_at: new Date().toISOString(), people: [] });
    if (rest.endsWith("/audit/check")) return json(response, { at: new Date(Date.now() - 5e6).toISOString(), intact: login !== "broken", head: login === "broken" ? null : "9f2c".repeat(16) });
    const action = url.searchParams.get("action");
    if (rest.endsWith("/audit") && action) {
      const found = data.audit.filter((row) => row.action.startsWith(action));
      return json(response, { items: action.endsWith(".") ? found : found.slice(0, 1), next_cursor: null });
    }
    if (rest.endsWith("/audit")) return json(response, { items: url.searchParams.has("support_grant") || url.searchParams.has("support_only") ? data.supportAudit : data.audit, next_cursor: null });
    const grant = /^\/organisations\/[^/]+\/support-grants(?:\/([^/]+))?(\/end)?$/.exec(rest);
    if (grant) {
      const known = data.supportGrants.find((one) => one.id === grant[1]);
      if (grant[1] && !known) return problem(response, 404, "not-found", "There is no such support access.");
      if (known && grant[2]) Object.assign(known, { state: "ended", ended_at: new Date().toISOString(), ended_by: "Ines Marková" });
      return json(response, known ?? (method === "POST" ? data.supportGrants[0] : { items: data.supportGrants, next_cursor: null }), method === "POST" && !known ? 201 : 200);
    }
    const production = /^\/productions\/([^/]+)(\/.*)?$/.exec(rest);
    if (production) {
      const known = data.productions.find((one) => one.id === production[1]);
      if (!known) return problem(response, 404, "not-found", "There is no such production.");
      if (!production[2]) return json(response, known);
      if (production[2] === "/assets") return listAssets(known.id, url, response);
      if (production[2].startsWith("/invitations")) return json(response, method === "GET" ? { items: data.invitations, next_cursor: null } : data.invitations[0]);
      if (production[2].startsWith("/members")) return json(response, method === "GET" ? { items: data.members, next_cursor: null } : data.members[0]);
      if (production[2] === "/runs") return json(response, { items: (data.assets.get(known.id) ?? []).slice(0, 50).filter((asset) => asset.status === "processing").map(data.runOf), next_cursor: null });
    }
    const asset = /^\/assets\/([^/]+)(\/runs)?$/.exec(rest);
    if (asset) {
      const known = data.findAsset(asset[1] ?? "");
      if (!known) return problem(response, 404, "not-found", "There is no such asset.");
      if (asset[2]) return json(response, { items: [data.runOf(known)], next_cursor: null });
      if (method === "PATCH") known.name = String(input.name);
      if (method === "DELETE") {
        const list = data.assets.get(known.production_id) ?? [];
        list.splice(list.indexOf(known), 1);
        publish(known.production_id, "asset_removed", { id: known.id });
        return json(response, {}, 204);
      }
      return json(response, data.detail(known));
    }
    return problem(response, 404, "not-found", "There is nothing here.");
  };
  respond().catch((error: unknown) => problem(response, 500, "internal", String(error)));
};

export function mockServer(): Plugin {
  return {
    name: "kinora-mock",
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  };
}
