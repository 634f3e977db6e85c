//! An organisation that asks for a second factor, and help for those who have lost theirs.

use kinora_tests::{Client, Kinora, program, wait_until};
use reqwest::Method;
use serde_json::json;

use super::super::world::{
    PASSWORD, add_organisation, add_person, add_production, add_things, organisation_of, send, text,
};
use super::{D, enrol_app, finish, let_steps_pass, sign_in_with_code, slug};

/// Makes an organisation ask for a second factor, or not.
async fn require(owner: &mut Client, organisation: &str, required: bool) -> kinora_tests::Answer {
    let path = format!("{D}/organisations/{organisation}/security");
    let body = json!({ "second_factor_required": required });
    send(owner, Method::PUT, &path, &[("If-Match", "*")], Some(&body)).await
}

#[tokio::test]
async fn who_has_none_sees_nothing_of_an_organisation_that_asks_for_one() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (person, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "administrator").await;
    let add = json!({ "login": "ada@x.example", "display_name": "Ada", "role": "member" });
    let _ = owner.post(&format!("{D}/organisations/{other}/people"), &add).await.expect(201);
    let film = add_production(&mut owner, &own, "Film").await;
    let secret = add_production(&mut owner, &own, "Secret").await;
    let elsewhere = add_production(&mut owner, &other, "Elsewhere").await;
    for production in [&film, &elsewhere] {
        let path = format!("{D}/productions/{production}/members/{person}");
        let _ = owner.put(&path, &json!({ "library": "editor" })).await.expect(200);
    }
    let things = add_things(&kinora, &film, &person);
    let token =
        ada.post(&format!("{D}/account/tokens"), &json!({ "name": "script" })).await.expect(201).json();
    let mut script = Client::with_token(&kinora.url(), &text(&token, "/secret"));
    let mut second = ada.at(&kinora.url_of(1));

    // Not by somebody who would be the first to be shut out, and only by owners.
    assert_eq!(slug(&require(&mut owner, &own, true).await.expect(409)), "conflict");
    assert_eq!(slug(&require(&mut ada, &own, true).await.expect(403)), "forbidden");
    let _ = enrol_app(&mut owner).await;
    let changed = require(&mut owner, &own, true).await.expect(200).json();
    assert_eq!(changed["second_factor_required"], true);

    let closed = [
        (Method::GET, format!("{D}/productions/{film}")),
        (Method::GET, format!("{D}/productions/{film}/assets")),
        (Method::GET, format!("{D}/productions/{film}/events")),
        (Method::GET, format!("{D}/assets/{}", things.asset)),
        (Method::GET, format!("{D}/runs/{}", things.run)),
        (Method::GET, format!("/api/media/v1/productions/{film}/uploads")),
        (Method::GET, format!("/api/media/v1/assets/{}/original", things.asset)),
        (Method::GET, format!("{D}/organisations/{own}")),
        (Method::GET, format!("{D}/organisations/{own}/people")),
        (Method::GET, format!("{D}/organisations/{own}/audit")),
        // An administrator sees that it exists.
        (Method::GET, format!("{D}/productions/{secret}")),
    ];
    wait_until("the open session is shut out on the other instance too", async || {
        (second.get(&closed[0].1).await.status == 403).then_some(())
    })
    .await;
    for (method, path) in &closed {
        let answer = send(&mut ada, method.clone(), path, &[], None).await.expect(403);
        assert_eq!(slug(&answer), "second-factor-required", "{path}");
        // The owner has one. A stream would not end.
        if !path.ends_with("/events") {
            let answer = owner.get(path).await;
            assert!(answer.status != 403 || slug(&answer) != "second-factor-required", "{path}");
        }
    }
    // What they could not see or do with one either is what it is for everybody.
    let unknown = uuid::Uuid::now_v7();
    let _ = ada.get(&format!("{D}/productions/{unknown}")).await.expect(404);
    let _ = ada.get(&format!("{D}/productions/{secret}/assets")).await.expect(404);
    let body = json!({ "second_factor_required": false });
    let path = format!("{D}/organisations/{own}/security");
    let answer = send(&mut ada, Method::PUT, &path, &[("If-Match", "*")], Some(&body)).await.expect(403);
    assert_eq!(slug(&answer), "forbidden");
    // Lists leave it out; the other organisation's things stay.
    let list = ada.get(&format!("{D}/productions")).await.expect(200).json();
    let names: Vec<String> =
        list["items"].as_array().unwrap().iter().map(|item| text(item, "/name")).collect();
    assert_eq!(names, ["Elsewhere"]);
    let _ = ada.get(&format!("{D}/productions/{elsewhere}/assets")).await.expect(200);
    let session = ada.get(&format!("{D}/session")).await.expect(200).json();
    assert_eq!(session["second_factor_required"], true);
    let withheld = |name: &str| {
        let all = session["organisations"].as_array().unwrap();
        all.iter().find(|item| item["name"] == name).unwrap()["withheld"].clone()
    };
    assert_eq!((withheld("Kinora"), withheld("Other Studio")), (json!(true), json!(false)));
    // Nor does a token of theirs that was made before; what is elsewhere it goes on to open.
    for (method, path) in &closed {
        let answer = send(&mut script, method.clone(), path, &[], None).await.expect(403);
        assert_eq!(slug(&answer), "second-factor-required", "{path}");
    }
    let _ = script.get(&format!("{D}/productions/{elsewhere}/assets")).await.expect(200);

    // At the next sign-in the same; then they add one, and are in at once.
    let mut again = kinora.visitor();
    let session = again.sign_in("ada@x.example", PASSWORD).await.expect(200).json();
    assert_eq!(session["second_factor_required"], true);
    let _ = again.get(&closed[0].1).await.expect(403);
    let (app, _) = enrol_app(&mut again).await;
    for (method, path) in &closed {
        if !path.ends_with("/events") && !path.ends_with("/original") {
            for client in [&mut again, &mut script] {
                let answer = send(client, method.clone(), path, &[], None).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            }
        }
    }
    // The last factor stays as long as it is asked for.
    let refused = again.delete(&format!("{D}/account/factors/authenticator")).await.expect(409);
    assert!(text(&refused.json(), "/detail").contains("Kinora"));
    let _ = require(&mut owner, &own, false).await.expect(200);
    let_steps_pass(&kinora);
    let mut late = kinora.visitor();
    let _ = sign_in_with_code(&mut late, "ada@x.example", PASSWORD, &app.code()).await.expect(200);
    let _ = late.delete(&format!("{D}/account/factors/authenticator")).await.expect(204);
    let _ = late.get(&closed[0].1).await.expect(200);
}

#[tokio::test]
async fn an_open_stream_ends_when_a_second_factor_is_asked_for() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (person, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let film = add_production(&mut owner, &own, "Film").await;
    let path = format!("{D}/productions/{film}/members/{person}");
    let _ = owner.put(&path, &json!({ "library": "reader" })).await.expect(200);
    let _ = enrol_app(&mut owner).await;
    let token = ada.post(&format!("{D}/account/tokens"), &json!({ "name": "script" })).await.expect(201);
    let script = Client::with_token(&kinora.url(), &text(&token.json(), "/secret"));
    let mut streams = Vec::new();
    for client in [&ada, &script] {
        let path = format!("{D}/productions/{film}/events");
        let stream = client.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let _ = require(&mut owner, &own, true).await.expect(200);
    // They end by themselves; a stream that goes on would run into the test's deadline.
    for stream in streams {
        let end = tokio::time::timeout(kinora_tests::DEADLINE, stream.bytes()).await;
        assert!(end.is_ok(), "the stream goes on");
    }
}

#[tokio::test]
async fn an_administrator_helps_somebody_who_has_lost_theirs() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (person, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (_, mut boss) = add_person(&kinora, &mut owner, &own, "boss@x.example", "administrator").await;
    let (_, mut member) = add_person(&kinora, &mut owner, &own, "member@x.example", "member").await;
    let path = format!("{D}/organisations/{own}/people/{person}/factors");
    assert_eq!(slug(&boss.delete(&path).await.expect(409)), "conflict");
    let _ = enrol_app(&mut ada).await;
    let people = boss.get(&format!("{D}/organisations/{own}/people")).await.expect(200).json();
    let has = |login: &str| {
        let all = people["items"].as_array().unwrap();
        all.iter().find(|item| item["login"] == login).unwrap()["has_second_factor"].clone()
    };
    assert_eq!((has("ada@x.example"), has("member@x.example")), (json!(true), json!(false)));
    let _ = member.delete(&path).await.expect(403);
    let _ = boss.delete(&path).await.expect(204);
    let _ = ada.get(&format!("{D}/session")).await.expect(401);
    let mut fresh = kinora.visitor();
    let session = fresh.sign_in("ada@x.example", PASSWORD).await.expect(200).json();
    assert_eq!(session["factors"], json!({ "authenticator": false, "passkey": false, "email_code": false }));
    let audit = boss.get(&format!("{D}/organisations/{own}/audit")).await.expect(200).json();
    let row = audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "factors.reset").unwrap();
    assert_eq!((&row["actor"], &row["subject"]), (&json!("boss@x.example"), &json!("ada@x.example")));

    // Not one's own, and not of somebody who belongs to others as well.
    let me = text(&boss.get(&format!("{D}/session")).await.json(), "/person/id");
    let _ = enrol_app(&mut boss).await;
    let mine = format!("{D}/organisations/{own}/people/{me}/factors");
    assert_eq!(slug(&boss.delete(&mine).await.expect(409)), "conflict");
    let add = json!({ "login": "ada@x.example", "display_name": "Ada", "role": "member" });
    let _ = owner.post(&format!("{D}/organisations/{other}/people"), &add).await.expect(201);
    let _ = enrol_app(&mut fresh).await;
    assert_eq!(slug(&boss.delete(&path).await.expect(403)), "forbidden");
}

#[tokio::test]
async fn an_operator_helps_the_only_owner() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let _ = enrol_app(&mut owner).await;
    let reset = || {
        std::process::Command::new(program("kinoractl"))
            .args(["person", "reset-factors", "--login", "ADMIN@localhost", "--settings"])
            .arg(kinora.directory().join("settings/application-1.toml"))
            .arg("--credentials")
            .arg(kinora.directory().join("credentials/application"))
            .output()
            .expect("kinoractl starts")
    };
    let done = reset();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = reset();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("no second factor"));
    wait_until("the session has ended", async || {
        (owner.get(&format!("{D}/session")).await.status == 401).then_some(())
    })
    .await;
    let mut fresh = kinora.visitor();
    let _ = fresh.sign_in("admin@localhost", kinora_tests::ADMINISTRATOR_PASSWORD).await.expect(200);
    let own = organisation_of(&mut fresh, "Kinora").await;
    let audit = fresh.get(&format!("{D}/organisations/{own}/audit")).await.expect(200).json();
    let row = audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "person.factors_reset");
    assert!(text(row.unwrap(), "/actor").starts_with("kinoractl person reset-factors ("));
    let _ = finish(&mut kinora.visitor(), &json!({ "code": "123456" })).await.expect(401);
}
