//! An HTTP client that behaves like a browser where it matters: cookies and the CSRF token.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// An answer that was read whole.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: no JSON ({error}): {}", self.status, self.text()))
    }

    /// The answer itself, when its status is `status`.
    ///
    /// # Panics
    /// Otherwise, showing the body.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

thread_local! {
    /// Each is told all certificate authorities of the machine, which takes longer than most requests; tests make many
    /// visitors. One a thread, as its connections end with the runtime of the test that runs there.
    static HTTP: reqwest::Client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("an HTTP client");
}

/// A visitor of one application.
///
/// Cookies are kept by hand: a `Secure` cookie goes back over plain HTTP on loopback, as browsers do
/// for localhost and HTTP libraries do not.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    cookies: BTreeMap<String, String>,
    csrf_token: Option<String>,
    bearer: Option<String>,
    headers: BTreeMap<&'static str, String>,
}

impl Client {
    /// A visitor nobody knows, at `base` ("http://localhost:1234").
    ///
    /// # Panics
    /// When the HTTP library cannot be set up.
    #[must_use]
    pub fn anonymous(base: &str) -> Self {
        Self {
            http: HTTP.with(reqwest::Client::clone),
            base: base.to_owned(),
            cookies: BTreeMap::new(),
            csrf_token: None,
            bearer: None,
            headers: BTreeMap::new(),
        }
    }

    /// The same visitor at another application instance.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// A visitor with an access token and no cookies.
    #[must_use]
    pub fn with_token(base: &str, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..Self::anonymous(base) }
    }

    /// The same visitor, who sends this header with everything.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.to_owned());
        self
    }

    /// Signs in; the answer is the one of the session's creation.
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Answer {
        let body = json!({ "login": login, "password": password });
        let answer = self.post("/api/data/v1/session", &body).await;
        if answer.status.is_success() {
            self.refresh_csrf_token().await;
        }
        answer
    }

    /// Asks for the session's CSRF token, as the web client does when it loads.
    pub async fn refresh_csrf_token(&mut self) {
        let session = self.get("/api/data/v1/session").await.json();
        self.csrf_token = session.get("csrf_token").and_then(Value::as_str).map(str::to_owned);
    }

    /// The CSRF token.
    #[must_use]
    pub fn csrf_token(&self) -> Option<&str> {
        self.csrf_token.as_deref()
    }

    /// Forgets the CSRF token, for tests of its check.
    pub fn forget_csrf_token(&mut self) {
        self.csrf_token = None;
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Keeps a cookie as if an answer had set it.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    /// POST with JSON.
    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        self.send(request).await
    }

    /// PUT with JSON.
    pub async fn put(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::PUT, path).json(body);
        self.send(request).await
    }

    /// PATCH with JSON.
    pub async fn patch(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::PATCH, path).json(body);
        self.send(request).await
    }

    /// DELETE.
    pub async fn delete(&mut self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path);
        self.send(request).await
    }

    /// A request with this visitor's credentials, to be completed and given to [`Client::send`], or
    /// sent as it is where the answer is to be read piece by piece. `path` may be a whole address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, address);
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(token) = &self.csrf_token {
            request = request.header("X-CSRF-Token", token);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        request
    }

    /// Sends a request, keeps the cookies, reads the answer.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        self.keep_cookies(answer.headers());
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("a whole answer").to_vec();
        let answer = Answer { status, headers, bytes };
        self.keep_new_csrf_token(&answer);
        answer
    }

    /// A confirmation brings the session's next CSRF token, which takes the place of the one that is there.
    fn keep_new_csrf_token(&mut self, answer: &Answer) {
        if self.csrf_token.is_none() || !answer.headers.contains_key(SET_COOKIE) {
            return;
        }
        let body: Option<Value> = serde_json::from_slice(&answer.bytes).ok();
        let token = body.as_ref().and_then(|body| body.get("csrf_token")).and_then(Value::as_str);
        if let Some(token) = token {
            self.csrf_token = Some(token.to_owned());
        }
    }

    /// The same visitor as when another site's page sends the browser: with these cookies only, and no token.
    #[must_use]
    pub fn without_cookies_but(&self, names: &[&str]) -> Self {
        let mut other = self.clone();
        other.cookies.retain(|name, _| names.contains(&name.as_str()));
        other.csrf_token = None;
        other
    }

    /// Keeps the cookies of an answer to a request that was sent for this visitor.
    pub fn take_cookies_of(&mut self, answer: &Answer) {
        self.keep_cookies(&answer.headers);
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("a readable cookie");
            let pair = line.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let expired = line.to_ascii_lowercase().contains("max-age=0");
            if expired || value.is_empty() {
                self.cookies.remove(name.trim());
            } else {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}
