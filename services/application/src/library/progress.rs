//! Live progress: the backend tells Redis how far each step is, this passes it on to the pages.
//!
//! One subscription for all productions. What is said while Redis or the connection is gone is
//! lost: the steps move on all the same, and the next message says where they are.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use kinora_core::ProductionId;
use kinora_runtime::redis::RedisError;
use kinora_runtime::shutdown::Shutdown;

use crate::context::Context;
use crate::library::hub::Hub;

/// Channels are named after the production.
const CHANNELS: &str = "progress:*";
const PREFIX: &str = "progress:";
/// First and longest wait before connecting again.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// Longer than any progress message; what is larger is none.
const LONGEST_BYTES: usize = 4096;

/// Passes progress on until `shutdown`.
pub async fn run(context: web::Data<Context>, hub: Arc<Hub>, shutdown: Shutdown) {
    let mut delay = RECONNECT.0;
    let mut is_lost = false;
    loop {
        let outcome = tokio::select! {
            () = shutdown.requested() => return,
            outcome = follow(&context, &hub, &mut delay, &mut is_lost) => outcome,
        };
        if !is_lost {
            is_lost = true;
            match outcome {
                Ok(()) => log::warn!("Redis ended the subscription: no live progress until it is back"),
                Err(error) => log::warn!("Redis failed: no live progress until it is back: {error}"),
            }
        }
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(delay) => {}
        }
        delay = (delay * 2).min(RECONNECT.1);
    }
}

async fn follow(
    context: &Context,
    hub: &Hub,
    delay: &mut Duration,
    is_lost: &mut bool,
) -> Result<(), RedisError> {
    let mut subscription = context.redis.subscribe(CHANNELS).await?;
    *delay = RECONNECT.0;
    if std::mem::take(is_lost) {
        log::info!("Redis is back: live progress again");
    }
    while let Some(message) = subscription.next(&context.redis).await? {
        let name = message.get_channel_name();
        let production = name.strip_prefix(PREFIX).and_then(|id| id.parse::<ProductionId>().ok());
        let payload = message.get_payload_bytes();
        if let (Some(production), Ok(json)) = (production, std::str::from_utf8(payload))
            && json.len() <= LONGEST_BYTES
        {
            hub.tell_progress(production, json);
        }
    }
    Ok(())
}
