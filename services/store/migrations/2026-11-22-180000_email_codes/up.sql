-- Codes sent by mail: the weak second factor, for people without a better one at hand, where an organisation allows it.

ALTER TABLE organisations ADD COLUMN email_code_allowed boolean NOT NULL DEFAULT false;

-- Begun with a code that came by mail, which proves less than other factors do.
ALTER TABLE sessions ADD COLUMN by_email_code boolean NOT NULL DEFAULT false;

-- People to whom a code may be sent: one sent there has come back.
CREATE TABLE email_factors (
    person_id    uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    -- The login at that time. Codes are sent only as long as it is the login.
    address      text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);

-- Codes that were sent and can still be used: one for each half sign-in or session at a time.
CREATE TABLE email_codes (
    -- SHA-256 of the cookie of the half sign-in or session in which it was asked for.
    bound_to    bytea PRIMARY KEY CHECK (octet_length(bound_to) = 32),
    person_id   uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('second_factor', 'enrol')),
    -- HMAC-SHA-256 over person, cookie and code, under a key of the application's.
    code_digest bytea NOT NULL CHECK (octet_length(code_digest) = 32),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX email_codes_person ON email_codes (person_id);
CREATE INDEX email_codes_expiry ON email_codes (expires_at);

-- How often codes were sent to a person.
CREATE TABLE email_code_mails (
    person_id     uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    last_at       timestamptz NOT NULL,
    hour_began_at timestamptz NOT NULL,
    in_hour       integer NOT NULL
);
