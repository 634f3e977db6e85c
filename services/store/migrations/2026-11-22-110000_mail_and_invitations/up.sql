-- Mail that is to go out, invitations, and the end of memberships.

-- Roles in a production may end by themselves; nobody has to be there to take them away.
ALTER TABLE production_members ADD COLUMN ends_at timestamptz;

-- Somebody who was asked by mail to join a production.
CREATE TABLE invitations (
    id                 uuid PRIMARY KEY,
    organisation_id    uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    production_id      uuid NOT NULL REFERENCES productions (id) ON DELETE CASCADE,
    -- As typed; address_key is what the login of whoever accepts must be.
    address            text NOT NULL CHECK (char_length(address) BETWEEN 3 AND 254),
    address_key        text NOT NULL,
    office_role        text CHECK (office_role IN ('reader', 'editor', 'manager')),
    library_role       text CHECK (library_role IN ('reader', 'editor', 'manager')),
    subtitling_role    text CHECK (subtitling_role IN ('reader', 'editor', 'manager')),
    budget_role        text CHECK (budget_role IN ('reader', 'editor', 'manager')),
    -- When the membership that comes of it ends; none: it does not.
    membership_ends_at timestamptz,
    -- Who stands for it: it holds only as long as they may give these roles.
    invited_by         uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    -- When its newest mail was asked for.
    mailed_at          timestamptz NOT NULL DEFAULT now(),
    expires_at         timestamptz NOT NULL,
    accepted_at        timestamptz,
    accepted_by        uuid REFERENCES people (id) ON DELETE SET NULL,
    withdrawn_at       timestamptz,
    revision           bigint NOT NULL DEFAULT 1,
    CHECK (coalesce(office_role, library_role, subtitling_role, budget_role) IS NOT NULL)
);
CREATE UNIQUE INDEX invitations_open ON invitations (production_id, address_key)
    WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX invitations_organisation ON invitations (organisation_id);
CREATE INDEX invitations_production ON invitations (production_id, id);
CREATE INDEX invitations_invited_by ON invitations (invited_by);
CREATE INDEX invitations_accepted_by ON invitations (accepted_by);

-- SHA-256 of the tokens in an invitation's mails. A mail that is sent again because the relay's answer
-- was lost has a token of its own, and both lead to the one invitation.
CREATE TABLE invitation_links (
    token_digest  bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32),
    invitation_id uuid NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitation_links_invitation ON invitation_links (invitation_id);

-- Mail that is to go out, and for some days what became of it.
CREATE TABLE mail_messages (
    id              uuid PRIMARY KEY,
    -- Whose administrators see it; none: nobody's.
    organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
    person_id       uuid REFERENCES people (id) ON DELETE SET NULL,
    invitation_id   uuid REFERENCES invitations (id) ON DELETE SET NULL,
    recipient       text NOT NULL CHECK (char_length(recipient) BETWEEN 3 AND 254),
    kind            text NOT NULL,
    -- core::mail::Letter; none as soon as it is not needed any more.
    letter          jsonb,
    state           text NOT NULL DEFAULT 'waiting'
                    CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'dropped')),
    tries           integer NOT NULL DEFAULT 0,
    not_before      timestamptz NOT NULL DEFAULT now(),
    -- When the relay first refused the message itself: what the limit of tries counts from.
    refused_at      timestamptz,
    -- Who is sending it, and until when they are believed to.
    claim           uuid,
    claimed_until   timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- After this instant it is not worth sending.
    expires_at      timestamptz,
    ended_at        timestamptz,
    CHECK ((state = 'sending') = (claim IS NOT NULL)),
    CHECK ((state = 'sending') = (claimed_until IS NOT NULL)),
    CHECK ((state IN ('sent', 'failed', 'dropped')) = (ended_at IS NOT NULL))
);
CREATE INDEX mail_messages_due ON mail_messages (not_before, id) WHERE state = 'waiting';
CREATE INDEX mail_messages_claimed ON mail_messages (claimed_until) WHERE state = 'sending';
CREATE INDEX mail_messages_ended ON mail_messages (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX mail_messages_organisation ON mail_messages (organisation_id, id);
CREATE INDEX mail_messages_person ON mail_messages (person_id);
CREATE INDEX mail_messages_invitation ON mail_messages (invitation_id);

-- What the leading backend knows of the mail relay: one row.
CREATE TABLE mail_relay (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    state     text NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'unset', 'working', 'failing')),
    -- Since when it is in that state.
    since     timestamptz NOT NULL DEFAULT now(),
    error     text
);
INSERT INTO mail_relay DEFAULT VALUES;
