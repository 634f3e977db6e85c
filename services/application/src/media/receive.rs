//! Receiving the bytes of an upload: one writer, from its claim to its release.
//!
//! Bytes go to the vault as they come in. Every second, and every [`MARK_BYTES`], what is durable is
//! marked in the database, so a process that is killed loses at most what came after the last mark, and
//! nothing that it had acknowledged: the answer is sent after the last mark only. The vault syncs and
//! the database commits while the next bytes arrive.
//!
//! A writer shows that it is alive while bytes flow. If they stop, its lease ends and another request,
//! here or in another process, may take over; the first statement after that tells the old writer.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use actix_web::web::Data;
use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::{Stream, StreamExt};
use kinora_core::UploadId;
use kinora_core::object::Segment;
use kinora_store::Origin;
use kinora_store::uploads::{self, Concatenation, Mark, Upload, UploadError};
use kinora_vault::{Checkpoint, HashState, ObjectSeal, SegmentWriter, VaultError};
use openssl::hash::{Hasher, MessageDigest};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::problems::{upload_problem, vault_problem};
use super::protocol::{Checksum, ChecksumAlgorithm};
use super::turns;
use crate::context::Context;
use crate::error::{Problem, ProblemKind};

/// How often a writer marks and shows that it is alive: well within the lease.
const TICK: Duration = Duration::from_secs(1);
/// Bytes after which a mark is due, even within a second.
const MARK_BYTES: u64 = 64 * 1024 * 1024;
/// A client that sends nothing for so long has gone.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// Why the bytes ended early.
#[derive(Debug)]
pub enum SourceError {
    /// The connection broke.
    Broken(String),
    /// A part of a concatenation cannot be read.
    Part(VaultError),
    /// Whoever sends may not add to the production any more.
    PermissionEnded,
}

/// What is to be received.
pub struct Reception {
    /// The application.
    pub context: Data<Context>,
    /// Who sends, for the audit trail.
    pub origin: Origin,
    /// The upload, claimed: its epoch is this writer's.
    pub upload: Upload,
    /// How many bytes will come, if that is known.
    pub announced_bytes: Option<u64>,
    /// The checksum they must have.
    pub checksum: Option<Checksum>,
}

/// How the bytes ended.
enum Ending {
    /// All that the client wanted to send is here.
    Complete,
    /// The client has gone, or its request cannot be served further.
    Refused(Problem),
    /// This is not the upload's writer any more.
    Overtaken,
}

/// How long an unfinished upload is kept after its last request.
pub fn expires_after(context: &Context) -> TimeDelta {
    TimeDelta::from_std(context.settings.upload.expire_after.get()).unwrap_or(TimeDelta::MAX)
}

/// Receives the bytes of `source` until it ends, and makes the asset if they were the last ones. Gives
/// the upload as it then is. Run it in a task of its own: it must come to its end even if nobody waits.
///
/// # Errors
/// What to answer the client. Whatever could be kept was.
pub async fn receive<S>(reception: Reception, source: S) -> Result<Upload, Problem>
where
    S: Stream<Item = Result<Bytes, SourceError>>,
{
    let Reception { context, origin, upload, announced_bytes, checksum } = reception;
    let lease = Lease::new(context.clone(), &upload);
    if let (Some(length), Some(announced)) = (upload.length_bytes, announced_bytes)
        && upload.offset_bytes.saturating_add(announced) > length
    {
        lease.release(None).await?;
        return Err(too_long());
    }
    let opened = open_writer(&context, &upload).await;
    let (seal, writer) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            lease.release(None).await?;
            return Err(vault_problem(error));
        }
    };
    let receiver = Receiver { context, origin, upload, seal, lease, checksum, marked_bytes: 0 };
    receiver.run(writer, source).await
}

fn too_long() -> Problem {
    Problem::new(ProblemKind::TooLarge, "There are more bytes than the upload's length says.")
}

async fn open_writer(context: &Context, upload: &Upload) -> Result<(ObjectSeal, SegmentWriter), VaultError> {
    let hash = match &upload.hash_state {
        Some(state) => HashState::from_bytes(state)?,
        None => HashState::new(),
    };
    let seal = context.vault.reopen_object(upload.object_id, &upload.master_key_id, &upload.wrapped_key)?;
    let writer = context.vault.segment_writer(&seal, upload.epoch, hash).await?;
    Ok((seal, writer))
}

/// A writer's hold on its upload.
struct Lease {
    context: Data<Context>,
    id: UploadId,
    epoch: u32,
    tick: Interval,
    /// The last sign of life that the database has.
    seen_at: Instant,
    renewing: Option<Renewing>,
}

/// A sign of life under way: whether this is still the writer, and when the sign was given.
type Renewing = JoinHandle<(bool, Instant)>;

/// What a hold tells its writer.
enum Beat {
    /// A second has passed.
    Second,
    /// It is not the writer any more.
    Overtaken,
}

impl Lease {
    fn new(context: Data<Context>, upload: &Upload) -> Self {
        let now = Instant::now();
        let mut tick = interval_at(now + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { context, id: upload.id, epoch: upload.epoch, tick, seen_at: now, renewing: None }
    }

    /// Waits for the next second, or until it is known that another one is the writer.
    async fn beat(&mut self) -> Beat {
        loop {
            tokio::select! {
                outcome = settled(&mut self.renewing) => {
                    self.renewing = None;
                    match outcome {
                        Ok((true, at)) => self.seen_at = self.seen_at.max(at),
                        Ok((false, _)) => return Beat::Overtaken,
                        // It has shown nothing; the next one may.
                        Err(lost) => log::warn!("a sign of life was lost: {lost}"),
                    }
                }
                _ = self.tick.tick() => return Beat::Second,
            }
        }
    }

    /// Begins to show that the writer is alive, unless that is under way, or a mark does the same in time.
    /// Does not wait: who waits for the database takes no bytes, and clients give up on who takes none.
    fn renew(&mut self, is_marking: bool) {
        let is_recent = self.seen_at.elapsed() < if is_marking { TICK * 3 / 2 } else { TICK / 2 };
        if is_recent || self.renewing.is_some() {
            return;
        }
        let (context, id, epoch) = (self.context.clone(), self.id, self.epoch);
        self.renewing = Some(tokio::spawn(async move {
            let at = Instant::now();
            let renew = move |connection: &mut _| said(uploads::renew(connection, id, epoch));
            (is_still_writer(turns::run_routine(&context, renew).await), at)
        }));
    }

    /// Waits for `work`, showing meanwhile that the writer is alive. Nothing if it is not any more.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                beat = self.beat() => match beat {
                    Beat::Second => self.renew(false),
                    Beat::Overtaken => return None,
                }
            }
        }
    }

    /// Ends the hold, noting how far the writer came if that is news.
    async fn release(&self, reached: Option<Mark>) -> Result<(), Problem> {
        let (id, epoch, keep) = (self.id, self.epoch, expires_after(&self.context));
        let release = move |connection: &mut _| {
            uploads::release(connection, id, epoch, reached.as_ref(), keep).map_err(upload_problem)
        };
        turns::run(&self.context, release).await.map(|_| ())
    }
}

/// What a statement of a writer says about whether it still is the writer.
fn said(outcome: Result<(), UploadError>) -> Result<bool, Problem> {
    match outcome {
        Ok(()) => Ok(true),
        Err(UploadError::Overtaken) => Ok(false),
        Err(error) => Err(upload_problem(error)),
    }
}

/// A database that does not answer for a moment is no reason to stop; the next statement may succeed.
fn is_still_writer(said: Result<bool, Problem>) -> bool {
    said.unwrap_or_else(|problem| {
        log::warn!("an upload could not be marked: {}", problem.cause().unwrap_or_default());
        true
    })
}

/// A mark under way: gives the marked bytes of the segment and when they were, nothing if the writer was
/// overtaken. A task of its own, so that it goes on while the next bytes are taken.
type Marking = JoinHandle<Result<Option<(u64, Instant)>, VaultError>>;

/// Waits for a task, if there is one; else for ever.
async fn settled<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

struct Receiver {
    context: Data<Context>,
    origin: Origin,
    upload: Upload,
    seal: ObjectSeal,
    lease: Lease,
    checksum: Option<Checksum>,
    /// Bytes of this writer's segment that the database knows of.
    marked_bytes: u64,
}

impl Receiver {
    async fn run<S>(mut self, mut writer: SegmentWriter, source: S) -> Result<Upload, Problem>
    where
        S: Stream<Item = Result<Bytes, SourceError>>,
    {
        let hasher = self.checksum.as_ref().map(new_hasher).transpose();
        let mut hasher = hasher.map_err(Problem::internal)?;
        let ending = self.take_in(&mut writer, &mut hasher, source).await;
        let ending = match (ending, &self.checksum, hasher) {
            (Ending::Complete, Some(checksum), Some(mut hasher)) => match hasher.finish() {
                Ok(digest) if openssl::memcmp::eq(&digest, &checksum.digest) => Ending::Complete,
                Ok(_) => Ending::Refused(ProblemKind::ChecksumMismatch.into()),
                Err(error) => Ending::Refused(Problem::internal(error)),
            },
            (ending, ..) => ending,
        };
        match ending {
            Ending::Overtaken => {
                self.leave(writer).await;
                Err(overtaken())
            }
            // Bytes that cannot be checked any more are not kept.
            Ending::Refused(problem) if self.checksum.is_some() => {
                discard(writer).await;
                self.lease.release(None).await?;
                Err(problem)
            }
            Ending::Refused(problem) => {
                self.end(writer).await?;
                Err(problem)
            }
            Ending::Complete => self.end(writer).await,
        }
    }

    /// Takes bytes until they end, or no more can be taken.
    async fn take_in<S>(
        &mut self,
        writer: &mut SegmentWriter,
        hasher: &mut Option<Hasher>,
        source: S,
    ) -> Ending
    where
        S: Stream<Item = Result<Bytes, SourceError>>,
    {
        let mut source = pin!(source);
        let mut marking: Option<Marking> = None;
        let mut received_bytes = 0_u64;
        let mut begun_bytes = 0_u64;
        let mut last_bytes_at = Instant::now();
        loop {
            tokio::select! {
                outcome = settled(&mut marking) => {
                    marking = None;
                    if let Err(ending) = self.marked(outcome) {
                        return ending;
                    }
                }
                beat = self.lease.beat() => {
                    if matches!(beat, Beat::Overtaken) {
                        return Ending::Overtaken;
                    }
                    let quiet = last_bytes_at.elapsed();
                    if quiet >= STALL_LIMIT {
                        return Ending::Refused(stalled());
                    }
                    let is_alive = quiet < 2 * TICK || marking.is_some();
                    if marking.is_none() {
                        begun_bytes = received_bytes;
                        match self.begin_mark(writer) {
                            Ok(begun) => marking = begun,
                            Err(ending) => return ending,
                        }
                    }
                    if is_alive {
                        self.lease.renew(marking.is_some());
                    }
                }
                next = source.next() => {
                    let bytes = match next {
                        None => return self.finish_marking(marking).await,
                        Some(Err(error)) => return Ending::Refused(source_problem(error)),
                        Some(Ok(bytes)) => bytes,
                    };
                    last_bytes_at = Instant::now();
                    received_bytes += bytes.len() as u64;
                    let offset = self.upload.offset_bytes + received_bytes;
                    if self.upload.length_bytes.is_some_and(|length| offset > length) {
                        return Ending::Refused(too_long());
                    }
                    if let Some(Err(error)) = hasher.as_mut().map(|hasher| hasher.update(&bytes)) {
                        return Ending::Refused(Problem::internal(error));
                    }
                    match self.lease.during(writer.write(&bytes)).await {
                        None => return Ending::Overtaken,
                        Some(Err(error)) => return Ending::Refused(vault_problem(error)),
                        Some(Ok(())) => {}
                    }
                    if marking.is_none() && received_bytes - begun_bytes >= MARK_BYTES {
                        begun_bytes = received_bytes;
                        match self.begin_mark(writer) {
                            Ok(begun) => marking = begun,
                            Err(ending) => return ending,
                        }
                    }
                }
            }
        }
    }

    /// Takes note of a mark that has ended.
    fn marked(
        &mut self,
        outcome: Result<Result<Option<(u64, Instant)>, VaultError>, JoinError>,
    ) -> Result<(), Ending> {
        match outcome {
            Ok(Ok(Some((bytes, at)))) => {
                self.marked_bytes = self.marked_bytes.max(bytes);
                if bytes > 0 {
                    self.lease.seen_at = self.lease.seen_at.max(at);
                }
                Ok(())
            }
            Ok(Ok(None)) => Err(Ending::Overtaken),
            Ok(Err(error)) => Err(Ending::Refused(vault_problem(error))),
            Err(lost) => Err(Ending::Refused(Problem::internal(lost))),
        }
    }

    /// A mark that is under way when the bytes end must not come after the one that is made then.
    async fn finish_marking(&mut self, mut marking: Option<Marking>) -> Ending {
        if marking.is_none() {
            return Ending::Complete;
        }
        let Some(outcome) = self.lease.during(settled(&mut marking)).await else { return Ending::Overtaken };
        self.marked(outcome).err().unwrap_or(Ending::Complete)
    }

    /// Begins to make what was written durable and to mark it, if there is something new to mark now.
    fn begin_mark(&mut self, writer: &mut SegmentWriter) -> Result<Option<Marking>, Ending> {
        // Bytes with a checksum count only when all of them are checked.
        if self.checksum.is_some() {
            return Ok(None);
        }
        let pending = match writer.begin_checkpoint() {
            Ok(Some(pending)) => pending,
            Ok(None) => return Ok(None),
            Err(error) => return Err(Ending::Refused(vault_problem(error))),
        };
        let position = Position::of(&self.upload);
        let (context, id, epoch) = (self.context.clone(), self.upload.id, self.upload.epoch);
        let length = self.upload.length_bytes;
        Ok(Some(tokio::spawn(async move {
            let checkpoint = pending.durable().await?;
            let mark = position.mark(&checkpoint);
            // The last byte is marked together with everything that follows from it, or not at all.
            if length == Some(mark.offset_bytes) {
                return Ok(Some((0, Instant::now())));
            }
            let at = Instant::now();
            let write = move |connection: &mut _| said(uploads::mark(connection, id, epoch, &mark));
            let is_writer = is_still_writer(turns::run_routine(&context, write).await);
            Ok(is_writer.then_some((checkpoint.length_bytes, at)))
        })))
    }

    /// Ends the segment, and the upload if it is complete.
    async fn end(mut self, writer: SegmentWriter) -> Result<Upload, Problem> {
        let finished = match self.lease.during(writer.finish()).await {
            None => return Err(overtaken()),
            Some(Ok(finished)) => finished,
            Some(Err(error)) => {
                self.lease.release(None).await?;
                return Err(vault_problem(error));
            }
        };
        if finished.checkpoint.length_bytes == 0 {
            // Nothing came: no file stays behind for it.
            let _ = self.context.vault.delete_segment(self.upload.object_id, self.upload.epoch).await;
        }
        let mark = Position::of(&self.upload).mark(&finished.checkpoint);
        let is_last = self.upload.length_bytes == Some(mark.offset_bytes) && finished.failure.is_none();
        let upload = if is_last {
            self.complete(mark, &finished.checkpoint).await?
        } else {
            self.lease.release(Some(mark.clone())).await?;
            let expires_at = chrono::Utc::now() + expires_after(&self.context);
            Upload { offset_bytes: mark.offset_bytes, segments: mark.segments, expires_at, ..self.upload }
        };
        match finished.failure {
            Some(error) => Err(vault_problem(error)),
            None => Ok(upload),
        }
    }

    async fn complete(&self, mark: Mark, checkpoint: &Checkpoint) -> Result<Upload, Problem> {
        let object = self.context.vault.seal_object(&self.seal, &mark.segments, &checkpoint.hash);
        // The upload may have begun under a master key that is about to go.
        let object = self.context.vault.rewrap(&object).map_err(vault_problem)?;
        let (id, epoch, origin) = (self.upload.id, self.upload.epoch, self.origin.clone());
        let keep = expires_after(&self.context);
        let complete = move |connection: &mut _| {
            uploads::complete(connection, &origin, id, epoch, &mark, &object, keep).map_err(upload_problem)
        };
        let upload = turns::run(&self.context, complete).await?;
        log::info!(
            upload_id:% = upload.id, asset_id = upload.asset_id.map(|id| id.to_string()).unwrap_or_default(), bytes = upload.offset_bytes,
            production_id:% = upload.production_id, person_id:% = upload.person_id,
            request_id = self.origin.request_id.as_deref().unwrap_or_default();
            "upload complete"
        );
        Ok(upload)
    }

    /// Goes without touching anything that may be somebody else's.
    async fn leave(&self, writer: SegmentWriter) {
        log::info!(upload = self.upload.id.to_string().as_str(); "another writer has taken over");
        if self.marked_bytes == 0 {
            discard(writer).await;
        }
    }
}

/// Where in the upload a writer's segment begins.
struct Position {
    segments: Vec<Segment>,
    offset_bytes: u64,
    number: u32,
}

impl Position {
    fn of(upload: &Upload) -> Self {
        Self { segments: upload.segments.clone(), offset_bytes: upload.offset_bytes, number: upload.epoch }
    }

    fn mark(mut self, checkpoint: &Checkpoint) -> Mark {
        if checkpoint.length_bytes > 0 {
            self.segments.push(Segment { number: self.number, length_bytes: checkpoint.length_bytes });
        }
        Mark {
            offset_bytes: self.offset_bytes + checkpoint.length_bytes,
            segments: self.segments,
            hash_state: checkpoint.hash.to_bytes(),
        }
    }
}

async fn discard(writer: SegmentWriter) {
    if let Err(error) = writer.discard().await {
        // It is found again as an object that no record mentions, at the latest with its upload.
        log::warn!("a discarded segment could not be removed: {error}");
    }
}

fn new_hasher(checksum: &Checksum) -> Result<Hasher, openssl::error::ErrorStack> {
    Hasher::new(match checksum.algorithm {
        ChecksumAlgorithm::Sha1 => MessageDigest::sha1(),
        ChecksumAlgorithm::Sha256 => MessageDigest::sha256(),
    })
}

fn overtaken() -> Problem {
    Problem::new(ProblemKind::Conflict, "Another request has taken this upload over, or it was removed.")
}

fn stalled() -> Problem {
    Problem::new(ProblemKind::Malformed, "No bytes came for a minute. What had come is kept.")
}

fn source_problem(error: SourceError) -> Problem {
    match error {
        SourceError::Broken(cause) => {
            Problem::new(ProblemKind::Malformed, "The request ended early. What had come is kept.")
                .with_cause(cause)
        }
        SourceError::Part(error) => vault_problem(error),
        // As every later request of theirs is answered.
        SourceError::PermissionEnded => Problem::not_found(),
    }
}

/// Whether this upload has all its bytes but was not completed: its process died in between.
pub fn lacks_completion(upload: &Upload) -> bool {
    !upload.is_complete
        && upload.length_bytes == Some(upload.offset_bytes)
        && !matches!(upload.concatenation, Some(Concatenation::Final(_)))
}
