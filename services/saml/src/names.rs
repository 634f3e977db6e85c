//! The names SAML 2.0, XML Signature and XML Encryption go by.

/// SAML assertions (`saml:`).
pub const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// SAML protocol (`samlp:`).
pub const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SAML metadata (`md:`).
pub const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// XML Signature (`ds:`).
pub const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Encryption (`xenc:`).
pub const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
/// XML Encryption 1.1 (`xenc11:`).
pub const ENCRYPTION_11: &str = "http://www.w3.org/2009/xmlenc11#";
/// `xsi:type`, `xsi:nil`.
pub const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// `xml:lang`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// HTTP-Redirect binding.
pub const BINDING_REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
/// HTTP-POST binding.
pub const BINDING_POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
/// A subject confirmed by bearing the assertion, which is the one Web SSO knows.
pub const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The one status that means yes.
pub const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// The format of a `NameID` that names none.
pub const NAME_ID_UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// A `NameID` that is an opaque, lasting name of the person.
pub const NAME_ID_PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// A `NameID` that is an e-mail address.
pub const NAME_ID_EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// A `NameID` that changes at every sign-in; nothing can be remembered by it.
pub const NAME_ID_TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// The one canonicalisation that is accepted (Exclusive XML Canonicalization 1.0, without comments).
pub const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The transform that leaves the signature itself out.
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// RSA PKCS #1 v1.5 with SHA-256.
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// SHA-256.
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// SHA-384, as XML Signature names it.
pub const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
/// SHA-512.
pub const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";
/// SHA-1, accepted only as the hash inside RSA-OAEP, where its weakness does not matter.
pub const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";

/// RSA-OAEP with MGF1 over SHA-1.
pub const RSA_OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
/// RSA-OAEP with its digests named.
pub const RSA_OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
