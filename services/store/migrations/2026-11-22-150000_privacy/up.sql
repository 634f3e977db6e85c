-- Personal data: what was erased, an audit trail from which names can be erased, and the confirmation of a
-- new e-mail address.

-- Since when a person is erased: the row stays for the id that what they made refers to.
ALTER TABLE people ADD COLUMN erased_at timestamptz;

-- What was erased: ids and counts, no personal data. Rows are only added, so that after a restore everything
-- can be erased again.
CREATE TABLE erasures (
    id              uuid PRIMARY KEY,
    -- No foreign key: the list is read back into databases in which the person may not be.
    person_id       uuid NOT NULL,
    -- The organisation whose part alone was erased; none: the whole account.
    organisation_id uuid,
    -- Who takes the person's place where only a part was erased; else the person's own id.
    stands_for      uuid NOT NULL,
    asked_by        text NOT NULL CHECK (asked_by IN ('person', 'organisation', 'operator')),
    -- The organisations whose administrators may read the report.
    told_to         uuid[] NOT NULL,
    erased_at       timestamptz NOT NULL DEFAULT now(),
    -- [{table, done, rows}, …]
    report          jsonb NOT NULL
);
CREATE INDEX erasures_person ON erasures (person_id);
CREATE INDEX erasures_told_to ON erasures USING gin (told_to);

-- The hash of a row covers digests of what may name somebody, each made with 16 random bytes of its own
-- (store::audit). Without those bytes a digest tells nothing, and the chain holds all the same.
ALTER TABLE audit_rows
    ADD COLUMN salts    bytea CHECK (octet_length(salts) = 80),
    ADD COLUMN digests  bytea CHECK (octet_length(digests) = 160),
    ADD COLUMN erasures uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT audit_rows_sealed CHECK ((salts IS NULL) = (digests IS NULL));
CREATE INDEX audit_rows_actor_id ON audit_rows (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_rows_subject_id ON audit_rows (subject_id) WHERE subject_id IS NOT NULL;

-- The services may not change rows of the trail. What they may do is erase fields of rows, for an erasure that
-- is in the list, and every row tells which. Bits of a mask: 1 actor, 2 address, 4 subject, 8 before, 16 after.
CREATE FUNCTION erase_in_audit(
    erasure uuid, name text, rows_of bigint[], masks integer[], befores jsonb[], afters jsonb[]
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    changed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM public.erasures e WHERE e.id = erasure) THEN
        RAISE EXCEPTION 'there is no erasure %', erasure;
    END IF;
    WITH told AS (
        SELECT * FROM unnest(rows_of, masks, befores, afters) AS t (sequence, mask, before, after)
    )
    UPDATE public.audit_rows a SET
        actor   = CASE WHEN t.mask & 1 > 0 THEN name ELSE a.actor END,
        address = CASE WHEN t.mask & 2 > 0 THEN NULL ELSE a.address END,
        subject = CASE WHEN t.mask & 4 > 0 THEN name ELSE a.subject END,
        before  = CASE WHEN t.mask & 8 > 0 THEN t.before ELSE a.before END,
        after   = CASE WHEN t.mask & 16 > 0 THEN t.after ELSE a.after END,
        salts   = (SELECT string_agg(
                       CASE WHEN t.mask & (1 << field) > 0 THEN decode(repeat('00', 16), 'hex')
                            ELSE substring(a.salts FROM 1 + 16 * field FOR 16) END, ''::bytea ORDER BY field)
                   FROM generate_series(0, 4) AS field WHERE a.salts IS NOT NULL),
        erasures = CASE WHEN erasure = ANY (a.erasures) THEN a.erasures ELSE array_append(a.erasures, erasure) END
    FROM told t WHERE a.sequence = t.sequence AND t.mask BETWEEN 1 AND 31;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;
REVOKE ALL ON FUNCTION erase_in_audit FROM PUBLIC;

-- A new e-mail address that its owner has not confirmed yet.
CREATE TABLE address_changes (
    person_id    uuid PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    address      text NOT NULL CHECK (char_length(address) BETWEEN 3 AND 254),
    -- SHA-256 of the token in the mail's link; none until the mail goes out.
    token_digest bytea UNIQUE CHECK (octet_length(token_digest) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX address_changes_expiry ON address_changes (expires_at);
