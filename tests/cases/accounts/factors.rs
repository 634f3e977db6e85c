//! Second factors: authenticator apps, recovery codes, passkeys, codes by mail, and what asks for them.

mod app;
mod budget;
mod enforcement;
mod mailed_codes;
mod passkeys;
pub(crate) mod software_key;
mod step_up;

use kinora_tests::{Answer, Client, Kinora};
use serde_json::{Value, json};
use totp_rs::{Algorithm, Builder, Secret};

use super::world::{execute, text};

const D: &str = "/api/data/v1";
pub const APP: &str = "/api/data/v1/account/factors/authenticator";
const SECOND: &str = "/api/data/v1/session/second-factor";
/// For hundreds of requests, one after the other.
const FAST: &str = "rate_limit.address_per_second = 1000.0\nrate_limit.address_burst = 10000";

/// An authenticator app on somebody's phone.
#[derive(Debug, Clone)]
pub struct App {
    key: String,
    /// The code that it was set up with.
    used: String,
}

impl App {
    /// One that was given this key (base32).
    pub fn of(key: &str) -> Self {
        Self { key: key.to_owned(), used: String::new() }
    }

    /// What it shows now.
    pub fn code(&self) -> String {
        self.code_after(0)
    }

    /// What it shows so many steps from now.
    fn code_after(&self, steps: i64) -> String {
        let seconds = chrono::Utc::now().timestamp() + 30 * steps;
        self.totp().generate(u64::try_from(seconds).unwrap()).to_string()
    }

    /// A code that is not right now, nor soon or a short time ago.
    pub fn wrong_code(&self, number: u32) -> String {
        self.wrong_codes(number * 7919).next().unwrap()
    }

    /// Codes from a number on that are not right now, nor soon or a short time ago.
    pub fn wrong_codes(&self, first: u32) -> impl Iterator<Item = String> + use<> {
        let right: Vec<String> = (-3..=3).map(|steps| self.code_after(steps)).collect();
        let all = (0..1_000_000_u32).map(move |add| format!("{:06}", (first + add) % 1_000_000));
        all.filter(move |code| !right.contains(code))
    }

    fn totp(&self) -> totp_rs::Totp {
        let secret = Secret::try_from_base32(self.key.replace(' ', "")).unwrap();
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_secret(secret)
            .build()
            .unwrap()
    }
}

/// Sets up an app for somebody who is signed in; gives it and the recovery codes.
pub async fn enrol_app(client: &mut Client) -> (App, Vec<String>) {
    let begun = client.post(APP, &json!({})).await.expect(200).json();
    let mut app = App::of(&text(&begun, "/key"));
    app.used = app.code();
    let added = client.put(APP, &json!({ "code": app.used })).await.expect(200).json();
    (app, strings(&added["recovery_codes"]))
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Makes the codes that were used good again, as if half a minute had passed for each.
pub fn let_steps_pass(kinora: &Kinora) {
    let _ = execute(kinora, "UPDATE totp_factors SET last_step = last_step - 10");
}

/// Signs in with password and a code.
pub async fn sign_in_with_code(client: &mut Client, login: &str, password: &str, code: &str) -> Answer {
    let _ = client.sign_in(login, password).await.expect(202);
    finish(client, &json!({ "code": code })).await
}

/// Shows a second factor.
pub async fn finish(client: &mut Client, proof: &Value) -> Answer {
    let answer = client.post(SECOND, proof).await;
    if answer.status.is_success() {
        client.refresh_csrf_token().await;
    }
    answer
}

/// The slug of a problem's type.
pub fn slug(answer: &Answer) -> String {
    text(&answer.json(), "/type").trim_start_matches("urn:kinora:problem:").to_owned()
}
