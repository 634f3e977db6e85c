//! The media programs and what is the same for every run of one of them: start it confined, feed it,
//! read what it writes, kill it when told to, and know when nothing of it is left.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use kinora_core::{Failure, FailureCode};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

use crate::StepError;
use crate::confinement::{Confinement, Program, Running};
use crate::feed::{Feed, Source};

/// Most of a child's standard error that is kept, bytes.
const MAX_COMPLAINT_BYTES: usize = 64 * 1024;

/// Containers that may be opened. Whatever is not in it (playlists, scripts, subtitles, SVG,
/// capture devices) is not media to us; several of those would make FFmpeg open other files.
pub const FORMATS: &str = "mov,matroska,mxf,mpegts,mpeg,mpegvideo,avi,flv,asf,ogg,wav,w64,aiff,au,caf,flac,\
    mp3,aac,ac3,eac3,dts,truehd,mlp,amr,ape,wv,tta,tak,mpc,mpc8,dsf,gxf,dv,rm,nut,ivf,h264,hevc,m4v,mjpeg,obu,av1,\
    vc1,dirac,dnxhd,yuv4mpegpipe,r3d,gif,apng,wtv,lxf,roq,smk,bink,swf,cine,mlv,iff,voc,rso,nsv,nuv,\
    png_pipe,jpeg_pipe,jpegxl_pipe,jpegls_pipe,j2k_pipe,tiff_pipe,webp_pipe,bmp_pipe,dpx_pipe,exr_pipe,\
    psd_pipe,sgi_pipe,sunrast_pipe,pbm_pipe,pgm_pipe,ppm_pipe,pam_pipe,pfm_pipe,pcx_pipe,gif_pipe,qoi_pipe,\
    photocd_pipe,cri_pipe,gem_pipe,dds_pipe,hdr_pipe";

/// The programs, and the sandbox they run in.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The sandbox.
    pub confinement: Confinement,
    /// Absolute path of `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// Absolute path of `ffprobe`.
    pub ffprobe: PathBuf,
    /// Whether this FFmpeg can convert between light curves (`zscale`), which tone mapping needs.
    pub has_zscale: bool,
}

/// Options for opening the original through the feed, to stand before `-i`.
#[must_use]
pub fn input_options() -> Vec<OsString> {
    ["-protocol_whitelist", "http,tcp", "-format_whitelist", FORMATS, "-seekable", "1"]
        .map(OsString::from)
        .into()
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// How the program ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub output: Vec<u8>,
    /// The end of its standard error.
    pub complaint: String,
}

/// How long and how much a run may be.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The wish that it stops.
    pub cancel: CancellationToken,
    /// When it is stopped at the latest.
    pub time_limit: Duration,
}

impl Bounds {
    /// Waits for `work`, but not beyond these bounds.
    ///
    /// # Errors
    /// [`StepError::Cancelled`], or `TimedOut`; `work` is dropped then.
    pub async fn within<T>(&self, work: impl Future<Output = Result<T, StepError>>) -> Result<T, StepError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(StepError::Cancelled),
            result = work => result,
            () = tokio::time::sleep(self.time_limit) => Err(Failure::new(FailureCode::TimedOut)
                .with_detail(format!("stopped after {} s", self.time_limit.as_secs()))
                .into()),
        }
    }
}

/// Starts `path` with the original on its feed.
///
/// # Errors
/// `Internal` if the sandbox does not work on this machine.
pub async fn start_fed(
    tools: &Tools,
    path: &Path,
    arguments: Vec<OsString>,
    scratch: Option<&Path>,
    source: Arc<impl Source>,
) -> Result<(Running, Feed), StepError> {
    let program = Program { path, arguments, scratch, is_fed: true };
    let mut running = tools.confinement.start(program).await.map_err(StepError::internal)?;
    let listener = running.listener.take().ok_or_else(|| StepError::internal("no listener came"))?;
    let feed = Feed::start(listener, source).map_err(StepError::internal)?;
    Ok((running, feed))
}

/// Runs `path` to its end and keeps at most `most_output_bytes` of its output.
///
/// # Errors
/// [`StepError::Cancelled`]; `TimedOut`; what the feed failed with; `Internal`.
pub async fn run_fed(
    tools: &Tools,
    path: &Path,
    arguments: Vec<OsString>,
    source: Arc<impl Source>,
    most_output_bytes: u64,
    bounds: &Bounds,
) -> Result<Outcome, StepError> {
    let (mut running, feed) = bounds.within(start_fed(tools, path, arguments, None, source)).await?;
    let Running { child, stdout, stderr, .. } = &mut running;
    let work = async {
        let mut output = Vec::new();
        // A child that writes more than that waits until it is killed at its time limit.
        let mut stdout = stdout.take(most_output_bytes);
        let (read, complaint) = tokio::join!(stdout.read_to_end(&mut output), read_end(stderr));
        read.map_err(StepError::internal)?;
        let complaint = complaint.map_err(StepError::internal)?;
        let status = child.wait().await.map_err(StepError::internal)?;
        Ok(Outcome { status, output, complaint })
    };
    let result = bounds.within(work).await;
    finish(running, &feed, result).await
}

/// Ends a run with `result`: after an error nothing of the child is left when this returns, so that
/// its scratch directory can be removed. What the feed has failed with explains whatever else went
/// wrong.
///
/// # Errors
/// Those of `result`, or what the feed failed with.
pub async fn finish<T>(
    mut running: Running,
    feed: &Feed,
    result: Result<T, StepError>,
) -> Result<T, StepError> {
    if result.is_err()
        && let Err(error) = running.kill().await
    {
        log::warn!("a child may not have ended: {error}");
    }
    match (feed.failure(), result) {
        (Some(failure), Ok(_) | Err(StepError::Failed(_))) => Err(failure.into()),
        (_, result) => result,
    }
}

/// Reads to the end, keeping the last [`MAX_COMPLAINT_BYTES`].
async fn read_end(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 8192];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        kept.extend(buffer.iter().take(length));
        let excess = kept.len().saturating_sub(2 * MAX_COMPLAINT_BYTES);
        if excess > 0 {
            kept.drain(..kept.len() - MAX_COMPLAINT_BYTES);
        }
    }
}
