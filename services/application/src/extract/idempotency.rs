//! Creations that can be sent again: `Idempotency-Key`.
//!
//! The answer is stored in the transaction that makes the thing, encrypted, because some answers hold
//! a secret that is shown once.

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use diesel::pg::PgConnection;
use kinora_core::PersonId;
use kinora_store::idempotency::{self, Stored};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{Extraction, body};
use crate::error::{Problem, ProblemKind};
use crate::secrets::Keys;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of a request and what the request says.
#[derive(Clone, Debug)]
pub struct Key {
    key: String,
    digest: [u8; 32],
}

/// A JSON body that makes something, perhaps with a key.
#[derive(Debug)]
pub struct Creation<T> {
    /// The body.
    pub body: T,
    /// The key.
    pub key: Option<Key>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Creation<T> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = body::read(&request, payload).await?;
            Ok(Self { body: body::parse(&bytes)?, key: find_key(&request, &bytes)? })
        })
    }
}

/// A creation without a body, perhaps with a key.
#[derive(Debug)]
pub struct BareCreation(pub Option<Key>);

impl FromRequest for BareCreation {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(find_key(request, &[]).map(Self))
    }
}

fn find_key(request: &HttpRequest, body: &[u8]) -> Result<Option<Key>, Problem> {
    let Some(value) = request.headers().get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > 255 {
        return Err(Problem::invalid_parameter(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters",
        ));
    }
    let mut hasher = Sha256::new();
    for part in [request.method().as_str().as_bytes(), request.uri().path().as_bytes(), body] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Ok(Some(Key { key: key.to_owned(), digest: hasher.finalize().into() }))
}

/// The answer to a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Where the new thing is.
    pub location: Option<String>,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its JSON.
    pub json: Vec<u8>,
}

impl Created {
    /// An answer with this body.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(body: &impl Serialize) -> Result<Self, Problem> {
        let json = serde_json::to_vec(body).map_err(Problem::internal)?;
        Ok(Self { location: None, etag: None, json })
    }

    /// Adds where the new thing is.
    #[must_use]
    pub fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// Adds its revision.
    #[must_use]
    pub fn revision(mut self, revision: i64) -> Self {
        self.etag = Some(format!("\"{revision}\""));
        self
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::with_body(StatusCode::CREATED, BoxBody::new(self.json));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Makes something once: inside the transaction `connection`, `make` runs unless the key was used
/// before; then the stored answer is given again.
///
/// # Errors
/// What `make` answers; [`ProblemKind::IdempotencyKeyReused`].
pub fn once(
    connection: &mut PgConnection,
    keys: &Keys,
    person: PersonId,
    key: Option<&Key>,
    make: impl FnOnce(&mut PgConnection) -> Result<Created, Problem>,
) -> Result<Created, Problem> {
    let Some(key) = key else { return make(connection) };
    if let Some(stored) = idempotency::find(connection, person, &key.key)? {
        return replay(keys, person, key, stored);
    }
    let created = make(connection)?;
    let content = serde_json::to_vec(&(&created.location, &created.etag, hex::encode(&created.json)))
        .map_err(Problem::internal)?;
    let sealed = keys.seal(&context(person, key), &content).map_err(Problem::internal)?;
    idempotency::store(
        connection,
        person,
        &key.key,
        &Stored { request_digest: key.digest.to_vec(), sealed },
    )?;
    Ok(created)
}

fn context(person: PersonId, key: &Key) -> Vec<u8> {
    [b"idempotency ", person.0.as_bytes().as_slice(), key.key.as_bytes()].concat()
}

fn replay(keys: &Keys, person: PersonId, key: &Key, stored: Stored) -> Result<Created, Problem> {
    if stored.request_digest != key.digest {
        return Err(ProblemKind::IdempotencyKeyReused.into());
    }
    let unreadable = || {
        Problem::new(ProblemKind::Conflict, "This was made before; its answer can no longer be given again.")
    };
    let content = keys.open(&context(person, key), &stored.sealed).ok_or_else(unreadable)?;
    let (location, etag, json): (Option<String>, Option<String>, String) =
        serde_json::from_slice(&content).map_err(|_| unreadable())?;
    Ok(Created { location, etag, json: hex::decode(json).map_err(|_| unreadable())? })
}
