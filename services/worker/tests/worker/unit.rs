//! What a child cannot do in an instance of `kinora-media@.service`. Here the test stands in for systemd: it accepts the
//! connections, and gives each instance an own network; what else the unit takes away, the lab tests with systemd.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kinora_worker::confinement::service::MediaService;
use kinora_worker::confinement::{Confinement, Limits, Program, Running};
use tokio::io::AsyncReadExt;

/// Accepts connections as `kinora-media.socket` with `Accept=yes` does, until the test's process ends.
pub fn media_service(directory: &Path) -> Confinement {
    let socket = directory.join("media.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut instance = Command::new("/usr/bin/bwrap")
                .args(["--unshare-user", "--unshare-net", "--dev-bind", "/", "/", "--"])
                .args([env!("CARGO_BIN_EXE_kinora-worker"), "confined"])
                .stdin(Stdio::from(OwnedFd::from(connection.unwrap())))
                .spawn()
                .unwrap();
            std::thread::spawn(move || instance.wait());
        }
    });
    Confinement::Service(MediaService::new(socket, Limits::default()))
}

/// Runs a shell script in an instance; how it ended, and what it wrote.
async fn run(confinement: &Confinement, script: &str, scratch: Option<&Path>) -> (Option<i32>, String) {
    let program = Program {
        path: Path::new("/usr/bin/bash"),
        arguments: vec!["-c".into(), script.into()],
        scratch,
        is_fed: false,
    };
    let mut running = confinement.start(program).await.unwrap();
    let Running { child, stdout, stderr, .. } = &mut running;
    let (mut output, mut complaint) = (String::new(), String::new());
    let (a, b) = tokio::join!(stdout.read_to_string(&mut output), stderr.read_to_string(&mut complaint));
    a.unwrap();
    b.unwrap();
    (child.wait().await.unwrap().code(), output + &complaint)
}

#[tokio::test(flavor = "multi_thread")]
async fn works_in_its_scratch_and_tells_how_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir_in(directory.path()).unwrap();
    let confinement = media_service(directory.path());
    let script = "echo said; echo complained >&2; echo made > file; exit 7";
    let (code, output) = run(&confinement, script, Some(scratch.path())).await;
    // Between them the shell may complain that it cannot look above its directory.
    assert!(output.starts_with("said\n") && output.ends_with("complained\n"), "{output}");
    assert_eq!(code, Some(7));
    assert_eq!(std::fs::read_to_string(scratch.path().join("file")).unwrap(), "made\n");
    let (_, limits) = run(&confinement, "ulimit -d; ulimit -f; ulimit -c", Some(scratch.path())).await;
    let limits = limits.lines().filter(|line| line.chars().all(|each| each.is_ascii_digit()));
    let kibibytes = |bytes: u64| (bytes / 1024).to_string();
    let expected =
        [kibibytes(Limits::default().memory_bytes), kibibytes(Limits::default().file_bytes), "0".to_owned()];
    assert_eq!(limits.collect::<Vec<_>>(), expected);
    let (_, environment) = run(&confinement, "/usr/bin/env 2>/dev/null", None).await;
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        assert!(["PATH", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"].contains(&name), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir_in(directory.path()).unwrap();
    let others = tempfile::tempdir_in(directory.path()).unwrap();
    let secret = others.path().join("film");
    std::fs::write(&secret, "unreleased").unwrap();
    let confinement = media_service(directory.path());
    let other = format!("../{}/film", others.path().file_name().unwrap().to_str().unwrap());
    for path in ["/etc/passwd", "/proc/self/environ", &secret.display().to_string(), &other] {
        let script = format!("read -r line < {path} && echo \"$line\"");
        let (code, output) = run(&confinement, &script, Some(scratch.path())).await;
        assert!(code == Some(1) && output.contains("Permission denied"), "{path}: {output}");
        let (code, output) = run(&confinement, &format!("echo x >> {path}"), Some(scratch.path())).await;
        assert_eq!(code, Some(1), "{path}: {output}");
    }
    for path in ["/tmp/kinora-unit-test", "/usr/kinora-unit-test", "../kinora-unit-test"] {
        let (code, output) = run(&confinement, &format!("echo x > {path}"), Some(scratch.path())).await;
        assert!(code == Some(1) && output.contains("Permission denied"), "{path}: {output}");
    }
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "unreleased");
    let (code, output) = run(&confinement, "echo x > here", None).await;
    assert!(code == Some(1) && output.contains("Permission denied"), "no scratch, no writing: {output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_with_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let confinement = media_service(directory.path());
    for is_killed in [true, false] {
        let program = Program {
            path: Path::new("/usr/bin/sleep"),
            arguments: vec!["1000000".into()],
            scratch: None,
            is_fed: false,
        };
        let mut running = confinement.start(program).await.unwrap();
        if is_killed {
            tokio::time::timeout(Duration::from_secs(60), running.kill()).await.unwrap().unwrap();
            continue;
        }
        // As when the worker dies: the kernel closes the connection. Nothing holds the pipe any more then.
        let Running { child, mut stdout, .. } = running;
        drop(child);
        let ended = tokio::time::timeout(Duration::from_secs(60), stdout.read_to_end(&mut Vec::new())).await;
        assert_eq!(ended.unwrap().unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let confinement = media_service(directory.path());
    let program = Program {
        path: Path::new("/usr/bin/no-such-program"),
        arguments: vec![],
        scratch: None,
        is_fed: false,
    };
    let mut running = confinement.start(program).await.unwrap();
    let mut complaint = String::new();
    running.stderr.read_to_string(&mut complaint).await.unwrap();
    assert!(complaint.contains("/usr/bin/no-such-program cannot be started"), "{complaint}");
    assert!(running.child.wait().await.is_err(), "there was nothing that could end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = Confinement::Service(MediaService::new(directory.path().join("none"), Limits::default()));
    let answer =
        kinora_worker::confinement::verify(&nowhere, Path::new("/usr/bin/ffmpeg"), &["-version"]).await;
    let complaint = answer.unwrap_err();
    assert!(complaint.contains("kinora-media.socket"), "{complaint}");
}
