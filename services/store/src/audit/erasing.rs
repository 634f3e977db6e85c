//! Erasing names from the trail: which rows name somebody, and what becomes of them.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use kinora_core::{OrganisationId, PersonId};
use serde_json::Value;
use uuid::Uuid;

use super::AuditRow;
use crate::Result;
use crate::schema::audit_rows;

/// The act that an erasure is recorded as.
pub const ERASED: &str = "person.erased";
/// Rows that are read or changed in one statement.
const PAGE: i64 = 1000;

/// What is to be erased of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The row.
    pub sequence: i64,
    /// Which fields: 1 actor, 2 address, 4 subject, 8 before, 16 after.
    pub mask: i32,
    /// What is left of the state before, if that is among them.
    pub before: Option<Value>,
    /// What is left of the state after, if that is among them.
    pub after: Option<Value>,
}

/// The erasure that this row records, if it does.
pub(super) fn recorded_in(row: &AuditRow) -> Option<Uuid> {
    let after = row.after.as_ref().filter(|_| row.action == ERASED)?;
    after.get("erasure")?.as_str()?.parse().ok()
}

/// Calls `look` with every row that matches one of the statements' filters, page by page.
macro_rules! each_page {
    ($connection:expr, $organisation:expr, $look:expr, $filter:expr) => {{
        let mut last = 0;
        loop {
            let mut query = audit_rows::table
                .filter(audit_rows::sequence.gt(last))
                .filter($filter)
                .order(audit_rows::sequence)
                .limit(PAGE)
                .select(AuditRow::as_select())
                .into_boxed();
            if let Some(organisation) = $organisation {
                query = query.filter(audit_rows::organisation_id.eq(Uuid::from(organisation)));
            }
            let rows: Vec<AuditRow> = query.load($connection)?;
            let Some(newest) = rows.last().map(|row| row.sequence) else { return Ok(()) };
            last = newest;
            rows.iter().for_each(&mut $look);
        }
    }};
}

/// Shows all rows of what a person did and what was done to them, of one organisation or of all.
///
/// # Errors
/// If the database fails.
pub fn find_of_person(
    connection: &mut PgConnection,
    person: PersonId,
    organisation: Option<OrganisationId>,
    mut look: impl FnMut(&AuditRow),
) -> Result<()> {
    each_page!(
        connection,
        organisation,
        look,
        audit_rows::actor_id.eq(person.0).or(audit_rows::subject_id.eq(person.0))
    )
}

/// Shows all other rows in which one of these texts stands, in capitals or not; `patterns` are those of LIKE.
///
/// # Errors
/// If the database fails.
pub fn find_with_text(
    connection: &mut PgConnection,
    patterns: &[String],
    organisation: Option<OrganisationId>,
    mut look: impl FnMut(&AuditRow),
) -> Result<()> {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    each_page!(
        connection,
        organisation,
        look,
        sql::<Bool>("(concat_ws(' ', actor, subject, before::text, after::text) ILIKE ANY (")
            .bind::<Array<Text>, _>(patterns)
            .sql("))")
    )
}

/// Erases fields; gives of how many rows. The erasure must be in the list of erasures, and its act must follow in the
/// same transaction. `name` stands in place of what was erased.
///
/// # Errors
/// If the database fails.
pub fn erase(connection: &mut PgConnection, erasure: Uuid, name: &str, edits: &[Edit]) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Erased {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let mut rows = 0;
    for page in edits.chunks(usize::try_from(PAGE).unwrap_or(1000)) {
        let erased: Erased = diesel::sql_query("SELECT erase_in_audit($1, $2, $3, $4, $5, $6) AS rows")
            .bind::<SqlUuid, _>(erasure)
            .bind::<Text, _>(name)
            .bind::<Array<BigInt>, _>(page.iter().map(|edit| edit.sequence).collect::<Vec<_>>())
            .bind::<Array<Integer>, _>(page.iter().map(|edit| edit.mask).collect::<Vec<_>>())
            .bind::<Array<Nullable<Jsonb>>, _>(
                page.iter().map(|edit| edit.before.clone()).collect::<Vec<_>>(),
            )
            .bind::<Array<Nullable<Jsonb>>, _>(page.iter().map(|edit| edit.after.clone()).collect::<Vec<_>>())
            .get_result(connection)?;
        rows += erased.rows;
    }
    Ok(rows)
}
