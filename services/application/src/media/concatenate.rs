//! Putting the parts of a concatenated upload together.
//!
//! Every part is an object with a key of its own, and the checksum of the whole needs all bytes in their
//! order, so the parts are read, and written as one new object, like an upload that comes from inside.
//! That may take minutes; a process that dies over it leaves a mark like every writer, and the sweep of
//! any process goes on from there.

use std::time::Duration;

use actix_web::web::Data;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use kinora_core::object::{Place, SealedObject};
use kinora_store::Origin;
use kinora_store::uploads::{self, Concatenation, Upload};
use kinora_vault::{HashState, Vault, VaultError};

use super::problems::{upload_problem, vault_problem};
use super::receive::{Reception, SourceError, receive};
use super::turns;
use crate::context::Context;
use crate::error::Problem;

/// How long the request that makes a concatenation waits for it. What takes longer goes on without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts a concatenation together that was just made. Gives it as it is when it is complete, or when the
/// request has waited long enough.
///
/// # Errors
/// If it failed meanwhile.
pub(super) async fn run(context: &Data<Context>, origin: &Origin, upload: Upload) -> Result<Upload, Problem> {
    let id = upload.id;
    let claim = move |connection: &mut _| {
        uploads::claim_concatenation(connection, Some(id), "creation").map_err(upload_problem)
    };
    let Some(claimed) = turns::run(context, claim).await? else { return Ok(upload) };
    let task = actix_web::rt::spawn(put_together(context.clone(), origin.clone(), claimed));
    match tokio::time::timeout(PATIENCE, task).await {
        Err(_) => Ok(upload),
        Ok(ended) => ended.map_err(Problem::unavailable)?,
    }
}

/// Goes on with a concatenation that nobody works on, if there is one.
///
/// # Errors
/// If it failed.
pub(super) async fn adopt(context: &Data<Context>) -> Result<bool, Problem> {
    let claim =
        |connection: &mut _| uploads::claim_concatenation(connection, None, "sweep").map_err(upload_problem);
    let Some(claimed) = turns::run(context, claim).await? else { return Ok(false) };
    put_together(context.clone(), Origin::system("application"), claimed).await?;
    Ok(true)
}

async fn put_together(context: Data<Context>, origin: Origin, upload: Upload) -> Result<Upload, Problem> {
    let ids = match &upload.concatenation {
        Some(Concatenation::Final(ids)) => ids.clone(),
        _ => Vec::new(),
    };
    let list = move |connection: &mut _| uploads::list_parts(connection, &ids).map_err(upload_problem);
    let parts = turns::read(&context, list).await?;
    let objects: Result<Vec<SealedObject>, VaultError> = parts.iter().map(record_of).collect();
    let objects = objects.map_err(vault_problem)?;
    let source = bytes_of(context.vault.as_ref().clone(), objects, upload.offset_bytes);
    receive(Reception { context, origin, upload, announced_bytes: None, checksum: None }, source).await
}

/// The object that a complete partial upload consists of.
fn record_of(part: &Upload) -> Result<SealedObject, VaultError> {
    let hash = match &part.hash_state {
        Some(state) => HashState::from_bytes(state)?,
        None => HashState::new(),
    };
    Ok(SealedObject {
        id: part.object_id,
        master_key_id: part.master_key_id.clone(),
        wrapped_key: part.wrapped_key.clone(),
        size_bytes: part.offset_bytes,
        sha256: hash.sha256(),
        segments: part.segments.clone(),
        // Where uploads arrive; the vault knows that this may be the same as the store.
        place: Place::Staging,
    })
}

/// The bytes of all objects one after the other, without the first `skip`.
fn bytes_of(
    vault: Vault,
    objects: Vec<SealedObject>,
    skip: u64,
) -> impl Stream<Item = Result<Bytes, SourceError>> {
    let mut begun = 0_u64;
    let ranges: Vec<_> = objects
        .into_iter()
        .map(|object| {
            let start = skip.saturating_sub(begun).min(object.size_bytes);
            begun += object.size_bytes;
            (start..object.size_bytes, object)
        })
        .collect();
    futures_util::stream::iter(ranges)
        .map(move |(range, object)| vault.reader(&object).map(|reader| reader.stream(range)))
        .try_flatten()
        .map_err(SourceError::Part)
}
