//! Resources and lists as they are sent, and what a request asks for of them.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use kinora_store::provisioning::Slice;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::PREFIX;
use super::refusal::Refusal;
use crate::context::Context;

/// What bodies are (RFC 7644, section 8.1).
pub(super) const CONTENT_TYPE: &str = "application/scim+json";
/// The schema of lists.
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Resources of a page if the request names no number, and at most.
const PAGE: i64 = 100;
/// Most resources of a page.
pub(super) const MOST: i64 = 200;

/// The query of a request. What is not offered (sorting) is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    /// What resources are looked for by.
    pub filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl Asked {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Refusal> {
        web::Query::<Self>::from_query(request.query_string())
            .map(web::Query::into_inner)
            .map_err(|_| Refusal::value("The query cannot be read."))
    }

    /// Which part of a list: `startIndex` counts from 1, and what is smaller means 1.
    pub(super) fn slice(&self) -> Result<Slice, Refusal> {
        let number = |name: &str, text: &Option<String>, default: i64| match text {
            None => Ok(default),
            Some(text) => {
                text.trim().parse::<i64>().map_err(|_| Refusal::value(format!("{name} must be a number.")))
            }
        };
        let start = number("startIndex", &self.start_index, 1)?.max(1);
        let limit = number("count", &self.count, PAGE)?.clamp(0, MOST);
        Ok(Slice { offset: start - 1, limit })
    }

    /// Whether an attribute is to be in the answer at all.
    pub(super) fn wants(&self, attribute: &str) -> bool {
        let wanted = self.attributes.as_deref().map(names);
        let excluded = self.excluded_attributes.as_deref().map(names);
        match (wanted, excluded) {
            (Some(wanted), _) => wanted.iter().any(|name| of(name, attribute)),
            (None, Some(excluded)) => !excluded.iter().any(|name| name.eq_ignore_ascii_case(attribute)),
            (None, None) => true,
        }
    }

    /// Takes away what was not asked for. `schemas` and `id` always stay.
    pub(super) fn project(&self, resource: &mut Map<String, Value>) {
        resource.retain(|name, _| name == "schemas" || name == "id" || self.wants(name));
    }
}

/// The names of a list, without the schema's.
fn names(list: &str) -> Vec<&str> {
    list.split(',').map(|name| name.trim().rsplit(':').next().unwrap_or_default()).collect()
}

/// Whether the name is the attribute's or that of a part of it.
fn of(name: &str, attribute: &str) -> bool {
    name.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(attribute))
}

/// The address of a resource.
pub(super) fn location(context: &Context, kind: &str, id: impl std::fmt::Display) -> String {
    format!("{}{PREFIX}/{kind}/{id}", context.settings.public_url.as_str().trim_end_matches('/'))
}

fn version(revision: i64) -> String {
    format!("W/\"{revision}\"")
}

/// When a resource was made and changed, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub revision: i64,
}

/// The metadata of a resource.
pub(super) fn meta(resource_type: &str, times: Times, location: &str) -> Value {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "resourceType": resource_type,
        "created": instant(times.created),
        "lastModified": instant(times.updated),
        "location": location,
        "version": version(times.revision),
    })
}

/// A document without a version.
pub(super) fn document(body: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body.to_string())
}

/// A resource. Whoever has this version already is told so.
pub(super) fn resource(
    request: &HttpRequest,
    status: StatusCode,
    revision: i64,
    body: Map<String, Value>,
) -> HttpResponse {
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = request.method() == actix_web::http::Method::GET
        && known.is_some_and(|tags| tags.trim() == "*" || revisions(tags).contains(&revision));
    if is_known {
        return HttpResponse::NotModified().insert_header((header::ETAG, version(revision))).finish();
    }
    let location = body.get("meta").and_then(|meta| meta.get("location")).and_then(Value::as_str);
    let location = location.and_then(|text| HeaderValue::from_str(text).ok());
    let mut response =
        HttpResponse::build(status).content_type(CONTENT_TYPE).body(Value::Object(body).to_string());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(tag) = HeaderValue::from_str(&version(revision)) {
        headers.insert(header::ETAG, tag);
    }
    if let Some(location) = location.filter(|_| status == StatusCode::CREATED) {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// That something was changed, and nothing more.
pub(super) fn changed(revision: i64) -> HttpResponse {
    HttpResponse::NoContent().insert_header((header::ETAG, version(revision))).finish()
}

/// Part of a list.
pub(super) fn list(total: i64, slice: Slice, resources: &[Value]) -> HttpResponse {
    document(&json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": slice.offset + 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    }))
}

/// The revisions of a list of tags, weak or strong.
fn revisions(tags: &str) -> Vec<i64> {
    let revision = |tag: &str| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?.parse().ok()
    };
    tags.split(',').filter_map(revision).collect()
}

/// Which stored revisions a change is meant for, by `If-Match`; all without it.
pub(super) fn expected(request: &HttpRequest) -> impl FnOnce(i64) -> bool + Send + 'static {
    let text =
        request.headers().get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default().to_owned());
    move |revision| text.is_none_or(|text| text.trim() == "*" || revisions(&text).contains(&revision))
}

/// The id in the path. Something that is no id cannot exist.
pub(super) fn path_id(request: &HttpRequest) -> Result<Uuid, Refusal> {
    let text = request.match_info().get("id").unwrap_or_default();
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().ok_or_else(Refusal::not_found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn asked(query: &str) -> Asked {
        Asked::of(&TestRequest::with_uri(&format!("/Users?{query}")).to_http_request()).unwrap()
    }

    #[test]
    fn pages_begin_at_one_and_are_bounded() {
        for (query, offset, limit) in [
            ("", 0, 100),
            ("startIndex=1&count=10", 0, 10),
            ("startIndex=0&count=-3", 0, 0),
            ("startIndex=-5", 0, 100),
            ("startIndex=201&count=100000", 200, 200),
        ] {
            assert_eq!(asked(query).slice().unwrap(), Slice { offset, limit }, "{query}");
        }
        assert!(asked("count=many").slice().is_err());
    }

    #[test]
    fn only_what_is_asked_for_is_sent() {
        let all = json!({ "schemas": [], "id": "1", "userName": "a", "name": {}, "meta": {} });
        for (query, kept) in [
            ("", vec!["schemas", "id", "userName", "name", "meta"]),
            ("attributes=userName", vec!["schemas", "id", "userName"]),
            ("attributes=USERNAME,name.givenName", vec!["schemas", "id", "userName", "name"]),
            (
                "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName",
                vec!["schemas", "id", "userName"],
            ),
            ("excludedAttributes=name,id", vec!["schemas", "id", "userName", "meta"]),
        ] {
            let mut map = all.as_object().unwrap().clone();
            asked(query).project(&mut map);
            let mut names: Vec<&str> = map.keys().map(String::as_str).collect();
            let mut kept = kept;
            names.sort_unstable();
            kept.sort_unstable();
            assert_eq!(names, kept, "{query}");
        }
        assert!(!asked("excludedAttributes=members").wants("members"));
    }

    #[test]
    fn versions_are_read_weak_or_strong() {
        assert_eq!(revisions("W/\"3\", \"4\""), [3, 4]);
        let request = TestRequest::default().insert_header((header::IF_MATCH, "W/\"3\"")).to_http_request();
        assert!(expected(&request)(3));
        assert!(!expected(&request)(4));
        assert!(expected(&TestRequest::default().to_http_request())(4));
    }
}
