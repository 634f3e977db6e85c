//! The audit trail: who changed what, from where, in the transaction of the change itself.
//!
//! Rows are chained: each row's hash covers the hash before it and the row, and the one row of
//! `audit_head` holds number and hash of the newest. So a row that was changed, removed, moved or
//! cut off at the end shows in [`verify`]. The chain proves nothing against somebody who can rewrite
//! all of it *and* the head; printing the head elsewhere from time to time does.
//!
//! # Encoding
//! `hash = SHA-256(previous hash ‖ fields)`, the first previous hash being 32 zero bytes. The fields
//! follow in the order of the table: sequence, at, actor_id, actor, address, request_id,
//! organisation_id, production_id, action, subject_kind, subject_id, subject, before, after. Each is
//! one byte 0 if NULL, else one byte 1, the length in bytes (u64, big endian) and the bytes:
//! numbers as i64 big endian, instants as microseconds since 1970-01-01T00:00:00Z (i64 big endian),
//! ids as their 16 bytes, texts as UTF-8, JSON as UTF-8 without spaces and with the keys of objects
//! sorted by their bytes. JSON in the audit trail has no numbers with fractions or exponents, because
//! PostgreSQL may write those differently.

mod trail;
mod upkeep;

pub use trail::{Filter, PERMISSION_ACTS, list};
pub use upkeep::{Check, forwardable, last_check, note_forwarded, remove_old, store_check};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId, ProductionId};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::Result;
use crate::schema::{audit_head, audit_rows, audit_start, organisation_members};

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
}

impl Origin {
    /// Something the product does by itself; `name` says which part, like "backend".
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self { actor_id: None, actor: name.to_owned(), address: None, request_id: None }
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
        };
        row.hash = hash_of(&hash, &row);
        hash.clone_from(&row.hash);
        rows.push(row);
    }
    diesel::insert_into(audit_rows::table).values(&rows).execute(conn)?;
    diesel::update(audit_head::table)
        .set((audit_head::sequence.eq(sequence), audit_head::hash.eq(&hash)))
        .execute(conn)?;
    Ok(())
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
                if hash_of(&previous, &row) != row.hash {
                    return Ok(Verdict::Altered(row.sequence));
                }
                previous = row.hash;
                last = row.sequence;
            }
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

fn hash_of(previous: &[u8], row: &AuditRow) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    let mut field = |bytes: Option<&[u8]>| match bytes {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    };
    field(Some(&row.sequence.to_be_bytes()));
    field(Some(&row.at.timestamp_micros().to_be_bytes()));
    field(row.actor_id.as_ref().map(|id| id.as_bytes().as_slice()));
    field(Some(row.actor.as_bytes()));
    field(row.address.as_deref().map(str::as_bytes));
    field(row.request_id.as_deref().map(str::as_bytes));
    field(row.organisation_id.as_ref().map(|id| id.as_bytes().as_slice()));
    field(row.production_id.as_ref().map(|id| id.as_bytes().as_slice()));
    field(Some(row.action.as_bytes()));
    field(Some(row.subject_kind.as_bytes()));
    field(row.subject_id.as_ref().map(|id| id.as_bytes().as_slice()));
    field(row.subject.as_deref().map(str::as_bytes));
    field(row.before.as_ref().map(canonical).as_deref().map(str::as_bytes));
    field(row.after.as_ref().map(canonical).as_deref().map(str::as_bytes));
    hasher.finalize().to_vec()
}

/// JSON without spaces and with sorted keys, whatever order the map type of this build keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            let parts = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
        }
        simple => simple.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row() -> AuditRow {
        AuditRow {
            sequence: 7,
            at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            actor_id: Some(Uuid::from_u128(1)),
            actor: "ada".into(),
            address: None,
            request_id: Some("r".into()),
            organisation_id: Some(Uuid::from_u128(2)),
            production_id: None,
            action: "person.created".into(),
            subject_kind: "person".into(),
            subject_id: Some(Uuid::from_u128(3)),
            subject: Some("grace".into()),
            before: None,
            after: Some(json!({"role": "member", "a": [1, {"z": 1, "b": "é\n"}]})),
            hash: Vec::new(),
        }
    }

    #[test]
    fn every_field_is_covered_and_the_encoding_stays() {
        let base = hash_of(&[0; 32], &row());
        // Computed once from the description above; a change would break the trails that exist.
        assert_eq!(hex(&base), EXPECTED);
        let changes: [fn(&mut AuditRow); 14] = [
            |r| r.sequence = 8,
            |r| r.at += TimeDelta::microseconds(1),
            |r| r.actor_id = None,
            |r| r.actor = "adb".into(),
            |r| r.address = Some(String::new()),
            |r| r.request_id = None,
            |r| r.organisation_id = Some(Uuid::from_u128(9)),
            |r| r.production_id = Some(Uuid::from_u128(2)),
            |r| r.action = "person.removed".into(),
            |r| r.subject_kind = "people".into(),
            |r| r.subject_id = None,
            |r| r.subject = None,
            |r| r.before = Some(json!(null)),
            |r| r.after = Some(json!({"role": "owner", "a": [1, {"z": 1, "b": "é\n"}]})),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = row();
            change(&mut changed);
            assert_ne!(hash_of(&[0; 32], &changed), base, "field {number}");
        }
        assert_ne!(hash_of(&[1; 32], &row()), base);
    }

    const EXPECTED: &str = "cccf83c362bba09d1c126d01116b5fb336fecc365a1a94b9141b5dfe82a40835";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn canonical_json_sorts_at_every_depth() {
        let value = row().after.unwrap();
        assert_eq!(canonical(&value), "{\"a\":[1,{\"b\":\"é\\n\",\"z\":1}],\"role\":\"member\"}");
    }
}
