//! What the leading backend does with the trail: hands it on to the journal, checks it, and removes what
//! is older than it is to be kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Timestamptz};

use super::{Act, AuditRow, Origin, Verdict, record};
use crate::Result;
use crate::schema::{audit_checks, audit_forwarded, audit_rows};

/// Most rows that are removed in one transaction: nobody can write meanwhile.
const REMOVED_AT_ONCE: i32 = 1000;

/// The oldest rows that the journal does not have yet.
///
/// # Errors
/// If the database fails.
pub fn forwardable(connection: &mut PgConnection, limit: i64) -> Result<Vec<AuditRow>> {
    let forwarded: i64 = audit_forwarded::table.select(audit_forwarded::sequence).first(connection)?;
    Ok(audit_rows::table
        .filter(audit_rows::sequence.gt(forwarded))
        .order(audit_rows::sequence)
        .limit(limit)
        .select(AuditRow::as_select())
        .load(connection)?)
}

/// Notes that the journal has all rows up to this number.
///
/// # Errors
/// If the database fails.
pub fn note_forwarded(connection: &mut PgConnection, sequence: i64) -> Result<()> {
    diesel::update(audit_forwarded::table)
        .filter(audit_forwarded::sequence.lt(sequence))
        .set(audit_forwarded::sequence.eq(sequence))
        .execute(connection)?;
    Ok(())
}

/// What a check of the whole trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub verdict: Verdict,
}

/// Stores what a check found, in place of the one before.
///
/// # Errors
/// If the database fails.
pub fn store_check(connection: &mut PgConnection, check: &Check) -> Result<()> {
    let (verdict, rows, sequence, head) = match &check.verdict {
        Verdict::Intact { rows, head } => ("intact", *rows, None, Some(head.as_str())),
        Verdict::Missing(sequence) => ("missing", 0, Some(*sequence), None),
        Verdict::Altered(sequence) => ("altered", 0, Some(*sequence), None),
        Verdict::CutOff { last, head } => ("cut_off", *head, Some(*last), None),
    };
    let columns = (
        audit_checks::at.eq(check.at),
        audit_checks::verdict.eq(verdict),
        audit_checks::rows.eq(rows),
        audit_checks::sequence.eq(sequence),
        audit_checks::head.eq(head),
    );
    diesel::insert_into(audit_checks::table)
        .values(columns)
        .on_conflict(audit_checks::singleton)
        .do_update()
        .set(columns)
        .execute(connection)?;
    Ok(())
}

/// What the last check found; none before the first.
///
/// # Errors
/// If the database fails.
pub fn last_check(connection: &mut PgConnection) -> Result<Option<Check>> {
    type Row = (DateTime<Utc>, String, i64, Option<i64>, Option<String>);
    let row: Option<Row> = audit_checks::table
        .select((
            audit_checks::at,
            audit_checks::verdict,
            audit_checks::rows,
            audit_checks::sequence,
            audit_checks::head,
        ))
        .first(connection)
        .optional()?;
    Ok(row.map(|(at, verdict, rows, sequence, head)| {
        let place = sequence.unwrap_or_default();
        let verdict = match verdict.as_str() {
            "intact" => Verdict::Intact { rows, head: head.unwrap_or_default() },
            "missing" => Verdict::Missing(place),
            "cut_off" => Verdict::CutOff { last: place, head: rows },
            // A later release may know of more ways in which a trail is not what was written.
            _ => Verdict::Altered(place),
        };
        Check { at, verdict }
    }))
}

/// What was removed.
#[derive(QueryableByName)]
struct Shortened {
    #[diesel(sql_type = BigInt)]
    removed: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    newest: Option<i64>,
}

/// Removes rows that were recorded before an instant, from the beginning of the trail on and only those that
/// the journal has; gives how many. What is left stays one chain that begins where the removed part ended.
///
/// # Errors
/// If the database fails.
pub fn remove_old(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<i64> {
    connection.transaction(|connection| {
        // No service may delete rows of the trail: the database does it, under these conditions.
        let done: Shortened = diesel::sql_query("SELECT removed, newest FROM shorten_audit($1, $2)")
            .bind::<Timestamptz, _>(before)
            .bind::<Integer, _>(REMOVED_AT_ONCE)
            .get_result(connection)?;
        let Some(newest) = done.newest else { return Ok(0) };
        let act = Act::new("audit.shortened", "audit", uuid::Uuid::nil(), "audit trail")
            .after(serde_json::json!({ "rows": done.removed, "newest": newest, "before": before }));
        record(connection, &Origin::system("backend"), act)?;
        Ok(done.removed)
    })
}
