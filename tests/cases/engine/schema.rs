//! Migrations: there and back leaves nothing, and again gives the same.

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

#[test]
fn migrations_go_there_and_back_and_there_again() {
    let database = TestDatabase::create_empty("engine_migrations");
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
    let connector = Connector::new(&settings, password.trim_end(), "test");
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

#[test]
fn services_cannot_rewrite_the_audit_trail() {
    let database = TestDatabase::create("engine_audit_rights");
    for role in [DatabaseRole::Application, DatabaseRole::Backend] {
        let mut connection = database.connect(role);
        for statement in [
            "UPDATE audit_rows SET actor = 'x'",
            "DELETE FROM audit_rows",
            "DELETE FROM audit_head",
            "UPDATE __diesel_schema_migrations SET version = 'x'",
            "DROP TABLE audit_rows",
        ] {
            assert!(diesel::sql_query(statement).execute(&mut connection).is_err(), "{statement}");
        }
        diesel::sql_query("SELECT * FROM audit_rows").execute(&mut connection).unwrap();
        diesel::sql_query("UPDATE audit_head SET sequence = sequence").execute(&mut connection).unwrap();
    }
}
