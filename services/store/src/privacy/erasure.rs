//! Erasing somebody (GDPR, article 17): rows go or lose what names a person, as the register says, in one transaction.
//!
//! The person's row stays, without name, address and password, for the id that what they made refers to. Where only an
//! organisation's part is erased, because the account is another's, a row without a name takes the person's place in
//! what they made there.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use kinora_core::permission::OrganisationRole;
use kinora_core::{ErasureId, OrganisationId, PersonId, ProductionId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::erasures::{self, AskedBy, Erasure};
use super::export::condition;
use super::held::{self, Extent};
use super::pseudonym;
use super::register::{Fate, Holds, Table, tables};
use super::traces::{self, Traces};
use crate::audit::{self, Act, Origin, PERSON};
use crate::schema::{
    organisation_members, organisations as organisation_rows, people, production_members, productions,
};
use crate::sign_in::login_key;
use crate::{Result, StoreError, events, objects, organisations, people as accounts};

/// How long the bytes of an upload are left alone, so that a writer that does not know yet can end before.
const WRITER_GRACE: TimeDelta = TimeDelta::seconds(10);

/// Tables whose rows lose what names the person in a way of their own: the account's, and the trail, which the services
/// may not change.
const HAVE_THEIR_OWN_WAY: [&str; 2] = ["people", "audit_rows"];

/// What was done with the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The table.
    pub table: String,
    /// "deleted", "pseudonymised" or "kept".
    pub done: String,
    /// How many rows.
    pub rows: i64,
}

/// Collects what was done.
#[derive(Default)]
struct Report(Vec<Done>);

impl Report {
    fn add(&mut self, table: &str, done: &str, rows: i64) {
        if rows > 0 {
            self.0.push(Done { table: table.to_owned(), done: done.to_owned(), rows });
        }
    }
}

/// Who is erased, and how.
struct Case {
    person: PersonId,
    extent: Extent,
    stands_for: Uuid,
    traces: Traces,
}

/// Erases a person, or what an organisation keeps of them. Whether the caller may is decided before.
///
/// # Errors
/// [`StoreError::NotFound`] if there is nobody, or they are erased already; [`StoreError::Conflict`] if an organisation
/// would be without an owner.
pub fn erase(
    connection: &mut PgConnection,
    origin: &Origin,
    (person, extent): (PersonId, Extent),
    asked_by: AskedBy,
) -> Result<Erasure> {
    // All of the trail is looked through.
    connection.batch_execute("SET LOCAL statement_timeout = '5min'")?;
    let concerned = match extent {
        Extent::Whole => organisations_of(connection, person)?,
        Extent::Account(organisation) | Extent::Organisation(organisation) => vec![organisation.0],
    };
    organisations::lock(connection, &concerned)?;
    let (login, display_name) = held::lock(connection, person)?;
    require_other_owners(connection, person, extent)?;
    let id = ErasureId::new();
    let stands_for = if extent == Extent::Whole { person.0 } else { id.0 };
    let name = pseudonym(stands_for);
    let traces = Traces::gather(connection, person, (&login, &display_name), name.clone())?;
    let case = Case { person, extent, stands_for, traces };
    let ended = memberships(connection, &case)?;
    let mut report = Report::default();
    if extent != Extent::Whole {
        insert_stand_in(connection, stands_for, &name)?;
    }
    erase_tables(connection, &case, &mut report)?;
    for id in &concerned {
        require_break_glass(connection, *id)?;
    }
    search_texts(connection, &case, &mut report)?;
    let edits = traces::edits(connection, &case.traces, person, extent.organisation())?;
    report.add("audit_rows", "pseudonymised", i64::try_from(edits.len()).unwrap_or(i64::MAX));
    for production in ended {
        events::record_membership(connection, ProductionId(production), person)?;
    }
    let erasure = Erasure {
        id,
        person_id: person,
        organisation_id: extent.organisation(),
        stands_for: PersonId(stands_for),
        asked_by,
        erased_at: now(),
        report: report.0,
    };
    erasures::insert(connection, &erasure, &concerned)?;
    audit::erase(connection, id.0, &name, &edits)?;
    record(connection, origin, &erasure, &concerned)?;
    Ok(erasure)
}

/// Erases an e-mail address that has no account: what the register finds by it, and what names it elsewhere. An opaque id
/// stands in its place, as for everybody who is erased.
///
/// # Errors
/// [`StoreError::Conflict`] if nothing names it.
pub fn erase_address(
    connection: &mut PgConnection,
    origin: &Origin,
    address: &str,
    asked_by: AskedBy,
) -> Result<Erasure> {
    connection.transaction(|connection| {
        // An account that lives for this transaction alone, so that everything goes the way that it does for people.
        let person = PersonId::new();
        diesel::insert_into(people::table)
            .values((
                people::id.eq(person.0),
                people::login.eq(address),
                people::login_key.eq(login_key(address)),
                people::display_name.eq(address),
                people::disabled_at.eq(Utc::now()),
            ))
            .execute(connection)?;
        let erasure = erase(connection, origin, (person, Extent::Whole), asked_by)?;
        if erasure.report.iter().all(|done| done.table == "people") {
            let nothing =
                format!("There is nobody with the login '{address}', and nothing names this address.");
            return Err(StoreError::Conflict(nothing));
        }
        Ok(erasure)
    })
}

/// This instant in whole microseconds, as PostgreSQL keeps it.
fn now() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
}

/// Leaves a row for every organisation that is told. Whoever erases themselves is not named in it.
fn record(
    connection: &mut PgConnection,
    origin: &Origin,
    erasure: &Erasure,
    concerned: &[Uuid],
) -> Result<()> {
    let name = pseudonym(erasure.stands_for.0);
    let origin = if origin.actor_id == Some(erasure.person_id) {
        Origin { actor: name.clone(), address: None, ..origin.clone() }
    } else {
        origin.clone()
    };
    let act = Act::new(audit::ERASED, PERSON, erasure.person_id, &name).after(json!({
        "erasure": erasure.id,
        "asked_by": erasure.asked_by,
        "extent": if erasure.organisation_id.is_some() { "organisation" } else { "whole" },
    }));
    let acts = match concerned {
        [] => vec![act],
        ids => ids.iter().map(|id| act.clone().in_organisation(OrganisationId(*id))).collect(),
    };
    audit::record_all(connection, &origin, acts)
}

/// The organisations that a person belongs to or is a guest of.
fn organisations_of(connection: &mut PgConnection, person: PersonId) -> Result<Vec<Uuid>> {
    let mut ids: Vec<Uuid> = accounts::places_of(connection, person)?.into_iter().map(|(id, _)| id).collect();
    let hosts: Vec<Uuid> = production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq(person.0))
        .select(productions::organisation_id)
        .load(connection)?;
    ids.extend(hosts);
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Refuses to erase the last owner of an organisation.
fn require_other_owners(connection: &mut PgConnection, person: PersonId, extent: Extent) -> Result<()> {
    let mut owned: Vec<Uuid> = accounts::places_of(connection, person)?
        .into_iter()
        .filter(|(_, role)| *role == OrganisationRole::Owner)
        .map(|(id, _)| id)
        .collect();
    if let Some(organisation) = extent.organisation() {
        owned.retain(|id| *id == organisation.0);
    }
    for id in owned {
        let others: i64 = organisation_members::table
            .inner_join(people::table)
            .filter(organisation_members::organisation_id.eq(id))
            .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
            .filter(organisation_members::person_id.ne(person.0))
            .filter(people::disabled_at.is_null())
            .count()
            .get_result(connection)?;
        if others == 0 {
            let name: String =
                organisation_rows::table.find(id).select(organisation_rows::name).first(connection)?;
            return Err(StoreError::Conflict(format!(
                "The only owner of {name} cannot be erased: nobody could look after it any more. Make somebody else \
                 owner first."
            )));
        }
    }
    Ok(())
}

/// The same for the last owner who can sign in without the identity provider.
fn require_break_glass(connection: &mut PgConnection, organisation: Uuid) -> Result<()> {
    crate::security::require_break_glass(connection, OrganisationId(organisation))
}

/// The productions in which memberships end, in order.
fn memberships(connection: &mut PgConnection, case: &Case) -> Result<Vec<Uuid>> {
    let mut query = production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq(case.person.0))
        .order(productions::id)
        .select(productions::id)
        .into_boxed();
    if let Some(organisation) = case.extent.organisation() {
        query = query.filter(productions::organisation_id.eq(organisation.0));
    }
    Ok(query.load(connection)?)
}

fn insert_stand_in(connection: &mut PgConnection, id: Uuid, name: &str) -> Result<()> {
    let now = Utc::now();
    let login = format!("erased-{}", id.simple());
    diesel::insert_into(people::table)
        .values((
            people::id.eq(id),
            people::login.eq(&login),
            people::login_key.eq(&login),
            people::display_name.eq(name),
            people::disabled_at.eq(now),
            people::erased_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

fn erase_tables(connection: &mut PgConnection, case: &Case, report: &mut Report) -> Result<()> {
    for table in tables() {
        if table.name == "uploads" {
            orphan_uploads(connection, case, table)?;
        }
        match table.fate {
            Fate::Deleted => {
                let rows = with_rows(connection, case, table, "DELETE FROM")?;
                report.add(table.name, "deleted", rows);
            }
            Fate::Pseudonymised(_) if !HAVE_THEIR_OWN_WAY.contains(&table.name) => {
                report.add(table.name, "pseudonymised", overwrite(connection, case, table)?);
            }
            Fate::Kept(_) if table.of_person.is_some() && case.extent == Extent::Whole => {
                let rows = with_rows(connection, case, table, "SELECT FROM")?;
                report.add(table.name, "kept", rows);
            }
            _ => {}
        }
        if case.extent != Extent::Whole {
            report.add(table.name, "pseudonymised", hand_over(connection, case, table)?);
        }
    }
    if case.extent == Extent::Whole {
        forget_account(connection, case)?;
        report.add("people", "pseudonymised", 1);
    }
    Ok(())
}

/// Counts rows of a table.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Runs a statement over the rows of a table that are the person's; gives how many they are.
fn with_rows(connection: &mut PgConnection, case: &Case, table: &Table, verb: &str) -> Result<i64> {
    let Some(condition) = condition(table, case.extent) else { return Ok(0) };
    let (begin, end) = if verb == "SELECT FROM" { ("SELECT 1 FROM", "") } else { (verb, "RETURNING 1") };
    let statement = format!(
        "WITH found AS ({begin} {name} t WHERE {condition} AND ($2::uuid IS NULL OR $2 = $2) \
         AND $3::text[] IS NOT NULL {end}) SELECT count(*) AS rows FROM found",
        name = table.name,
    );
    let counted: Counted = diesel::sql_query(statement)
        .bind::<SqlUuid, _>(case.person.0)
        .bind::<Nullable<SqlUuid>, _>(case.extent.organisation().map(Uuid::from))
        .bind::<Array<Text>, _>(case.traces.logins())
        .get_result(connection)?;
    Ok(counted.rows)
}

/// Puts the pseudonym into what names the person in rows that stay.
fn overwrite(connection: &mut PgConnection, case: &Case, table: &Table) -> Result<i64> {
    let Some(condition) = condition(table, case.extent) else { return Ok(0) };
    let named = table.columns.iter().filter(|(_, holds)| *holds == Holds::Personal);
    let set: Vec<String> = named.map(|(column, _)| format!("\"{column}\" = $4")).collect();
    if set.is_empty() {
        return Ok(0);
    }
    let statement = format!(
        "UPDATE {name} t SET {set} WHERE {condition} AND ($2::uuid IS NULL OR $2 = $2) AND $3::text[] IS NOT NULL",
        name = table.name,
        set = set.join(", "),
    );
    let changed = diesel::sql_query(statement)
        .bind::<SqlUuid, _>(case.person.0)
        .bind::<Nullable<SqlUuid>, _>(case.extent.organisation().map(Uuid::from))
        .bind::<Array<Text>, _>(case.traces.logins())
        .bind::<Text, _>(pseudonym(case.stands_for))
        .execute(connection)?;
    Ok(i64::try_from(changed).unwrap_or(i64::MAX))
}

/// Puts the stand-in into what the person made in the organisation.
fn hand_over(connection: &mut PgConnection, case: &Case, table: &Table) -> Result<i64> {
    let Some(held) = table.of_organisation else { return Ok(0) };
    let mut rows = 0;
    for (column, _) in table.columns.iter().filter(|(_, holds)| *holds == Holds::Author) {
        let statement =
            format!("UPDATE {} t SET \"{column}\" = $3 WHERE t.\"{column}\" = $1 AND {held}", table.name);
        let changed = diesel::sql_query(statement)
            .bind::<SqlUuid, _>(case.person.0)
            .bind::<Nullable<SqlUuid>, _>(case.extent.organisation().map(Uuid::from))
            .bind::<SqlUuid, _>(case.stands_for)
            .execute(connection)?;
        rows += i64::try_from(changed).unwrap_or(i64::MAX);
    }
    Ok(rows)
}

/// The bytes of unfinished uploads are removed soon.
fn orphan_uploads(connection: &mut PgConnection, case: &Case, table: &Table) -> Result<()> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        object_id: Uuid,
    }
    let Some(condition) = condition(table, case.extent) else { return Ok(()) };
    let found: Vec<Found> = diesel::sql_query(format!(
        "SELECT t.object_id FROM uploads t WHERE {condition} AND ($2::uuid IS NULL OR $2 = $2) AND t.asset_id IS NULL \
         FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(case.person.0)
    .bind::<Nullable<SqlUuid>, _>(case.extent.organisation().map(Uuid::from))
    .load(connection)?;
    let ids: Vec<Uuid> = found.into_iter().map(|row| row.object_id).collect();
    objects::orphan(connection, &ids, Utc::now() + WRITER_GRACE)
}

/// Takes name, address and password from the person's row, which stays.
fn forget_account(connection: &mut PgConnection, case: &Case) -> Result<()> {
    let now = Utc::now();
    let login = format!("erased-{}", case.person.0.simple());
    diesel::update(people::table.find(case.person.0))
        .set((
            people::login.eq(&login),
            people::login_key.eq(&login),
            people::display_name.eq(pseudonym(case.person.0)),
            people::password_hash.eq(None::<String>),
            people::password_change_required.eq(false),
            people::made_by.eq(None::<Uuid>),
            people::disabled_at.eq(now),
            people::erased_at.eq(now),
            people::updated_at.eq(now),
            people::revision.eq(people::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Takes the person out of texts and JSON about other things. What an organisation's part is, is known only of its own
/// rows, so where the account stays texts stay as well.
fn search_texts(connection: &mut PgConnection, case: &Case, report: &mut Report) -> Result<()> {
    if case.extent != Extent::Whole {
        return Ok(());
    }
    let patterns = case.traces.patterns();
    for table in tables().filter(|table| table.name != "audit_rows") {
        let mut rows = 0;
        for (column, _) in table.columns.iter().filter(|(_, holds)| holds.is_searched()) {
            rows += search_column(connection, case, (table.name, column), &patterns)?;
        }
        report.add(table.name, "pseudonymised", rows);
    }
    Ok(())
}

fn search_column(
    connection: &mut PgConnection,
    case: &Case,
    (table, column): (&str, &str),
    patterns: &[String],
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        place: String,
        #[diesel(sql_type = Text)]
        value: String,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        is_json: bool,
    }
    let found: Vec<Found> = diesel::sql_query(format!(
        "SELECT t.ctid::text AS place, t.\"{column}\"::text AS value, \
                pg_typeof(t.\"{column}\") IN ('jsonb'::regtype, 'json'::regtype) AS is_json \
         FROM {table} t WHERE t.\"{column}\"::text ILIKE ANY ($1) FOR UPDATE"
    ))
    .bind::<Array<Text>, _>(patterns)
    .load(connection)?;
    let mut rows = 0;
    for row in found {
        let (left, cast) = if row.is_json {
            let value = serde_json::from_str(&row.value)
                .map_err(|error| StoreError::NotUnderstood(format!("{table}.{column}: {error}")))?;
            (case.traces.without_in(&value, false).map(|left| left.to_string()), "::jsonb")
        } else {
            (case.traces.without(&row.value), "")
        };
        if let Some(left) = left {
            let statement = format!("UPDATE {table} SET \"{column}\" = $2{cast} WHERE ctid = $1::tid");
            diesel::sql_query(statement)
                .bind::<Text, _>(&row.place)
                .bind::<Text, _>(left)
                .execute(connection)?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// Erases once more what was written in the name of somebody who is erased: by a request that was under way when they
/// were. Gives how many rows it were.
///
/// # Errors
/// If the database fails.
pub(super) fn sweep(connection: &mut PgConnection, origin: &Origin, erasure: &Erasure) -> Result<i64> {
    let person = erasure.person_id;
    let name = pseudonym(person.0);
    let traces = Traces::gather(connection, person, ("", ""), name.clone())?;
    let case = Case { person, extent: Extent::Whole, stands_for: person.0, traces };
    let mut rows = 0;
    for table in tables().filter(|table| table.fate == Fate::Deleted) {
        if table.name == "uploads" {
            orphan_uploads(connection, &case, table)?;
        }
        rows += with_rows(connection, &case, table, "DELETE FROM")?;
    }
    let edits = traces::edits(connection, &case.traces, person, None)?;
    if !edits.is_empty() {
        rows += audit::erase(connection, erasure.id.0, &name, &edits)?;
        // Whoever checks the trail looks for it behind the rows that name it.
        record(connection, origin, erasure, &[])?;
    }
    Ok(rows)
}
