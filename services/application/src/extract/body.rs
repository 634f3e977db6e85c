//! JSON bodies: bounded, strict, and with the place of what is wrong.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::Extraction;
use crate::context::Context;
use crate::error::{Problem, ProblemKind};

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { parse(&read(&request, payload).await?).map(Self) })
    }
}

/// The whole body of a request that must be JSON.
pub(super) async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let limit = usize::try_from(Context::of(request)?.settings.body_limit.get()).unwrap_or(usize::MAX);
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, "Send the body as application/json."));
    }
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length > limit) {
        return Err(ProblemKind::TooLarge.into());
    }
    let mut payload = Pin::from(Box::new(payload));
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::from(ProblemKind::Malformed).with_cause(error))?;
        if body.len() + chunk.len() > limit {
            return Err(ProblemKind::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Reads a `T`, refusing what is no JSON, what has the wrong shape, and zero characters, which
/// PostgreSQL cannot store.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.windows(6).any(|part| part == b"\\u0000") {
        let value: Value = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        if let Some(pointer) = find_zero(&value) {
            return Err(Problem::invalid(pointer, "must not contain the character U+0000"));
        }
    }
    // serde reads structs from arrays as well, by position: nobody should come to rely on that.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{') {
        let _: IgnoredAny = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        return Err(Problem::invalid("", "must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            let sentence = sentence(&error.inner().to_string());
            Problem::invalid(pointer_of(error.path()) + &absent_field(&sentence), sentence)
        } else {
            malformed(error.inner())
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("not JSON: {}", sentence(&error.to_string()));
    let error = crate::error::FieldError { pointer: Some(String::new()), parameter: None, detail };
    Problem::from(ProblemKind::Malformed).with_errors(vec![error])
}

/// serde's message without the position in the text, which the pointer says better.
fn sentence(message: &str) -> String {
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

/// What serde says about the object as a whole although it is about one field of it.
fn absent_field(sentence: &str) -> String {
    let name = ["missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| sentence.strip_prefix(start))
        .and_then(|rest| rest.strip_suffix('`'));
    name.map(|name| format!("/{}", escape(name))).unwrap_or_default()
}

fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

fn pointer_of(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escape(key)),
        Segment::Enum { variant } => format!("{pointer}/{}", escape(variant)),
        Segment::Unknown => pointer,
    })
}

fn find_zero(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| find_zero(item).map(|rest| format!("/{index}{rest}"))),
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            let inner = if key.contains('\0') { Some(String::new()) } else { find_zero(item) };
            inner.map(|rest| format!("/{}{rest}", escape(key)))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "n")]
        _n: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "list", default)]
        _list: Vec<Inner>,
    }

    #[test]
    fn what_is_wrong_is_named_by_its_pointer() {
        for (body, status, pointer) in [
            (r#"{"name": "#, 400, ""),
            ("", 400, ""),
            (r#"{"name":"a"} x"#, 400, ""),
            (r#"{"name": 7}"#, 422, "/name"),
            (r#"{}"#, 422, "/name"),
            (r#"{"name":"a","name":"b"}"#, 422, "/name"),
            (r#"{"name":"a","list":[{}]}"#, 422, "/list/0/n"),
            (r#"[]"#, 422, ""),
            (r#" ["a"]"#, 422, ""),
            (r#"["a""#, 400, ""),
            (r#""a""#, 422, ""),
            (r#"{"name":"a","nmae":"b"}"#, 422, "/nmae"),
            (r#"{"name":"a","list":[{"n":1},{"n":300}]}"#, 422, "/list/1/n"),
            (r#"{"name":"a","list":[{"n":1,"a/b":1}]}"#, 422, "/list/0/a~1b"),
            (r#"{"name":"a\u0000"}"#, 422, "/name"),
        ] {
            let problem = parse::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.kind().status(), status, "{body}");
            let document = problem.document("r");
            let expected = format!("\"errors\":[{{\"pointer\":\"{pointer}\"");
            assert!(document.contains(&expected), "{body}: {document}");
        }
        assert!(parse::<Body>(br#"{"name":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let body = "[".repeat(100_000);
        assert_eq!(parse::<Value>(body.as_bytes()).unwrap_err().kind(), ProblemKind::Malformed);
    }

    #[test]
    fn only_json_is_json() {
        assert!(is_json("application/json; charset=utf-8"));
        assert!(!is_json("text/plain"));
        assert!(!is_json("application/x-www-form-urlencoded"));
    }
}
