//! Nothing of what people bring from a provider is logged, whether they are let in or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_tests::Kinora;
use serde_json::json;
use uuid::Uuid;

use super::studio::Studio;
use crate::accounts::world::text;

#[tokio::test]
async fn no_message_name_or_cookie_is_logged() {
    let builder = Kinora::builder().applications(1).settings("application", "log = \"debug\"");
    let mut studio = Studio::build(builder).await;
    let canary = |what: &str| format!("canary{what}{}", Uuid::new_v4().simple());
    let (name, group, mail) = (canary("name"), canary("group"), format!("{}@studio.example", canary("mail")));
    studio.set_people(&json!({ "ada": { "displayName": [name], "mail": [mail], "groups": [group] } })).await;
    let mut browser = studio.kinora.visitor();
    let form = studio.begin(&mut browser, "ada").await;
    let mut kept = vec![name, group, mail];
    kept.push(form.value("RelayState").unwrap().to_owned());
    kept.push(browser.cookie("__Host-kinora-sign-on").unwrap().to_owned());
    let message = form.value("SAMLResponse").unwrap().to_owned();
    let xml = String::from_utf8(STANDARD.decode(&message).unwrap()).unwrap();
    let (_, rest) = xml.split_once("NameID").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    kept.push(rest.split_once('<').unwrap().0.to_owned());
    // Parts of the message, whichever it would be shortened to.
    kept.extend(
        message.as_bytes().chunks_exact(1000).map(|part| String::from_utf8_lossy(&part[..40]).into_owned()),
    );
    let mut stranger = studio.kinora.visitor();
    let _ = studio.post(&mut stranger, &form).await.expect(303);
    let forged = STANDARD.encode(xml.replace("studio.example", "other.example"));
    let mut other = studio.kinora.visitor();
    let second = studio.begin(&mut other, "ada").await.with("SAMLResponse", &forged);
    let _ = studio.post(&mut other, &second).await.expect(303);
    let _ = studio.post(&mut browser, &form).await.expect(303);
    browser.refresh_csrf_token().await;
    kept.push(browser.cookie("__Host-kinora").unwrap().to_owned());
    let way = browser.delete("/api/data/v1/session").await.expect(200).json();
    let ticket = text(&way, "/address");
    kept.push(ticket.rsplit('=').next().unwrap().to_owned());
    let leads = browser.get(&ticket).await.expect(303);
    let there = studio.idp.open(leads.header("location").unwrap()).await;
    let back = there.header("location").unwrap().to_owned();
    let path = back.split_once("/saml/").unwrap().1;
    let _ = browser.get(&format!("/saml/{path}")).await.expect(303);
    let log = studio.kinora.application(0).log_with("purpose=logout").await;
    for secret in &kept {
        assert!(secret.len() >= 12, "{secret} is too short to be looked for");
        assert!(!log.contains(secret.as_str()), "{secret}");
    }
    // The search finds what is there, and the log says what became of it.
    assert!(log.contains("an identity provider's message was accepted"));
    assert!(log.contains("wrong_browser"), "codes are told");
}
