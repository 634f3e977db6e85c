//! Owners who may get in without the identity provider where everybody else needs it: so that a provider that is down,
//! or set up wrongly, locks nobody out for good. Each use is on record and told to all owners.

use chrono::Utc;
use diesel::prelude::*;
use kinora_core::mail::Letter;
use kinora_core::permission::OrganisationRole;
use kinora_core::{OrganisationId, PersonId};
use uuid::Uuid;

use crate::Result;
use crate::audit::{self, Act, PERSON};
use crate::mail;
use crate::notices::Scene;
use crate::schema::{organisation_members, organisations, people};

/// Records that somebody signs in without a provider and with a second factor, in each organisation where that is a use
/// of break glass, and tells its owners, the person among them. To be called in the transaction that begins the session.
///
/// # Errors
/// If the database fails.
pub fn note_use(connection: &mut PgConnection, scene: &Scene, person: PersonId) -> Result<()> {
    let places: Vec<(Uuid, String)> = organisation_members::table
        .inner_join(organisations::table)
        .filter(organisation_members::person_id.eq(person.0))
        .filter(organisation_members::break_glass)
        .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
        .filter(organisations::sso_required)
        .order(organisations::id)
        .select((organisations::id, organisations::name))
        .load(connection)?;
    let mut acts = Vec::with_capacity(places.len());
    for (id, organisation) in places {
        let letter = Letter::BreakGlass {
            login: scene.origin.actor.clone(),
            organisation,
            at: Utc::now(),
            address: scene.origin.address.clone(),
            device: scene.device.clone(),
        };
        for owner in find_owners(connection, id)? {
            mail::enqueue_personal(connection, owner, &letter, None)?;
        }
        let act = Act::new("break_glass.used", PERSON, person, &scene.origin.actor);
        acts.push(act.in_organisation(OrganisationId(id)));
    }
    audit::record_all(connection, &scene.origin, acts)
}

fn find_owners(connection: &mut PgConnection, organisation: Uuid) -> Result<Vec<PersonId>> {
    let owners: Vec<Uuid> = organisation_members::table
        .inner_join(people::table)
        .filter(organisation_members::organisation_id.eq(organisation))
        .filter(organisation_members::role.eq(OrganisationRole::Owner.name()))
        .filter(people::disabled_at.is_null())
        .order(people::id)
        .select(people::id)
        .load(connection)?;
    Ok(owners.into_iter().map(PersonId).collect())
}
