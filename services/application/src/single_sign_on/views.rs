//! How connections look in the API.

use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use kinora_core::{ConnectionId, OrganisationId};
use kinora_saml::{Certificate, IdentityProvider};
use kinora_store::single_sign_on::connections::{self, SamlConnection, Test};
use kinora_store::single_sign_on::keys::{self, SIGNING, SamlKeyRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ends::{self, EndWarning};
use super::provider::{Addresses, read_stored};
use crate::context::Context;
use crate::error::Problem;
use crate::extract::etag;

/// A certificate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateView {
    /// Its subject, in words.
    subject: String,
    /// SHA-256 of it, hexadecimal.
    fingerprint: String,
    /// When it ends.
    not_after: DateTime<Utc>,
}

impl From<&Certificate> for CertificateView {
    fn from(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject.clone(),
            fingerprint: certificate.fingerprint(),
            not_after: certificate.not_after,
        }
    }
}

/// What a certificate of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnCertificateRole {
    /// Requests are signed with it.
    Signing,
    /// It is to follow: the provider should load our metadata before it is switched to.
    Next,
    /// It went before.
    Former,
}

/// A certificate of ours.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCertificate {
    /// What it is for.
    role: OwnCertificateRole,
    /// Its subject, in words.
    subject: String,
    /// SHA-256 of it, hexadecimal.
    fingerprint: String,
    /// When it ends.
    not_after: DateTime<Utc>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

fn own_certificates(rows: &[SamlKeyRow]) -> Vec<OwnCertificate> {
    let signing_since = rows.iter().find(|row| row.role == SIGNING).map(|row| row.created_at);
    let role = |row: &SamlKeyRow| match signing_since {
        _ if row.role == SIGNING => OwnCertificateRole::Signing,
        Some(since) if row.created_at < since => OwnCertificateRole::Former,
        _ => OwnCertificateRole::Next,
    };
    rows.iter()
        .filter_map(|row| {
            let certificate = Certificate::from_der(&row.certificate).ok()?;
            Some(OwnCertificate {
                role: role(row),
                subject: certificate.subject.clone(),
                fingerprint: certificate.fingerprint(),
                not_after: row.not_after,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// What the provider is to know of Kinora.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnAddresses {
    /// Kinora's name (entity ID, audience), where its metadata is too.
    entity_id: String,
    /// Where responses go (assertion consumer service, reply address).
    acs_url: String,
    /// Where logout messages go.
    logout_url: String,
}

/// An identity provider, as its metadata describes it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// Its name.
    entity_id: String,
    /// Where people sign in, by the Redirect binding.
    sign_on_redirect: Option<String>,
    /// Where people sign in, by the POST binding.
    sign_on_post: Option<String>,
    /// Whether it has single logout.
    has_logout: bool,
    /// When its metadata ends, if it says so.
    valid_until: Option<DateTime<Utc>>,
    /// What its signatures are verified with.
    certificates: Vec<CertificateView>,
}

impl From<&IdentityProvider> for ProviderView {
    fn from(provider: &IdentityProvider) -> Self {
        Self {
            entity_id: provider.entity_id().to_owned(),
            sign_on_redirect: provider.sign_on().redirect.clone(),
            sign_on_post: provider.sign_on().post.clone(),
            has_logout: provider.logout().preferred().is_some(),
            valid_until: provider.valid_until(),
            certificates: provider.certificates().iter().map(Into::into).collect(),
        }
    }
}

/// The last test of a connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LastTest {
    /// The attempt.
    attempt_id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// The code of the refusal; none: it went well.
    refusal: Option<String>,
    /// Whether it was made with the metadata that the connection has now.
    is_current: bool,
}

impl From<Test> for LastTest {
    fn from(test: Test) -> Self {
        Self { attempt_id: test.id, at: test.at, refusal: test.refusal, is_current: test.is_current }
    }
}

/// A connection to an identity provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignOnConnection {
    /// Its id.
    id: ConnectionId,
    /// How its owners call it.
    name: String,
    /// Whether people sign in through it. One that is not enabled can be tested.
    enabled: bool,
    /// What to give the provider.
    ours: OwnAddresses,
    /// The provider; none as long as there is no metadata that can be used.
    provider: Option<ProviderView>,
    /// Why the metadata that is there cannot be used (any more).
    provider_problem: Option<String>,
    /// Where the metadata is fetched from every day; none: it was given as text.
    metadata_url: Option<String>,
    /// What the metadata must be signed with; none: a signature is not asked for.
    metadata_signer: Option<CertificateView>,
    /// When it was last fetched.
    fetched_at: Option<DateTime<Utc>>,
    /// When that was last tried.
    fetch_tried_at: Option<DateTime<Utc>>,
    /// Why it could not be fetched, or was not taken, the last time. What was there goes on working.
    fetch_error: Option<String>,
    /// By how much the provider's clock may differ, seconds.
    clock_skew_seconds: i32,
    /// Whether sign-ins may begin at the provider.
    allow_unsolicited: bool,
    /// Whether the provider is to ask for credentials every time (`ForceAuthn`).
    force_sign_in: bool,
    /// Ways of signing in that are asked for (`AuthnContextClassRef`); none: any.
    contexts: Vec<String>,
    /// The format of `NameID` that is asked for.
    name_id_format: Option<String>,
    /// How requests are sent, "redirect" or "post"; none: as the provider likes best.
    request_binding: Option<String>,
    /// Whether signing out ends the session at the other side too.
    single_logout: bool,
    /// The attribute that is the stable identity; none: the `NameID` is.
    subject_attribute: Option<String>,
    /// The attribute with the e-mail address; none: the usual names are tried.
    email_attribute: Option<String>,
    /// The attribute with the person's name; none: the usual names are tried.
    name_attribute: Option<String>,
    /// The attribute with the groups; none: the usual names are tried.
    groups_attribute: Option<String>,
    /// Whether people in none of the groups become members as well.
    admits_everyone: bool,
    /// Kinora's certificates towards the provider, the signing one first.
    certificates: Vec<OwnCertificate>,
    /// What ends within 30 days, or has ended.
    warnings: Vec<EndWarning>,
    /// The last test.
    last_test: Option<LastTest>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Counts its changes; in quotes it is the `ETag`.
    revision: i64,
}

impl SignOnConnection {
    /// The connection with what is read of the database for it.
    pub(super) fn new(context: &Context, stored: Stored) -> Self {
        let Stored { row, keys, test } = stored;
        let now = Utc::now();
        let id = ConnectionId(row.id);
        let addresses = Addresses::of(&context.settings.public_url, id);
        let read = row.metadata.as_deref().map(|text| read_stored(text, now));
        let (provider, problem) = match read {
            None => (None, None),
            Some(Ok(provider)) => (Some(provider), None),
            Some(Err(refusal)) => (None, Some(refusal.to_string())),
        };
        let signer = row.metadata_signer.as_deref().and_then(|der| Certificate::from_der(der).ok());
        Self {
            id,
            name: row.name.clone(),
            enabled: row.enabled,
            ours: OwnAddresses {
                entity_id: addresses.metadata,
                acs_url: addresses.acs,
                logout_url: addresses.logout,
            },
            warnings: ends::warnings(&row, provider.as_ref(), &keys, now),
            provider: provider.as_ref().map(Into::into),
            provider_problem: problem,
            metadata_url: row.metadata_url,
            metadata_signer: signer.as_ref().map(Into::into),
            fetched_at: row.fetched_at,
            fetch_tried_at: row.fetch_tried_at,
            fetch_error: row.fetch_error,
            clock_skew_seconds: row.clock_skew_seconds,
            allow_unsolicited: row.allow_unsolicited,
            force_sign_in: row.force_sign_in,
            contexts: row.contexts,
            name_id_format: row.name_id_format,
            request_binding: row.request_binding,
            single_logout: row.single_logout,
            subject_attribute: row.subject_attribute,
            email_attribute: row.email_attribute,
            name_attribute: row.name_attribute,
            groups_attribute: row.groups_attribute,
            admits_everyone: row.admits_everyone,
            certificates: own_certificates(&keys),
            last_test: test.map(Into::into),
            created_at: row.created_at,
            updated_at: row.updated_at,
            revision: row.revision,
        }
    }
}

/// What is read of the database for a connection.
pub(super) struct Stored {
    row: SamlConnection,
    keys: Vec<SamlKeyRow>,
    test: Option<Test>,
}

impl Stored {
    pub(super) fn of(connection: &mut PgConnection, row: SamlConnection) -> kinora_store::Result<Self> {
        let id = ConnectionId(row.id);
        let (keys, test) = (keys::of(connection, id)?, connections::last_test(connection, &row)?);
        Ok(Self { row, keys, test })
    }
}

/// A connection of an organisation.
pub(super) async fn find(
    context: &Context,
    organisation: OrganisationId,
    id: ConnectionId,
) -> Result<SignOnConnection, Problem> {
    let stored = context
        .database
        .read(move |connection| {
            let row = connections::find_in(connection, organisation, id)?;
            Stored::of(connection, row)
        })
        .await?;
    Ok(SignOnConnection::new(context, stored))
}

/// The same as an answer.
pub(super) async fn answer(
    context: &Context,
    organisation: OrganisationId,
    id: ConnectionId,
) -> Result<HttpResponse, Problem> {
    let found = find(context, organisation, id).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(found.revision))).json(found))
}
