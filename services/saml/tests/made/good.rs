//! Documents as they should be: five vendors, each way of signing, each algorithm, encrypted.

use super::{Cases, Via};
use crate::forge::encrypt::{gcm, scheme};
use crate::forge::{
    EC_256, EC_384, EC_512, KEYCLOAK, RSA_256, RSA_384, RSA_512, Recipe, STYLES, keys, recipe,
};

pub fn add(cases: &mut Cases) {
    for style in STYLES {
        let ways: [(&str, bool, bool, bool); 5] = [
            ("assertion", false, true, false),
            ("response", true, false, false),
            ("both", true, true, false),
            ("response-encrypted", true, false, true),
            ("both-encrypted", true, true, true),
        ];
        for (way, response, assertion, is_encrypted) in ways {
            let mut recipe = recipe(style);
            (recipe.sign_response, recipe.sign_assertion) = (response, assertion);
            // What Entra ID, ADFS and Keycloak encrypt with unless told otherwise.
            recipe.encrypt = is_encrypted.then(|| scheme("aes256-cbc", "rsa-oaep-mgf1p"));
            let about = format!("As {} does, signed: {way}.", style.name);
            cases.add(style.name, "accepted", way, &about, recipe.make());
        }
    }
    algorithms(cases);
    encryption(cases);
    others(cases);
}

fn add_recipe(cases: &mut Cases, class: &str, name: &str, about: &str, change: impl Fn(&mut Recipe)) {
    let mut recipe = recipe(KEYCLOAK);
    change(&mut recipe);
    cases.add(class, "accepted", name, about, recipe.make());
}

fn algorithms(cases: &mut Cases) {
    for (algorithm, key) in [
        (RSA_256, keys::provider()),
        (RSA_384, keys::provider()),
        (RSA_512, keys::provider()),
        (EC_256, keys::p256()),
        (EC_384, keys::p384()),
        (EC_512, keys::p384()),
    ] {
        for (way, response, assertion) in
            [("response", true, false), ("assertion", false, true), ("both", true, true)]
        {
            let name = format!("{}-{way}", algorithm.name);
            add_recipe(cases, "algorithms", &name, "Each algorithm that is accepted.", |r| {
                (r.algorithm, r.key) = (algorithm, key.clone());
                (r.sign_response, r.sign_assertion) = (response, assertion);
            });
        }
    }
}

fn encryption(cases: &mut Cases) {
    for data in ["aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm"] {
        for (key, is_sha256) in
            [("rsa-oaep-mgf1p", false), ("rsa-oaep-mgf1p", true), ("rsa-oaep", false), ("rsa-oaep", true)]
        {
            let hash = if is_sha256 { "sha256" } else { "sha1" };
            let name = format!("{data}-{key}-{hash}");
            add_recipe(cases, "encryption", &name, "Each encryption that is accepted.", |r| {
                let mut scheme = scheme(data, key);
                scheme.is_sha256 = is_sha256;
                (r.sign_response, r.sign_assertion, r.encrypt) = (true, false, Some(scheme));
            });
        }
    }
    add_recipe(
        cases,
        "encryption",
        "signed-within",
        "Encrypted with AES-GCM; only the assertion in it is signed.",
        |r| {
            r.encrypt = Some(gcm());
        },
    );
    add_recipe(
        cases,
        "encryption",
        "key-beside",
        "The encrypted key stands beside the encrypted data.",
        |r| {
            let mut scheme = gcm();
            scheme.is_beside = true;
            r.encrypt = Some(scheme);
        },
    );
}

fn others(cases: &mut Cases) {
    add_recipe(
        cases,
        "others",
        "declaration-and-lines",
        "With an XML declaration and white space between elements.",
        |r| {
            r.before = "\n  ".to_owned();
        },
    );
    add_recipe(cases, "others", "no-key-info", "The signature does not name its key.", |r| {
        let certificate = crate::forge::signature_template("dsig", "_assertion-1", RSA_256, &r.key);
        let info = certificate.split_once("<dsig:KeyInfo>").expect("has one").1;
        let info = info.split_once("</dsig:KeyInfo>").expect("has an end").0.to_owned();
        r.template = vec![(format!("<dsig:KeyInfo>{info}</dsig:KeyInfo>"), String::new())];
    });
    add_recipe(
        cases,
        "others",
        "inclusive-prefixes",
        "Exclusive canonicalisation with a list of prefixes (Okta).",
        |r| {
            let exclusive = format!("<dsig:Transform Algorithm=\"{0}\"/>", crate::forge::EXC);
            let listed = format!(
                "<dsig:Transform Algorithm=\"{0}\"><ec:InclusiveNamespaces xmlns:ec=\"{0}\" PrefixList=\"xs\"/></dsig:Transform>",
                crate::forge::EXC
            );
            r.template = vec![(exclusive, listed)];
        },
    );
    add_recipe(
        cases,
        "others",
        "two-audiences",
        "One restriction with two audiences, one of them ours.",
        |r| {
            r.conditions = r.conditions.replacen(
                "<saml:Audience>",
                "<saml:Audience>https://else.example</saml:Audience><saml:Audience>",
                1,
            );
        },
    );
    add_recipe(
        cases,
        "others",
        "nested-name-id",
        "eduPersonTargetedID has a NameID in it; another value is nil.",
        |r| {
            r.attributes = "<saml:AttributeStatement><saml:Attribute Name=\"urn:oid:1.3.6.1.4.1.5923.1.1.1.10\"><saml:AttributeValue><saml:NameID>x-1</saml:NameID></saml:AttributeValue><saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/></saml:Attribute></saml:AttributeStatement>".to_owned();
        },
    );
    add_recipe(cases, "others", "one-time-use", "Conditions with OneTimeUse and ProxyRestriction.", |r| {
        r.conditions.push_str("<saml:OneTimeUse/><saml:ProxyRestriction Count=\"0\"/>");
    });
    add_recipe(cases, "others", "no-attributes", "Nothing is said of the person but the name.", |r| {
        r.attributes.clear()
    });
    let mut unsolicited = recipe(KEYCLOAK);
    (unsolicited.response_to, unsolicited.confirmed_for) = (None, None);
    cases
        .add(
            "others",
            "accepted",
            "unsolicited",
            "Nobody asked for it, and that is switched on.",
            unsolicited.make(),
        )
        .via(Via::Unsolicited);
    let with_declaration =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", recipe(KEYCLOAK).make());
    cases.add("others", "accepted", "declaration", "With an XML declaration.", with_declaration);
    super::logout::add_good(cases);
    super::metadata::add_good(cases);
}
