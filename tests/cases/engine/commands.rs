//! The backend's commands, and what it refuses.

use std::path::Path;
use std::process::{Command, Output};

use diesel::prelude::*;
use kinora_store::passwords;
use kinora_tests::{Kinora, program};
use serde_json::Value;

use super::fixture::{number, word};

fn backend(settings: &Path, credentials: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(program("kinora-backend"));
    command.arg("--settings").arg(settings).args(arguments).env_remove("CREDENTIALS_DIRECTORY");
    if let Some(directory) = credentials {
        command.env("CREDENTIALS_DIRECTORY", directory);
    }
    command.output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_used_are_refused_with_file_line_and_key() {
    let kinora = Kinora::builder().start().await;
    let file = kinora.directory().join("bad.toml");
    let table = [
        ("\nlog_level = \"info\"\n", ":2: unknown key 'log_level'; did you mean"),
        ("[broker]\nhosst = []\n", ":2: unknown key 'broker.hosst'; did you mean 'broker.hosts'?"),
        ("[database]\npool_size = \"many\"\n", ":2: 'database.pool_size'"),
        ("[coordinator]\nmax_tries = 99\n", ":2: 'coordinator.max_tries' must be 1 to 20"),
        ("metrics_listen = \"everywhere\"\n", ":1: 'metrics_listen'"),
        ("= 1\n", ":1: not TOML"),
    ];
    for (text, expected) in table {
        std::fs::write(&file, text).unwrap();
        for command in ["check-config", "run", "migrate"] {
            let output = backend(&file, None, &[command]);
            assert_eq!(output.status.code(), Some(78), "{command} {text}");
            let told = errors(&output);
            assert!(told.contains(&format!("{}{expected}", file.display())), "{command} {text}: {told}");
        }
    }
    std::fs::write(&file, "").unwrap();
    assert_eq!(backend(&file, None, &["check-config"]).status.code(), Some(0));
    let missing = kinora.directory().join("nowhere.toml");
    let output = backend(&missing, None, &["check-config"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(errors(&output).contains("nowhere.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_named_with_its_file() {
    let kinora = Kinora::builder().start().await;
    let file = kinora.directory().join("fine.toml");
    std::fs::write(&file, "metrics_listen = \"127.0.0.1:0\"\n").unwrap();
    let credentials = kinora.directory().join("some-credentials");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(credentials.join("database-password"), "secret\n").unwrap();
    for command in ["check-config", "run"] {
        let output = backend(&file, Some(&credentials), &[command]);
        assert_eq!(output.status.code(), Some(78), "{command}");
        let told = errors(&output);
        let expected = format!(
            "the secret 'broker-password' is missing: it is expected in the file {}",
            credentials.join("broker-password").display()
        );
        assert!(told.contains(&expected), "{command}: {told}");
        assert!(!told.contains("'database-password'"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_owns_an_organisation_and_must_choose_a_password() {
    let kinora = Kinora::builder().start().await;
    let arguments = [
        "create-administrator",
        "--login",
        "Ada@Studio.example",
        "--name",
        "Ada",
        "--organisation",
        "Studio",
    ];
    let answer: Value = serde_json::from_str(&kinora.run_backend(&arguments)).unwrap();
    let mut connection = kinora.connect();
    let person = "SELECT login || ' ' || login_key || ' ' || password_change_required AS word FROM people";
    assert_eq!(word(&mut connection, person), "Ada@Studio.example ada@studio.example true");
    assert_eq!(word(&mut connection, "SELECT role AS word FROM organisation_members"), "owner");
    let hash = word(&mut connection, "SELECT password_hash AS word FROM people");
    let password = answer["one_time_password"].as_str().unwrap();
    assert!(passwords::verify(password, &hash).unwrap());
    assert!(hash.starts_with("$2b$12$"), "{hash}");
    assert_eq!(number(&mut connection, "SELECT count(*) AS number FROM audit_rows"), 2);
    let said = word(&mut connection, "SELECT string_agg(after::text, ' ') AS word FROM audit_rows");
    assert!(!said.contains(password));

    // There is a first administrator only once: whoever tries again is told so, and nothing is made.
    let again =
        ["create-administrator", "--login", "eve@studio.example", "--name", "E", "--organisation", "Other"];
    let answer: Value = serde_json::from_str(&kinora.run_backend(&again)).unwrap();
    assert_eq!(answer, serde_json::json!({ "already_present": true }));
    assert_eq!(number(&mut connection, "SELECT count(*) AS number FROM organisations"), 1);
    assert_eq!(number(&mut connection, "SELECT count(*) AS number FROM people"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_does_not_run_on_an_older_schema_nor_migrate_a_newer_one() {
    let kinora = Kinora::builder().start().await;
    // Writes the settings.
    let _ = kinora.run_backend(&["check-config"]);
    let settings = kinora.directory().join("settings/backend.toml");
    let credentials = kinora.directory().join("credentials/backend");
    let mut owner = kinora.connect();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .execute(&mut owner)
        .unwrap();
    let output = backend(&settings, Some(&credentials), &["migrate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("migrated by a later release (29990101000000)"), "{}", errors(&output));
    diesel::sql_query("DELETE FROM __diesel_schema_migrations").execute(&mut owner).unwrap();
    let output = backend(&settings, Some(&credentials), &["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("run 'kinora-backend migrate' first"), "{}", errors(&output));
}
