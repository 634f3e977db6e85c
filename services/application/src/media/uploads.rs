//! Resumable uploads by tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): creation, with and without
//! a body, with the length known or not; PATCH, HEAD, termination, expiration, checksums, concatenation.
//!
//! An upload belongs to a production and is seen by nobody but the person who made it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{self, Data, Payload};
use actix_web::{Error, HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};
use kinora_core::permission::{Module, ModuleRole};
use kinora_core::{ProductionId, UploadId};
use kinora_store::uploads::{self, Concatenation, NewUpload, Upload};
use serde::Serialize;
use utoipa::ToSchema;

use super::problems::{upload_problem, vault_problem};
use super::protocol::{self, Checksum, Concat, HeaderError, Metadata};
use super::receive::{Reception, SourceError, expires_after, lacks_completion, receive};
use super::{concatenate, sweep, turns};
use crate::context::Context;
use crate::error::{Problem, ProblemKind};
use crate::extract::permission::{Editor, Library};
use crate::extract::{InProduction, SignedIn, path_id};

/// Who may upload: an editor of the production's library.
type Uploader = InProduction<Library, Editor>;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// Names the asset that a complete upload has become.
const KINORA_ASSET: HeaderName = HeaderName::from_static("kinora-asset");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// Says in every answer which version of the protocol it follows, and refuses requests that follow
/// another one.
///
/// # Errors
/// Those of middleware further in.
pub async fn speak_tus(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let needs_version = !matches!(*request.method(), Method::OPTIONS | Method::GET);
    let told = request.headers().get(TUS_RESUMABLE).map(HeaderValue::as_bytes);
    // No copy of the request may be kept here: what routes it further must be its only owner.
    let mut response = if needs_version && told != Some(protocol::VERSION.as_bytes()) {
        let detail = "The header Tus-Resumable must be 1.0.0.";
        request.error_response(Problem::new(ProblemKind::PreconditionFailed, detail))
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let is_precondition = response.status() == StatusCode::PRECONDITION_FAILED;
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(protocol::VERSION));
    if is_precondition {
        headers.insert(TUS_VERSION, HeaderValue::from_static(protocol::VERSION));
    }
    Ok(response)
}

/// What this server understands of tus.
#[utoipa::path(options, path = "/api/media/v1/productions/{production_id}/uploads", tag = "media", security(()),
    params(("production_id" = ProductionId, Path)),
    responses((status = 204, description = "In the headers Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub async fn describe_uploads() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((TUS_VERSION, protocol::VERSION))
        .insert_header((TUS_EXTENSION, protocol::EXTENSIONS))
        .insert_header((TUS_MAX_SIZE, protocol::LONGEST_BYTES))
        .insert_header((TUS_CHECKSUM_ALGORITHM, protocol::CHECKSUM_ALGORITHMS))
        .finish()
}

/// The text of a header, if it is there.
fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Problem> {
    let refuse = |_| Problem::new(ProblemKind::Malformed, "A header is not text.");
    headers.get(name).map(|value| value.to_str().map_err(refuse)).transpose()
}

/// Reads a header with `parse`, if it is there.
fn parse<T>(
    headers: &HeaderMap,
    name: HeaderName,
    parse: impl FnOnce(&str) -> Result<T, HeaderError>,
) -> Result<Option<T>, Problem> {
    let title = name.to_string();
    let Some(value) = text(headers, name)? else { return Ok(None) };
    parse(value).map(Some).map_err(|error| malformed(format!("The header {title} {error}.")))
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(ProblemKind::Malformed, detail)
}

/// Whether the body is bytes of the upload; refuses other bodies.
fn has_bytes(headers: &HeaderMap) -> Result<bool, Problem> {
    match text(headers, header::CONTENT_TYPE)? {
        Some(found) if found.trim().eq_ignore_ascii_case(protocol::CONTENT_TYPE) => Ok(true),
        _ => {
            let is_empty = parse(headers, header::CONTENT_LENGTH, protocol::parse_number)?.unwrap_or(0) == 0
                && !headers.contains_key(header::TRANSFER_ENCODING);
            if is_empty { Ok(false) } else { Err(wrong_type()) }
        }
    }
}

fn wrong_type() -> Problem {
    Problem::new(
        ProblemKind::UnsupportedMediaType,
        "The bytes of an upload are sent with the type application/offset+octet-stream.",
    )
}

/// What the headers of a creation ask for.
struct Wish {
    length_bytes: Option<u64>,
    concatenation: Option<Concatenation>,
    metadata_text: String,
    metadata: Metadata,
}

fn read_wish(headers: &HeaderMap) -> Result<Wish, Problem> {
    let length_bytes = parse(headers, UPLOAD_LENGTH, protocol::parse_number)?;
    let is_deferred = parse(headers, UPLOAD_DEFER_LENGTH, protocol::parse_defer_length)?.is_some();
    let concatenation = match parse(headers, UPLOAD_CONCAT, protocol::parse_concat)? {
        None => None,
        Some(Concat::Partial) => Some(Concatenation::Partial),
        Some(Concat::Final(parts)) => Some(Concatenation::Final(read_parts(&parts)?)),
    };
    let is_final = matches!(concatenation, Some(Concatenation::Final(_)));
    match (length_bytes, is_deferred) {
        _ if is_final && (length_bytes.is_some() || is_deferred) => {
            return Err(malformed(
                "The length of a final upload follows from its parts; do not send Upload-Length.",
            ));
        }
        (None, false) if !is_final => {
            return Err(malformed("Send Upload-Length, or Upload-Defer-Length: 1."));
        }
        (Some(_), true) => return Err(malformed("Send either Upload-Length or Upload-Defer-Length.")),
        _ => {}
    }
    check_length(length_bytes)?;
    let metadata_text = text(headers, UPLOAD_METADATA)?.unwrap_or_default().to_owned();
    let metadata = parse(headers, UPLOAD_METADATA, protocol::parse_metadata)?.unwrap_or_default();
    Ok(Wish { length_bytes, concatenation, metadata_text, metadata })
}

fn check_length(length_bytes: Option<u64>) -> Result<(), Problem> {
    if length_bytes.is_some_and(|length| length > protocol::LONGEST_BYTES) {
        return Err(Problem::new(ProblemKind::TooLarge, "Files can be at most 16 TiB long."));
    }
    Ok(())
}

fn read_parts(parts: &[String]) -> Result<Vec<UploadId>, Problem> {
    let id = |part: &String| {
        part.parse()
            .map_err(|_| Problem::invalid_parameter("Upload-Concat", "names something that is no upload"))
    };
    parts.iter().map(id).collect()
}

/// Begins an upload.
#[utoipa::path(post, path = "/api/media/v1/productions/{production_id}/uploads", tag = "media",
    params(
        ("production_id" = ProductionId, Path),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the file, or else:"),
        ("Upload-Defer-Length" = Option<String>, Header, description = "1: the length is told later"),
        ("Upload-Metadata" = Option<String>, Header, description = "filename and filetype, values in Base64"),
        ("Upload-Concat" = Option<String>, Header, description = "partial, or final;… with the addresses of the parts"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream", description = "The first bytes, if any"),
    responses(
        (status = 201, description = "Its address is in Location"),
        (status = 400, description = "A header is missing or malformed", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such production", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "Longer than files can be", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body has another type", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "There is no room for a file of this length", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
    ))]
pub async fn create_upload(
    context: Data<Context>,
    uploader: Uploader,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let headers = request.headers();
    let wish = read_wish(headers)?;
    let has_bytes = has_bytes(headers)?;
    let checksum = parse(headers, UPLOAD_CHECKSUM, protocol::parse_checksum)?;
    let is_final = matches!(wish.concatenation, Some(Concatenation::Final(_)));
    if is_final && has_bytes {
        return Err(malformed("A final upload consists of its parts; it has no bytes of its own."));
    }
    let upload = begin(&context, &uploader, wish).await?;
    let location = address(&upload);
    let upload = if is_final {
        concatenate::run(&context, &uploader.who.origin, upload).await?
    } else if has_bytes || upload.length_bytes == Some(0) {
        let announced = parse(headers, header::CONTENT_LENGTH, protocol::parse_number)?;
        let write = Write { id: upload.id, offset_bytes: 0, length_bytes: None, announced, checksum };
        let source = has_bytes.then_some(payload);
        take_bytes(&context, &uploader.who, uploader.production_id, write, source).await?
    } else {
        upload
    };
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location));
    tell_progress(&mut response, &upload);
    Ok(response.finish())
}

/// Refuses what cannot fit, before a single byte of it is sent. Others write at the same time, so this
/// promises nothing: a disk that fills up is still told while the bytes come.
async fn check_room(context: &Context, needed_bytes: u64) -> Result<(), Problem> {
    let free_bytes = context.vault.free_bytes().await.map_err(vault_problem)?;
    if needed_bytes <= free_bytes {
        return Ok(());
    }
    let detail = format!(
        "The file needs {needed_bytes} bytes; {free_bytes} can be given to new uploads. Make room in the \
         storage of media, or ask whoever runs it."
    );
    Err(Problem::new(ProblemKind::StorageFull, detail))
}

async fn begin(context: &Data<Context>, uploader: &Uploader, wish: Wish) -> Result<Upload, Problem> {
    if let Some(length_bytes) = wish.length_bytes {
        check_room(context, length_bytes).await?;
    }
    let seal = context.vault.begin_object().map_err(vault_problem)?;
    let new = NewUpload {
        id: UploadId::new(),
        production_id: uploader.production_id,
        length_bytes: wish.length_bytes,
        metadata: wish.metadata_text,
        file_name: wish.metadata.file_name,
        media_type: wish.metadata.media_type,
        concatenation: wish.concatenation,
        object_id: seal.id,
        master_key_id: seal.master_key_id,
        wrapped_key: seal.wrapped_key,
    };
    let (who, keep) = (uploader.who.clone(), expires_after(context));
    let create = move |connection: &mut _| {
        uploads::create(connection, &who.principal, &who.origin, &new, keep).map_err(upload_problem)
    };
    turns::run(context, create).await
}

fn address(upload: &Upload) -> String {
    format!("/api/media/v1/productions/{}/uploads/{}", upload.production_id, upload.id)
}

/// The headers that tell how far an upload is.
fn tell_progress(response: &mut HttpResponseBuilder, upload: &Upload) {
    let is_pending = matches!(upload.concatenation, Some(Concatenation::Final(_))) && !upload.is_complete;
    if !is_pending {
        response.insert_header((UPLOAD_OFFSET, upload.offset_bytes));
    }
    if !upload.is_complete {
        response.insert_header((UPLOAD_EXPIRES, http_date(upload.expires_at)));
    }
    if let Some(asset) = upload.asset_id {
        response.insert_header((KINORA_ASSET, asset.to_string()));
    }
}

/// IMF-fixdate of RFC 9110.
fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Bytes that a request brings.
struct Write {
    id: UploadId,
    offset_bytes: u64,
    length_bytes: Option<u64>,
    announced: Option<u64>,
    checksum: Option<Checksum>,
}

/// Becomes the upload's writer and receives the bytes in a task of its own: it comes to its end also
/// if the client goes and nobody waits for it.
async fn take_bytes(
    context: &Data<Context>,
    who: &SignedIn,
    production: ProductionId,
    write: Write,
    payload: Option<Payload>,
) -> Result<Upload, Problem> {
    let principal = std::sync::Arc::clone(&who.principal);
    let writer = writer_name(&who.origin);
    let (id, offset_bytes, length_bytes) = (write.id, write.offset_bytes, write.length_bytes);
    let claim = move |connection: &mut _| {
        uploads::claim(connection, &principal, production, id, offset_bytes, length_bytes, &writer)
            .map_err(upload_problem)
    };
    let upload = turns::run(context, claim).await?;
    let reception = Reception {
        context: context.clone(),
        origin: who.origin.clone(),
        upload,
        announced_bytes: write.announced,
        checksum: write.checksum,
    };
    let task = match payload {
        Some(payload) => {
            let guard = context.guards.watch(&who.principal, production, Module::Library, ModuleRole::Editor);
            let bytes = guard.over(bytes_of(payload), || Err(SourceError::PermissionEnded));
            actix_web::rt::spawn(receive(reception, bytes))
        }
        None => actix_web::rt::spawn(receive(reception, futures_util::stream::empty())),
    };
    task.await.map_err(Problem::unavailable)?
}

/// Who writes, for whoever looks into the database.
fn writer_name(origin: &kinora_store::Origin) -> String {
    format!("request {}", origin.request_id.as_deref().unwrap_or_default())
}

fn bytes_of(payload: Payload) -> impl Stream<Item = Result<Bytes, SourceError>> {
    payload.map(|next| next.map_err(|error| SourceError::Broken(error.to_string())))
}

/// Adds bytes to an upload.
#[utoipa::path(patch, path = "/api/media/v1/productions/{production_id}/uploads/{upload_id}", tag = "media",
    params(
        ("production_id" = ProductionId, Path),
        ("upload_id" = UploadId, Path),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "Where the bytes begin: what HEAD tells"),
        ("Upload-Length" = Option<u64>, Header, description = "The length, if it was deferred"),
        ("Upload-Checksum" = Option<String>, Header, description = "sha1 or sha256 and the digest of these bytes in Base64"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "They are durable; Upload-Offset tells where the next ones begin"),
        (status = 400, description = "A header is missing or malformed", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such upload of yours", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The upload is at another offset", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Another version of tus", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "More bytes than the length", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body has another type", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 423, description = "Another request is writing", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 460, description = "The checksum is not that of the bytes, which were discarded", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The storage is full; what was acknowledged is kept", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
    ))]
pub async fn write_upload(
    context: Data<Context>,
    uploader: Uploader,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id: UploadId = path_id(&request, "upload_id")?;
    let headers = request.headers();
    if !headers.contains_key(header::CONTENT_TYPE) || !has_bytes(headers)? {
        return Err(wrong_type());
    }
    let offset_bytes = parse(headers, UPLOAD_OFFSET, protocol::parse_number)?
        .ok_or_else(|| malformed("Send Upload-Offset."))?;
    let length_bytes = parse(headers, UPLOAD_LENGTH, protocol::parse_number)?;
    check_length(length_bytes)?;
    if let Some(length_bytes) = length_bytes {
        check_room(&context, length_bytes.saturating_sub(offset_bytes)).await?;
    }
    let announced = parse(headers, header::CONTENT_LENGTH, protocol::parse_number)?;
    let checksum = parse(headers, UPLOAD_CHECKSUM, protocol::parse_checksum)?;
    let write = Write { id, offset_bytes, length_bytes, announced, checksum };
    let upload = take_bytes(&context, &uploader.who, uploader.production_id, write, Some(payload)).await?;
    let mut response = HttpResponse::NoContent();
    tell_progress(&mut response, &upload);
    Ok(response.finish())
}

async fn find(context: &Context, uploader: &Uploader, id: UploadId) -> Result<Upload, Problem> {
    let (principal, production) = (std::sync::Arc::clone(&uploader.who.principal), uploader.production_id);
    turns::read(context, move |connection| uploads::find(connection, &principal, production, id)).await
}

/// How far an upload is.
#[utoipa::path(head, path = "/api/media/v1/productions/{production_id}/uploads/{upload_id}", tag = "media",
    params(
        ("production_id" = ProductionId, Path),
        ("upload_id" = UploadId, Path),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
    ),
    responses(
        (status = 200, description = "In the headers Upload-Offset and Upload-Length; Kinora-Asset names the asset when it is complete"),
        (status = 404, description = "No such upload of yours"),
    ))]
pub async fn get_upload_offset(
    context: Data<Context>,
    uploader: Uploader,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: UploadId = path_id(&request, "upload_id")?;
    let mut upload = find(&context, &uploader, id).await?;
    if lacks_completion(&upload) {
        let write = Write {
            id,
            offset_bytes: upload.offset_bytes,
            length_bytes: None,
            announced: None,
            checksum: None,
        };
        // Should somebody else be at it, this answer is as true as any.
        if let Ok(completed) = take_bytes(&context, &uploader.who, uploader.production_id, write, None).await
        {
            upload = completed;
        }
    }
    let mut response = HttpResponse::Ok();
    tell_progress(&mut response, &upload);
    match upload.length_bytes {
        Some(length) => response.insert_header((UPLOAD_LENGTH, length)),
        None => response.insert_header((UPLOAD_DEFER_LENGTH, "1")),
    };
    if !upload.metadata.is_empty() {
        response.insert_header((UPLOAD_METADATA, upload.metadata.as_str()));
    }
    if let Some(concatenation) = &upload.concatenation {
        response.insert_header((UPLOAD_CONCAT, concat_text(&upload, concatenation)));
    }
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.finish())
}

fn concat_text(upload: &Upload, concatenation: &Concatenation) -> String {
    match concatenation {
        Concatenation::Partial => "partial".to_owned(),
        Concatenation::Final(parts) => {
            let production = upload.production_id;
            let addresses =
                parts.iter().map(|id| format!("/api/media/v1/productions/{production}/uploads/{id}"));
            format!("final;{}", addresses.collect::<Vec<_>>().join(" "))
        }
    }
}

/// Ends an upload and removes its bytes. The asset of a complete one stays.
#[utoipa::path(delete, path = "/api/media/v1/productions/{production_id}/uploads/{upload_id}", tag = "media",
    params(
        ("production_id" = ProductionId, Path),
        ("upload_id" = UploadId, Path),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
    ),
    responses(
        (status = 204, description = "It is gone; if it was complete, the header Kinora-Asset names the asset it had become, which stays"),
        (status = 404, description = "No such upload of yours", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
    ))]
pub async fn remove_upload(
    context: Data<Context>,
    uploader: Uploader,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id: UploadId = path_id(&request, "upload_id")?;
    let (who, production) = (uploader.who.clone(), uploader.production_id);
    let remove =
        move |connection: &mut _| uploads::remove(connection, &who.principal, &who.origin, production, id);
    let asset = turns::run(&context, remove).await?;
    sweep::soon(&context);
    let mut answer = HttpResponse::NoContent();
    if let Some(asset) = asset {
        answer.insert_header((KINORA_ASSET, asset.to_string()));
    }
    Ok(answer.finish())
}

/// For clients that cannot send PATCH or DELETE: POST with `X-HTTP-Method-Override`.
///
/// # Errors
/// [`ProblemKind::MethodNotAllowed`] without that header, or with another method.
pub async fn override_method(
    context: Data<Context>,
    uploader: Uploader,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    match text(request.headers(), METHOD_OVERRIDE)? {
        Some("PATCH") => write_upload(context, uploader, request, payload).await,
        Some("DELETE") => remove_upload(context, uploader, request).await,
        _ => Err(ProblemKind::MethodNotAllowed.into()),
    }
}

/// One of the caller's uploads.
#[derive(Serialize, ToSchema)]
pub struct UploadSummary {
    /// Its id.
    pub id: UploadId,
    /// Its address, for going on with it.
    pub location: String,
    /// The file's name, if it was told.
    pub file_name: Option<String>,
    /// Length of the file, if it is known.
    pub length_bytes: Option<u64>,
    /// Bytes that have arrived durably.
    pub offset_bytes: u64,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it is removed if nothing more comes.
    pub expires_at: DateTime<Utc>,
}

/// The caller's unfinished uploads to a production.
#[derive(Serialize, ToSchema)]
pub struct UploadSummaries {
    /// The newest first.
    pub items: Vec<UploadSummary>,
}

/// The caller's unfinished uploads to a production.
#[utoipa::path(get, path = "/api/media/v1/productions/{production_id}/uploads", tag = "media",
    params(("production_id" = ProductionId, Path)),
    responses(
        (status = 200, description = "At most the newest 1,000", body = UploadSummaries),
        (status = 404, description = "No such production", body = crate::error::ProblemDocument, content_type = "application/problem+json"),
    ))]
pub async fn list_uploads(
    context: Data<Context>,
    uploader: Uploader,
) -> Result<web::Json<UploadSummaries>, Problem> {
    let (principal, production) = (std::sync::Arc::clone(&uploader.who.principal), uploader.production_id);
    let list = move |connection: &mut _| uploads::list_unfinished(connection, &principal, production);
    let found = turns::read(&context, list).await?;
    let summary = |upload: Upload| UploadSummary {
        location: address(&upload),
        id: upload.id,
        file_name: upload.file_name,
        length_bytes: upload.length_bytes,
        offset_bytes: upload.offset_bytes,
        created_at: upload.created_at,
        expires_at: upload.expires_at,
    };
    Ok(web::Json(UploadSummaries { items: found.into_iter().map(summary).collect() }))
}
