//! A studio whose people sign in at its identity provider.

use kinora_tests::{Answer, Client, IdentityProvider, Kinora, KinoraBuilder, PageForm};
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::world::{execute, organisation_of, send, text};

/// Where requests are counted generously: tests are many people at one address.
const GENEROUS: &str = "rate_limit.address_per_second = 1000.0\nrate_limit.address_burst = 100000\n\
     rate_limit.person_burst = 50000\nrate_limit.sign_in_burst = 10000";

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: String,
    path: String,
}

impl Connection {
    /// One of the organisation to the provider, switched on.
    pub async fn make(owner: &mut Client, organisation: &str, idp: &IdentityProvider) -> Self {
        let all = format!("/api/data/v1/organisations/{organisation}/sign-on/connections");
        let made = owner.post(&all, &json!({ "name": "Studio accounts" })).await.expect(201).json();
        let id = text(&made, "/id");
        let connection = Self { path: format!("{all}/{id}"), id };
        let ours = owner.get(&format!("/saml/{}/metadata", connection.id)).await.expect(200).text();
        idp.set_service(&ours).await;
        connection.set_metadata(owner, &idp.metadata().await).await;
        connection.change(owner, &json!({ "enabled": true })).await;
        connection
    }

    async fn send(&self, owner: &mut Client, method: Method, place: &str, body: &Value) {
        let stored = owner.get(&self.path).await.expect(200);
        let etag = stored.header("etag").expect("an ETag").to_owned();
        let path = format!("{}{place}", self.path);
        let _ = send(owner, method, &path, &[("If-Match", &etag)], Some(body)).await.expect(200);
    }

    /// Gives it the provider's metadata.
    pub async fn set_metadata(&self, owner: &mut Client, xml: &str) {
        self.send(owner, Method::PUT, "/metadata", &json!({ "xml": xml })).await;
    }

    /// Changes its settings.
    pub async fn change(&self, owner: &mut Client, change: &Value) {
        self.send(owner, Method::PATCH, "", change).await;
    }

    /// Removes it.
    pub async fn remove(&self, owner: &mut Client) {
        let _ = send(owner, Method::DELETE, &self.path, &[("If-Match", "*")], None).await.expect(204);
    }

    /// Adds a rule; gives its path.
    pub async fn add_rule(&self, owner: &mut Client, rule: &Value) -> String {
        let made = owner.post(&format!("{}/rules", self.path), rule).await.expect(201).json();
        format!("{}/rules/{}", self.path, text(&made, "/id"))
    }

    /// Where signing in begins.
    pub fn sign_in(&self) -> String {
        format!("/saml/{}/sign-in", self.id)
    }

    /// Where responses arrive.
    pub fn acs(&self) -> String {
        format!("/saml/{}/acs", self.id)
    }
}

/// Kinora, a provider, and an owner who has connected both.
pub struct Studio {
    pub owner: Client,
    pub organisation: String,
    pub connection: Connection,
    pub idp: IdentityProvider,
    pub kinora: Kinora,
}

impl Studio {
    /// With one application.
    pub async fn open() -> Self {
        Self::build(Kinora::builder().applications(1)).await
    }

    /// As it is said. The domain studio.example is confirmed.
    pub async fn build(builder: KinoraBuilder) -> Self {
        let kinora = builder.settings("application", GENEROUS).start().await;
        let idp = IdentityProvider::start();
        let mut owner = kinora.administrator().await;
        let organisation = organisation_of(&mut owner, "Kinora").await;
        let connection = Connection::make(&mut owner, &organisation, &idp).await;
        let studio = Self { owner, organisation, connection, idp, kinora };
        studio.confirm_domain(&studio.organisation, "studio.example");
        studio
    }

    /// Makes a domain the organisation's.
    pub fn confirm_domain(&self, organisation: &str, domain: &str) {
        let _ = execute(
            &self.kinora,
            &format!(
                "INSERT INTO organisation_domains (id, organisation_id, domain, verified_at) \
                 VALUES (gen_random_uuid(), '{organisation}', '{domain}', now())"
            ),
        );
    }

    /// Begins to sign in; gives the form that the provider's page posts back.
    pub async fn begin(&self, browser: &mut Client, login: &str) -> PageForm {
        let leads = browser.get(&self.connection.sign_in()).await;
        self.idp.sign_in(&leads, login).await
    }

    /// Posts a form of the provider's page, as a browser does.
    pub async fn post(&self, browser: &mut Client, form: &PageForm) -> Answer {
        post_to(browser, &self.connection.acs(), form, self.idp.url()).await
    }

    /// Signs somebody in; gives the answer, which leads on.
    pub async fn try_sign_in(&self, browser: &mut Client, login: &str) -> Answer {
        let form = self.begin(browser, login).await;
        self.post(browser, &form).await
    }

    /// Signs somebody in who is to be let in; gives the browser.
    pub async fn sign_in(&self, login: &str) -> Client {
        let mut browser = self.kinora.visitor();
        let answer = self.try_sign_in(&mut browser, login).await;
        assert_eq!(answer.header("location"), Some("/"), "{} {}", answer.status, self.last_refusal());
        browser.refresh_csrf_token().await;
        browser
    }

    /// Says who there is at the provider.
    pub async fn set_people(&self, people: &Value) {
        self.idp.set(&json!({ "people": people })).await;
    }

    /// The last attempts, newest first: purpose and refusal, and whose.
    pub fn attempts(&self) -> Vec<Attempt> {
        use diesel::RunQueryDsl as _;
        diesel::sql_query(
            "SELECT id::text AS id, purpose, coalesce(refusal, 'passed') AS refusal FROM saml_attempts \
             ORDER BY id DESC",
        )
        .load(&mut self.kinora.connect())
        .unwrap()
    }

    /// The last refusal, for the message of an assertion.
    pub fn last_refusal(&self) -> String {
        format!("{:?}", self.attempts().first())
    }

    /// A refusal leads to the page for it, with the attempt's id, and opens nothing.
    pub async fn expect_refused(&self, browser: &mut Client, answer: &Answer, code: &str) {
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
        let last = self.attempts().into_iter().next().expect("an attempt");
        assert_eq!(last.refusal, code, "{last:?}");
        let location = answer.header("location").expect("leads on");
        assert!(location.starts_with("/sign-in-refused?reason="), "{location}");
        assert!(location.ends_with(&format!("&attempt={}", last.id)), "{location}");
        assert!(browser.cookie("__Host-kinora").is_none());
        let _ = browser.get("/api/data/v1/session").await.expect(401);
    }
}

/// What is written down of an attempt.
#[derive(Debug, diesel::QueryableByName)]
pub struct Attempt {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub id: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub purpose: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub refusal: String,
}

/// Posts a form in the way that another site's page does: without the cookies that are SameSite=Lax or Strict.
pub async fn post_to(browser: &mut Client, path: &str, form: &PageForm, from: &str) -> Answer {
    let mut sent = browser.without_cookies_but(&["__Host-kinora-sign-on"]);
    let request = sent
        .request(Method::POST, path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", from)
        .header("Sec-Fetch-Site", "cross-site")
        .body(form.body());
    let answer = sent.send(request).await;
    browser.take_cookies_of(&answer);
    answer
}

/// The role somebody has in an organisation; none if they are no member.
pub async fn role_in(browser: &mut Client, organisation: &str) -> Option<String> {
    let session = browser.get("/api/data/v1/session").await.expect(200).json();
    let all = session["organisations"].as_array().unwrap();
    all.iter().find(|item| item["id"] == organisation).map(|item| text(item, "/role"))
}
