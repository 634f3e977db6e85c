//! Single sign-on: setting it up, and signing in with an identity provider that this project did not write.

mod asked;
mod break_glass;
mod connections;
mod domains;
mod groups;
mod linking;
mod logout;
mod logs;
mod metadata;
mod others;
pub(crate) mod provider;
mod replay;
mod required;
mod routes;
mod sign_in;
pub(crate) mod studio;
mod test_run;
