ALTER TABLE people DROP COLUMN made_by;
