-- The connection that made an account, when its person first came or by provisioning: what they are called is said
-- there. None: it was made here, and its name is its holder's.
ALTER TABLE people ADD COLUMN made_by uuid;

-- Accounts of before: those into which no other way leads.
UPDATE people p
SET made_by = coalesce(
    (SELECT i.connection_id FROM saml_identities i WHERE i.person_id = p.id ORDER BY i.created_at LIMIT 1),
    (SELECT u.connection_id FROM provisioned_users u WHERE u.person_id = p.id ORDER BY u.created_at LIMIT 1)
)
WHERE p.password_hash IS NULL
    AND (
        EXISTS (SELECT FROM saml_identities i WHERE i.person_id = p.id)
        OR EXISTS (SELECT FROM provisioned_users u WHERE u.person_id = p.id)
    );
