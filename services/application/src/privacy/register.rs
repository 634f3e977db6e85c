//! Which personal data is kept where and how long, for everybody who is signed in.

use actix_web::web;
use kinora_store::privacy::register::{self, Line};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Problem, ProblemDocument};
use crate::extract::Authenticated;
use crate::extract::cursor::List;

/// Personal data of one kind.
#[derive(Serialize, ToSchema)]
pub struct PersonalData {
    /// A name for programs; that of the table, for what stands in the database.
    name: &'static str,
    /// What it is called.
    title: &'static str,
    /// What is kept.
    what: &'static str,
    /// What for.
    why: &'static str,
    /// How long.
    kept: &'static str,
    /// What erasing a person does with it: "deleted", "pseudonymised", "kept", or "nothing", as it is about nobody.
    fate: &'static str,
    /// What that means here.
    fate_means: Option<&'static str>,
    /// The section of the export that it stands in.
    section: Option<&'static str>,
    /// Whether it stands in the database.
    in_database: bool,
}

impl From<Line> for PersonalData {
    fn from(line: Line) -> Self {
        let Line { name, title, what, why, kept, fate, fate_means, section, in_database } = line;
        Self { name, title, what, why, kept, fate, fate_means, section, in_database }
    }
}

/// Which personal data is kept where, what for and how long.
#[utoipa::path(get, path = "/api/data/v1/personal-data", tag = "personal data", responses(
    (status = 200, description = "All of it; made from the register that exports and erasures follow", body = List<PersonalData>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_personal_data(_who: Authenticated) -> Result<web::Json<List<PersonalData>>, Problem> {
    Ok(web::Json(List { items: register::lines().map(Into::into).collect(), next_cursor: None }))
}
