-- Counts the changes of a domain, so that nobody overwrites what they have not seen.
ALTER TABLE organisation_domains ADD COLUMN revision bigint NOT NULL DEFAULT 1;
