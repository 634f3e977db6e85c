//! The filters that make everything seen: one chain to the proxy's picture, and branches from it to
//! the filmstrip and the poster, so that the original is decoded and scaled once.

use kinora_core::technical::VideoStream;
use kinora_core::timecode::FrameRate;

use super::filmstrip::Plan;
use super::geometry::{PROXY_BOX, STILL_BOX, Size, fit};

/// Frames looked at for a poster: the one most like all of them is taken, which is seldom black.
const POSTER_CANDIDATES: u32 = 20;

/// Change of the picture between two frames, 0 to 100, from which on it is a new shot.
const SHOT_THRESHOLD: u32 = 10;

/// Shortest media time between two words about the position, seconds.
const SHORTEST_TICK_SECONDS: f64 = 0.25;

/// Says what the colours are from there on. FFmpeg 7 has its encoders believe the frames, not the options.
const COLOUR_LABELS: &str = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";

/// Where the numbers of frames that begin a shot are written, in the scratch directory.
pub const SHOTS_FILE: &str = "shots.txt";

/// Where the times of the filmstrip's tiles are written, in the scratch directory.
pub const TILES_FILE: &str = "tiles.txt";

/// The picture as shown.
#[must_use]
pub fn shown(video: &VideoStream) -> Size {
    Size { width: video.display_width, height: video.display_height }
}

/// The graph for moving picture: from stream `index` to `[picture]`, `[sheet]` and `[poster]`.
/// FFmpeg itself turns the picture by its display matrix before the graph.
///
/// Sheet and poster come out at the very end, and FFmpeg's own progress waits for the beginning of
/// all outputs. So the graph itself says on standard error where it is.
#[must_use]
pub fn graph(index: u32, video: &VideoStream, plan: &Plan, has_zscale: bool) -> String {
    let size = fit(shown(video), PROXY_BOX);
    let deinterlace = match video.field_order.as_str() {
        "top field first" => "bwdif=mode=send_frame:parity=tff:deint=all,",
        "bottom field first" => "bwdif=mode=send_frame:parity=bff:deint=all,",
        _ => "",
    };
    let FrameSteps { rate, interval, keep, tick } = FrameSteps::new(video.frame_rate, plan);
    let colour = colour(video, size, has_zscale);
    let tile = plan.tile;
    let (capacity, columns, rows) = (plan.capacity(), plan.columns, plan.rows);
    format!(
        "[0:{index}]{deinterlace}setpts=PTS-STARTPTS,fps={rate},{colour},setsar=1,{COLOUR_LABELS},\
         scdet=threshold={SHOT_THRESHOLD},metadata=mode=print:key=lavfi.scd.time:file={SHOTS_FILE},\
         split=3[picture][some][ticks];\
         [ticks]select='isnan(prev_selected_t)+gte(t-prev_selected_t,{tick})',\
         metadata=mode=print:key=lavfi.scd.score:file='pipe\\:2':direct=1,nullsink;\
         [some]select='lt(selected_n,{capacity})*(isnan(prev_selected_t)+gte(t-prev_selected_t,{interval}))',\
         split=2[few][candidates];\
         [few]{to_tile},metadata=mode=print:key=lavfi.scd.score:file={TILES_FILE},\
         tile={columns}x{rows}:nb_frames={capacity}[sheet];\
         [candidates]select='not(mod(n,{keep}))',thumbnail=n={POSTER_CANDIDATES},{to_jpeg}[poster]",
        to_tile = to_jpeg(Some(tile)),
        to_jpeg = to_jpeg(None),
    )
}

/// Numbers of the graph that follow from rate and length.
struct FrameSteps {
    rate: FrameRate,
    /// Seconds between two tiles, less half a frame so that rounding skips none.
    interval: f64,
    /// Every how many-th tile is a candidate for the poster.
    keep: u32,
    /// Seconds between two words about the position.
    tick: f64,
}

impl FrameSteps {
    fn new(rate: FrameRate, plan: &Plan) -> Self {
        let interval = (plan.interval.as_secs_f64() - 0.5 / rate.as_f64()).max(0.0);
        let keep = plan.capacity().div_ceil(POSTER_CANDIDATES).max(1);
        Self { rate, interval, keep, tick: (interval / 16.0).max(SHORTEST_TICK_SECONDS) }
    }
}

/// The graph for a still: from stream `index` to `[large]` and `[poster]`.
#[must_use]
pub fn still_graph(index: u32, video: &VideoStream, has_zscale: bool) -> String {
    let large = fit(shown(video), STILL_BOX);
    let poster = fit(shown(video), PROXY_BOX);
    let colour = colour(video, large, has_zscale);
    format!(
        "[0:{index}]{colour},setsar=1,split=2[full][less];[full]{}[large];[less]{}[poster]",
        to_jpeg(None),
        to_jpeg(Some(poster)),
    )
}

/// From the proxy's picture (BT.709, limited range) to what JPEG files mean (BT.601, full range; JFIF).
fn to_jpeg(size: Option<Size>) -> String {
    let size = size.map(|size| format!("w={}:h={}:", size.width, size.height)).unwrap_or_default();
    format!(
        "scale={size}in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc,format=yuvj420p"
    )
}

/// Scaling to `size`, and from the source's colours to BT.709 with limited range, 8 bits, 4:2:0.
fn colour(video: &VideoStream, size: Size, has_zscale: bool) -> String {
    let Size { width, height } = size;
    let transfer = video.colour_transfer.as_deref().unwrap_or_default();
    let range = if video.colour_range.as_deref() == Some("full") { "full" } else { "limited" };
    let is_rgb =
        ["rgb", "bgr", "gbr", "argb", "abgr"].iter().any(|name| video.pixel_format.starts_with(name));
    if video.is_hdr() && has_zscale {
        // Made small first: tone mapping works in floating point.
        let (matrix, range) = if is_rgb { ("gbr", "full") } else { ("2020_ncl", range) };
        let source = format!("tin={transfer}:pin=2020:min={matrix}:rin={range}");
        return format!(
            "zscale=w={width}:h={height}:{source}:t=linear:npl=203,format=gbrpf32le,\
             zscale=p=709,tonemap=tonemap=mobius:desat=0:peak={peak},\
             zscale=t=709:m=709:r=limited,format=yuv420p",
            peak = if transfer == "smpte2084" { 10 } else { 5 },
        );
    }
    // A picture that does not say what it is: standard definition is BT.601, all else BT.709.
    let matrix = match video.colour_matrix.as_deref() {
        Some("bt709") => "bt709",
        Some("bt470bg" | "smpte170m") => "bt601",
        Some("smpte240m") => "smpte240m",
        Some("fcc") => "fcc",
        Some("bt2020nc" | "bt2020c") => "bt2020",
        _ if is_jpeg(video) || video.height < 720 => "bt601",
        _ => "bt709",
    };
    let is_full = range == "full" || video.pixel_format.starts_with("yuvj");
    let in_range = if is_full { "pc" } else { "tv" };
    let source =
        if is_rgb { String::new() } else { format!("in_color_matrix={matrix}:in_range={in_range}:") };
    format!("scale=w={width}:h={height}:{source}out_color_matrix=bt709:out_range=tv,format=yuv420p")
}

fn is_jpeg(video: &VideoStream) -> bool {
    matches!(video.codec_id.as_str(), "mjpeg" | "webp")
}

/// The encoder's options for the proxy's picture at `rate`.
///
/// Groups of pictures are closed, equally long and half a second: whichever frame is sought, few
/// have to be decoded, and a player can begin at each.
#[must_use]
pub fn encoder_options(rate: FrameRate) -> Vec<String> {
    let group = (rate.nominal() / 2).max(1);
    let options = format!("keyint={group}:min-keyint={group}:scenecut=0:open-gop=0");
    let text = "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -crf 23 -maxrate 8M -bufsize 16M \
                -fps_mode:v cfr -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv";
    let mut all: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    all.extend(["-r".to_owned(), rate.to_string(), "-x264-params".to_owned(), options]);
    all
}
