-- The audit trail: searching it, how far it was handed on to the journal, what its last check said, and
-- where it begins when old rows are not kept.

CREATE INDEX audit_rows_actor ON audit_rows (organisation_id, actor_id, sequence);
CREATE INDEX audit_rows_subject ON audit_rows (organisation_id, subject_id, sequence);
CREATE INDEX audit_rows_at ON audit_rows (at);

-- Number and hash of the newest row that was removed for its age; the oldest row that is kept follows it.
CREATE TABLE audit_start (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    sequence  bigint NOT NULL CHECK (sequence >= 0),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32)
);
INSERT INTO audit_start (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Number of the newest row that the journal has. Rows from before this release are not handed on.
CREATE TABLE audit_forwarded (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    sequence  bigint NOT NULL
);
INSERT INTO audit_forwarded (sequence) SELECT sequence FROM audit_head;

-- What the last check of the whole trail found: one row, none before the first.
CREATE TABLE audit_checks (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    at        timestamptz NOT NULL,
    verdict   text NOT NULL CHECK (verdict IN ('intact', 'missing', 'altered', 'cut_off')),
    -- Rows that were looked at, and where the trail is not what was written.
    rows      bigint NOT NULL,
    sequence  bigint,
    -- Hash of the newest row, hexadecimal: to be kept elsewhere.
    head      text
);
