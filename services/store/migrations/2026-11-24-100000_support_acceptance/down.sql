DROP TABLE support_links;
ALTER TABLE support_grants DROP COLUMN accepted_at;
