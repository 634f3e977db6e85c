//! People, a production and an upload client for the tests of the Media API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use kinora_core::{OrganisationId, PersonId, ProductionId, TokenId};
use kinora_store::schema::{
    access_tokens, organisation_members, organisations, people, production_members, productions,
};
use kinora_tests::{Answer, Client, Kinora};
use reqwest::{Method, RequestBuilder};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const OCTETS: &str = "application/offset+octet-stream";

/// Bytes that look random and are the same each time (xorshift64*).
pub fn make_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An access token in the form that the application recognises.
fn make_token(seed: u64) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letters = |bytes: &[u8]| -> String {
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).collect()
    };
    let body = letters(&make_bytes(seed, 43));
    let check = Sha256::digest(format!("kinora token check {body}").as_bytes());
    format!("kinora_{body}{}", letters(&check[..6]))
}

/// A production, and people with a token each.
pub struct Studio {
    pub production: ProductionId,
    organisation: OrganisationId,
    next: u64,
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Person {
    pub id: PersonId,
    pub token: String,
}

impl Studio {
    pub fn open(kinora: &Kinora) -> Self {
        let mut conn = kinora.connect();
        let studio = Self { production: ProductionId::new(), organisation: OrganisationId::new(), next: 1 };
        diesel::insert_into(organisations::table)
            .values((organisations::id.eq(studio.organisation.0), organisations::name.eq("Studio")))
            .execute(&mut conn)
            .unwrap();
        diesel::insert_into(productions::table)
            .values((
                productions::id.eq(studio.production.0),
                productions::organisation_id.eq(studio.organisation.0),
                productions::name.eq("Film"),
            ))
            .execute(&mut conn)
            .unwrap();
        studio
    }

    /// Somebody with that role in the production's library, or none.
    pub fn hire(&mut self, kinora: &Kinora, role: Option<&str>) -> Person {
        let mut conn = kinora.connect();
        let seed = self.next;
        self.next += 1;
        let person = Person { id: PersonId::new(), token: make_token(seed) };
        let login = format!("person-{seed}");
        diesel::insert_into(people::table)
            .values((
                people::id.eq(person.id.0),
                people::login.eq(&login),
                people::login_key.eq(&login),
                people::display_name.eq("Somebody"),
            ))
            .execute(&mut conn)
            .unwrap();
        diesel::insert_into(organisation_members::table)
            .values((
                organisation_members::organisation_id.eq(self.organisation.0),
                organisation_members::person_id.eq(person.id.0),
                organisation_members::role.eq("member"),
            ))
            .execute(&mut conn)
            .unwrap();
        if role.is_some() {
            diesel::insert_into(production_members::table)
                .values((
                    production_members::production_id.eq(self.production.0),
                    production_members::person_id.eq(person.id.0),
                    production_members::library_role.eq(role),
                ))
                .execute(&mut conn)
                .unwrap();
        }
        diesel::insert_into(access_tokens::table)
            .values((
                access_tokens::id.eq(TokenId::new().0),
                access_tokens::person_id.eq(person.id.0),
                access_tokens::name.eq("test"),
                access_tokens::token_digest.eq(Sha256::digest(person.token.as_bytes()).to_vec()),
                access_tokens::hint.eq("test"),
                access_tokens::expires_at.eq(Utc::now() + TimeDelta::hours(1)),
            ))
            .execute(&mut conn)
            .unwrap();
        person
    }

    /// Where uploads are made.
    pub fn uploads(&self) -> String {
        format!("/api/media/v1/productions/{}/uploads", self.production)
    }
}

/// A client that speaks tus.
#[derive(Clone)]
pub struct Uploader {
    pub client: Client,
    pub base: String,
    uploads: String,
    token: String,
}

impl Uploader {
    pub fn new(url: &str, studio: &Studio, person: &Person) -> Self {
        Self {
            client: Client::with_token(url, &person.token),
            base: url.to_owned(),
            uploads: studio.uploads(),
            token: person.token.clone(),
        }
    }

    pub fn at(&self, url: &str) -> Self {
        Self { client: self.client.at(url), base: url.to_owned(), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, path).header("Tus-Resumable", "1.0.0")
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.client.clone().send(request).await
    }

    pub fn creation(&self) -> RequestBuilder {
        self.request(Method::POST, &self.uploads)
    }

    /// Begins an upload; gives its address.
    pub async fn create(&self, length: usize, file_name: &str) -> String {
        let metadata = format!("filename {}", STANDARD.encode(file_name));
        let request = self.creation().header("Upload-Length", length).header("Upload-Metadata", metadata);
        let answer = self.send(request).await.expect(201);
        answer.header("location").unwrap().to_owned()
    }

    pub fn patch(&self, address: &str, offset: usize, bytes: &[u8]) -> RequestBuilder {
        self.request(Method::PATCH, address)
            .header("Content-Type", OCTETS)
            .header("Upload-Offset", offset)
            .body(bytes.to_vec())
    }

    pub async fn write(&self, address: &str, offset: usize, bytes: &[u8]) -> Answer {
        self.send(self.patch(address, offset, bytes)).await
    }

    pub async fn head(&self, address: &str) -> Answer {
        self.send(self.request(Method::HEAD, address)).await
    }

    pub async fn offset(&self, address: &str) -> usize {
        let answer = self.head(address).await.expect(200);
        answer.header("upload-offset").unwrap().parse().unwrap()
    }

    /// Uploads everything at once; gives the asset.
    pub async fn upload(&self, file_name: &str, bytes: &[u8]) -> String {
        let address = self.create(bytes.len(), file_name).await;
        if bytes.is_empty() {
            return asset_of(&self.head(&address).await.expect(200));
        }
        asset_of(&self.write(&address, 0, bytes).await.expect(204))
    }

    /// The original of an asset.
    pub async fn download(&self, asset: &str) -> Vec<u8> {
        let request = self.client.request(Method::GET, &original(asset));
        self.send(request).await.expect(200).bytes
    }

    /// Begins a PATCH by hand, to leave it unfinished.
    pub async fn begin_patch(&self, address: &str, offset: usize, length: usize) -> OpenPatch {
        let host = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "PATCH {address} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
             Content-Type: {OCTETS}\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n",
            self.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        OpenPatch { stream }
    }
}

/// A PATCH whose body is not sent to its end.
pub struct OpenPatch {
    stream: TcpStream,
}

impl OpenPatch {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The status of the answer; none if the connection was closed without one.
    pub async fn status(mut self) -> Option<u16> {
        let mut head = [0; 12];
        self.stream.read_exact(&mut head).await.ok()?;
        std::str::from_utf8(&head[9..]).ok()?.parse().ok()
    }
}

pub fn original(asset: &str) -> String {
    format!("/api/media/v1/assets/{asset}/original")
}

pub fn asset_of(answer: &Answer) -> String {
    answer.header("kinora-asset").expect("the upload has become an asset").to_owned()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    flag: bool,
}

/// How many rows `SELECT count(*) AS count FROM …` finds.
pub fn count(conn: &mut PgConnection, from: &str) -> i64 {
    let row: Count =
        diesel::sql_query(format!("SELECT count(*) AS count FROM {from}")).get_result(conn).unwrap();
    row.count
}

/// Whether the upload at this address has a durable offset of at least `bytes` in the database.
pub fn is_marked(conn: &mut PgConnection, address: &str, bytes: usize) -> bool {
    let id = address.rsplit('/').next().unwrap();
    let row: Flag = diesel::sql_query("SELECT offset_bytes >= $2 AS flag FROM uploads WHERE id::text = $1")
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(i64::try_from(bytes).unwrap())
        .get_result(conn)
        .unwrap();
    row.flag
}

/// Every file below the vault of this test.
pub fn vault_files(kinora: &Kinora) -> Vec<std::path::PathBuf> {
    fn walk(path: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        // What is removed while one looks is not there.
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => walk(&entry.path(), found),
                Ok(_) if !entry.file_name().to_string_lossy().starts_with(".check") => {
                    found.push(entry.path())
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&kinora.directory().join("vault"), &mut found);
    found
}
