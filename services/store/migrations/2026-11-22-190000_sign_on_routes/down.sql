ALTER TABLE saml_attempts DROP COLUMN metadata_digest;
ALTER TABLE organisation_domains DROP COLUMN connection_id;
