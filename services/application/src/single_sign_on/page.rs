//! How a message of ours leaves with the browser: it is sent on, or posts a form.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::header;
use kinora_saml::Delivery;
use url::Url;

use crate::error::Problem;

/// Sends the form off.
const SCRIPT: &str = include_str!("page/send.js");
/// The look of the moment before, and of whoever has no scripts.
const STYLE: &str = include_str!("page/send.css");

/// Sends the browser to the provider with a message.
///
/// # Errors
/// If the provider's address is none.
pub fn deliver(delivery: Delivery, cookies: Vec<Cookie<'static>>) -> Result<HttpResponse, Problem> {
    let mut response = match &delivery {
        Delivery::Redirect(_) => HttpResponse::SeeOther(),
        Delivery::Post { .. } => HttpResponse::Ok(),
    };
    for cookie in cookies {
        response.cookie(cookie);
    }
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    match delivery {
        Delivery::Redirect(address) => Ok(response.insert_header((header::LOCATION, address)).finish()),
        Delivery::Post { action, fields } => {
            let origin = Url::parse(&action).map_err(Problem::internal)?.origin().ascii_serialization();
            // The one page whose form may leave: to this provider and nowhere else.
            let policy = format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; form-action {origin}; base-uri 'none'; \
                 frame-ancestors 'none'"
            );
            Ok(response
                .insert_header((header::CONTENT_SECURITY_POLICY, policy))
                .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
                .body(form(&action, &fields)))
        }
    }
}

/// Sends the browser to a page of ours.
#[must_use]
pub fn go(path: &str, cookies: Vec<Cookie<'static>>) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    for cookie in cookies {
        response.cookie(cookie);
    }
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::LOCATION, path.to_owned()))
        .finish()
}

fn form(action: &str, fields: &[(&'static str, String)]) -> String {
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Kinora</title>\
         <link rel=\"stylesheet\" href=\"/saml/send.css\"></head>\
         <body><main><h1>To your studio account</h1><p>You are being sent on to sign in.</p>\
         <form method=\"post\" action=\"{}\">{inputs}<button>Continue</button></form></main>\
         <script src=\"/saml/send.js\"></script></body></html>\n",
        escaped(action)
    )
}

/// Text between quotes or tags of HTML.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

fn file(content_type: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(body)
}

pub(super) async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", STYLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_form_makes_no_html() {
        let delivery = Delivery::Post {
            action: "https://idp.example/sso?a=1&b=2".to_owned(),
            fields: vec![("RelayState", "\"><script>alert(1)</script>".to_owned())],
        };
        let response = deliver(delivery, Vec::new()).unwrap();
        let policy = response.headers().get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.contains("form-action https://idp.example;"), "{policy}");
        assert!(!policy.contains("unsafe"));
        let page = form("https://idp.example/sso?a=1&b=2", &[("RelayState", "\"><script>".to_owned())]);
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{page}");
        assert!(page.contains("action=\"https://idp.example/sso?a=1&amp;b=2\""));
    }
}
