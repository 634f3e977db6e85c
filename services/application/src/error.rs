//! What goes wrong, as HTTP tells it: RFC 9457 problem documents. The only place that knows status
//! codes. Causes are logged with the request's id and never sent.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use kinora_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The kinds of problems. Their slugs are part of the API and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request is not what HTTP or JSON say it must be.
    Malformed,
    /// A value in the request is not allowed.
    Invalid,
    /// No session and no token, or one that no longer holds.
    SignInRequired,
    /// Login and password do not belong together.
    SignInFailed,
    /// Too many wrong passwords for this login.
    Locked,
    /// The person sees the thing but may not do this to it.
    Forbidden,
    /// A new password must be chosen first.
    PasswordChangeRequired,
    /// This can only be done in a browser session, not with an access token.
    SessionRequired,
    /// An organisation asks for a second factor, and the person has none.
    SecondFactorRequired,
    /// An organisation asks for a sign-in through its identity provider, and the session began otherwise.
    SingleSignOnRequired,
    /// Support access counts only in a session that began with the person's own password or passkey.
    OwnSignInRequired,
    /// The session was not confirmed within the last minutes.
    StepUpRequired,
    /// The request did not come from Kinora's own pages.
    CrossSite,
    /// It does not exist, or the person must not learn that it does.
    NotFound,
    /// There is something at this address, but not for this method.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict,
    /// Somebody else has it at this moment.
    Busy,
    /// It was there and is not any more.
    Gone,
    /// The `If-Match` header is missing.
    PreconditionRequired,
    /// Somebody else was faster: the `ETag` is another one now.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The body has another type than is understood here.
    UnsupportedMediaType,
    /// The range lies outside the thing.
    RangeNotSatisfiable,
    /// The checksum of the body is not the one that was announced (tus).
    ChecksumMismatch,
    /// This idempotency key was used for another request.
    IdempotencyKeyReused,
    /// Too many requests.
    RateLimited,
    /// More is going on than can be served now.
    Overloaded,
    /// A service that is needed cannot be reached.
    Unavailable,
    /// There is no space left.
    StorageFull,
    /// A defect in Kinora.
    Internal,
}

impl ProblemKind {
    /// Status code, slug and title.
    fn describe(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Malformed => (400, "malformed", "The request is malformed"),
            Self::Invalid => (422, "invalid", "A value is not allowed"),
            Self::SignInRequired => (401, "sign-in-required", "Sign in first"),
            Self::SignInFailed => (401, "sign-in-failed", "Sign-in failed"),
            Self::Locked => (429, "locked", "Too many wrong passwords"),
            Self::Forbidden => (403, "forbidden", "Not allowed"),
            Self::PasswordChangeRequired => (403, "password-change-required", "Choose a new password first"),
            Self::SessionRequired => (403, "session-required", "Not with an access token"),
            Self::SecondFactorRequired => (403, "second-factor-required", "A second factor is needed"),
            Self::SingleSignOnRequired => (403, "single-sign-on-required", "Sign in with the studio account"),
            Self::OwnSignInRequired => {
                (403, "own-sign-in-required", "Sign in with your own password or passkey")
            }
            Self::StepUpRequired => (403, "step-up-required", "Confirm that it is you"),
            Self::CrossSite => (403, "cross-site", "The request came from another site"),
            Self::NotFound => (404, "not-found", "Not found"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Not possible here"),
            Self::Conflict => (409, "conflict", "Contradicts what is there"),
            Self::Busy => (423, "busy", "In use"),
            Self::Gone => (410, "gone", "No longer there"),
            Self::PreconditionRequired => (428, "precondition-required", "If-Match is missing"),
            Self::PreconditionFailed => (412, "precondition-failed", "Changed meanwhile"),
            Self::TooLarge => (413, "too-large", "Too large"),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "Type not understood"),
            Self::RangeNotSatisfiable => (416, "range-not-satisfiable", "Range outside the content"),
            Self::ChecksumMismatch => (460, "checksum-mismatch", "Checksum mismatch"),
            Self::IdempotencyKeyReused => (422, "idempotency-key-reused", "Idempotency key reused"),
            Self::RateLimited => (429, "rate-limited", "Too many requests"),
            Self::Overloaded => (503, "overloaded", "Busy, try again shortly"),
            Self::Unavailable => (503, "unavailable", "Temporarily unavailable"),
            Self::StorageFull => (507, "storage-full", "No space left"),
            Self::Internal => (500, "internal", "Something went wrong inside Kinora"),
        }
    }

    /// The status code it is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.describe().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn default_detail(self) -> &'static str {
        match self {
            Self::Malformed => "The request could not be understood.",
            Self::Invalid => "A value in the request is not allowed.",
            Self::SignInRequired => "You are not signed in, or your session has ended.",
            Self::SignInFailed => "Login and password do not belong together.",
            Self::Locked => "There were too many wrong passwords for this login. Try again in a few minutes.",
            Self::Forbidden => "Your role does not allow this.",
            Self::PasswordChangeRequired => "Choose a new password before you go on.",
            Self::SessionRequired => "Sign in with your password to do this; an access token is not enough.",
            Self::SecondFactorRequired => {
                "The organisation asks for a second factor. Add one to your account to go on."
            }
            Self::SingleSignOnRequired => {
                "The organisation asks for its own studio account. Sign out and sign in again with that."
            }
            Self::OwnSignInRequired => {
                "This counts only when you signed in with your own password and second factor, or a passkey, and not through \
                 the identity provider of another organisation."
            }
            Self::StepUpRequired => {
                "This needs a fresh confirmation that it is you: your second factor, or your password if you have none."
            }
            Self::CrossSite => "The request was refused because it does not come from Kinora's own pages.",
            Self::NotFound => "There is nothing at this address, or you may not see it.",
            Self::MethodNotAllowed => "This address does not understand this method.",
            Self::Conflict => "This contradicts what is there.",
            Self::Busy => "Somebody else is writing to it at this moment.",
            Self::Gone => "It is no longer there.",
            Self::PreconditionRequired => "Send the ETag you have read as If-Match.",
            Self::PreconditionFailed => "Somebody else has changed it meanwhile. Load it again.",
            Self::TooLarge => "The request is larger than is accepted here.",
            Self::UnsupportedMediaType => "The type of the request's body is not understood here.",
            Self::RangeNotSatisfiable => "The range lies outside the content.",
            Self::ChecksumMismatch => "The bytes that arrived are not those that were sent.",
            Self::IdempotencyKeyReused => "This idempotency key was used for another request.",
            Self::RateLimited => "Too many requests in a short time. Wait a moment.",
            Self::Overloaded => "More is going on than can be served now. Try again shortly.",
            Self::Unavailable => "A service that is needed cannot be reached. Try again shortly.",
            Self::StorageFull => "The storage is full. Nothing that was received is lost.",
            Self::Internal => "The details are in the log, under the request id.",
        }
    }

    /// The kind that stands for a status that the HTTP library answered by itself.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::SignInRequired,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMediaType,
            416 => Self::RangeNotSatisfiable,
            429 => Self::RateLimited,
            503 => Self::Unavailable,
            400..=499 => Self::Malformed,
            _ => Self::Internal,
        }
    }
}

/// What is wrong with one value of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body; empty for the body as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of the query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong, for the person.
    pub detail: String,
}

/// The document that is sent, `application/problem+json` (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument<'a> {
    /// `urn:kinora:problem:` and a stable slug.
    #[serde(rename = "type")]
    #[schema(example = "urn:kinora:problem:not-found")]
    pub kind: String,
    /// The same for all problems of the type.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// A sentence for the person.
    pub detail: &'a str,
    /// Id of the request, also in the log.
    pub request_id: &'a str,
    /// What is wrong with which value.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldError],
}

/// A problem on its way to the client.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemKind,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u64>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    cause: Option<String>,
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            retry_after_seconds: None,
            headers: Vec::new(),
            cause: None,
        }
    }
}

impl Problem {
    /// What does not exist, or must look as if.
    #[must_use]
    pub fn not_found() -> Self {
        ProblemKind::NotFound.into()
    }

    /// A problem whose sentence says more than the standard one.
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..kind.into() }
    }

    /// A value in the body that is not allowed; `pointer` is a JSON pointer such as "/name".
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { pointer: Some(pointer.into()), parameter: None, detail: detail.into() };
        Self { errors: vec![error], ..ProblemKind::Invalid.into() }
    }

    /// A query parameter or header that is not allowed.
    pub fn invalid_parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { pointer: None, parameter: Some(name.into()), detail: detail.into() };
        Self { errors: vec![error], ..ProblemKind::Invalid.into() }
    }

    /// A defect; `cause` goes to the log only.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..ProblemKind::Internal.into() }
    }

    /// A service that cannot be reached; `cause` goes to the log only.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            retry_after_seconds: Some(2),
            ..ProblemKind::Unavailable.into()
        }
    }

    /// Adds what only the log gets to see.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds what is wrong with single values.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// When it is worth trying again.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// What only the log gets to see.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The document for the client.
    pub(crate) fn document(&self, request_id: &str) -> String {
        let (status, slug, title) = self.kind.describe();
        let document = ProblemDocument {
            kind: format!("urn:kinora:problem:{slug}"),
            title,
            status,
            detail: self.detail.as_deref().unwrap_or_else(|| self.kind.default_detail()),
            request_id,
            errors: &self.errors,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or_else(|| self.kind.default_detail()))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    // The body is written by the outermost middleware, which knows the request's id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.kind.status());
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self.kind, ProblemKind::SignInRequired) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kinora\""));
        }
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::Forbidden => ProblemKind::Forbidden.into(),
            StoreError::RevisionMismatch { .. } => ProblemKind::PreconditionFailed.into(),
            StoreError::Conflict(sentence) => Self::new(ProblemKind::Conflict, sentence),
            StoreError::Unavailable(cause) => Self::unavailable(cause),
            error => match error.violated_unique_constraint() {
                Some(constraint) => Self::from(ProblemKind::Conflict).with_cause(constraint),
                None => Self::internal(error),
            },
        }
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(error: diesel::result::Error) -> Self {
        StoreError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_never_sent() {
        let problem = Problem::internal("relation \"people\" does not exist");
        assert_eq!(problem.status_code(), 500);
        assert!(!problem.document("r1").contains("people"));
        assert!(problem.document("r1").contains("\"request_id\":\"r1\""));
    }

    #[test]
    fn what_must_not_be_seen_looks_like_what_is_not_there() {
        let unseen: Problem = StoreError::NotFound.into();
        assert_eq!(unseen.document("r"), Problem::not_found().document("r"));
    }

    #[test]
    fn input_errors_name_the_field() {
        let document = Problem::invalid("/name", "must not be empty").document("r");
        assert!(
            document.contains(r#""errors":[{"pointer":"/name","detail":"must not be empty"}]"#),
            "{document}"
        );
    }
}
