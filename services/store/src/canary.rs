//! The canary's place: an organisation of its own that nobody belongs to, one production in it, and a service account
//! that may do in that production what a manager of the library may, and nothing else anywhere.
//!
//! So no content of a studio is involved, and who has the token can lay films into an empty room.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::permission::{Module, ModuleRole, ProductionRoles, TokenScope};
use kinora_core::{OrganisationId, PersonId, ProductionId, TokenId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act, Origin};
use crate::schema::{
    access_tokens, organisations, people, production_members, productions, service_accounts,
};
use crate::tokens::NewToken;
use crate::{Result, productions as production_rows, token_text, tokens};

/// What the account is called. No other service account's login is like it: theirs end with letters of their id.
pub const LOGIN: &str = "service:canary";
const ORGANISATION: &str = "Kinora canary";
const PRODUCTION: &str = "Canary";
const PURPOSE: &str = "Uploads a short film every ten minutes and measures how long each stage takes";
/// As long as a service's password: until another token is handed out. It may do next to nothing.
const VALIDITY: TimeDelta = TimeDelta::days(3650);

/// What is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Where canaries fly.
    pub production_id: ProductionId,
    /// Whether anything had to be made or taken away.
    pub is_changed: bool,
}

/// Makes what is missing of the canary's place, and `token` the only token of its account, in a transaction of its own.
/// The token comes from whoever hands it to the canary as well; here only its digest is kept.
///
/// # Errors
/// If the database fails.
pub fn prepare(connection: &mut PgConnection, origin: &Origin, token: &str) -> Result<Prepared> {
    connection.transaction(|connection| {
        let found = find(connection)?;
        let (person, production) = match found {
            Some(place) => place,
            None => make(connection, origin)?,
        };
        let is_replaced = replace_token(connection, origin, (person, production), token)?;
        Ok(Prepared { production_id: production, is_changed: found.is_none() || is_replaced })
    })
}

/// Account and production, locked against another run of the same.
fn find(connection: &mut PgConnection) -> Result<Option<(PersonId, ProductionId)>> {
    let found: Option<(Uuid, Uuid)> = people::table
        .inner_join(production_members::table.inner_join(productions::table))
        .filter(people::login_key.eq(LOGIN))
        .filter(people::disabled_at.is_null())
        .filter(productions::removed_at.is_null())
        .select((people::id, productions::id))
        .for_update()
        .first(connection)
        .optional()?;
    Ok(found.map(|(person, production)| (PersonId(person), ProductionId(production))))
}

fn make(connection: &mut PgConnection, origin: &Origin) -> Result<(PersonId, ProductionId)> {
    let (organisation, person, production) = (OrganisationId::new(), PersonId::new(), ProductionId::new());
    diesel::insert_into(organisations::table)
        .values((organisations::id.eq(organisation.0), organisations::name.eq(ORGANISATION)))
        .execute(connection)?;
    diesel::insert_into(people::table)
        .values((
            people::id.eq(person.0),
            people::login.eq(LOGIN),
            people::login_key.eq(LOGIN),
            people::display_name.eq(PRODUCTION),
        ))
        .execute(connection)?;
    diesel::insert_into(service_accounts::table)
        .values((
            service_accounts::person_id.eq(person.0),
            service_accounts::organisation_id.eq(organisation.0),
            service_accounts::purpose.eq(PURPOSE),
        ))
        .execute(connection)?;
    diesel::insert_into(productions::table)
        .values((
            productions::id.eq(production.0),
            productions::organisation_id.eq(organisation.0),
            productions::name.eq(PRODUCTION),
        ))
        .execute(connection)?;
    let roles = ProductionRoles { library: Some(ModuleRole::Manager), ..ProductionRoles::default() };
    production_rows::write_membership(connection, production, person, &roles, None)?;
    let acts = vec![
        Act::new("organisation.created", "organisation", organisation, ORGANISATION)
            .in_organisation(organisation)
            .after(json!({ "name": ORGANISATION })),
        Act::new("service_account.created", "service_account", person, LOGIN)
            .in_organisation(organisation)
            .after(json!({ "name": PRODUCTION, "purpose": PURPOSE })),
        Act::new("production.created", "production", production, PRODUCTION)
            .in_organisation(organisation)
            .in_production(production)
            .after(json!({ "name": PRODUCTION, "library_manager": person })),
    ];
    audit::record_all(connection, origin, acts)?;
    Ok((person, production))
}

/// Whether the token was not the only one already.
fn replace_token(
    connection: &mut PgConnection,
    origin: &Origin,
    (person, production): (PersonId, ProductionId),
    token: &str,
) -> Result<bool> {
    let digest = token_text::digest(token);
    let held: Vec<(Uuid, String, Vec<u8>)> = access_tokens::table
        .filter(access_tokens::person_id.eq(person.0))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(Utc::now()))
        .select((access_tokens::id, access_tokens::name, access_tokens::token_digest))
        .load(connection)?;
    let is_held = held.iter().any(|(_, _, held)| *held == digest);
    let others = held.iter().filter(|(_, _, held)| *held != digest);
    let mut acts = Vec::new();
    for (id, name, _) in others {
        tokens::end(connection, person, TokenId(*id))?;
        acts.push(Act::new("token.revoked", "token", TokenId(*id), name).in_production(production));
    }
    if !is_held {
        let new = NewToken {
            name: PRODUCTION.to_owned(),
            digest,
            hint: token_text::hint_of(token),
            validity: VALIDITY,
            scope: Some(TokenScope {
                most_role: ModuleRole::Manager,
                modules: vec![Module::Library],
                productions: Some(vec![production]),
            }),
        };
        let made = tokens::insert(connection, person, &new)?;
        let after = json!({ "expires_at": made.expires_at, "hint": made.hint, "scope": made.scope });
        acts.push(
            Act::new("token.created", "token", TokenId(made.id), &made.name)
                .in_production(production)
                .after(after),
        );
    }
    let is_replaced = !acts.is_empty();
    audit::record_all(connection, origin, acts)?;
    Ok(is_replaced)
}
