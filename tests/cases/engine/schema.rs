//! Migrations: there and back leaves nothing, and again gives the same.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use kinora_store::pool::Connector;
use kinora_store::{DatabaseSettings, migrations};
use kinora_tests::{DatabaseRole, Stack, TestDatabase};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Everything that migrations make, one line each.
const CATALOGUE: &str = "\
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || \
           coalesce(column_default, '') AS line FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
           WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 \
    UNION ALL SELECT 'function ' || proname || ' ' || pg_get_function_identity_arguments(oid) FROM pg_proc \
           WHERE pronamespace = 'public'::regnamespace \
    UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
    UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype <> 'b' \
    ORDER BY 1";

fn catalogue(connection: &mut PgConnection) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(CATALOGUE).load(connection).unwrap();
    lines
        .into_iter()
        .map(|line| line.line)
        .filter(|line| !line.contains("__diesel_schema_migrations"))
        .collect()
}

/// Connects to a test's database as whoever migrates.
fn owner_of(database: &TestDatabase) -> Connector {
    let endpoint = &Stack::get().endpoints().database;
    let settings = DatabaseSettings {
        hosts: vec![format!("127.0.0.1:{}", endpoint.port)],
        name: database.name().to_owned(),
        user: endpoint.owner.clone(),
        tls: "disable".to_owned(),
        tls_authorities: None,
        pool_size: 1,
        statement_timeout_seconds: 30,
        checkout_timeout_seconds: 3,
    };
    let password = std::fs::read_to_string(&endpoint.owner_password_file).unwrap();
    Connector::new(&settings, password.trim_end(), "migration of a test")
}

#[test]
fn migrations_go_there_and_back_and_there_again() {
    let database = TestDatabase::create_empty("engine_migrations");
    let connector = owner_of(&database);
    let mut connection = database.connect(DatabaseRole::Owner);
    let empty = catalogue(&mut connection);
    assert!(!migrations::migrate(&connector).unwrap().is_empty());
    let migrated = catalogue(&mut connection);
    assert!(migrated.len() > 100, "{migrated:#?}");
    assert!(migrations::migrate(&connector).unwrap().is_empty(), "the second time there is nothing to do");
    migrations::revert_all(&connector).unwrap();
    assert_eq!(catalogue(&mut connection), empty);
    assert!(!migrations::migrate(&connector).unwrap().is_empty());
    assert_eq!(catalogue(&mut connection), migrated);
}

/// What a release's code relies on, by kind: a column, and a rule that refuses what it writes.
#[derive(QueryableByName, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Relied {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Text)]
    is: String,
    /// Of a rule: the columns that it is about.
    #[diesel(sql_type = Text)]
    involves: String,
    /// Whether a row may be written by somebody who does not know it.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    may_be_left_out: bool,
}

const COLUMNS: &str = "\
    SELECT table_name::text, column_name::text AS what, data_type::text AS is, '' AS involves, \
           is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS' AS may_be_left_out \
    FROM information_schema.columns WHERE table_schema = 'public'";
const RULES: &str = "\
    SELECT conrelid::regclass::text AS table_name, conname::text AS what, pg_get_constraintdef(oid) AS is, \
           coalesce((SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)), '') AS involves, \
           false AS may_be_left_out \
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype IN ('c', 'f', 'u', 'x') \
    UNION ALL \
    SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), \
           coalesce((SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey)), ''), false \
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
    WHERE indisunique AND relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)";
const FUNCTIONS: &str = "\
    SELECT ''::text AS table_name, proname::text AS what, pg_get_function_arguments(oid) AS is, '' AS involves, true AS may_be_left_out \
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace";

/// Columns, rules and functions of a database.
fn relied_on(connection: &mut PgConnection) -> [Vec<Relied>; 3] {
    [COLUMNS, RULES, FUNCTIONS].map(|query| diesel::sql_query(query).load(connection).unwrap())
}

/// What code that was written for the schema `before` cannot do, or not rely on, with the schema `after`.
fn broken(before: &[Vec<Relied>; 3], after: &[Vec<Relied>; 3]) -> Vec<String> {
    let find = |all: &[Relied], one: &Relied| {
        all.iter().find(|other| other.table_name == one.table_name && other.what == one.what).cloned()
    };
    let is_old = |table: &str| before[0].iter().any(|column| column.table_name == table);
    let mut found = Vec::new();
    for column in &before[0] {
        let place = format!("{}.{}", column.table_name, column.what);
        match find(&after[0], column) {
            None => found.push(format!("{place} has gone")),
            Some(now) if now.is != column.is => {
                found.push(format!("{place} was {} and is {}", column.is, now.is))
            }
            Some(now) if column.may_be_left_out && !now.may_be_left_out => {
                found.push(format!("{place} must be given now"))
            }
            Some(_) => {}
        }
    }
    for column in after[0].iter().filter(|column| is_old(&column.table_name) && !column.may_be_left_out) {
        if find(&before[0], column).is_none() {
            found.push(format!("{}.{} is new and must be given", column.table_name, column.what));
        }
    }
    let is_about_old = |rule: &Relied| {
        let old = |name: &str| {
            before[0].iter().any(|column| column.table_name == rule.table_name && column.what == name)
        };
        is_old(&rule.table_name) && rule.involves.split(' ').any(old)
    };
    for rule in after[1].iter().filter(|rule| is_about_old(rule)) {
        match find(&before[1], rule) {
            Some(then) if then.is == rule.is => {}
            _ => found.push(format!("{} refuses more: {} {}", rule.table_name, rule.what, rule.is)),
        }
    }
    for function in &before[2] {
        if !after[2].iter().any(|now| now.what == function.what && now.is == function.is) {
            found.push(format!("{}({}) has gone", function.what, function.is));
        }
    }
    found
}

/// What was looked at and breaks nobody: a rule that was widened, say. `MIGRATION: WHAT WAS TOLD`.
const HARMLESS: &[&str] = &[];

/// What migrations did before there was a release whose code could have minded.
const BEFORE_THE_FIRST_RELEASE: &str = "20261122";

#[test]
fn code_that_was_written_for_an_older_schema_works_on_the_newest() {
    let database = TestDatabase::create_empty("engine_older_code");
    let mut connection = database.connect(DatabaseRole::Owner);
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/store/migrations");
    let mut migrations: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    let mut before = relied_on(&mut connection);
    let mut told = Vec::new();
    for migration in &migrations {
        let name = migration.file_name().unwrap().to_string_lossy().into_owned();
        connection.batch_execute(&std::fs::read_to_string(migration.join("up.sql")).unwrap()).unwrap();
        let after = relied_on(&mut connection);
        if !name.replace('-', "").starts_with(BEFORE_THE_FIRST_RELEASE) {
            told.extend(broken(&before, &after).into_iter().map(|line| format!("{name}: {line}")));
        }
        before = after;
    }
    assert!(before[0].len() > 250 && before[1].len() > 100, "{} {}", before[0].len(), before[1].len());
    told.retain(|line| !HARMLESS.contains(&line.as_str()));
    assert_eq!(told, Vec::<String>::new());
    // Each way in which a migration can break older code is seen, and one that only expands is not.
    for (statement, expected) in [
        ("ALTER TABLE productions DROP COLUMN name", "productions.name has gone"),
        ("ALTER TABLE productions RENAME COLUMN name TO title", "productions.name has gone"),
        (
            "ALTER TABLE productions ALTER COLUMN revision TYPE numeric",
            "productions.revision was bigint and is numeric",
        ),
        (
            "ALTER TABLE releases ALTER COLUMN migrated_at DROP DEFAULT",
            "releases.migrated_at must be given now",
        ),
        ("ALTER TABLE productions ADD COLUMN x text NOT NULL", "productions.x is new and must be given"),
        ("ALTER TABLE productions ADD CHECK (name <> 'x')", "productions refuses more"),
        ("CREATE UNIQUE INDEX y ON productions (name)", "productions refuses more"),
        ("DROP FUNCTION shorten_audit", "shorten_audit("),
    ] {
        connection.batch_execute("BEGIN").unwrap();
        connection.batch_execute(statement).unwrap();
        let told = broken(&before, &relied_on(&mut connection));
        assert!(told.iter().any(|line| line.starts_with(expected)), "{statement}: {told:?}");
        connection.batch_execute("ROLLBACK").unwrap();
    }
    connection
        .batch_execute("ALTER TABLE productions ADD COLUMN x text, ADD COLUMN z text NOT NULL DEFAULT '' CHECK (z <> 'z')")
        .unwrap();
    connection.batch_execute("CREATE TABLE n (id uuid PRIMARY KEY REFERENCES productions (id)); CREATE INDEX ON productions (x)").unwrap();
    assert_eq!(broken(&before, &relied_on(&mut connection)), Vec::<String>::new());
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Text)]
    began: String,
}

/// When the transaction of a migration that waits for a lock began; none: no one waits.
const WAITING: &str = "\
    SELECT xact_start::text AS began FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name = 'migration of a test' AND wait_event_type = 'Lock'";

#[test]
fn a_migration_lets_others_pass_while_a_table_is_in_use_and_comes_through_then() {
    let database = TestDatabase::create_empty("engine_migration_waits");
    let connector = owner_of(&database);
    let mut owner = database.connect(DatabaseRole::Owner);
    migrations::migrate(&connector).unwrap();
    // The newest migration once more, whose table somebody makes who is not done with it.
    diesel::sql_query("DELETE FROM __diesel_schema_migrations WHERE version = '20261122210000'")
        .execute(&mut owner)
        .unwrap();
    diesel::sql_query("DROP TABLE releases").execute(&mut owner).unwrap();
    let mut busy = database.connect(DatabaseRole::Owner);
    for statement in ["BEGIN", "CREATE TABLE releases (version text)"] {
        diesel::sql_query(statement).execute(&mut busy).unwrap();
    }
    let migration = std::thread::spawn(move || migrations::migrate(&connector));
    // Two transactions that waited: it gave up once, which lets others pass, and tried again.
    let mut seen = std::collections::BTreeSet::new();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while seen.len() < 2 {
        assert!(std::time::Instant::now() < deadline && !migration.is_finished(), "{seen:?}");
        seen.extend(
            diesel::sql_query(WAITING).load::<Waiting>(&mut owner).unwrap().into_iter().map(|row| row.began),
        );
    }
    diesel::sql_query("ROLLBACK").execute(&mut busy).unwrap();
    assert_eq!(migration.join().unwrap().unwrap(), ["20261122210000"]);
    assert!(migrations::compare(&mut owner).unwrap().missing.is_empty());
}

#[test]
fn services_cannot_rewrite_the_audit_trail() {
    let database = TestDatabase::create("engine_audit_rights");
    for role in [DatabaseRole::Application, DatabaseRole::Backend] {
        let mut connection = database.connect(role);
        for statement in [
            "UPDATE audit_rows SET actor = 'x'",
            "DELETE FROM audit_rows",
            "DELETE FROM audit_head",
            "UPDATE erasures SET report = report",
            "DELETE FROM erasures",
            "SELECT erase_in_audit(gen_random_uuid(), 'x', ARRAY[1]::bigint[], ARRAY[1], ARRAY[NULL::jsonb], ARRAY[NULL::jsonb])",
            "UPDATE __diesel_schema_migrations SET version = 'x'",
            "UPDATE releases SET version = '9.9.9'",
            "INSERT INTO releases (version) VALUES ('9.9.9')",
            "DROP TABLE audit_rows",
        ] {
            assert!(diesel::sql_query(statement).execute(&mut connection).is_err(), "{statement}");
        }
        diesel::sql_query("SELECT * FROM audit_rows").execute(&mut connection).unwrap();
        diesel::sql_query("UPDATE audit_head SET sequence = sequence").execute(&mut connection).unwrap();
    }
}
