//! What handlers ask for in their signature: permission, body, query, preconditions.
//!
//! A handler has no data without an extractor of [`permission`]; its type says who may call it.

pub mod body;
pub mod conditional;
pub mod cursor;
pub mod idempotency;
pub mod permission;
pub mod query;
pub mod scoped;
pub mod support;

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::Problem;

pub use body::Json;
pub use conditional::{IfMatch, etag};
pub use cursor::{Cursor, Page};
pub use idempotency::Creation;
pub use permission::{
    AsOfNow, Authenticated, Confirmed, InOrganisation, InProduction, OfProduction, OwnAccount, SignedIn,
};
pub use query::Query;
pub use scoped::Within;

/// The future of an extractor.
pub(crate) type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// Two extractors, one strictly after the other: `Then(access, body)`. Nothing of the request's body
/// is looked at for somebody who may not be here at all.
#[derive(Debug)]
pub struct Then<A, B>(pub A, pub B);

impl<A, B> FromRequest for Then<A, B>
where
    A: FromRequest + 'static,
    B: FromRequest + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let first = A::from_request(&request, &mut Payload::None).await.map_err(Into::into)?;
            let second = B::from_request(&request, &mut payload).await.map_err(Into::into)?;
            Ok(Self(first, second))
        })
    }
}

/// The body of a change, and the revision that it is meant for.
pub type Change<T> = Then<IfMatch, Json<T>>;

/// The id in the path under this name. Something that is no id cannot exist.
///
/// # Errors
/// [`Problem::not_found`].
pub fn path_id<T: From<uuid::Uuid>>(request: &HttpRequest, name: &str) -> Result<T, Problem> {
    let text = request.match_info().get(name).unwrap_or_default();
    // Only the form that answers use; others would make one thing answer at many addresses.
    let id = (text.len() == 36).then(|| uuid::Uuid::try_parse(text).ok()).flatten();
    id.map(T::from).ok_or_else(Problem::not_found)
}

/// An id from the path, found by the name of its type; see [`Named`].
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

/// An id with the name that it has in paths.
pub trait Named: From<uuid::Uuid> {
    /// The name, such as "asset_id".
    const NAME: &'static str;
}

macro_rules! named {
    ($($id:ident => $name:literal),+ $(,)?) => {$(
        impl Named for kinora_core::$id {
            const NAME: &'static str = $name;
        }
    )+};
}

named!(
    OrganisationId => "organisation_id",
    PersonId => "person_id",
    ProductionId => "production_id",
    AssetId => "asset_id",
    UploadId => "upload_id",
    PasskeyId => "passkey_id",
    RunId => "run_id",
    StepId => "step_id",
    SessionId => "session_id",
    TokenId => "token_id",
    InvitationId => "invitation_id",
    MessageId => "message_id",
    ConnectionId => "connection_id",
    AttemptId => "attempt_id",
    DomainId => "domain_id",
    ErasureId => "erasure_id",
    GroupRuleId => "rule_id",
    SupportGrantId => "grant_id",
);

impl<T: Named> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(path_id(request, T::NAME).map(Self))
    }
}
