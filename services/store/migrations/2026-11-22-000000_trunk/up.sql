-- The trunk: accounts, permissions, audit, the library, uploads, runs and live events.
--
-- Conventions: ids are UUIDv7 made by the application; instants are timestamptz in UTC; sizes are
-- bigint bytes; enumerations are text with a CHECK, so that a later release can widen them without
-- rewriting a table. Every foreign key has an index that starts with it.

CREATE TABLE organisations (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    revision    bigint NOT NULL DEFAULT 1
);

CREATE TABLE people (
    id                       uuid PRIMARY KEY,
    -- As typed, for showing; login_key is what must be unique (NFKC, lower case).
    login                    text NOT NULL CHECK (char_length(login) BETWEEN 1 AND 254),
    login_key                text NOT NULL UNIQUE,
    display_name             text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
    -- bcrypt, modular crypt format; none until a first password is set.
    password_hash            text,
    -- Set for one-time passwords: nothing but choosing a new one is allowed after signing in.
    password_change_required boolean NOT NULL DEFAULT false,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    disabled_at              timestamptz,
    revision                 bigint NOT NULL DEFAULT 1
);

CREATE TABLE organisation_members (
    organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    person_id       uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    role            text NOT NULL CHECK (role IN ('owner', 'administrator', 'member')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    revision        bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (organisation_id, person_id)
);
CREATE INDEX organisation_members_person ON organisation_members (person_id);

CREATE TABLE productions (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    -- A removed production is invisible at once; its objects are removed afterwards.
    removed_at      timestamptz,
    revision        bigint NOT NULL DEFAULT 1,
    -- Number of the newest event; counting it up locks this row, so a production's events are
    -- gapless and commit in order.
    event_sequence  bigint NOT NULL DEFAULT 0
);
CREATE INDEX productions_organisation ON productions (organisation_id, id);

CREATE TABLE production_members (
    production_id   uuid NOT NULL REFERENCES productions (id) ON DELETE CASCADE,
    person_id       uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    office_role     text CHECK (office_role IN ('reader', 'editor', 'manager')),
    library_role    text CHECK (library_role IN ('reader', 'editor', 'manager')),
    subtitling_role text CHECK (subtitling_role IN ('reader', 'editor', 'manager')),
    budget_role     text CHECK (budget_role IN ('reader', 'editor', 'manager')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    revision        bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (production_id, person_id),
    CHECK (coalesce(office_role, library_role, subtitling_role, budget_role) IS NOT NULL)
);
CREATE INDEX production_members_person ON production_members (person_id, production_id);

-- Wrong passwords in a row, by SHA-256 of the login key: kept for logins that do not exist as well,
-- so that a lock-out tells nothing.
CREATE TABLE sign_in_failures (
    login_digest bytea PRIMARY KEY CHECK (octet_length(login_digest) = 32),
    failures     integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_failures_age ON sign_in_failures (updated_at);

CREATE TABLE sessions (
    id                 uuid PRIMARY KEY,
    person_id          uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- SHA-256 of the token in the cookie.
    token_digest       bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    created_at         timestamptz NOT NULL DEFAULT now(),
    last_seen_at       timestamptz NOT NULL DEFAULT now(),
    idle_expires_at    timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    revoked_at         timestamptz,
    address            text,
    user_agent         text
);
CREATE INDEX sessions_person ON sessions (person_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE access_tokens (
    id            uuid PRIMARY KEY,
    person_id     uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    token_digest  bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    -- The last characters, to tell tokens apart in a list.
    hint          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX access_tokens_person ON access_tokens (person_id, created_at);

CREATE TABLE password_links (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    token_digest bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   uuid REFERENCES people (id) ON DELETE SET NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX password_links_person ON password_links (person_id);
CREATE INDEX password_links_created_by ON password_links (created_by);

CREATE TABLE idempotency_keys (
    person_id      uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    key            text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    -- SHA-256 over method, path and body: the same key with another request is refused.
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    status         smallint NOT NULL,
    headers        jsonb NOT NULL,
    body           jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- The audit trail: each row's hash covers the row and the hash before it. The single row of
-- audit_head is locked by each writer, which makes the chain linear; it also shows a cut-off end.
CREATE TABLE audit_rows (
    sequence        bigint PRIMARY KEY,
    at              timestamptz NOT NULL,
    actor_id        uuid,
    actor           text NOT NULL,
    address         text,
    request_id      text,
    organisation_id uuid,
    production_id   uuid,
    action          text NOT NULL,
    subject_kind    text NOT NULL,
    subject_id      uuid,
    subject         text,
    before          jsonb,
    after           jsonb,
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_rows_organisation ON audit_rows (organisation_id, sequence);
CREATE INDEX audit_rows_production ON audit_rows (production_id, sequence);

CREATE TABLE audit_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    sequence bigint NOT NULL,
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32)
);
INSERT INTO audit_head (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Encrypted objects in the vault.
CREATE TABLE objects (
    id            uuid PRIMARY KEY,
    production_id uuid NOT NULL REFERENCES productions (id),
    master_key_id text NOT NULL,
    wrapped_key   text NOT NULL,
    size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
    sha256        text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    -- [{number, length_bytes}, …] in order
    segments      jsonb NOT NULL,
    place         text NOT NULL CHECK (place IN ('staging', 'store')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX objects_production ON objects (production_id);
CREATE INDEX objects_master_key ON objects (master_key_id);

-- Objects that nothing refers to any more: ignored results, removed assets, abandoned uploads.
CREATE TABLE orphan_objects (
    object_id  uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Not before this instant, so that whoever still reads it can finish.
    remove_after timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orphan_objects_due ON orphan_objects (remove_after);

CREATE TABLE assets (
    id              uuid PRIMARY KEY,
    production_id   uuid NOT NULL REFERENCES productions (id),
    name            text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 1000),
    kind            text NOT NULL DEFAULT 'unknown' CHECK (kind IN ('unknown', 'video', 'audio', 'still')),
    status          text NOT NULL CHECK (status IN ('processing', 'ready', 'failed', 'cancelled')),
    -- core::Failure; set exactly when the status is failed.
    failure         jsonb,
    -- The newest version, of which these are copies so that lists need no join.
    current_version uuid,
    size_bytes      bigint NOT NULL DEFAULT 0,
    duration_us     bigint,
    created_by      uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    removed_at      timestamptz,
    revision        bigint NOT NULL DEFAULT 1
);
CREATE INDEX assets_by_creation ON assets (production_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX assets_by_name ON assets (production_id, lower(name), id) WHERE removed_at IS NULL;
CREATE INDEX assets_by_size ON assets (production_id, size_bytes, id) WHERE removed_at IS NULL;
CREATE INDEX assets_by_duration ON assets (production_id, coalesce(duration_us, -1), id) WHERE removed_at IS NULL;
CREATE INDEX assets_by_status ON assets (production_id, status, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX assets_created_by ON assets (created_by);

CREATE TABLE versions (
    id                 uuid PRIMARY KEY,
    asset_id           uuid NOT NULL REFERENCES assets (id),
    production_id      uuid NOT NULL REFERENCES productions (id),
    number             integer NOT NULL CHECK (number > 0),
    -- As delivered; shown, never used as a path.
    file_name          text NOT NULL,
    media_type         text NOT NULL,
    original_object_id uuid NOT NULL REFERENCES objects (id),
    size_bytes         bigint NOT NULL,
    sha256             text NOT NULL,
    -- core::technical::Technical, core::technical::Analysis
    technical          jsonb,
    analysis           jsonb,
    warnings           jsonb NOT NULL DEFAULT '[]',
    created_by         uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (asset_id, number)
);
CREATE INDEX versions_original ON versions (original_object_id);
CREATE INDEX versions_production ON versions (production_id);
CREATE INDEX versions_created_by ON versions (created_by);
ALTER TABLE assets ADD CONSTRAINT assets_current_version FOREIGN KEY (current_version) REFERENCES versions (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX assets_current_version ON assets (current_version);

CREATE TABLE derivatives (
    version_id  uuid NOT NULL REFERENCES versions (id),
    kind        text NOT NULL CHECK (kind IN ('proxy', 'poster', 'filmstrip', 'filmstrip_index', 'waveform', 'raw_probe')),
    object_id   uuid NOT NULL REFERENCES objects (id),
    media_type  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version_id, kind)
);
CREATE INDEX derivatives_object ON derivatives (object_id);

-- Resumable uploads (tus 1.0.0).
CREATE TABLE uploads (
    id               uuid PRIMARY KEY,
    production_id    uuid NOT NULL REFERENCES productions (id),
    person_id        uuid NOT NULL REFERENCES people (id),
    -- none: length deferred
    length_bytes     bigint CHECK (length_bytes >= 0),
    -- Acknowledged, durable bytes.
    offset_bytes     bigint NOT NULL DEFAULT 0 CHECK (offset_bytes >= 0),
    -- As sent, for giving back on HEAD.
    metadata         text NOT NULL DEFAULT '',
    file_name        text,
    media_type       text,
    -- 'partial' uploads become parts of a 'final' one.
    concatenation    text CHECK (concatenation IN ('partial', 'final')),
    parts            jsonb,
    object_id        uuid NOT NULL,
    master_key_id    text NOT NULL,
    wrapped_key      text NOT NULL,
    segments         jsonb NOT NULL DEFAULT '[]',
    -- Resumable state of the SHA-256 over the acknowledged bytes.
    hash_state       bytea,
    -- Counts the writers; a writer whose epoch is not the newest is fenced out. Also the number of
    -- the segment that it writes.
    epoch            integer NOT NULL DEFAULT 0,
    writer           text,
    writer_seen_at   timestamptz,
    state            text NOT NULL DEFAULT 'receiving' CHECK (state IN ('receiving', 'complete', 'removed')),
    asset_id         uuid REFERENCES assets (id) ON DELETE SET NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    CHECK (length_bytes IS NULL OR offset_bytes <= length_bytes)
);
CREATE INDEX uploads_person ON uploads (person_id, production_id, created_at);
CREATE INDEX uploads_production ON uploads (production_id);
CREATE INDEX uploads_asset ON uploads (asset_id);
CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE state <> 'removed';

-- Runs of workflows, and their steps.
CREATE TABLE runs (
    id                  uuid PRIMARY KEY,
    production_id       uuid NOT NULL REFERENCES productions (id),
    asset_id            uuid NOT NULL REFERENCES assets (id),
    version_id          uuid NOT NULL REFERENCES versions (id),
    workflow            text NOT NULL,
    workflow_version    integer NOT NULL,
    state               text NOT NULL CHECK (state IN ('active', 'done', 'failed', 'cancelled')),
    failure             jsonb,
    cancel_requested_at timestamptz,
    created_by          uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    finished_at         timestamptz
);
CREATE INDEX runs_production ON runs (production_id, created_at DESC, id DESC);
CREATE INDEX runs_asset ON runs (asset_id, created_at DESC);
CREATE INDEX runs_version ON runs (version_id);
CREATE INDEX runs_created_by ON runs (created_by);
CREATE INDEX runs_cancel ON runs (cancel_requested_at) WHERE cancel_requested_at IS NOT NULL AND state = 'active';

CREATE TABLE steps (
    id            uuid PRIMARY KEY,
    run_id        uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position      integer NOT NULL,
    kind          text NOT NULL,
    -- Kinds of the steps of the same run that must be done before.
    needs         text[] NOT NULL DEFAULT '{}',
    state         text NOT NULL CHECK (state IN ('blocked', 'waiting', 'queued', 'running', 'done', 'failed', 'cancelled')),
    -- Counts from 1 with the first hand-over; results of other attempts are ignored.
    attempt       integer NOT NULL DEFAULT 0,
    -- Attempts since a person last started it: what the limit of attempts counts.
    tries         integer NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL DEFAULT now(),
    progress      jsonb,
    output        jsonb,
    failure       jsonb,
    worker        text,
    waiting_since timestamptz NOT NULL DEFAULT now(),
    queued_at     timestamptz,
    started_at    timestamptz,
    heartbeat_at  timestamptz,
    finished_at   timestamptz,
    UNIQUE (run_id, kind)
);
CREATE INDEX steps_due ON steps (not_before, waiting_since) WHERE state = 'waiting';
CREATE INDEX steps_under_way ON steps (state, heartbeat_at) WHERE state IN ('queued', 'running');

-- What happened in a production, in commit order, for pages that are open on it.
CREATE TABLE events (
    production_id uuid NOT NULL REFERENCES productions (id) ON DELETE CASCADE,
    sequence      bigint NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    -- The module whose readers may see it; none: every member.
    module        text CHECK (module IN ('office', 'library', 'subtitling', 'budget')),
    kind          text NOT NULL,
    payload       jsonb NOT NULL,
    PRIMARY KEY (production_id, sequence)
);
CREATE INDEX events_age ON events (at);
