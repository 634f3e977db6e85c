//! Structure-aware mutation of good documents: parts are moved, copied, renamed, put into other name spaces, wrapped,
//! stripped, filled with other text, and given other attributes.
//!
//! Every document follows from the seed and its number, so that what is found can be made again.

use kinora_saml::{Refusal, SignIn};

use crate::forge::encrypt::{encrypted, gcm};
use crate::forge::{DS, EC_256, KEYCLOAK, OKTA, SAML, SAMLP, STYLES, World, keys, recipe};

/// A small generator of numbers (SplitMix64).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).expect("fits")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// An element as it is written.
#[derive(Clone, Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Element(Element),
    Text(String),
}

/// Parses a document of ours: well-formed, without comments and the like.
fn parse(text: &str) -> Element {
    let mut stack = vec![Element { name: String::new(), attributes: Vec::new(), children: Vec::new() }];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            stack.last_mut().expect("open").children.push(Node::Text(rest[..at].to_owned()));
        }
        let end = rest.find('>').expect("an end");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('/') {
            let done = stack.pop().expect("open");
            stack.last_mut().expect("open").children.push(Node::Element(done));
            continue;
        }
        let (name, attributes) =
            tag.trim_end_matches('/').split_once(' ').unwrap_or((tag.trim_end_matches('/'), ""));
        let mut element = Element { name: name.to_owned(), attributes: Vec::new(), children: Vec::new() };
        let mut left = attributes;
        while let Some((name, behind)) = left.split_once("=\"") {
            let (value, behind) = behind.split_once('"').expect("a quote");
            element.attributes.push((name.trim().to_owned(), value.to_owned()));
            left = behind;
        }
        if tag.ends_with('/') {
            stack.last_mut().expect("open").children.push(Node::Element(element));
        } else {
            stack.push(element);
        }
    }
    match stack.pop().expect("a root").children.pop() {
        Some(Node::Element(root)) => root,
        other => panic!("no root: {other:?}"),
    }
}

impl Element {
    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{value}\""));
        }
        out.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(out),
                Node::Text(text) => out.push_str(text),
            }
        }
        out.push_str(&format!("</{}>", self.name));
    }

    fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Declares the prefixes that changes bring, so that the document stays well-formed. Exclusive canonicalisation does
    /// not mind.
    fn declare(&mut self) {
        for (prefix, uri) in DECLARED {
            let name = format!("xmlns:{prefix}");
            if !self.attributes.iter().any(|(other, _)| *other == name) {
                self.attributes.push((name, uri.to_owned()));
            }
        }
    }

    fn count(&self) -> usize {
        1 + self.elements().map(Self::count).sum::<usize>()
    }

    fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The element with this number, in the order of the document; the root is 0.
    fn at(&mut self, number: &mut usize) -> Option<&mut Self> {
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        for child in &mut self.children {
            if let Node::Element(element) = child {
                let within = element.count();
                if *number < within {
                    return element.at(number);
                }
                *number -= within;
            }
        }
        None
    }

    fn any(&mut self, numbers: &mut Numbers) -> &mut Self {
        let mut number = numbers.below(self.count());
        self.at(&mut number).expect("counted")
    }

    /// Finds an element by the end of its name.
    fn find(&mut self, name: &str) -> Option<&mut Self> {
        if self.name.rsplit(':').next() == Some(name) {
            return Some(self);
        }
        self.children.iter_mut().find_map(|child| match child {
            Node::Element(element) => element.find(name),
            Node::Text(_) => None,
        })
    }

    fn insert(&mut self, node: Node, numbers: &mut Numbers) {
        let at = numbers.below(self.children.len() + 1);
        self.children.insert(at, node);
    }

    fn take_any_child(&mut self, numbers: &mut Numbers) -> Option<Node> {
        let parent = self.any(numbers);
        (!parent.children.is_empty()).then(|| {
            let at = numbers.below(parent.children.len());
            parent.children.remove(at)
        })
    }
}

const NAMES: [&str; 24] = [
    "saml:Assertion",
    "samlp:Response",
    "saml:Subject",
    "saml:NameID",
    "dsig:Signature",
    "dsig:SignedInfo",
    "dsig:Object",
    "dsig:Reference",
    "dsig:Transforms",
    "dsig:Transform",
    "dsig:KeyInfo",
    "saml:Advice",
    "samlp:Extensions",
    "saml:AttributeValue",
    "saml:Attribute",
    "saml:Conditions",
    "saml:AuthnStatement",
    "saml:EncryptedAssertion",
    "samlp:Status",
    "samlp:StatusDetail",
    "saml:Issuer",
    "saml:Audience",
    "x",
    "dsig:Manifest",
];
const TEXTS: [&str; 22] = [
    "eve-0000",
    "ada-7f3e",
    "bob-1111",
    "",
    " ",
    "ada-7f3e ",
    "ada<!-- -->-7f3e",
    "<![CDATA[eve-0000]]>",
    "&#101;ve-0000",
    "&x;",
    "<?x y?>",
    "kinora-owners",
    "https://kinora.studio.example/saml",
    "https://idp.studio.example/saml",
    "https://else.example",
    "AAAA",
    "\u{202e}ada",
    "eve-0000<x/>",
    "\r\n",
    "ada-7f3e\u{0}",
    "&lt;b&gt;",
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
];
const VALUES: [&str; 20] = [
    "_assertion-1",
    "_response-1",
    "_assertion-2",
    "_evil",
    "#_assertion-1",
    "#_response-1",
    "#_assertion-2",
    "",
    "#_evil",
    "#xpointer(/)",
    "http://127.0.0.1:9/",
    "file:///etc/hostname",
    "2030-01-01T00:00:00Z",
    "2.0",
    "https://kinora.studio.example/saml/acs",
    "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    "urn:x",
    "1",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
];
const ATTRIBUTES: [&str; 20] = [
    "ID",
    "Id",
    "id",
    "xml:id",
    "URI",
    "Algorithm",
    "Name",
    "InResponseTo",
    "Destination",
    "Recipient",
    "NotOnOrAfter",
    "xmlns",
    "xmlns:saml",
    "xmlns:dsig",
    "xmlns:samlp",
    "xmlns:x",
    "Format",
    "xml:base",
    "Version",
    "PrefixList",
];
const NAMESPACES: [&str; 8] = [
    SAML,
    SAMLP,
    DS,
    "urn:x",
    "1",
    "",
    "http://www.w3.org/2001/04/xmlenc#",
    "urn:oasis:names:tc:SAML:1.0:assertion",
];
const DECLARED: [(&str, &str); 9] = [
    ("saml", SAML),
    ("saml2", SAML),
    ("samlp", SAMLP),
    ("saml2p", SAMLP),
    ("dsig", DS),
    ("ds", DS),
    ("x", "urn:x"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("a", "urn:a"),
];
const PREFIXES: [&str; 7] = ["saml:", "samlp:", "dsig:", "saml2:", "ds:", "", "x:"];

/// Good documents, and whom each signs in.
pub struct Pool {
    world: World,
    documents: Vec<(String, Element)>,
    known: Vec<SignIn>,
}

impl Pool {
    /// All shapes, of two people.
    pub fn new() -> Self {
        let mut documents = Vec::new();
        let world = crate::forge::world();
        for style in STYLES {
            for (response, assertion) in [(true, false), (false, true), (true, true)] {
                let mut recipe = recipe(style);
                (recipe.sign_response, recipe.sign_assertion) = (response, assertion);
                documents.push(recipe.make());
            }
        }
        for style in [KEYCLOAK, OKTA] {
            let mut recipe = recipe(style);
            recipe.assertion_id = "_assertion-2".to_owned();
            recipe.name_id = recipe.name_id.replace("ada-7f3e", "bob-1111");
            recipe.attributes = recipe.attributes.replace("kinora-library", "kinora-readers");
            documents.push(recipe.make());
            (recipe.algorithm, recipe.key) = (EC_256, keys::p256());
            documents.push(recipe.make());
        }
        let known = documents.iter().map(|d| world.receive(d.as_bytes()).expect("a good document")).collect();
        let mut pool = Self { world, documents: Vec::new(), known };
        pool.documents = documents
            .into_iter()
            .map(|text| {
                let tree = parse(&text);
                (text, tree)
            })
            .collect();
        for (text, tree) in &pool.documents {
            // The mutator itself changes nothing.
            let again = tree.to_text();
            assert!(pool.world.receive(again.as_bytes()).is_ok(), "{text}\n{again}");
        }
        pool
    }

    /// A document changed in a few ways.
    pub fn document(&self, numbers: &mut Numbers) -> Vec<u8> {
        let mut root = numbers.pick(&self.documents).1.clone();
        for _ in 0..=numbers.below(4) {
            self.change(&mut root, numbers);
        }
        if numbers.below(40) == 0 {
            encrypt(&mut root);
        }
        if numbers.below(8) != 0 {
            root.declare();
        }
        let mut bytes = root.to_text().into_bytes();
        if numbers.below(10) == 0 {
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                match numbers.below(3) {
                    0 => bytes[at] = u8::try_from(numbers.below(256)).expect("an octet"),
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"<>&\"'/!?:= -"[numbers.below(12)]),
                }
            }
        }
        bytes
    }

    fn change(&self, root: &mut Element, numbers: &mut Numbers) {
        match numbers.below(15) {
            // Move.
            0 => {
                if let Some(node) = root.take_any_child(numbers) {
                    root.any(numbers).insert(node, numbers);
                }
            }
            // Copy, within and from another document.
            1 => {
                let copy = root.any(numbers).clone();
                root.any(numbers).insert(Node::Element(copy), numbers);
            }
            2 => {
                let mut other = numbers.pick(&self.documents).1.clone();
                let copy = other.any(numbers).clone();
                root.any(numbers).insert(Node::Element(copy), numbers);
            }
            // Rename; other name spaces.
            3 => root.any(numbers).name = (*numbers.pick(&NAMES)).to_owned(),
            4 => {
                let (element, prefix) = (root.any(numbers), numbers.pick(&PREFIXES));
                let name = element.name.rsplit(':').next().unwrap_or_default();
                element.name = format!("{prefix}{name}");
            }
            5 => {
                let (element, to) = (root.any(numbers), *numbers.pick(&NAMESPACES));
                let name = if numbers.below(2) == 0 {
                    "xmlns".to_owned()
                } else {
                    format!("xmlns:{}", numbers.pick(&["saml", "samlp", "dsig", "x"]))
                };
                element.attributes.retain(|(other, _)| *other != name);
                element.attributes.push((name, to.to_owned()));
            }
            // Wrap and unwrap.
            6 => {
                let element = root.any(numbers);
                let inner = element.clone();
                *element = Element {
                    name: (*numbers.pick(&NAMES)).to_owned(),
                    attributes: Vec::new(),
                    children: vec![Node::Element(inner)],
                };
            }
            7 => {
                let parent = root.any(numbers);
                if !parent.children.is_empty() {
                    let at = numbers.below(parent.children.len());
                    if let Node::Element(inner) = parent.children.remove(at) {
                        parent.children.splice(at..at, inner.children);
                    }
                }
            }
            // Strip.
            8 => drop(root.take_any_child(numbers)),
            9 => {
                let element = root.any(numbers);
                if !element.attributes.is_empty() {
                    let at = numbers.below(element.attributes.len());
                    element.attributes.remove(at);
                }
            }
            // Text.
            10 => {
                let element = root.any(numbers);
                element.children.retain(|child| numbers.below(2) == 0 || matches!(child, Node::Element(_)));
                element.insert(Node::Text((*numbers.pick(&TEXTS)).to_owned()), numbers);
            }
            // Attributes.
            11 => {
                let element = root.any(numbers);
                if !element.attributes.is_empty() {
                    let at = numbers.below(element.attributes.len());
                    element.attributes[at].1 = (*numbers.pick(&VALUES)).to_owned();
                }
            }
            12 => {
                let element = root.any(numbers);
                element
                    .attributes
                    .push(((*numbers.pick(&ATTRIBUTES)).to_owned(), (*numbers.pick(&VALUES)).to_owned()));
            }
            // Wrapping as it is done.
            13 => wrap_signature(root, numbers),
            // Another order.
            _ => {
                let element = root.any(numbers);
                if element.children.len() > 1 {
                    let (a, b) =
                        (numbers.below(element.children.len()), numbers.below(element.children.len()));
                    element.children.swap(a, b);
                }
            }
        }
    }

    /// Takes a document; gives the refusal's code, or `None` if it was accepted as exactly what one of ours says.
    ///
    /// # Panics
    /// If anything else was accepted.
    pub fn check(&self, document: &[u8]) -> Option<&'static str> {
        let outcome: Result<SignIn, Refusal> = self.world.receive(document);
        match outcome {
            Err(refusal) => Some(refusal.code.as_str()),
            Ok(sign_in) if self.known.contains(&sign_in) => None,
            Ok(sign_in) => panic!("accepted {sign_in:?} from {}", String::from_utf8_lossy(document)),
        }
    }
}

/// A forged copy of what is signed, with the original somewhere in or beside it.
fn wrap_signature(root: &mut Element, numbers: &mut Numbers) {
    let Some(original) = root.find("Assertion").cloned() else { return };
    let mut forged = original.clone();
    if let Some(name) = forged.find("NameID") {
        name.children = vec![Node::Text("eve-0000".to_owned())];
    }
    if numbers.below(2) == 0 {
        for (name, value) in &mut forged.attributes {
            if name == "ID" {
                *value = "_evil".to_owned();
            }
        }
    }
    match numbers.below(4) {
        0 => forged
            .children
            .retain(|child| !matches!(child, Node::Element(element) if element.name.ends_with("Signature"))),
        1 => {
            if let Some(signature) = forged.find("Signature") {
                signature.insert(Node::Element(original.clone()), numbers);
            }
        }
        2 => forged.any(numbers).insert(Node::Element(original.clone()), numbers),
        _ => {}
    }
    match numbers.below(3) {
        0 => *root.find("Assertion").expect("found before") = forged,
        1 => root.insert(Node::Element(forged), numbers),
        _ => {
            let place = root.find("Assertion").expect("found before");
            *place = forged;
            root.any(numbers).insert(Node::Element(original), numbers);
        }
    }
}

/// Anybody can encrypt for us.
fn encrypt(root: &mut Element) {
    let Some(assertion) = root.find("Assertion") else { return };
    let inner = encrypted(&gcm(), assertion.to_text().as_bytes());
    *assertion =
        parse(&format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{inner}</saml:EncryptedAssertion>"));
}

#[test]
fn no_changed_identity_is_accepted() {
    let pool = Pool::new();
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..2_000 {
        let document = pool.document(&mut Numbers::new(7, number));
        *if pool.check(&document).is_none() { &mut accepted } else { &mut refused } += 1;
    }
    // Some changes change nothing that is signed or read; most must have been noticed.
    assert!(accepted > 0 && refused > 1_500, "{accepted} accepted, {refused} refused");
}
