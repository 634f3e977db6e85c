-- Single sign-on: organisations' e-mail domains, connections to identity providers (SAML 2.0), whom they
-- have signed in, and what is remembered so that nothing counts twice.

-- Whoever has roles in it must have signed in through one of its connections.
ALTER TABLE organisations ADD COLUMN sso_required boolean NOT NULL DEFAULT false;

-- E-mail domains of organisations: they decide which connection a person who signs in is sent to.
CREATE TABLE organisation_domains (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    -- Lower case, A-labels (RFC 5890).
    domain          text NOT NULL CHECK (char_length(domain) BETWEEN 1 AND 253),
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- When the installation's operator confirmed that it is theirs; until then it has no effect.
    verified_at     timestamptz,
    UNIQUE (organisation_id, domain)
);
CREATE UNIQUE INDEX organisation_domains_verified ON organisation_domains (domain) WHERE verified_at IS NOT NULL;

CREATE TABLE saml_connections (
    id                  uuid PRIMARY KEY,
    organisation_id     uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name                text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- A connection that is not enabled can be tested and signs nobody in.
    enabled             boolean NOT NULL DEFAULT false,
    -- The identity provider's metadata as it was checked, and its name in it; none until there is some.
    metadata            text,
    entity_id           text CHECK (char_length(entity_id) <= 1024),
    -- Where it is fetched again from, when that went well last, and what was wrong since.
    metadata_url        text,
    fetched_at          timestamptz,
    fetch_tried_at      timestamptz,
    fetch_error         text,
    -- Certificate (DER) that the metadata's signature is verified with; none: a signature is not asked for.
    metadata_signer     bytea,
    clock_skew_seconds  integer NOT NULL DEFAULT 60 CHECK (clock_skew_seconds BETWEEN 0 AND 300),
    allow_unsolicited   boolean NOT NULL DEFAULT false,
    force_sign_in       boolean NOT NULL DEFAULT false,
    -- AuthnContextClassRef values that are asked for; none: any.
    contexts            text[] NOT NULL DEFAULT '{}',
    name_id_format      text,
    -- How requests are sent; none: as the provider likes best.
    request_binding     text CHECK (request_binding IN ('redirect', 'post')),
    single_logout       boolean NOT NULL DEFAULT true,
    -- Attribute names. No subject attribute: the NameID is the stable identity.
    subject_attribute   text CHECK (char_length(subject_attribute) BETWEEN 1 AND 256),
    email_attribute     text CHECK (char_length(email_attribute) BETWEEN 1 AND 256),
    name_attribute      text CHECK (char_length(name_attribute) BETWEEN 1 AND 256),
    groups_attribute    text CHECK (char_length(groups_attribute) BETWEEN 1 AND 256),
    -- Whether people in none of the groups become members as well.
    admits_everyone     boolean NOT NULL DEFAULT true,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    revision            bigint NOT NULL DEFAULT 1,
    CHECK (NOT enabled OR metadata IS NOT NULL),
    CHECK ((metadata IS NULL) = (entity_id IS NULL))
);
CREATE INDEX saml_connections_organisation ON saml_connections (organisation_id, id);
CREATE INDEX saml_connections_fetch ON saml_connections (fetch_tried_at) WHERE metadata_url IS NOT NULL;

-- Our keys towards a connection's provider: one that signs, at most one that follows it or went before.
CREATE TABLE saml_keys (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    role          text NOT NULL CHECK (role IN ('signing', 'other')),
    -- The private key (PKCS #8), encrypted by the application under a key derived from this master key.
    master_key_id text NOT NULL,
    sealed_key    text NOT NULL,
    certificate   bytea NOT NULL,
    not_after     timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, role)
);
CREATE INDEX saml_keys_master_key ON saml_keys (master_key_id);

-- What membership of a group at the provider gives here: a role in the organisation or roles in a production.
CREATE TABLE saml_group_rules (
    id                uuid PRIMARY KEY,
    connection_id     uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    group_name        text NOT NULL CHECK (char_length(group_name) BETWEEN 1 AND 256),
    organisation_role text CHECK (organisation_role IN ('administrator', 'member')),
    production_id     uuid REFERENCES productions (id) ON DELETE CASCADE,
    office_role       text CHECK (office_role IN ('reader', 'editor', 'manager')),
    library_role      text CHECK (library_role IN ('reader', 'editor', 'manager')),
    subtitling_role   text CHECK (subtitling_role IN ('reader', 'editor', 'manager')),
    budget_role       text CHECK (budget_role IN ('reader', 'editor', 'manager')),
    created_at        timestamptz NOT NULL DEFAULT now(),
    CHECK ((organisation_role IS NULL) <> (production_id IS NULL)),
    CHECK ((production_id IS NULL) = (coalesce(office_role, library_role, subtitling_role, budget_role) IS NULL))
);
CREATE UNIQUE INDEX saml_group_rules_one ON saml_group_rules
    (connection_id, group_name, coalesce(production_id, '00000000-0000-0000-0000-000000000000'::uuid));
CREATE INDEX saml_group_rules_production ON saml_group_rules (production_id);

-- Memberships that a connection gave: it changes and takes them at the person's next sign-in, and nobody
-- else does. None: they were given by hand, and no connection touches them.
ALTER TABLE organisation_members ADD COLUMN granted_by uuid REFERENCES saml_connections (id) ON DELETE SET NULL;
ALTER TABLE production_members ADD COLUMN granted_by uuid REFERENCES saml_connections (id) ON DELETE SET NULL;
CREATE INDEX organisation_members_granted_by ON organisation_members (granted_by) WHERE granted_by IS NOT NULL;
CREATE INDEX production_members_granted_by ON production_members (granted_by) WHERE granted_by IS NOT NULL;
-- An owner who may sign in with password and second factor where single sign-on is required.
ALTER TABLE organisation_members ADD COLUMN break_glass boolean NOT NULL DEFAULT false;
ALTER TABLE organisation_members ADD CONSTRAINT organisation_members_break_glass CHECK (NOT break_glass OR role = 'owner');

-- Who a connection's subjects are here.
CREATE TABLE saml_identities (
    connection_id     uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    -- JSON: name and value of the subject attribute, or format, qualifiers and value of the NameID.
    subject           text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 2048),
    person_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at        timestamptz NOT NULL DEFAULT now(),
    last_signed_in_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, subject)
);
CREATE INDEX saml_identities_person ON saml_identities (person_id);

-- Requests that wait for an answer: each counts once, for the browser it was made in.
CREATE TABLE saml_requests (
    -- The ID in the message.
    id             text PRIMARY KEY CHECK (char_length(id) <= 64),
    connection_id  uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    purpose        text NOT NULL CHECK (purpose IN ('sign_in', 'test', 'link', 'confirm', 'logout')),
    relay_state    text NOT NULL UNIQUE CHECK (char_length(relay_state) <= 64),
    -- SHA-256 of the cookie of the browser that it was made in.
    browser_digest bytea NOT NULL CHECK (octet_length(browser_digest) = 32),
    -- SHA-256 of the cookie by which that browser is known for long, which does not come with the answer.
    known_browser  bytea CHECK (octet_length(known_browser) = 32),
    -- Who tests, links, confirms or signs out.
    person_id      uuid REFERENCES people (id) ON DELETE CASCADE,
    session_id     uuid REFERENCES sessions (id) ON DELETE CASCADE,
    -- Path inside the product to go on to.
    return_to      text CHECK (char_length(return_to) <= 2000),
    forced         boolean NOT NULL,
    contexts       text[] NOT NULL,
    made_at        timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX saml_requests_connection ON saml_requests (connection_id);
CREATE INDEX saml_requests_person ON saml_requests (person_id);
CREATE INDEX saml_requests_session ON saml_requests (session_id);
CREATE INDEX saml_requests_expiry ON saml_requests (expires_at);

-- Assertions and messages that were used, so that none is used again, on whichever instance.
CREATE TABLE saml_used_documents (
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    entity_id     text NOT NULL,
    document_id   text NOT NULL,
    keep_until    timestamptz NOT NULL,
    PRIMARY KEY (connection_id, entity_id, document_id)
);
CREATE INDEX saml_used_documents_expiry ON saml_used_documents (keep_until);

-- Sessions that began with an assertion: what single logout finds them by.
CREATE TABLE saml_sessions (
    session_id    uuid PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    subject       text NOT NULL,
    -- The NameID, to be named in a logout request.
    name_id       jsonb NOT NULL,
    session_index text
);
CREATE INDEX saml_sessions_connection ON saml_sessions (connection_id, subject);

-- The last attempts at each connection, with the reason of each refusal, for who has to mend it.
CREATE TABLE saml_attempts (
    id            uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    at            timestamptz NOT NULL DEFAULT now(),
    purpose       text NOT NULL CHECK (purpose IN ('sign_in', 'unsolicited', 'test', 'link', 'confirm', 'logout')),
    -- None: it went well. Else a code of the library's refusals or of the application's.
    refusal       text,
    detail        text,
    -- Whose attempt it was, as far as that is known.
    person_id     uuid REFERENCES people (id) ON DELETE SET NULL,
    address       text,
    -- For tests only: what came, and what it would be mapped to.
    findings      jsonb
);
CREATE INDEX saml_attempts_connection ON saml_attempts (connection_id, id);
CREATE INDEX saml_attempts_person ON saml_attempts (person_id);
CREATE INDEX saml_attempts_age ON saml_attempts (at);

-- Which end of which certificate (or of the metadata itself) the owners were warned of, so that each warning is
-- sent once, by whichever instance.
CREATE TABLE saml_warnings (
    connection_id uuid NOT NULL REFERENCES saml_connections (id) ON DELETE CASCADE,
    -- SHA-256 of what ends, hexadecimal.
    what          text NOT NULL CHECK (char_length(what) = 64),
    days          integer NOT NULL,
    warned_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, what, days)
);
