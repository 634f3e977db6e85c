//! What goes wrong, as SCIM tells it (RFC 7644, section 3.12).

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use kinora_store::StoreError;
use kinora_store::provisioning::ProvisioningError;
use serde_json::json;

use super::answer::CONTENT_TYPE;
use crate::error::{Problem, ProblemKind};

/// The schema of errors.
const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An error on its way to a provider.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    scim_type: Option<&'static str>,
    detail: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
    cause: Option<String>,
}

impl Refusal {
    fn new(
        status: StatusCode,
        scim_type: Option<&'static str>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, scim_type, detail: detail.into(), retry_after_seconds: None, cause: None }
    }

    /// 400 with a keyword of RFC 7644, table 9.
    pub(super) fn bad(scim_type: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some(scim_type), detail)
    }

    /// A value that is not allowed.
    pub(super) fn value(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::bad("invalidValue", detail)
    }

    /// A body that is not what it must be.
    pub(super) fn syntax(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::bad("invalidSyntax", detail)
    }

    /// No token, or none that holds.
    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            None,
            "Send a token for provisioning as 'Authorization: Bearer …'. It may have ended or been revoked.",
        )
    }

    /// What does not exist, or must look as if.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, None, "There is no such resource.")
    }

    /// There is something, but not for this method.
    pub(super) fn not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, None, "This address does not understand this method.")
    }

    /// What the protocol knows and Kinora does not do.
    pub(super) fn not_implemented() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, None, "This is not offered; see ServiceProviderConfig.")
    }

    /// Too large.
    pub(super) fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, None, detail)
    }

    /// The keyword of RFC 7644, table 9.
    #[must_use]
    pub fn scim_type(&self) -> Option<&'static str> {
        self.scim_type
    }

    /// What only the log gets to see.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        if problem.kind() == ProblemKind::NotFound {
            return Self::not_found();
        }
        let scim_type = match problem.kind() {
            ProblemKind::Malformed => Some("invalidSyntax"),
            ProblemKind::Conflict => Some("uniqueness"),
            _ => None,
        };
        Self {
            retry_after_seconds: problem.retry_after_seconds(),
            cause: problem.cause().map(str::to_owned),
            ..Self::new(problem.kind().status(), scim_type, problem.to_string())
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            error => Problem::from(error).into(),
        }
    }
}

impl From<ProvisioningError> for Refusal {
    fn from(error: ProvisioningError) -> Self {
        match error {
            ProvisioningError::Uniqueness(detail) => {
                Self::new(StatusCode::CONFLICT, Some("uniqueness"), detail)
            }
            ProvisioningError::Refused(detail) => Self::bad("mutability", detail),
            ProvisioningError::NoMember(detail) => Self::value(detail),
            ProvisioningError::Store(error) => error.into(),
        }
    }
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut body = json!({
            "schemas": [SCHEMA],
            "status": self.status.as_u16().to_string(),
            "detail": self.detail,
        });
        if let (Some(scim_type), Some(map)) = (self.scim_type, body.as_object_mut()) {
            let _ = map.insert("scimType".to_owned(), json!(scim_type));
        }
        let mut response = HttpResponse::build(self.status).content_type(CONTENT_TYPE).body(body.to_string());
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kinora\""));
        }
        response
    }
}
