//! Those who come under support access: what they ask for is on record before they are answered.
//!
//! Every extractor that lets somebody at what belongs to a production ends here ([`admit`]), so that no handler has to
//! think of it. What cannot be put on record is refused.

use actix_web::HttpRequest;
use actix_web::http::Method;
use chrono::Utc;
use kinora_core::{OrganisationId, ProductionId, SupportGrantId};
use kinora_store::Origin;
use kinora_store::principals::UnderSupport;
use kinora_store::support::uses::{self, Deed, Request, Thing};
use url::Url;

use super::permission::{SignedIn, signed_in};
use crate::context::{Caller, Context};
use crate::error::{Problem, ProblemKind};

/// The last part of the address of an asset's original.
const ORIGINAL: &str = "original";

/// What the addresses of the pages of an organisation's support access begin with, for mails: the id follows.
#[must_use]
pub fn pages(public_url: &Url, organisation: OrganisationId) -> String {
    format!("{public_url}administration/{organisation}/support/")
}

/// Somebody who was granted what they ask for in a production: `part` of it, by the name of its kind in addresses and
/// its id, or the production as a whole.
///
/// # Errors
/// [`Problem::not_found`] when support access has ended in this moment; if the request cannot be put on record.
pub(super) async fn admit(
    request: &HttpRequest,
    caller: Caller,
    production: ProductionId,
    part: Option<(&'static str, uuid::Uuid)>,
) -> Result<SignedIn, Problem> {
    let support = caller.principal.under_support(production);
    let mut who = signed_in(request, caller);
    if let Some(support) = support {
        let whole = Thing::Production(production);
        let part = part.map(|(name, id)| Thing::Part(production, kind_of(name), id));
        let wanted = wanted(request, support, whole, part)?;
        note(request, &who.origin, support.grant, wanted).await?;
        who.origin.support_grant = Some(support.grant);
    }
    Ok(who)
}

/// "asset" for "asset_id".
fn kind_of(name: &'static str) -> &'static str {
    name.strip_suffix("_id").unwrap_or(name)
}

fn wanted(
    request: &HttpRequest,
    support: UnderSupport,
    whole: Thing,
    part: Option<Thing>,
) -> Result<Request, Problem> {
    let route = request.match_pattern().unwrap_or_default();
    let last = route.rsplit('/').next().unwrap_or_default();
    let (deed, thing) = match (last, part) {
        _ if !request.method().is_safe() => (Deed::Changed, part.unwrap_or(whole)),
        (ORIGINAL, Some(_)) if !support.originals => {
            return Err(Problem::new(
                ProblemKind::Forbidden,
                "Your support access does not include originals. An owner of the organisation can give one that does.",
            ));
        }
        (ORIGINAL, Some(part)) => (Deed::Downloaded, part),
        ("proxy", Some(part)) => (Deed::Played, part),
        // The one picture that lists show of each asset.
        ("poster", _) => (Deed::Browsed, whole),
        (_, Some(part)) => (Deed::Viewed, part),
        (_, None) => (Deed::Browsed, whole),
    };
    Ok(Request { deed, thing, method: method_name(request.method()), route })
}

fn method_name(method: &Method) -> String {
    method.as_str().to_owned()
}

async fn note(
    request: &HttpRequest,
    origin: &Origin,
    grant: SupportGrantId,
    wanted: Request,
) -> Result<(), Problem> {
    let context = Context::of(request)?;
    let (origin, public_url) = (origin.clone(), context.settings.public_url.clone());
    context
        .database
        .transaction(move |connection| {
            let pages = |organisation| pages(&public_url, organisation);
            uses::note(connection, &origin, grant, &wanted, pages, Utc::now())
        })
        .await
}

/// Puts on record that somebody sees the names of an organisation's productions in a list. Gives whether they may.
///
/// # Errors
/// If it cannot be put on record.
pub async fn note_list(
    request: &HttpRequest,
    who: &SignedIn,
    organisation: OrganisationId,
    grant: SupportGrantId,
) -> Result<bool, Problem> {
    let wanted = Request {
        deed: Deed::Browsed,
        thing: Thing::Organisation(organisation),
        method: method_name(request.method()),
        route: request.match_pattern().unwrap_or_default(),
    };
    match note(request, &who.origin, grant, wanted).await {
        Ok(()) => Ok(true),
        Err(problem) if problem.kind() == ProblemKind::NotFound => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Puts on record that somebody follows a production under support access.
///
/// # Errors
/// [`Problem::not_found`] when it has ended in this moment; if it cannot be put on record.
pub async fn note_following(
    request: &HttpRequest,
    who: &SignedIn,
    production: ProductionId,
    grant: SupportGrantId,
) -> Result<(), Problem> {
    let wanted = Request {
        deed: Deed::Followed,
        thing: Thing::Production(production),
        method: method_name(request.method()),
        route: request.match_pattern().unwrap_or_default(),
    };
    note(request, &who.origin, grant, wanted).await
}
