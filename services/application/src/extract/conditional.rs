//! `ETag` and `If-Match` (RFC 9110): nobody overwrites what they have not seen.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Problem, ProblemKind};

/// The `ETag` of a revision. JSON carries the same number as `revision`.
#[must_use]
pub fn etag(revision: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What `If-Match` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `*`: whatever is there.
    Any,
    /// One of these revisions.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Whether the revision is one that is expected.
    #[must_use]
    pub fn includes(&self, revision: i64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&revision),
        }
    }

    /// # Errors
    /// [`ProblemKind::PreconditionFailed`] unless the revision is expected.
    pub fn require(&self, revision: i64) -> Result<(), Problem> {
        if self.includes(revision) { Ok(()) } else { Err(ProblemKind::PreconditionFailed.into()) }
    }
}

/// A request that must say which revision it changes.
#[derive(Clone, Debug)]
pub struct IfMatch(pub Expected);

/// A request that says it only if there is something to change.
#[derive(Clone, Debug)]
pub struct MaybeIfMatch(pub Option<Expected>);

fn parse(request: &HttpRequest) -> Option<Expected> {
    let text = request.headers().get(header::IF_MATCH)?.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Some(Expected::Any);
    }
    // Weak tags and tags of another form match nothing.
    let revision = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Some(Expected::OneOf(text.split(',').filter_map(revision).collect()))
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let expected = parse(request).ok_or_else(|| ProblemKind::PreconditionRequired.into());
        std::future::ready(expected.map(Self))
    }
}

impl FromRequest for MaybeIfMatch {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(parse(request))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn tags() {
        for (text, expected) in [
            ("*", Expected::Any),
            ("\"3\"", Expected::OneOf(vec![3])),
            ("\"3\", \"4\"", Expected::OneOf(vec![3, 4])),
            ("W/\"3\"", Expected::OneOf(vec![])),
            ("3", Expected::OneOf(vec![])),
        ] {
            let request = TestRequest::default().insert_header((header::IF_MATCH, text)).to_http_request();
            assert_eq!(parse(&request), Some(expected), "{text}");
        }
        assert_eq!(parse(&TestRequest::default().to_http_request()), None);
        assert_eq!(etag(3), "\"3\"");
    }
}
