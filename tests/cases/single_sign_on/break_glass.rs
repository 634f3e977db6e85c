//! Single sign-on required, and the owners who can do without it: the last of them never goes.

use kinora_tests::{Client, Kinora};
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Described, Key, add_connection, change, give_metadata};
use crate::accounts::factors::enrol_app;
use crate::accounts::world::{add_person, execute, organisation_of, text};

const APP: &str = "/api/data/v1/account/factors/authenticator";

struct World {
    kinora: Kinora,
    owner: Client,
    owner_id: String,
    organisation: String,
    connection: String,
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/api/data/v1/organisations/{}{rest}", self.organisation)
    }

    async fn secure(&mut self, body: &Value, status: u16) -> Value {
        let path = self.path("/security");
        change(&mut self.owner, Method::PUT, &path, body).await.expect(status).json()
    }

    async fn state(&mut self) -> Value {
        let path = self.path("/security");
        self.owner.get(&path).await.expect(200).json()
    }

    fn test(&self, refusal: &str) {
        let id = self.connection.rsplit('/').next().unwrap();
        let attempt = uuid::Uuid::now_v7();
        let insert = format!(
            "INSERT INTO saml_attempts (id, connection_id, purpose, refusal, metadata_digest) \
             SELECT '{attempt}', id, 'test', {refusal}, sha256(convert_to(metadata, 'UTF8')) \
             FROM saml_connections WHERE id = '{id}'"
        );
        assert_eq!(execute(&self.kinora, &insert), 1);
    }
}

/// An organisation with a connection that is switched on, and an owner with a second factor.
async fn world() -> World {
    let kinora = Kinora::api().await;
    let mut owner = kinora.administrator().await;
    let organisation = organisation_of(&mut owner, "Kinora").await;
    let owner_id = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
    let connection = add_connection(&mut owner, &organisation, "Studio").await;
    let key = Key::ending_in(400);
    let xml = Described::new("https://login.studio.example/idp", &[&key]).xml();
    let _ = give_metadata(&mut owner, &connection, &xml).await.expect(200);
    let _ = change(&mut owner, Method::PATCH, &connection, &json!({ "enabled": true })).await.expect(200);
    // The owner's session began at the provider, so that nothing is withheld of it whatever is required.
    let id = connection.rsplit('/').next().unwrap();
    let began = format!(
        "INSERT INTO saml_sessions (session_id, connection_id, subject, name_id)
         SELECT id, '{id}', 'owner', '{{\"value\": \"owner\", \"format\": \"x\"}}' FROM sessions"
    );
    execute(&kinora, &began);
    World { kinora, owner, owner_id, organisation, connection }
}

fn required(glass: &[&str]) -> Value {
    json!({ "second_factor_required": false, "sso_required": true, "break_glass": glass })
}

#[tokio::test]
async fn it_is_required_only_when_it_works_and_somebody_can_do_without() {
    let mut world = world().await;
    let me = world.owner_id.clone();
    let (_, mut administrator) = {
        let organisation = world.organisation.clone();
        add_person(&world.kinora, &mut world.owner, &organisation, "it@x.example", "administrator").await
    };
    let _ = administrator.get(&world.path("/security")).await.expect(403);
    let refused = world.secure(&required(&[&me]), 409).await;
    assert!(text(&refused, "/detail").contains("password and second factor"), "{refused}");
    let _ = enrol_app(&mut world.owner).await;
    let refused = world.secure(&required(&[&me]), 409).await;
    assert!(text(&refused, "/detail").contains("test it first"), "{refused}");
    world.test("'bad_signature'");
    let _ = world.secure(&required(&[&me]), 409).await;
    world.test("NULL");
    let refused = world.secure(&required(&[]), 409).await;
    assert!(text(&refused, "/detail").contains("at least one owner"), "{refused}");
    let organisation = world.organisation.clone();
    let (member, _) =
        add_person(&world.kinora, &mut world.owner, &organisation, "m@x.example", "member").await;
    let refused = world.secure(&required(&[&me, &member]), 409).await;
    assert!(text(&refused, "/detail").contains("Only owners"), "{refused}");
    let state = world.state().await;
    assert_eq!((&state["sso_required"], &state["sso_proven"]), (&json!(false), &json!(true)));
    assert_eq!(state["owners"][0]["break_glass"], false, "nothing of a refusal stays");

    assert_eq!(world.secure(&required(&[&me]), 200).await["sso_required"], true);
    let state = world.state().await;
    assert_eq!((&state["sso_required"], &state["owners"][0]["break_glass"]), (&json!(true), &json!(true)));
    // The connection that everybody needs.
    let connection = world.connection.clone();
    let off = json!({ "enabled": false });
    let refused = change(&mut world.owner, Method::PATCH, &connection, &off).await.expect(409).json();
    assert!(text(&refused, "/detail").contains("requires single sign-on"));
    let _ = change(&mut world.owner, Method::DELETE, &connection, &json!({})).await.expect(409);
    let free = json!({ "second_factor_required": false, "sso_required": false });
    let _ = world.secure(&free, 200).await;
    let _ = change(&mut world.owner, Method::PATCH, &connection, &off).await.expect(200);
    let trail = world.path("/audit?limit=200");
    let trail = world.owner.get(&trail).await.json();
    let row = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|row| row["action"] == "organisation.security_changed");
    assert_eq!(row.unwrap()["after"]["break_glass"], json!(["admin@localhost"]));
}

#[tokio::test]
async fn the_last_who_can_do_without_goes_in_no_way() {
    let mut world = world().await;
    let (me, organisation) = (world.owner_id.clone(), world.organisation.clone());
    let _ = enrol_app(&mut world.owner).await;
    world.test("NULL");
    let (other, mut second) =
        add_person(&world.kinora, &mut world.owner, &organisation, "second@x.example", "owner").await;
    let _ = enrol_app(&mut second).await;
    // Both are asked as they are signed in now; who else is shut out is told elsewhere.
    let _ = world.secure(&required(&[&me, &other]), 200).await;
    // With two of them one may go.
    let mine = world.path(&format!("/people/{me}"));
    let theirs = world.path(&format!("/people/{other}"));
    let _ = change(&mut world.owner, Method::PATCH, &theirs, &json!({ "role": "administrator" }))
        .await
        .expect(200);
    let _ = change(&mut world.owner, Method::PATCH, &theirs, &json!({ "role": "owner" })).await.expect(200);
    assert_eq!(world.state().await["owners"][1]["break_glass"], false, "it does not come back with the role");

    let says = |answer: Value| {
        let detail = text(&answer, "/detail");
        assert!(detail.contains("last owner who can sign in without"), "{detail}");
    };
    for change_of in
        [json!({ "role": "administrator" }), json!({ "role": "member" }), json!({ "disabled": true })]
    {
        says(change(&mut world.owner, Method::PATCH, &mine, &change_of).await.expect(409).json());
    }
    says(change(&mut world.owner, Method::DELETE, &mine, &json!({})).await.expect(409).json());
    says(world.owner.delete(APP).await.expect(409).json());
    let _ = world.secure(&required(&[]), 409).await;
    let _ = world.secure(&required(&[&other]), 200).await;
    // Now it is the other one's factors that somebody else could take.
    let reset = world.path(&format!("/people/{other}/factors"));
    says(world.owner.delete(&reset).await.expect(409).json());
    says(
        change(&mut world.owner, Method::PATCH, &theirs, &json!({ "disabled": true }))
            .await
            .expect(409)
            .json(),
    );
    says(change(&mut world.owner, Method::DELETE, &theirs, &json!({})).await.expect(409).json());
    let _ = world.owner.delete(APP).await.expect(204);
    let free = json!({ "second_factor_required": false, "sso_required": false });
    let _ = world.secure(&free, 200).await;
    let _ = world.owner.delete(&reset).await.expect(204);
}

#[tokio::test]
async fn two_who_give_up_at_the_same_time_do_not_both() {
    let mut world = world().await;
    let (me, organisation) = (world.owner_id.clone(), world.organisation.clone());
    let _ = enrol_app(&mut world.owner).await;
    world.test("NULL");
    let (other, mut second) =
        add_person(&world.kinora, &mut world.owner, &organisation, "second@x.example", "owner").await;
    let _ = enrol_app(&mut second).await;
    let _ = world.secure(&required(&[&me, &other]), 200).await;
    let (first, second) = tokio::join!(world.owner.delete(APP), second.delete(APP));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}

#[tokio::test]
async fn the_operator_helps_whoever_has_lost_everything() {
    let mut world = world().await;
    let me = world.owner_id.clone();
    let _ = enrol_app(&mut world.owner).await;
    world.test("NULL");
    let _ = world.secure(&required(&[&me]), 200).await;
    let done = std::process::Command::new(kinora_tests::program("kinoractl"))
        .args(["person", "reset-factors", "--login", "admin@localhost", "--settings"])
        .arg(world.kinora.directory().join("settings/application-1.toml"))
        .arg("--credentials")
        .arg(world.kinora.directory().join("credentials/application"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("does not require single sign-on any more"));
    let mut again = world.kinora.visitor();
    let _ = again.sign_in("admin@localhost", kinora_tests::ADMINISTRATOR_PASSWORD).await.expect(200);
    let state = again.get(&world.path("/security")).await.expect(200).json();
    assert_eq!(state["sso_required"], false);
}
