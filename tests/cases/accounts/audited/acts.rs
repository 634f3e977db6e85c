//! Which acts stand in the list of changed permissions: each is decided, by its name in the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kinora_store::audit::PERMISSION_ACTS;

/// Acts that change nothing about who may do what.
const OTHERS: [&str; 45] = [
    // Somebody comes and goes, is kept out for a while, or proves again who they are.
    "account.locked",
    "break_glass.used",
    "email_code.sent",
    "factor.locked",
    "session.begun",
    "session.confirmed",
    "session.ended",
    // What people get in with is another one, and opens the same.
    "password.changed",
    "password.set",
    "recovery_codes.made",
    // Asked for, and not done yet: the act that does it is in the list.
    "address.change_asked",
    "invitation.resent",
    "organisation_domain.added",
    // How something is called.
    "asset.renamed",
    "organisation.renamed",
    "person.renamed",
    "production.renamed",
    // Work, and its end.
    "asset.created",
    "asset.removed",
    "mail.dropped",
    "mail.retried",
    "production.removed",
    "run.cancel_requested",
    "step.restarted",
    "upload.created",
    "upload.expired",
    "upload.removed",
    // What somebody read or took along; with support access, too, which giving and ending are in the list for.
    "audit.exported",
    "personal_data.exported",
    "support.browsed",
    "support.changed",
    "support.downloaded",
    "support.followed",
    "support.played",
    "support.viewed",
    // Upkeep: keys, media, the trail itself.
    "audit.shortened",
    "data_keys.rewrapped",
    "factor_secrets.resealed",
    "media.orphans_marked",
    "media.repaired",
    "media.retained",
    "saml_key.added",
    "saml_key.removed",
    "saml_key.switched",
    "saml_keys.resealed",
];

/// What looks like an act in the source and is none.
const NO_ACTS: [&str; 1] = ["copy.keep_removed"];

/// Words that acts end with, besides those in -ed.
const PARTICIPLES: [&str; 8] = ["begun", "given", "made", "resent", "reset", "sent", "set", "withdrawn"];

/// Whether a text is "<noun>.<participle>".
fn is_act(text: &str) -> bool {
    let Some((noun, done)) = text.split_once('.') else { return false };
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let last = done.rsplit('_').next().unwrap_or(done);
    is_word(noun) && is_word(done) && (last.ends_with("ed") || PARTICIPLES.contains(&last))
}

/// The acts that the source below a directory names.
fn named_below(directory: &Path, acts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            named_below(&path, acts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            acts.extend(text.split('"').filter(|part| is_act(part)).map(str::to_owned));
        }
    }
}

/// Every act of the product, and those that `recorded` has, are in one of the two lists, and no others are.
pub fn require_decided(recorded: &BTreeSet<String>) {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("services");
    let mut known = BTreeSet::new();
    for service in fs::read_dir(services).unwrap().flatten() {
        let source = service.path().join("src");
        // The web client's is not in Rust.
        if source.is_dir() && service.file_name() != "web" {
            named_below(&source, &mut known);
        }
    }
    known.retain(|act| !NO_ACTS.contains(&act.as_str()));
    known.extend(recorded.iter().cloned());
    let permissions = BTreeSet::from(PERMISSION_ACTS.map(str::to_owned));
    let others = BTreeSet::from(OTHERS.map(str::to_owned));
    let both: Vec<_> = permissions.intersection(&others).collect();
    assert!(both.is_empty(), "in both lists: {both:?}");
    let decided: BTreeSet<_> = permissions.union(&others).cloned().collect();
    let undecided: Vec<_> = known.difference(&decided).collect();
    assert!(
        undecided.is_empty(),
        "say in PERMISSION_ACTS or OTHERS whether they change who may do what: {undecided:?}"
    );
    let gone: Vec<_> = decided.difference(&known).collect();
    assert!(gone.is_empty(), "no such acts any more: {gone:?}");
}
