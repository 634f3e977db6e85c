-- After a restore: which media the database and the vault do not agree on. Nothing is deleted. What only the present knew is kept from being
-- swept up as nobody's for longer than the archive reaches, so that the present can be returned to.
CREATE TEMP TABLE there (id uuid);
\copy there FROM STDIN
-- OBJECTS
\.
CREATE TEMP TABLE unknown AS
    SELECT DISTINCT id FROM there
    WHERE NOT EXISTS (SELECT FROM objects WHERE objects.id = there.id)
      AND NOT EXISTS (SELECT FROM uploads WHERE uploads.object_id = there.id)
      AND NOT EXISTS (SELECT FROM orphan_objects WHERE orphan_objects.object_id = there.id);
INSERT INTO orphan_objects (object_id, remove_after) SELECT id, now() + interval '36 days' FROM unknown;
SELECT 'In the vault and not in the database: ' || count(*) || ', kept until ' || to_char(now() AT TIME ZONE 'UTC' + interval '36 days', 'YYYY-MM-DD') || '.' FROM unknown;
SELECT 'In the database and not in the vault: ' || count(*) || coalesce(': ' || string_agg(id::text, ' '), '') || '.'
    FROM (SELECT id FROM objects WHERE NOT EXISTS (SELECT FROM there WHERE there.id = objects.id) ORDER BY id LIMIT 1000) missing;
