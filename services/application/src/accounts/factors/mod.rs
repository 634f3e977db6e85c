//! Second factors: an authenticator app, passkeys, recovery codes, and what they are asked for.
//!
//! Whoever has one signs in in two steps ([`second_step`]), or with a passkey alone. What a stolen session
//! must not be able to do takes a fresh [`confirmation`]. What was shown is looked at in [`proof`], the one
//! place that compares codes and verifies signatures; [`kinora_store::second_factors::accept`] then takes it, once,
//! in the transaction of what it allows.

pub mod authenticator;
pub mod confirmation;
pub mod email_codes;
pub mod passkeys;
pub mod proof;
pub mod qr;
pub mod recovery;
pub mod second_step;

use actix_web::web;
use chrono::{DateTime, Utc};
use kinora_core::{PasskeyId, PersonId};
use kinora_store::second_factors::recovery::COUNT;
use kinora_store::second_factors::{self, Methods, recovery as codes};
use kinora_store::token_text::new_recovery_code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::OwnAccount;

/// Which second factors somebody has.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct FactorMethods {
    /// An authenticator app.
    pub authenticator: bool,
    /// At least one passkey.
    pub passkey: bool,
    /// Codes by mail, and they count in all the person's organisations. They finish a sign-in and confirm nothing.
    pub email_code: bool,
}

impl From<Methods> for FactorMethods {
    fn from(methods: Methods) -> Self {
        let Methods { authenticator, passkey, email_code } = methods;
        Self { authenticator, passkey, email_code }
    }
}

/// The authenticator app of an account.
#[derive(Serialize, ToSchema)]
pub struct Authenticator {
    /// Since when.
    created_at: DateTime<Utc>,
    /// When a code was last accepted.
    last_used_at: Option<DateTime<Utc>>,
}

/// A passkey of an account.
#[derive(Serialize, ToSchema)]
pub struct Passkey {
    /// Its id.
    id: PasskeyId,
    /// What its owner calls it.
    name: String,
    /// Whether it is kept on several devices.
    is_synced: bool,
    /// Since when.
    created_at: DateTime<Utc>,
    /// When it last signed.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<second_factors::passkeys::Passkey> for Passkey {
    fn from(row: second_factors::passkeys::Passkey) -> Self {
        Self {
            id: PasskeyId(row.id),
            name: row.name,
            is_synced: row.is_synced,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// What an account is protected with besides the password.
#[derive(Serialize, ToSchema)]
pub struct Factors {
    /// The authenticator app, if there is one.
    authenticator: Option<Authenticator>,
    /// Passkeys, oldest first.
    passkeys: Vec<Passkey>,
    /// How many recovery codes are left.
    recovery_codes_left: i64,
    /// Whether passkeys work at the address of this installation.
    passkeys_possible: bool,
    /// Codes by mail, if they were added.
    email_codes: Option<EmailCodes>,
    /// Whether one's organisations let codes by mail count.
    email_codes_allowed: bool,
}

/// Codes by mail of an account.
#[derive(Serialize, ToSchema)]
pub struct EmailCodes {
    /// Since when.
    created_at: DateTime<Utc>,
    /// When one was last accepted.
    last_used_at: Option<DateTime<Utc>>,
}

/// Recovery codes, which are never shown again.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes; empty if those that the account has stay as they are.
    recovery_codes: Vec<String>,
}

/// What is one's own account protected with?
#[utoipa::path(get, path = "/api/data/v1/account/factors", tag = "account", responses(
    (status = 200, description = "Second factors", body = Factors),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn read_factors(
    context: web::Data<Context>,
    OwnAccount(who): OwnAccount,
) -> Result<web::Json<Factors>, Problem> {
    let person = who.principal.person_id;
    let passkeys_possible = passkeys::relying_party(&context).is_ok();
    let factors = context
        .database
        .read(move |connection| {
            let authenticator = second_factors::totp::find(connection, person)?;
            let passkeys = second_factors::passkeys::list(connection, person)?;
            Ok::<_, kinora_store::StoreError>(Factors {
                authenticator: authenticator
                    .map(|app| Authenticator { created_at: app.created_at, last_used_at: app.last_used_at }),
                passkeys: passkeys.into_iter().map(Into::into).collect(),
                recovery_codes_left: codes::count_left(connection, person)?,
                passkeys_possible,
                email_codes: second_factors::email_codes::find(connection, person)?.map(|found| EmailCodes {
                    created_at: found.created_at,
                    last_used_at: found.last_used_at,
                }),
                email_codes_allowed: second_factors::email_codes::is_allowed(connection, person)?,
            })
        })
        .await?;
    Ok(web::Json(factors))
}

/// New recovery codes of a person, and what is stored of them.
fn draw_recovery_codes(person: PersonId) -> Result<(Vec<String>, Vec<[u8; 32]>), Problem> {
    let drawn: Result<Vec<String>, _> = (0..COUNT).map(|_| new_recovery_code()).collect();
    let drawn = drawn.map_err(Problem::internal)?;
    let digests = drawn.iter().map(|code| codes::digest(person, code)).collect();
    Ok((drawn, digests))
}
