//! What we send: metadata, requests, logout; read back by our own and by foreign eyes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use kinora_saml::verifier::Answer;
use kinora_saml::{
    Binding, Certificate, Delivery, Identity, LogoutMessage, Outgoing, PendingRequest, RefusalCode,
    RelayState, ServiceKey, SignInOptions,
};
use kinora_saml_verifier::verify_ungated;

use crate::forge::encrypt::gcm;
use crate::forge::{ACS, KEYCLOAK, LOGOUT, PROVIDER, SERVICE, keys, now, pending, recipe, world};
use crate::made::logout::request as logout_request;

fn field(outgoing: &Outgoing) -> String {
    match &outgoing.delivery {
        Delivery::Post { fields, .. } => {
            String::from_utf8(STANDARD.decode(&fields[0].1).expect("Base64")).expect("text")
        }
        Delivery::Redirect(address) => panic!("a redirect to {address}"),
    }
}

#[test]
fn metadata_announces_two_certificates_and_what_can_be_decrypted() {
    let mut world = world();
    world.service.other_key = Some(keys::service_next());
    let metadata = world.service.metadata();
    let document = roxmltree::Document::parse(&metadata).expect("XML");
    let count =
        |purpose: &str| document.descendants().filter(|n| n.attribute("use") == Some(purpose)).count();
    assert_eq!((count("signing"), count("encryption")), (2, 2));
    assert_eq!(document.root_element().attribute("entityID"), Some(SERVICE));
    for wanted in
        [ACS, LOGOUT, "aes256-gcm", "rsa-oaep", "AuthnRequestsSigned=\"true\"", "HTTP-Redirect", "HTTP-POST"]
    {
        assert!(metadata.contains(wanted), "{wanted}");
    }
    assert!(!metadata.contains("rsa-1_5") && !metadata.contains("tripledes"));
    // samael, which did not write it, reads it.
    let read: samael::metadata::EntityDescriptor = metadata.parse().expect("metadata");
    assert_eq!(read.entity_id.as_deref(), Some(SERVICE));
}

#[test]
fn what_is_encrypted_for_the_other_key_is_decrypted_during_rotation() {
    let mut world = world();
    let mut recipe = recipe(KEYCLOAK);
    let mut scheme = gcm();
    scheme.recipient = keys::service_next_plain().certificate;
    recipe.encrypt = Some(scheme);
    let document = recipe.make();
    assert_eq!(world.receive(document.as_bytes()).expect_err("not ours yet").code, RefusalCode::NotDecrypted);
    world.service.other_key = Some(keys::service_next());
    assert_eq!(world.receive(document.as_bytes()).expect("ours").identity.name_id.value, "ada-7f3e");
}

#[test]
fn requests_are_signed_in_both_ways_and_say_what_is_wanted() {
    let world = world();
    let relay_state = RelayState::random().expect("randomness");
    let options = SignInOptions { force: true, contexts: vec!["urn:x:mfa".to_owned()], name_id_format: None };
    let make = |binding| {
        world
            .service
            .request_sign_in(&world.provider, binding, &options, &relay_state, now())
            .expect("a request")
    };
    let post = make(Some(Binding::Post));
    let xml = field(&post);
    let certificate = world.service.key.certificate().der().to_vec();
    match verify_ungated(&xml, &[certificate]) {
        Answer::Verified(covered) => {
            for wanted in [
                post.id.as_str(),
                "ForceAuthn=\"true\"",
                "urn:x:mfa",
                ACS,
                "Destination=\"https://idp.studio.example/sso\"",
            ] {
                assert!(covered.contains(wanted), "{wanted} in {covered}");
            }
        }
        other => panic!("{other:?}: {xml}"),
    }
    let Delivery::Post { fields, action } = &post.delivery else { panic!("posted") };
    assert_eq!(
        (action.as_str(), fields[1].1.as_str()),
        ("https://idp.studio.example/sso", relay_state.as_str())
    );

    let redirect = make(None);
    assert_ne!(redirect.id, post.id);
    assert!(redirect.id.len() == 33 && redirect.id.starts_with('_'), "128 bits: {}", redirect.id);
    let Delivery::Redirect(address) = &redirect.delivery else { panic!("redirected") };
    let (signed, signature) =
        address.split_once('?').expect("a query").1.split_once("&Signature=").expect("signed");
    let signature: String = url::form_urlencoded::parse(format!("s={signature}").as_bytes())
        .map(|(_, v)| v.into_owned())
        .collect();
    let key = openssl::x509::X509::from_der(&keys::service_plain().certificate)
        .and_then(|c| c.public_key())
        .expect("a key");
    let mut verifier =
        openssl::sign::Verifier::new(openssl::hash::MessageDigest::sha256(), &key).expect("a verifier");
    assert!(
        verifier
            .verify_oneshot(&STANDARD.decode(signature).expect("Base64"), signed.as_bytes())
            .expect("verifies")
    );
    assert!(signed.contains(&format!("RelayState={}", relay_state.as_str())));
}

#[test]
fn texts_of_ours_cannot_break_out_of_a_request() {
    let mut world = world();
    world.service.entity_id = "https://x.example/?a=1&b=<\"'>\n".to_owned();
    let relay_state = RelayState::random().expect("randomness");
    let request = world.service.request_sign_in(
        &world.provider,
        Some(Binding::Post),
        &SignInOptions::default(),
        &relay_state,
        now(),
    );
    let xml = field(&request.expect("a request"));
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let issuer =
        document.descendants().find(|node| node.has_tag_name("Issuer") || node.tag_name().name() == "Issuer");
    assert_eq!(issuer.and_then(|issuer| issuer.text()), Some(world.service.entity_id.as_str()));
    assert!(matches!(verify_ungated(&xml, &[keys::service_plain().certificate]), Answer::Verified(_)));
}

#[test]
fn a_fresh_sign_in_and_the_way_of_it_are_insisted_on() {
    let world = world();
    let document = STANDARD.encode(recipe(KEYCLOAK).make());
    let receive = |request: &PendingRequest| {
        world.connection().receive(&document, request, now()).map_err(|refusal| refusal.code)
    };
    let forced = |made| PendingRequest { force: true, made, ..pending() };
    // The person signed in ten seconds ago; clocks may differ by two minutes.
    assert!(receive(&forced(now() - TimeDelta::seconds(20))).is_ok());
    assert_eq!(
        receive(&forced(now() + TimeDelta::seconds(600))).expect_err("stale"),
        RefusalCode::StaleAuthentication
    );
    let asked = |context: &str| PendingRequest { contexts: vec![context.to_owned()], ..pending() };
    assert!(receive(&asked("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")).is_ok());
    assert_eq!(receive(&asked("urn:x:mfa")).expect_err("weak"), RefusalCode::WeakAuthentication);
}

#[test]
fn an_identity_has_every_value_and_what_must_be_remembered() {
    let accepted = world().receive(recipe(KEYCLOAK).make().as_bytes()).expect("a good document");
    let identity: &Identity = &accepted.identity;
    assert_eq!(identity.issuer, PROVIDER);
    assert_eq!(identity.name_id.format, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
    assert_eq!(identity.values("Role").collect::<Vec<_>>(), ["kinora-editors", "kinora-library"]);
    assert_eq!(identity.values("name").collect::<Vec<_>>(), ["Ada Löwe & Söhne"]);
    assert_eq!(identity.session_index.as_deref(), Some("_session-1"));
    assert_eq!(accepted.one_time_use.id, "_assertion-1");
    // It is forgotten exactly when it is refused for its age: at its end and the tolerance.
    assert_eq!(accepted.one_time_use.keep_until, now() + TimeDelta::seconds(420));
    let world = world();
    let document = STANDARD.encode(recipe(KEYCLOAK).make());
    let at_time = |seconds| {
        world.connection().receive(&document, &pending(), now() + TimeDelta::seconds(seconds)).is_ok()
    };
    assert!(at_time(419) && !at_time(420));
}

#[test]
fn logout_goes_out_signed_and_its_answer_names_the_request() {
    let world = world();
    let connection = world.connection();
    let accepted = world.receive(recipe(KEYCLOAK).make().as_bytes()).expect("a good document");
    let relay_state = RelayState::random().expect("randomness");
    let outgoing = connection
        .request_logout(&accepted.identity.name_id, Some("_session-1"), &relay_state, now())
        .expect("can be made")
        .expect("the provider has single logout");
    let Delivery::Redirect(address) = &outgoing.delivery else { panic!("redirected") };
    assert!(address.starts_with("https://idp.studio.example/slo?SAMLRequest="), "{address}");

    let form = STANDARD.encode(logout_request().make());
    let LogoutMessage::Request(request) = connection
        .receive_logout_form(&form, true, Some("their state & more".to_owned()), now())
        .expect("a request")
    else {
        panic!("a request")
    };
    assert_eq!(
        (request.name_id.value.as_str(), request.session_indexes.as_slice()),
        ("ada-7f3e", &["_session-1".to_owned()][..])
    );
    assert_eq!(request.one_time_use.id, "_logout-1");
    for is_complete in [true, false] {
        let (answer, binding) =
            connection.answer_logout(&request, is_complete, now()).expect("can be made").expect("an address");
        assert_eq!(binding, Binding::Redirect);
        let Delivery::Redirect(address) = &answer.delivery else { panic!("redirected") };
        assert!(address.contains("&RelayState=their+state+%26+more&SigAlg="), "{address}");
    }
}

#[test]
fn keys_that_are_made_can_be_stored_and_sign() {
    let key = ServiceKey::generate("kinora.studio.example", now(), 730).expect("a key");
    assert_eq!(key.certificate().not_after, now() + TimeDelta::days(730));
    let again =
        ServiceKey::from_der(&key.secret_der().expect("DER"), key.certificate().der()).expect("the same");
    assert_eq!(again.certificate(), key.certificate());
    let other = keys::service();
    let mixed = ServiceKey::from_der(&key.secret_der().expect("DER"), other.certificate().der());
    assert_eq!(mixed.expect_err("another's certificate").code, RefusalCode::BadCertificate);
    assert!(
        !format!("{key:?}").contains(&openssl::base64::encode_block(&key.secret_der().expect("DER"))[..40])
    );
    let mut world = world();
    world.service.key = key;
    let relay_state = RelayState::random().expect("randomness");
    let request = world.service.request_sign_in(
        &world.provider,
        Some(Binding::Post),
        &SignInOptions::default(),
        &relay_state,
        now(),
    );
    let xml = field(&request.expect("a request"));
    let certificate = world.service.key.certificate().der().to_vec();
    assert!(matches!(verify_ungated(&xml, &[certificate]), Answer::Verified(_)));
}

#[test]
fn certificates_are_read_as_administrators_paste_them() {
    let pem = include_str!("keys/idp.crt");
    let certificate = Certificate::from_text(pem).expect("PEM");
    assert_eq!(certificate.der(), keys::provider().certificate);
    assert_eq!(certificate.fingerprint().len(), 64);
    assert!(certificate.subject.contains("idp.studio.example"), "{}", certificate.subject);
    assert!(Certificate::from_text("no certificate").is_err());
}
