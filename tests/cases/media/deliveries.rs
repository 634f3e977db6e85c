//! Files on their way out: ranges, conditions, names.

use kinora_tests::Kinora;
use reqwest::Method;

use super::support::{Studio, Uploader, make_bytes, original, sha256, vault_files};

#[tokio::test]
async fn originals_are_sent_in_parts_and_named() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(7, 700_001);
    let asset = uploader.upload("été\r\n/€.mov", &bytes).await;
    let path = original(&asset);
    let get = async |pairs: &[(&str, &str)]| {
        let request = uploader.client.request(Method::GET, &path);
        let request = pairs.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        uploader.send(request).await
    };
    let etag = format!("\"{}\"", sha256(&bytes));

    let whole = get(&[]).await.expect(200);
    assert_eq!(whole.bytes, bytes);
    assert_eq!(whole.header("etag"), Some(etag.as_str()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some("700001"));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        whole.header("content-security-policy"),
        Some("default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'")
    );
    assert!(whole.header("cache-control").unwrap().starts_with("private"));
    assert_eq!(
        whole.header("content-disposition"),
        Some("attachment; filename=\"_t____€.mov\"".replace('€', "_").as_str())
            .map(|plain| format!("{plain}; filename*=UTF-8''%C3%A9t%C3%A9___%E2%82%AC.mov"))
            .as_deref()
    );

    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=100-", 100, 700_001),
        ("bytes=-1", 700_000, 700_001),
        ("bytes=300000-399999", 300_000, 400_000),
        ("bytes=699999-99999999999", 699_999, 700_001),
    ] {
        let part = get(&[("Range", range)]).await.expect(206);
        assert_eq!(part.bytes, bytes[start..end], "{range}");
        let content_range = format!("bytes {start}-{}/700001", end - 1);
        assert_eq!(part.header("content-range"), Some(content_range.as_str()));
        assert_eq!(part.header("content-length"), Some((end - start).to_string().as_str()));
    }
    let outside = get(&[("Range", "bytes=700001-")]).await.expect(416);
    assert_eq!(outside.header("content-range"), Some("bytes */700001"));
    let same = get(&[("If-None-Match", &etag)]).await.expect(304);
    assert!(same.bytes.is_empty());
    let _ = get(&[("Range", "bytes=0-1"), ("If-Range", &etag)]).await.expect(206);
    let _ = get(&[("Range", "bytes=0-1"), ("If-Range", "\"other\"")]).await.expect(200);

    let request = uploader.client.request(Method::HEAD, &path);
    let head = uploader.send(request).await.expect(200);
    assert_eq!(head.header("content-length"), Some("700001"));
    assert_eq!(head.header("etag"), Some(etag.as_str()));
    assert!(head.bytes.is_empty());
    // The same connection goes on after HEAD.
    assert_eq!(get(&[("Range", "bytes=5-9")]).await.expect(206).bytes, bytes[5..10]);

    for derivative in ["proxy", "poster", "filmstrip", "filmstrip.vtt", "waveform", "probe"] {
        let path = format!("/api/media/v1/assets/{asset}/{derivative}");
        let _ = uploader.send(uploader.client.request(Method::GET, &path)).await.expect(404);
    }
}

#[tokio::test]
async fn damage_is_never_sent_as_if_it_were_the_file() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let bytes = make_bytes(8, 2_000_000);
    let asset = uploader.upload("a.mov", &bytes).await;
    let file = vault_files(&kinora).pop().unwrap();
    let stored = std::fs::read(&file).unwrap();
    let path = original(&asset);

    // Damage at the start can still be told, further on it breaks the connection off.
    let mut damaged = stored.clone();
    damaged[10] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    let answer = uploader.send(uploader.client.request(Method::GET, &path)).await.expect(500);
    assert!(answer.text().contains("damaged"), "{}", answer.text());
    let mut damaged = stored.clone();
    damaged[1_500_000] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    let answer = uploader.client.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.bytes().await.is_err(), "the body must not look complete");
    let untouched = uploader.client.request(Method::GET, &path).header("Range", "bytes=0-999");
    assert_eq!(uploader.send(untouched).await.expect(206).bytes, bytes[..1000]);

    std::fs::remove_file(&file).unwrap();
    let answer = uploader.send(uploader.client.request(Method::GET, &path)).await.expect(500);
    assert!(answer.text().contains("missing"), "{}", answer.text());
}
