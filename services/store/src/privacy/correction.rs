//! Correcting name and login of somebody (GDPR, article 16), by an administrator.
//!
//! Whoever may change a login could make the account their own. So it takes somebody who administers every
//! organisation that the person has anything to do with, as a new password link does.

use chrono::Utc;
use diesel::prelude::*;
use kinora_core::mail::SecurityNotice;
use kinora_core::{OrganisationId, PersonId};
use serde_json::json;

use crate::audit::{self, Act, PERSON};
use crate::notices::{self, Scene};
use crate::people as accounts;
use crate::principals::Principal;
use crate::schema::people;
use crate::sign_in::login_key;
use crate::{Result, StoreError};

/// What is to be corrected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// How they are called.
    pub display_name: Option<String>,
    /// What they sign in with.
    pub login: Option<String>,
}

impl Correction {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.display_name.is_none() && self.login.is_none()
    }
}

/// Corrects what is wrong about a person of an organisation, and tells them. `is_expected` says whether the stored
/// revision is one that the caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`]; [`StoreError::Forbidden`] if the caller does not
/// administer the person everywhere; [`StoreError::Conflict`] if the login is taken.
pub fn correct(
    connection: &mut PgConnection,
    scene: &Scene,
    caller: &Principal,
    (organisation, person): (OrganisationId, PersonId),
    is_expected: impl FnOnce(i64) -> bool,
    correction: &Correction,
) -> Result<()> {
    let stored = accounts::find(connection, organisation, person)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let name = correction.display_name.as_ref().filter(|name| **name != stored.display_name);
    let login = correction.login.as_ref().filter(|login| **login != stored.login);
    if name.is_none() && login.is_none() {
        return Ok(());
    }
    if !accounts::administers_everywhere(connection, caller, person)? {
        return Err(StoreError::Forbidden);
    }
    // To the address that the account has had until now.
    notices::tell(connection, scene, person, SecurityNotice::AccountCorrected)?;
    if let Some(name) = name {
        diesel::update(people::table.find(person.0))
            .set(people::display_name.eq(name))
            .execute(connection)?;
    }
    if let Some(login) = login {
        set_login(connection, person, login)?;
    }
    diesel::update(people::table.find(person.0))
        .set((people::updated_at.eq(Utc::now()), people::revision.eq(people::revision + 1)))
        .execute(connection)?;
    let state = |name: &str, login: &str| json!({ "display_name": name, "login": login });
    let act = Act::new("person.corrected", PERSON, person, &stored.login)
        .before(state(&stored.display_name, &stored.login))
        .after(state(name.unwrap_or(&stored.display_name), login.unwrap_or(&stored.login)));
    audit::record_personal(connection, &scene.origin, person, act)
}

/// Gives an account another login.
pub(super) fn set_login(connection: &mut PgConnection, person: PersonId, login: &str) -> Result<()> {
    diesel::update(people::table.find(person.0))
        .set((people::login.eq(login.trim()), people::login_key.eq(login_key(login))))
        .execute(connection)
        .map_err(|error| match StoreError::from(error) {
            error if error.violated_unique_constraint().is_some() => {
                StoreError::Conflict("There is another account with this login.".to_owned())
            }
            error => error,
        })?;
    Ok(())
}
