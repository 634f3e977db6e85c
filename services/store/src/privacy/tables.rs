//! The tables of the database, and what each column holds of people. The order is the one they are erased in.

mod access;
mod account;
mod installation;
mod work;

use super::register::Fate::Nothing;
use super::register::{Holds, Table};

const OWN: Option<&str> = Some("t.person_id = $1");
const OF_PRODUCTION: Option<&str> =
    Some("t.production_id IN (SELECT p.id FROM productions p WHERE p.organisation_id = $2)");
const OF_CONNECTION: Option<&str> =
    Some("t.connection_id IN (SELECT c.id FROM saml_connections c WHERE c.organisation_id = $2)");
const STAYS: &str =
    "What you made belongs to the production and stays. Instead of your name stands an opaque id.";

/// A table that holds nothing about anybody.
const fn impersonal(name: &'static str, columns: &'static [(&'static str, Holds)]) -> Table {
    Table {
        name,
        title: "",
        what: "",
        why: "",
        kept: "",
        fate: Nothing,
        section: None,
        of_person: None,
        of_organisation: None,
        key: "",
        columns,
    }
}

/// All tables.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    [account::TABLES, access::TABLES, work::TABLES, installation::TABLES].into_iter().flatten()
}
