//! Ourselves: the service provider, its metadata, and the requests it makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::certificate::Certificate;
use crate::keys::{ServiceKey, random_id};
use crate::names;
use crate::provider::{Binding, Endpoints, IdentityProvider};
use crate::redirect::{Parameter, signed_url};
use crate::refusal::{Refusal, RefusalCode};
use crate::relay::RelayState;
use crate::sign::{key_info, signed};
use crate::write::Element;

/// What we tell identity providers that we can decrypt, best first.
const ENCRYPTION_METHODS: [&str; 8] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    names::RSA_OAEP,
    names::RSA_OAEP_MGF1P,
];

/// A service provider as one identity provider sees it.
#[derive(Clone, Debug)]
pub struct ServiceProvider {
    /// Its name, which assertions are to be meant for.
    pub entity_id: String,
    /// Where responses are posted to (assertion consumer service).
    pub acs_url: String,
    /// Where logout messages go, with either binding.
    pub logout_url: String,
    /// The key that signs and, first, decrypts.
    pub key: ServiceKey,
    /// The key that is about to follow or was before: its certificate is announced too, and it decrypts.
    pub other_key: Option<ServiceKey>,
}

/// What a message is sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The browser is sent to this address.
    Redirect(String),
    /// The browser posts these fields (names and values) to this address.
    Post {
        /// The address.
        action: String,
        /// The fields.
        fields: Vec<(&'static str, String)>,
    },
}

/// A message that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its ID, which the answer will name.
    pub id: String,
    /// How it is sent.
    pub delivery: Delivery,
}

/// How a person is to sign in.
#[derive(Clone, Debug, Default)]
pub struct SignInOptions {
    /// Whether the identity provider is to ask for credentials even of who is signed in there.
    pub force: bool,
    /// Accepted ways of signing in (`AuthnContextClassRef`), if they matter; the answer is checked against them.
    pub contexts: Vec<String>,
    /// The wanted format of the `NameID`, if it matters.
    pub name_id_format: Option<String>,
}

impl ServiceProvider {
    /// Our metadata: both certificates for signing, both for encryption, addresses.
    #[must_use]
    pub fn metadata(&self) -> String {
        let certificates: Vec<&Certificate> =
            std::iter::once(&self.key).chain(&self.other_key).map(ServiceKey::certificate).collect();
        let key = |purpose: &str, certificate: &Certificate| {
            Element::metadata("KeyDescriptor").with("use", purpose).child(key_info(certificate.der()))
        };
        let signing = certificates.iter().map(|certificate| key("signing", certificate));
        let encryption = certificates.iter().map(|certificate| {
            key("encryption", certificate).children(
                ENCRYPTION_METHODS
                    .map(|method| Element::metadata("EncryptionMethod").with("Algorithm", method)),
            )
        });
        let logout = [names::BINDING_REDIRECT, names::BINDING_POST].map(|binding| {
            Element::metadata("SingleLogoutService")
                .with("Binding", binding)
                .with("Location", self.logout_url.as_str())
        });
        let formats = [names::NAME_ID_PERSISTENT, names::NAME_ID_EMAIL, names::NAME_ID_UNSPECIFIED]
            .map(|format| Element::metadata("NameIDFormat").text(format));
        let consumer = Element::metadata("AssertionConsumerService")
            .with("Binding", names::BINDING_POST)
            .with("Location", self.acs_url.as_str())
            .with("index", "0")
            .with("isDefault", "true");
        let descriptor = Element::metadata("SPSSODescriptor")
            .with("AuthnRequestsSigned", "true")
            .with("WantAssertionsSigned", "true")
            .with("protocolSupportEnumeration", names::PROTOCOL)
            .children(signing)
            .children(encryption)
            .children(logout)
            .children(formats)
            .child(consumer);
        let entity =
            Element::metadata("EntityDescriptor").with("entityID", self.entity_id.as_str()).child(descriptor);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", entity.to_xml())
    }

    /// A request to sign somebody in, by the provider's preferred binding or the given one.
    ///
    /// # Errors
    /// [`RefusalCode::NoSignOn`] if the provider has no address for the binding; [`RefusalCode::Internal`].
    pub fn request_sign_in(
        &self,
        provider: &IdentityProvider,
        binding: Option<Binding>,
        options: &SignInOptions,
        relay_state: &RelayState,
        now: DateTime<Utc>,
    ) -> Result<Outgoing, Refusal> {
        let (binding, endpoint) = choose(provider.sign_on(), binding).ok_or(RefusalCode::NoSignOn)?;
        let id = random_id()?;
        let policy = Element::protocol("NameIDPolicy")
            .with("AllowCreate", "true")
            .with_some("Format", options.name_id_format.clone());
        let mut request = self
            .message("AuthnRequest", &id, endpoint, now)
            .with("AssertionConsumerServiceURL", self.acs_url.as_str())
            .with("ProtocolBinding", names::BINDING_POST)
            .with_some("ForceAuthn", options.force.then_some("true"))
            .child(policy);
        if !options.contexts.is_empty() {
            let classes = options
                .contexts
                .iter()
                .map(|class| Element::assertion("AuthnContextClassRef").text(class.as_str()));
            request = request.child(
                Element::protocol("RequestedAuthnContext").with("Comparison", "exact").children(classes),
            );
        }
        self.send(Parameter::Request, request, id, binding, endpoint, Some(relay_state.as_str()))
    }

    /// The beginning of every message of ours.
    pub(crate) fn message(
        &self,
        name: &'static str,
        id: &str,
        destination: &str,
        now: DateTime<Utc>,
    ) -> Element {
        Element::protocol(name)
            .with("ID", id)
            .with("Version", "2.0")
            .with("IssueInstant", now.to_rfc3339_opts(SecondsFormat::Secs, true))
            .with("Destination", destination)
            .child(Element::assertion("Issuer").text(self.entity_id.as_str()))
    }

    /// Signs a message in the way of its binding.
    pub(crate) fn send(
        &self,
        parameter: Parameter,
        message: Element,
        id: String,
        binding: Binding,
        endpoint: &str,
        relay_state: Option<&str>,
    ) -> Result<Outgoing, Refusal> {
        let delivery = match binding {
            Binding::Redirect => {
                let xml = message.to_xml();
                Delivery::Redirect(signed_url(endpoint, parameter, &xml, relay_state, &self.key)?)
            }
            Binding::Post => {
                let xml = signed(message, &id, &self.key)?;
                let mut fields = vec![(parameter.name(), STANDARD.encode(xml))];
                fields.extend(relay_state.map(|relay_state| ("RelayState", relay_state.to_owned())));
                Delivery::Post { action: endpoint.to_owned(), fields }
            }
        };
        Ok(Outgoing { id, delivery })
    }
}

/// The binding to use, and its address.
pub(crate) fn choose(endpoints: &Endpoints, binding: Option<Binding>) -> Option<(Binding, &str)> {
    let binding = binding.or_else(|| endpoints.preferred())?;
    endpoints.by(binding).map(|endpoint| (binding, endpoint))
}
