//! Single sign-on.

mod break_glass;
mod connections;
mod domains;
mod metadata;
mod provider;
