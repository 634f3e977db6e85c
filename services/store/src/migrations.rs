//! The schema's migrations, compiled in.
//!
//! They only expand: the previous release runs on the schema of this one, so that servers can be
//! upgraded one after the other. `migrate` runs as the owner of the tables; the services' own users
//! get what they need granted here.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::leader::MIGRATION_LOCK;
use crate::object_copies::{COPY_RIGHTS, COPY_USER};
use crate::pool::Connector;
use crate::{Result, StoreError, releases};

/// Longest wait for a table that is in use. Whoever asks for it after this waits behind it: so long people may wait.
const LOCK_TIMEOUT: &str = "500ms";
/// Between two attempts: what waited meanwhile gets its turn.
const LOCK_PAUSE: Duration = Duration::from_secs(1);
/// After so many a table is in use by something that must be looked at: five minutes.
const LOCK_ATTEMPTS: u32 = 200;
/// What PostgreSQL says of it; diesel passes the code on only in this form.
const LOCKED: &str = "canceling statement due to lock timeout";

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The backend's PostgreSQL user.
const BACKEND_USER: &str = "kinora_backend";

/// PostgreSQL users of the services; those that exist are granted what they need.
pub const SERVICE_USERS: [&str; 2] = ["kinora_application", BACKEND_USER];

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

/// The migrations of this release and of a database, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Those that the database has.
    pub applied: Vec<String>,
    /// Those of this release that the database lacks.
    pub missing: Vec<String>,
    /// Those of the database that this release does not know.
    pub unknown: Vec<String>,
}

/// Compares the schema behind `connection` with this release's. Changes nothing.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn compare(connection: &mut PgConnection) -> Result<Comparison> {
    let table = "to_regclass('__diesel_schema_migrations') IS NOT NULL";
    let exists: bool = diesel::select(diesel::dsl::sql::<Bool>(table)).get_result(connection)?;
    let applied: Vec<String> = if exists {
        // Not diesel's `applied_migrations`: that one would make the table first, and the services may not.
        let versions = "SELECT version FROM __diesel_schema_migrations ORDER BY version";
        let rows: Vec<Applied> = diesel::sql_query(versions).load(connection)?;
        rows.into_iter().map(|row| row.version).collect()
    } else {
        Vec::new()
    };
    let known = embedded_versions()?;
    let unknown = applied.iter().filter(|version| !known.contains(version)).cloned().collect();
    let missing = known.into_iter().filter(|version| !applied.contains(version)).collect();
    Ok(Comparison { applied, missing, unknown })
}

/// The server's own version, such as `17.12`.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn server_version(connection: &mut PgConnection) -> Result<String> {
    // Debian's own name for it follows in brackets.
    let version = "split_part(current_setting('server_version'), ' ', 1)";
    Ok(diesel::select(diesel::dsl::sql::<Text>(version)).get_result(connection)?)
}

/// How the schema behind `connection` stands to this release. Changes nothing.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn schema_state(connection: &mut PgConnection) -> Result<SchemaState> {
    let found = compare(connection)?;
    Ok(if !found.unknown.is_empty() {
        SchemaState::Ahead(found.unknown)
    } else if !found.missing.is_empty() {
        SchemaState::Behind(found.missing)
    } else {
        SchemaState::Current
    })
}

/// Applies what is missing, each migration in a transaction of its own, and grants the services'
/// users what they need. Gives the versions that were applied. Several at once wait for each other.
///
/// People work meanwhile: a table that is in use is waited for only for a moment, again and again, so
/// that nobody else waits behind this for longer. A table that is never free makes it fail.
///
/// Where a later release has migrated and nothing of this one is missing, this release was returned to:
/// nothing is changed, rights neither, because they are the later one's.
///
/// # Errors
/// [`StoreError::Migration`] if a later release has migrated something else, or a migration fails.
pub fn migrate(connector: &Connector) -> Result<Vec<String>> {
    let mut connection = connector.connect()?;
    connection.batch_execute("SET statement_timeout = '30min'; SET lock_timeout = '60s'")?;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    connection.batch_execute(&format!("SET lock_timeout = '{LOCK_TIMEOUT}'"))?;
    let found = compare(&mut connection)?;
    if !found.unknown.is_empty() {
        let later = found.unknown.join(", ");
        if found.missing.is_empty() {
            log::warn!("a later release has migrated the database ({later}); it stays as it is");
            return Ok(Vec::new());
        }
        return Err(StoreError::Migration(format!(
            "the database was migrated by a later release ({later}); install that release",
        )));
    }
    for _ in &found.missing {
        patiently(|| connection.run_next_migration(MIGRATIONS).map(drop).map_err(failed))?;
    }
    patiently(|| {
        connection.transaction(|connection| {
            releases::record(connection)?;
            grant(connection)
        })
    })?;
    Ok(found.missing)
}

/// Does `work`, again and again where a table was in use.
fn patiently(mut work: impl FnMut() -> Result<()>) -> Result<()> {
    for attempt in 1..=LOCK_ATTEMPTS {
        match work() {
            Err(error) if error.to_string().contains(LOCKED) => {
                log::info!(attempt = attempt; "a table is in use; the migration waits for it: {error}");
                std::thread::sleep(LOCK_PAUSE);
            }
            outcome => return outcome,
        }
    }
    Err(StoreError::Migration(format!(
        "a table was in use at each of {LOCK_ATTEMPTS} attempts. Nothing of this migration was done; those before it were. \
         Look on the primary who holds it (SELECT * FROM pg_stat_activity WHERE xact_start < now() - interval '1 minute'), \
         and migrate again"
    )))
}

/// Takes all migrations back; for the test that compares schemas. All data is lost.
///
/// # Errors
/// [`StoreError::Migration`] if a migration cannot be taken back.
pub fn revert_all(connector: &Connector) -> Result<()> {
    connector.connect()?.revert_all_migrations(MIGRATIONS).map(drop).map_err(failed)
}

fn user_exists(connection: &mut PgConnection, user: &str) -> Result<bool> {
    let query = diesel::dsl::sql::<Bool>("EXISTS (SELECT FROM pg_roles WHERE rolname = ");
    Ok(diesel::select(query.bind::<Text, _>(user).sql(")")).get_result(connection)?)
}

/// Services read and write rows, but neither change the schema nor rewrite the audit trail.
fn grant(connection: &mut PgConnection) -> Result<()> {
    if user_exists(connection, COPY_USER)? {
        connection.batch_execute(COPY_RIGHTS)?;
    }
    for user in SERVICE_USERS {
        let exists = user_exists(connection, user)?;
        if exists {
            connection.batch_execute(&format!(
                "GRANT USAGE ON SCHEMA public TO {user};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};
                 GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {user};
                 REVOKE UPDATE, DELETE ON audit_rows FROM {user};
                 REVOKE INSERT, DELETE ON audit_head FROM {user};
                 REVOKE DELETE ON support_grants FROM {user};
                 REVOKE UPDATE, DELETE ON erasures FROM {user};
                 REVOKE INSERT, UPDATE, DELETE ON audit_start FROM {user};
                 REVOKE INSERT, UPDATE, DELETE ON releases FROM {user};
                 REVOKE INSERT, UPDATE, DELETE ON installation FROM {user};
                 REVOKE INSERT, UPDATE, DELETE ON fleet_figures FROM {user};
                 GRANT EXECUTE ON FUNCTION erase_in_audit TO {user};
                 REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM {user};"
            ))?;
        }
        if exists && user == BACKEND_USER {
            connection.batch_execute(&format!(
                "GRANT EXECUTE ON FUNCTION shorten_audit TO {user};
                 GRANT UPDATE ON installation TO {user};
                 GRANT INSERT, UPDATE, DELETE ON fleet_figures TO {user};"
            ))?;
        }
    }
    Ok(())
}
