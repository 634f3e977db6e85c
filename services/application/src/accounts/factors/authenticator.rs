//! Authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds, which is what all apps
//! understand. The code before and the one after are right as well, as clocks differ.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use kinora_core::PersonId;
use kinora_store::second_factors::totp::{self, Sealed};
use kinora_vault::{MasterKeys, SealedSecret, VaultError};
use openssl::rand::rand_bytes;
use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Secret};
use utoipa::ToSchema;

use super::qr::QrDrawing;
use super::{RecoveryCodes, draw_recovery_codes};
use crate::accounts::entrance::scene;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument};
use crate::extract::{Confirmed, Json, Then};

/// Length of secrets: that of the hash (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
/// Length of a step in seconds.
const STEP: u64 = 30;
/// Steps before and after that are right as well.
const SKEW: u16 = 1;
/// What the key of the secrets is derived for.
const PURPOSE: &str = "totp";

/// A secret of an authenticator app.
pub(super) struct TotpSecret(Vec<u8>);

impl TotpSecret {
    fn draw() -> Result<Self, openssl::error::ErrorStack> {
        let mut bytes = vec![0_u8; SECRET_BYTES];
        rand_bytes(&mut bytes)?;
        Ok(Self(bytes))
    }

    fn secret(&self) -> Secret {
        Secret::new(self.0.clone().into_boxed_slice())
    }

    fn seal(&self, keys: &MasterKeys, person: PersonId) -> Result<Sealed, VaultError> {
        let SealedSecret { master_key_id, text } = keys.seal(PURPOSE, person.0.as_bytes(), &self.0)?;
        Ok(Sealed { master_key_id, text })
    }

    /// The secret that was stored for this person.
    pub(super) fn open(keys: &MasterKeys, person: PersonId, sealed: &Sealed) -> Result<Self, VaultError> {
        let Sealed { master_key_id, text } = sealed.clone();
        let opened = keys.open(PURPOSE, person.0.as_bytes(), &SealedSecret { master_key_id, text })?;
        Ok(Self(opened.to_vec()))
    }

    /// The time step of which `code` is the code, if it is one of those that are right at `now`.
    pub(super) fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP)
            .with_skew(SKEW)
            .with_secret(self.secret())
            .build()
            .ok()?;
        let seconds = u64::try_from(now.timestamp()).ok()?;
        totp.check(code, seconds).and_then(|step| i64::try_from(step).ok())
    }
}

/// The same secret, encrypted under the current master key.
///
/// # Errors
/// If it does not open with the master keys that are there.
pub fn reseal(keys: &MasterKeys, person: PersonId, sealed: &Sealed) -> Result<Sealed, VaultError> {
    TotpSecret::open(keys, person, sealed)?.seal(keys, person)
}

/// Digits as they were typed, perhaps in two groups; none if it cannot be a code.
pub(super) fn digits_of(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let is_code = digits.len() == usize::from(DIGITS) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(digits)
}

/// An app that is being set up.
#[derive(Serialize, ToSchema)]
pub struct AuthenticatorEnrolment {
    /// The key, to be typed in where the QR code cannot be read: Base32, in groups of four.
    key: String,
    /// The address in the QR code (Key Uri Format).
    uri: String,
    /// The QR code.
    qr: QrDrawing,
    /// Until when a first code must have come.
    expires_at: DateTime<Utc>,
}

/// Set up an authenticator app.
///
/// It is no factor before `confirm_authenticator` has got a first code; one that the account has stays until then.
#[utoipa::path(post, path = "/api/data/v1/account/factors/authenticator", tag = "account", responses(
    (status = 200, description = "The key for the app, shown only now", body = AuthenticatorEnrolment),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn begin_authenticator(
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<web::Json<AuthenticatorEnrolment>, Problem> {
    let (session, person) = (who.session()?, who.principal.person_id);
    let secret = TotpSecret::draw().map_err(Problem::internal)?;
    let sealed = secret.seal(&context.master_keys, person).map_err(Problem::internal)?;
    let expires_at = context
        .database
        .transaction(move |connection| totp::begin(connection, person, session, &sealed))
        .await?;
    let key = secret.secret().to_base32();
    let host = context.settings.public_url.host_str().unwrap_or_default();
    let uri = key_uri(&format!("Kinora ({host})"), &who.principal.login, &key);
    let groups: Vec<&str> =
        key.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    Ok(web::Json(AuthenticatorEnrolment { key: groups.join(" "), qr: QrDrawing::of(&uri)?, uri, expires_at }))
}

/// `otpauth://totp/…`, as authenticator apps read it.
fn key_uri(issuer: &str, login: &str, key: &str) -> String {
    let (issuer, login) = (percent(issuer), percent(login));
    format!(
        "otpauth://totp/{issuer}:{login}?secret={key}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}"
    )
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A first code of an app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthenticatorCode {
    /// Six digits.
    #[schema(min_length = 6, max_length = 20)]
    code: String,
}

/// Finish setting up an authenticator app with a first code.
///
/// It takes the place of the app that the account had. With the first factor of an account come recovery
/// codes, and all its other sessions end.
#[utoipa::path(put, path = "/api/data/v1/account/factors/authenticator", tag = "account", request_body = AuthenticatorCode, responses(
    (status = 200, description = "It is a factor now", body = RecoveryCodes),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn confirm_authenticator(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Confirmed(who), Json(form)): Then<Confirmed, Json<AuthenticatorCode>>,
) -> Result<web::Json<RecoveryCodes>, Problem> {
    let (session, person) = (who.session()?, who.principal.person_id);
    let wrong = || Problem::invalid("/code", "is not the code that the app shows now");
    let code = digits_of(&form.code).ok_or_else(wrong)?;
    let sealed =
        context.database.read(move |connection| totp::find_enrolment(connection, person, session)).await?;
    let secret = TotpSecret::open(&context.master_keys, person, &sealed).map_err(Problem::internal)?;
    let step = secret.step_of(&code, Utc::now()).ok_or_else(wrong)?;
    let (recovery_codes, digests) = draw_recovery_codes(person)?;
    let scene = scene(&request, &context, who.origin);
    let added = context
        .database
        .transaction(move |connection| {
            totp::confirm(connection, &scene, (person, session), (&sealed, step), &digests)
        })
        .await?;
    context.sessions.forget(person);
    let recovery_codes = if added.takes_recovery_codes { recovery_codes } else { Vec::new() };
    Ok(web::Json(RecoveryCodes { recovery_codes }))
}

/// Remove the authenticator app.
#[utoipa::path(delete, path = "/api/data/v1/account/factors/authenticator", tag = "account", responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_authenticator(
    request: HttpRequest,
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<HttpResponse, Problem> {
    let person = who.principal.person_id;
    let scene = scene(&request, &context, who.origin);
    context.database.transaction(move |connection| totp::remove(connection, &scene, person)).await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.step_of(code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn one_step_before_and_after_are_right_and_no_more() {
        let secret = TotpSecret(b"12345678901234567890".to_vec());
        let step = 1_111_111_109 / 30;
        for (away, found) in [(-2, None), (-1, Some(step)), (0, Some(step)), (1, Some(step)), (2, None)] {
            assert_eq!(secret.step_of("081804", at((step + away) * 30)), found, "{away}");
        }
        for wrong in ["081805", "", "81804", "0081804", "x81804", "０８１８０４"] {
            assert_eq!(secret.step_of(wrong, at(1_111_111_109)), None, "{wrong}");
        }
    }

    #[test]
    fn typed_codes_may_have_spaces() {
        assert_eq!(digits_of(" 081 804\n").as_deref(), Some("081804"));
        for none in ["", "08180", "0818044", "08180x", "０８１８０４"] {
            assert_eq!(digits_of(none), None, "{none}");
        }
    }

    #[test]
    fn secrets_are_sealed_for_their_person_and_addresses_are_escaped() {
        let keys = MasterKeys::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let person = PersonId::new();
        let secret = TotpSecret::draw().unwrap();
        let sealed = secret.seal(&keys, person).unwrap();
        assert_eq!(TotpSecret::open(&keys, person, &sealed).unwrap().0, secret.0);
        assert!(TotpSecret::open(&keys, PersonId::new(), &sealed).is_err());
        let again = reseal(&keys, person, &sealed).unwrap();
        assert_ne!(again.text, sealed.text);
        assert_eq!(TotpSecret::open(&keys, person, &again).unwrap().0, secret.0);
        assert_eq!(
            key_uri("Kinora (k.example)", "ada+1@x.example", "AAAA"),
            "otpauth://totp/Kinora%20%28k.example%29:ada%2B1%40x.example?secret=AAAA&issuer=Kinora%20%28k.example%29\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
