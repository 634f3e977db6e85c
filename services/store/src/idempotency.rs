//! Answers to creations, kept a day, so that a request that is sent again makes nothing twice.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use kinora_core::PersonId;
use serde_json::json;

use crate::schema::idempotency_keys;
use crate::{Result, StoreError};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the request.
    pub request_digest: Vec<u8>,
    /// The answer, encrypted by the application.
    pub sealed: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(digit).collect()
}

/// What is kept for the key. Until the transaction ends, nobody else can look at the same key, so two
/// requests that are sent at the same time make one thing.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, person: PersonId, key: &str) -> Result<Option<Stored>> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))")
        .bind::<Text, _>(format!("idempotency {person} {key}"))
        .bind::<BigInt, _>(0)
        .execute(connection)?;
    let found: Option<(Vec<u8>, serde_json::Value)> = idempotency_keys::table
        .find((person.0, key))
        .filter(idempotency_keys::created_at.gt(Utc::now() - KEPT))
        .select((idempotency_keys::request_digest, idempotency_keys::body))
        .first(connection)
        .optional()?;
    found
        .map(|(request_digest, body)| {
            let sealed = body.get("sealed").and_then(serde_json::Value::as_str).and_then(unhex);
            let sealed = sealed.ok_or_else(|| StoreError::NotUnderstood("idempotency key".to_owned()))?;
            Ok(Stored { request_digest, sealed })
        })
        .transpose()
}

/// Keeps the answer.
///
/// # Errors
/// If the database fails.
pub fn store(connection: &mut PgConnection, person: PersonId, key: &str, stored: &Stored) -> Result<()> {
    // An answer that is too old to be found may still be there.
    diesel::delete(idempotency_keys::table.find((person.0, key))).execute(connection)?;
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::person_id.eq(person.0),
            idempotency_keys::key.eq(key),
            idempotency_keys::request_digest.eq(&stored.request_digest),
            idempotency_keys::status.eq(201),
            idempotency_keys::headers.eq(json!({})),
            idempotency_keys::body.eq(json!({ "sealed": hex(&stored.sealed) })),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes answers that are too old to be given again.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection) -> Result<usize> {
    let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(Utc::now() - KEPT));
    Ok(diesel::delete(old).execute(connection)?)
}
