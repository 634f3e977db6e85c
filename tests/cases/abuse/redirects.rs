//! Open redirects: whatever an address or a form asks for, one goes on inside the product.

use diesel::RunQueryDsl as _;
use diesel::sql_types::{Nullable, Text};
use kinora_tests::{Answer, Client, Kinora};
use reqwest::Method;
use serde_json::json;

use super::{ELSEWHERE, ask, encoded, generous, operations};
use crate::accounts::world::{execute, organisation_of, send, text};
use crate::single_sign_on::studio::{Studio, post_to};

#[derive(diesel::QueryableByName)]
struct Kept {
    #[diesel(sql_type = Nullable<Text>)]
    return_to: Option<String>,
}

/// Where the newest request at a provider goes on to.
fn kept(kinora: &Kinora) -> Option<String> {
    let newest = "SELECT return_to FROM saml_requests ORDER BY expires_at DESC, id DESC LIMIT 1";
    let row: Kept = diesel::sql_query(newest).get_result(&mut kinora.connect()).unwrap();
    row.return_to
}

/// Whether an answer leads to another place than a path of the product, or `idp`.
fn leads_elsewhere(answer: &Answer, idp: &str) -> bool {
    let Some(leads) = answer.header("location") else { return false };
    let is_inside = leads.starts_with('/') && !leads.starts_with("//") && !leads.contains('\\');
    let is_idp = !idp.is_empty() && leads.starts_with(&format!("{idp}/"));
    !is_inside && !is_idp
}

#[tokio::test]
async fn signing_in_goes_on_inside_only() {
    let studio = Studio::open().await;
    let at = studio.connection.sign_in();
    let mut browser = studio.kinora.visitor();
    for place in ELSEWHERE {
        let _ = execute(&studio.kinora, "DELETE FROM saml_requests");
        let answer = browser.get(&format!("{at}?return={}", encoded(place))).await;
        assert!(!leads_elsewhere(&answer, studio.idp.url()), "{place:?}: {answer:?}");
        assert_eq!(kept(&studio.kinora), None, "{place:?}");
    }
    // The control.
    let _ = execute(&studio.kinora, "DELETE FROM saml_requests");
    let _ = browser.get(&format!("{at}?return={}", encoded("/account?x=1"))).await;
    assert_eq!(kept(&studio.kinora).as_deref(), Some("/account?x=1"));
}

#[tokio::test]
async fn confirming_and_joining_come_back_inside_only() {
    let studio = Studio::open().await;
    let mut browser = studio.sign_in("ada").await;
    let mut owner = studio.owner.clone();
    let confirm = |place: &str| json!({ "return_to": place });
    let join = |place: &str| json!({ "connection_id": studio.connection.id, "return_to": place });
    for place in ELSEWHERE.into_iter().chain(["/account"]) {
        let expected = place.starts_with("/account").then(|| place.to_owned());
        let ways: [(&mut Client, &str, serde_json::Value); 2] = [
            (&mut browser, "/api/data/v1/account/confirmation/studio-account", confirm(place)),
            (&mut owner, "/api/data/v1/account/studio-accounts", join(place)),
        ];
        for (client, path, body) in ways {
            let _ = execute(&studio.kinora, "DELETE FROM saml_requests");
            let way = client.post(path, &body).await.expect(200).json();
            let address = text(&way, "/address");
            assert!(
                address.starts_with(&format!("/saml/{}/sign-in?ticket=", studio.connection.id)),
                "{address}"
            );
            let answer = client.get(&address).await;
            assert!(!leads_elsewhere(&answer, studio.idp.url()), "{place:?}: {answer:?}");
            assert_eq!(kept(&studio.kinora), expected, "{path} {place:?}");
        }
    }
}

#[tokio::test]
async fn a_relay_state_is_no_address() {
    let studio = Studio::open().await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let logout = format!("/saml/{}/logout", studio.connection.id);
    for place in ELSEWHERE {
        let forged = form.clone().with("RelayState", place);
        let mut asked = browser.clone();
        let answer = studio.post(&mut asked, &forged).await;
        studio.expect_refused(&mut asked, &answer, "relay_state").await;
        assert!(!leads_elsewhere(&answer, ""), "{place:?}: {answer:?}");
        // Signing out, both ways.
        let mut visitor = studio.kinora.visitor();
        let query = format!("{logout}?SAMLResponse=x&SAMLRequest=x&RelayState={}", encoded(place));
        let answer = visitor.get(&query).await;
        assert!(!leads_elsewhere(&answer, ""), "{place:?}: {answer:?}");
        let answer = post_to(&mut visitor, &logout, &forged, "https://evil.example").await;
        assert!(!leads_elsewhere(&answer, ""), "{place:?}: {answer:?}");
    }
    // Nothing of that has used the sign-in up.
    let answer = studio.post(&mut browser, &form).await.expect(303);
    assert_eq!(answer.header("location"), Some("/"), "{}", studio.last_refusal());
}

#[tokio::test]
async fn no_other_parameter_and_no_header_leads_away() {
    let kinora = generous().start().await;
    let mut owner = kinora.administrator().await;
    let names = [
        "return",
        "return_to",
        "returnUrl",
        "next",
        "redirect",
        "redirect_uri",
        "url",
        "continue",
        "RelayState",
    ];
    let query: Vec<String> =
        names.iter().map(|name| format!("{name}={}", encoded("https://evil.example/"))).collect();
    let query = query.join("&");
    let forged =
        [("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"), ("X-Original-URL", "/x")];
    let mut all = operations(&kinora).await;
    all.retain(|operation| !operation.is_change());
    for page in
        ["/", "/sign-in", "/sign-in-refused", "/nothing", "/%2f%2fevil.example", "//evil.example/%2e%2e"]
    {
        let operation = super::Operation { id: page.to_owned(), method: Method::GET, path: page.to_owned() };
        all.push(operation);
    }
    for mut operation in all {
        operation.path = format!("{}?{query}", operation.path);
        for client in [&mut owner.clone(), &mut kinora.visitor()] {
            let answer = ask(client, &operation, &forged).await;
            assert!(!leads_elsewhere(&answer, ""), "{operation:?}: {answer:?}");
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains("evil"), "{operation:?}: {headers}");
        }
    }
    // Links are made of the settings, not of what a request says that it was sent to.
    let own = organisation_of(&mut owner, "Kinora").await;
    let path = format!("/api/data/v1/organisations/{own}/people");
    let body = json!({ "login": "ada@x.example", "display_name": "Ada", "role": "member" });
    let headers =
        [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "ftp")];
    let made = send(&mut owner, Method::POST, &path, &headers, Some(&body)).await.expect(201).json();
    assert!(text(&made, "/password_link/url").starts_with(&kinora.url()), "{made}");
}
