//! What people try on every product: requests in somebody else's name, frames around pages, links that lead elsewhere,
//! secrets in addresses, sessions that were chosen beforehand, and asking who has an account.
//!
//! Where it can, a test takes its addresses from the OpenAPI document, so that an endpoint which is added later is tried too.

mod addresses;
mod cross_site;
mod enumeration;
mod fixation;
mod headers;
mod map;
mod redirects;

use kinora_tests::{Answer, Client, Kinora, KinoraBuilder};
use reqwest::Method;
use uuid::Uuid;

use crate::accounts::world::text;

/// Requests are counted generously: these tests send many.
const GENEROUS: &str = "rate_limit.address_per_second = 100000.0\nrate_limit.address_burst = 1000000\n\
     rate_limit.person_per_second = 100000.0\nrate_limit.person_burst = 1000000\n\
     rate_limit.sign_in_per_minute = 100000.0\nrate_limit.sign_in_burst = 100000";

fn generous() -> KinoraBuilder {
    Kinora::builder().applications(1).settings("application", GENEROUS)
}

/// Spellings of places that are not inside the product, or that a browser may take for such.
const ELSEWHERE: [&str; 32] = [
    "https://evil.example",
    "https://evil.example/",
    "HTTPS://EVIL.EXAMPLE/account",
    "http://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\u{a0}//evil.example",
    "/ /evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://evil.example/1",
    "file:///etc/passwd",
    "ftp://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:\\evil.example",
    "http://localhost@evil.example/",
    "http://localhost.evil.example/",
    "evil.example",
    "/\r\nLocation: https://evil.example",
];

/// A documented operation.
#[derive(Clone, Debug)]
struct Operation {
    id: String,
    method: Method,
    /// With ids that are nobody's.
    path: String,
}

impl Operation {
    /// Whether it may change something (RFC 9110, section 9.2.1).
    fn is_change(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// Everything that stands in the OpenAPI document.
async fn operations(kinora: &Kinora) -> Vec<Operation> {
    let document = kinora.visitor().get("/api/openapi.json").await.expect(200).json();
    let mut all = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let mut path = String::new();
            for part in template.split('/').skip(1) {
                path.push('/');
                let is_id = part.starts_with('{');
                path.push_str(&if is_id { Uuid::now_v7().to_string() } else { part.to_owned() });
            }
            all.push(Operation { id: text(operation, "/operationId"), method, path });
        }
    }
    assert!(all.len() > 90, "{}", all.len());
    all
}

/// Sends a request to an operation that would be understood.
async fn ask(client: &mut Client, operation: &Operation, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(operation.method.clone(), &operation.path);
    for (name, value) in
        [("If-Match", "*"), ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Upload-Length", "1")]
    {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if operation.is_change() {
        request = request.header("Content-Type", "application/json").body("{}");
    }
    client.send(request).await
}

/// The slug of a problem's type; empty if the answer is none.
fn kind_of(answer: &Answer) -> String {
    let is_problem = answer.header("content-type") == Some("application/problem+json");
    if is_problem && !answer.bytes.is_empty() {
        crate::accounts::factors::slug(answer)
    } else {
        String::new()
    }
}

/// For the query of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
