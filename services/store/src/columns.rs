//! How columns become values of the shared vocabulary.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Jsonb, Text};
use kinora_core::asset::{AssetKind, AssetStatus};
use kinora_core::permission::ModuleRole;
use kinora_core::state::{RunState, StepState};
use kinora_core::step::{DerivativeKind, StepKind};

use crate::{Result, StoreError};

/// A value that is stored by its name.
pub trait Named: Sized {
    /// The value of that name.
    fn from_column(name: &str) -> Option<Self>;
}

macro_rules! named {
    ($($type:ty),+) => {$(
        impl Named for $type {
            fn from_column(name: &str) -> Option<Self> {
                Self::from_name(name)
            }
        }
    )+};
}
named!(AssetKind, AssetStatus, RunState, StepState, StepKind, DerivativeKind);

/// A text column that holds the name of a `T`, read without a copy of the text.
#[derive(Clone, Copy, Debug, FromSqlRow)]
pub struct ByName<T>(pub T);

impl<T: Named> FromSql<Text, Pg> for ByName<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let name = std::str::from_utf8(value.as_bytes())?;
        T::from_column(name).map(Self).ok_or_else(|| format!("unknown name '{name}'").into())
    }
}

/// A `jsonb` column as the text that the server wrote: valid JSON that is only passed on.
#[derive(Clone, Debug, PartialEq, Eq, FromSqlRow)]
pub struct RawJson(pub String);

impl FromSql<Jsonb, Pg> for RawJson {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            // The version byte of jsonb's binary form.
            Some((1, text)) => Ok(Self(std::str::from_utf8(text)?.to_owned())),
            _ => Err("jsonb in a form of an unknown version".into()),
        }
    }
}

/// A `jsonb` column that holds a `T`.
#[derive(Clone, Debug, FromSqlRow)]
pub struct Json<T>(pub T);

impl<T: serde::de::DeserializeOwned> FromSql<Jsonb, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, text)) => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("jsonb in a form of an unknown version".into()),
        }
    }
}

/// The module role of that name, if there is one.
pub(crate) fn read_role(name: Option<&str>) -> Result<Option<ModuleRole>> {
    match name {
        None => Ok(None),
        Some("reader") => Ok(Some(ModuleRole::Reader)),
        Some("editor") => Ok(Some(ModuleRole::Editor)),
        Some("manager") => Ok(Some(ModuleRole::Manager)),
        Some(other) => Err(StoreError::NotUnderstood(format!("module role '{other}'"))),
    }
}
