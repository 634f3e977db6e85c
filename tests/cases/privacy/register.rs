//! The register of personal data and the schema of the database say the same.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kinora_store::privacy::register::{Holds, find, tables};
use kinora_tests::{DatabaseRole, Kinora, TestDatabase};
use serde_json::Value;

use crate::accounts::world::{add_person, organisation_of, text};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Bool)]
    is_free: bool,
    #[diesel(sql_type = Bool)]
    is_person: bool,
}

const COLUMNS: &str = "\
    SELECT c.table_name::text, c.column_name::text, \
           c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'inet', 'cidr', \
                           'macaddr', 'xml', 'ARRAY', 'USER-DEFINED', 'name', 'tsvector') AS is_free, \
           c.column_name IN ('person_id', 'actor_id') OR EXISTS ( \
               SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) \
               WHERE k.contype = 'f' AND k.confrelid = 'people'::regclass AND a.attname = c.column_name \
                 AND k.conrelid = to_regclass(c.table_name)) AS is_person \
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE '\\_\\_diesel%' \
    ORDER BY 1, 2";

fn columns(connection: &mut PgConnection) -> Vec<Column> {
    diesel::sql_query(COLUMNS).load(connection).unwrap()
}

/// What the register does not say of these columns.
fn missing(columns: &[Column]) -> Vec<String> {
    let mut missing = Vec::new();
    for column in columns {
        let place = format!("{}.{}", column.table_name, column.column_name);
        let Some(table) = find(&column.table_name) else {
            missing.push(format!("{place}: the table is not in the register"));
            continue;
        };
        let holds =
            table.columns.iter().find(|(name, _)| *name == column.column_name).map(|(_, holds)| *holds);
        match holds {
            None if column.is_free => {
                missing.push(format!("{place} may hold anything, and is not in the register"))
            }
            None if column.is_person => {
                missing.push(format!("{place} refers to a person, and is not in the register"))
            }
            Some(holds) if column.is_person && !matches!(holds, Holds::Person | Holds::Author) => {
                missing.push(format!("{place} refers to a person, and the register says otherwise"));
            }
            _ => {}
        }
    }
    missing
}

#[test]
fn every_column_that_may_be_about_somebody_is_in_the_register() {
    let database = TestDatabase::create("privacy_register");
    let mut connection = database.connect(DatabaseRole::Owner);
    let known = columns(&mut connection);
    assert!(known.len() > 250, "{}", known.len());
    let missing_now = missing(&known);
    assert!(
        missing_now.is_empty(),
        "Say in services/store/src/privacy/tables what these hold, why, how long, and what erasing a person does \
         with them:\n{}",
        missing_now.join("\n")
    );
    // What the register names is there.
    let there: BTreeMap<&str, BTreeSet<&str>> = known.iter().fold(BTreeMap::new(), |mut all, column| {
        all.entry(column.table_name.as_str()).or_default().insert(column.column_name.as_str());
        all
    });
    for table in tables() {
        // A table without such columns is in the list as well.
        let columns = there.get(table.name).unwrap_or_else(|| panic!("{} is no table", table.name));
        for (column, _) in table.columns {
            assert!(columns.contains(column), "{}.{column} is no column", table.name);
        }
    }
    // A newcomer's table, columns of every kind, and a reference to a person without a telling name.
    diesel::connection::SimpleConnection::batch_execute(
        &mut connection,
        "CREATE TABLE likings (id uuid PRIMARY KEY, whose uuid REFERENCES people (id)); \
         ALTER TABLE sessions ADD COLUMN city text, ADD COLUMN at_home inet, ADD COLUMN friend uuid REFERENCES people (id), \
             ADD COLUMN count integer",
    )
    .unwrap();
    let found = missing(&columns(&mut connection));
    let places: Vec<&str> = found.iter().filter_map(|line| line.split([':', ' ']).next()).collect();
    assert_eq!(
        places,
        ["likings.id", "likings.whose", "sessions.at_home", "sessions.city", "sessions.friend"]
    );
}

#[tokio::test]
async fn everybody_who_is_signed_in_can_read_what_is_kept() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (_, mut member) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let list = member.get("/api/data/v1/personal-data").await.expect(200).json();
    let items: &Vec<Value> = list["items"].as_array().unwrap();
    let names: BTreeSet<String> = items.iter().map(|item| text(item, "/name")).collect();
    for table in tables() {
        assert_eq!(names.contains(table.name), table.is_personal(), "{}", table.name);
    }
    assert!(["journal", "backups", "browser"].iter().all(|place| names.contains(*place)), "{names:?}");
    let _ = kinora.visitor().get("/api/data/v1/personal-data").await.expect(401);
}
