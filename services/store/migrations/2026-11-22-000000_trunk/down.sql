ALTER TABLE assets DROP CONSTRAINT assets_current_version;
DROP TABLE events, steps, runs, uploads, derivatives, versions, assets, orphan_objects, objects, audit_head,
    audit_rows, idempotency_keys, password_links, access_tokens, sessions, sign_in_failures, production_members,
    productions, organisation_members, people, organisations;
