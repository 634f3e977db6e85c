//! An identity provider of a test's own that this project did not write: pysaml2's (`tests/idp/idp.py`).

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::{Answer, Client};

/// An identity provider. It ends when it is dropped.
#[derive(Debug)]
pub struct IdentityProvider {
    process: Child,
    url: String,
    visitor: Client,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A form on a page, as a browser would send it.
#[derive(Clone, Debug)]
pub struct PageForm {
    /// Where it goes.
    pub action: String,
    /// Names and values of its hidden fields.
    pub fields: Vec<(String, String)>,
}

impl PageForm {
    /// The one form of a page.
    ///
    /// # Panics
    /// Without one.
    #[must_use]
    pub fn on(answer: &Answer) -> Self {
        let text = answer.text();
        let action = between(&text, "action=\"", "\"").unwrap_or_else(|| panic!("no form: {text}"));
        let fields = text.split("<input type=\"hidden\" ").skip(1).map(|rest| {
            let read = |name: &str| between(rest, &format!("{name}=\""), "\"").expect("a field");
            (unescaped(&read("name")), unescaped(&read("value")))
        });
        Self { action: unescaped(&action), fields: fields.collect() }
    }

    /// The value of a field.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The same with another value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(found, _)| found != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(found, _)| found != name);
        self
    }

    /// As the body of a request.
    #[must_use]
    pub fn body(&self) -> String {
        let escaped = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect()
        };
        let pairs: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        pairs.join("&")
    }
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0.to_owned())
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

impl IdentityProvider {
    /// One, running.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("idp/idp.py");
        let mut process = Command::new("pysaml2-python")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("pysaml2-python, which `packaging/bootstrap test` installs");
        let mut line = String::new();
        let output = process.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says where it is");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let url = said.get("url").and_then(Value::as_str).expect("an address").to_owned();
        let visitor = Client::anonymous(&url);
        Self { process, url, visitor }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its metadata.
    pub async fn metadata(&self) -> String {
        self.visitor.clone().get("/metadata").await.expect(200).text()
    }

    /// Tells it the service provider's metadata.
    pub async fn set_service(&self, metadata: &str) {
        let request = self.visitor.request(reqwest::Method::PUT, "/service").body(metadata.to_owned());
        let _ = self.visitor.clone().send(request).await.expect(204);
    }

    /// Changes its settings.
    pub async fn set(&self, settings: &Value) {
        let request = self.visitor.request(reqwest::Method::PUT, "/settings").body(settings.to_string());
        let _ = self.visitor.clone().send(request).await.expect(204);
    }

    /// What it got and found, in order.
    pub async fn log(&self) -> Vec<Value> {
        let log = self.visitor.clone().get("/log").await.expect(200).json();
        log.as_array().cloned().unwrap_or_default()
    }

    /// Opens one of its addresses in a browser that has no cookies of it.
    pub async fn open(&self, address: &str) -> Answer {
        self.visitor.clone().get(address).await
    }

    /// Posts a form to one of its addresses.
    pub async fn post(&self, form: &PageForm) -> Answer {
        let request = self
            .visitor
            .request(reqwest::Method::POST, &form.action)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.body());
        self.visitor.clone().send(request).await
    }

    /// Signs somebody in on the page that an answer of the product leads to, by Redirect or by POST; gives the form that its
    /// page posts back.
    ///
    /// # Panics
    /// When the request is refused there.
    pub async fn sign_in(&self, leads_here: &Answer, login: &str) -> PageForm {
        let page = match leads_here.header("location") {
            Some(address) => self.open(address).await,
            None => self.post(&PageForm::on(leads_here)).await,
        };
        assert_eq!(page.status.as_u16(), 200, "{}", page.text());
        let form = PageForm::on(&page).with("login", login);
        let form = PageForm { action: format!("{}/sign-in", self.url), ..form };
        PageForm::on(&self.post(&form).await)
    }
}
