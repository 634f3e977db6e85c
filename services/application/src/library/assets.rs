//! Assets: the list, one of them, renaming and removing.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;
use kinora_core::AssetId;
use kinora_core::asset::{AssetKind, AssetStatus};
use kinora_core::step::DerivativeKind;
use kinora_store::asset_list::{self, Listing, SortBy};
use kinora_store::assets::{self, Asset, AssetDetail};
use kinora_store::versions::{Derivative, Version};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{List, checked_limit};
use crate::extract::permission::{Editor, Library, Manager, Reader};
use crate::extract::{Cursor, IfMatch, InProduction, Json, Query, Then, Within, etag};

/// Longest text that is looked for in names, in characters.
const LONGEST_SEARCH: usize = 200;
/// Longest name, in characters.
const LONGEST_NAME: usize = 1000;
/// About what an asset takes in JSON: its members, and a name of ordinary length.
const ASSET_BYTES: usize = 400;

/// The order of the list; `-` first: from the largest to the smallest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum AssetSort {
    /// From the oldest to the newest.
    #[serde(rename = "created")]
    Created,
    /// From the newest to the oldest.
    #[default]
    #[serde(rename = "-created")]
    CreatedDescending,
    /// By name, without regard to case.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
    /// From the smallest to the largest.
    #[serde(rename = "size")]
    Size,
    /// From the largest to the smallest.
    #[serde(rename = "-size")]
    SizeDescending,
    /// From the shortest to the longest; those without a length come first.
    #[serde(rename = "duration")]
    Duration,
    /// From the longest to the shortest.
    #[serde(rename = "-duration")]
    DurationDescending,
}

impl AssetSort {
    fn parts(self) -> (SortBy, bool) {
        match self {
            Self::Created => (SortBy::Created, false),
            Self::CreatedDescending => (SortBy::Created, true),
            Self::Name => (SortBy::Name, false),
            Self::NameDescending => (SortBy::Name, true),
            Self::Size => (SortBy::Size, false),
            Self::SizeDescending => (SortBy::Size, true),
            Self::Duration => (SortBy::Duration, false),
            Self::DurationDescending => (SortBy::Duration, true),
        }
    }
}

/// What the list is asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AssetQuery {
    /// Only assets that stand there.
    #[param(inline)]
    status: Option<AssetStatus>,
    /// Only assets of this kind.
    #[param(inline)]
    kind: Option<AssetKind>,
    /// Only assets whose name contains this, without regard to case.
    #[param(max_length = 200)]
    q: Option<String>,
    /// The order; else `-created`.
    #[param(inline)]
    #[serde(default)]
    sort: Option<AssetSort>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

impl AssetQuery {
    /// What the store is asked for, and the name of the list that cursors belong to.
    fn listing(
        self,
        context: &Context,
        production_id: kinora_core::ProductionId,
    ) -> Result<(Listing, String), Problem> {
        let name_contains = self.q.filter(|text| !text.is_empty());
        if name_contains.as_ref().is_some_and(|text| text.chars().count() > LONGEST_SEARCH) {
            return Err(Problem::invalid_parameter(
                "q",
                format!("must not have more than {LONGEST_SEARCH} characters"),
            ));
        }
        let (sort_by, descending) = self.sort.unwrap_or_default().parts();
        let list = format!(
            "assets {production_id} {sort_by:?} {descending} {:?} {:?} {name_contains:?}",
            self.status, self.kind
        );
        let after = match &self.cursor {
            Some(cursor) => Some(Cursor::read(&context.keys, &list, cursor)?),
            None => None,
        };
        let limit = usize::try_from(checked_limit(self.limit)?).unwrap_or_default();
        let listing = Listing {
            production_id,
            status: self.status,
            kind: self.kind,
            name_contains,
            sort_by,
            descending,
            after,
            limit,
        };
        Ok((listing, list))
    }
}

/// The assets of a production.
#[utoipa::path(
    get,
    path = "/api/data/v1/productions/{production_id}/assets",
    tag = "library",
    params(("production_id" = uuid::Uuid, Path), AssetQuery),
    responses(
        (status = 200, description = "A page of the list", body = List<Asset>),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn list_assets(
    caller: InProduction<Library, Reader>,
    Query(query): Query<AssetQuery>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (listing, list) = query.listing(&context, caller.production_id)?;
    let principal = caller.who.principal;
    let shared = context.clone();
    // Written as JSON where it is read: what travels between threads is one buffer.
    let body = context
        .database
        .read(move |connection| {
            let mut body = Vec::with_capacity((listing.limit + 1) * ASSET_BYTES);
            body.extend_from_slice(b"{\"items\":");
            let next = asset_list::write(connection, &principal, &listing, &mut body)?;
            let next_cursor = match &next {
                Some(next) => Some(Cursor::write(&shared.keys, &list, next)?),
                None => None,
            };
            body.extend_from_slice(b",\"next_cursor\":");
            serde_json::to_writer(&mut body, &next_cursor).map_err(Problem::internal)?;
            body.push(b'}');
            Ok::<_, Problem>(body)
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(body))
}

/// An asset with everything that is known about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AssetDetail)]
pub struct AssetView {
    #[serde(flatten)]
    asset: Asset,
    /// The name of who added it, if that person still exists.
    created_by_name: Option<String>,
    /// Whether that person is a guest: does not belong to the organisation that owns the production.
    created_by_guest: bool,
    /// The version that plays.
    version: Option<Version>,
    /// Where its original can be downloaded.
    original_url: String,
    /// What was made of that version.
    derivatives: Vec<DerivativeLink>,
}

/// Something that was made of a version, and where it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DerivativeLink {
    #[serde(flatten)]
    derivative: Derivative,
    /// Where it can be read.
    url: String,
}

/// The last part of a derivative's address.
fn address_of(kind: DerivativeKind) -> &'static str {
    match kind {
        DerivativeKind::Proxy => "proxy",
        DerivativeKind::Poster => "poster",
        DerivativeKind::Filmstrip => "filmstrip",
        DerivativeKind::FilmstripIndex => "filmstrip.vtt",
        DerivativeKind::Waveform => "waveform",
        DerivativeKind::RawProbe => "probe",
    }
}

impl From<AssetDetail> for AssetView {
    fn from(detail: AssetDetail) -> Self {
        let base = format!("/api/media/v1/assets/{}", detail.asset.id);
        let link = |derivative: Derivative| {
            let url = format!("{base}/{}", address_of(derivative.kind));
            DerivativeLink { derivative, url }
        };
        Self {
            derivatives: detail.derivatives.into_iter().map(link).collect(),
            original_url: format!("{base}/original"),
            asset: detail.asset,
            created_by_name: detail.created_by_name,
            created_by_guest: detail.created_by_guest,
            version: detail.version,
        }
    }
}

fn answer(detail: AssetDetail) -> HttpResponse {
    let etag = etag(detail.asset.revision);
    HttpResponse::Ok().insert_header((header::ETAG, etag)).json(AssetView::from(detail))
}

/// An asset with its current version, what was found out about it, and what was made of it.
#[utoipa::path(
    get,
    path = "/api/data/v1/assets/{asset_id}",
    tag = "library",
    params(("asset_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The asset", body = AssetView, headers(("ETag" = String, description = "For If-Match"))),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn get_asset(
    caller: Within<AssetId, Library, Reader>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (principal, id) = (caller.who.principal, caller.id);
    let detail =
        context.database.read(move |connection| assets::find_detail(connection, &principal, id)).await?;
    Ok(answer(detail))
}

/// What can be changed of an asset.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetChange {
    /// Its name.
    #[schema(min_length = 1, max_length = 1000)]
    name: String,
}

impl AssetChange {
    fn checked(self) -> Result<String, Problem> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Problem::invalid("/name", format!("must have 1 to {LONGEST_NAME} characters")));
        }
        if name.chars().any(char::is_control) {
            return Err(Problem::invalid("/name", "must not contain control characters"));
        }
        Ok(name.to_owned())
    }
}

/// Renames an asset.
#[utoipa::path(
    patch,
    path = "/api/data/v1/assets/{asset_id}",
    tag = "library",
    params(("asset_id" = uuid::Uuid, Path), ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = AssetChange,
    responses(
        (status = 200, description = "The asset as it is now", body = AssetView, headers(("ETag" = String, description = "For If-Match"))),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn update_asset(
    Then(caller, Then(IfMatch(expected), Json(change))): Then<
        Within<AssetId, Library, Editor>,
        Then<IfMatch, Json<AssetChange>>,
    >,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let name = change.checked()?;
    let (who, id) = (caller.who, caller.id);
    let detail = context
        .database
        .run(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            assets::rename(connection, &who.principal, &who.origin, id, is_expected, &name)
        })
        .await?;
    Ok(answer(detail))
}

/// Removes an asset with all its versions and what was made of them; cancels its runs.
#[utoipa::path(
    delete,
    path = "/api/data/v1/assets/{asset_id}",
    tag = "library",
    params(("asset_id" = uuid::Uuid, Path), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", description = "A problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn remove_asset(
    Then(caller, IfMatch(expected)): Then<Within<AssetId, Library, Manager>, IfMatch>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (who, id) = (caller.who, caller.id);
    context
        .database
        .run(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            assets::remove(connection, &who.principal, &who.origin, id, is_expected)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
