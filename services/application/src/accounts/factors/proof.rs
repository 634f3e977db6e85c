//! What somebody shows to prove that it is them: the one place where codes are compared and signatures verified.

use chrono::Utc;
use kinora_core::PersonId;
use kinora_store::second_factors::budget::{self, Attempt, Kind};
use kinora_store::second_factors::challenges::Purpose;
use kinora_store::second_factors::email_codes::Purpose as MailPurpose;
use kinora_store::second_factors::{Shown, email_codes as mailed, methods, recovery, totp};
use kinora_store::{Origin, StoreError, sign_in};
use serde::Deserialize;
use utoipa::ToSchema;

use super::authenticator::{TotpSecret, digits_of};
use super::email_codes::mailed_digits_of;
use super::passkeys::{self, PasskeySignature};
use crate::accounts::session::try_password;
use crate::context::Context;
use crate::error::{Problem, ProblemKind};
use crate::secrets::Digest;
use crate::webauthn::UserVerification;

/// Longest recovery code that is looked at, as it is typed.
const MAX_RECOVERY_CODE: usize = 64;
/// Longest password that is looked at.
const MAX_PASSWORD: usize = 1024;

/// A second factor. Exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FactorProof {
    /// What the authenticator app shows now: six digits. After five wrong ones in a row no more are looked at for
    /// five minutes, and each time twice as long.
    Code(String),
    /// One of the recovery codes.
    RecoveryCode(String),
    /// A passkey's signature over a challenge.
    Passkey(PasskeySignature),
    /// The code that was sent by mail, eight digits: only to finish signing in. Wrong ones count like those of the app.
    EmailCode(String),
    /// The password: only for confirming a session, and only of an account without a second factor.
    #[schema(format = Password)]
    Password(String),
}

impl FactorProof {
    /// Where in a request's body it stands.
    pub(super) fn pointer(&self) -> &'static str {
        match self {
            Self::Code(_) => "/code",
            Self::RecoveryCode(_) => "/recovery_code",
            Self::Passkey(_) => "/passkey",
            Self::EmailCode(_) => "/email_code",
            Self::Password(_) => "/password",
        }
    }
}

/// Who shows it, and for what.
pub(super) struct Occasion<'a> {
    pub(super) context: &'a Context,
    /// Who, from where.
    pub(super) origin: &'a Origin,
    pub(super) person: PersonId,
    /// Digest of the cookie that challenges are bound to.
    pub(super) bound_to: Digest,
    pub(super) purpose: Purpose,
}

/// The answer to a factor that is wrong, or was used before.
pub(super) fn wrong(pointer: &'static str) -> Problem {
    let detail = match pointer {
        "/code" => "is not the code that the app shows now, or was used already",
        "/recovery_code" => "is not one of your recovery codes, or was used already",
        "/email_code" => "is not the code that was sent to this browser last, or is too old",
        "/passkey" => "is not a passkey of this account, or took too long",
        _ => "is not your password",
    };
    Problem::invalid(pointer, detail)
}

/// What a failed transaction with [`kinora_store::second_factors::accept`] is answered with: that the factor was used
/// in between looks like a wrong one.
pub(super) fn refused(problem: Problem, pointer: &'static str) -> Problem {
    if problem.kind() == ProblemKind::Forbidden { wrong(pointer) } else { problem }
}

impl Occasion<'_> {
    /// Looks at a factor. What comes of it is to be accepted in the transaction of what it allows.
    pub(super) async fn look_at(&self, proof: FactorProof) -> Result<Shown, Problem> {
        let pointer = proof.pointer();
        match proof {
            FactorProof::Code(text) => {
                // What can be no code at all costs no try.
                let code = digits_of(&text).ok_or_else(|| wrong(pointer))?;
                self.look_at_code(code).await
            }
            FactorProof::RecoveryCode(text) => {
                if text.len() > MAX_RECOVERY_CODE {
                    return Err(wrong(pointer));
                }
                self.look_at_recovery_code(recovery::digest(self.person, &text)).await
            }
            FactorProof::Passkey(signature) => {
                let verified = passkeys::verify(
                    self.context,
                    &signature,
                    self.purpose,
                    self.bound_to,
                    UserVerification::NotRequired,
                )
                .await?;
                match verified {
                    Some(verified) if verified.person == self.person => Ok(verified.shown),
                    _ => Err(wrong(pointer)),
                }
            }
            FactorProof::EmailCode(text) => {
                if self.purpose != Purpose::SecondFactor {
                    return Err(wrong(pointer));
                }
                self.look_at_email_code(&text, MailPurpose::SecondFactor, pointer).await
            }
            FactorProof::Password(password) => {
                if self.purpose != Purpose::Confirm || password.len() > MAX_PASSWORD {
                    return Err(wrong(pointer));
                }
                self.look_at_password(password).await
            }
        }
    }

    /// Takes one of the tries that the account has, over all sessions and instances.
    async fn take_try<T: Send + 'static>(
        &self,
        kind: Kind,
        then: impl FnOnce(&mut diesel::PgConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(i32, T), Problem> {
        let (person, now) = (self.person, Utc::now());
        let (attempt, found) = self
            .context
            .database
            .run(move |connection| match budget::take(connection, person, kind, now)? {
                attempt @ Attempt::Allowed(_) => Ok((attempt, Some(then(connection)?))),
                locked @ Attempt::Locked(_) => Ok::<_, StoreError>((locked, None)),
            })
            .await?;
        match (attempt, found) {
            (Attempt::Allowed(tries), Some(found)) => {
                metrics::counter!("kinora_factor_evaluations_total", "kind" => kind.name()).increment(1);
                Ok((tries, found))
            }
            (Attempt::Locked(remaining), _) => {
                let seconds = u64::try_from(remaining.num_seconds()).unwrap_or_default();
                let detail = "There were too many wrong codes for this account. Try again later.";
                Err(Problem::new(ProblemKind::Locked, detail).retry_after(seconds + 1))
            }
            (Attempt::Allowed(_), None) => Err(ProblemKind::Internal.into()),
        }
    }

    async fn look_at_code(&self, code: String) -> Result<Shown, Problem> {
        let person = self.person;
        let (tries, sealed) =
            self.take_try(Kind::Totp, move |connection| totp::find_secret(connection, person)).await?;
        let step = match sealed {
            Some(sealed) => TotpSecret::open(&self.context.master_keys, person, &sealed)
                .map_err(Problem::internal)?
                .step_of(&code, Utc::now()),
            None => None,
        };
        match step {
            Some(step) => Ok(Shown::Totp { step }),
            None => Err(self.count_wrong(Kind::Totp, tries, "/code").await?),
        }
    }

    async fn look_at_recovery_code(&self, digest: [u8; 32]) -> Result<Shown, Problem> {
        let person = self.person;
        let (tries, is_left) = self
            .take_try(Kind::RecoveryCode, move |connection| recovery::is_left(connection, person, &digest))
            .await?;
        if is_left {
            return Ok(Shown::RecoveryCode { digest });
        }
        Err(self.count_wrong(Kind::RecoveryCode, tries, "/recovery_code").await?)
    }

    /// A code that was sent by mail, for signing in or for adding such codes to the account.
    pub(super) async fn look_at_email_code(
        &self,
        text: &str,
        purpose: MailPurpose,
        pointer: &'static str,
    ) -> Result<Shown, Problem> {
        // What can be no code at all costs no try.
        let code = mailed_digits_of(text).ok_or_else(|| wrong(pointer))?;
        let (person, bound_to) = (self.person, self.bound_to);
        let digest =
            self.context.keys.email_code_digest(person, &bound_to, &code).map_err(Problem::internal)?;
        let (tries, is_right) = self
            .take_try(Kind::Totp, move |connection| {
                let counts = purpose != MailPurpose::SecondFactor || methods(connection, person)?.email_code;
                Ok(counts && mailed::is_open(connection, person, purpose, (&bound_to, &digest))?)
            })
            .await?;
        if is_right {
            return Ok(Shown::EmailCode { bound_to, digest });
        }
        Err(self.count_wrong(Kind::Totp, tries, pointer).await?)
    }

    /// The answer to a wrong code; the one that filled the count is recorded.
    async fn count_wrong(&self, kind: Kind, tries: i32, pointer: &'static str) -> Result<Problem, Problem> {
        log::info!(
            person_id = self.person.to_string(),
            address = self.origin.address.as_deref().unwrap_or_default(),
            request_id = self.origin.request_id.as_deref().unwrap_or_default();
            "a second factor was not right: {}", pointer.trim_start_matches('/')
        );
        if tries % budget::TRIES == 0 {
            let (origin, person) = (self.origin.clone(), self.person);
            self.context
                .database
                .run(move |connection| budget::record_lock_out(connection, &origin, person, kind, tries))
                .await?;
        }
        Ok(wrong(pointer))
    }

    async fn look_at_password(&self, password: String) -> Result<Shown, Problem> {
        let key = sign_in::login_key(&self.origin.actor);
        let turn = self.context.passwords.turn().await?;
        let account = try_password(self.context, &turn, self.origin, &key, password).await?;
        drop(turn);
        match account {
            Some(account) if PersonId(account.id) == self.person => {
                let digest = sign_in::login_digest(&key);
                self.context.database.run(move |connection| sign_in::clear(connection, &digest)).await?;
                Ok(Shown::Password)
            }
            _ => Err(wrong("/password")),
        }
    }
}
