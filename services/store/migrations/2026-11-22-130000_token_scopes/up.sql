-- What an access token may do at most of what its person may. All of it where the three are empty; a token
-- with a scope has all three, or no list of productions, which means every one.
ALTER TABLE access_tokens
    ADD COLUMN most_role text CHECK (most_role IN ('reader', 'editor', 'manager')),
    ADD COLUMN modules text[] CHECK (cardinality(modules) > 0
        AND modules <@ ARRAY['office', 'library', 'subtitling', 'budget']),
    ADD COLUMN productions uuid[] CHECK (cardinality(productions) BETWEEN 1 AND 100),
    ADD CONSTRAINT access_tokens_scope CHECK ((most_role IS NULL) = (modules IS NULL)
        AND (productions IS NULL OR modules IS NOT NULL));
