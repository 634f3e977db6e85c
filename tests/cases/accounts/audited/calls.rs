//! One good call of every operation that may change something.

use std::sync::{Arc, Mutex};

use kinora_tests::{Client, IdentityProvider, Kinora, MailRelay, Stack, wait_until};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::super::factors::software_key::SoftwareKey;
use super::super::factors::{App, enrol_app};
use super::super::world::{PASSWORD, add_person, add_production, add_things, execute, text, token_of};
use super::trail::Trail;
use crate::single_sign_on::provider::{Described, Key, Page, page, serve};
use crate::single_sign_on::studio::{Studio, post_to};

const GUEST: &str = "guest@elsewhere.example";

/// A studio with an identity provider, a mail relay and somebody who owns it.
pub struct World {
    // Dropped in this order: the product before its relay.
    pub kinora: Kinora,
    relay: MailRelay,
    /// Of the organisation.
    pub owner: Client,
    organisation: String,
    connection: String,
    idp: IdentityProvider,
    /// A provider's metadata, and where they are.
    metadata: Page,
    metadata_url: String,
    hired: u32,
}

impl World {
    pub async fn make() -> Self {
        let relay = MailRelay::start().await;
        let key = Key::ending_in(100);
        let authorities = Stack::get().create_test_directory().join("authorities.pem");
        std::fs::write(&authorities, key.pem()).unwrap();
        let metadata: Page = Arc::new(Mutex::new(page("200 OK", &provider(&[&key]))));
        let metadata_url = serve(&key, Arc::clone(&metadata)).await;
        let lines = format!(
            "saml.metadata_authorities = {:?}\nsaml.metadata_from_this_host = true",
            authorities.display().to_string()
        );
        let builder = Kinora::builder().applications(1).backends(1).relay(&relay);
        let Studio { owner, organisation, connection, idp, kinora } =
            Studio::build(builder.settings("application", &lines)).await;
        let connection = connection.id;
        Self { kinora, relay, owner, organisation, connection, idp, metadata, metadata_url, hired: 0 }
    }

    pub async fn call_everything(&mut self, trail: &mut Trail) {
        self.organisation(trail).await;
        self.people(trail).await;
        self.account(trail).await;
        self.app(trail).await;
        self.passkey(trail).await;
        self.email_codes(trail).await;
        self.production(trail).await;
        self.library(trail).await;
        self.uploads(trail).await;
        self.invitations(trail).await;
        self.mail(trail).await;
        self.service_accounts(trail).await;
        self.connections(trail).await;
        self.studio_account(trail).await;
        self.support(trail).await;
    }

    /// Somebody new, signed in: id, login and session.
    async fn hire(&mut self) -> (String, String, Client) {
        self.hired += 1;
        let login = format!("person{}@studio.example", self.hired);
        let (id, client) =
            add_person(&self.kinora, &mut self.owner, &self.organisation, &login, "member").await;
        (id, login, client)
    }

    /// Signs in by the operation itself; gives the visitor, with a session or half of one.
    async fn sign_in(&self, trail: &mut Trail, login: &str) -> Client {
        let mut client = self.kinora.visitor();
        let body = json!({ "login": login, "password": PASSWORD });
        let answer = trail.call(&mut client, "create_session", &[], body).await;
        if answer.status == 200 {
            client.refresh_csrf_token().await;
        }
        client
    }

    async fn organisation(&mut self, trail: &mut Trail) {
        let (owner, organisation) = (&mut self.owner, self.organisation.as_str());
        let _ = trail.call(owner, "create_organisation", &[], json!({ "name": "Second Unit" })).await;
        let _ = trail.call(owner, "update_organisation", &[organisation], json!({ "name": "Fjord" })).await;
        let security = json!({ "second_factor_required": false, "email_code_allowed": true });
        let _ = trail.call(owner, "update_security", &[organisation], security).await;
    }

    async fn people(&mut self, trail: &mut Trail) {
        let organisation = self.organisation.clone();
        let body = json!({ "login": "ada@studio.example", "display_name": "Ada", "role": "member" });
        let made = trail.call(&mut self.owner, "create_person", &[&organisation], body).await.json();
        let id = text(&made, "/person/id");
        let token = token_of(&text(&made, "/password_link/url"));
        let mut visitor = self.kinora.visitor();
        let _ = trail.call(&mut visitor, "read_password_link", &[], json!({ "token": token })).await;
        let body = json!({ "token": token, "password": PASSWORD });
        let _ = trail.call(&mut visitor, "use_password_link", &[], body).await;
        let there = [organisation.as_str(), id.as_str()];
        let _ = trail.act(&mut self.owner, "create_password_link", &there).await;
        let role = json!({ "role": "administrator" });
        let _ = trail.call(&mut self.owner, "update_person", &there, role).await;
        let _ = trail.act(&mut self.owner, "remove_person", &there).await;
        let (id, login, _) = self.hire().await;
        let there = [organisation.as_str(), id.as_str()];
        let _ = trail.call(&mut self.owner, "erase_person", &there, json!({ "login": login })).await;
    }

    async fn account(&mut self, trail: &mut Trail) {
        let (_, login, mut person) = self.hire().await;
        let _ = trail.call(&mut person, "route_sign_in", &[], json!({ "address": login })).await;
        let _ = trail.call(&mut person, "confirm_session", &[], json!({ "password": PASSWORD })).await;
        let _ = trail.call(&mut person, "update_account", &[], json!({ "display_name": "Eva" })).await;
        let made = trail.call(&mut person, "create_token", &[], json!({ "name": "script" })).await.json();
        let _ = trail.act(&mut person, "revoke_token", &[&text(&made, "/token/id")]).await;
        let mut other = self.sign_in(trail, &login).await;
        let sessions = other.get("/api/data/v1/account/sessions").await.expect(200).json();
        let old = sessions["items"].as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
        let _ = trail.act(&mut other, "revoke_session", &[&text(old, "/id")]).await;
        let new = json!({ "current_password": PASSWORD, "new_password": format!("{PASSWORD} and more") });
        let _ = trail.call(&mut other, "update_password", &[], new).await;
        other.refresh_csrf_token().await;
        let wanted = json!({ "address": "eva@studio.example" });
        let _ = trail.call(&mut other, "ask_for_address", &[], wanted).await;
        let token = self.secret("eva@studio.example", "/confirm-address#").await;
        let _ = trail.call(&mut other, "confirm_address", &[], json!({ "token": token })).await;

        let (_, login, mut leaves) = self.hire().await;
        let _ = trail.act(&mut leaves, "delete_session", &[]).await;
        let mut leaves = self.sign_in(trail, &login).await;
        let _ = trail.call(&mut leaves, "erase_account", &[], json!({ "login": login })).await;
    }

    /// What stands after `mark` in the newest mail to an address that has it.
    async fn secret(&self, address: &str, mark: &str) -> String {
        wait_until(&format!("a mail to {address} with {mark}"), async || {
            let mails = self.relay.mails_to(address);
            mails.iter().rev().find_map(|mail| {
                let plain = text(mail, "/plain");
                let (_, after) = plain.split_once(mark)?;
                Some(after.split_whitespace().next()?.to_owned())
            })
        })
        .await
    }

    async fn app(&mut self, trail: &mut Trail) {
        let (id, login, mut person) = self.hire().await;
        let begun = trail.act(&mut person, "begin_authenticator", &[]).await.json();
        let app = App::of(&text(&begun, "/key"));
        let _ = trail.call(&mut person, "confirm_authenticator", &[], json!({ "code": app.code() })).await;
        let made = trail.act(&mut person, "make_recovery_codes", &[]).await.json();
        let mut half = self.sign_in(trail, &login).await;
        let proof = json!({ "recovery_code": made["recovery_codes"][0] });
        let _ = trail.call(&mut half, "show_second_factor", &[], proof).await;
        let _ = trail.act(&mut person, "remove_authenticator", &[]).await;
        let _ = enrol_app(&mut person).await;
        let there = [self.organisation.clone(), id];
        let there = [there[0].as_str(), there[1].as_str()];
        let _ = trail.act(&mut self.owner, "reset_factors", &there).await;
    }

    async fn passkey(&mut self, trail: &mut Trail) {
        let (_, login, mut person) = self.hire().await;
        let mut key = SoftwareKey::new(&self.kinora.url());
        let asked = trail.act(&mut person, "begin_passkey", &[]).await.json();
        key.user_handle = text(&asked, "/user_id");
        let body = key.creation("Laptop", &text(&asked, "/challenge"));
        let added = trail.call(&mut person, "add_passkey", &[], body).await.json();
        let _ = trail.act(&mut person, "challenge_confirmation", &[]).await;
        let mut half = self.sign_in(trail, &login).await;
        let _ = trail.act(&mut half, "challenge_second_factor", &[]).await;
        let mut alone = self.kinora.visitor();
        let asked = trail.act(&mut alone, "challenge_passkey_sign_in", &[]).await.json();
        let signature = key.sign(&text(&asked, "/challenge"));
        let _ = trail.call(&mut alone, "sign_in_with_passkey", &[], signature).await;
        let _ = trail.act(&mut person, "remove_passkey", &[&text(&added, "/passkey/id")]).await;
    }

    async fn email_codes(&mut self, trail: &mut Trail) {
        let (_, login, mut person) = self.hire().await;
        let _ = trail.act(&mut person, "begin_email_codes", &[]).await;
        let first = json!({ "email_code": self.code(&login).await });
        let _ = trail.call(&mut person, "confirm_email_codes", &[], first).await;
        let mut half = self.sign_in(trail, &login).await;
        let _ = trail.act(&mut half, "send_email_code", &[]).await;
        let _ = trail.act(&mut person, "remove_email_codes", &[]).await;
    }

    async fn code(&self, address: &str) -> String {
        wait_until("a code by mail", async || {
            let mails = self.relay.mails_to(address);
            mails.iter().find_map(|mail| {
                let plain = text(mail, "/plain");
                let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
                plain.lines().map(str::trim).find(is_code).map(str::to_owned)
            })
        })
        .await
    }

    async fn production(&mut self, trail: &mut Trail) {
        let organisation = self.organisation.clone();
        let (person, _, _) = self.hire().await;
        let name = json!({ "name": "Tide" });
        let made = trail.call(&mut self.owner, "create_production", &[&organisation], name).await.json();
        let id = text(&made, "/id");
        let _ = trail.call(&mut self.owner, "update_production", &[&id], json!({ "name": "Ebb" })).await;
        let roles = json!({ "library": "editor" });
        // There is none of whom it could have been read.
        let complete = |request: RequestBuilder| request.json(&roles);
        let _ = trail.send(&mut self.owner, "set_member", &[&id, &person], complete).await;
        let _ = trail.act(&mut self.owner, "remove_member", &[&id, &person]).await;
        let _ = trail.act(&mut self.owner, "remove_production", &[&id]).await;
    }

    async fn add_production(&mut self, name: &str) -> String {
        add_production(&mut self.owner, &self.organisation, name).await
    }

    async fn library(&mut self, trail: &mut Trail) {
        let production = self.add_production("Rushes").await;
        let me = text(&self.owner.get("/api/data/v1/session").await.json(), "/person/id");
        let things = add_things(&self.kinora, &production, &me);
        let owner = &mut self.owner;
        let _ = trail.call(owner, "update_asset", &[&things.asset], json!({ "name": "A002" })).await;
        let _ = trail.act(owner, "restart_step", &[&things.run, &things.step]).await;
        let _ = trail.act(owner, "cancel_run", &[&things.run]).await;
        let _ = trail.act(owner, "remove_asset", &[&things.asset]).await;
    }

    async fn uploads(&mut self, trail: &mut Trail) {
        let production = self.add_production("Dailies").await;
        let owner = &mut self.owner;
        let tus = |request: RequestBuilder| request.header("Tus-Resumable", "1.0.0");
        let _ = trail.send(owner, "describe_uploads", &[&production], tus).await;
        let mut begun = Vec::new();
        for _ in 0..2 {
            let complete = |request| tus(request).header("Upload-Length", "4");
            let made = trail.send(owner, "create_upload", &[&production], complete).await;
            begun.push(made.header("location").unwrap().rsplit('/').next().unwrap().to_owned());
        }
        let _ = trail.send(owner, "remove_upload", &[&production, &begun[0]], tus).await;
        let bytes = |request| {
            let typed = tus(request).header("Content-Type", "application/offset+octet-stream");
            typed.header("Upload-Offset", "0").body("film")
        };
        let _ = trail.send(owner, "write_upload", &[&production, &begun[1]], bytes).await;
    }

    async fn invite(&mut self, trail: &mut Trail, production: &str, address: &str) -> String {
        let body = json!({ "address": address, "roles": { "library": "reader" } });
        let made = trail.call(&mut self.owner, "create_invitation", &[production], body).await;
        text(&made.json(), "/id")
    }

    async fn invitations(&mut self, trail: &mut Trail) {
        let production = self.add_production("Shared").await;
        let _ = self.invite(trail, &production, GUEST).await;
        let token = self.secret(GUEST, "/invitation#").await;
        let mut guest = self.kinora.visitor();
        let _ = trail.call(&mut guest, "read_invitation_offer", &[], json!({ "token": token })).await;
        let new = json!({ "token": token, "display_name": "Noor", "password": PASSWORD });
        let _ = trail.call(&mut guest, "create_invited_account", &[], new).await;
        let (_, login, mut member) = self.hire().await;
        let _ = self.invite(trail, &production, &login).await;
        let token = self.secret(&login, "/invitation#").await;
        let _ = trail.call(&mut member, "accept_invitation", &[], json!({ "token": token })).await;
        let waits = self.invite(trail, &production, "waits@elsewhere.example").await;
        let _ = execute(&self.kinora, "UPDATE invitations SET mailed_at = mailed_at - interval '1 hour'");
        let _ = trail.act(&mut self.owner, "resend_invitation", &[&production, &waits]).await;
        let _ = trail.act(&mut self.owner, "withdraw_invitation", &[&production, &waits]).await;
    }

    async fn mail(&mut self, trail: &mut Trail) {
        let production = self.add_production("Unreachable").await;
        let _ = self.invite(trail, &production, "refused@elsewhere.example").await;
        let path = format!("/api/data/v1/organisations/{}/mail", self.organisation);
        let owner = &mut self.owner;
        let failed = wait_until("a mail that was refused", async || {
            let mails = owner.get(&path).await.expect(200).json();
            mails["items"].as_array().unwrap().iter().find(|mail| mail["state"] == "failed").cloned()
        })
        .await;
        let there = [self.organisation.clone(), text(&failed, "/id")];
        let there = [there[0].as_str(), there[1].as_str()];
        let _ = trail.act(&mut self.owner, "retry_mail", &there).await;
        let owner = &mut self.owner;
        wait_until("the mail is refused again", async || {
            let mail = owner.get(&format!("{path}/{}", there[1])).await.expect(200).json();
            (mail["state"] == "failed").then_some(())
        })
        .await;
        let _ = trail.act(&mut self.owner, "drop_mail", &there).await;
    }

    async fn service_accounts(&mut self, trail: &mut Trail) {
        let organisation = self.organisation.clone();
        let owner = &mut self.owner;
        let me = text(&owner.get("/api/data/v1/session").await.json(), "/person/id");
        let body = json!({ "name": "ingest", "purpose": "brings rushes", "responsible_id": me });
        let made = trail.call(owner, "create_service_account", &[&organisation], body).await.json();
        let there = [organisation.as_str(), made["id"].as_str().unwrap()];
        let change = json!({ "purpose": "brings sound" });
        let _ = trail.call(owner, "update_service_account", &there, change).await;
        let body = json!({ "name": "night", "scope": scope() });
        let token = trail.call(owner, "create_service_account_token", &there, body).await.json();
        let token = text(&token, "/token/id");
        let _ = trail.act(owner, "revoke_service_account_token", &[there[0], there[1], &token]).await;
    }

    async fn connections(&mut self, trail: &mut Trail) {
        let organisation = self.organisation.clone();
        let owner = &mut self.owner;
        let name = json!({ "name": "Vendors" });
        let made = trail.call(owner, "create_connection", &[&organisation], name).await.json();
        let there = [organisation.as_str(), made["id"].as_str().unwrap()];
        let metadata = json!({ "url": self.metadata_url });
        let _ = trail.call(owner, "set_provider_metadata", &there, metadata).await;
        // What is fetched and found as it was changes nothing.
        *self.metadata.lock().unwrap() = page("200 OK", &provider(&[&Key::ending_in(200)]));
        let _ = trail.act(owner, "refresh_provider_metadata", &there).await;
        let _ = trail.call(owner, "update_connection", &there, json!({ "enabled": true })).await;
        for operation in ["add_certificate", "switch_certificate", "drop_certificate", "test_connection"] {
            let _ = trail.act(owner, operation, &there).await;
        }
        let rule = json!({ "group": "crew", "organisation_role": "member" });
        let rule = text(&trail.call(owner, "create_group_rule", &there, rule).await.json(), "/id");
        let _ = trail.act(owner, "remove_group_rule", &[there[0], there[1], &rule]).await;
        let body = json!({ "expires_in_days": 30 });
        let token = trail.call(owner, "create_provisioning_token", &there, body).await.json();
        let token = text(&token, "/token/id");
        let _ = trail.act(owner, "revoke_provisioning_token", &[there[0], there[1], &token]).await;

        let body = json!({ "domain": "vendors.example" });
        let domain = text(&trail.call(owner, "add_domain", &[&organisation], body).await.json(), "/id");
        let _ = execute(&self.kinora, "UPDATE organisation_domains SET verified_at = now()");
        let led = json!({ "connection_id": there[1] });
        let _ = trail.call(owner, "update_domain", &[&organisation, &domain], led).await;
        let _ = trail.act(owner, "remove_domain", &[&organisation, &domain]).await;
        let _ = trail.act(owner, "remove_connection", &there).await;
    }

    async fn studio_account(&mut self, trail: &mut Trail) {
        let (_, _, mut person) = self.hire().await;
        let body = json!({ "connection_id": self.connection, "return_to": "/account" });
        let way = trail.call(&mut person, "join_studio_account", &[], body).await.json();
        let leads = person.get(&text(&way, "/address")).await;
        let response = self.idp.sign_in(&leads, "ada").await;
        let acs = format!("/saml/{}/acs", self.connection);
        let answer = post_to(&mut person, &acs, &response, self.idp.url()).await;
        assert_eq!(answer.header("location"), Some("/account"), "{}", answer.text());
        person.refresh_csrf_token().await;
        let _ = trail.act(&mut person, "confirm_with_studio_account", &[]).await;
        let _ = trail.act(&mut person, "separate_studio_account", &[&self.connection]).await;
    }

    async fn support(&mut self, trail: &mut Trail) {
        let organisation = self.organisation.clone();
        let (id, login, mut helper) = self.hire().await;
        // Of another place by now: nobody gives support access to their own people.
        let gone = format!("DELETE FROM organisation_members WHERE person_id = '{id}'");
        let _ = execute(&self.kinora, &gone);
        let form = json!({
            "address": login, "reason": "Reel 3 does not play", "scope": scope(),
            "ends_at": chrono::Utc::now() + chrono::TimeDelta::hours(1),
        });
        let given = trail.call(&mut self.owner, "give_support_access", &[&organisation], form).await.json();
        let grant = text(&given, "/id");
        let token = json!({ "token": self.secret(&login, "/support-access#").await });
        let _ = trail.call(&mut helper, "read_support_offer", &[], token.clone()).await;
        let _ = trail.call(&mut helper, "accept_support_access", &[], token).await;
        let _ = trail.act(&mut self.owner, "end_support_access", &[&organisation, &grant]).await;
    }
}

/// Metadata of a provider with these keys.
fn provider(keys: &[&Key]) -> String {
    Described::new("https://login.studio.example/idp", keys).xml()
}

fn scope() -> Value {
    json!({ "most_role": "reader", "modules": ["library"] })
}
