//! Which releases there are, in their order, and which of them have brought a database on.

use std::fmt;
use std::str::FromStr;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::Result;

/// All releases, the oldest first; the last one is this. Whoever makes a release adds it.
pub const RELEASES: &[Version] = &[Version([0, 1, 0])];

/// A release's number. Builds on the way to it, and after it, count as it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub [u32; 3]);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no version: it begins with three numbers and dots between them")]
pub struct NotAVersion(String);

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `0.2.0` and what Debian packages are called: `0.2.0~dev367.g01e1665-1`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let release = text.split(['~', '+', '-']).next().unwrap_or_default();
        let mut parts = release.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self([major, minor, patch])),
            _ => Err(NotAVersion(text.to_owned())),
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The releases that have brought this database on, the oldest first. None: it is older than their record, or empty.
///
/// # Errors
/// [`crate::StoreError`] if they cannot be read.
pub fn recorded(connection: &mut PgConnection) -> Result<Vec<Version>> {
    let table = diesel::dsl::sql::<Bool>("to_regclass('releases') IS NOT NULL");
    if !diesel::select(table).get_result::<bool>(connection)? {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = diesel::sql_query("SELECT version FROM releases").load(connection)?;
    // The table's own check lets nothing else in.
    let mut versions: Vec<Version> = rows.iter().filter_map(|row| row.version.parse().ok()).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// Records that this release has brought the database on.
pub(crate) fn record(connection: &mut PgConnection) -> Result<()> {
    let Some(this) = RELEASES.last() else { return Ok(()) };
    diesel::sql_query("INSERT INTO releases (version) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind::<Text, _>(this.to_string())
        .execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_release_is_this_one_and_they_are_in_order() {
        assert_eq!(RELEASES.last().unwrap().to_string(), env!("CARGO_PKG_VERSION"));
        assert!(RELEASES.is_sorted());
    }

    #[test]
    fn versions_are_read_as_packages_are_called() {
        for text in ["0.2.0", "0.2.0-1", "0.2.0~dev367.g01e1665-1", "0.2.0+dev3.g01e1665.m1795332030-1"] {
            assert_eq!(text.parse(), Ok(Version([0, 2, 0])), "{text}");
        }
        for text in ["", "0.2", "0.2.0.1", "two", "0.2.x"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert!(Version([0, 10, 0]) > Version([0, 9, 7]));
    }
}
