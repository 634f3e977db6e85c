-- Second factors: authenticator apps, recovery codes, passkeys; half-finished sign-ins; how long ago a
-- session was confirmed; whether an organisation asks for a second factor.

-- None: nobody has confirmed it since this column is there.
ALTER TABLE sessions ADD COLUMN confirmed_at timestamptz;

ALTER TABLE organisations ADD COLUMN second_factor_required boolean NOT NULL DEFAULT false;

-- Authenticator apps (RFC 6238).
CREATE TABLE totp_factors (
    person_id     uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    -- The secret, encrypted by the application under a key derived from this master key.
    master_key_id text NOT NULL,
    sealed_secret text NOT NULL,
    -- The newest time step of which a code was accepted: none of it or before is accepted again.
    last_step     bigint NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz
);
CREATE INDEX totp_factors_master_key ON totp_factors (master_key_id);

-- Begun in a session, and not a factor before a first code has shown that the app has the secret.
CREATE TABLE totp_enrolments (
    person_id     uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    session_id    uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    master_key_id text NOT NULL,
    sealed_secret text NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX totp_enrolments_session ON totp_enrolments (session_id);
CREATE INDEX totp_enrolments_expiry ON totp_enrolments (expires_at);

CREATE TABLE recovery_codes (
    person_id   uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- SHA-256 over the person's id and the code.
    code_digest bytea NOT NULL CHECK (octet_length(code_digest) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz,
    PRIMARY KEY (person_id, code_digest)
);

-- Passkeys and security keys (Web Authentication).
CREATE TABLE passkeys (
    id            uuid PRIMARY KEY,
    person_id     uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    -- COSE algorithm (RFC 9053) and SubjectPublicKeyInfo (RFC 5280, DER).
    algorithm     integer NOT NULL,
    public_key    bytea NOT NULL,
    sign_count    bigint NOT NULL,
    -- How browsers reach it, as they said: internal, hybrid, usb, nfc, ble, smart-card.
    transports    text[] NOT NULL,
    -- Whether it is kept on several devices.
    is_synced     boolean NOT NULL,
    name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz
);
CREATE INDEX passkeys_person ON passkeys (person_id, created_at);

-- What a passkey is asked to sign: once, soon, and by the browser that was asked.
CREATE TABLE passkey_challenges (
    challenge  bytea PRIMARY KEY CHECK (octet_length(challenge) = 32),
    -- SHA-256 of the cookie that it was made for.
    bound_to   bytea NOT NULL CHECK (octet_length(bound_to) = 32),
    purpose    text NOT NULL CHECK (purpose IN ('enrol', 'second_factor', 'sign_in', 'confirm')),
    expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_challenges_bound ON passkey_challenges (bound_to);
CREATE INDEX passkey_challenges_expiry ON passkey_challenges (expires_at);

-- Somebody gave the right password and has a second factor: no session yet.
CREATE TABLE pending_sign_ins (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- SHA-256 of the token in the cookie.
    token_digest bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX pending_sign_ins_person ON pending_sign_ins (person_id);
CREATE INDEX pending_sign_ins_expiry ON pending_sign_ins (expires_at);

-- Wrong codes in a row, whatever session they came in, whichever instance looked at them.
CREATE TABLE factor_tries (
    person_id    uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('totp', 'recovery_code')),
    failures     integer NOT NULL,
    locked_until timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, kind)
);

-- Browsers that somebody has signed in with before: others are told to the person.
CREATE TABLE known_browsers (
    person_id    uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- SHA-256 of the token in the cookie.
    token_digest bytea NOT NULL CHECK (octet_length(token_digest) = 32),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, token_digest)
);
