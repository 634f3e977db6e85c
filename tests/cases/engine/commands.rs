//! The backend's commands, and what it refuses.

use std::path::{Path, PathBuf};
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
    let kinora = Kinora::builder().nobody_yet().start().await;
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
    let (settings, credentials) = settings_of(&kinora);
    let mut owner = kinora.connect();
    let mut change = |statement: &str| diesel::sql_query(statement).execute(&mut owner).unwrap();
    change("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    // Returned to from a later release: nothing is missing, and nothing is touched, the later one's rights neither.
    change("GRANT DELETE ON support_grants TO kinora_backend");
    let output = backend(&settings, Some(&credentials), &["migrate"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), r#"{"applied":[]}"#);
    let may = "SELECT has_table_privilege('kinora_backend', 'support_grants', 'DELETE')::text AS word";
    assert_eq!(word(&mut kinora.connect(), may), "true");
    change("DELETE FROM __diesel_schema_migrations WHERE version = '20261122210000'");
    let output = backend(&settings, Some(&credentials), &["migrate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("migrated by a later release (29990101000000)"), "{}", errors(&output));
    change("DELETE FROM __diesel_schema_migrations");
    let output = backend(&settings, Some(&credentials), &["run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("run 'kinora-backend migrate' first"), "{}", errors(&output));
}

/// The backend's settings and credentials.
fn settings_of(kinora: &Kinora) -> (PathBuf, PathBuf) {
    // Writes them.
    let _ = kinora.run_backend(&["check-config"]);
    (kinora.directory().join("settings/backend.toml"), kinora.directory().join("credentials/backend"))
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrade_check_says_in_words_what_speaks_against_this_release() {
    let kinora = Kinora::builder().start().await;
    let (settings, credentials) = settings_of(&kinora);
    let this = env!("CARGO_PKG_VERSION");
    let check = |arguments: &[&str]| {
        let output = backend(&settings, Some(&credentials), &[&["upgrade-check"], arguments].concat());
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), errors(&output));
        (output.status.code(), text)
    };
    let refused = |arguments: &[&str], expected: &str| {
        let (code, text) = check(arguments);
        assert_eq!(code, Some(3), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    };
    let mut owner = kinora.connect();
    let mut change = |statement: &str| diesel::sql_query(statement).execute(&mut owner).unwrap();
    let before =
        word(&mut kinora.connect(), "SELECT string_agg(version, ' ' ORDER BY version) AS word FROM releases");
    assert_eq!(before, this);

    // As the backend's own role, on the database as it is.
    let installed = format!("--installed={this}~dev1.g0000000-1");
    let (code, text) =
        check(&[&installed, "--engine=rabbitmq-server=4.0.5-6", "--engine=redis-server=5:8.0.2-3"]);
    assert_eq!(
        (code, text.trim()),
        (Some(0), format!("{this} may be installed; the database is as it needs it").as_str())
    );
    let (code, text) = check(&["--back"]);
    assert_eq!(
        (code, text.trim()),
        (Some(0), format!("{this} may be returned to; the database is its own").as_str())
    );

    refused(&["--installed=99.0.0-1"], "99.0.0 is installed, or was");
    refused(&["--engine=rabbitmq-server=3.9.13-1"], "rabbitmq-server is 3.9.13-1");

    change("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')");
    refused(&[], "the database was migrated by a later build (29990101000000)");
    change("INSERT INTO releases (version) VALUES ('99.0.0')");
    refused(&[], "99.0.0 is installed, or was");
    let (code, text) = check(&["--back", "--installed=99.0.0-1"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the database keeps 29990101000000"), "{text}");
    change("INSERT INTO releases (version) VALUES ('99.1.0')");
    refused(&["--back"], "99.0.0 and 99.1.0 have brought the database on since");

    // All since the table of releases came, which is dropped below.
    let since = "FROM __diesel_schema_migrations WHERE version BETWEEN '20261122210000' AND '2999'";
    let lacking = word(
        &mut kinora.connect(),
        &format!("SELECT string_agg(version, ', ' ORDER BY version) AS word {since}"),
    );
    assert!(lacking.starts_with("20261122210000"), "{lacking}");
    change("DELETE FROM __diesel_schema_migrations WHERE version >= '20261122210000'");
    refused(&["--back"], &format!("the database lacks migrations of this release ({lacking})"));
    change("DROP TABLE releases");
    let (code, text) = check(&[]);
    assert_eq!(
        (code, text.trim()),
        (Some(0), format!("{this} may be installed; the database gets {lacking}").as_str())
    );
    change("DELETE FROM __diesel_schema_migrations");
    refused(&[], "this database holds no installation");

    // Wrong words and a database that does not answer are something else than a refusal.
    assert_eq!(check(&["--installed=yesterday"]).0, Some(1));
    assert_eq!(check(&["--engine=rabbitmq"]).0, Some(2));
}
