ALTER TABLE organisation_domains DROP COLUMN revision;
