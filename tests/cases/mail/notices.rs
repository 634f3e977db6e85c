//! What happens to an account is told to whom it belongs.

use std::collections::BTreeSet;

use kinora_tests::{Kinora, MailRelay, wait_until};
use reqwest::Method;
use serde_json::json;

use crate::accounts::factors::software_key::SoftwareKey;
use crate::accounts::factors::{enrol_app, finish, let_steps_pass};
use crate::accounts::world::{PASSWORD, add_person, execute, organisation_of, send, text};
use crate::library::control::on_server;

const ADA: &str = "ada@x.example";

#[tokio::test]
async fn people_are_told_what_happened_to_their_account() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    // Neither the first password nor the first browser is news.
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, ADA, "member").await;
    let (_, codes) = enrol_app(&mut ada).await;
    let mut elsewhere = kinora.visitor();
    let_steps_pass(&kinora);
    let _ = elsewhere.sign_in(ADA, PASSWORD).await.expect(202);
    let _ = finish(&mut elsewhere, &json!({ "recovery_code": codes[0] })).await.expect(200);
    let change = json!({ "current_password": PASSWORD, "new_password": "purple tuba meridian 41" });
    let _ = elsewhere.put("/api/data/v1/account/password", &change).await.expect(204);
    let path = format!("/api/data/v1/organisations/{own}/people/{id}/factors");
    let _ = send(&mut owner, reqwest::Method::DELETE, &path, &[("If-Match", "*")], None).await.expect(204);

    let mails = relay.wait_for(ADA, 5).await;
    let subjects: Vec<String> = mails.iter().map(|mail| text(mail, "/subject")).collect();
    let told: BTreeSet<&str> = subjects.iter().map(String::as_str).collect();
    let expected = [
        "A recovery code was used",
        "A sign-in from a new browser",
        "An authenticator app was added",
        "Your password was changed",
        "Your second factors were reset",
    ];
    assert_eq!((told, mails.len()), (BTreeSet::from(expected), 5), "{subjects:?}");
    for mail in &mails {
        let plain = text(mail, "/plain");
        // From where an administrator worked is theirs to know.
        let is_own = mail["subject"] != "Your second factors were reset";
        assert_eq!(plain.contains("127.0.0.1"), is_own, "{plain}");
        assert!(plain.contains("/account"), "{plain}");
    }
    // The queue keeps nothing of what the letters said.
    let path = format!("/api/data/v1/organisations/{own}/mail");
    let list = owner.get(&path).await.expect(200);
    assert!(!list.text().contains("recovery"), "{}", list.text());
}

#[tokio::test]
async fn people_are_told_of_each_factor_that_comes_and_goes() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let security = format!("/api/data/v1/organisations/{own}/security");
    let allowed = json!({ "second_factor_required": false, "email_code_allowed": true });
    let any = [("If-Match", "*")];
    let _ = send(&mut owner, Method::PUT, &security, &any, Some(&allowed)).await.expect(200);
    let (_, mut ada) = add_person(&kinora, &mut owner, &own, ADA, "member").await;
    let factors = "/api/data/v1/account/factors";
    let mut told = Vec::new();
    let mut expect_mail = async |subject: &str| {
        let mails = relay.wait_for(ADA, told.len() + 1).await;
        let subjects: Vec<String> = mails.iter().map(|mail| text(mail, "/subject")).collect();
        told.push(subject.to_owned());
        let (mut found, mut expected) = (subjects.clone(), told.clone());
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "after {subject}");
    };

    let _ = enrol_app(&mut ada).await;
    expect_mail("An authenticator app was added").await;
    let _ = ada.post(&format!("{factors}/recovery-codes"), &json!({})).await.expect(200);
    expect_mail("New recovery codes were made").await;
    let added = SoftwareKey::new(&kinora.url()).enrol(&mut ada, "Laptop").await.expect(201).json();
    expect_mail("A passkey was added").await;
    let by_mail = format!("{factors}/email-code");
    let _ = ada.post(&by_mail, &json!({})).await.expect(200);
    expect_mail("Your code to confirm this address").await;
    let code = wait_until("the code", async || {
        let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
        let mails = relay.mails_to(ADA);
        mails
            .iter()
            .find_map(|mail| text(mail, "/plain").lines().map(str::trim).find(is_code).map(str::to_owned))
    })
    .await;
    let _ = ada.put(&by_mail, &json!({ "email_code": code })).await.expect(204);
    expect_mail("Codes by mail were added").await;
    let passkey = format!("/api/data/v1/account/passkeys/{}", text(&added, "/passkey/id"));
    for (path, subject) in [
        (passkey, "A passkey was removed"),
        (by_mail, "Codes by mail were removed"),
        (format!("{factors}/authenticator"), "An authenticator app was removed"),
    ] {
        let _ = ada.delete(&path).await.expect(204);
        expect_mail(subject).await;
    }
}

#[tokio::test]
async fn what_operators_can_do_with_an_account_is_told_to_it_and_to_the_owners() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut first = kinora.administrator().await;
    let own = organisation_of(&mut first, "Kinora").await;
    let (_, _) = add_person(&kinora, &mut first, &own, "boss@x.example", "owner").await;
    let (_, _) = add_person(&kinora, &mut first, &own, "other@x.example", "administrator").await;
    let (_, mut ada) = add_person(&kinora, &mut first, &own, ADA, "member").await;
    let _ = enrol_app(&mut ada).await;
    for words in [
        &["token", "create", "--name", "script", "--login", ADA][..],
        &["person", "password-link", "--login", ADA],
        &["person", "reset-factors", "--login", ADA],
    ] {
        let done = on_server(&kinora, words).await;
        assert!(done.status.success(), "{words:?}: {done:?}");
    }
    let expected = BTreeSet::from([
        format!("An operator made a password link for {ADA}"),
        format!("An operator made an access token for {ADA}"),
        format!("An operator took the second factors of {ADA}"),
    ]);
    let subjects = |mails: &[serde_json::Value]| -> BTreeSet<String> {
        mails
            .iter()
            .map(|mail| text(mail, "/subject"))
            .filter(|subject| subject.contains("operator"))
            .collect()
    };
    assert_eq!(subjects(&relay.wait_for("boss@x.example", 3).await), expected);
    // Besides, that an app was added and that the factors were reset.
    assert_eq!(subjects(&relay.wait_for(ADA, 5).await), expected);
    let row = "SELECT 1 FROM mail_messages WHERE recipient = 'other@x.example'";
    assert_eq!(execute(&kinora, row), 0, "administrators read the audit trail");
}
