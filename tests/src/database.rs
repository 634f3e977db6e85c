//! A database per test, copied from one that was migrated once.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use kinora_devstack::{DatabaseEndpoint, DatabaseSettings, ProductSettings, Role};

use crate::programs;
use crate::stack::Stack;

/// The database with Kinora's schema and nobody in it.
pub(crate) const MIGRATED: &str = "kinora_template";
/// A copy of it, in which there is a first administrator.
pub(crate) const FOUNDED: &str = "kinora_template_founded";

/// As whom a test looks into its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseRole {
    /// The owner of the schema: may do everything.
    Owner,
    /// What `kinora-application` may do.
    Application,
    /// What `kinora-backend` may do.
    Backend,
    /// What `kinoractl storage copy` may do.
    Copier,
}

/// A database of one test; dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// One with Kinora's schema, and nobody in it.
    #[must_use]
    pub fn create(name: &str) -> Self {
        Self::copy(MIGRATED, name)
    }

    /// Copies a template.
    pub(crate) fn copy(template: &str, name: &str) -> Self {
        static IS_MIGRATED: OnceLock<()> = OnceLock::new();
        IS_MIGRATED.get_or_init(|| create_template(Stack::get()));
        administrate(&format!("CREATE DATABASE \"{name}\" TEMPLATE {template}"));
        Self { name: name.to_owned() }
    }

    /// Makes a template of it, once nobody uses it any more.
    pub(crate) fn keep_as(&self, template: &str) {
        administrate(&format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ));
        administrate(&format!("CREATE DATABASE {template} TEMPLATE \"{}\"", self.name));
    }

    /// An empty database without Kinora's schema, for tests of migrations.
    #[must_use]
    pub fn create_empty(name: &str) -> Self {
        let pristine = &Stack::get().endpoints().database.name;
        administrate(&format!("CREATE DATABASE \"{name}\" TEMPLATE {pristine}"));
        Self { name: name.to_owned() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address for libpq, with the password.
    #[must_use]
    pub fn url(&self, role: DatabaseRole) -> String {
        url(&Stack::get().endpoints().database, &self.name, role)
    }

    /// A connection to it.
    #[must_use]
    pub fn connect(&self, role: DatabaseRole) -> PgConnection {
        PgConnection::establish(&self.url(role)).expect("a database connection")
    }

    /// How Kinora's processes reach it.
    #[must_use]
    pub fn settings(&self) -> DatabaseSettings {
        DatabaseSettings {
            name: self.name.clone(),
            ..DatabaseSettings::from(&Stack::get().endpoints().database)
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Best effort: the whole server goes at the end of the test process.
        let url = administration_url(&Stack::get().endpoints().database);
        if let Ok(mut connection) = PgConnection::establish(&url) {
            let _ = sql_query(format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name))
                .execute(&mut connection);
        }
    }
}

/// Makes the template and brings it to the newest schema with the program that does so in production.
fn create_template(stack: &Stack) {
    let endpoint = &stack.endpoints().database;
    administrate_at(endpoint, &format!("CREATE DATABASE {MIGRATED} TEMPLATE {}", endpoint.name));
    let directory = stack.create_test_directory();
    let settings = ProductSettings {
        directory: directory.clone(),
        database: DatabaseSettings { name: MIGRATED.to_owned(), ..DatabaseSettings::from(endpoint) },
        broker: (&stack.endpoints().broker).into(),
        redis: (&stack.endpoints().redis).into(),
        additions: Vec::new(),
    };
    settings.write(&Role::Migration, stack.assign_port("migration")).expect("settings for the migration");
    let migration =
        settings.launch(&Role::Migration, programs::directory(), &directory.join("migration.log"));
    let process = kinora_devstack::Child::launch(&migration).expect("kinora-backend migrate starts");
    let end = process.wait_end(None).expect("kinora-backend migrate ends");
    assert_eq!(end.code, Some(0), "kinora-backend migrate failed:\n{}", process.log_tail(40));
}

fn administrate(statement: &str) {
    administrate_at(&Stack::get().endpoints().database, statement);
}

fn administrate_at(endpoint: &DatabaseEndpoint, statement: &str) {
    let mut connection =
        PgConnection::establish(&administration_url(endpoint)).expect("a database connection");
    sql_query(statement).execute(&mut connection).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The database `postgres`: the pristine one must have no visitors while it is copied.
fn administration_url(endpoint: &DatabaseEndpoint) -> String {
    url(endpoint, "postgres", DatabaseRole::Owner)
}

fn url(endpoint: &DatabaseEndpoint, database: &str, role: DatabaseRole) -> String {
    let (user, file) = match role {
        DatabaseRole::Owner => (&endpoint.owner, &endpoint.owner_password_file),
        DatabaseRole::Application => (&endpoint.application, &endpoint.application_password_file),
        DatabaseRole::Backend => (&endpoint.backend, &endpoint.backend_password_file),
        DatabaseRole::Copier => (&endpoint.copier, &endpoint.copier_password_file),
    };
    let password = read(file);
    format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", endpoint.port)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a password file")
}
