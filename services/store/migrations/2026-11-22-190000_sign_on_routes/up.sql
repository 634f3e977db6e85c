-- Which connection the people of a domain sign in through, and which metadata a test was made with.

-- None: the organisation's oldest connection that is switched on.
ALTER TABLE organisation_domains ADD COLUMN connection_id uuid REFERENCES saml_connections (id) ON DELETE SET NULL;
CREATE INDEX organisation_domains_connection ON organisation_domains (connection_id) WHERE connection_id IS NOT NULL;

-- SHA-256 of the metadata that the connection had; none: of attempts before this column was there.
ALTER TABLE saml_attempts ADD COLUMN metadata_digest bytea CHECK (octet_length(metadata_digest) = 32);
