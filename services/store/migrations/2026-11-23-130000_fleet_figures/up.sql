-- Which organisation runs this installation: the first one, which the operator made. Its administrators see how the
-- fleet does, nobody else.
CREATE TABLE installation (
    singleton       boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    organisation_id uuid REFERENCES organisations (id) ON DELETE SET NULL
);
INSERT INTO installation (organisation_id)
SELECT (
    SELECT o.id FROM organisations o
    WHERE NOT EXISTS (
        SELECT FROM service_accounts s JOIN people p ON p.id = s.person_id
        WHERE s.organisation_id = o.id AND p.login_key = 'service:canary'
    )
    ORDER BY o.created_at, o.id LIMIT 1
);

-- What the leading backend last saw of the fleet: a row for each panel of the dashboards, one for the fleet at a glance,
-- one for what is stored, one for how asking went. Replaced each time, so there is never more of it.
CREATE TABLE fleet_figures (
    name    text PRIMARY KEY CHECK (name ~ '^[a-z_]{1,40}$'),
    at      timestamptz NOT NULL,
    figures jsonb NOT NULL CHECK (octet_length(figures::text) <= 524288)
);
