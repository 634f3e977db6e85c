//! A client of Kinora's public API: a session or an access token, and problems in plain words.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, ETAG, HeaderValue, IF_MATCH, SET_COOKIE};
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::input::Secret;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may let nothing be heard of it.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Why something could not be done, for an operator.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The address cannot be used.
    #[error("--url: {0}")]
    Address(String),
    /// No connection, or it broke.
    #[error("{}", chain(.0))]
    Connection(#[from] reqwest::Error),
    /// An answer that was not expected.
    #[error("{what}: answered {status}: {detail}{}", request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default())]
    Refused {
        /// What was asked for.
        what: String,
        /// The status.
        status: StatusCode,
        /// The problem's sentence, or the beginning of the body.
        detail: String,
        /// The id under which the log has more.
        request_id: Option<String>,
    },
    /// Something that is not as it should be.
    #[error("{0}")]
    Wrong(String),
    /// A local file.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

/// An error with all its causes; reqwest keeps the telling one at the end.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What proves who calls.
#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Session { cookie: String, csrf_token: String },
    Token(Secret),
}

/// Who is signed in, as `GET /session` says.
#[derive(Clone, Debug, Deserialize)]
pub struct SessionAnswer {
    /// Required for changes with a session.
    #[serde(default)]
    pub csrf_token: Option<String>,
    /// Whether the one-time password is still in use.
    #[serde(default)]
    pub password_change_required: bool,
    /// The organisations.
    #[serde(default)]
    pub organisations: Vec<Organisation>,
}

/// An organisation the person is a member of.
#[derive(Clone, Debug, Deserialize)]
pub struct Organisation {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The person's role.
    pub role: String,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    proof: Proof,
}

impl Client {
    /// A client that nobody knows yet. `authority` is a file with certificates (PEM) to be trusted too; with `place` the
    /// name is not looked up.
    pub fn new(base: &str, authority: Option<&Path>, place: Option<IpAddr>) -> Result<Self, CanaryError> {
        let base = Url::parse(base).map_err(|error| CanaryError::Address(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(CanaryError::Address("must begin with http:// or https://".to_owned()));
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("kinoractl/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = authority {
            let failed = |error| CanaryError::File(file.display().to_string(), error);
            let pem = std::fs::read(file).map_err(failed)?;
            for certificate in Certificate::from_pem_bundle(&pem)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        if let (Some(place), Some(name)) = (place, base.host_str()) {
            // The port stays that of the address.
            builder = builder.resolve(name, SocketAddr::new(place, 0));
        }
        Ok(Self { http: builder.build()?, base, proof: Proof::Nothing })
    }

    /// Calls with this access token from now on.
    pub fn use_token(&mut self, token: Secret) {
        self.proof = Proof::Token(token);
    }

    /// Signs in and calls with the session from now on.
    pub async fn sign_in(&mut self, login: &str, password: &Secret) -> Result<(), CanaryError> {
        let body = serde_json::json!({ "login": login, "password": password.expose() });
        let request = self.request(Method::POST, "/api/data/v1/session")?.json(&body);
        let response = send("sign in", request).await?;
        if response.status() == StatusCode::ACCEPTED {
            return Err(CanaryError::Wrong(
                "this account has a second factor, which no program can show: give the canary an access token of the \
                 account (--token-file; made on the account's page, or with kinoractl token create)"
                    .to_owned(),
            ));
        }
        let cookie = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter_map(|value| value.split(';').next())
            .find(|pair| pair.starts_with("__Host-kinora="))
            .ok_or_else(|| CanaryError::Wrong("the answer to signing in sets no session cookie".to_owned()))?
            .to_owned();
        self.proof = Proof::Session { cookie, csrf_token: String::new() };
        Ok(())
    }

    /// Asks who is signed in, and keeps what changes need.
    pub async fn session(&mut self) -> Result<SessionAnswer, CanaryError> {
        let answer: SessionAnswer = self.get("who am I", "/api/data/v1/session").await?;
        if let (Proof::Session { csrf_token, .. }, Some(token)) = (&mut self.proof, &answer.csrf_token) {
            csrf_token.clone_from(token);
        }
        Ok(answer)
    }

    /// Ends the session, if there is one.
    pub async fn sign_out(&mut self) -> Result<(), CanaryError> {
        if matches!(self.proof, Proof::Session { .. }) {
            send("sign out", self.request(Method::DELETE, "/api/data/v1/session")?).await?;
            self.proof = Proof::Nothing;
        }
        Ok(())
    }

    /// Whether it ends a session when it is done.
    pub fn has_session(&self) -> bool {
        matches!(self.proof, Proof::Session { .. })
    }

    /// A request with everything that proves who calls. `address` may be a path or a whole address of
    /// the same server.
    pub fn request(&self, method: Method, address: &str) -> Result<RequestBuilder, CanaryError> {
        let url = self.base.join(address).map_err(|error| CanaryError::Address(error.to_string()))?;
        // What proves who calls goes to nobody else, whatever an answer names as its place.
        if url.origin() != self.base.origin() {
            return Err(CanaryError::Wrong(format!("an answer leads to another server: {url}")));
        }
        let request = self.http.request(method.clone(), url);
        Ok(match &self.proof {
            Proof::Nothing => request,
            Proof::Token(token) => request.bearer_auth(token.expose()),
            Proof::Session { cookie, csrf_token } => {
                let request = request.header(COOKIE, cookie);
                if method.is_safe() { request } else { request.header("x-csrf-token", csrf_token) }
            }
        })
    }

    /// Gets JSON.
    pub async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, CanaryError> {
        json(what, send(what, self.request(Method::GET, path)?).await?).await
    }

    /// Posts JSON and gets JSON. Sent twice, it makes one thing.
    pub async fn create<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        body: &Value,
    ) -> Result<T, CanaryError> {
        let key = uuid::Uuid::now_v7().to_string();
        let request = self.request(Method::POST, path)?.header("idempotency-key", key).json(body);
        json(what, send(what, request).await?).await
    }

    /// Removes something with the ETag that it has now. What is not there any more is fine.
    pub async fn remove(&self, what: &str, path: &str) -> Result<(), CanaryError> {
        let found = self.request(Method::GET, path)?.send().await?;
        if found.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        let found = accept(what, found).await?;
        let etag = found.headers().get(ETAG).cloned().unwrap_or_else(|| HeaderValue::from_static("*"));
        let request = self.request(Method::DELETE, path)?.header(IF_MATCH, etag);
        send(what, request).await.map(|_| ())
    }
}

/// Sends a request; anything but success is an error.
pub async fn send(what: &str, request: RequestBuilder) -> Result<Response, CanaryError> {
    accept(what, request.send().await?).await
}

async fn json<T: DeserializeOwned>(what: &str, response: Response) -> Result<T, CanaryError> {
    let bytes = response.bytes().await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| CanaryError::Wrong(format!("{what}: the answer is not what was expected: {error}")))
}

/// The answer, if it is a success.
pub async fn accept(what: &str, response: Response) -> Result<Response, CanaryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let request_id = header("x-request-id");
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/problem+json"));
    let text = response.text().await.unwrap_or_default();
    let detail = if is_problem {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        problem.get("detail").and_then(Value::as_str).unwrap_or("(no detail)").to_owned()
    } else {
        text.chars().take(200).collect()
    };
    Err(CanaryError::Refused { what: what.to_owned(), status, detail, request_id })
}
