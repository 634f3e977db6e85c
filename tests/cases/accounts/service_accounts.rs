//! Accounts of programs: tokens alone, roles as people have, and nobody's way round what people must do.

use kinora_tests::{Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{add_person, add_production, add_things, execute, organisation_of, send, text};
use crate::library::follower::Follower;

struct Scene {
    owner: Client,
    organisation: String,
    kinora: Kinora,
}

impl Scene {
    async fn open() -> Self {
        let kinora = Kinora::builder().applications(2).one_address().start().await;
        let mut owner = kinora.administrator().await;
        let organisation = organisation_of(&mut owner, "Kinora").await;
        Self { owner, organisation, kinora }
    }

    fn all(&self) -> String {
        format!("/api/data/v1/organisations/{}/service-accounts", self.organisation)
    }

    /// Makes an account that this person answers for; gives it.
    async fn add(&mut self, name: &str, responsible: &str) -> Value {
        let body =
            json!({ "name": name, "purpose": "Copies dailies to the lab", "responsible_id": responsible });
        self.owner.post(&self.all(), &body).await.expect(201).json()
    }

    /// Makes a token of it; gives the program that has it.
    async fn program(&mut self, id: &str, body: &Value) -> Client {
        let path = format!("{}/{id}/tokens", self.all());
        let made = self.owner.post(&path, body).await.expect(201).json();
        Client::with_token(&self.kinora.url(), &text(&made, "/secret"))
    }

    async fn change(&mut self, id: &str, change: &Value) -> Value {
        let path = format!("{}/{id}", self.all());
        send(&mut self.owner, Method::PATCH, &path, &[("If-Match", "*")], Some(change))
            .await
            .expect(200)
            .json()
    }
}

fn items(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap()
}

#[tokio::test]
async fn a_program_has_the_roles_it_was_given_and_is_no_person() {
    let mut scene = Scene::open().await;
    let organisation = scene.organisation.clone();
    let film = add_production(&mut scene.owner, &organisation, "Film").await;
    let other = add_production(&mut scene.owner, &organisation, "Other").await;
    let (member, _) =
        add_person(&scene.kinora, &mut scene.owner, &organisation, "ada@x.example", "member").await;
    let account = scene.add("Lab Copy", &member).await;
    let (id, login) = (text(&account, "/id"), text(&account, "/login"));
    assert!(login.starts_with("service:lab-copy-"), "{login}");
    assert_eq!(text(&account, "/responsible/login"), "ada@x.example");
    let mut program = scene.program(&id, &json!({ "name": "lab" })).await;
    let production = format!("/api/data/v1/productions/{film}");
    // Nothing before it is given anything.
    let _ = program.get(&production).await.expect(404);
    let path = format!("{production}/members/{id}");
    let given = scene.owner.put(&path, &json!({ "library": "editor" })).await.expect(200).json();
    assert_eq!(given["guest"], false);
    let seen = program.get(&production).await.expect(200).json();
    assert_eq!(seen["my_roles"]["library"], "editor");
    let _ = program.get(&format!("{production}/assets")).await.expect(200);
    let _ = program.get(&format!("/api/data/v1/productions/{other}")).await.expect(404);
    // A scope leaves less.
    let scope = json!({ "most_role": "reader", "modules": ["library"], "productions": [film] });
    let mut reader = scene.program(&id, &json!({ "name": "reader", "scope": scope })).await;
    assert_eq!(reader.get(&production).await.expect(200).json()["my_roles"]["library"], "reader");
    let foreign = json!({ "most_role": "reader", "modules": ["library"], "productions": [other] });
    let tokens = format!("{}/{id}/tokens", scene.all());
    let _ = scene.owner.post(&tokens, &json!({ "name": "x", "scope": foreign })).await.expect(409);
    // It stands in no list of people, and on its own page with what it has.
    for list in [
        format!("/api/data/v1/organisations/{organisation}/people"),
        format!("/api/data/v1/organisations/{organisation}/personal-data/people"),
        format!("{production}/members"),
    ] {
        let list = scene.owner.get(&list).await.expect(200).json();
        assert!(!list.to_string().contains(&login), "{list}");
    }
    let listed = scene.owner.get(&scene.all()).await.expect(200).json();
    let row = &items(&listed)[0];
    assert_eq!((text(row, "/productions/0/name"), text(row, "/login")), ("Film".to_owned(), login.clone()));
    assert!(row["last_used_at"].is_string(), "{row}");
    assert_eq!(items(&scene.owner.get(&tokens).await.expect(200).json()).len(), 2);
    // What it does is on record under its name.
    let things = add_things(&scene.kinora, &film, &member);
    let asset = format!("/api/data/v1/assets/{}", things.asset);
    let etag = program.get(&asset).await.expect(200).header("etag").unwrap().to_owned();
    let rename = json!({ "name": "Renamed by a program" });
    let _ =
        send(&mut program, Method::PATCH, &asset, &[("If-Match", &etag)], Some(&rename)).await.expect(200);
    let trail = scene.owner.get(&format!("/api/data/v1/organisations/{organisation}/audit?limit=50")).await;
    let trail = trail.expect(200).json();
    let renamed = items(&trail).iter().find(|row| row["action"] == "asset.renamed").unwrap();
    assert!(renamed.to_string().contains(&login), "{renamed}");
    for action in ["service_account.created", "token.created", "membership.changed"] {
        assert!(items(&trail).iter().any(|row| row["action"] == action), "{action}");
    }
}

#[tokio::test]
async fn a_program_looks_after_nothing_not_even_itself() {
    let mut scene = Scene::open().await;
    let organisation = scene.organisation.clone();
    let me = text(&scene.owner.get("/api/data/v1/session").await.json(), "/person/id");
    let account = scene.add("Export", &me).await;
    let id = text(&account, "/id");
    let mut program = scene.program(&id, &json!({ "name": "x" })).await;
    for path in
        ["/api/data/v1/account/tokens", "/api/data/v1/account/sessions", "/api/data/v1/account/factors"]
    {
        let problem = program.get(path).await.expect(403).json();
        assert_eq!(text(&problem, "/type"), "urn:kinora:problem:session-required");
    }
    let _ = program.post("/api/data/v1/account/tokens", &json!({ "name": "more" })).await.expect(403);
    let _ = program.patch("/api/data/v1/account", &json!({ "display_name": "x" })).await.expect(403);
    let _ = program.post("/api/data/v1/organisations", &json!({ "name": "x" })).await.expect(403);
    for path in [scene.all(), format!("/api/data/v1/organisations/{organisation}/people")] {
        let _ = program.get(&path).await.expect(404);
    }
    // There is no way to sign in as it, and nobody can be called like one.
    let login = text(&account, "/login");
    let mut visitor = scene.kinora.visitor();
    assert_eq!(visitor.sign_in(&login, "anything at all, really").await.status, 401);
    let person = json!({ "login": "service:eve", "display_name": "Eve", "role": "member" });
    let people = format!("/api/data/v1/organisations/{organisation}/people");
    let _ = scene.owner.post(&people, &person).await.expect(422);
    let link = format!("{people}/{id}/password-link");
    let _ = scene.owner.post(&link, &Value::Null).await.expect(404);
    // Only administrators see them; making one takes a confirmed session and somebody to answer for it.
    let (_, mut member) =
        add_person(&scene.kinora, &mut scene.owner, &organisation, "m@x.example", "member").await;
    let _ = member.get(&scene.all()).await.expect(403);
    for nobody in [id.clone(), uuid::Uuid::now_v7().to_string()] {
        let body = json!({ "name": "y", "purpose": "p", "responsible_id": nobody });
        let _ = scene.owner.post(&scene.all(), &body).await.expect(409);
    }
    for wrong in [
        json!({ "name": "", "purpose": "p", "responsible_id": me }),
        json!({ "name": "n", "responsible_id": me }),
    ] {
        let _ = scene.owner.post(&scene.all(), &wrong).await.expect(422);
    }
    let _ = execute(&scene.kinora, "UPDATE sessions SET confirmed_at = NULL");
    let body = json!({ "name": "y", "purpose": "p", "responsible_id": me });
    let all = scene.all();
    kinora_tests::wait_until("the confirmation has ended", async || {
        (scene.owner.post(&all, &body).await.status == 403).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deactivated_program_is_out_at_once_everywhere() {
    let mut scene = Scene::open().await;
    let organisation = scene.organisation.clone();
    let film = add_production(&mut scene.owner, &organisation, "Film").await;
    let me = text(&scene.owner.get("/api/data/v1/session").await.json(), "/person/id");
    let id = text(&scene.add("Export", &me).await, "/id");
    let production = format!("/api/data/v1/productions/{film}");
    let _ = scene
        .owner
        .put(&format!("{production}/members/{id}"), &json!({ "library": "reader" }))
        .await
        .expect(200);
    let mut program = scene.program(&id, &json!({ "name": "x" })).await;
    let mut there = program.at(&scene.kinora.url_of(1));
    let _ = program.get(&production).await.expect(200);
    let _ = there.get(&production).await.expect(200);
    let mut following = Follower::open(&there, &film, None).await.0;
    // What is asked of people is not asked of it: it is none.
    let _ =
        execute(&scene.kinora, "UPDATE organisations SET sso_required = true, second_factor_required = true");
    let _ = program.get(&production).await.expect(200);
    let _ = execute(
        &scene.kinora,
        "UPDATE organisations SET sso_required = false, second_factor_required = false",
    );
    let changed = scene.change(&id, &json!({ "deactivated": true })).await;
    assert_eq!(changed["deactivated"], true);
    let _ = following.read_to_end().await;
    for client in [&mut program, &mut there] {
        kinora_tests::wait_until("the token is nobody's", async || {
            (client.get(&production).await.status == 401).then_some(())
        })
        .await;
    }
    let tokens = format!("{}/{id}/tokens", scene.all());
    let _ = scene.owner.post(&tokens, &json!({ "name": "y" })).await.expect(409);
    // Activated again it has its roles, and needs a new token.
    let _ = scene.change(&id, &json!({ "deactivated": false })).await;
    let _ = program.get(&production).await.expect(401);
    let mut anew = scene.program(&id, &json!({ "name": "z" })).await;
    let _ = anew.get(&production).await.expect(200);
    let held = scene.owner.get(&tokens).await.expect(200).json();
    let token = text(&items(&held)[0], "/id");
    let _ = scene.owner.delete(&format!("{tokens}/{token}")).await.expect(204);
    kinora_tests::wait_until("the token is revoked", async || {
        (anew.get(&production).await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn administrators_are_told_when_who_answers_for_it_leaves() {
    let mut scene = Scene::open().await;
    let organisation = scene.organisation.clone();
    let (ada, _) =
        add_person(&scene.kinora, &mut scene.owner, &organisation, "ada@x.example", "member").await;
    let (_, _) =
        add_person(&scene.kinora, &mut scene.owner, &organisation, "it@x.example", "administrator").await;
    let id = text(&scene.add("Export", &ada).await, "/id");
    let film = add_production(&mut scene.owner, &organisation, "Film").await;
    let production = format!("/api/data/v1/productions/{film}");
    let _ = scene
        .owner
        .put(&format!("{production}/members/{id}"), &json!({ "library": "reader" }))
        .await
        .expect(200);
    let mut program = scene.program(&id, &json!({ "name": "x" })).await;
    let person = format!("/api/data/v1/organisations/{organisation}/people/{ada}");
    let _ = scene.owner.delete(&person).await.expect(204);
    let told = "SELECT 1 FROM mail_messages WHERE kind = 'responsible_left' AND recipient = 'it@x.example' \
                AND letter::text LIKE '%Export%' AND letter::text LIKE '%ada@x.example%'";
    assert_eq!(execute(&scene.kinora, told), 1);
    let not_told =
        "SELECT 1 FROM mail_messages WHERE kind = 'responsible_left' AND recipient = 'ada@x.example'";
    assert_eq!(execute(&scene.kinora, not_told), 0);
    let seen = scene.owner.get(&format!("{}/{id}", scene.all())).await.expect(200).json();
    assert_eq!(seen["responsible"]["present"], false, "{seen}");
    let _ = program.get(&production).await.expect(200);
    // Somebody else answers from now on.
    let me = text(&scene.owner.get("/api/data/v1/session").await.json(), "/person/id");
    let changed = scene.change(&id, &json!({ "responsible_id": me, "purpose": "Else" })).await;
    assert_eq!(
        (&changed["responsible"]["present"], text(&changed, "/purpose")),
        (&json!(true), "Else".to_owned())
    );
}
