//! The audit trail: every change is in it, and tampering shows.

use diesel::prelude::*;
use kinora_core::{OrganisationId, PersonId};
use kinora_store::audit::{self, Act, Origin, Verdict};
use kinora_tests::{DatabaseRole, Kinora, TestDatabase};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{
    PASSWORD, add_organisation, add_person, add_production, execute, organisation_of, send, text,
};

fn write_rows(connection: &mut PgConnection, count: usize) {
    let organisation = OrganisationId::new();
    for number in 0..count {
        let act = Act::new("thing.changed", "thing", PersonId::new(), &format!("thing {number} \"é\\"))
            .in_organisation(organisation)
            .before(json!({ "b": number, "a": [null, true, "\u{1f3ac}"] }))
            .after(json!({ "z": { "y": 1, "x": -5 }, "name": "line\nbreak" }));
        connection.transaction(|connection| audit::record(connection, &Origin::system("test"), act)).unwrap();
    }
}

fn verdict_after(statement: &str) -> Verdict {
    let database = TestDatabase::create("audit_tampering");
    let mut connection = database.connect(DatabaseRole::Owner);
    write_rows(&mut connection, 5);
    assert!(matches!(audit::verify(&mut connection).unwrap(), Verdict::Intact { rows: 5, .. }));
    assert!(diesel::sql_query(statement).execute(&mut connection).unwrap() > 0, "{statement}");
    audit::verify(&mut connection).unwrap()
}

#[test]
fn every_way_to_tamper_shows() {
    for (statement, expected) in [
        ("UPDATE audit_rows SET actor = 'nobody' WHERE sequence = 3", Verdict::Altered(3)),
        ("UPDATE audit_rows SET at = at + interval '1 microsecond' WHERE sequence = 2", Verdict::Altered(2)),
        ("UPDATE audit_rows SET after = after || '{\"x\": 1}' WHERE sequence = 5", Verdict::Altered(5)),
        ("UPDATE audit_rows SET before = NULL WHERE sequence = 1", Verdict::Altered(1)),
        ("UPDATE audit_rows SET hash = sha256('x') WHERE sequence = 4", Verdict::Altered(4)),
        (
            "UPDATE audit_rows SET support_grant_id = gen_random_uuid() WHERE sequence = 3",
            Verdict::Altered(3),
        ),
        ("DELETE FROM audit_rows WHERE sequence = 1", Verdict::Missing(1)),
        ("DELETE FROM audit_rows WHERE sequence = 3", Verdict::Missing(3)),
        ("DELETE FROM audit_rows WHERE sequence = 5", Verdict::CutOff { last: 4, head: 5 }),
        ("DELETE FROM audit_rows", Verdict::CutOff { last: 0, head: 5 }),
        ("UPDATE audit_rows SET sequence = 6 WHERE sequence = 5", Verdict::Missing(5)),
        ("UPDATE audit_rows SET sequence = -sequence WHERE sequence = 5", Verdict::Altered(0)),
        // Two rows that trade places.
        (
            "UPDATE audit_rows a SET action = b.action, subject = b.subject, subject_id = b.subject_id, \
             at = b.at, before = b.before, hash = b.hash FROM audit_rows b \
             WHERE a.sequence IN (2, 3) AND b.sequence = 5 - a.sequence",
            Verdict::Altered(2),
        ),
        ("DELETE FROM audit_head", Verdict::CutOff { last: 5, head: 0 }),
        ("UPDATE audit_head SET hash = sha256('x')", Verdict::Altered(5)),
    ] {
        assert_eq!(verdict_after(statement), expected, "{statement}");
    }
}

#[test]
fn writers_at_the_same_time_make_one_chain() {
    let database = TestDatabase::create("audit_parallel");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| write_rows(&mut database.connect(DatabaseRole::Application), 25));
        }
    });
    let verdict = audit::verify(&mut database.connect(DatabaseRole::Application)).unwrap();
    assert!(matches!(verdict, Verdict::Intact { rows: 200, .. }), "{verdict:?}");
}

#[tokio::test]
async fn changes_through_the_api_are_recorded_with_who_what_and_from_where() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (ada, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let member = format!("/api/data/v1/productions/{production}/members/{ada}");
    let answer = owner.put(&member, &json!({ "library": "reader" })).await.expect(200);
    let request = answer.header("x-request-id").unwrap().to_owned();
    let person = format!("/api/data/v1/organisations/{own}/people/{ada}");
    let change = json!({ "role": "administrator" });
    let _ = send(&mut owner, Method::PATCH, &person, &[("If-Match", "*")], Some(&change)).await.expect(200);
    let _ = send(&mut owner, Method::DELETE, &person, &[], None).await.expect(204);
    // What is refused or changes nothing leaves no row.
    let _ = owner.get(&person).await.expect(404);

    let path = format!("/api/data/v1/organisations/{own}/audit?limit=200");
    let trail = owner.get(&path).await.expect(200).json();
    let rows = trail["items"].as_array().unwrap();
    let by_owner = rows.iter().rev().filter(|row| row["actor"] == "admin@localhost");
    let actions: Vec<_> = by_owner.filter_map(|row| row["action"].as_str()).collect();
    let tail =
        ["person.added", "production.created", "membership.changed", "person.changed", "person.removed"];
    assert!(actions.ends_with(&tail), "{actions:?}");
    let row = rows.iter().find(|row| row["action"] == "membership.changed").unwrap();
    assert_eq!(row["request_id"], request.as_str());
    assert_eq!(row["actor"], "admin@localhost");
    assert_eq!(row["address"], "127.0.0.1");
    assert_eq!(row["subject"], "ada@x.example");
    assert_eq!(row["before"]["library"], json!(null));
    assert_eq!(row["after"]["library"], "reader");
    let verdict = audit::verify(&mut kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
}

/// What the administrators of an organisation read, oldest first.
async fn trail(administrator: &mut kinora_tests::Client, organisation: &str) -> Vec<Value> {
    let path = format!("/api/data/v1/organisations/{organisation}/audit?limit=200");
    let mut rows = administrator.get(&path).await.expect(200).json()["items"].as_array().unwrap().clone();
    rows.reverse();
    rows
}

/// What `login` did and what was done to them, by action.
fn acts_of<'a>(rows: &'a [Value], login: &str) -> Vec<&'a str> {
    let own = rows.iter().filter(|row| row["actor"] == login || row["subject"] == login);
    own.filter_map(|row| row["action"].as_str()).collect()
}

/// Signs in, makes and revokes a token, signs out, and then locks the account.
async fn come_and_go(kinora: &Kinora, login: &str, token: &str) {
    let mut visitor = kinora.visitor();
    let _ = visitor.sign_in(login, PASSWORD).await.expect(200);
    let made =
        visitor.post("/api/data/v1/account/tokens", &json!({ "name": token })).await.expect(201).json();
    let path = format!("/api/data/v1/account/tokens/{}", text(&made, "/token/id"));
    let _ = send(&mut visitor, Method::DELETE, &path, &[], None).await.expect(204);
    let _ = send(&mut visitor, Method::DELETE, "/api/data/v1/session", &[], None).await.expect(204);
    for _ in 0..10 {
        let _ = kinora.visitor().sign_in(login, "certainly not this one").await.expect(401);
    }
    let _ = kinora.visitor().sign_in(login, PASSWORD).await.expect(429);
}

const COMINGS_AND_GOINGS: [&str; 5] =
    ["session.begun", "token.created", "token.revoked", "session.ended", "account.locked"];

#[tokio::test]
async fn an_organisation_sees_when_its_people_come_and_go() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let (ada, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    come_and_go(&kinora, "ada@x.example", "DIT cart").await;

    let rows = trail(&mut owner, &own).await;
    let acts = acts_of(&rows, "ada@x.example");
    assert!(acts.ends_with(&COMINGS_AND_GOINGS), "{acts:?}");
    assert!(acts.starts_with(&["person.added", "password.set", "session.begun"]), "{acts:?}");
    // Who is in one organisation only has nothing to keep from it.
    let token = rows.iter().find(|row| row["action"] == "token.created").unwrap();
    assert_eq!(token["subject"], "DIT cart");
    assert_eq!(token["actor_id"], ada.as_str());
    assert_eq!(token["address"], "127.0.0.1");
    let locked = rows.iter().find(|row| row["action"] == "account.locked").unwrap();
    assert_eq!(locked["subject"], "ada@x.example");
    assert_eq!(locked["actor"], "anonymous", "nobody knows who tried");
    let verdict = audit::verify(&mut kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
}

#[tokio::test]
async fn organisations_of_one_person_learn_nothing_of_each_other() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let other = add_organisation(&mut owner, "Vendor").await;
    let third = add_organisation(&mut owner, "Bystander").await;
    let (ada, _) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let before = trail(&mut owner, &other).await.len();
    let body = json!({ "login": "ada@x.example", "display_name": "Ada", "role": "member" });
    let _ = owner.post(&format!("/api/data/v1/organisations/{other}/people"), &body).await.expect(201);
    // What was before she came is not the other organisation's.
    let joined = trail(&mut owner, &other).await;
    assert_eq!(acts_of(joined.get(before..).unwrap(), "ada@x.example"), ["person.added"]);
    come_and_go(&kinora, "ada@x.example", "render farm of Vendor").await;

    for organisation in [&own, &other] {
        let rows = trail(&mut owner, organisation).await;
        let acts = acts_of(&rows, "ada@x.example");
        assert!(acts.ends_with(&COMINGS_AND_GOINGS), "{acts:?}");
        let token = rows.iter().find(|row| row["action"] == "token.created").unwrap();
        assert_eq!(token["actor_id"], ada.as_str());
        assert_eq!((&token["subject"], &token["after"]), (&json!(null), &json!(null)));
        let all = serde_json::to_string(&rows).unwrap();
        assert!(!all.contains("render farm"), "a token's name may tell whom it is for: {all}");
        let foreign = if organisation == &own { &other } else { &own };
        assert!(!all.contains(foreign.as_str()), "{all}");
    }
    let rows = trail(&mut owner, &third).await;
    assert_eq!(acts_of(&rows, "ada@x.example"), Vec::<&str>::new());

    // Who leaves takes nothing along, and what comes after is not told any more.
    let person = format!("/api/data/v1/organisations/{other}/people/{ada}");
    let _ = send(&mut owner, Method::DELETE, &person, &[], None).await.expect(204);
    let left = trail(&mut owner, &other).await;
    execute(&kinora, "DELETE FROM sign_in_failures");
    let _ = kinora.visitor().sign_in("ada@x.example", PASSWORD).await.expect(200);
    assert_eq!(trail(&mut owner, &other).await.len(), left.len());
    assert_eq!(trail(&mut owner, &own).await.last().unwrap()["action"], "session.begun");
    let verdict = audit::verify(&mut kinora.connect()).unwrap();
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
}

#[tokio::test]
async fn what_is_typed_into_the_login_field_is_written_nowhere() {
    let kinora = Kinora::api().await;
    for _ in 0..10 {
        let _ = kinora.visitor().sign_in("my secret password", "x").await.expect(401);
    }
    let _ = kinora.visitor().sign_in("my secret password", "x").await.expect(429);
    let mut connection = kinora.connect();
    let rows: Vec<audit::AuditRow> = kinora_store::schema::audit_rows::table
        .filter(kinora_store::schema::audit_rows::action.eq("account.locked"))
        .select(audit::AuditRow::as_select())
        .load(&mut connection)
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!format!("{rows:?}").contains("my secret"), "{rows:?}");
}

fn actions(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|row| text(row, "/action")).collect()
}

#[tokio::test]
async fn the_trail_is_searched_by_person_production_act_and_time() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "Film").await;
    let (ada, mut ada_herself) = add_person(&kinora, &mut owner, &own, "ada@x.example", "member").await;
    let member = format!("/api/data/v1/productions/{production}/members/{ada}");
    let _ = owner.put(&member, &json!({ "library": "reader" })).await.expect(200);
    let trail = format!("/api/data/v1/organisations/{own}/audit");
    let mut search = async |query: &str| owner.get(&format!("{trail}?{query}")).await.expect(200).json();

    assert_eq!(actions(&search("action=membership.changed").await)[0], "membership.changed");
    assert!(actions(&search("action=person.").await).iter().all(|action| action.starts_with("person.")));
    // The dot at the end is what makes it a beginning, and nothing in it is a pattern.
    for nothing in ["action=person", "action=p%25.", "action=_erson."] {
        assert_eq!(actions(&search(nothing).await), Vec::<String>::new(), "{nothing}");
    }
    let of_film = search(&format!("production={production}")).await;
    assert!(of_film["items"].as_array().unwrap().iter().all(|row| row["production_id"] == *production));
    // Whoever did it, and whoever it was done to.
    let about_ada = actions(&search(&format!("person={ada}")).await);
    for act in ["membership.changed", "session.begun", "person.added"] {
        assert!(about_ada.contains(&act.to_owned()), "{act}: {about_ada:?}");
    }
    let permissions = actions(&search("permissions_only=true").await);
    assert!(permissions.contains(&"membership.changed".to_owned()), "{permissions:?}");
    assert!(!permissions.contains(&"session.begun".to_owned()), "{permissions:?}");
    assert_eq!(actions(&search("until=2020-01-01T00:00:00Z").await), Vec::<String>::new());
    let all = actions(&search("since=2020-01-01T00:00:00Z&limit=200").await);
    // Pages of a filter hold together, and a cursor is none of another filter.
    let first = search("limit=1&action=session.begun").await;
    let cursor = text(&first, "/next_cursor");
    let second = search(&format!("limit=1&action=session.begun&cursor={cursor}")).await;
    assert_eq!(actions(&second), ["session.begun"]);
    let _ = owner.get(&format!("{trail}?cursor={cursor}")).await.expect(422);
    for wrong in ["since=yesterday", "person=ada", "colour=red"] {
        let _ = owner.get(&format!("{trail}?{wrong}")).await.expect(422);
    }

    // The export is the same, and stands in the trail itself.
    let export = format!("{trail}/export");
    let json: Value = owner.get(&format!("{export}?format=json")).await.expect(200).json();
    assert_eq!(json[0]["action"], "audit.exported");
    assert_eq!(json.as_array().unwrap().len(), all.len() + 1);
    let table = owner.get(&format!("{export}?format=csv&action=person.")).await.expect(200);
    assert!(table.header("content-disposition").unwrap().contains("audit.csv"));
    let table = table.text();
    let rows = table.lines().count() - 1;
    assert_eq!(rows, all.iter().filter(|action| action.starts_with("person.")).count(), "{table}");
    let _ = owner.get(&format!("{export}?format=pdf")).await.expect(422);
    for path in [trail.clone(), format!("{export}?format=csv"), format!("{trail}/check")] {
        let _ = ada_herself.get(&path).await.expect(403);
        let _ = kinora.visitor().get(&path).await.expect(401);
    }
}

#[tokio::test]
async fn an_export_of_many_pages_is_whole() {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let id: OrganisationId = own.parse().unwrap();
    let mut connection = kinora.connect();
    connection
        .transaction(|connection| {
            let act = |number| {
                Act::new("thing.changed", "thing", PersonId::new(), &format!("=thing {number}"))
                    .in_organisation(id)
            };
            audit::record_all(connection, &Origin::system("test"), (0..2500).map(act).collect())
        })
        .unwrap();
    let path = format!("/api/data/v1/organisations/{own}/audit/export?action=thing.changed");
    let json = owner.get(&format!("{path}&format=json")).await.expect(200).json();
    let numbers: Vec<i64> =
        json.as_array().unwrap().iter().map(|row| row["sequence"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), 2500);
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first, without gaps");
    let table = owner.get(&format!("{path}&format=csv")).await.expect(200).text();
    assert_eq!(table.lines().count(), 2501);
    assert!(table.contains("\"'=thing 7\""), "nothing is a formula");
    assert!(matches!(audit::verify(&mut connection).unwrap(), Verdict::Intact { .. }));
}

/// A trail of five rows, of which three were removed for their age.
fn shortened(name: &str) -> (TestDatabase, PgConnection) {
    let database = TestDatabase::create(name);
    let mut connection = database.connect(DatabaseRole::Owner);
    write_rows(&mut connection, 5);
    let now = chrono::Utc::now();
    // The backend does so, which may not delete rows by itself.
    let mut backend = database.connect(DatabaseRole::Backend);
    // Nothing goes that the journal has not.
    assert_eq!(audit::remove_old(&mut backend, now).unwrap(), 0);
    assert_eq!(audit::forwardable(&mut connection, 3).unwrap().len(), 3);
    audit::note_forwarded(&mut connection, 3).unwrap();
    assert_eq!(audit::forwardable(&mut connection, 10).unwrap()[0].sequence, 4);
    // Nor what is younger.
    assert_eq!(audit::remove_old(&mut backend, now - chrono::TimeDelta::days(1)).unwrap(), 0);
    assert_eq!(audit::remove_old(&mut backend, now).unwrap(), 3);
    // Nobody else can, and nobody says where the trail begins.
    let mut application = database.connect(DatabaseRole::Application);
    assert!(audit::remove_old(&mut application, now).is_err());
    for statement in
        ["DELETE FROM audit_rows", "UPDATE audit_start SET sequence = 5", "DELETE FROM audit_start"]
    {
        for connection in [&mut application, &mut backend] {
            assert!(diesel::sql_query(statement).execute(connection).is_err(), "{statement}");
        }
    }
    (database, connection)
}

#[test]
fn a_trail_that_was_shortened_is_still_one_chain() {
    let (_database, mut connection) = shortened("audit_shortened");
    // Two are left, and the row that says so.
    assert!(matches!(audit::verify(&mut connection).unwrap(), Verdict::Intact { rows: 3, .. }));
    for (statement, expected) in [
        ("DELETE FROM audit_rows WHERE sequence = 4", Verdict::Missing(4)),
        ("UPDATE audit_start SET sequence = 4", Verdict::Altered(5)),
        ("UPDATE audit_start SET hash = sha256('x')", Verdict::Altered(4)),
    ] {
        let (_database, mut connection) = shortened("audit_shortened_tampering");
        diesel::sql_query(statement).execute(&mut connection).unwrap();
        assert_eq!(audit::verify(&mut connection).unwrap(), expected, "{statement}");
    }
}

#[tokio::test]
async fn the_backend_hands_the_trail_on_and_checks_it() {
    let kinora = Kinora::builder().applications(1).backends(1).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let production = add_production(&mut owner, &own, "A secret title").await;
    let path = format!("/api/data/v1/organisations/{own}/audit/check");
    kinora_tests::wait_until("the trail was checked", async || {
        let check = owner.get(&path).await.expect(200).json();
        (check["intact"] == true && check["head"].is_string()).then_some(())
    })
    .await;
    let line = kinora_tests::wait_until("the journal has it", async || {
        let log = std::fs::read_to_string(kinora.directory().join("backend-1.log")).unwrap_or_default();
        let found =
            log.lines().find(|line| line.contains("production.created") && line.contains(&production));
        found.map(str::to_owned)
    })
    .await;
    assert!(
        line.contains("kinora_audit") && line.contains("audit_sequence=") && line.contains("audit_hash="),
        "{line}"
    );
    // Who and what are ids there.
    assert!(!line.contains("secret title") && !line.contains("admin@localhost"), "{line}");
}

#[tokio::test]
async fn administrators_are_told_that_the_trail_is_not_what_was_written() {
    let kinora = Kinora::builder().applications(1).backends(1).start().await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let path = format!("/api/data/v1/organisations/{own}/audit/check");
    let mut found = async |intact: bool| {
        kinora_tests::wait_until(&format!("a check that says {intact}"), async || {
            let check = owner.get(&path).await.expect(200).json();
            (check["intact"] == intact).then_some(check)
        })
        .await
    };
    let before = found(true).await;
    assert_eq!(execute(&kinora, "UPDATE audit_rows SET actor = actor || 'x' WHERE sequence = 1"), 1);
    // It is looked at once a day.
    let a_day_later = "UPDATE audit_checks SET at = at - interval '25 hours'";
    assert_eq!(execute(&kinora, a_day_later), 1);
    let after = found(false).await;
    assert_eq!(after["head"], Value::Null);
    assert!(text(&after, "/at") > text(&before, "/at"), "{before} {after}");
    // And it is whole again when the row is.
    let _ = execute(&kinora, "UPDATE audit_rows SET actor = left(actor, -1) WHERE sequence = 1");
    let _ = execute(&kinora, a_day_later);
    assert!(found(true).await["head"].is_string());
}

#[tokio::test]
async fn the_backend_removes_what_is_older_than_it_is_to_be_kept() {
    let mut kinora = Kinora::builder()
        .applications(1)
        .backends(1)
        .settings("backend", "audit.keep = \"30d\"")
        .start()
        .await;
    let mut owner = kinora.administrator().await;
    let own = organisation_of(&mut owner, "Kinora").await;
    let _ = add_production(&mut owner, &own, "Film").await;
    let newest = "SELECT sequence FROM audit_rows WHERE action = 'production.created'";
    let all = format!("SELECT 1 FROM audit_rows WHERE sequence <= ({newest})");
    let written = execute(&kinora, &all);
    assert!(written > 2, "{written}");
    let forwarded = format!("SELECT 1 FROM audit_forwarded WHERE sequence >= ({newest})");
    kinora_tests::wait_until("the journal has it", async || {
        (execute(&kinora, &forwarded) == 1).then_some(())
    })
    .await;
    let _ = kinora.backend(0).stop().await;
    // All but the last are older than that, which is not quite.
    let aged = format!(
        "UPDATE audit_rows SET at = at - CASE WHEN sequence = ({newest}) THEN interval '29 days' \
         ELSE interval '31 days' END WHERE sequence <= ({newest})"
    );
    assert_eq!(execute(&kinora, &aged), written);
    kinora.backend(0).start().await;
    kinora_tests::wait_until("what is too old is gone", async || (execute(&kinora, &all) == 1).then_some(()))
        .await;
    assert_eq!(execute(&kinora, newest), 1);
    let _ = execute(
        &kinora,
        "UPDATE audit_rows SET at = at + interval '29 days' WHERE action = 'production.created'",
    );
    let (verdict, rows) = (audit::verify(&mut kinora.connect()).unwrap(), trail(&mut owner, &own).await);
    assert!(matches!(verdict, Verdict::Intact { .. }), "{verdict:?}");
    assert_eq!(rows[0]["action"], "production.created");
    let shortened = "SELECT 1 FROM audit_rows WHERE action = 'audit.shortened'";
    assert_eq!(execute(&kinora, shortened), 1, "and that is on record");
}
