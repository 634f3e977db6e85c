//! The schema's migrations, compiled in.
//!
//! They only expand: the previous release runs on the schema of this one, so that servers can be
//! upgraded one after the other. `migrate` runs as the owner of the tables; the services' own users
//! get what they need granted here.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::leader::MIGRATION_LOCK;
use crate::pool::Connector;
use crate::{Result, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// PostgreSQL users of the services; those that exist are granted what they need.
pub const SERVICE_USERS: [&str; 2] = ["kinora_application", "kinora_backend"];

/// How the schema of a database stands to this release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// All migrations of this release are applied, and no others.
    Current,
    /// These migrations of this release are not applied yet.
    Behind(Vec<String>),
    /// These migrations come from a later release. Running on them is fine, migrating is not.
    Ahead(Vec<String>),
}

#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Migration(error.to_string())
}

fn embedded_versions() -> Result<Vec<String>> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(failed)?;
    let mut versions: Vec<_> = migrations.iter().map(|m| m.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

/// How the schema behind `connection` stands to this release. Changes nothing.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn schema_state(connection: &mut PgConnection) -> Result<SchemaState> {
    let table = "to_regclass('__diesel_schema_migrations') IS NOT NULL";
    let exists: bool = diesel::select(diesel::dsl::sql::<Bool>(table)).get_result(connection)?;
    let applied: Vec<String> = if exists {
        // Not diesel's `applied_migrations`: that one would make the table first, and the services may not.
        let versions = "SELECT version FROM __diesel_schema_migrations";
        let rows: Vec<Applied> = diesel::sql_query(versions).load(connection)?;
        rows.into_iter().map(|row| row.version).collect()
    } else {
        Vec::new()
    };
    let known = embedded_versions()?;
    let ahead: Vec<_> = applied.iter().filter(|version| !known.contains(version)).cloned().collect();
    if !ahead.is_empty() {
        return Ok(SchemaState::Ahead(ahead));
    }
    let behind: Vec<_> = known.into_iter().filter(|version| !applied.contains(version)).collect();
    Ok(if behind.is_empty() { SchemaState::Current } else { SchemaState::Behind(behind) })
}

/// Applies what is missing, each migration in a transaction of its own, and grants the services'
/// users what they need. Gives the versions that were applied. Several at once wait for each other;
/// a table that is in use for long makes this fail rather than stop everybody behind it.
///
/// # Errors
/// [`StoreError::Migration`] if a later release has migrated already, or a migration fails.
pub fn migrate(connector: &Connector) -> Result<Vec<String>> {
    let mut connection = connector.connect()?;
    connection.batch_execute("SET statement_timeout = '30min'; SET lock_timeout = '60s'")?;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    connection.batch_execute("SET lock_timeout = '5s'")?;
    if let SchemaState::Ahead(versions) = schema_state(&mut connection)? {
        return Err(StoreError::Migration(format!(
            "the database was migrated by a later release ({}); install that release",
            versions.join(", "),
        )));
    }
    let applied = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(failed)?
        .iter()
        .map(ToString::to_string)
        .collect();
    grant(&mut connection)?;
    Ok(applied)
}

/// Takes all migrations back; for the test that compares schemas. All data is lost.
///
/// # Errors
/// [`StoreError::Migration`] if a migration cannot be taken back.
pub fn revert_all(connector: &Connector) -> Result<()> {
    connector.connect()?.revert_all_migrations(MIGRATIONS).map(drop).map_err(failed)
}

/// Services read and write rows, but neither change the schema nor rewrite the audit trail.
fn grant(connection: &mut PgConnection) -> Result<()> {
    for user in SERVICE_USERS {
        let exists: bool = diesel::select(
            diesel::dsl::sql::<Bool>("EXISTS (SELECT FROM pg_roles WHERE rolname = ")
                .bind::<Text, _>(user)
                .sql(")"),
        )
        .get_result(connection)?;
        if exists {
            connection.batch_execute(&format!(
                "GRANT USAGE ON SCHEMA public TO {user};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};
                 GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {user};
                 REVOKE UPDATE, DELETE ON audit_rows FROM {user};
                 REVOKE INSERT, DELETE ON audit_head FROM {user};
                 REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM {user};"
            ))?;
        }
    }
    Ok(())
}
