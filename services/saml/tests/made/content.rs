//! Documents that are signed as they should be and say what must not be accepted.

use super::{Cases, Via};
use crate::forge::{ACS, KEYCLOAK, OTHER_PROVIDER, REQUEST, SERVICE, at, keys, recipe};

pub fn add(cases: &mut Cases) {
    audiences(cases);
    addresses(cases);
    issuers(cases);
    requests(cases);
    times(cases);
    subjects(cases);
    structure(cases);
    statuses(cases);
    connections(cases);
}

fn restriction(audiences: &[&str]) -> String {
    let audiences: String = audiences.iter().map(|a| format!("<saml:Audience>{a}</saml:Audience>")).collect();
    format!("<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction>")
}

fn audiences(cases: &mut Cases) {
    let class = "audience";
    let mut add = |expect: &str, name: &str, about: &str, conditions: String| {
        cases.forged(class, expect, name, about, |r| r.conditions.clone_from(&conditions));
    };
    add("wrong_audience", "other", "For another application.", restriction(&["https://else.example"]));
    add(
        "wrong_audience",
        "longer",
        "An audience that begins like ours.",
        restriction(&[&format!("{SERVICE}.evil.example")]),
    );
    add("wrong_audience", "slash", "Ours with a slash behind.", restriction(&[&format!("{SERVICE}/")]));
    add("wrong_audience", "case", "Ours in other letters.", restriction(&[&SERVICE.to_uppercase()]));
    add(
        "wrong_audience",
        "second-restriction",
        "Two restrictions, of which ours is only one: both must hold.",
        format!("{}{}", restriction(&[SERVICE]), restriction(&["https://else.example"])),
    );
    add(
        "wrong_audience",
        "first-restriction",
        "The same the other way round.",
        format!("{}{}", restriction(&["https://else.example"]), restriction(&[SERVICE])),
    );
    add(
        "wrong_audience",
        "no-audience",
        "A restriction to nobody.",
        "<saml:AudienceRestriction/>".to_owned(),
    );
    add("missing", "empty", "An empty audience.", restriction(&[""]));
    add("missing", "none", "No restriction.", String::new());
    add(
        "unexpected_element",
        "unknown-condition",
        "A condition that nobody knows.",
        format!("{}<saml:Condition/>", restriction(&[SERVICE])),
    );
    cases.forged(class, "missing", "no-conditions", "No conditions at all.", |r| {
        (r.conditions, r.not_before, r.not_on_or_after) = (String::new(), None, None);
    });
}

fn addresses(cases: &mut Cases) {
    let class = "recipient";
    for (name, about, recipient) in [
        ("other", "For another address.", Some("https://else.example/acs".to_owned())),
        ("longer", "An address that begins like ours.", Some(format!("{ACS}/x"))),
        ("http", "Ours without TLS.", Some(ACS.replace("https", "http"))),
        ("empty", "An empty address.", Some(String::new())),
        ("entity", "Our entity ID instead of our address.", Some(SERVICE.to_owned())),
    ] {
        cases.forged(class, "wrong_recipient", name, about, |r| r.recipient.clone_from(&recipient));
    }
    cases.forged(class, "missing", "none", "No recipient.", |r| r.recipient = None);

    let class = "destination";
    for (name, about, destination) in [
        ("other", "Sent to another address.", "https://else.example/acs".to_owned()),
        ("longer", "An address that begins like ours.", format!("{ACS}?x")),
        ("http", "Ours without TLS.", ACS.replace("https", "http")),
        ("empty", "An empty address.", String::new()),
        ("case", "Ours in other letters.", ACS.to_uppercase()),
    ] {
        cases.forged(class, "wrong_destination", name, about, |r| r.destination = Some(destination.clone()));
    }
    cases.forged(
        class,
        "wrong_destination",
        "signed-without",
        "A signed response without a destination.",
        |r| {
            (r.sign_response, r.destination) = (true, None);
        },
    );
}

fn issuers(cases: &mut Cases) {
    let class = "issuer";
    cases.forged(class, "wrong_issuer", "of-both", "Another issuer.", |r| {
        (r.issuer, r.response_issuer) = (OTHER_PROVIDER.to_owned(), OTHER_PROVIDER.to_owned());
    });
    cases.forged(class, "wrong_issuer", "of-response", "The response has another issuer.", |r| {
        r.response_issuer = OTHER_PROVIDER.to_owned()
    });
    cases.forged(class, "wrong_issuer", "of-assertion", "The assertion has another issuer.", |r| {
        r.issuer = OTHER_PROVIDER.to_owned()
    });
    cases.forged(class, "wrong_issuer", "slash", "The issuer with a slash behind.", |r| r.issuer.push('/'));
    cases.forged(class, "wrong_issuer", "ourselves", "We are the issuer.", |r| r.issuer = SERVICE.to_owned());
    cases.forged(class, "missing", "empty", "An empty issuer.", |r| r.issuer = String::new());
    cases.forged(class, "wrong_issuer", "signed-response", "The signed response has another issuer.", |r| {
        (r.sign_response, r.response_issuer) = (true, OTHER_PROVIDER.to_owned());
    });
}

fn requests(cases: &mut Cases) {
    let class = "in-response-to";
    let other = "_ffffffffffffffffffffffffffffffff".to_owned();
    cases.forged(class, "wrong_request", "foreign", "Answers another request.", |r| {
        (r.response_to, r.confirmed_for) = (Some(other.clone()), Some(other.clone()));
    });
    cases.forged(
        class,
        "wrong_request",
        "foreign-response",
        "The response answers another request than the assertion.",
        |r| r.response_to = Some(other.clone()),
    );
    cases.forged(
        class,
        "wrong_request",
        "foreign-assertion",
        "The assertion answers another request than the response.",
        |r| r.confirmed_for = Some(other.clone()),
    );
    cases.forged(class, "no_request", "none", "Answers no request.", |r| {
        (r.response_to, r.confirmed_for) = (None, None)
    });
    cases.forged(class, "no_request", "none-in-response", "The response answers no request.", |r| {
        r.response_to = None
    });
    cases.forged(
        class,
        "no_request",
        "none-in-assertion",
        "The assertion answers no request: it could be anybody's.",
        |r| r.confirmed_for = None,
    );
    cases.forged(class, "wrong_request", "empty", "Answers a request without a name.", |r| {
        (r.response_to, r.confirmed_for) = (Some(String::new()), Some(String::new()));
    });
    cases
        .forged(
            class,
            "unexpected_request",
            "unsolicited",
            "Came unasked and answers a request: somebody else's.",
            |_| (),
        )
        .via(Via::Unsolicited);
    cases
        .forged(
            class,
            "unexpected_request",
            "unsolicited-assertion",
            "Came unasked; the assertion answers a request.",
            |r| r.response_to = None,
        )
        .via(Via::Unsolicited);
    cases.forged(class, "wrong_request", "case", "The request's name in other letters.", |r| {
        r.response_to = Some(REQUEST.to_uppercase())
    });
}

fn times(cases: &mut Cases) {
    let class = "time";
    let mut add = |expect: &str, name: &str, about: &str, change: &dyn Fn(&mut crate::forge::Recipe)| {
        cases.forged(class, expect, name, about, change);
    };
    add("expired", "conditions-over", "The conditions are over.", &|r| r.not_on_or_after = Some(at(-121)));
    add(
        "expired",
        "conditions-just-over",
        "The conditions ended two minutes ago, which is what clocks may differ.",
        &|r| r.not_on_or_after = Some(at(-120)),
    );
    add("expired", "confirmation-over", "The confirmation is over.", &|r| r.confirmed_until = Some(at(-300)));
    add("not_yet_valid", "conditions-later", "The conditions begin later.", &|r| {
        r.not_before = Some(at(121))
    });
    add("not_yet_valid", "issued-later", "Made in the future.", &|r| r.issued = at(3_600));
    add("expired", "issued-long-ago", "Made an hour ago, valid for a day.", &|r| {
        (r.issued, r.not_on_or_after, r.confirmed_until) = (at(-3_600), Some(at(86_400)), Some(at(86_400)));
    });
    add("missing", "no-end", "The conditions have no end.", &|r| r.not_on_or_after = None);
    add("missing", "no-start", "The conditions have no start.", &|r| r.not_before = None);
    add("missing", "confirmation-endless", "The confirmation has no end.", &|r| r.confirmed_until = None);
    add("session_over", "session-over", "The session is over.", &|r| {
        r.authentication = r
            .authentication
            .replace(" SessionIndex", &format!(" SessionNotOnOrAfter=\"{}\" SessionIndex", at(-200)));
    });
    add("not_yet_valid", "signed-in-later", "The person signs in in the future.", &|r| {
        r.authentication = r.authentication.replace(&at(-10), &at(600))
    });
    add("bad_value", "no-zone", "An instant without a time zone.", &|r| {
        r.not_on_or_after = Some("2026-11-22T13:00:00".to_owned())
    });
    add("bad_value", "words", "An instant in words.", &|r| r.not_on_or_after = Some("tomorrow".to_owned()));
    add("bad_value", "month-13", "An instant that does not exist.", &|r| {
        r.not_on_or_after = Some("2026-13-22T12:00:00Z".to_owned())
    });
    add("bad_value", "huge-year", "A year of six digits.", &|r| {
        r.not_on_or_after = Some("292277-01-01T00:00:00Z".to_owned())
    });
    add("bad_value", "empty", "An empty instant.", &|r| r.not_before = Some(String::new()));

    let class = "replay";
    for (name, seconds) in [
        ("after-its-end", 421),
        ("an-hour-later", 3_600),
        ("a-day-later", 86_400),
        ("a-year-later", 31_536_000),
    ] {
        cases
            .forged(
                class,
                "expired",
                name,
                "A good response that comes again when nobody remembers it any more.",
                |_| (),
            )
            .arrives(seconds);
    }
    cases
        .forged(class, "expired", "long-lived", "The same, valid for a year by its own words.", |r| {
            (r.not_on_or_after, r.confirmed_until) = (Some(at(31_536_000)), Some(at(31_536_000)));
        })
        .arrives(716);
    cases
        .forged(
            class,
            "not_yet_valid",
            "before-its-start",
            "A good response, ten minutes before it was made.",
            |_| (),
        )
        .arrives(-600);
    cases.forged(
        class,
        "wrong_request",
        "of-an-earlier-sign-in",
        "The answer to an earlier request, within its time.",
        |r| {
            let earlier = "_0123456789abcdef0123456789abcdee".to_owned();
            (r.response_to, r.confirmed_for) = (Some(earlier.clone()), Some(earlier));
        },
    );
}

fn subjects(cases: &mut Cases) {
    let class = "subject";
    let mut add = |expect: &str, name: &str, about: &str, change: &dyn Fn(&mut crate::forge::Recipe)| {
        cases.forged(class, expect, name, about, change);
    };
    let bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
    add("no_name_id", "no-name", "Without a NameID.", &|r| r.name_id = String::new());
    add("no_name_id", "empty-name", "With an empty NameID.", &|r| r.name_id = "<saml:NameID/>".to_owned());
    add("no_name_id", "space-name", "With a NameID of spaces.", &|r| {
        r.name_id = "<saml:NameID>  </saml:NameID>".to_owned()
    });
    add("unexpected_element", "two-names", "With two NameIDs.", &|r| {
        r.name_id = "<saml:NameID>ada</saml:NameID><saml:NameID>eve</saml:NameID>".to_owned()
    });
    add("unexpected_element", "element-in-name", "With an element in the NameID.", &|r| {
        r.name_id = "<saml:NameID>ada<x xmlns=\"urn:x\"/></saml:NameID>".to_owned()
    });
    add("bad_value", "line-in-name", "With a line end in the NameID.", &|r| {
        r.name_id = "<saml:NameID>ada\neve</saml:NameID>".to_owned()
    });
    add("bad_value", "long-name", "With a NameID of 2,000 letters.", &|r| {
        r.name_id = format!("<saml:NameID>{}</saml:NameID>", "a".repeat(2_000))
    });
    add("unexpected_element", "encrypted-name", "With an EncryptedID.", &|r| {
        r.name_id = "<saml:EncryptedID/>".to_owned()
    });
    add("unexpected_element", "base-id", "With a BaseID.", &|r| r.name_id = "<saml:BaseID/>".to_owned());
    add("no_bearer", "holder-of-key", "Confirmed by a key.", &|r| {
        r.method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key".to_owned()
    });
    add("no_bearer", "sender-vouches", "Confirmed by the sender.", &|r| {
        r.method = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches".to_owned()
    });
    add("missing", "no-data", "A bearer without data.", &|r| {
        r.confirmations = format!("<saml:SubjectConfirmation Method=\"{bearer}\"/>")
    });
    add("unexpected_element", "key-in-data", "A key in the data.", &|r| {
        r.confirmations = format!(
            "<saml:SubjectConfirmation Method=\"{bearer}\"><saml:SubjectConfirmationData><x xmlns=\"urn:x\"/></saml:SubjectConfirmationData></saml:SubjectConfirmation>"
        );
    });
    add("not_yet_valid", "bearer-later", "The confirmation begins later.", &|r| {
        r.confirmations = format!(
            "<saml:SubjectConfirmation Method=\"{bearer}\"><saml:SubjectConfirmationData NotBefore=\"{}\" NotOnOrAfter=\"{}\" Recipient=\"{ACS}\" InResponseTo=\"{REQUEST}\"/></saml:SubjectConfirmation>",
            at(200),
            at(400)
        );
    });
    add("no_authentication", "nobody-signed-in", "Without an AuthnStatement.", &|r| {
        r.authentication = String::new()
    });
    add("unexpected_element", "signed-in-twice", "With two AuthnStatements.", &|r| {
        r.authentication = r.authentication.repeat(2)
    });
    add("unexpected_element", "decision", "With an AuthzDecisionStatement.", &|r| {
        r.more = "<saml:AuthzDecisionStatement/>".to_owned()
    });
    add("unexpected_element", "encrypted-attribute", "With an encrypted attribute.", &|r| {
        r.attributes =
            "<saml:AttributeStatement><saml:EncryptedAttribute/></saml:AttributeStatement>".to_owned()
    });
    add("missing", "nameless-attribute", "With an attribute without a name.", &|r| {
        r.attributes = "<saml:AttributeStatement><saml:Attribute/></saml:AttributeStatement>".to_owned()
    });
}

fn structure(cases: &mut Cases) {
    let class = "structure";
    let mut add = |expect: &str, name: &str, about: &str, change: &dyn Fn(&mut crate::forge::Recipe)| {
        cases.forged(class, expect, name, about, change);
    };
    add("wrong_version", "version", "SAML 1.1.", &|r| r.version = "1.1".to_owned());
    add("wrong_version", "version-2.1", "SAML 2.1.", &|r| r.version = "2.1".to_owned());
    add("unexpected_attribute", "attribute-of-response", "The response has an attribute more.", &|r| {
        r.response_tag = " Admin=\"true\"".to_owned()
    });
    add("unexpected_attribute", "attribute-of-assertion", "The assertion has an attribute more.", &|r| {
        r.assertion_tag = " Admin=\"true\"".to_owned()
    });
    add("unexpected_element", "element-in-response", "The response has an element more.", &|r| {
        r.behind = "<x xmlns=\"urn:x\"/>".to_owned()
    });
    add("unexpected_element", "extensions", "The response has extensions.", &|r| {
        r.before = "<samlp:Extensions/>".to_owned()
    });
    add("unexpected_element", "text", "The response has text between its elements.", &|r| {
        r.before = "text".to_owned()
    });
    add("unexpected_element", "advice", "The assertion has advice.", &|r| {
        r.more = "<saml:Advice/>".to_owned()
    });

    let class = "several-assertions";
    let one = recipe(KEYCLOAK).assertion();
    let mut second = recipe(KEYCLOAK);
    second.assertion_id = "_assertion-2".to_owned();
    second.name_id = second.name_id.replace("ada-7f3e", "bob-1111");
    let two = second.assertion();
    let response = |content: &str, is_signed: bool| {
        let mut recipe = recipe(KEYCLOAK);
        recipe.sign_response = is_signed;
        recipe.response(content)
    };
    cases.add(
        class,
        "several_assertions",
        "two",
        "Two signed assertions.",
        response(&format!("{one}{two}"), false),
    );
    cases.add(
        class,
        "several_assertions",
        "two-in-signed",
        "Two assertions in a signed response.",
        response(&format!("{one}{two}"), true),
    );
    cases.add(
        class,
        "several_assertions",
        "three",
        "Three assertions.",
        response(&format!("{one}{two}{}", one.replace("_assertion-1", "_assertion-3")), false),
    );
    let encrypted = |xml: &str| {
        format!(
            "<saml:EncryptedAssertion xmlns:saml=\"{}\">{}</saml:EncryptedAssertion>",
            crate::forge::SAML,
            crate::forge::encrypt::encrypted(&crate::forge::encrypt::gcm(), xml.as_bytes())
        )
    };
    cases.add(
        class,
        "several_assertions",
        "one-encrypted",
        "One plain, one encrypted.",
        response(&format!("{one}{}", encrypted(&two)), false),
    );
    cases.add(
        class,
        "several_assertions",
        "both-encrypted",
        "Both encrypted.",
        response(&format!("{}{}", encrypted(&one), encrypted(&two)), true),
    );
    cases.add(class, "missing", "none", "No assertion.", response("", true));
}

fn statuses(cases: &mut Cases) {
    let class = "status";
    let code = |value: &str, inner: &str| {
        format!(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{value}\">{inner}</samlp:StatusCode>"
        )
    };
    for (name, about, status) in [
        ("denied", "The provider denies.", code("Responder", &code("RequestDenied", ""))),
        ("no-passive", "The provider would have to ask.", code("Responder", &code("NoPassive", ""))),
        (
            "requester",
            "The provider does not understand.",
            format!(
                "{}<samlp:StatusMessage>Unknown application</samlp:StatusMessage>",
                code("Requester", "")
            ),
        ),
        ("within", "Success only within failure.", code("Responder", &code("Success", ""))),
        (
            "similar",
            "Nearly success.",
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success \"/>".to_owned(),
        ),
    ] {
        cases.forged(class, "provider_refused", name, about, |r| r.status.clone_from(&status));
    }
    cases.forged(class, "missing", "none", "No status.", |r| r.status = String::new());
    cases.forged(class, "missing", "empty", "A status without a value.", |r| {
        r.status = "<samlp:StatusCode Value=\"\"/>".to_owned()
    });
}

fn connections(cases: &mut Cases) {
    let class = "cross-connection";
    cases.forged(
        class,
        "wrong_issuer",
        "other-provider",
        "A good response of another organisation's provider.",
        |r| {
            r.key = keys::other_provider();
            (r.issuer, r.response_issuer) = (OTHER_PROVIDER.to_owned(), OTHER_PROVIDER.to_owned());
        },
    );
    cases.forged(
        class,
        "wrong_issuer",
        "mixed",
        "The response of our provider, the assertion of another.",
        |r| r.issuer = OTHER_PROVIDER.to_owned(),
    );
    cases.forged(
        class,
        "unknown_certificate",
        "in-our-name",
        "Another organisation's provider in the name of ours.",
        |r| {
            r.key = keys::other_provider();
            r.sign_response = true;
        },
    );
    cases.forged(
        class,
        "unknown_certificate",
        "no-issuer",
        "Another organisation's provider; the response has our provider's name.",
        |r| {
            r.key = keys::other_provider();
            r.issuer = OTHER_PROVIDER.to_owned();
        },
    );
    cases.forged(class, "wrong_recipient", "other-connection", "For another connection of ours.", |r| {
        r.recipient = Some(format!("{ACS}/other"))
    });
}
