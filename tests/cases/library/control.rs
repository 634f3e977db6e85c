//! `kinoractl`: the canary against a whole Kinora, and the commands on the server.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use kinora_core::{AssetId, OrganisationId};
use kinora_store::Origin;
use kinora_store::audit::{self, Act};
use kinora_store::schema::{access_tokens, assets, productions};
use kinora_tests::{ADMINISTRATOR_PASSWORD, Client, Kinora, program, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::accounts::world::token_of;
use crate::media::support::count;

/// Runs the command with a first line on standard input.
pub(crate) async fn kinoractl(arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(program("kinoractl"))
        .args(arguments)
        .env_remove("CREDENTIALS_DIRECTORY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // It may have ended without reading.
    let _ = stdin.write_all(format!("{input}\n").as_bytes()).await;
    drop(stdin);
    process.wait_with_output().await.unwrap()
}

/// Runs a command that uses the database.
pub(crate) async fn on_server(kinora: &Kinora, arguments: &[&str]) -> Output {
    let settings = kinora.directory().join("settings/application.toml");
    let credentials = kinora.directory().join("credentials/application");
    let access = ["--settings", settings.to_str().unwrap(), "--credentials", credentials.to_str().unwrap()];
    kinoractl(&[arguments, &access].concat(), "").await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[tokio::test]
async fn audit_verify_finds_rows_that_were_altered_removed_moved_or_cut_off() {
    let kinora = Kinora::builder().applications(1).nobody_yet().start().await;
    let mut conn = kinora.connect();
    for number in 0..1200 {
        let act = Act::new("test.done", "test", AssetId::new(), &format!("thing {number}"));
        audit::record(&mut conn, &Origin::system("test"), act.in_organisation(OrganisationId::new()))
            .unwrap();
    }
    let sound = on_server(&kinora, &["audit", "verify"]).await;
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stderr));
    assert!(text(&sound.stdout).contains("intact: 1200 rows"), "{}", text(&sound.stdout));
    let swap = "UPDATE audit_rows SET sequence = CASE sequence WHEN 9001 THEN 9002 ELSE 9001 END WHERE sequence IN (9001, 9002)";
    let moved = format!(
        "UPDATE audit_rows SET sequence = sequence + 8900 WHERE sequence IN (101, 102); \
         ALTER TABLE audit_rows DROP CONSTRAINT audit_rows_pkey; {swap}; \
         UPDATE audit_rows SET sequence = sequence - 8900 WHERE sequence > 9000"
    );
    for (change, verdict, row) in [
        ("UPDATE audit_rows SET subject = 'another' WHERE sequence = 700", "altered", 700),
        ("UPDATE audit_rows SET after = '{\"role\": \"owner\"}' WHERE sequence = 1200", "altered", 1200),
        ("UPDATE audit_rows SET address = '' WHERE sequence = 1", "altered", 1),
        ("DELETE FROM audit_rows WHERE sequence = 5", "missing", 5),
        ("DELETE FROM audit_rows WHERE sequence = 1", "missing", 1),
        ("DELETE FROM audit_rows WHERE sequence > 1190", "cut_off", 1190),
        (&moved, "altered", 101),
        ("UPDATE audit_head SET hash = decode(repeat('11', 32), 'hex')", "altered", 1200),
    ] {
        conn.batch_execute(
            "CREATE TABLE saved_rows AS TABLE audit_rows; CREATE TABLE saved_head AS TABLE audit_head",
        )
        .unwrap();
        conn.batch_execute(change).unwrap();
        let found = on_server(&kinora, &["audit", "verify", "--json"]).await;
        assert_eq!(found.status.code(), Some(1), "{change}: {}", text(&found.stderr));
        let json: Value = serde_json::from_slice(&found.stdout).unwrap();
        assert_eq!((&json["verdict"], &json["row"]), (&json!(verdict), &json!(row)), "{change}");
        conn.batch_execute(
            "TRUNCATE audit_rows, audit_head; INSERT INTO audit_rows TABLE saved_rows; \
             INSERT INTO audit_head TABLE saved_head; DROP TABLE saved_rows, saved_head",
        )
        .unwrap();
    }
    let sound = on_server(&kinora, &["audit", "verify"]).await;
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stdout));
}

#[tokio::test]
async fn tokens_and_password_links_are_made_on_the_server_and_leave_audit_rows() {
    let kinora = Kinora::api().await;
    let mut administrator = kinora.administrator().await;
    let login = administrator.get("/api/data/v1/session").await.json()["person"]["login"]
        .as_str()
        .unwrap()
        .to_owned();
    let made =
        on_server(&kinora, &["token", "create", "--login", &login, "--name", "night job", "--days", "2"])
            .await;
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let token = text(&made.stdout);
    let mut client = Client::with_token(&kinora.url(), &token);
    let session = client.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["person"]["login"], login.as_str());
    // Of the token, only a digest is anywhere.
    let digests: Vec<Vec<u8>> =
        access_tokens::table.select(access_tokens::token_digest).load(&mut kinora.connect()).unwrap();
    assert!(digests.iter().all(|digest| digest.len() == 32));
    let linked = on_server(&kinora, &["person", "password-link", "--login", &login.to_uppercase()]).await;
    assert_eq!(linked.status.code(), Some(0), "{}", text(&linked.stderr));
    let link = text(&linked.stdout);
    let secret = token_of(&link);
    let mut visitor = kinora.visitor();
    let whose =
        visitor.post("/api/data/v1/password-link", &json!({ "token": secret })).await.expect(200).json();
    assert_eq!(whose["login"], login.as_str());
    let organisation = session["organisations"][0]["id"].as_str().unwrap().to_owned();
    let rows = administrator
        .get(&format!("/api/data/v1/organisations/{organisation}/audit"))
        .await
        .expect(200)
        .text();
    for action in ["person.token_issued", "person.password_link_issued"] {
        assert!(rows.contains(action), "{action}: {rows}");
    }
    assert!(!rows.contains(&token) && !rows.contains(&secret));
    for arguments in [
        &["token", "create", "--login", "nobody@localhost"][..],
        &["person", "password-link", "--login", "nobody@localhost"],
    ] {
        let refused = on_server(&kinora, arguments).await;
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("nobody@localhost"), "{}", text(&refused.stderr));
        assert_eq!(text(&refused.stdout), "");
    }
}

#[tokio::test]
async fn commands_on_the_server_say_what_they_miss() {
    let kinora = Kinora::api().await;
    let settings = kinora.directory().join("settings/application.toml");
    let settings = settings.to_str().unwrap();
    let no_secret = kinoractl(&["audit", "verify", "--settings", settings], "").await;
    assert_eq!(no_secret.status.code(), Some(78));
    assert!(text(&no_secret.stderr).contains("database-password"), "{}", text(&no_secret.stderr));
    let no_file = kinoractl(&["audit", "verify", "--settings", "/nowhere.toml"], "").await;
    assert_eq!(no_file.status.code(), Some(78));
    assert!(text(&no_file.stderr).contains("/nowhere.toml"));
}

/// Two seconds of picture and sound.
async fn make_film(directory: &Path) -> PathBuf {
    let file = directory.join("Canary film.mp4");
    let status = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25",
            "-f",
            "lavfi",
            "-i",
            "sine",
        ])
        .args(["-t", "2", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"])
        .arg(&file)
        .status()
        .await
        .unwrap();
    assert!(status.success());
    file
}

fn stages(output: &Output) -> (Value, Vec<String>) {
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
    let names = json["stages"].as_array().unwrap().iter();
    let names = names.map(|stage| stage["name"].as_str().unwrap().to_owned()).collect();
    (json, names)
}

fn scratch_productions(kinora: &Kinora) -> i64 {
    productions::table
        .filter(productions::removed_at.is_null())
        .filter(productions::name.like("Canary %"))
        .count()
        .get_result(&mut kinora.connect())
        .unwrap()
}

#[tokio::test]
async fn the_canary_walks_the_whole_path_and_leaves_nothing() {
    let kinora = Kinora::whole().await;
    let mut administrator = kinora.administrator().await;
    let login = administrator.get("/api/data/v1/session").await.json()["person"]["login"]
        .as_str()
        .unwrap()
        .to_owned();
    let film = make_film(kinora.directory()).await;
    let (url, film) = (kinora.url(), film.to_str().unwrap().to_owned());
    let arguments = ["canary", "--url", &url, "--login", &login, "--file", &film];
    let walked = kinoractl(&[&arguments[..], &["--json"]].concat(), ADMINISTRATOR_PASSWORD).await;
    let (json, names) = stages(&walked);
    assert_eq!(
        names,
        ["read_file", "sign_in", "make_production", "upload", "ingest", "compare", "play", "clean_up"],
        "{json:#}"
    );
    assert_eq!((walked.status.code(), &json["ok"]), (Some(0), &json!(true)), "{json:#}");
    let broken = json["stages"][3]["detail"].as_str().unwrap();
    assert!(broken.contains("went on after a break"), "{broken}");
    let left = json["stages"][7]["detail"].as_str().unwrap();
    assert!(left.contains("its media goes within the hour"), "{left}");
    assert_eq!(scratch_productions(&kinora), 0);
    let there = |what: &str| count(&mut kinora.connect(), what);
    assert!(there("objects") > 1, "an original and what was made of it");
    let unlisted = "objects o WHERE NOT EXISTS (SELECT FROM orphan_objects w WHERE w.object_id = o.id \
                    AND w.remove_after <= now() + interval '1 hour')";
    assert_eq!(there(unlisted), 0, "everything goes within the hour");

    // A wrong password, without JSON: the failed stage is named.
    let refused = kinoractl(&arguments, "wrong password of some length").await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stdout).ends_with("in stage sign_in"), "{}", text(&refused.stdout));

    // With a token, and a file that is no film.
    let made = on_server(&kinora, &["token", "create", "--login", &login]).await;
    let not_a_film = kinora.directory().join("notes.mov");
    std::fs::write(&not_a_film, "This is no film. ".repeat(100)).unwrap();
    let arguments = ["canary", "--url", &url, "--token", "--json", "--file", not_a_film.to_str().unwrap()];
    let failed = kinoractl(&arguments, &text(&made.stdout)).await;
    let (json, _) = stages(&failed);
    assert_eq!((failed.status.code(), &json["failed_stage"]), (Some(1), &json!("ingest")), "{json:#}");
    assert!(json["stages"][4]["detail"].as_str().unwrap().contains("not a media file"), "{json:#}");
    assert_eq!(json["stages"].as_array().unwrap().last().unwrap()["ok"], true, "{json:#}");
    assert_eq!(scratch_productions(&kinora), 0);
}

#[tokio::test]
async fn the_canary_explains_one_time_passwords_and_unreachable_addresses() {
    let kinora = Kinora::builder().applications(1).nobody_yet().start().await;
    let (login, password) = kinora.create_administrator();
    let url = kinora.url();
    let file = program("kinoractl");
    let file = file.to_str().unwrap();
    let arguments = ["canary", "--json", "--url", &url, "--login", &login, "--file", file];
    let refused = kinoractl(&arguments, &password).await;
    let (json, _) = stages(&refused);
    assert_eq!(json["failed_stage"], "sign_in");
    assert!(json["stages"][1]["detail"].as_str().unwrap().contains("one-time password"), "{json:#}");
    let arguments = ["canary", "--json", "--url", "http://127.0.0.1:1", "--login", "x", "--file", file];
    let (json, _) = stages(&kinoractl(&arguments, "x").await);
    assert_eq!(json["failed_stage"], "sign_in");
    let no_password = kinoractl(&["canary", "--url", &url, "--login", "x", "--file", file], "").await;
    assert_eq!(no_password.status.code(), Some(2));
    assert!(text(&no_password.stderr).contains("password is expected"), "{}", text(&no_password.stderr));
}

/// Begins a flight as the first administrator; also gives what to send its signals to.
async fn take_off(kinora: &Kinora) -> (Child, Pid) {
    let mut administrator = kinora.administrator().await;
    let session = administrator.get("/api/data/v1/session").await.json();
    let login = session["person"]["login"].as_str().unwrap();
    let file = kinora.directory().join("film.mov");
    std::fs::write(&file, vec![7; 100_000]).unwrap();
    let mut process = Command::new(program("kinoractl"))
        .args(["canary", "--json", "--url", &kinora.url(), "--login", login, "--file"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(format!("{ADMINISTRATOR_PASSWORD}\n").as_bytes()).await.unwrap();
    let id = Pid::from_raw(process.id().unwrap().try_into().unwrap()).unwrap();
    (process, id)
}

fn assets_there(kinora: &Kinora) -> i64 {
    assets::table.filter(assets::removed_at.is_null()).count().get_result(&mut kinora.connect()).unwrap()
}

/// It said that it was interrupted, and left nothing.
async fn expect_landed(kinora: &Kinora, process: Child) {
    let output = process.wait_with_output().await.unwrap();
    let (json, names) = stages(&output);
    assert_eq!(output.status.code(), Some(130), "{json:#}");
    assert_eq!(names.last().unwrap(), "clean_up");
    assert_eq!(json["stages"].as_array().unwrap().last().unwrap()["ok"], true, "{json:#}");
    assert_eq!((assets_there(kinora), scratch_productions(kinora)), (0, 0));
}

#[tokio::test]
async fn the_canary_cleans_up_when_it_is_interrupted() {
    // Without a backend the ingest never ends.
    let kinora = Kinora::api().await;
    let (process, id) = take_off(&kinora).await;
    wait_until("the canary has uploaded its file", async || (assets_there(&kinora) == 1).then_some(())).await;
    kill_process(id, Signal::INT).unwrap();
    expect_landed(&kinora, process).await;
}

#[tokio::test]
async fn a_canary_interrupted_while_its_production_is_made_removes_that_too() {
    let kinora = Kinora::api().await;
    let mut held = kinora.connect();
    held.batch_execute("BEGIN; LOCK TABLE productions IN SHARE ROW EXCLUSIVE MODE").unwrap();
    let (process, id) = take_off(&kinora).await;
    let waits = "SELECT 1 FROM pg_locks WHERE relation = 'productions'::regclass AND NOT granted";
    wait_until("the production is being made", async || {
        (diesel::sql_query(waits).execute(&mut kinora.connect()).unwrap() > 0).then_some(())
    })
    .await;
    kill_process(id, Signal::INT).unwrap();
    held.batch_execute("COMMIT").unwrap();
    expect_landed(&kinora, process).await;
}
