//! Removing what is left behind: expired uploads, objects that nothing refers to, and goes on with
//! concatenations whose process died.
//!
//! Every instance sweeps; rows are claimed with `FOR UPDATE SKIP LOCKED`, so that they share the work. An
//! object is forgotten by the database only after the vault has removed it, in one transaction: a crash in
//! between means that it is removed again.

use std::sync::LazyLock;

use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::Connection as _;
use diesel::pg::PgConnection;
use kinora_core::ObjectId;
use kinora_runtime::shutdown::Shutdown;
use kinora_store::{Origin, objects, uploads};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::concatenate;
use super::problems::vault_problem;
use crate::context::Context;
use crate::error::Problem;

/// Rows that one statement takes.
const BATCH: i64 = 50;
/// An object of which no row knows is left alone for so long: a worker may still be about to report it.
const UNKNOWN_AFTER: TimeDelta = TimeDelta::days(2);

static SOON: LazyLock<Notify> = LazyLock::new(Notify::new);

/// Has this process sweep now.
pub(super) fn soon(_context: &Context) {
    SOON.notify_one();
}

/// Sweeps until shutdown is requested.
pub fn spawn(context: Data<Context>, shutdown: Shutdown) {
    tokio::spawn(async move {
        let interval = context.settings.upload.sweep_interval.get();
        let mut shard = 0_u8;
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = SOON.notified() => {}
                () = tokio::time::sleep(interval) => {}
            }
            if let Err(problem) = sweep(&context, shard).await {
                log::warn!("sweeping failed: {problem}: {}", problem.cause().unwrap_or_default());
            }
            shard = shard.wrapping_add(1);
        }
    });
}

async fn sweep(context: &Data<Context>, shard: u8) -> Result<(), Problem> {
    let origin = Origin::system("application");
    let expired = context.database.run(move |c| uploads::remove_expired(c, &origin, BATCH)).await?;
    let removed = remove_orphans(context).await?;
    if expired > 0 || removed > 0 {
        log::info!(uploads = expired, objects = removed; "removed what nobody needs any more");
    }
    mark_unknown(context, shard).await?;
    while concatenate::adopt(context).await? {}
    Ok(())
}

/// Removes a batch of orphans from the vault.
async fn remove_orphans(context: &Data<Context>) -> Result<usize, Problem> {
    let vault = context.vault.clone();
    let remove = move |connection: &mut PgConnection| {
        connection.transaction(|connection| {
            let orphans = objects::claim_orphans(connection, Utc::now(), BATCH)?;
            for id in &orphans {
                // This runs on a thread that may block, with the rows locked.
                Handle::current().block_on(vault.delete(*id)).map_err(vault_problem)?;
                objects::forget_orphan(connection, *id)?;
            }
            Ok::<_, Problem>(orphans.len())
        })
    };
    context.database.run(remove).await
}

/// Looks for objects in one shard of the vault that the database does not know, and marks them as
/// orphans. Each sweep looks at the next shard.
async fn mark_unknown(context: &Data<Context>, shard: u8) -> Result<(), Problem> {
    let found = context.vault.list(shard).await.map_err(vault_problem)?;
    let now = Utc::now();
    let old: Vec<ObjectId> = found.into_iter().filter(|id| is_older(*id, now - UNKNOWN_AFTER)).collect();
    for ids in old.chunks(1000) {
        let ids = ids.to_vec();
        let mark = move |connection: &mut PgConnection| {
            let unknown = uploads::unknown_objects(connection, &ids)?;
            for id in &unknown {
                log::warn!(object = id.to_string().as_str(); "no row knows this object; it is removed");
            }
            let unknown: Vec<_> = unknown.into_iter().map(uuid::Uuid::from).collect();
            if unknown.is_empty() { Ok(()) } else { objects::orphan(connection, &unknown, now) }
        };
        context.database.run(mark).await?;
    }
    Ok(())
}

/// Whether the object was begun before that instant; its id tells.
fn is_older(id: ObjectId, than: DateTime<Utc>) -> bool {
    let begun = id.0.get_timestamp().map(|timestamp| timestamp.to_unix());
    begun.is_some_and(|(seconds, _)| i64::try_from(seconds).is_ok_and(|seconds| seconds < than.timestamp()))
}
