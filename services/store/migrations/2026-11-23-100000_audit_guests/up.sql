-- Whether whoever did it was a guest of the organisation when the row was written. Part of the row's hash where it is
-- so; rows of before, and those of programs that do not know the column, are not marked.
ALTER TABLE audit_rows ADD COLUMN actor_is_guest boolean NOT NULL DEFAULT false;
