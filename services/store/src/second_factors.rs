//! Second factors of a person: an authenticator app, passkeys, and recovery codes for when both are gone.
//!
//! A person *has* a second factor with an authenticator app or a passkey; recovery codes only help those
//! who have one. Codes by mail ([`email_codes`]) are one only where the person's organisations allow it. Everything that changes what a person has locks the person first, so that two changes
//! at the same time see each other, and leaves the audit row last.

pub mod budget;
pub mod challenges;
pub mod email_codes;
pub mod passkeys;
pub mod pending;
pub mod recovery;
pub mod totp;

use chrono::Utc;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use kinora_core::mail::SecurityNotice;
use kinora_core::{PersonId, SessionId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Act};
use crate::notices::{self, Scene};
use crate::schema::{
    factor_tries, organisation_members, organisations, passkeys as passkey_rows, people, recovery_codes,
    totp_enrolments, totp_factors,
};
use crate::sessions::{Confirmed, NewToken};
use crate::{Result, StoreError, security, sessions, support};

/// What a person can prove themselves with, besides the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods {
    /// An authenticator app.
    pub authenticator: bool,
    /// At least one passkey.
    pub passkey: bool,
    /// Codes by mail, and they count: in none of the person's places more is asked for.
    pub email_code: bool,
}

/// How codes by mail are called in the audit trail.
pub const EMAIL_CODE: &str = "email_code";

impl Methods {
    /// Whether there is a second factor that counts everywhere.
    #[must_use]
    pub fn any(self) -> bool {
        self.authenticator || self.passkey
    }

    /// Whether there is one to sign in with, be it the weak one.
    #[must_use]
    pub fn any_at_sign_in(self) -> bool {
        self.any() || self.email_code
    }
}

/// What a person has.
///
/// # Errors
/// If the database fails.
pub fn methods(connection: &mut PgConnection, person: PersonId) -> Result<Methods> {
    let found: Option<(bool, bool, bool)> = people::table
        .find(person.0)
        .select((
            exists(totp_factors::table.filter(totp_factors::person_id.eq(people::id))),
            exists(passkey_rows::table.filter(passkey_rows::person_id.eq(people::id))),
            sql::<Bool>(email_codes::IS_USABLE),
        ))
        .first(connection)
        .optional()?;
    let (authenticator, passkey, email_code) = found.unwrap_or_default();
    Ok(Methods { authenticator, passkey, email_code })
}

/// Which factor was shown, and what must still be so when it is taken for right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A code of the authenticator app, of this time step.
    Totp {
        /// Seconds since 1970 divided by 30.
        step: i64,
    },
    /// A recovery code.
    RecoveryCode {
        /// Its digest.
        digest: [u8; 32],
    },
    /// A signature of a passkey.
    Passkey {
        /// Which one.
        id: Uuid,
        /// Its counter after the signature.
        sign_count: i64,
    },
    /// A code that was sent by mail.
    EmailCode {
        /// Digest of the cookie of the half sign-in that it was sent for.
        bound_to: [u8; 32],
        /// Its digest.
        digest: [u8; 32],
    },
    /// The password, by somebody who has no second factor.
    Password,
}

impl Shown {
    /// How it is called in the audit trail.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::RecoveryCode { .. } => "recovery_code",
            Self::Passkey { .. } => "passkey",
            Self::EmailCode { .. } => EMAIL_CODE,
            Self::Password => "password",
        }
    }
}

/// Takes what was shown for right, once: a code that was accepted before is refused, whichever instance
/// accepted it. Belongs into the transaction of what it allows.
///
/// # Errors
/// [`StoreError::Forbidden`] if it was used meanwhile, or is not there any more.
pub fn accept(connection: &mut PgConnection, scene: &Scene, person: PersonId, shown: &Shown) -> Result<()> {
    let is_accepted = match shown {
        Shown::Totp { step } => totp::accept(connection, person, *step)?,
        Shown::RecoveryCode { digest } => recovery::consume(connection, person, digest)?,
        Shown::Passkey { id, sign_count } => passkeys::accept(connection, person, *id, *sign_count)?,
        Shown::EmailCode { bound_to, digest } => email_codes::accept(connection, person, (bound_to, digest))?,
        Shown::Password => {
            lock(connection, person)?;
            !methods(connection, person)?.any()
        }
    };
    if !is_accepted {
        return Err(StoreError::Forbidden);
    }
    match shown {
        Shown::Totp { .. } | Shown::EmailCode { .. } => {
            budget::clear(connection, person, budget::Kind::Totp)?;
        }
        Shown::RecoveryCode { .. } => {
            budget::clear(connection, person, budget::Kind::RecoveryCode)?;
            notices::tell(connection, scene, person, SecurityNotice::RecoveryCodeUsed)?;
        }
        Shown::Passkey { .. } | Shown::Password => {}
    }
    Ok(())
}

/// Remembers that the person of a session has just proved themselves again, and gives it another token.
///
/// # Errors
/// [`StoreError::NotFound`] if the session has ended or was given another token meanwhile; [`StoreError::Forbidden`] with a code that was sent by mail, which is
/// not enough.
pub fn confirm_session(
    connection: &mut PgConnection,
    scene: &Scene,
    (person, session): (PersonId, SessionId),
    token: &NewToken,
    shown: &Shown,
) -> Result<Confirmed> {
    if matches!(shown, Shown::EmailCode { .. }) {
        return Err(StoreError::Forbidden);
    }
    accept(connection, scene, person, shown)?;
    sessions::confirm(connection, &scene.origin, (person, session), token, shown.name())
}

/// What kind of factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Authenticator,
    Passkey,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Passkey => "passkey",
        }
    }
}

/// Locks the person's row, so that what they have changes in one order.
pub(crate) fn lock(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    let _: Uuid = people::table.find(person.0).select(people::id).for_update().first(connection)?;
    Ok(())
}

/// The same before a factor is taken: whether an owner is left who can sign in without the identity provider is
/// decided for one person after the other.
pub(crate) fn lock_for_removal(connection: &mut PgConnection, person: PersonId) -> Result<()> {
    security::lock_glass_of(connection, person)?;
    lock(connection, person)
}

/// What adding a factor gave besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Whether the recovery codes that were offered were taken: the person had none.
    pub takes_recovery_codes: bool,
}

/// Ends an addition: with the first factor, the other sessions end (they were begun without it) and
/// recovery codes come with it. The person must be locked, `before` is what they had.
pub(crate) fn finish_addition(
    connection: &mut PgConnection,
    scene: &Scene,
    (person, session): (PersonId, SessionId),
    (before, kind, name): (Methods, Kind, Option<&str>),
    recovery_digests: &[[u8; 32]],
) -> Result<Added> {
    let takes_recovery_codes = recovery::count_left(connection, person)? == 0;
    if takes_recovery_codes {
        recovery::replace(connection, person, recovery_digests)?;
    }
    if !before.any() {
        sessions::revoke_all(connection, person, Some(session))?;
        pending::remove_all(connection, person)?;
    }
    let notice = match kind {
        Kind::Authenticator => SecurityNotice::AuthenticatorAdded,
        Kind::Passkey => SecurityNotice::PasskeyAdded,
    };
    notices::tell(connection, scene, person, notice)?;
    let act = Act::new("factor.added", audit::PERSON, person, &scene.origin.actor)
        .after(json!({ "kind": kind.name(), "name": name, "first": !before.any() }));
    audit::record_personal(connection, &scene.origin, person, act)?;
    Ok(Added { takes_recovery_codes })
}

/// Ends a removal. The last factor is not to be removed as long as an organisation asks for one; with it
/// go the recovery codes. The person must be locked.
pub(crate) fn finish_removal(
    connection: &mut PgConnection,
    scene: &Scene,
    person: PersonId,
    (kind, name): (Kind, Option<&str>),
) -> Result<()> {
    let left = methods(connection, person)?;
    if !left.any() {
        if !left.email_code
            && let Some(organisation) = find_requiring(connection, person)?
        {
            return Err(StoreError::Conflict(format!(
                "{organisation} asks for a second factor. Add another one before you remove this one."
            )));
        }
        security::require_glass_of(connection, person)?;
        diesel::delete(recovery_codes::table.filter(recovery_codes::person_id.eq(person.0)))
            .execute(connection)?;
    }
    let notice = match kind {
        Kind::Authenticator => SecurityNotice::AuthenticatorRemoved,
        Kind::Passkey => SecurityNotice::PasskeyRemoved,
    };
    notices::tell(connection, scene, person, notice)?;
    let act = Act::new("factor.removed", audit::PERSON, person, &scene.origin.actor)
        .before(json!({ "kind": kind.name(), "name": name }));
    audit::record_personal(connection, &scene.origin, person, act)
}

/// An organisation of the person that asks for a second factor, by name.
fn find_requiring(connection: &mut PgConnection, person: PersonId) -> Result<Option<String>> {
    Ok(organisation_members::table
        .inner_join(organisations::table)
        .filter(organisation_members::person_id.eq(person.0))
        .filter(organisations::second_factor_required)
        .order(organisations::name)
        .select(organisations::name)
        .first(connection)
        .optional()?)
}

/// Takes everything a person can prove themselves with, the password aside, and ends their sessions:
/// whoever has lost it all begins anew. Leaves the audit row to the caller, whose act this is, and what becomes of an
/// organisation whose last owner who can sign in without its provider this is.
///
/// # Errors
/// [`StoreError::Conflict`] if they have none.
pub(crate) fn reset(connection: &mut PgConnection, scene: &Scene, person: PersonId) -> Result<Methods> {
    lock_for_removal(connection, person)?;
    let before = methods(connection, person)?;
    if !take_all(connection, person)? {
        return Err(StoreError::Conflict("This person has no second factor.".to_owned()));
    }
    sessions::revoke_all(connection, person, None)?;
    notices::tell(connection, scene, person, SecurityNotice::FactorsReset)?;
    Ok(before)
}

/// Takes all factors of a person, whose row is locked, and what was begun with them; whether there was one. Ends their
/// support access, which counted on them.
pub(crate) fn take_all(connection: &mut PgConnection, person: PersonId) -> Result<bool> {
    let had_mail = email_codes::forget(connection, person)?;
    let of_app = diesel::delete(totp_factors::table.find(person.0)).execute(connection)?;
    diesel::delete(totp_enrolments::table.find(person.0)).execute(connection)?;
    let passkeys = diesel::delete(passkey_rows::table.filter(passkey_rows::person_id.eq(person.0)))
        .execute(connection)?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::person_id.eq(person.0)))
        .execute(connection)?;
    diesel::delete(factor_tries::table.filter(factor_tries::person_id.eq(person.0))).execute(connection)?;
    pending::remove_all(connection, person)?;
    support::end_of(connection, person)?;
    Ok(had_mail || of_app + passkeys > 0)
}

/// Removes what has expired and was not used: half sign-ins, challenges, enrolments.
///
/// # Errors
/// If the database fails.
pub fn remove_expired(connection: &mut PgConnection) -> Result<()> {
    pending::remove_expired(connection)?;
    challenges::remove_expired(connection)?;
    email_codes::remove_expired(connection)?;
    diesel::delete(totp_enrolments::table.filter(totp_enrolments::expires_at.lt(Utc::now())))
        .execute(connection)?;
    Ok(())
}
