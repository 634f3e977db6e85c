//! The forms that identity providers' pages post: bounded, and each field once.

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt as _;
use url::form_urlencoded;

use super::refused::{Code, Refused};
use crate::error::{Problem, ProblemKind};

/// Longest form: the largest document that the library takes, Base64, each sign of it escaped at worst.
const LIMIT: usize = 1280 * 1024;

/// The fields that matter.
#[derive(Debug, Default)]
pub struct SamlForm {
    /// `SAMLRequest`.
    pub request: Option<String>,
    /// `SAMLResponse`.
    pub response: Option<String>,
    /// `RelayState`.
    pub relay_state: Option<String>,
}

/// Reads the body of a request.
///
/// # Errors
/// [`ProblemKind::TooLarge`]; [`ProblemKind::UnsupportedMediaType`]; malformed if the body does not come whole.
pub async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(ProblemKind::UnsupportedMediaType.into());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::from(ProblemKind::Malformed).with_cause(error))?;
        if body.len() + chunk.len() > LIMIT {
            return Err(ProblemKind::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.to_vec())
}

/// Reads the fields.
///
/// # Errors
/// [`Code::BadForm`] if one that matters stands there twice, or there is not exactly one message.
pub fn parse(body: &[u8]) -> Result<SamlForm, Refused> {
    let mut form = SamlForm::default();
    for (name, value) in form_urlencoded::parse(body) {
        let place = match name.as_ref() {
            "SAMLRequest" => &mut form.request,
            "SAMLResponse" => &mut form.response,
            "RelayState" => &mut form.relay_state,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(Code::BadForm.into());
        }
    }
    if form.request.is_some() == form.response.is_some() {
        return Err(Code::BadForm.into());
    }
    // Some providers send an empty one for none.
    form.relay_state = form.relay_state.filter(|text| !text.is_empty());
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_message_and_each_field_once() {
        let form = parse(b"SAMLResponse=a%2Bb&RelayState=_1&x=2&x=3").unwrap();
        assert_eq!((form.response.as_deref(), form.relay_state.as_deref()), (Some("a+b"), Some("_1")));
        assert!(parse(b"SAMLResponse=a&RelayState=").unwrap().relay_state.is_none());
        for bad in ["", "RelayState=_1", "SAMLResponse=a&SAMLResponse=b", "SAMLResponse=a&SAMLRequest=b"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
