DROP TABLE saml_warnings, saml_attempts, saml_sessions, saml_used_documents, saml_requests, saml_identities, saml_group_rules, saml_keys;
ALTER TABLE production_members DROP COLUMN granted_by;
ALTER TABLE organisation_members DROP COLUMN break_glass;
ALTER TABLE organisation_members DROP COLUMN granted_by;
DROP TABLE saml_connections, organisation_domains;
ALTER TABLE organisations DROP COLUMN sso_required;
