//! `kinoractl storage after-restore`: which media the storage and the database do not agree on, after the database was brought
//! back to an earlier instant. Nothing is deleted. What only the discarded present knew is kept from being swept up as nobody's
//! for longer than the archive reaches, so that the present can be returned to.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use kinora_core::ObjectId;
use kinora_store::{after_restore, object_copies, uploads};
use kinora_vault::Vault;

use super::{PAGE, StorageError, first_object};
use crate::administration::origin;

/// A day more than the database can be brought back.
const KEPT: TimeDelta = TimeDelta::days(36);
/// Ids that are shown; all are counted.
const MOST_SHOWN: usize = 1000;

/// Everything in the storage, where finished media lie as well as where uploads arrive; and what no row knows of it.
struct Stored {
    all: HashSet<ObjectId>,
    unknown: Vec<ObjectId>,
}

/// # Errors
/// If the storage or the database does not answer: whoever goes on then has media swept up.
pub(super) async fn run(vault: &Vault, connection: &mut PgConnection) -> Result<(), StorageError> {
    let stored = look(vault, connection).await?;
    let until = Utc::now() + KEPT;
    after_restore::keep_media(connection, &origin("storage after-restore"), &stored.unknown, until)?;
    let missing = missing(connection, &stored.all)?;
    println!("{}", sentences(stored.unknown.len(), until, &missing));
    Ok(())
}

async fn look(vault: &Vault, connection: &mut PgConnection) -> Result<Stored, StorageError> {
    let mut stored = Stored { all: HashSet::new(), unknown: Vec::new() };
    for shard in 0..=u8::MAX {
        let found = vault.list(shard).await?;
        for ids in found.chunks(1000) {
            stored.unknown.extend(uploads::unknown_objects(connection, ids)?);
        }
        stored.all.extend(found);
    }
    Ok(stored)
}

/// What the database wants and the storage has not.
fn missing(connection: &mut PgConnection, all: &HashSet<ObjectId>) -> Result<Vec<ObjectId>, StorageError> {
    let (mut missing, mut after) = (Vec::new(), first_object());
    loop {
        let page = object_copies::ids(connection, None, after, PAGE)?;
        let Some((_, last)) = page.last() else { return Ok(missing) };
        after = *last;
        for (_, id) in page {
            if !all.contains(&id) && object_copies::find_wanted(connection, id)?.is_some() {
                missing.push(id);
            }
        }
    }
}

fn sentences(unknown: usize, until: DateTime<Utc>, missing: &[ObjectId]) -> String {
    let shown: Vec<String> = missing.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    let colon = if missing.is_empty() { "" } else { ": " };
    format!(
        "In the vault and not in the database: {unknown}, kept until {}.\n\
         In the database and not in the vault: {}{colon}{}.",
        until.format("%Y-%m-%d"),
        missing.len(),
        shown.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let until = "2026-12-30T10:00:00Z".parse().unwrap();
        assert_eq!(
            sentences(3, until, &[first_object()]),
            "In the vault and not in the database: 3, kept until 2026-12-30.\n\
             In the database and not in the vault: 1: 00000000-0000-0000-0000-000000000000."
        );
        assert!(sentences(0, until, &[]).ends_with("In the database and not in the vault: 0."));
    }
}
