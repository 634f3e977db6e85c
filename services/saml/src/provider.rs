//! Identity providers, and the metadata they are described by (SAML metadata 2.0).

use chrono::{DateTime, Utc};
use roxmltree::{Document, Node};
use url::{Host, Url};

use crate::certificate::Certificate;
use crate::document::{self, METADATA};
use crate::names::{self, BINDING_POST, BINDING_REDIRECT, SIGNATURE};
use crate::refusal::{Refusal, RefusalCode, quoted};
use crate::schema::signature::Signature;
use crate::schema::{instant, is, missing, optional, required, text};
use crate::verifier::{Kind, Verifier};

/// Most signing certificates of one provider.
const CERTIFICATES: usize = 16;

/// How a message reaches its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// In the query of an address.
    Redirect,
    /// In a form.
    Post,
}

/// The addresses of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// For the Redirect binding.
    pub redirect: Option<String>,
    /// For the POST binding.
    pub post: Option<String>,
}

impl Endpoints {
    /// The address for a binding.
    #[must_use]
    pub fn by(&self, binding: Binding) -> Option<&str> {
        match binding {
            Binding::Redirect => self.redirect.as_deref(),
            Binding::Post => self.post.as_deref(),
        }
    }

    /// The binding to use: Redirect if there is one.
    #[must_use]
    pub fn preferred(&self) -> Option<Binding> {
        match (&self.redirect, &self.post) {
            (Some(_), _) => Some(Binding::Redirect),
            (None, Some(_)) => Some(Binding::Post),
            (None, None) => None,
        }
    }
}

/// An identity provider. There is none without a certificate to verify it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    entity_id: String,
    certificates: Vec<Certificate>,
    sign_on: Endpoints,
    logout: Endpoints,
    logout_answers: Endpoints,
    wants_signed_requests: bool,
    valid_until: Option<DateTime<Utc>>,
}

impl IdentityProvider {
    /// Reads metadata. If `trusted` holds certificates, the metadata must be signed with one of them, and only what the
    /// signature covers is read.
    ///
    /// # Errors
    /// The refusal, which says what is missing or wrong.
    pub fn from_metadata(
        metadata: &[u8],
        trusted: &[Certificate],
        verifier: &dyn Verifier,
        now: DateTime<Utc>,
    ) -> Result<Self, Refusal> {
        let text = document::screen(metadata, METADATA)?;
        let document = document::parse(text, METADATA)?;
        if trusted.is_empty() {
            return Self::read(&document, now);
        }
        if read_signature(&document)?.is_none() {
            return Err(Refusal::with(RefusalCode::Unsigned, "the metadata"));
        }
        let covered = verifier.verify(Kind::Metadata, text, trusted)?;
        let signed = document::parse(document::screen(covered.as_bytes(), METADATA)?, METADATA)?;
        let (before, after) = (document.root_element(), signed.root_element());
        if before.tag_name() != after.tag_name() || optional(before, "ID") != optional(after, "ID") {
            return Err(RefusalCode::Disagreement.into());
        }
        Self::read(&signed, now)
    }

    /// Refuses metadata of this provider with a signature that does not fit it. With no signer named beforehand a signature
    /// says nothing about who made it, as whoever changes the document can leave it out or put in one of their own;
    /// but what was damaged or altered by mistake is noticed. The certificates are those that it names, and the provider's own.
    ///
    /// # Errors
    /// The refusal, [`RefusalCode::BadSignature`] for one.
    pub fn check_integrity(&self, metadata: &[u8], verifier: &dyn Verifier) -> Result<(), Refusal> {
        let text = document::screen(metadata, METADATA)?;
        let document = document::parse(text, METADATA)?;
        let Some(signature) = read_signature(&document)? else { return Ok(()) };
        let named = signature.certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
        let certificates: Vec<Certificate> = named.chain(self.certificates.iter().cloned()).collect();
        verifier.verify(Kind::Metadata, text, &certificates).map(drop)
    }

    fn read(document: &Document<'_>, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let mut found = Vec::new();
        let mut valid_until = None;
        collect(document.root_element(), None, &mut found)?;
        let [(entity, descriptor)] = found.as_slice() else {
            return Err(match found.len() {
                0 => RefusalCode::NotAProvider.into(),
                count => Refusal::with(RefusalCode::SeveralProviders, count),
            });
        };
        for node in descriptor.ancestors().filter(Node::is_element) {
            if let Some(end) = instant(node, "validUntil")? {
                valid_until = Some(valid_until.map_or(end, |earlier: DateTime<Utc>| earlier.min(end)));
            }
        }
        if let Some(end) = valid_until.filter(|end| *end <= now) {
            return Err(Refusal::with(RefusalCode::MetadataExpired, end.format("%Y-%m-%d %H:%M UTC")));
        }
        let sign_on = endpoints(*descriptor, "SingleSignOnService", "Location")?;
        if sign_on.preferred().is_none() {
            return Err(RefusalCode::NoSignOn.into());
        }
        let logout = endpoints(*descriptor, "SingleLogoutService", "Location")?;
        let answers = endpoints(*descriptor, "SingleLogoutService", "ResponseLocation")?;
        Ok(Self {
            entity_id: entity_id(*entity)?,
            certificates: certificates(*descriptor)?,
            sign_on,
            logout_answers: Endpoints {
                redirect: answers.redirect.or_else(|| logout.redirect.clone()),
                post: answers.post.or_else(|| logout.post.clone()),
            },
            logout,
            wants_signed_requests: optional(*descriptor, "WantAuthnRequestsSigned")
                .is_some_and(|wants| wants == "true" || wants == "1"),
            valid_until,
        })
    }

    /// Its name, which every message of it bears.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// The certificates its signatures are verified with: at least one.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Where people sign in.
    #[must_use]
    pub fn sign_on(&self) -> &Endpoints {
        &self.sign_on
    }

    /// Where logout requests go; nowhere if it has no single logout.
    #[must_use]
    pub fn logout(&self) -> &Endpoints {
        &self.logout
    }

    /// Where answers to its logout requests go.
    #[must_use]
    pub fn logout_answers(&self) -> &Endpoints {
        &self.logout_answers
    }

    /// Whether it takes only signed requests. Ours always are.
    #[must_use]
    pub fn wants_signed_requests(&self) -> bool {
        self.wants_signed_requests
    }

    /// When its metadata ends, if it says so.
    #[must_use]
    pub fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.valid_until
    }

    /// When the last of its certificates ends: what to warn of beforehand.
    #[must_use]
    pub fn certificates_end(&self) -> Option<DateTime<Utc>> {
        self.certificates.iter().map(|certificate| certificate.not_after).max()
    }
}

/// The identity providers in metadata, with the `EntityDescriptor` of each.
type Found<'a, 'input> = Vec<(Node<'a, 'input>, Node<'a, 'input>)>;

fn collect<'a, 'input>(
    node: Node<'a, 'input>,
    entity: Option<Node<'a, 'input>>,
    found: &mut Found<'a, 'input>,
) -> Result<(), Refusal> {
    if is(node, names::METADATA, "EntitiesDescriptor") && entity.is_none() {
        for child in node.children().filter(Node::is_element) {
            collect(child, None, found)?;
        }
    } else if is(node, names::METADATA, "EntityDescriptor") && entity.is_none() {
        for child in node.children().filter(Node::is_element) {
            collect(child, Some(node), found)?;
        }
    } else if let Some(entity) = entity.filter(|_| is(node, names::METADATA, "IDPSSODescriptor")) {
        let protocols = required(node, "protocolSupportEnumeration")?;
        if protocols.split_ascii_whitespace().any(|protocol| protocol == names::PROTOCOL) {
            found.push((entity, node));
        }
    } else if node.parent_element().is_none() {
        return Err(Refusal::with(RefusalCode::NotAProvider, quoted(node.tag_name().name())));
    }
    Ok(())
}

fn entity_id(entity: Node<'_, '_>) -> Result<String, Refusal> {
    let id = required(entity, "entityID")?;
    let is_usable = id.len() <= 1024 && id.trim_ascii() == id && !id.chars().any(char::is_control);
    if is_usable { Ok(id) } else { Err(crate::schema::bad_value("entityID", &id)) }
}

fn certificates(descriptor: Node<'_, '_>) -> Result<Vec<Certificate>, Refusal> {
    let mut found: Vec<Certificate> = Vec::new();
    for key in descriptor.children().filter(|child| is(*child, names::METADATA, "KeyDescriptor")) {
        if optional(key, "use").is_some_and(|purpose| purpose != "signing") {
            continue;
        }
        let certificates = key.descendants().filter(|inner| {
            is(*inner, SIGNATURE, "X509Certificate")
                && inner.parent_element().is_some_and(|data| is(data, SIGNATURE, "X509Data"))
        });
        for certificate in certificates {
            let certificate = Certificate::from_text(&text(certificate)?)?;
            if !found.contains(&certificate) {
                found.push(certificate);
            }
        }
    }
    if found.len() > CERTIFICATES {
        return Err(Refusal::with(RefusalCode::TooManyNodes, "certificates"));
    }
    if found.is_empty() { Err(RefusalCode::NoCertificate.into()) } else { Ok(found) }
}

fn endpoints(descriptor: Node<'_, '_>, name: &str, location: &str) -> Result<Endpoints, Refusal> {
    let mut endpoints = Endpoints::default();
    for service in descriptor.children().filter(|child| is(*child, names::METADATA, name)) {
        let place = match required(service, "Binding")?.as_str() {
            BINDING_REDIRECT => &mut endpoints.redirect,
            BINDING_POST => &mut endpoints.post,
            _ => continue,
        };
        let Some(address) = optional(service, location) else {
            if location == "Location" {
                return Err(missing(service, location));
            }
            continue;
        };
        if !is_address(&address) {
            return Err(Refusal::with(RefusalCode::BadEndpoint, quoted(&address)));
        }
        place.get_or_insert(address);
    }
    Ok(endpoints)
}

/// Whether a browser may be sent there: https, or this machine itself.
fn is_address(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    let is_plain = address.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\".contains(&b));
    is_plain
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}

/// The signature of metadata: that of its root, and no other in the whole document.
pub(crate) fn read_signature(document: &Document<'_>) -> Result<Option<Signature>, Refusal> {
    let root = document.root_element();
    let mut signatures =
        document.descendants().filter(|node| node.is_element() && node.tag_name().name() == "Signature");
    let Some(signature) = signatures.next() else { return Ok(None) };
    if signatures.next().is_some()
        || signature.parent_element() != Some(root)
        || signature.tag_name().namespace() != Some(SIGNATURE)
    {
        return Err(RefusalCode::MisplacedSignature.into());
    }
    Signature::read(signature, &required(root, "ID")?).map(Some)
}
