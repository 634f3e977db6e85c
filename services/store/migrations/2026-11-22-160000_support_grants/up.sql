-- Support access: what lets somebody outside an organisation see its content, for a time. Rows are never deleted.
-- People are ids without a foreign key: the row outlives them, and writing one takes the same work whether
-- the address has an account or not.
CREATE TABLE support_grants (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    -- As the owner wrote it, and in the form in which logins are compared.
    address         text NOT NULL,
    address_key     text NOT NULL,
    -- The account of that address when this was given; none: nobody can ever use it.
    supporter_id    uuid,
    most_role       text NOT NULL CHECK (most_role IN ('reader', 'editor')),
    modules         text[] NOT NULL CHECK (cardinality(modules) > 0
                        AND modules <@ ARRAY['office', 'library', 'subtitling', 'budget']),
    productions     uuid[] CHECK (cardinality(productions) BETWEEN 1 AND 100),
    originals       boolean NOT NULL DEFAULT false,
    reason          text NOT NULL CHECK (reason <> ''),
    given_by        uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '168 hours'),
    -- When an owner has ended it before its time, and who.
    ended_at        timestamptz,
    ended_by        uuid,
    first_used_at   timestamptz,
    -- When the owners were told that it has ended.
    end_told_at     timestamptz
);
CREATE INDEX support_grants_organisation ON support_grants (organisation_id, id);
CREATE INDEX support_grants_supporter ON support_grants (supporter_id, ends_at) WHERE ended_at IS NULL;
CREATE INDEX support_grants_untold ON support_grants (ends_at) WHERE end_told_at IS NULL;

-- The support access under which a row's act was done. Part of the row's hash where there is one.
ALTER TABLE audit_rows ADD COLUMN support_grant_id uuid;
CREATE INDEX audit_rows_support ON audit_rows (support_grant_id, at) WHERE support_grant_id IS NOT NULL;
