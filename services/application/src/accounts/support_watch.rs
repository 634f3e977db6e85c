//! Tells owners when support access has ended by itself, with what was done. That it *is* over needs nobody to do
//! anything: it is looked at with every request.

use std::time::Duration;

use actix_web::web;
use chrono::Utc;
use kinora_core::OrganisationId;
use kinora_runtime::Shutdown;
use kinora_store::support;

use crate::context::Context;
use crate::error::Problem;
use crate::extract::support::pages;

const INTERVAL: Duration = Duration::from_secs(5);

/// Works in the background until shutdown. Several instances may do it at the same time.
pub fn spawn(context: web::Data<Context>, shutdown: Shutdown) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => {}
            }
            if let Err(problem) = look_after(&context).await {
                log::warn!(
                    "owners could not be told of support access that has ended: {}",
                    problem.cause().unwrap_or_default()
                );
            }
        }
    });
}

async fn look_after(context: &Context) -> Result<(), Problem> {
    loop {
        let public_url = context.settings.public_url.clone();
        let was_one = context
            .database
            .transaction(move |connection| {
                let pages = |organisation: OrganisationId| pages(&public_url, organisation);
                support::end_due(connection, Utc::now(), pages)
            })
            .await?;
        if !was_one {
            return Ok(());
        }
    }
}
