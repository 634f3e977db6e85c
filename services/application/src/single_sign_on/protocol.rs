//! The addresses that identity providers and their pages know: below `/saml`, apart from the APIs.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use uuid::Uuid;

use super::{logout, page, receive, sign_in};

/// Registers what signs people in and out.
pub fn configure(config: &mut ServiceConfig) {
    let of = |place: &str| web::resource(format!("/saml/{{connection_id}}/{place}"));
    let end = of("logout")
        .route(web::get().to(logout::receive_logout_query))
        .route(web::post().to(logout::receive_logout_form));
    config
        .service(web::resource("/saml/send.js").route(web::get().to(page::script)))
        .service(web::resource("/saml/send.css").route(web::get().to(page::style)))
        .service(of("sign-in").route(web::get().to(sign_in::go_to_provider)))
        .service(of("sign-out").route(web::get().to(logout::go_to_sign_out)))
        .service(of("acs").route(web::post().to(receive::receive_response)))
        .service(end);
}

/// Whether this is where other sites' pages post to: the one kind of request that another site may make a browser send.
/// Handlers there do nothing in the name of a session.
#[must_use]
pub fn is_posted_by_others(method: &Method, path: &str) -> bool {
    let Some((id, place)) = path.strip_prefix("/saml/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let is_id = id.len() == 36 && Uuid::try_parse(id).is_ok();
    method == Method::POST && is_id && matches!(place, "acs" | "logout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_post_to_two_addresses_and_nowhere_else() {
        let id = Uuid::now_v7();
        assert!(is_posted_by_others(&Method::POST, &format!("/saml/{id}/acs")));
        assert!(is_posted_by_others(&Method::POST, &format!("/saml/{id}/logout")));
        for other in [
            format!("/saml/{id}/acs/"),
            format!("/saml/{id}/metadata"),
            format!("/saml/{id}/../acs"),
            "/saml/x/acs".to_owned(),
            format!("/api/saml/{id}/acs"),
            "/api/data/v1/session".to_owned(),
        ] {
            assert!(!is_posted_by_others(&Method::POST, &other), "{other}");
        }
        assert!(!is_posted_by_others(&Method::PUT, &format!("/saml/{id}/acs")));
    }
}
