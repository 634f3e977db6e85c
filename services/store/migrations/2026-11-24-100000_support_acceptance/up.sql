-- Support access is bound to an account when whoever reads the mailbox of its address accepts it, no longer when it is
-- given: an account's address may be one that nobody has proven to own. What was given before stays bound.
ALTER TABLE support_grants ADD COLUMN accepted_at timestamptz;
UPDATE support_grants SET accepted_at = created_at WHERE supporter_id IS NOT NULL;

-- SHA-256 of the tokens in the mails that offer support access. A mail that is sent again because the relay's answer was
-- lost has a token of its own, and both lead to the one access.
CREATE TABLE support_links (
    token_digest bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32),
    grant_id     uuid NOT NULL REFERENCES support_grants (id) ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX support_links_grant ON support_links (grant_id);
