//! Makes the corpus: every document with its class and what is expected of it.
//!
//! `KINORA_WRITE_CORPUS=1 cargo test -p kinora-saml-verifier corpus` writes it to `corpus/`. The keys are fixed; encryption and ECDSA
//! are random, so that those documents differ each time in their octets.

mod content;
mod documents;
mod encryption;
mod good;
pub mod logout;
mod metadata;
pub mod signatures;
mod wrapping;

use crate::forge::{KEYCLOAK, Recipe, recipe};

/// How a document arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Response,
    Unsolicited,
    LogoutRequestForm,
    LogoutAnswerForm,
    LogoutQuery,
    RelayState,
    Metadata,
    SignedMetadata,
}

impl Via {
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Response, "response"),
        (Self::Unsolicited, "unsolicited response"),
        (Self::LogoutRequestForm, "logout request in a form"),
        (Self::LogoutAnswerForm, "logout answer in a form"),
        (Self::LogoutQuery, "logout message in a query"),
        (Self::RelayState, "relay state"),
        (Self::Metadata, "metadata"),
        (Self::SignedMetadata, "metadata that must be signed"),
    ];
}

/// A document.
#[derive(Clone, Debug)]
pub struct Case {
    pub class: String,
    pub name: String,
    /// The code of the refusal, or `accepted`.
    pub expect: String,
    pub about: String,
    pub via: Via,
    /// When it arrives, seconds after [`crate::forge::now`].
    pub arrives: i64,
    pub body: Vec<u8>,
}

/// Cases under construction.
#[derive(Default)]
pub struct Cases(pub Vec<Case>);

impl Cases {
    pub fn add(
        &mut self,
        class: &str,
        expect: &str,
        name: &str,
        about: &str,
        body: impl AsRef<[u8]>,
    ) -> &mut Case {
        self.0.push(Case {
            class: class.to_owned(),
            name: name.to_owned(),
            expect: expect.to_owned(),
            about: about.to_owned(),
            via: Via::Response,
            arrives: 0,
            body: body.as_ref().to_vec(),
        });
        self.0.last_mut().expect("just pushed")
    }

    /// A response made by a changed recipe.
    pub fn forged(
        &mut self,
        class: &str,
        expect: &str,
        name: &str,
        about: &str,
        change: impl Fn(&mut Recipe),
    ) -> &mut Case {
        let mut recipe = recipe(KEYCLOAK);
        change(&mut recipe);
        self.add(class, expect, name, about, recipe.make())
    }

    /// A good response whose text is changed after it was signed.
    pub fn edited(
        &mut self,
        class: &str,
        expect: &str,
        name: &str,
        about: &str,
        edits: &[(&str, &str)],
    ) -> &mut Case {
        let mut document = recipe(KEYCLOAK).make();
        for (from, to) in edits {
            assert!(document.contains(from), "{name}: {from} is not in {document}");
            document = document.replacen(from, to, 1);
        }
        self.add(class, expect, name, about, document)
    }
}

impl Case {
    pub fn via(&mut self, via: Via) -> &mut Self {
        self.via = via;
        self
    }

    pub fn arrives(&mut self, seconds: i64) -> &mut Self {
        self.arrives = seconds;
        self
    }
}

/// All documents that are to be accepted.
pub fn good() -> Vec<Case> {
    let mut cases = Cases::default();
    good::add(&mut cases);
    cases.0
}

/// All documents that are to be refused.
pub fn bad() -> Vec<Case> {
    let mut cases = Cases::default();
    wrapping::add(&mut cases);
    signatures::add(&mut cases);
    documents::add(&mut cases);
    content::add(&mut cases);
    encryption::add(&mut cases);
    logout::add(&mut cases);
    metadata::add(&mut cases);
    cases.0
}
