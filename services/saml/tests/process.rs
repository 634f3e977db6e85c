//! The verifier as a process: its limits, and what becomes of it when it does not answer.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kinora_saml::verifier::{Answer, Kind, Question, Verifier as _};
use kinora_saml::{Certificate, RefusalCode, VerifierProcess};

use crate::forge::{KEYCLOAK, keys, recipe};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_kinora-saml-verifier").into()
}

fn certificate() -> Certificate {
    Certificate::from_der(&keys::provider().certificate).expect("a certificate")
}

/// A program that does something else.
struct Script(PathBuf);

impl Script {
    fn new(name: &str, text: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("kinora-saml-{name}-{}", std::process::id()));
        let written = path.with_extension("new");
        std::fs::write(&written, format!("#!/bin/sh\n{text}\n")).expect("writable");
        std::fs::set_permissions(&written, std::fs::Permissions::from_mode(0o755)).expect("ours");
        std::fs::rename(&written, &path).expect("ours");
        Self(path)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn it_gives_back_what_the_signature_covers_and_refuses_with_codes() {
    let verifier = VerifierProcess::new(program(), 1);
    let document = recipe(KEYCLOAK).make();
    let covered = verifier.verify(Kind::Message, &document, &[certificate()]).expect("verified");
    assert!(covered.starts_with("<saml:Assertion ") && !covered.contains("Signature"), "{covered}");
    let code = |xml: &str| verifier.verify(Kind::Message, xml, &[certificate()]).expect_err("refused").code;
    assert_eq!(code(&document.replace("ada-7f3e", "eve-0000")), RefusalCode::BadSignature);
    // It has the gate too.
    assert_eq!(
        code(&document.replace("URI=\"#_assertion-1\"", "URI=\"http://127.0.0.1:9/\"")),
        RefusalCode::ForeignReference
    );
    assert_eq!(
        verifier.verify(Kind::Message, &document, &[]).expect_err("refused").code,
        RefusalCode::NoCertificate
    );
}

#[test]
fn one_that_hangs_is_ended_and_one_that_fails_is_told_of() {
    let document = recipe(KEYCLOAK).make();
    let refusal = |text: &str, name: &str, limit: Duration| {
        let script = Script::new(name, text);
        let verifier = VerifierProcess::new(script.0.clone(), 1).with_limits(limit, LONG);
        verifier.verify(Kind::Message, &document, &[certificate()]).expect_err("refused")
    };
    assert_eq!(refusal("exec sleep 1000", "hangs", Duration::from_millis(300)).code, RefusalCode::TimedOut);
    assert_eq!(refusal("exec yes", "floods", LONG).code, RefusalCode::VerifierFailed);
    let crash = refusal("kill -SEGV $$", "crashes", LONG);
    assert_eq!(crash.code, RefusalCode::VerifierFailed);
    assert!(crash.detail.unwrap_or_default().contains("signal"), "it tells how it ended");
    assert_eq!(refusal("echo '\"nonsense\"'", "babbles", LONG).code, RefusalCode::VerifierFailed);
    let invented = refusal("echo '{\"refused\":\"unheard_of\"}'", "invents", LONG);
    assert_eq!(invented.code, RefusalCode::VerifierFailed);
    let missing = VerifierProcess::new(Path::new("/nonexistent").to_owned(), 1);
    let refusal = missing.verify(Kind::Message, &document, &[certificate()]).expect_err("refused");
    assert_eq!(refusal.code, RefusalCode::VerifierFailed);
}

#[test]
fn no_more_run_at_once_than_may() {
    let marker = std::env::temp_dir().join(format!("kinora-saml-running-{}", std::process::id()));
    // It runs until the marker is taken away.
    let text = format!(
        "touch {0}\nwhile [ -e {0} ]; do sleep 0.01; done\necho '{{\"verified\":\"<a/>\"}}'",
        marker.display()
    );
    let script = Script::new("holds", &text);
    let verifier = VerifierProcess::new(script.0.clone(), 1).with_limits(LONG, Duration::from_millis(10));
    let document = recipe(KEYCLOAK).make();
    let verify = || verifier.verify(Kind::Message, &document, &[certificate()]);
    std::thread::scope(|scope| {
        let first = scope.spawn(verify);
        let deadline = std::time::Instant::now() + LONG;
        while !marker.exists() {
            assert!(std::time::Instant::now() < deadline, "the first one starts");
            std::thread::yield_now();
        }
        assert_eq!(verify().expect_err("refused").code, RefusalCode::Busy);
        std::fs::remove_file(&marker).expect("there");
        assert_eq!(first.join().expect("no panic"), Ok("<a/>".to_owned()));
    });
    // The place is free again.
    let again = std::thread::scope(|scope| {
        let second = scope.spawn(verify);
        while !marker.exists() && !second.is_finished() {
            std::thread::yield_now();
        }
        let _ = std::fs::remove_file(&marker);
        second.join().expect("no panic")
    });
    assert_eq!(again, Ok("<a/>".to_owned()));
}

/// How many system call filters a process has (`proc_pid_status(5)`).
fn filters(status: &str) -> u32 {
    let line = status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// The limits as the kernel shows them while the verifier waits for its question.
#[test]
fn it_has_confined_itself_before_it_reads() {
    // It may not write to files, which standard error may be.
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let of = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", child.id())).unwrap_or_default();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    // It is confined once a filter is in place that this process, which may stand in a container, has not.
    let own = filters(&std::fs::read_to_string("/proc/self/status").expect("readable"));
    while filters(&of("status")) <= own {
        assert!(std::time::Instant::now() < deadline, "{}", of("status"));
        std::thread::yield_now();
    }
    assert!(of("status").contains("NoNewPrivs:\t1"));
    let limits = of("limits");
    for line in [
        "Max core file size        0",
        "Max file size             0",
        "Max address space         536870912",
        "Max cpu time              5",
    ] {
        assert!(limits.contains(line), "{line} is not in {limits}");
    }
    let question = Question {
        kind: Kind::Message,
        xml: recipe(KEYCLOAK).make(),
        certificates: vec![STANDARD.encode(keys::provider().certificate)],
    };
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(&serde_json::to_vec(&question).expect("JSON"))
        .expect("writes");
    let mut answer = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut answer).expect("reads");
    assert!(matches!(serde_json::from_slice(&answer).expect("an answer"), Answer::Verified(_)));
    assert!(child.wait().expect("ends").success());
}

/// In a process of its own, because there is no way back.
#[test]
fn what_is_confined_reaches_no_file_and_no_network() {
    const INNER: &str = "KINORA_SAML_CONFINED";
    if std::env::var_os(INNER).is_none() {
        let status = Command::new(std::env::current_exe().expect("a program"))
            .args([
                "--exact",
                "process::what_is_confined_reaches_no_file_and_no_network",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(INNER, "1")
            .output()
            .expect("starts");
        let said = String::from_utf8_lossy(&status.stdout);
        assert!(said.contains("confined: refused refused refused refused"), "{said}");
        return;
    }
    kinora_saml_verifier::sandbox::confine().expect("can confine itself");
    let tried = [
        std::fs::read("/etc/hostname").is_err(),
        std::net::TcpStream::connect("127.0.0.1:9").is_err_and(|error| error.raw_os_error() == Some(1)),
        std::net::UdpSocket::bind("127.0.0.1:0").is_err(),
        Command::new("/bin/true").spawn().is_err(),
    ];
    let words = tried.map(|is_refused| if is_refused { "refused" } else { "done" });
    let _ = std::io::stdout().write_all(format!("confined: {}\n", words.join(" ")).as_bytes());
}
