//! Correcting name and address: by oneself with a mail to the new address, by administrators of the account.

use kinora_tests::{Kinora, MailRelay, wait_until};
use reqwest::Method;
use serde_json::json;

use super::remains::count;
use crate::accounts::world::{PASSWORD, add_organisation, add_person, execute, organisation_of, send, text};

const D: &str = "/api/data/v1";
const ANY: [(&str, &str); 1] = [("If-Match", "*")];

#[tokio::test]
async fn a_new_address_counts_when_its_mailbox_has_said_so() {
    let relay = MailRelay::start().await;
    let kinora = Kinora::builder().applications(1).backends(1).relay(&relay).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (id, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let _ = add_person(&kinora, &mut owner, &own, "bob@x.example", "member").await;
    let path = format!("{D}/account/address");
    let confirmation = format!("{D}/address-confirmation");
    let ask = |address: &str| json!({ "address": address });
    let _ = ada.post(&path, &ask("no address")).await.expect(422);
    let _ = ada.post(&path, &ask("ada@x.example")).await.expect(409);
    // The answer does not tell whether somebody has it.
    let free = ada.post(&path, &ask("ada@new.example")).await.expect(200);
    let _ = ada.post(&path, &ask("ada@newer.example")).await.expect(409);
    let token = |mail: &serde_json::Value| {
        let plain = text(mail, "/plain");
        let line = plain
            .lines()
            .find(|line| line.contains("/confirm-address#"))
            .unwrap_or_else(|| panic!("{plain}"));
        line.rsplit('#').next().unwrap().to_owned()
    };
    let first = token(&relay.wait_for("ada@new.example", 1).await[0]);
    assert_eq!(count(&kinora, &format!("SELECT 1 FROM mail_messages m WHERE m::text LIKE '%{first}%'")), 0);
    let _ = execute(&kinora, "UPDATE address_changes SET created_at = created_at - interval '1 hour'");
    let taken = ada.post(&path, &ask("bob@x.example")).await.expect(200);
    let keys = |answer: &kinora_tests::Answer| {
        answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&free), keys(&taken));
    let second = token(&relay.wait_for("bob@x.example", 1).await[0]);
    // The first wish was replaced; the second is somebody's whose mailbox one would have to read.
    let _ = kinora.visitor().post(&confirmation, &json!({ "token": first })).await.expect(404);
    let _ = kinora.visitor().post(&confirmation, &json!({ "token": second })).await.expect(409);
    let _ = execute(&kinora, "DELETE FROM address_changes");
    let _ = ada.post(&path, &ask("ada@newest.example")).await.expect(200);
    let third = json!({ "token": token(&relay.wait_for("ada@newest.example", 1).await[0]) });
    let _ = kinora.visitor().post(&confirmation, &third).await.expect(204);
    let _ = kinora.visitor().post(&confirmation, &third).await.expect(404);
    let _ = kinora.visitor().sign_in("ada@newest.example", PASSWORD).await.expect(200);
    let _ = kinora.visitor().sign_in("ada@x.example", PASSWORD).await.expect(401);
    assert_eq!(
        text(&ada.get(&format!("{D}/session")).await.expect(200).json(), "/person/login"),
        "ada@newest.example"
    );
    // The former address hears of it.
    let told = relay.wait_for("ada@x.example", 1).await;
    assert_eq!(told[0]["subject"], "Your e-mail address was changed");
    let changed = format!("SELECT 1 FROM audit_rows WHERE action = 'login.changed' AND subject_id = '{id}'");
    assert_eq!(count(&kinora, &changed), 1);
    // A link that was not used in time is none.
    let _ = ada.post(&path, &ask("late@x.example")).await.expect(200);
    let late = json!({ "token": token(&relay.wait_for("late@x.example", 1).await[0]) });
    let _ = execute(&kinora, "UPDATE address_changes SET expires_at = now()");
    let _ = kinora.visitor().post(&confirmation, &late).await.expect(404);
}

#[tokio::test]
async fn administrators_correct_accounts_that_are_theirs_alone_and_the_person_is_told() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (id, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (_, mut it) = add_person(&kinora, &mut owner, &own, "it@x.example", "administrator").await;
    let (boss, _) = add_person(&kinora, &mut owner, &own, "boss@x.example", "owner").await;
    let one = format!("{D}/organisations/{own}/people/{id}");
    let right = json!({ "display_name": "Ada Byron", "login": "byron@x.example" });
    let changed = send(&mut it, Method::PATCH, &one, &ANY, Some(&right)).await.expect(200);
    assert_eq!(changed.header("etag").unwrap(), format!("\"{}\"", changed.json()["revision"]));
    assert_eq!(
        (&changed.json()["login"], &changed.json()["display_name"]),
        (&json!("byron@x.example"), &json!("Ada Byron"))
    );
    let _ = kinora.visitor().sign_in("byron@x.example", PASSWORD).await.expect(200);
    let letter = "SELECT 1 FROM mail_messages WHERE recipient = 'ada@x.example' AND letter->>'notice' = 'account_corrected'";
    assert_eq!(count(&kinora, letter), 1);
    let row = "SELECT 1 FROM audit_rows WHERE action = 'person.corrected' AND actor = 'it@x.example'";
    assert_eq!(count(&kinora, row), 1);
    for (wrong, status) in [
        (json!({ "login": "it@x.example" }), 409),
        (json!({ "login": "with space" }), 422),
        (json!({ "display_name": "" }), 422),
    ] {
        let _ = send(&mut it, Method::PATCH, &one, &ANY, Some(&wrong)).await.expect(status);
    }
    let _ = send(&mut it, Method::PATCH, &one, &[("If-Match", "\"999\"")], Some(&right)).await.expect(412);
    // Not those above, and not those who belong elsewhere as well, or are guests there.
    let above = format!("{D}/organisations/{own}/people/{boss}");
    let _ = send(&mut it, Method::PATCH, &above, &ANY, Some(&right)).await.expect(403);
    let joined = format!(
        "INSERT INTO organisation_members (organisation_id, person_id, role) VALUES ('{other}', '{id}', 'member')"
    );
    let _ = execute(&kinora, &joined);
    let again = json!({ "login": "stolen@x.example" });
    let _ = send(&mut it, Method::PATCH, &one, &ANY, Some(&again)).await.expect(403);
    // The same name as before changes nothing, whoever asks.
    let same = json!({ "display_name": "Ada Byron" });
    let _ = send(&mut it, Method::PATCH, &one, &ANY, Some(&same)).await.expect(200);
    // And it takes a confirmed session.
    let _ = execute(&kinora, "UPDATE sessions SET confirmed_at = confirmed_at - interval '11 minutes'");
    wait_until("the session is read anew", async || {
        let answer = send(&mut it, Method::PATCH, &one, &ANY, Some(&same)).await;
        (answer.status == 403).then_some(())
    })
    .await;
}
