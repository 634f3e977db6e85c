//! The rows of the bad-input table: each gives a usable asset, or fails with the right reason.

use kinora_core::asset::AssetKind;

use crate::samples::Studio;

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_camera_file() {
    let studio = Studio::new();
    let file = studio.make(
        "a.mov",
        "-f lavfi -i testsrc2=s=1920x1080:r=24000/1001:d=3 -f lavfi -i sine=frequency=1000:duration=3 -c:v prores_ks -profile:v 3 \
         -pix_fmt yuv422p10le -c:a pcm_s24le -timecode 01:00:00:00",
    );
    let (technical, output) = studio.ingest(&file).await;
    eprintln!("{technical:#?}\n{:#?}", output.rendered);
    assert_eq!(technical.kind, AssetKind::Video);
    let picture = output.check_picture();
    assert_eq!(picture.frames, 72);
    output.check_sound();
}
