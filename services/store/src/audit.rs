//! The audit trail: who changed what, from where, in the transaction of the change itself.
//!
//! Rows are chained: each row's hash covers the hash before it and the row, and the one row of
//! `audit_head` holds number and hash of the newest. So a row that was changed, removed, moved or
//! cut off at the end shows in [`verify`]. The chain proves nothing against somebody who can rewrite
//! all of it *and* the head; printing the head elsewhere from time to time does.
//!
//! Names can be erased from it without breaking the chain: [`seal`] says what the hashes cover.

mod erasing;
mod seal;
mod trail;
mod upkeep;

pub use erasing::{ERASED, Edit, erase, find_of_person, find_with_text};
pub use trail::{Filter, PERMISSION_ACTS, list};
pub use upkeep::{Check, forwardable, last_check, note_forwarded, remove_old, store_check};

use std::collections::HashMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId, ProductionId, SupportGrantId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::schema::{
    audit_head, audit_rows, audit_start, organisation_members, production_members, productions,
    service_accounts,
};

/// The kind of subject of acts that are about a person.
pub const PERSON: &str = "person";

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The person; none for the system itself and for people who are not signed in.
    pub actor_id: Option<PersonId>,
    /// The person's login, or "system" or the name of a command.
    pub actor: String,
    /// The client's address.
    pub address: Option<String>,
    /// Id of the request, which is in the logs too.
    pub request_id: Option<String>,
    /// The support access under which they do it.
    pub support_grant: Option<SupportGrantId>,
}

impl Origin {
    /// Something the product does by itself; `name` says which part, like "backend".
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self { actor_id: None, actor: name.to_owned(), address: None, request_id: None, support_grant: None }
    }
}

/// What was done. Start with [`Act::new`] and add what is known.
#[derive(Clone, Debug, Default)]
pub struct Act {
    action: &'static str,
    subject_kind: &'static str,
    subject_id: Option<Uuid>,
    subject: Option<String>,
    organisation_id: Option<OrganisationId>,
    production_id: Option<ProductionId>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Act {
    /// `action` is "<noun>.<participle>" such as "production.created"; the subject is what it was
    /// done to: its kind, id, and its name as people know it.
    #[must_use]
    pub fn new(action: &'static str, kind: &'static str, id: impl Into<Uuid>, name: &str) -> Self {
        Self {
            action,
            subject_kind: kind,
            subject_id: Some(id.into()),
            subject: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Whose administrators may read it.
    #[must_use]
    pub fn in_organisation(mut self, id: OrganisationId) -> Self {
        self.organisation_id = Some(id);
        self
    }

    /// The production it happened in; give the organisation too.
    #[must_use]
    pub fn in_production(mut self, id: ProductionId) -> Self {
        self.production_id = Some(id);
        self
    }

    /// This act of a person as the organisations they are in may read it; see [`record_personal`].
    fn told_to(self, organisations: &[Uuid]) -> Vec<Self> {
        match organisations {
            [] => vec![self],
            [only] => vec![self.in_organisation(OrganisationId(*only))],
            several => {
                let concerns_all = self.subject_kind == PERSON;
                let told = |id: &Uuid| {
                    let act = self.clone().in_organisation(OrganisationId(*id));
                    if concerns_all { act } else { Self { subject: None, before: None, after: None, ..act } }
                };
                let mut acts: Vec<Self> = several.iter().map(told).collect();
                if !concerns_all {
                    // What the organisations are not told is kept all the same, for the operator.
                    acts.push(self);
                }
                acts
            }
        }
    }

    /// State before; no secrets, no fractions.
    #[must_use]
    pub fn before(mut self, state: impl Serialize) -> Self {
        self.before = serde_json::to_value(state).ok();
        self
    }

    /// State after; no secrets, no fractions.
    #[must_use]
    pub fn after(mut self, state: impl Serialize) -> Self {
        self.after = serde_json::to_value(state).ok();
        self
    }
}

/// One row of the trail.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_rows, check_for_backend(diesel::pg::Pg))]
pub struct AuditRow {
    /// Position in the chain, from 1 without gaps.
    pub sequence: i64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor_id: Option<Uuid>,
    /// Their login at that time.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Whose administrators may read it.
    pub organisation_id: Option<Uuid>,
    /// In which production.
    pub production_id: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which one.
    pub subject_id: Option<Uuid>,
    /// Its name at that time.
    pub subject: Option<String>,
    /// State before.
    pub before: Option<Value>,
    /// State after.
    pub after: Option<Value>,
    /// SHA-256 over the previous hash and this row.
    pub hash: Vec<u8>,
    /// The support access under which it was done.
    pub support_grant_id: Option<Uuid>,
    /// Random bytes of the five fields that may name somebody; zeros where one was erased.
    pub salts: Option<Vec<u8>>,
    /// Digests of those fields, which the hash covers; none in rows of former releases.
    pub digests: Option<Vec<u8>>,
    /// The erasures that something of this row was erased in.
    pub erasures: Vec<Uuid>,
    /// Whether whoever did it was a guest of the organisation when this was written.
    pub actor_is_guest: bool,
}

/// Records an act. It must be the **last** thing in its transaction: it locks the head of the trail,
/// which all other writers wait for, until the transaction ends.
///
/// # Errors
/// If the database fails, or outside a transaction with the head missing.
pub fn record(conn: &mut PgConnection, origin: &Origin, act: Act) -> Result<()> {
    record_all(conn, origin, vec![act])
}

/// Records several acts of one transaction in order; see [`record`].
///
/// # Errors
/// If the database fails.
pub fn record_all(conn: &mut PgConnection, origin: &Origin, acts: Vec<Act>) -> Result<()> {
    if acts.is_empty() {
        return Ok(());
    }
    // A savepoint would cost two round trips while everybody waits for the head.
    match AnsiTransactionManager::transaction_manager_status_mut(conn).transaction_depth()? {
        Some(_) => append(conn, origin, acts),
        None => conn.transaction(|conn| append(conn, origin, acts)),
    }
}

/// Records an act that belongs to a person and not to one organisation: signing in and out, tokens,
/// passwords, lock-outs. Every organisation the person is in *now* gets a row of its own, which only
/// its administrators read: those who join or leave later change nothing about it.
///
/// Where there are several organisations, none of them learns of another. What was done to the person
/// is told to each; of a session or token only that it happened, because its name may tell what it is
/// for. One more row, of no organisation, keeps the rest. See [`record`] for when to call it.
///
/// # Errors
/// If the database fails.
pub fn record_personal(conn: &mut PgConnection, origin: &Origin, person: PersonId, act: Act) -> Result<()> {
    let organisations: Vec<Uuid> = organisation_members::table
        .filter(organisation_members::person_id.eq(person.0))
        .order(organisation_members::organisation_id)
        .select(organisation_members::organisation_id)
        .load(conn)?;
    record_all(conn, origin, act.told_to(&organisations))
}

fn append(conn: &mut PgConnection, origin: &Origin, acts: Vec<Act>) -> Result<()> {
    // Before the head is locked, which everybody waits for.
    let hosts = hosts_of(conn, origin, &acts)?;
    let (mut sequence, mut hash): (i64, Vec<u8>) =
        audit_head::table.select((audit_head::sequence, audit_head::hash)).for_update().first(conn)?;
    // Whole microseconds, as PostgreSQL keeps them: the hash must be the same when read back.
    let now = Utc::now();
    let at = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
    let mut rows = Vec::with_capacity(acts.len());
    for act in acts {
        sequence += 1;
        let mut row = AuditRow {
            sequence,
            at,
            actor_id: origin.actor_id.map(Into::into),
            actor: origin.actor.clone(),
            address: origin.address.clone(),
            request_id: origin.request_id.clone(),
            organisation_id: act.organisation_id.map(Into::into),
            production_id: act.production_id.map(Into::into),
            action: act.action.to_owned(),
            subject_kind: act.subject_kind.to_owned(),
            subject_id: act.subject_id,
            subject: act.subject,
            before: act.before,
            after: act.after,
            hash: Vec::new(),
            support_grant_id: origin.support_grant.map(Into::into),
            salts: None,
            digests: None,
            erasures: Vec::new(),
            actor_is_guest: act.organisation_id.is_some_and(|id| hosts.contains(&id.into())),
        };
        seal::seal(&hash, &mut row)?;
        hash.clone_from(&row.hash);
        rows.push(row);
    }
    diesel::insert_into(audit_rows::table).values(&rows).execute(conn)?;
    diesel::update(audit_head::table)
        .set((audit_head::sequence.eq(sequence), audit_head::hash.eq(&hash)))
        .execute(conn)?;
    Ok(())
}

/// The organisations of these acts whose guest the actor is: with a membership in a production of theirs, no place in
/// them, and no program.
fn hosts_of(conn: &mut PgConnection, origin: &Origin, acts: &[Act]) -> Result<Vec<Uuid>> {
    let Some(actor) = origin.actor_id else { return Ok(Vec::new()) };
    let mut organisations: Vec<Uuid> =
        acts.iter().filter_map(|act| Some(act.organisation_id?.into())).collect();
    organisations.dedup();
    if organisations.is_empty() {
        return Ok(organisations);
    }
    let has_a_place = organisation_members::table
        .filter(organisation_members::person_id.eq(actor.0))
        .filter(organisation_members::organisation_id.eq(productions::organisation_id));
    let is_a_program = service_accounts::table.filter(service_accounts::person_id.eq(actor.0));
    Ok(production_members::table
        .inner_join(productions::table)
        .filter(production_members::person_id.eq(actor.0))
        .filter(productions::organisation_id.eq_any(organisations))
        .filter(diesel::dsl::not(diesel::dsl::exists(has_a_place)))
        .filter(diesel::dsl::not(diesel::dsl::exists(is_a_program)))
        .select(productions::organisation_id)
        .distinct()
        .load(conn)?)
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All rows are as they were written.
    Intact {
        /// How many there are.
        rows: i64,
        /// Hash of the newest, to keep elsewhere; hexadecimal.
        head: String,
    },
    /// The row of this number is missing: it was removed or renumbered.
    Missing(i64),
    /// The row of this number, or the one before it, is not what was written.
    Altered(i64),
    /// Rows after this number were cut off, or the head was changed.
    CutOff {
        /// The newest row that is there.
        last: i64,
        /// The newest row that was written.
        head: i64,
    },
}

/// How many rows are held in memory at once.
const PAGE: i64 = 1000;

/// Reads the whole trail in order and checks it, in one snapshot and with constant memory.
///
/// # Errors
/// If the database fails.
pub fn verify(conn: &mut PgConnection) -> Result<Verdict> {
    conn.build_transaction().repeatable_read().read_only().run(|conn| {
        let (first, hash): (i64, Vec<u8>) =
            audit_start::table.select((audit_start::sequence, audit_start::hash)).first(conn)?;
        let (mut last, mut previous) = (first, hash);
        // Erasures that rows name, with the first such row, until the act itself is found.
        let mut unrecorded: HashMap<Uuid, i64> = HashMap::new();
        loop {
            let rows: Vec<AuditRow> = audit_rows::table
                .filter(audit_rows::sequence.gt(last))
                .order(audit_rows::sequence)
                .limit(PAGE)
                .select(AuditRow::as_select())
                .load(conn)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if row.sequence != last + 1 {
                    return Ok(Verdict::Missing(last + 1));
                }
                if !seal::is_sound(&previous, &row) {
                    return Ok(Verdict::Altered(row.sequence));
                }
                for erasure in &row.erasures {
                    unrecorded.entry(*erasure).or_insert(row.sequence);
                }
                if let Some(erasure) = erasing::recorded_in(&row) {
                    unrecorded.remove(&erasure);
                }
                previous = row.hash;
                last = row.sequence;
            }
        }
        if let Some(row) = unrecorded.into_values().min() {
            return Ok(Verdict::Altered(row));
        }
        let is_before_the_start: bool =
            diesel::select(diesel::dsl::exists(audit_rows::table.filter(audit_rows::sequence.le(first))))
                .get_result(conn)?;
        if is_before_the_start {
            return Ok(Verdict::Altered(first));
        }
        let head: Option<(i64, Vec<u8>)> =
            audit_head::table.select((audit_head::sequence, audit_head::hash)).first(conn).optional()?;
        let (head_sequence, head_hash) = head.unwrap_or((0, Vec::new()));
        if head_sequence != last {
            return Ok(Verdict::CutOff { last, head: head_sequence });
        }
        if head_hash != previous {
            return Ok(Verdict::Altered(last));
        }
        let head = previous.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Verdict::Intact { rows: last - first, head })
    })
}
