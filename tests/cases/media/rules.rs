//! What the protocol and the permissions refuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_core::{ProductionId, UploadId};
use kinora_tests::Kinora;
use reqwest::Method;

use super::support::{OCTETS, Studio, Uploader, asset_of, make_bytes, original};

#[tokio::test]
async fn the_protocol_is_kept() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let address = uploader.create(10, "a.mov").await;

    for path in [&studio.uploads(), &address] {
        let answer = uploader.send(uploader.client.request(Method::OPTIONS, path)).await.expect(204);
        assert_eq!(answer.header("tus-version"), Some("1.0.0"));
        assert_eq!(answer.header("tus-checksum-algorithm"), Some("sha1,sha256"));
        for extension in [
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "checksum",
            "termination",
            "expiration",
            "concatenation",
        ] {
            assert!(answer.header("tus-extension").unwrap().split(',').any(|found| found == extension));
        }
        assert!(answer.header("tus-max-size").is_some());
    }

    let without = |method: Method| uploader.client.request(method, &address).header("Upload-Offset", "0");
    for method in [Method::HEAD, Method::PATCH, Method::DELETE] {
        for request in [without(method.clone()), without(method).header("Tus-Resumable", "0.2.2")] {
            let answer = uploader.send(request).await.expect(412);
            assert_eq!(answer.header("tus-version"), Some("1.0.0"));
        }
    }

    let create = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(uploader.creation(), |request, (name, value)| request.header(*name, *value))
    };
    let refused: [(&[(&str, &str)], u16); 13] = [
        (&[], 400),
        (&[("Upload-Length", "-1")], 400),
        (&[("Upload-Length", "1e3")], 400),
        (&[("Upload-Length", "9223372036854775808")], 400),
        (&[("Upload-Length", "9223372036854775807")], 413),
        // As long as files may be, and longer than there is room for on any disk tests run on.
        (&[("Upload-Length", "17592186044416")], 507),
        (&[("Upload-Length", "1"), ("Upload-Defer-Length", "1")], 400),
        (&[("Upload-Defer-Length", "2")], 400),
        (&[("Upload-Length", "1"), ("Upload-Metadata", "filename ***")], 400),
        (&[("Upload-Length", "1"), ("Upload-Concat", "whole")], 400),
        (&[("Upload-Concat", "final;/x/y")], 422),
        (&[("Upload-Length", "1"), ("Upload-Checksum", "crc32 AAAA")], 400),
        (&[("Upload-Length", "1"), ("Content-Type", "text/plain"), ("Content-Length", "1")], 415),
    ];
    for (headers, status) in refused {
        let request = create(headers);
        let request = if status == 415 { request.body("x") } else { request };
        let answer = uploader.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
    }

    let patch = || uploader.request(Method::PATCH, &address);
    let _ = uploader.send(patch().header("Upload-Offset", "0").body("x")).await.expect(415);
    let typed = || patch().header("Content-Type", OCTETS);
    let _ = uploader
        .send(patch().header("Content-Type", "text/plain").header("Upload-Offset", "0").body("x"))
        .await
        .expect(415);
    let _ = uploader.send(typed().body("x")).await.expect(400);
    let _ = uploader.send(typed().header("Upload-Offset", "x").body("x")).await.expect(400);
    let answer = uploader.write(&address, 5, b"x").await.expect(409);
    assert_eq!(answer.header("upload-offset"), Some("0"));
    let _ = uploader.write(&address, 0, b"01234567890").await.expect(413);
    let _ = uploader.send(uploader.patch(&address, 0, b"x").header("Upload-Length", "11")).await.expect(400);
    assert_eq!(uploader.offset(&address).await, 0, "nothing of that was taken");

    // Clients behind proxies that know only GET and POST.
    let through_post = |method: &str| {
        let request = uploader.request(Method::POST, &address).header("X-HTTP-Method-Override", method);
        request.header("Content-Type", OCTETS).header("Upload-Offset", "0").body("01234")
    };
    let _ = uploader.send(through_post("PATCH")).await.expect(204);
    assert_eq!(uploader.offset(&address).await, 5);
    let _ = uploader.send(through_post("GET")).await.expect(405);
    let _ = uploader.send(through_post("DELETE")).await.expect(204);
    let _ = uploader.head(&address).await.expect(404);
}

#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let owner = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &owner);
    let bytes = make_bytes(6, 1000);
    let address = uploader.create(1000, "secret.mov").await;
    let asset = uploader.upload("other.mov", &bytes).await;
    let part = {
        let request = uploader.creation().header("Upload-Length", "5").header("Upload-Concat", "partial");
        uploader.send(request).await.expect(201).header("location").unwrap().to_owned()
    };
    let _ = uploader.write(&part, 0, b"12345").await.expect(204);

    // A colleague sees the assets, but not other people's uploads.
    let person = studio.hire(&kinora, Some("manager"));
    let colleague = Uploader::new(&kinora.url(), &studio, &person);
    let unknown = format!("{}/{}", studio.uploads(), UploadId::new());
    for path in [&address, &unknown, &format!("{}/nonsense", studio.uploads())] {
        let answer = colleague.head(path).await.expect(404);
        assert_eq!(answer.header("upload-length"), None);
        let missing = colleague.write(path, 0, b"x").await.expect(404);
        assert!(missing.text().contains("urn:kinora:problem:not-found"));
        let _ = colleague.send(colleague.request(Method::DELETE, path)).await.expect(404);
    }
    let join = colleague.creation().header("Upload-Concat", format!("final;{part}"));
    let _ = colleague.send(join).await.expect(422);
    assert_eq!(colleague.download(&asset).await, bytes);

    // A reader of the library may watch, but not upload.
    let person = studio.hire(&kinora, Some("reader"));
    let reader = Uploader::new(&kinora.url(), &studio, &person);
    let _ = reader.send(reader.creation().header("Upload-Length", "1")).await.expect(403);
    let _ = reader.head(&address).await.expect(403);
    assert_eq!(reader.download(&asset).await, bytes);

    // Somebody without a role in the library: neither production nor asset exist.
    let person = studio.hire(&kinora, None);
    let stranger = Uploader::new(&kinora.url(), &studio, &person);
    let nowhere = format!("/api/media/v1/productions/{}/uploads", ProductionId::new());
    let mut bodies = Vec::new();
    for path in [studio.uploads(), nowhere] {
        let request = stranger.request(Method::POST, &path).header("Upload-Length", "1");
        let answer = stranger.send(request).await.expect(404);
        bodies.push(without_request_id(&answer.text()));
    }
    assert_eq!(bodies[0], bodies[1]);
    let _ = stranger.head(&address).await.expect(404);
    for path in [original(&asset), original(&kinora_core::AssetId::new().to_string())] {
        let answer = stranger.send(stranger.client.request(Method::GET, &path)).await.expect(404);
        bodies.push(without_request_id(&answer.text()));
    }
    assert_eq!(bodies[2], bodies[3]);

    let mut visitor = kinora.visitor();
    let request = visitor.request(Method::HEAD, &address).header("Tus-Resumable", "1.0.0");
    let _ = visitor.send(request).await.expect(401);
    let _ = asset_of(&uploader.write(&address, 0, &bytes).await.expect(204));
}

fn without_request_id(text: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    value.as_object_mut().unwrap().remove("request_id").unwrap();
    value.to_string()
}

#[tokio::test]
async fn unfinished_uploads_are_listed_for_their_owner() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let other = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    uploader.upload("done.mov", b"done").await;
    let address = uploader.create(10, "half.mov").await;
    let _ = uploader.write(&address, 0, b"12345").await.expect(204);
    let list = async |uploader: &Uploader| {
        let answer = uploader.send(uploader.client.request(Method::GET, &studio.uploads())).await.expect(200);
        answer.json()["items"].as_array().unwrap().clone()
    };
    let items = list(&uploader).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["file_name"], "half.mov");
    assert_eq!(items[0]["offset_bytes"], 5);
    assert_eq!(items[0]["length_bytes"], 10);
    assert_eq!(items[0]["location"], address.as_str());
    assert!(list(&Uploader::new(&kinora.url(), &studio, &other)).await.is_empty());
    let head = uploader.head(&address).await.expect(200);
    let metadata = format!("filename {}", STANDARD.encode("half.mov"));
    assert_eq!(head.header("upload-metadata"), Some(metadata.as_str()));
}
