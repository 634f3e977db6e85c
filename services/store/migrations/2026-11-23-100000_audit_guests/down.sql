ALTER TABLE audit_rows DROP COLUMN actor_is_guest;
