//! The authenticator app and recovery codes: enrolment, two steps, each code once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use kinora_core::PersonId;
use kinora_store::second_factors::recovery::digest;
use kinora_tests::{ADMINISTRATOR_PASSWORD, Kinora};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::world::{PASSWORD, add_person, execute, organisation_of, send, text};
use super::{APP, D, FAST, SECOND, enrol_app, finish, let_steps_pass, sign_in_with_code, slug, strings};

const LOGIN: &str = "admin@localhost";

#[tokio::test]
async fn an_app_is_set_up_and_asked_for() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let mut elsewhere = kinora.visitor();
    let _ = elsewhere.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(200);

    let begun = owner.post(APP, &json!({})).await.expect(200).json();
    assert!(
        text(&begun, "/uri").starts_with("otpauth://totp/Kinora%20%28localhost%29:admin%40localhost?secret=")
    );
    assert!(text(&begun, "/qr/path").starts_with('M'));
    // Nothing is asked for before a first code has come.
    let _ = kinora.visitor().sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(200);
    for wrong in ["000", "12345x", "1234567"] {
        let problem = owner.put(APP, &json!({ "code": wrong })).await.expect(422).json();
        assert_eq!(text(&problem, "/errors/0/pointer"), "/code");
    }
    let (app, codes) = enrol_app(&mut owner).await;
    assert_eq!(codes.len(), 10);
    // The secret of the first enrolment was replaced by that of the second.
    assert!(!text(&begun, "/key").contains(&app.key));
    let factors = owner.get(&format!("{D}/account/factors")).await.expect(200).json();
    assert_eq!(factors["recovery_codes_left"], 10);
    assert!(factors["authenticator"]["created_at"].is_string());
    let _ = elsewhere.get(&format!("{D}/session")).await.expect(401);
    let _ = owner.get(&format!("{D}/session")).await.expect(200);

    let mut visitor = kinora.visitor();
    let half = visitor.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    assert_eq!(
        half.json()["factors"],
        json!({ "authenticator": true, "passkey": false, "email_code": false })
    );
    let cookie = half.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-kinora-pending="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    assert!(visitor.cookie("__Host-kinora").is_none());
    // The code of the enrolment was used.
    let used = finish(&mut visitor, &json!({ "code": app.used })).await.expect(422).json();
    assert_eq!(text(&used, "/errors/0/pointer"), "/code");
    let_steps_pass(&kinora);
    let pending = visitor.cookie("__Host-kinora-pending").unwrap().to_owned();
    let _ = finish(&mut visitor, &json!({ "code": app.code() })).await.expect(200);
    assert!(visitor.cookie("__Host-kinora-pending").is_none());
    assert_ne!(visitor.cookie("__Host-kinora").unwrap(), pending, "the token is another one");
    let session = visitor.get(&format!("{D}/session")).await.expect(200).json();
    assert_eq!(session["factors"]["authenticator"], true);
    // The half sign-in is over with it.
    let mut late = kinora.visitor();
    let request =
        late.request(Method::POST, SECOND).header("cookie", format!("__Host-kinora-pending={pending}"));
    let again = late.send(request.json(&json!({ "code": app.code() }))).await.expect(401);
    assert_eq!(slug(&again), "sign-in-required");

    let_steps_pass(&kinora);
    let _ = visitor.delete(APP).await.expect(204);
    let _ = kinora.visitor().sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(200);
    let factors = visitor.get(&format!("{D}/account/factors")).await.expect(200).json();
    assert_eq!((&factors["authenticator"], &factors["recovery_codes_left"]), (&json!(null), &json!(0)));
}

#[tokio::test]
async fn half_a_sign_in_opens_nothing() {
    let kinora = Kinora::builder().applications(1).settings("application", FAST).start().await;
    let mut owner = kinora.administrator().await;
    let _ = enrol_app(&mut owner).await;
    let mut half = kinora.visitor();
    let _ = half.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    let pending = half.cookie("__Host-kinora-pending").unwrap().to_owned();
    let document = kinora.visitor().get("/api/openapi.json").await.expect(200).json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_entrance = path.ends_with("/session")
            || path.contains("/session/")
            || path.contains("/v1/password-link")
            || path.ends_with("/v1/address-confirmation")
            || path.ends_with("/v1/invitation")
            || path.ends_with("/v1/invitation/account")
            || path.ends_with("/v1/support-access");
        if !path.starts_with("/api/") || is_entrance {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if method == Method::OPTIONS {
                continue;
            }
            let filled = path.replace(['{', '}'], "");
            // Also where the token is sent as if it were a session's, or an access token.
            for headers in [
                vec![("Tus-Resumable", "1.0.0")],
                vec![("Tus-Resumable", "1.0.0"), ("Authorization", &*format!("Bearer {pending}"))],
            ] {
                let answer = send(&mut half, method.clone(), &filled, &headers, None).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
            }
            let mut forged = kinora.visitor();
            let cookie = format!("__Host-kinora={pending}");
            let answer = send(
                &mut forged,
                method.clone(),
                &filled,
                &[("Tus-Resumable", "1.0.0"), ("Cookie", &cookie)],
                None,
            )
            .await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
    let _ = half.get(&format!("{D}/session")).await.expect(401);
}

#[tokio::test]
async fn each_code_is_good_for_one_sign_in_on_one_instance() {
    let kinora = Kinora::builder().applications(2).start().await;
    let mut owner = kinora.administrator().await;
    let (app, codes) = enrol_app(&mut owner).await;
    for kind in ["code", "recovery_code"] {
        let_steps_pass(&kinora);
        let mut halves = Vec::new();
        for number in 0..4 {
            let mut client = kinora.visitor().at(&kinora.url_of(number % 2));
            let _ = client.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
            halves.push(client);
        }
        let proof = if kind == "code" { app.code() } else { codes[0].to_uppercase().replace('-', " ") };
        let body = json!({ kind: proof });
        let answers = join_all(halves.iter_mut().map(|client| client.post(SECOND, &body))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422, 422, 422], "{kind}");
    }
    let factors = owner.get(&format!("{D}/account/factors")).await.expect(200).json();
    assert_eq!(factors["recovery_codes_left"], 9);
    let mut late = kinora.visitor();
    let _ = late.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    let used = finish(&mut late, &json!({ "recovery_code": codes[0] })).await.expect(422).json();
    assert_eq!(text(&used, "/errors/0/pointer"), "/recovery_code");
    // Making others takes the rest away.
    let made =
        owner.post(&format!("{D}/account/factors/recovery-codes"), &json!({})).await.expect(200).json();
    let fresh = strings(&made["recovery_codes"]);
    assert_eq!(fresh.len(), 10);
    let _ = finish(&mut late, &json!({ "recovery_code": codes[1] })).await.expect(422);
    let _ = finish(&mut late, &json!({ "recovery_code": fresh[3] })).await.expect(200);
}

/// They had four groups of four letters, and the same digest.
#[tokio::test]
async fn codes_of_former_releases_work_on() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let (_, codes) = enrol_app(&mut owner).await;
    assert!(codes.iter().all(|code| code.len() == 34), "{codes:?}");
    let person: PersonId =
        text(&owner.get(&format!("{D}/session")).await.json(), "/person/id").parse().unwrap();
    let former = "abcd-efgh-jkmn-pqrs";
    let digest: String = digest(person, former).iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = execute(
        &kinora,
        &format!("INSERT INTO recovery_codes (person_id, code_digest) VALUES ('{person}', '\\x{digest}')"),
    );
    for code in [former, &codes[0]] {
        let mut client = kinora.visitor();
        let _ = client.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
        let _ = finish(&mut client, &json!({ "recovery_code": code })).await.expect(200);
    }
}

#[tokio::test]
async fn what_ends_sessions_ends_half_sign_ins_too() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (person, mut ada) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let (app, _) = enrol_app(&mut ada).await;
    let_steps_pass(&kinora);
    let half = async || {
        let mut client = kinora.visitor();
        let _ = client.sign_in("ada@x.example", PASSWORD).await.expect(202);
        client
    };
    let mut before = half().await;
    let new = "nine Quiet rivers below the moon";
    let change = json!({ "current_password": PASSWORD, "new_password": new });
    let _ = ada.put(&format!("{D}/account/password"), &change).await.expect(204);
    assert_eq!(
        slug(&finish(&mut before, &json!({ "code": app.code() })).await.expect(401)),
        "sign-in-required"
    );

    let mut before = kinora.visitor();
    let _ = before.sign_in("ada@x.example", new).await.expect(202);
    let path = format!("{D}/organisations/{own}/people/{person}");
    let tag = owner.get(&path).await.expect(200).header("etag").unwrap().to_owned();
    let headers = [("If-Match", tag.as_str())];
    let _ = send(&mut owner, Method::PATCH, &path, &headers, Some(&json!({ "disabled": true })))
        .await
        .expect(200);
    let _ = finish(&mut before, &json!({ "code": app.code() })).await.expect(401);

    let _ = send(&mut owner, Method::PATCH, &path, &[("If-Match", "*")], Some(&json!({ "disabled": false })))
        .await
        .expect(200);
    let mut before = kinora.visitor();
    let _ = before.sign_in("ada@x.example", new).await.expect(202);
    assert_eq!(execute(&kinora, "UPDATE pending_sign_ins SET expires_at = now() - interval '1 second'"), 1);
    let _ = finish(&mut before, &json!({ "code": app.code() })).await.expect(401);
}

#[tokio::test]
async fn secrets_stand_nowhere_in_clear() {
    let mut kinora =
        Kinora::builder().applications(1).settings("application", "log = \"trace\"").start().await;
    let mut owner = kinora.administrator().await;
    let (app, codes) = enrol_app(&mut owner).await;
    let_steps_pass(&kinora);
    let code = app.code();
    let _ = sign_in_with_code(&mut kinora.visitor(), LOGIN, ADMINISTRATOR_PASSWORD, &code).await.expect(200);
    let mut recovering = kinora.visitor();
    let _ = recovering.sign_in(LOGIN, ADMINISTRATOR_PASSWORD).await.expect(202);
    let pending = recovering.cookie("__Host-kinora-pending").unwrap().to_owned();
    let _ = finish(&mut recovering, &json!({ "recovery_code": codes[0] })).await.expect(200);
    let key = app.key.replace(' ', "");
    let session = owner.cookie("__Host-kinora").unwrap().to_owned();
    let secrets =
        [key.clone(), app.key.clone(), codes[0].clone(), codes[1].clone(), pending, session.clone()];
    let log = kinora.application(0).log();
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log");
    }
    let bytes: String = totp_rs::Secret::try_from_base32(&key)
        .unwrap()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tables = [
        "totp_factors",
        "totp_enrolments",
        "recovery_codes",
        "pending_sign_ins",
        "audit_rows",
        "idempotency_keys",
        "sessions",
        "known_browsers",
    ];
    let found = |table: &str, secret: &str| {
        execute(&kinora, &format!("SELECT 1 FROM {table} t WHERE t::text LIKE '%{secret}%'"))
    };
    // What is stored as bytes shows as hexadecimal: the texts themselves, and what they stand for.
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut forms = vec![bytes, codes[0].replace('-', "")];
    for secret in &secrets {
        forms.extend([secret.clone(), hex(secret.as_bytes())]);
        forms.extend(URL_SAFE_NO_PAD.decode(secret).ok().map(|raw| hex(&raw)));
    }
    for table in tables {
        for form in &forms {
            assert_eq!(found(table, form), 0, "{form} is in {table}");
        }
    }
    // The search finds what is there: the digest of the session's token.
    assert_eq!(found("sessions", &hex(&Sha256::digest(session.as_bytes()))), 1);
}

#[tokio::test]
async fn secrets_of_apps_move_to_a_new_master_key() {
    let mut kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let (app, _) = enrol_app(&mut owner).await;
    let_steps_pass(&kinora);
    let file = kinora.directory().join("credentials/application/vault-master-key");
    let old = std::fs::read_to_string(&file).unwrap();
    let new = { base64::engine::general_purpose::STANDARD.encode([42_u8; 32]) };
    let put = |keys: &str| {
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, keys).unwrap();
    };
    put(&format!("{new}\n{old}"));
    let _ = kinora.application(0).stop().await;
    let _ = kinora.run_application(&["rewrap-keys"]);
    // Without the old one.
    put(&new);
    kinora.application(0).start().await;
    let _ = sign_in_with_code(&mut kinora.visitor(), LOGIN, ADMINISTRATOR_PASSWORD, &app.code())
        .await
        .expect(200);
}
