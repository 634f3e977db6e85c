DROP TABLE address_changes;
DROP FUNCTION erase_in_audit;
DROP INDEX audit_rows_subject_id, audit_rows_actor_id;
ALTER TABLE audit_rows DROP CONSTRAINT audit_rows_sealed, DROP COLUMN erasures, DROP COLUMN digests, DROP COLUMN salts;
DROP TABLE erasures;
ALTER TABLE people DROP COLUMN erased_at;
