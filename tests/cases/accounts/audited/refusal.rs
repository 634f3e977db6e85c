//! Operations while no row of the audit trail can be written: what they commit all the same.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use kinora_tests::{Client, Kinora};
use reqwest::RequestBuilder;

/// What is committed before the change itself, and why.
const BEFOREHAND: &[(&str, &str)] = &[
    ("sign_in_failures ", "a try is counted before the password is looked at"),
    ("factor_tries ", "a try is counted before the code is looked at"),
    ("passkey_challenges ", "a challenge is used up by whatever answers it"),
    ("sessions UPDATE idle_expires_at, last_seen_at", "the session was used"),
    ("orphan_objects DELETE", "nobody's request: objects that nobody needs any more are swept meanwhile"),
    ("uploads UPDATE epoch, writer", "whoever writes takes the upload before the bytes come"),
    ("uploads UPDATE writer_seen_at", "and says every few seconds that they still do"),
];

/// Notes each change of a row that the application has committed: its table, and what became other in it. What is rolled
/// back is not noted, because the note is rolled back with it.
const NOTES: &str = "
    CREATE TABLE committed (what text NOT NULL);
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        changed text := '';
    BEGIN
        IF session_user <> 'kinora_application' OR (TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW) THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'UPDATE' THEN
            SELECT string_agg(n.key, ', ' ORDER BY n.key) INTO changed FROM jsonb_each(to_jsonb(NEW)) n
            WHERE to_jsonb(OLD) -> n.key IS DISTINCT FROM n.value;
        END IF;
        INSERT INTO public.committed VALUES (TG_TABLE_NAME || ' ' || TG_OP || ' ' || changed);
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        name text;
    BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'committed' LOOP
            EXECUTE format('CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON %I '
                'FOR EACH ROW EXECUTE FUNCTION note_change()', name);
        END LOOP;
    END $$;";

/// No row can be added to the trail; those that are there stay as they are.
const CLOSE: &str = "TRUNCATE committed;
    CREATE TEMP TABLE challenges AS TABLE passkey_challenges;
    ALTER TABLE audit_rows ADD CONSTRAINT closed CHECK (false) NOT VALID;";

/// The next one has the challenge that this one has used up.
const OPEN: &str = "ALTER TABLE audit_rows DROP CONSTRAINT closed;
    INSERT INTO passkey_challenges TABLE challenges ON CONFLICT DO NOTHING;
    DROP TABLE challenges;";

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = Text)]
    what: String,
}

/// Sends requests that have to be refused.
pub struct Refusal {
    connection: PgConnection,
    recorded: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Refusal {
    /// Of these operations, of which each records something.
    pub fn of(kinora: &Kinora, recorded: BTreeSet<&'static str>) -> Self {
        let mut connection = kinora.connect();
        connection.batch_execute(NOTES).unwrap();
        Self { connection, recorded, refused: BTreeSet::new(), wrong: Vec::new() }
    }

    /// The operations that were refused.
    pub fn refused(&self) -> &BTreeSet<&'static str> {
        &self.refused
    }

    /// Those that were not, or have changed something all the same.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// Sends the request while nothing can be recorded; the same one can be sent afterwards. Of each operation the first
    /// one does.
    pub async fn expect(&mut self, client: &Client, operation: &str, request: &RequestBuilder) {
        let Some(operation) = self.recorded.get(operation).copied().filter(|name| self.refused.insert(*name))
        else {
            return;
        };
        self.connection.batch_execute(CLOSE).unwrap();
        let answer = client.clone().send(request.try_clone().expect("bytes that can be sent again")).await;
        let noted: Vec<Noted> =
            diesel::sql_query("SELECT what FROM committed").load(&mut self.connection).unwrap();
        self.connection.batch_execute(OPEN).unwrap();
        if !answer.status.is_server_error() {
            self.wrong.push(format!("{operation}: answers {} {}", answer.status, answer.text()));
        }
        let is_known =
            |noted: &Noted| BEFOREHAND.iter().any(|(beginning, _)| noted.what.starts_with(beginning));
        let changes = noted.iter().filter(|noted| !is_known(noted));
        self.wrong.extend(changes.map(|noted| format!("{operation}: has committed {}", noted.what)));
    }
}
