//! The OpenAPI 3.1 document, put together from the handlers, and its reference page.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{Modify, OpenApi};

use crate::error::{FieldError, ProblemDocument};
use crate::{accounts, health, installation, library, media, privacy, provisioning, single_sign_on};

/// The parts that all documents share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kinora",
        description = "Production platform for film and television. Conventions are told in docs/API.md.",
    ),
    servers((url = "/", description = "This installation")),
    components(schemas(ProblemDocument, FieldError)),
    modifiers(&Schemes),
    security(("session" = []), ("token" = [])),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "account", description = "One's own account"),
        (name = "organisations", description = "Organisations and their people"),
        (name = "single sign-on", description = "Identity providers of organisations"),
        (name = "personal data", description = "What is kept of people: taking it along, correcting and erasing it"),
        (name = "productions", description = "Productions and their members"),
        (name = "library", description = "Assets, runs and live events"),
        (name = "media", description = "Uploads, playback and downloads"),
        (name = "installation", description = "How the installation does, for whoever runs it"),
        (name = "health", description = "For load balancers and monitoring"),
    ),
)]
struct Shared;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::middleware::session::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// The whole document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Shared::openapi();
    for part in [
        accounts::Documentation::openapi(),
        library::Documentation::openapi(),
        media::Documentation::openapi(),
        single_sign_on::Documentation::openapi(),
        provisioning::Documentation::openapi(),
        privacy::Documentation::openapi(),
        installation::Documentation::openapi(),
        health::Documentation::openapi(),
    ] {
        document.merge(part);
    }
    add_common_answers(&mut document);
    document
}

/// Adds what middleware answers in front of every operation.
fn add_common_answers(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        if !path.starts_with("/api/") {
            continue;
        }
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.head, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            let speaks_tus = operation.parameters.iter().flatten().any(
                |parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "Tus-Resumable"),
            );
            let mut answers = vec![("401", "Not signed in")];
            if speaks_tus {
                answers.push(("412", "The version of the protocol is not understood"));
            }
            if !operation.responses.responses.contains_key("default") {
                answers.push(("429", "Too many requests: Retry-After says when the next may come"));
            }
            for (status, description) in answers {
                let answer = || problem_answer(description).into();
                operation.responses.responses.entry(status.to_owned()).or_insert_with(answer);
            }
        }
    }
}

fn problem_answer(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

/// The whole document as JSON.
#[must_use]
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_pretty_json().unwrap_or_default());
    &TEXT
}

/// Registers the document and the page below `/api`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/openapi.json").route(web::get().to(openapi_json)))
        .service(web::resource("/docs").route(web::get().to(reference_page)))
        .service(web::resource("/docs/theme.js").route(web::get().to(reference_theme)))
        .service(web::resource("/docs/schema.js").route(web::get().to(reference_schema)))
        .service(web::resource("/docs/reference.js").route(web::get().to(reference_script)))
        .service(web::resource("/docs/reference.css").route(web::get().to(reference_style)));
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

fn text_of(content_type: &str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(body)
}

async fn openapi_json() -> HttpResponse {
    text_of("application/json", text())
}

async fn reference_page() -> HttpResponse {
    text_of("text/html; charset=utf-8", include_str!("reference/page.html"))
}

async fn reference_script() -> HttpResponse {
    text_of(SCRIPT, include_str!("reference/reference.js"))
}

async fn reference_theme() -> HttpResponse {
    text_of(SCRIPT, include_str!("reference/theme.js"))
}

async fn reference_schema() -> HttpResponse {
    text_of(SCRIPT, include_str!("reference/schema.js"))
}

async fn reference_style() -> HttpResponse {
    text_of("text/css; charset=utf-8", include_str!("reference/reference.css"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Creations that take no idempotency key.
    const ONCE_ANYHOW: &[(&str, &str)] = &[
        ("add_passkey", "the challenge that the passkey answers is good for one"),
        ("create_invited_account", "an invitation is accepted once, by somebody who has no account yet"),
        ("create_upload", "tus 1.0.0 has no such key; an upload that nobody writes to expires"),
    ];

    /// Changes that take no `If-Match`.
    const WITHOUT_REVISION: &[(&str, &str)] = &[
        ("confirm_authenticator", "finishes what was begun, with a code"),
        ("confirm_email_codes", "finishes what was begun, with a code"),
        ("update_account", "one's own display name, which nobody else changes meanwhile"),
        ("update_password", "names the present password"),
        ("write_upload", "tus 1.0.0: Upload-Offset says what is there"),
    ];

    /// The operations that `is_meant` takes, by method and description, and do not declare the header.
    fn without(header: &str, is_meant: impl Fn(&str, &Value) -> bool) -> BTreeSet<String> {
        let document: Value = serde_json::from_str(text()).unwrap();
        let mut found = BTreeSet::new();
        let mut declared = 0;
        for item in document["paths"].as_object().unwrap().values() {
            for (method, operation) in item.as_object().unwrap() {
                if !is_meant(method, operation) {
                    continue;
                }
                let parameters = operation["parameters"].as_array();
                if parameters.into_iter().flatten().any(|parameter| parameter["name"] == header) {
                    declared += 1;
                } else {
                    found.insert(operation["operationId"].as_str().unwrap().to_owned());
                }
            }
        }
        assert!(declared > 9, "{header} is declared by {declared} operations");
        found
    }

    fn names(list: &[(&str, &str)]) -> BTreeSet<String> {
        list.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn creations_take_an_idempotency_key() {
        let makes =
            |method: &str, operation: &Value| method == "post" && operation["responses"].get("201").is_some();
        assert_eq!(without("Idempotency-Key", makes), names(ONCE_ANYHOW));
    }

    #[test]
    fn changes_say_which_revision_they_change() {
        let changes = |method: &str, _: &Value| method == "patch" || method == "put";
        assert_eq!(without("If-Match", changes), names(WITHOUT_REVISION));
    }
}
