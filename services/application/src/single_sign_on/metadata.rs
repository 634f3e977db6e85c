//! Metadata: ours, which providers load, and theirs, which is checked before it is kept.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::{ConnectionId, OrganisationId};
use kinora_saml::verifier::{Kind, Verifier};
use kinora_saml::{Certificate, IdentityProvider, Refusal, RefusalCode};
use kinora_store::Origin;
use kinora_store::single_sign_on::connections::{self, Metadata, Refreshed, SamlConnection};
use kinora_store::single_sign_on::keys as key_rows;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Setting;
use super::fetch::{self, FetchError};
use super::provider::{read_stored, service};
use super::views::{self, SignOnConnection};
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::permission::Owner;
use crate::extract::{Change, Confirmed, IfMatch, InOrganisation, Json, PathId, Then, path_id};

/// Metadata of a provider that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What is kept: what its signature covers, if one was asked for.
    pub text: String,
    /// The provider that it describes.
    pub provider: IdentityProvider,
}

/// Checks a provider's metadata. Blocks the calling thread if they are signed.
///
/// # Errors
/// The refusal.
pub fn check(
    document: &[u8],
    signer: Option<&Certificate>,
    verifier: &dyn Verifier,
    now: DateTime<Utc>,
) -> Result<Checked, Refusal> {
    let trusted: Vec<Certificate> = signer.into_iter().cloned().collect();
    let provider = IdentityProvider::from_metadata(document, &trusted, verifier, now)?;
    let text = std::str::from_utf8(document).map_err(|_| RefusalCode::NotUtf8)?;
    if trusted.is_empty() {
        provider.check_integrity(document, verifier)?;
        return Ok(Checked { text: text.to_owned(), provider });
    }
    // Only what was signed is kept, so that nothing else can ever be read of it.
    let covered = verifier.verify(Kind::Metadata, text, &trusted)?;
    if read_stored(&covered, now)? != provider {
        return Err(RefusalCode::Disagreement.into());
    }
    Ok(Checked { text: covered, provider })
}

/// The same on a thread that may block.
async fn check_elsewhere(
    context: &Context,
    document: Vec<u8>,
    signer: Option<Certificate>,
) -> Result<Result<Checked, Refusal>, Problem> {
    let verifier = context.verifier.clone();
    web::block(move || check(&document, signer.as_ref(), verifier.as_ref(), Utc::now()))
        .await
        .map_err(Problem::internal)
}

/// Our metadata, for the identity provider of a connection; also of one that is not switched on, because the provider
/// is set up first.
///
/// # Errors
/// Not found.
pub async fn read_our_metadata(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let id: ConnectionId = path_id(&request, "connection_id")?;
    let rows = context
        .database
        .read(move |connection| {
            let known = connections::find(connection, id)?.is_some();
            Ok::<_, kinora_store::StoreError>(if known { Some(key_rows::of(connection, id)?) } else { None })
        })
        .await?;
    let rows = rows.ok_or_else(Problem::not_found)?;
    let ours = service(&context.settings.public_url, &context.master_keys, id, &rows)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/samlmetadata+xml; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"kinora-metadata.xml\""))
        .body(ours.metadata()))
}

/// Metadata of an identity provider: its text, or where it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataForm {
    /// The document itself.
    #[serde(default)]
    #[schema(max_length = 1_048_576)]
    xml: Option<String>,
    /// The https address from which it is fetched, now and every day.
    #[serde(default)]
    #[schema(max_length = 2000)]
    url: Option<String>,
    /// The certificate (PEM) that it must be signed with, now and whenever it is fetched again; left out: a
    /// signature is not asked for.
    #[serde(default)]
    #[schema(max_length = 20_000)]
    signer: Option<String>,
}

fn fetched(result: Result<Vec<u8>, FetchError>) -> Result<Vec<u8>, Problem> {
    result.map_err(|error| Problem::invalid("/url", error.to_string()))
}

/// Give a connection its identity provider's metadata.
///
/// It is checked first, and its signature too if a signer is given; what is refused replaces nothing. With the metadata of
/// another provider (another entity ID) the people who signed in before are unknown, until they are linked anew.
#[utoipa::path(put, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata", tag = "single sign-on", request_body = MetadataForm,
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path), ("If-Match" = String, Header)), responses(
    (status = 200, description = "Taken", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn set_provider_metadata(
    context: web::Data<Context>,
    Then(access, Then(PathId(id), Then(Confirmed(who), Then(IfMatch(expected), Json(form))))): Setting<
        Change<MetadataForm>,
    >,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let stored =
        context.database.read(move |connection| connections::find_in(connection, organisation, id)).await?;
    expected.require(stored.revision)?;
    let signer = form.signer.as_deref().filter(|text| !text.trim().is_empty());
    let signer = signer
        .map(Certificate::from_text)
        .transpose()
        .map_err(|refusal| Problem::invalid("/signer", refusal.to_string()))?;
    let (document, url, pointer) = match (form.xml, form.url) {
        (Some(xml), None) => (xml.into_bytes(), None, "/xml"),
        (None, Some(url)) => {
            let url = fetch::address(&url).map_err(|wrong| Problem::invalid("/url", wrong))?;
            let document = fetch::fetch(&context.settings.saml, &context.settings.public_url, &url).await;
            (fetched(document)?, Some(url.to_string()), "/url")
        }
        _ => return Err(Problem::invalid("", "must have either xml or url")),
    };
    let der = signer.as_ref().map(|certificate| certificate.der().to_vec());
    let checked = check_elsewhere(&context, document, signer)
        .await?
        .map_err(|refusal| Problem::invalid(pointer, refusal.to_string()))?;
    let metadata =
        Metadata { text: checked.text, entity_id: checked.provider.entity_id().to_owned(), url, signer: der };
    context
        .database
        .transaction(move |connection| {
            let is_expected = |revision| expected.includes(revision);
            connections::set_metadata(connection, &who.origin, (organisation, id), is_expected, &metadata)
        })
        .await?;
    views::answer(&context, organisation, id).await
}

/// Fetch a connection's metadata again now.
///
/// Kinora does it every day by itself. What cannot be fetched, or is worse than what is there, replaces nothing; the
/// reason stands in `fetch_error` of the answer.
#[utoipa::path(post, path = "/api/data/v1/organisations/{organisation_id}/sign-on/connections/{connection_id}/metadata/refresh", tag = "single sign-on",
    params(("organisation_id" = OrganisationId, Path), ("connection_id" = ConnectionId, Path)), responses(
    (status = 200, description = "Tried", body = SignOnConnection, headers(("ETag" = String))),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn refresh_provider_metadata(
    context: web::Data<Context>,
    Then(access, PathId(id)): Then<InOrganisation<Owner>, PathId<ConnectionId>>,
) -> Result<HttpResponse, Problem> {
    let organisation = access.organisation_id;
    let stored =
        context.database.read(move |connection| connections::find_in(connection, organisation, id)).await?;
    if stored.metadata_url.is_none() {
        return Err(Problem::new(
            crate::error::ProblemKind::Conflict,
            "This metadata was given as text. Give it anew, or give the address that it is to be fetched from.",
        ));
    }
    refresh(&context, access.who.origin, stored).await?;
    views::answer(&context, organisation, id).await
}

/// Fetches the metadata of a connection again, and keeps what came of it.
///
/// # Errors
/// If the database fails. That it could not be fetched is none: it is kept too.
pub(super) async fn refresh(
    context: &Context,
    origin: Origin,
    read: SamlConnection,
) -> Result<Refreshed, Problem> {
    let refreshed = judge(context, &read).await?;
    let (outcome, kept) = (refreshed.clone(), read);
    context
        .database
        .transaction(move |connection| {
            connections::finish_refresh(connection, &origin, &kept, &outcome, Utc::now())
        })
        .await?;
    Ok(refreshed)
}

async fn judge(context: &Context, read: &SamlConnection) -> Result<Refreshed, Problem> {
    let url = read.metadata_url.as_deref().unwrap_or_default();
    let Ok(url) = fetch::address(url) else {
        return Ok(Refreshed::Refused(
            "The stored address is not one that metadata is fetched from.".to_owned(),
        ));
    };
    let fetched = fetch::fetch(&context.settings.saml, &context.settings.public_url, &url).await;
    let document = match fetched {
        Ok(document) => document,
        Err(error) => return Ok(Refreshed::Refused(error.to_string())),
    };
    let signer = read.metadata_signer.as_deref().map(Certificate::from_der).transpose();
    let signer = signer.map_err(Problem::internal)?;
    let checked = match check_elsewhere(context, document, signer).await? {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Refreshed::Refused(refusal.to_string())),
    };
    if read.metadata.as_ref() == Some(&checked.text) {
        return Ok(Refreshed::Same);
    }
    Ok(match worse(read, &checked.provider, Utc::now()) {
        Some(why) => Refreshed::Refused(why.to_owned()),
        None => Refreshed::Newer(checked.text),
    })
}

/// Why metadata that is valid by itself is not to take the place of what is there.
fn worse(read: &SamlConnection, new: &IdentityProvider, now: DateTime<Utc>) -> Option<&'static str> {
    if read.entity_id.as_deref() != Some(new.entity_id()) {
        return Some(
            "The metadata at this address now describes another identity provider. If that is meant to be, give the \
             address again.",
        );
    }
    let is_served = match read.request_binding.as_deref() {
        Some("redirect") => new.sign_on().redirect.is_some(),
        Some("post") => new.sign_on().post.is_some(),
        _ => true,
    };
    if !is_served {
        return Some(
            "The metadata no longer has a sign-in address for the binding that this connection is set to.",
        );
    }
    let old = read.metadata.as_deref().and_then(|text| read_stored(text, now).ok())?;
    if new.certificates_end() <= Some(now) && old.certificates_end() > Some(now) {
        return Some("All certificates in the metadata have ended, while those that Kinora has still hold.");
    }
    if new.valid_until().is_some_and(|end| old.valid_until().is_some_and(|known| end < known)) {
        return Some("The metadata is older than what Kinora has: it ends earlier (validUntil).");
    }
    None
}
