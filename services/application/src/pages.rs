//! The web client's files, read once and served from memory.
//!
//! Files under `assets/` have a hash in their name and never change; the page itself is always asked
//! for again. Every address that is no file and no API is the page: the client's router knows it.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::error::{Problem, ProblemKind};

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NEVER: HeaderValue = HeaderValue::from_static("no-store");
const ASK: HeaderValue = HeaderValue::from_static("no-cache");
/// Smaller files do not gain from compression.
const WORTH_COMPRESSING: usize = 1024;

/// Why the files cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// A file or directory cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not a built web client.
    #[error("{0}: there is no index.html")]
    NoIndex(PathBuf),
}

struct File {
    content_type: &'static str,
    cache: HeaderValue,
    etag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

/// All files of the web client by their address.
pub struct Pages {
    files: HashMap<String, File>,
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn compressed(content_type: &str, content: &[u8]) -> Option<Bytes> {
    let is_text = content_type.starts_with("text/")
        || ["application/json", "application/manifest+json", "image/svg+xml", "application/wasm"]
            .contains(&content_type);
    if !is_text || content.len() < WORTH_COMPRESSING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

impl File {
    fn new(path: &str, content: Vec<u8>) -> Self {
        let content_type = content_type(path);
        let cache = if path.starts_with("/assets/") {
            IMMUTABLE
        } else if path == "/index.html" {
            NEVER
        } else {
            ASK
        };
        let digest = hex::encode(Sha256::digest(&content).get(..16).unwrap_or_default());
        let etag = HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(ASK);
        let gzip = compressed(content_type, &content);
        Self { content_type, cache, etag, plain: content.into(), gzip }
    }
}

impl Pages {
    /// Reads a built web client.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn read(root: &Path) -> Result<Self, PagesError> {
        let mut files = HashMap::new();
        let mut pending = vec![root.to_owned()];
        while let Some(directory) = pending.pop() {
            let unreadable = |path: &Path| {
                let path = path.to_owned();
                move |source| PagesError::Unreadable { path, source }
            };
            for entry in std::fs::read_dir(&directory).map_err(unreadable(&directory))? {
                let path = entry.map_err(unreadable(&directory))?.path();
                if path.is_dir() {
                    pending.push(path);
                } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                    let address = format!("/{name}");
                    let content = std::fs::read(&path).map_err(unreadable(&path))?;
                    files.insert(address.clone(), File::new(&address, content));
                }
            }
        }
        if files.contains_key("/index.html") {
            Ok(Self { files })
        } else {
            Err(PagesError::NoIndex(root.to_owned()))
        }
    }

    fn find(&self, path: &str) -> Option<&File> {
        // What has a hash in its name is either there or not; a page in its place would be run as a script.
        if path.starts_with("/assets/") {
            return self.files.get(path);
        }
        self.files.get(path).or_else(|| self.files.get("/index.html"))
    }
}

/// Registers the files for everything that no other address has taken.
pub fn configure(config: &mut ServiceConfig) {
    config.default_service(web::to(page));
}

async fn page(request: HttpRequest, pages: Option<web::Data<Pages>>) -> Result<HttpResponse, Problem> {
    let path = request.path();
    let pages = pages.filter(|_| !path.starts_with("/api/")).ok_or_else(Problem::not_found)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::from(ProblemKind::MethodNotAllowed)
            .with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD")));
    }
    let file = pages.find(path).ok_or_else(Problem::not_found)?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((header::CACHE_CONTROL, file.cache.clone()))
        .insert_header((header::ETAG, file.etag.clone()))
        .insert_header((header::VARY, "Accept-Encoding"));
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH)
        .is_some_and(|tags| file.etag.to_str().is_ok_and(|etag| tags.contains(etag)))
    {
        return Ok(response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    let accepts_gzip = text(header::ACCEPT_ENCODING).is_some_and(|list| list.contains("gzip"));
    match &file.gzip {
        Some(gzip) if accepts_gzip => {
            Ok(response.insert_header((header::CONTENT_ENCODING, "gzip")).body(gzip.clone()))
        }
        _ => Ok(response.body(file.plain.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_for_unknown_addresses_but_not_for_missing_scripts() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Pages::read(root.path()), Err(PagesError::NoIndex(_))));
        std::fs::write(root.path().join("index.html"), "<html>").unwrap();
        std::fs::create_dir(root.path().join("assets")).unwrap();
        std::fs::write(root.path().join("assets/a-1234.js"), "x".repeat(5000)).unwrap();
        let pages = Pages::read(root.path()).unwrap();
        assert_eq!(pages.find("/productions/7").unwrap().content_type, "text/html; charset=utf-8");
        assert_eq!(pages.find("/").unwrap().cache, NEVER);
        assert!(pages.find("/assets/b-9999.js").is_none());
        assert!(pages.find("/../index.html").is_some_and(|file| file.cache == NEVER));
        let script = pages.find("/assets/a-1234.js").unwrap();
        assert_eq!(script.cache, IMMUTABLE);
        assert!(script.gzip.as_ref().is_some_and(|gzip| gzip.len() < 200));
    }
}
