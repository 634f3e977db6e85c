//! Looks after connections: fetches metadata again every day, and tells owners of certificates before they end.
//!
//! Every instance does it. Metadata is claimed in its row first, and each mail has a row that can be written only once.

use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use kinora_core::mail::{Letter, SignOnEnd};
use kinora_core::{ConnectionId, OrganisationId};
use kinora_runtime::Shutdown;
use kinora_store::Origin;
use kinora_store::single_sign_on::connections::{self, Refreshed};
use kinora_store::single_sign_on::{keys, warnings};
use url::Url;

use super::ends::{self, Ending};
use super::metadata;
use super::provider::read_stored;
use crate::context::Context;
use crate::error::Problem;

const INTERVAL: Duration = Duration::from_secs(15 * 60);
/// Who does it, in the audit trail.
const NAME: &str = "application";

/// Works in the background until shutdown.
pub fn spawn(context: web::Data<Context>, shutdown: Shutdown) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => {}
            }
            tokio::select! {
                () = shutdown.requested() => return,
                done = look_after(&context) => if let Err(problem) = done {
                    log::warn!("identity providers could not be looked after: {}", problem.cause().unwrap_or_default());
                }
            }
        }
    });
}

async fn look_after(context: &Context) -> Result<(), Problem> {
    while let Some(claimed) =
        context.database.run(|connection| connections::claim_refresh(connection, Utc::now())).await?
    {
        let id = claimed.id;
        if let Refreshed::Refused(why) = metadata::refresh(context, Origin::system(NAME), claimed).await? {
            log::warn!(connection_id:% = id; "metadata of an identity provider was not refreshed: {why}");
        }
    }
    let public_url = context.settings.public_url.clone();
    context.database.run(move |connection| warn(connection, &public_url, Utc::now())).await
}

/// Writes the mails that are due.
fn warn(
    connection: &mut diesel::PgConnection,
    public_url: &Url,
    now: DateTime<Utc>,
) -> kinora_store::Result<()> {
    for (row, organisation) in connections::list_all(connection)? {
        let (id, owner) = (ConnectionId(row.id), OrganisationId(row.organisation_id));
        let provider = row.metadata.as_deref().and_then(|text| read_stored(text, now).ok());
        let rows = keys::of(connection, id)?;
        for end in ends::warnings(&row, provider.as_ref(), &rows, now) {
            let Some(days) = ends::due(end.ends_at, now) else { continue };
            let letter = Letter::SignOnEnding {
                organisation: organisation.clone(),
                connection: row.name.clone(),
                what: match end.what {
                    Ending::ProviderCertificate => SignOnEnd::ProviderCertificate,
                    Ending::OwnCertificate => SignOnEnd::OwnCertificate,
                    Ending::ProviderMetadata => SignOnEnd::ProviderMetadata,
                },
                ends_at: end.ends_at,
                page: format!("{public_url}administration/{owner}/sign-on/{id}"),
            };
            let what = (end.digest.as_str(), days);
            let _ = warnings::warn_once(connection, (owner, id), what, &letter, end.ends_at)?;
        }
    }
    Ok(())
}
