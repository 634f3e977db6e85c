//! What is kept of somebody, to be taken along (GDPR, articles 15 and 20).
//!
//! The document is JSON of the format [`FORMAT`], version [`VERSION`]. For each person it has an object whose keys are
//! the sections of the register and whose values are arrays of rows; fields are named as the columns are. A later
//! version of Kinora may add sections and fields, and removes none without counting up the version.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use kinora_core::PersonId;
use uuid::Uuid;

use super::held::Extent;
use super::register::{Holds, Table, tables};
use crate::Result;
use crate::schema::people;

/// What the document says it is.
pub const FORMAT: &str = "kinora-personal-data";
/// Its version.
pub const VERSION: u32 = 1;
/// Rows that are read at once.
const PAGE: i64 = 500;

/// Somebody, and how much of them is exported.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The person.
    pub id: PersonId,
    /// How much.
    pub extent: Extent,
    logins: Vec<String>,
}

/// Somebody whose data is to be exported.
///
/// # Errors
/// [`crate::StoreError::NotFound`] if there is no such person, or they are erased.
pub fn find_subject(connection: &mut PgConnection, id: PersonId, extent: Extent) -> Result<Subject> {
    let key: String = people::table
        .find(id.0)
        .filter(people::erased_at.is_null())
        .select(people::login_key)
        .first(connection)?;
    Ok(Subject { id, extent, logins: vec![key] })
}

/// How far the export of a person is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    section: usize,
    after: Option<String>,
}

/// Where sections come from.
fn sections(extent: Extent) -> impl Iterator<Item = (&'static str, &'static Table)> {
    tables()
        .filter(move |table| !matches!(extent, Extent::Organisation(_)) || table.of_organisation.is_some())
        .filter_map(|table| table.section.map(|name| (name, table)))
}

/// Writes the next part of what is kept of a person: `"section":[rows],…` without the braces around it. Gives where to
/// go on; none: that was all.
///
/// # Errors
/// If the database fails.
pub fn write_part(
    connection: &mut PgConnection,
    subject: &Subject,
    from: &Place,
    text: &mut String,
) -> Result<Option<Place>> {
    let mut place = from.clone();
    for (name, table) in sections(subject.extent).skip(from.section) {
        let rows = read(connection, subject, table, place.after.as_deref())?;
        if place.after.is_none() {
            if place.section > 0 {
                text.push(',');
            }
            text.push_str(&format!("\n\"{name}\":["));
        }
        for (number, row) in rows.iter().enumerate() {
            if number > 0 || place.after.is_some() {
                text.push(',');
            }
            text.push_str("\n ");
            text.push_str(&row.row);
        }
        if rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            text.push(']');
            place = Place { section: place.section + 1, after: None };
        } else {
            let after = rows.into_iter().next_back().map(|row| row.key);
            return Ok(Some(Place { section: place.section, after }));
        }
    }
    Ok(None)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    row: String,
}

/// The rows of a table that are about somebody: condition over `t` with `$1` person, `$2` organisation, `$3` logins.
pub(super) fn condition(table: &Table, extent: Extent) -> Option<String> {
    let of_person = table.of_person?;
    match extent {
        Extent::Whole => Some(of_person.to_owned()),
        Extent::Organisation(_) => table.of_organisation.map(|held| format!("{of_person} AND {held}")),
        Extent::Account(_) => Some(match table.of_organisation {
            Some(held) => format!("{of_person} AND {held}"),
            None => of_person.to_owned(),
        }),
    }
}

/// A column as the export has it.
fn exported(name: &str, holds: Holds) -> Option<String> {
    let column = format!("t.\"{name}\"");
    let value = match holds {
        Holds::Personal | Holds::Plain | Holds::Person | Holds::Author | Holds::Free => column,
        Holds::OfActor => format!("CASE WHEN t.actor_id = $1 THEN {column} END"),
        Holds::OfSubject => format!(
            "CASE WHEN t.subject_id = $1 OR t.subject_kind NOT IN ('person', 'login', 'invitation', 'mail') \
             THEN {column} END"
        ),
        Holds::Hidden | Holds::Secret | Holds::Internal => return None,
    };
    Some(format!("'{name}', {value}"))
}

fn read(
    connection: &mut PgConnection,
    subject: &Subject,
    table: &Table,
    after: Option<&str>,
) -> Result<Vec<Row>> {
    let Some(condition) = condition(table, subject.extent) else { return Ok(Vec::new()) };
    let fields: Vec<String> =
        table.columns.iter().filter_map(|(name, holds)| exported(name, *holds)).collect();
    let statement = format!(
        "SELECT q.key, q.fields::text AS row FROM ( \
             SELECT ({key}) COLLATE \"C\" AS key, jsonb_build_object({fields}) AS fields \
             FROM {table} t WHERE {condition} AND ($2::uuid IS NULL OR $2 = $2) AND ($3::text[] IS NOT NULL) \
         ) q WHERE $4 IS NULL OR q.key > $4 ORDER BY q.key LIMIT $5",
        key = table.key,
        fields = fields.join(", "),
        table = table.name,
    );
    Ok(diesel::sql_query(statement)
        .bind::<SqlUuid, _>(subject.id.0)
        .bind::<Nullable<SqlUuid>, _>(subject.extent.organisation().map(Uuid::from))
        .bind::<Array<Text>, _>(&subject.logins)
        .bind::<Nullable<Text>, _>(after)
        .bind::<BigInt, _>(PAGE)
        .load(connection)?)
}
