//! A real backend and a real mail server: encryption, passwords, outages, refusals, crashes.

use kinora_core::mail::{Letter, SecurityNotice};
use kinora_store::mail::{self, Message};
use kinora_tests::{Kinora, MailRelay, RelayOptions, wait_until};
use serde_json::{Value, json};

use crate::accounts::world::{organisation_of, text};
use crate::seams::authority::Authority;

/// A letter in the queue of the organisation "Kinora", if that is there already.
fn write(kinora: &Kinora, recipient: &str, organisation: Option<&str>) {
    let letter = Letter::Security {
        notice: SecurityNotice::NewDevice,
        at: chrono::Utc::now(),
        address: Some("192.0.2.7".to_owned()),
        device: Some("Firefox <on> Débian".to_owned()),
        page: "https://kinora.example/account".to_owned(),
    };
    let message = Message {
        recipient,
        person: None,
        organisation: organisation.map(|id| id.parse().unwrap()),
        invitation: None,
        letter: &letter,
        expires_at: None,
    };
    mail::enqueue(&mut kinora.connect(), &message).unwrap();
}

async fn mail_of(
    kinora: &Kinora,
    client: &mut kinora_tests::Client,
    organisation: &str,
    recipient: &str,
) -> Value {
    let _ = kinora;
    let list =
        client.get(&format!("/api/data/v1/organisations/{organisation}/mail")).await.expect(200).json();
    let items = list["items"].as_array().unwrap();
    items.iter().find(|mail| mail["recipient"] == recipient).unwrap_or(&Value::Null).clone()
}

#[tokio::test]
async fn a_mail_arrives_in_two_parts_that_load_nothing() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().backends(1).relay(&relay).start().await;
    write(&kinora, "ada@x.example", None);
    let mails = relay.wait_for("ada@x.example", 1).await;
    let mail = &mails[0];
    assert_eq!(mail["from"], "kinora@studio.example");
    assert_eq!(mail["headers"]["From"], "Kinora <kinora@studio.example>");
    assert_eq!(mail["headers"]["Auto-Submitted"], "auto-generated");
    assert_eq!(mail["subject"], "A sign-in from a new browser");
    let (plain, html) = (text(mail, "/plain"), text(mail, "/html"));
    for part in [&plain, &html] {
        assert!(part.contains("https://kinora.example/account") && part.contains("192.0.2.7"), "{part}");
    }
    assert!(plain.contains("Firefox <on> Débian"), "{plain}");
    assert!(html.contains("Firefox &lt;on&gt; Débian"), "{html}");
    for forbidden in ["<img", "<script", "src=", "url(", "@import"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let source = text(mail, "/source");
    assert!(source.lines().all(|line| line.len() <= 78), "every relay takes lines of this length");
}

#[tokio::test]
async fn mail_goes_encrypted_with_a_password_to_a_relay_of_an_own_authority() {
    let authority_directory = kinora_tests::Stack::get().create_test_directory();
    let authority = Authority::new(&authority_directory, "studio");
    let identity = authority.issue(&["localhost"]);
    identity.write(&authority_directory);
    let files = (authority_directory.join("host.pem"), authority_directory.join("host.key"));
    for tls in ["starttls", "implicit"] {
        let options = RelayOptions {
            tls,
            identity: Some(files.clone()),
            user: Some(("kinora", "canary relay password")),
        };
        let mut relay = MailRelay::prepare(&options);
        relay.part().start().await;
        let lines = format!(
            "{}\nmail.tls_authorities = {:?}\nmail.user = \"kinora\"",
            relay.settings().replace("mail.tls = \"none\"", &format!("mail.tls = \"{tls}\"")),
            authority.file()
        );
        let kinora = Kinora::builder()
            .backends(1)
            .settings("backend", &lines)
            .secret("backend", "mail-password", "canary relay password\n")
            .start()
            .await;
        write(&kinora, "ada@x.example", None);
        let mails = relay.wait_for("ada@x.example", 1).await;
        assert_eq!((&mails[0]["encrypted"], &mails[0]["user"]), (&json!(true), &json!("kinora")), "{tls}");
    }
}

#[tokio::test]
async fn a_relay_with_a_foreign_certificate_or_another_password_gets_nothing() {
    let directory = kinora_tests::Stack::get().create_test_directory();
    let (own, foreign) = (Authority::new(&directory, "own"), Authority::new(&directory, "foreign"));
    let cases = [
        ("starttls", own.file(), own.issue(&["elsewhere.example"]), "right", "certificate"),
        ("starttls", own.file(), foreign.issue(&["localhost"]), "right", "certificate"),
        ("implicit", own.file(), foreign.issue(&["localhost"]), "right", "certificate"),
        ("starttls", own.file(), own.issue(&["localhost"]), "wrong", "535"),
    ];
    for (number, (tls, authorities, identity, password, word)) in cases.into_iter().enumerate() {
        let own_directory = directory.join(format!("relay-{number}"));
        identity.write(&own_directory);
        let options = RelayOptions {
            tls,
            identity: Some((own_directory.join("host.pem"), own_directory.join("host.key"))),
            user: Some(("kinora", "right")),
        };
        let mut relay = MailRelay::prepare(&options);
        relay.part().start().await;
        let lines = format!(
            "{}\nmail.tls_authorities = {authorities:?}\nmail.user = \"kinora\"",
            relay.settings().replace("mail.tls = \"none\"", &format!("mail.tls = \"{tls}\"")),
        );
        let kinora = Kinora::builder()
            .applications(1)
            .backends(1)
            .settings("backend", &lines)
            .secret("backend", "mail-password", password)
            .start()
            .await;
        let mut owner = kinora.administrator().await;
        let organisation = organisation_of(&mut owner, "Kinora").await;
        write(&kinora, "ada@x.example", Some(&organisation));
        let path = format!("/api/data/v1/organisations/{organisation}/mail-relay");
        let state = wait_until("the relay is known to fail", async || {
            let state = owner.get(&path).await.expect(200).json();
            (state["state"] == "failing").then_some(state)
        })
        .await;
        assert!(text(&state, "/error").to_lowercase().contains(word), "{number}: {state}");
        assert_eq!(relay.mails(), Vec::<Value>::new(), "{number}");
        let mail = mail_of(&kinora, &mut owner, &organisation, "ada@x.example").await;
        assert!(["waiting", "sending"].contains(&mail["state"].as_str().unwrap()), "{mail}");
    }
}

#[tokio::test]
async fn mail_waits_for_a_relay_that_is_away_or_not_there_yet() {
    let mut relay = MailRelay::prepare(&RelayOptions { tls: "none", ..RelayOptions::default() });
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    write(&kinora, "ada@x.example", Some(&organisation));
    let path = format!("/api/data/v1/organisations/{organisation}/mail-relay");
    wait_until("the relay is known to be away", async || {
        (owner.get(&path).await.expect(200).json()["state"] == "failing").then_some(())
    })
    .await;
    relay.part().start().await;
    relay.wait_for("ada@x.example", 1).await;
    wait_until("the relay is known to work", async || {
        (owner.get(&path).await.expect(200).json()["state"] == "working").then_some(())
    })
    .await;
    // It goes away in good order, as relays do when they are upgraded, and comes back.
    relay.tell("closed");
    write(&kinora, "bob@x.example", Some(&organisation));
    wait_until("the relay is known to be away again", async || {
        (owner.get(&path).await.expect(200).json()["state"] == "failing").then_some(())
    })
    .await;
    relay.part().kill();
    relay.untell("closed");
    relay.part().start().await;
    relay.wait_for("bob@x.example", 1).await;
    for recipient in ["ada@x.example", "bob@x.example"] {
        assert_eq!(relay.mails_to(recipient).len(), 1, "nothing came twice to {recipient}");
    }
}

#[tokio::test]
async fn without_a_relay_mail_waits_and_administrators_are_told() {
    let mut kinora = Kinora::builder().applications(1).backends(1).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    write(&kinora, "ada@x.example", Some(&organisation));
    let path = format!("/api/data/v1/organisations/{organisation}/mail-relay");
    wait_until("it is known that there is no relay", async || {
        (owner.get(&path).await.expect(200).json()["state"] == "unset").then_some(())
    })
    .await;
    let mail = mail_of(&kinora, &mut owner, &organisation, "ada@x.example").await;
    assert_eq!((&mail["state"], &mail["tries"]), (&json!("waiting"), &json!(0)));
    // Once one is set, what waited goes out.
    kinora.backend(0).kill();
    let relay = MailRelay::start().await;
    let settings = kinora.directory().join("settings/backend-1.toml");
    let lines = format!("{}\n{}\n", std::fs::read_to_string(&settings).unwrap(), relay.settings());
    std::fs::write(&settings, lines).unwrap();
    kinora.backend(0).start().await;
    relay.wait_for("ada@x.example", 1).await;
}

#[tokio::test]
async fn refusals_for_now_pass_and_refusals_for_good_are_shown_with_their_reason() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    for recipient in ["refused@x.example", "unwanted@x.example", "greylisted+1@x.example", "ada@x.example"] {
        write(&kinora, recipient, Some(&organisation));
    }
    relay.wait_for("ada@x.example", 1).await;
    relay.wait_for("greylisted+1@x.example", 1).await;
    for (recipient, word) in [("refused@x.example", "550"), ("unwanted@x.example", "554")] {
        let mail = wait_until("it is given up", async || {
            let mail = mail_of(&kinora, &mut owner, &organisation, recipient).await;
            (mail["state"] == "failed").then_some(mail)
        })
        .await;
        assert!(text(&mail, "/last_error").contains(word), "{mail}");
        assert_eq!((&mail["tries"], &mail["can_retry"]), (&json!(1), &json!(true)));
    }
    let greylisted = mail_of(&kinora, &mut owner, &organisation, "greylisted+1@x.example").await;
    assert_eq!((&greylisted["state"], &greylisted["tries"]), (&json!("sent"), &json!(2)));
    // Somebody has made the mailbox, or given up on it.
    let id = text(&mail_of(&kinora, &mut owner, &organisation, "refused@x.example").await, "/id");
    let one = format!("/api/data/v1/organisations/{organisation}/mail/{id}");
    let again = owner.post(&format!("{one}/retry"), &json!({})).await.expect(200).json();
    assert_eq!(again["state"], "waiting");
    wait_until("it is refused again", async || {
        (owner.get(&one).await.expect(200).json()["tries"] == 2).then_some(())
    })
    .await;
    wait_until("and given up again", async || {
        (owner.get(&one).await.expect(200).json()["state"] == "failed").then_some(())
    })
    .await;
    let _ = owner.delete(&one).await.expect(204);
    let dropped = owner.get(&one).await.expect(200).json();
    assert_eq!((&dropped["state"], &dropped["can_drop"]), (&json!("dropped"), &json!(false)));
    let _ = owner.post(&format!("{one}/retry"), &json!({})).await.expect(409);
    let _ = owner.delete(&one).await.expect(409);
    let sent = text(&greylisted, "/id");
    let _ = owner.delete(&format!("/api/data/v1/organisations/{organisation}/mail/{sent}")).await.expect(409);
    let trail = owner.get(&format!("/api/data/v1/organisations/{organisation}/audit")).await.json();
    let actions: Vec<&str> =
        trail["items"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
    assert!(actions.contains(&"mail.retried") && actions.contains(&"mail.dropped"), "{actions:?}");
}

/// At least once, with the same Message-ID; and another backend takes over.
#[tokio::test]
async fn a_backend_that_dies_in_mid_send_loses_nothing() {
    let relay = MailRelay::start().await;
    let mut kinora = Kinora::builder()
        .backends(2)
        .settings("backend", &relay.settings().replace("mail.timeout = \"20s\"", "mail.timeout = \"2s\""))
        .start()
        .await;
    write(&kinora, "held@x.example", None);
    let first = relay.wait_for("held@x.example", 1).await;
    // One of both has it, and waits for the relay's answer.
    kinora.backend(0).kill();
    kinora.backend(1).kill();
    relay.tell("release");
    kinora.backend(1).start().await;
    let both = relay.wait_for("held@x.example", 2).await;
    assert_eq!(both[0]["message_id"], both[1]["message_id"]);
    assert_eq!(first[0]["message_id"], both[0]["message_id"]);
    wait_until("it is noted as sent", async || {
        let query = "mail_messages WHERE state = 'sent' AND letter IS NULL AND tries = 2";
        (crate::media::support::count(&mut kinora.connect(), query) == 1).then_some(())
    })
    .await;
    assert_eq!(relay.mails_to("held@x.example").len(), 2, "and that was all");
}

#[tokio::test]
async fn an_answer_that_is_lost_means_the_same_mail_again() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().backends(1).relay(&relay).start().await;
    write(&kinora, "lost@x.example", None);
    relay.wait_for("lost@x.example", 1).await;
    relay.tell("release");
    let mails = relay.wait_for("lost@x.example", 2).await;
    assert_eq!(mails[0]["message_id"], mails[1]["message_id"]);
}
