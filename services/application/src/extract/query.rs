//! Query parameters: strict, and with the name of what is wrong.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::error::Problem;

/// The query parameters as a `T`, which should refuse unknown fields.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    if let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).find(|(_, value)| value.contains('\0'))
    {
        return Err(Problem::invalid_parameter(name, "must not contain the character U+0000"));
    }
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let name = error.path().to_string();
        let name = if name == "." { String::new() } else { name };
        Problem::invalid_parameter(name, error.inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        #[serde(rename = "limit")]
        _limit: Option<u16>,
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(parse::<Parameters>("limit=7").is_ok());
        assert!(parse::<Parameters>("").is_ok());
        for (query, name) in [("limit=x", "limit"), ("limit=-1", "limit"), ("limt=1", "limt")] {
            let document = parse::<Parameters>(query).unwrap_err().document("r");
            assert!(document.contains(&format!("\"parameter\":\"{name}\"")), "{document}");
        }
    }
}
