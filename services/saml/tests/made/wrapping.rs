//! Signature wrapping (XSW): a signed part is kept where its signature is found, a forged one stands where it is read.

use super::Cases;
use crate::forge::{KEYCLOAK, Recipe, recipe};

const CLASS: &str = "wrapping";

/// A signed response or assertion, in pieces.
struct Pieces {
    /// The whole response.
    document: String,
    /// The assertion with its signature.
    assertion: String,
    /// The signature.
    signature: String,
    /// The assertion (or response) without its signature.
    bare: String,
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).expect("begins");
    let end = text.get(start..).and_then(|rest| rest.find(to)).expect("ends") + start + to.len();
    text.get(start..end).expect("a piece")
}

fn pieces(change: impl Fn(&mut Recipe)) -> Pieces {
    let mut recipe = recipe(KEYCLOAK);
    change(&mut recipe);
    let document = recipe.make();
    let assertion = between(&document, "<saml:Assertion", "</saml:Assertion>").to_owned();
    let signature = between(&document, "<dsig:Signature ", "</dsig:Signature>").to_owned();
    let bare = document.replacen(&signature, "", 1);
    Pieces { document, assertion, signature, bare }
}

fn signed_response() -> Pieces {
    pieces(|r| (r.sign_response, r.sign_assertion) = (true, false))
}

fn signed_assertion() -> Pieces {
    pieces(|_| ())
}

/// Another person's.
fn evil(xml: &str) -> String {
    xml.replace("ada-7f3e", "eve-0000")
}

fn with_id(xml: &str, from: &str, to: &str) -> String {
    xml.replacen(&format!("ID=\"{from}\""), &format!("ID=\"{to}\""), 1)
}

pub fn add(cases: &mut Cases) {
    responses(cases);
    assertions(cases);
    elsewhere(cases);
}

fn responses(cases: &mut Cases) {
    let p = signed_response();
    let forged = with_id(&with_id(&evil(&p.bare), "_response-1", "_evil-1"), "_assertion-1", "_evil-2");
    let own_signature =
        |inner: &str| p.signature.replace("</dsig:Signature>", &format!("{inner}</dsig:Signature>"));
    let behind_issuer =
        |xml: &str, more: &str| xml.replacen("<samlp:Status>", &format!("{more}<samlp:Status>"), 1);
    cases.add(
        CLASS,
        "foreign_reference",
        "xsw1",
        "XSW1: a forged response; its signature holds the original response.",
        behind_issuer(&forged, &own_signature(&p.bare)),
    );
    let detached = format!("{}{}", p.bare, p.signature);
    cases.add(
        CLASS,
        "unexpected_element",
        "xsw2",
        "XSW2: a forged response with the original and a detached signature in it.",
        behind_issuer(&forged, &detached),
    );
    let object = own_signature(&format!("<dsig:Object>{}</dsig:Object>", p.bare));
    cases.add(
        CLASS,
        "foreign_reference",
        "xsw1-object",
        "XSW1 with the original in an Object of the signature.",
        behind_issuer(&forged, &object),
    );
    let same_id = evil(&p.bare);
    cases.add(
        CLASS,
        "duplicate_id",
        "xsw1-same-id",
        "XSW1 where both responses have one ID.",
        behind_issuer(&same_id, &object),
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "response-in-response",
        "The signed response at the end of a forged one.",
        forged.replacen("</samlp:Response>", &format!("{}</samlp:Response>", p.document), 1),
    );
    let extensions = format!("<samlp:Extensions>{}</samlp:Extensions>", p.document);
    cases.add(
        CLASS,
        "unexpected_element",
        "response-in-extensions",
        "The signed response in the Extensions of a forged one.",
        behind_issuer(&forged, &extensions),
    );
    let detail = format!("</samlp:StatusCode><samlp:StatusDetail>{}</samlp:StatusDetail>", p.document);
    let open_code = forged.replacen("status:Success\"/>", &format!("status:Success\">{detail}"), 1);
    cases.add(
        CLASS,
        "provider_refused",
        "response-in-status-detail",
        "The signed response in the StatusDetail of a forged one.",
        open_code,
    );
    cases.add(
        CLASS,
        "not_xml",
        "two-roots",
        "The signed response behind a forged one.",
        format!("{forged}{}", p.document),
    );
}

fn assertions(cases: &mut Cases) {
    let p = signed_assertion();
    let bare = p.assertion.replacen(&p.signature, "", 1);
    let forged = with_id(&evil(&bare), "_assertion-1", "_evil-1");
    let put = |xml: &str| p.document.replacen(&p.assertion, xml, 1);
    let last = |inner: &str| forged.replacen("</saml:Assertion>", &format!("{inner}</saml:Assertion>"), 1);
    let behind_issuer = |inner: &str| forged.replacen("</saml:Issuer>", &format!("</saml:Issuer>{inner}"), 1);
    cases.add(
        CLASS,
        "several_assertions",
        "xsw3",
        "XSW3: a forged assertion before the signed one.",
        put(&format!("{forged}{}", p.assertion)),
    );
    cases.add(
        CLASS,
        "several_assertions",
        "xsw3-behind",
        "A forged assertion behind the signed one.",
        put(&format!("{}{forged}", p.assertion)),
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "xsw4",
        "XSW4: the signed assertion in a forged one.",
        put(&last(&p.assertion)),
    );
    let moved = p.assertion.replacen(&p.signature, "", 1);
    cases.add(
        CLASS,
        "foreign_reference",
        "xsw5",
        "XSW5: a forged assertion with the signature; the original behind it.",
        put(&format!("{}{moved}", behind_issuer(&p.signature))),
    );
    let holding = p.signature.replace("</dsig:Signature>", &format!("{moved}</dsig:Signature>"));
    cases.add(
        CLASS,
        "foreign_reference",
        "xsw6",
        "XSW6: a forged assertion; its signature holds the original.",
        put(&behind_issuer(&holding)),
    );
    let extensions = format!("<samlp:Extensions>{forged}</samlp:Extensions>");
    cases.add(
        CLASS,
        "unexpected_element",
        "xsw7",
        "XSW7: a forged assertion in Extensions before the signed one.",
        p.document.replacen("<samlp:Status>", &format!("{extensions}<samlp:Status>"), 1),
    );
    let object = p
        .signature
        .replace("</dsig:Signature>", &format!("<dsig:Object>{moved}</dsig:Object></dsig:Signature>"));
    cases.add(
        CLASS,
        "foreign_reference",
        "xsw8",
        "XSW8: a forged assertion; the original in an Object of its signature.",
        put(&behind_issuer(&object)),
    );
    cases.add(
        CLASS,
        "duplicate_id",
        "xsw3-same-id",
        "XSW3 where both assertions have one ID.",
        put(&format!("{}{}", evil(&bare), p.assertion)),
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "in-advice",
        "The signed assertion in the Advice of a forged one.",
        put(&last(&format!("<saml:Advice>{}</saml:Advice>", p.assertion))),
    );
    let value = format!(
        "<saml:AttributeStatement><saml:Attribute Name=\"x\"><saml:AttributeValue>{}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>",
        p.assertion
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "in-attribute-value",
        "The signed assertion in an attribute of a forged one.",
        put(&last(&value)),
    );
    let wrapped = format!("<x:Wrapper xmlns:x=\"urn:x\">{}</x:Wrapper>", p.assertion);
    cases.add(
        CLASS,
        "unexpected_element",
        "in-foreign-element",
        "The signed assertion in an element that nobody knows, a forged one behind it.",
        put(&format!("{wrapped}{forged}")),
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "in-status-message",
        "The signed assertion in the status message.",
        put(&forged).replacen(
            "</samlp:Status>",
            &format!("<samlp:StatusMessage>{}</samlp:StatusMessage></samlp:Status>", p.assertion),
            1,
        ),
    );
    cases.add(
        CLASS,
        "unexpected_element",
        "in-subject-data",
        "The signed assertion in the data of a forged confirmation.",
        put(&forged.replacen(
            " Recipient=\"https://kinora.studio.example/saml/acs\"/>",
            &format!(
                " Recipient=\"https://kinora.studio.example/saml/acs\">{}</saml:SubjectConfirmationData>",
                p.assertion
            ),
            1,
        )),
    );
}

fn elsewhere(cases: &mut Cases) {
    let p = signed_assertion();
    let unsigned = p.document.replacen(&p.signature, "", 1);
    let put = |place: &str, xml: &str| unsigned.replacen(place, &format!("{xml}{place}"), 1);
    cases.add(
        "misplaced-signature",
        "foreign_reference",
        "of-assertion-in-response",
        "The assertion's signature stands in the response.",
        put("<samlp:Status>", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "behind-assertion",
        "The signature stands behind the assertion.",
        put("</samlp:Response>", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "in-subject",
        "The signature stands in the subject.",
        put("<saml:SubjectConfirmation ", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "at-the-end",
        "The signature stands at the end of the assertion.",
        put("</saml:Assertion>", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "in-status",
        "The signature stands in the status.",
        put("</samlp:Status>", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "before-issuer",
        "The signature stands before the issuer.",
        unsigned.replacen("<saml:Issuer>", &format!("{}<saml:Issuer>", p.signature), 1),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "twice",
        "The assertion's signature stands there twice.",
        p.document.replacen(&p.signature, &format!("{0}{0}", p.signature), 1),
    );
    cases.add(
        "misplaced-signature",
        "misplaced_signature",
        "in-conditions",
        "The signature stands in the conditions.",
        put("</saml:Conditions>", &p.signature),
    );
    cases.add(
        "misplaced-signature",
        "unexpected_element",
        "in-signature",
        "A signature in a signature.",
        p.document.replacen("</dsig:Signature>", "<dsig:Object/></dsig:Signature>", 1),
    );
}
