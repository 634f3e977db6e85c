//! What happens to an account is told to whom it belongs.

use std::collections::BTreeSet;

use kinora_tests::{Kinora, MailRelay};
use serde_json::json;

use crate::accounts::factors::{enrol_app, finish, let_steps_pass};
use crate::accounts::world::{PASSWORD, add_person, organisation_of, send, text};

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
