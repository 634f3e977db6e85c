-- Which releases have brought the schema on, so that a program can tell whether it may follow, and whether it may be
-- returned to. Written by whoever migrates, and never removed: also after a return the schema stays the later one's.
CREATE TABLE releases (
    version     text PRIMARY KEY CHECK (version ~ '^[0-9]+\.[0-9]+\.[0-9]+$'),
    migrated_at timestamptz NOT NULL DEFAULT now()
);
