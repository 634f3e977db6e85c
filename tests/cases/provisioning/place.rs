//! An organisation whose identity provider provisions.

use kinora_tests::{Answer, Client, Kinora, KinoraBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::world::{execute, organisation_of, send, text};

/// Counts generously: a provider is one token.
pub const GENEROUS: &str = "rate_limit.person_per_second = 1000.0\nrate_limit.person_burst = 100000\n\
     rate_limit.address_burst = 10000";

/// Kinora, a connection, and its provider.
pub struct Place {
    pub owner: Client,
    pub organisation: String,
    pub connection: String,
    /// The provider, with a token.
    pub provider: Client,
    pub kinora: Kinora,
}

impl Place {
    /// With one application.
    pub async fn open() -> Self {
        Self::build(Kinora::builder().applications(1)).await
    }

    /// As it is said. The domain studio.example is confirmed.
    pub async fn build(builder: KinoraBuilder) -> Self {
        let kinora = builder.settings("application", GENEROUS).start().await;
        let mut owner = kinora.administrator().await;
        let organisation = organisation_of(&mut owner, "Kinora").await;
        let connection = add_connection(&mut owner, &organisation).await;
        confirm_domain(&kinora, &organisation, "studio.example");
        let secret = add_token(&mut owner, &organisation, &connection).await;
        let provider = Client::with_token(&kinora.url(), &secret);
        Self { owner, organisation, connection, provider, kinora }
    }

    /// Provisions a user; gives the id.
    pub async fn add_user(&mut self, name: &str) -> String {
        let made = self.provider.post("/scim/v2/Users", &user(name)).await.expect(201).json();
        text(&made, "/id")
    }

    /// Provisions a group; gives the id.
    pub async fn add_group(&mut self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        text(&self.provider.post("/scim/v2/Groups", &body).await.expect(201).json(), "/id")
    }

    /// Changes parts of something.
    pub async fn patch(&mut self, path: &str, operations: Value) -> Answer {
        patch(&mut self.provider, path, operations).await
    }

    /// Says what a group gives.
    pub async fn add_rule(&mut self, rule: &Value) -> String {
        let path = format!(
            "/api/data/v1/organisations/{}/sign-on/connections/{}/rules",
            self.organisation, self.connection
        );
        let made = self.owner.post(&path, rule).await.expect(201).json();
        format!("{path}/{}", text(&made, "/id"))
    }

    /// The role of a login in the organisation; none if they are not in it.
    pub async fn role_of(&mut self, login: &str) -> Option<String> {
        let path = format!("/api/data/v1/organisations/{}/people?limit=200", self.organisation);
        let people = self.owner.get(&path).await.expect(200).json();
        let all = people["items"].as_array().unwrap();
        all.iter().find(|person| person["login"] == login).map(|person| text(person, "/role"))
    }

    /// The actions in the trail, newest first.
    pub async fn trail(&mut self) -> Vec<Value> {
        let path = format!("/api/data/v1/organisations/{}/audit?limit=200", self.organisation);
        self.owner.get(&path).await.expect(200).json()["items"].as_array().unwrap().clone()
    }
}

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A user of this name, with an address in the studio's domain.
pub fn user(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": format!("{name}@studio.example"), "externalId": format!("ext-{name}"),
        "displayName": name, "active": true,
        "emails": [{ "type": "work", "value": format!("{name}@studio.example"), "primary": true }],
    })
}

pub async fn patch(provider: &mut Client, path: &str, operations: Value) -> Answer {
    let body =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    provider.patch(path, &body).await
}

pub async fn add_connection(owner: &mut Client, organisation: &str) -> String {
    let path = format!("/api/data/v1/organisations/{organisation}/sign-on/connections");
    text(&owner.post(&path, &json!({ "name": "Studio accounts" })).await.expect(201).json(), "/id")
}

pub fn confirm_domain(kinora: &Kinora, organisation: &str, domain: &str) {
    let _ = execute(
        kinora,
        &format!(
            "INSERT INTO organisation_domains (id, organisation_id, domain, verified_at) \
             VALUES (gen_random_uuid(), '{organisation}', '{domain}', now())"
        ),
    );
}

/// Where the tokens of a connection are.
pub fn tokens_of(organisation: &str, connection: &str) -> String {
    format!("/api/data/v1/organisations/{organisation}/sign-on/connections/{connection}/provisioning")
}

/// Makes a token; gives its secret.
pub async fn add_token(owner: &mut Client, organisation: &str, connection: &str) -> String {
    text(&owner.post(&tokens_of(organisation, connection), &json!({})).await.expect(201).json(), "/secret")
}

/// What an error says: status, keyword and sentence.
pub fn refusal(answer: &Answer) -> (u16, Option<String>, String) {
    let document = answer.json();
    assert_eq!(
        document["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
        "{}",
        answer.text()
    );
    assert_eq!(document["status"], answer.status.as_u16().to_string());
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    let scim_type = document["scimType"].as_str().map(str::to_owned);
    (answer.status.as_u16(), scim_type, text(&document, "/detail"))
}

/// Sends something with a header.
pub async fn with_header(client: &mut Client, method: Method, path: &str, header: (&str, &str)) -> Answer {
    send(client, method, path, &[header], None).await
}
