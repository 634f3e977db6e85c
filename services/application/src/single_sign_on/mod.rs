//! Single sign-on with the identity providers of organisations (SAML 2.0).
//!
//! What a provider says is judged by `kinora_saml`, in which there is neither a database nor HTTP; [`provider`] brings
//! rows and library together.

pub mod keys;
pub mod provider;
