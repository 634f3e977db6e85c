//! Playback and downloads: originals and what was made of them, with ranges.
//!
//! An original is whatever somebody delivered, so browsers must never show it as a page of ours: it is
//! always saved, never sniffed, and sandboxed.

use actix_web::body::{BoxBody, SizedStream};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use kinora_core::AssetId;
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::step::DerivativeKind;
use kinora_store::versions::{self, AssetFile};
use kinora_vault::VaultError;

use super::delivery::{self, Answer, Conditions};
use super::problems::vault_problem;
use crate::context::Context;
use crate::error::{Problem, ProblemKind};
use crate::extract::Within;
use crate::extract::permission::{Library, Reader};

/// Who may watch and download: a reader of the library that the asset is in.
type Viewer = Within<AssetId, Library, Reader>;

macro_rules! files {
    ($($(#[$doc:meta])* $name:ident, $last:literal, $kind:expr, $type:literal, $body:ty;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(get, path = concat!("/api/media/v1/assets/{asset_id}/", $last), tag = "media",
            params(
                ("asset_id" = AssetId, Path),
                ("Range" = Option<String>, Header, description = "A single range of bytes"),
            ),
            responses(
                (status = 200, description = "The file", content_type = $type, body = $body),
                (status = 206, description = "The range", content_type = $type, body = Vec<u8>),
                (status = 304, description = "If-None-Match names what there is"),
                (status = 404, description = "No such asset, or it has no such file (yet)",
                    body = crate::error::ProblemDocument, content_type = "application/problem+json"),
                (status = 416, description = "The range lies outside the file",
                    body = crate::error::ProblemDocument, content_type = "application/problem+json"),
            ))]
        pub async fn $name(
            context: Data<Context>,
            viewer: Viewer,
            request: HttpRequest,
        ) -> Result<HttpResponse, Problem> {
            send(&context, &viewer, &request, $kind).await
        }
    )+};
}

files! {
    /// The original as it was delivered.
    download_original, "original", None, "application/octet-stream", Vec<u8>;
    /// The file that browsers play.
    get_proxy, "proxy", Some(DerivativeKind::Proxy), "video/mp4", Vec<u8>;
    /// One picture.
    get_poster, "poster", Some(DerivativeKind::Poster), "image/jpeg", Vec<u8>;
    /// All pictures of the filmstrip in one.
    get_filmstrip, "filmstrip", Some(DerivativeKind::Filmstrip), "image/jpeg", Vec<u8>;
    /// Which picture of the filmstrip stands for which time.
    get_filmstrip_index, "filmstrip.vtt", Some(DerivativeKind::FilmstripIndex), "text/vtt", Vec<u8>;
    /// The waveform, in the binary format of audiowaveform.
    get_waveform, "waveform", Some(DerivativeKind::Waveform), "application/octet-stream", Vec<u8>;
    /// What ffprobe said.
    get_probe, "probe", Some(DerivativeKind::RawProbe), "application/json", serde_json::Value;
}

/// Why a body ends before all its bytes were sent.
#[derive(Debug, thiserror::Error)]
enum BreakOff {
    /// The file is damaged, or cannot be reached any more.
    #[error(transparent)]
    Vault(VaultError),
    /// Whoever reads it may not do so any more.
    #[error("the permission has ended")]
    PermissionEnded,
}

async fn send(
    context: &Context,
    viewer: &Viewer,
    request: &HttpRequest,
    kind: Option<DerivativeKind>,
) -> Result<HttpResponse, Problem> {
    let (principal, asset) = (std::sync::Arc::clone(&viewer.who.principal), viewer.id);
    let find = move |connection: &mut _| versions::find_file(connection, &principal, asset, kind);
    let file = context.database.read(find).await?;
    let etag = format!("\"{}\"", file.object.sha256);
    let size = file.object.size_bytes;
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let conditions = Conditions {
        if_none_match: text(header::IF_NONE_MATCH),
        if_range: text(header::IF_RANGE),
        range: text(header::RANGE),
    };
    let (status, start, end) = match delivery::decide(conditions, &etag, size) {
        Answer::Whole => (StatusCode::OK, 0, size),
        Answer::Part(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
        Answer::NotModified => (StatusCode::NOT_MODIFIED, 0, 0),
        Answer::Unsatisfiable => return Err(unsatisfiable(size)),
    };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, cache_control(viewer, request)));
    if status == StatusCode::NOT_MODIFIED {
        return Ok(response.finish());
    }
    describe(&mut response, &file, kind);
    if status == StatusCode::PARTIAL_CONTENT {
        response.insert_header((header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1)));
    }
    let body = if *request.method() == Method::HEAD {
        BoxBody::new(SizedStream::new(end - start, futures_util::stream::empty::<Result<_, VaultError>>()))
    } else {
        open(context, viewer, &file, start, end).await?
    };
    Ok(response.body(body))
}

fn unsatisfiable(size: u64) -> Problem {
    let range = HeaderValue::from_str(&format!("bytes */{size}"));
    let problem = Problem::from(ProblemKind::RangeNotSatisfiable);
    match range {
        Ok(range) => problem.with_header(header::CONTENT_RANGE, range),
        Err(_) => problem,
    }
}

/// A new version has new bytes at the same address, so browsers ask each time (and mostly hear 304),
/// unless the page says by `?v=` which bytes it means. Under support access nothing stays in the browser.
fn cache_control(viewer: &Viewer, request: &HttpRequest) -> &'static str {
    if viewer.who.origin.support_grant.is_some() {
        return "no-store";
    }
    let names_bytes = request.query_string().split('&').any(|pair| pair.starts_with("v="));
    if names_bytes { "private, max-age=31536000, immutable" } else { "private, no-cache" }
}

fn describe(response: &mut actix_web::HttpResponseBuilder, file: &AssetFile, kind: Option<DerivativeKind>) {
    let disposition = match kind {
        None => {
            response.insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'",
            ));
            delivery::attachment(&file.file_name)
        }
        Some(kind) => delivery::inline(&derivative_name(&file.file_name, kind)),
    };
    response
        .insert_header((header::CONTENT_TYPE, file.media_type.as_str()))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
}

/// Under which name a derivative is saved, if somebody does.
fn derivative_name(file_name: &str, kind: DerivativeKind) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let ending = match kind {
        DerivativeKind::Proxy => "proxy.mp4",
        DerivativeKind::Poster => "poster.jpg",
        DerivativeKind::Filmstrip => "filmstrip.jpg",
        DerivativeKind::FilmstripIndex => "filmstrip.vtt",
        DerivativeKind::Waveform => "waveform.dat",
        DerivativeKind::RawProbe => "probe.json",
    };
    format!("{stem}.{ending}")
}

/// The bytes as a body. The first are read before anything is answered, so that a file that is missing
/// or damaged can still be told; damage further on breaks the connection off, and the client sees that
/// bytes are missing. The same happens when the viewer may not have them any more.
async fn open(
    context: &Context,
    viewer: &Viewer,
    file: &AssetFile,
    start: u64,
    end: u64,
) -> Result<BoxBody, Problem> {
    let reader = context.vault.reader(&file.object).map_err(vault_problem)?;
    let mut pieces = reader.stream(start..end);
    let first = pieces.next().await.transpose().map_err(vault_problem)?;
    let object = file.object.id;
    let rest = pieces.inspect(move |piece| {
        if let Err(error) = piece {
            log::error!(object = object.to_string().as_str(); "a file broke off while it was read: {error}");
        }
    });
    let pieces =
        futures_util::stream::iter(first.map(Ok)).chain(rest).map(|piece| piece.map_err(BreakOff::Vault));
    let principal = &viewer.who.principal;
    let guard = context.guards.watch(principal, viewer.production_id, Module::Library, ModuleRole::Reader);
    let pieces = guard.over(pieces, || Err(BreakOff::PermissionEnded));
    Ok(BoxBody::new(SizedStream::new(end - start, Box::pin(pieces))))
}
