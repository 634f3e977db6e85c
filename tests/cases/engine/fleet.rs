//! How the fleet does: a backend asks a real Prometheus, the application shows what was written down, and
//! `kinoractl status` makes a page of it.

use std::fmt::Write as _;

use chrono::Utc;
use kinora_tests::{Client, Kinora, Prometheus, PrometheusTls, wait_until};
use serde_json::{Value, json};

use crate::accounts::world::{add_organisation, add_person, add_production, organisation_of, text};
use crate::library::control::kinoractl;
use crate::seams::authority::Authority;

const STATUS: &str = "/api/data/v1/installation/status";
const DASHBOARDS: &str = "/api/data/v1/installation/dashboards";

/// What does not change. `NOW` stands for seconds since 1970.
const FIGURES: &[(&str, &str)] = &[
    (r#"up{job="node",host="be1",groups=",backends,monitoring,"}"#, "1"),
    (r#"up{job="node",host="db1",groups=",databases,"}"#, "1"),
    (r#"up{job="node",host="db2",groups=",databases,"}"#, "1"),
    (r#"up{job="backend",host="be1"}"#, "1"),
    (r#"up{job="worker",host="db2"}"#, "0"),
    (r#"kinora_build_info{job="backend",host="be1",version="0.1.0"}"#, "1"),
    (r#"kinora_backend_leader{host="be1"}"#, "1"),
    (r#"patroni_primary{host="db1"}"#, "1"),
    (r#"patroni_primary{host="db2"}"#, "0"),
    (r#"patroni_replica{host="db1"}"#, "0"),
    (r#"patroni_replica{host="db2"}"#, "1"),
    (r#"patroni_xlog_location{host="db1"}"#, "5000"),
    (r#"patroni_xlog_replayed_location{host="db2"}"#, "4000"),
    (r#"kinora_certificate_ends_seconds{host="db1",file="host.pem"}"#, "4000000000"),
    (r#"node_filesystem_avail_bytes{host="db1",mountpoint="/srv",fstype="ext4"}"#, "60"),
    (r#"node_filesystem_free_bytes{host="db1",mountpoint="/srv",fstype="ext4"}"#, "60"),
    (r#"node_filesystem_size_bytes{host="db1",mountpoint="/srv",fstype="ext4"}"#, "100"),
    (r#"kinora_backup_newest_seconds{host="db1"}"#, "NOW"),
    (r#"kinora_drill_at_seconds{host="db1"}"#, "NOW"),
    (r#"kinora_drill_ok{host="db1"}"#, "0"),
    (r#"kinora_canary_stage_seconds{host="lb1",stage="ingest"}"#, "6"),
    (r#"kinora_canary_film_seconds{host="lb1"}"#, "4"),
    (r#"kinora_backend_oldest_step_seconds{host="be1",kind="proxy",state="waiting"}"#, "120"),
];

/// A value each minute for the last twenty, as OpenMetrics, which wants those of one name together.
fn figures() -> String {
    let now = Utc::now().timestamp();
    let mut text = String::new();
    for (name, value) in FIGURES {
        for minute in (0..20).rev() {
            let _ = writeln!(text, "{name} {} {}", value.replace("NOW", &now.to_string()), now - 60 * minute);
        }
    }
    text + "# EOF\n"
}

/// A Prometheus with these figures, and a Kinora whose backend asks it.
async fn watched() -> (Kinora, Prometheus) {
    let directory = kinora_tests::Stack::get().create_test_directory();
    let authority = Authority::new(&directory, "kinora");
    let server = authority.issue(&["localhost"]);
    server.write(&directory.join("prometheus"));
    let backend = authority.issue(&["be1.test"]);
    backend.write(&directory.join("be1"));
    let tls = PrometheusTls {
        certificate: directory.join("prometheus/host.pem"),
        key: directory.join("prometheus/host.key"),
        clients: authority.file(),
    };
    let prometheus = Prometheus::start(&figures(), &tls).await;
    let settings = format!(
        "monitoring.url = \"{}\"\nmonitoring.tls_authorities = \"{}\"\nmonitoring.interval = \"1s\"\n\
         tls.certificate = \"{}\"",
        prometheus.url(),
        authority.file().display(),
        directory.join("be1/host.pem").display(),
    );
    let key = String::from_utf8(backend.key_pem()).unwrap();
    let kinora = Kinora::builder()
        .applications(1)
        .backends(1)
        .settings("backend", &settings)
        .secret("backend", "tls-key", &key)
        .start()
        .await;
    (kinora, prometheus)
}

async fn status_when(client: &mut Client, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    wait_until(what, async || {
        let status = client.get(STATUS).await.expect(200).json();
        condition(&status).then_some(status)
    })
    .await
}

async fn token_of(client: &mut Client) -> String {
    let made = client.post("/api/data/v1/account/tokens", &json!({ "name": "status" })).await;
    text(&made.expect(201).json(), "/secret")
}

fn has_alert(status: &Value, name: &str) -> bool {
    status["glance"]["alerts"].as_array().is_some_and(|alerts| alerts.iter().any(|one| one["name"] == name))
}

#[tokio::test]
async fn what_prometheus_knows_is_on_the_page_and_stays_there_with_its_age_when_it_is_away() {
    let (kinora, mut prometheus) = watched().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let _ = add_production(&mut owner, &own, "Secret Film").await;
    let status = status_when(&mut owner, "an alert", |status| has_alert(status, "KinoraDrillFailed")).await;

    assert_eq!(status["monitoring"]["state"], "working");
    let hosts = status["glance"]["hosts"].as_array().unwrap();
    let names: Vec<&str> = hosts.iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["be1", "db1", "db2"]);
    assert_eq!(hosts[0]["roles"], json!(["backends", "monitoring"]));
    assert_eq!(hosts[0]["versions"], json!({ "backend": "0.1.0" }));
    assert_eq!(hosts[0]["leads"], true);
    assert_eq!(hosts[1]["is_primary"], true);
    assert_eq!(hosts[1]["certificate_ends_at"], "2096-10-02T07:06:40Z");
    assert_eq!(hosts[1]["fullest_disk"], "/srv");
    assert_eq!(hosts[1]["disk_used_ratio"], 0.4);
    assert_eq!(hosts[2]["replication_lag_bytes"], 1000.0);
    assert_eq!(hosts[2]["silent"], json!(["worker"]));
    assert_eq!(status["glance"]["backups"]["drill_ok"], false);
    assert_eq!(status["is_well"], false);
    assert!(!status.to_string().contains("Secret Film"), "{status}");

    let dashboards = wait_until("curves", async || {
        let answer = owner.get(DASHBOARDS).await.expect(200).json();
        (answer["panels"].as_array()?.len() == 6).then_some(answer)
    })
    .await;
    let panel = |name: &str| dashboards["panels"].as_array().unwrap().iter().find(|one| one["name"] == name);
    let queue = panel("queue_age").unwrap();
    assert_eq!(queue["day"]["series"][0]["name"], "proxy");
    let values = queue["day"]["series"][0]["values"].as_array().unwrap();
    assert_eq!((values.len(), &values[0], values.last().unwrap()), (97, &Value::Null, &json!(120.0)));
    assert_eq!(queue["fortnight"]["series"][0]["values"].as_array().unwrap().len(), 85);
    assert!(!dashboards.to_string().contains("Secret Film"));

    let token = token_of(&mut owner).await;
    let asked = kinoractl(&["status", "--url", &kinora.url()], &token).await;
    let page = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(1), "{page}");
    assert!(page.starts_with("LOOK NOW"), "{page}");
    assert!(page.contains("KinoraDrillFailed on db1"), "{page}");
    assert!(page.contains("standby, 1.0 kB behind; SILENT: worker"), "{page}");
    let asked = kinoractl(&["status", "--json", "--url", &kinora.url()], &token).await;
    let document: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(document["glance"]["hosts"], status["glance"]["hosts"]);

    prometheus.part().kill();
    let away =
        status_when(&mut owner, "a failure", |status| status["monitoring"]["state"] == "failing").await;
    assert_eq!(away["glance"]["hosts"], status["glance"]["hosts"]);
    assert!(away["attention"].to_string().contains("could not be asked"), "{away}");
    assert!(text(&away, "/monitoring/error").starts_with("Prometheus cannot be asked"), "{away}");
}

#[tokio::test]
async fn without_monitoring_the_database_tells_what_it_knows() {
    let kinora = Kinora::builder().applications(1).backends(1).start().await;
    let mut owner = kinora.administrator().await;
    let status = status_when(&mut owner, "the first look", |status| {
        status["monitoring"]["state"] == "unset" && status["storage"]["counted_at"].is_string()
    })
    .await;
    assert_eq!((&status["glance"], &status["is_well"]), (&Value::Null, &json!(true)));
    assert_eq!(owner.get(DASHBOARDS).await.expect(200).json()["panels"], json!([]));
    let token = token_of(&mut owner).await;
    let asked = kinoractl(&["status", "--url", &kinora.url()], &token).await;
    let page = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(0), "{page}");
    assert!(page.starts_with("ALL WELL"), "{page}");
    assert!(page.contains("this installation has no monitoring"), "{page}");
}

#[tokio::test]
async fn it_is_there_for_administrators_of_the_organisation_that_runs_the_installation_alone() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Other Studio").await;
    let (_, mut member) = add_person(&kinora, &mut owner, &own, "member@x.example", "member").await;
    let (_, mut administrator) = add_person(&kinora, &mut owner, &own, "it@x.example", "administrator").await;
    let (_, mut stranger) = add_person(&kinora, &mut owner, &other, "far@x.example", "owner").await;
    let scope = json!({ "name": "narrow", "scope": { "most_role": "manager", "modules": ["library"] } });
    let narrow = text(&owner.post("/api/data/v1/account/tokens", &scope).await.expect(201).json(), "/secret");
    for path in [STATUS, DASHBOARDS] {
        let _ = administrator.get(path).await.expect(200);
        let missing = stranger.get("/api/data/v1/organisations/none").await.expect(404).json();
        for client in [&mut member, &mut stranger] {
            let answer = client.get(path).await.expect(404);
            assert_eq!(answer.json()["detail"], missing["detail"]);
        }
        assert_eq!(kinora.visitor().get(path).await.status, 401);
    }
    let asked = kinoractl(&["status", "--url", &kinora.url()], &narrow).await;
    assert_eq!(asked.status.code(), Some(2));
    let error = String::from_utf8(asked.stderr).unwrap();
    assert!(error.contains("Only administrators of the organisation that runs"), "{error}");

    // Who has founded another organisation does not run the installation by it.
    let session = stranger.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["organisations"][0]["runs_installation"], false);
    let session = administrator.get("/api/data/v1/session").await.expect(200).json();
    assert_eq!(session["organisations"][0]["runs_installation"], true);
    // Nobody is told by a backend that has never led: that is said, and is not well.
    let status = administrator.get(STATUS).await.expect(200).json();
    assert_eq!(status["monitoring"]["state"], "unknown");
    assert_eq!(status["attention"][0]["severity"], "critical");
}
