//! Of whom an organisation keeps something: its members, the guests of its productions, and those who were either.

use actix_web::web;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use kinora_store::privacy::held;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::cursor::{List, checked_limit};
use crate::extract::permission::Administrator;
use crate::extract::{Cursor, InOrganisation, Query, Then};

/// Somebody of whom the organisation keeps something.
#[derive(Serialize, ToSchema)]
pub struct HeldPerson {
    /// Their id.
    id: PersonId,
    /// What they sign in with.
    login: String,
    /// How they are called.
    display_name: String,
    /// The role in the organisation; none: a guest of its productions, or somebody who has left.
    role: Option<OrganisationRole>,
    /// Whether they have left: the audit trail still names them, with the login they had then.
    has_left: bool,
}

/// Which people are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HeldPeopleFilter {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// What login or name contains.
    #[param(max_length = 200)]
    q: Option<String>,
}

/// List of whom an organisation keeps personal data: members, guests, and those who were either.
#[utoipa::path(get, path = "/api/data/v1/organisations/{organisation_id}/personal-data/people", tag = "personal data",
    params(("organisation_id" = OrganisationId, Path), HeldPeopleFilter), responses(
    (status = 200, description = "By login", body = List<HeldPerson>),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list_held_people(
    context: web::Data<Context>,
    Then(access, Query(filter)): Then<InOrganisation<Administrator>, Query<HeldPeopleFilter>>,
) -> Result<web::Json<List<HeldPerson>>, Problem> {
    let (id, limit) = (access.organisation_id, checked_limit(filter.limit)?);
    let search = filter.q.filter(|text| !text.is_empty());
    if search.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(Problem::invalid_parameter("q", "must have at most 200 characters"));
    }
    let list = format!("held {id} {}", search.as_deref().unwrap_or_default());
    let after: Option<(String, PersonId)> =
        filter.cursor.as_deref().map(|cursor| Cursor::read(&context.keys, &list, cursor)).transpose()?;
    let rows = context
        .database
        .read(move |connection| {
            let after = after.as_ref().map(|(login, person)| (login.as_str(), *person));
            held::list(connection, id, search.as_deref(), after, limit + 1)
        })
        .await?;
    let items: Vec<HeldPerson> = rows
        .into_iter()
        .map(|row| HeldPerson {
            id: PersonId(row.id),
            login: row.login,
            display_name: row.display_name,
            role: row.role.as_deref().and_then(OrganisationRole::from_name),
            has_left: row.has_left,
        })
        .collect();
    Ok(web::Json(Cursor::cut(&context.keys, &list, items, limit, |person| {
        (person.login.clone(), person.id)
    })?))
}
