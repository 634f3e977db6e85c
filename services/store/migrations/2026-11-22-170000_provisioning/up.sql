-- Service accounts, and what identity providers provision (SCIM 2.0).

-- Accounts of programs. Each is a person's row without a password, which belongs to no organisation as people do:
-- this row says whose it is. It has roles in productions and access tokens as people have.
CREATE TABLE service_accounts (
    person_id       uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    purpose         text NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 500),
    -- The member of the organisation who answers for it.
    responsible_id  uuid REFERENCES people (id) ON DELETE SET NULL,
    created_by      uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_accounts_organisation ON service_accounts (organisation_id, person_id);
CREATE INDEX service_accounts_responsible ON service_accounts (responsible_id);
CREATE INDEX service_accounts_created_by ON service_accounts (created_by);

-- What an identity provider provisions with: good for that, of this one connection, and for nothing else.
CREATE TABLE provisioning_tokens (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    -- SHA-256 of the token.
    token_digest  bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    -- Its last characters.
    hint          text NOT NULL CHECK (char_length(hint) <= 8),
    created_by    uuid REFERENCES people (id) ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX provisioning_tokens_connection ON provisioning_tokens (connection_id);
CREATE INDEX provisioning_tokens_created_by ON provisioning_tokens (created_by);

-- Users that a connection's provider has provisioned, and which account each has.
CREATE TABLE provisioned_users (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    person_id     uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    user_name     text NOT NULL CHECK (char_length(user_name) BETWEEN 1 AND 254),
    -- As logins are compared: NFKC, lower case.
    user_name_key text NOT NULL,
    external_id   text CHECK (char_length(external_id) BETWEEN 1 AND 256),
    -- Whether they may come in; who may not has no roles in the organisation.
    active        boolean NOT NULL,
    -- Name, display name and e-mail addresses as the provider gave them; nothing else is kept.
    attributes    jsonb NOT NULL,
    -- The addresses among them, lower case.
    emails        text[] NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    revision      bigint NOT NULL DEFAULT 1,
    CONSTRAINT provisioned_users_user_name UNIQUE (connection_id, user_name_key),
    CONSTRAINT provisioned_users_one_account UNIQUE (connection_id, person_id)
);
CREATE INDEX provisioned_users_person ON provisioned_users (person_id);
CREATE INDEX provisioned_users_external ON provisioned_users (connection_id, external_id);

-- Groups that it has provisioned. Rules of the connection name them by display name or external id.
CREATE TABLE provisioned_groups (
    id               uuid PRIMARY KEY,
    connection_id    uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    display_name     text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 256),
    display_name_key text NOT NULL,
    external_id      text CHECK (char_length(external_id) BETWEEN 1 AND 256),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    revision         bigint NOT NULL DEFAULT 1,
    CONSTRAINT provisioned_groups_display_name UNIQUE (connection_id, display_name_key)
);

CREATE TABLE provisioned_members (
    group_id uuid NOT NULL REFERENCES provisioned_groups (id) ON DELETE CASCADE,
    user_id  uuid NOT NULL REFERENCES provisioned_users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX provisioned_members_user ON provisioned_members (user_id);
