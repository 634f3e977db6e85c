//! Passkeys: what browsers are asked, and what they answer. The bytes are judged in [`crate::webauthn`].
//!
//! A challenge is a row: for one purpose, bound to the cookie of the browser that asked, taken out by the
//! first answer. So any instance may take the answer, and none takes it twice.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kinora_core::{PasskeyId, PersonId};
use kinora_store::second_factors::Shown;
use kinora_store::second_factors::challenges::{self, Purpose, VALIDITY};
use kinora_store::second_factors::passkeys::{self, Descriptor, NewPasskey, Verifier};
use openssl::rand::rand_bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Passkey, draw_recovery_codes};
use crate::accounts::entrance::scene;
use crate::accounts::fields;
use crate::context::Context;
use crate::error::{Problem, ProblemDocument, ProblemKind};
use crate::extract::{Confirmed, Json, PathId, SignedIn, Then};
use crate::secrets::{Digest, digest};
use crate::webauthn::{ALGORITHMS, CHALLENGE_BYTES, RelyingParty, Signed, UserVerification};

/// The ways to reach an authenticator that browsers know (section 5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Who asks for passkeys here.
///
/// # Errors
/// [`ProblemKind::Conflict`] if the public address is an IP address.
pub(super) fn relying_party(context: &Context) -> Result<RelyingParty, Problem> {
    RelyingParty::at(&context.settings.public_url).ok_or_else(|| {
        Problem::new(
            ProblemKind::Conflict,
            "Passkeys need an installation that is reached by a name, not by an IP address.",
        )
    })
}

/// A passkey as a browser is asked for it. Bytes are base64url without padding here and below.
#[derive(Serialize, ToSchema)]
pub struct PasskeyDescriptor {
    /// The authenticator's id of it.
    id: String,
    /// How it can be reached.
    transports: Vec<String>,
}

impl From<Descriptor> for PasskeyDescriptor {
    fn from(row: Descriptor) -> Self {
        Self { id: URL_SAFE_NO_PAD.encode(row.credential_id), transports: row.transports }
    }
}

/// What `navigator.credentials.create` is called with.
#[derive(Serialize, ToSchema)]
pub struct PasskeyCreation {
    /// To be signed.
    challenge: String,
    /// The installation's name for authenticators.
    rp_id: String,
    /// What authenticators know the person by.
    user_id: String,
    /// The login.
    user_name: String,
    /// How the person is called.
    user_display_name: String,
    /// COSE algorithms, the best first.
    algorithms: Vec<i32>,
    /// Passkeys that are there already.
    exclude: Vec<PasskeyDescriptor>,
    /// How long the challenge holds.
    timeout_seconds: i64,
}

/// What `navigator.credentials.get` is called with.
#[derive(Serialize, ToSchema)]
pub struct PasskeyRequest {
    /// To be signed.
    challenge: String,
    /// The installation's name for authenticators.
    rp_id: String,
    /// Which passkeys may sign; empty: any.
    allow: Vec<PasskeyDescriptor>,
    /// Whether the authenticator must recognise the person.
    user_verification_required: bool,
    /// How long the challenge holds.
    timeout_seconds: i64,
}

/// A passkey's signature.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignature {
    /// The authenticator's id of the passkey.
    #[schema(max_length = 1400)]
    credential_id: String,
    /// `clientDataJSON`.
    #[schema(max_length = 90000)]
    client_data: String,
    /// `authenticatorData`.
    #[schema(max_length = 90000)]
    authenticator_data: String,
    /// `signature`.
    #[schema(max_length = 90000)]
    signature: String,
    /// `userHandle`, if the authenticator gave one.
    #[serde(default)]
    #[schema(max_length = 100)]
    user_handle: Option<String>,
}

/// A new passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyForm {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// `clientDataJSON`.
    #[schema(max_length = 90000)]
    client_data: String,
    /// `attestationObject`.
    #[schema(max_length = 90000)]
    attestation_object: String,
    /// `getTransports()`.
    #[serde(default)]
    #[schema(max_items = 20)]
    transports: Vec<String>,
}

/// A passkey that was added.
#[derive(Serialize, ToSchema)]
pub struct AddedPasskey {
    /// The passkey.
    passkey: Passkey,
    /// Recovery codes, if the account had none; never shown again.
    recovery_codes: Vec<String>,
}

/// What challenges and codes of a session are bound to: the session, whose cookie may be another one by the time of the answer.
///
/// # Errors
/// [`ProblemKind::SessionRequired`] for an access token.
pub(super) fn session_digest(who: &SignedIn) -> Result<Digest, Problem> {
    Ok(digest(&who.session()?.to_string()))
}

fn draw_challenge() -> Result<[u8; CHALLENGE_BYTES], Problem> {
    let mut challenge = [0_u8; CHALLENGE_BYTES];
    rand_bytes(&mut challenge).map_err(Problem::internal)?;
    Ok(challenge)
}

/// Makes a challenge for a signature: by a passkey of `person`, or by any.
pub(super) async fn ask(
    context: &Context,
    purpose: Purpose,
    bound_to: Digest,
    person: Option<PersonId>,
) -> Result<PasskeyRequest, Problem> {
    let (party, challenge) = (relying_party(context)?, draw_challenge()?);
    let allow = context
        .database
        .transaction(move |connection| {
            challenges::store(connection, purpose, &bound_to, &challenge)?;
            person.map_or(Ok(Vec::new()), |person| passkeys::descriptors(connection, person))
        })
        .await?;
    Ok(PasskeyRequest {
        challenge: URL_SAFE_NO_PAD.encode(challenge),
        rp_id: party.id().to_owned(),
        allow: allow.into_iter().map(Into::into).collect(),
        user_verification_required: person.is_none(),
        timeout_seconds: VALIDITY.num_seconds(),
    })
}

/// Whose passkey signed.
pub(super) struct Verified {
    pub(super) person: PersonId,
    pub(super) login: String,
    /// To be accepted.
    pub(super) shown: Shown,
    /// Whether the browser named the person as the authenticator knows them.
    pub(super) is_named: bool,
}

/// Verifies a signature; none if it is wrong in any way. Its challenge can not be answered again.
pub(super) async fn verify(
    context: &Context,
    signature: &PasskeySignature,
    purpose: Purpose,
    bound_to: Digest,
    user_verification: UserVerification,
) -> Result<Option<Verified>, Problem> {
    let party = relying_party(context)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let parts = (
        decode(&signature.credential_id),
        decode(&signature.client_data),
        decode(&signature.authenticator_data),
        decode(&signature.signature),
    );
    let (Some(credential_id), Some(client_data), Some(authenticator_data), Some(signed)) = parts else {
        return Ok(None);
    };
    let Ok(challenge) = party.challenge_of_signature(&client_data) else { return Ok(None) };
    let verifier: Option<Verifier> = context
        .database
        .transaction(move |connection| {
            let is_ours = challenges::take(connection, purpose, &bound_to, &challenge)?;
            if is_ours { passkeys::find_verifier(connection, &credential_id) } else { Ok(None) }
        })
        .await?;
    let Some(verifier) = verifier else { return Ok(None) };
    let signed =
        Signed { client_data: &client_data, authenticator_data: &authenticator_data, signature: &signed };
    let key = (verifier.algorithm, verifier.public_key.as_slice());
    metrics::counter!("kinora_factor_evaluations_total", "kind" => "passkey").increment(1);
    let sign_count = match party.verify(key, signed, user_verification) {
        Ok(sign_count) => sign_count,
        Err(refusal) => {
            log::info!(person_id:% = verifier.person, refusal:%; "a passkey's signature was refused");
            return Ok(None);
        }
    };
    let handle = signature.user_handle.as_deref().and_then(decode);
    let is_named = handle.as_deref() == Some(verifier.person.as_bytes().as_slice());
    if handle.is_some() && !is_named {
        return Ok(None);
    }
    Ok(Some(Verified {
        person: PersonId(verifier.person),
        login: verifier.login,
        shown: Shown::Passkey { id: verifier.id, sign_count: i64::from(sign_count) },
        is_named,
    }))
}

/// Ask for a new passkey.
#[utoipa::path(post, path = "/api/data/v1/account/passkeys/challenge", tag = "account", responses(
    (status = 200, description = "To be given to the browser", body = PasskeyCreation),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn begin_passkey(
    context: web::Data<Context>,
    Confirmed(who): Confirmed,
) -> Result<web::Json<PasskeyCreation>, Problem> {
    let (person, bound_to) = (who.principal.person_id, session_digest(&who)?);
    let (party, challenge) = (relying_party(&context)?, draw_challenge()?);
    let exclude = context
        .database
        .transaction(move |connection| {
            challenges::store(connection, Purpose::Enrol, &bound_to, &challenge)?;
            passkeys::descriptors(connection, person)
        })
        .await?;
    Ok(web::Json(PasskeyCreation {
        challenge: URL_SAFE_NO_PAD.encode(challenge),
        rp_id: party.id().to_owned(),
        user_id: URL_SAFE_NO_PAD.encode(person.0.as_bytes()),
        user_name: who.principal.login.clone(),
        user_display_name: who.principal.display_name.clone(),
        algorithms: ALGORITHMS.to_vec(),
        exclude: exclude.into_iter().map(Into::into).collect(),
        timeout_seconds: VALIDITY.num_seconds(),
    }))
}

/// Add a passkey.
///
/// With the first factor of an account come recovery codes, and all its other sessions end.
#[utoipa::path(post, path = "/api/data/v1/account/passkeys", tag = "account", request_body = PasskeyForm, responses(
    (status = 201, description = "Added", body = AddedPasskey),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn add_passkey(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Confirmed(who), Json(form)): Then<Confirmed, Json<PasskeyForm>>,
) -> Result<HttpResponse, Problem> {
    let (session, person, bound_to) = (who.session()?, who.principal.person_id, session_digest(&who)?);
    let party = relying_party(&context)?;
    let name = fields::name("/name", &form.name, 100)?;
    let bytes = |pointer: &str, text: &str| {
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| Problem::invalid(pointer, "must be base64url without padding"))
    };
    let client_data = bytes("/client_data", &form.client_data)?;
    let attestation_object = bytes("/attestation_object", &form.attestation_object)?;
    let refused = |pointer: &'static str| {
        move |refusal: crate::webauthn::Refusal| {
            Problem::invalid(pointer, "is not what was asked for; try again").with_cause(refusal)
        }
    };
    let challenge = party.challenge_of_registration(&client_data).map_err(refused("/client_data"))?;
    let is_ours = context
        .database
        .transaction(move |connection| challenges::take(connection, Purpose::Enrol, &bound_to, &challenge))
        .await?;
    if !is_ours {
        return Err(Problem::invalid("/client_data", "took too long, or was sent already; try again"));
    }
    let registered = party.register(&attestation_object).map_err(refused("/attestation_object"))?;
    let known = |transport: &String| TRANSPORTS.contains(&transport.as_str());
    let mut transports: Vec<String> = form.transports.into_iter().filter(known).collect();
    transports.sort_unstable();
    transports.dedup();
    let new = NewPasskey {
        name,
        credential_id: registered.credential_id,
        algorithm: registered.algorithm,
        public_key: registered.public_key,
        sign_count: i64::from(registered.sign_count),
        transports,
        is_synced: registered.is_synced,
    };
    let (recovery_codes, digests) = draw_recovery_codes(person)?;
    let scene = scene(&request, &context, who.origin);
    let (passkey, added) = context
        .database
        .transaction(move |connection| passkeys::add(connection, &scene, (person, session), &new, &digests))
        .await?;
    context.sessions.forget(person);
    let recovery_codes = if added.takes_recovery_codes { recovery_codes } else { Vec::new() };
    Ok(HttpResponse::Created().json(AddedPasskey { passkey: passkey.into(), recovery_codes }))
}

/// Remove a passkey.
#[utoipa::path(delete, path = "/api/data/v1/account/passkeys/{passkey_id}", tag = "account", params(("passkey_id" = PasskeyId, Path)), responses(
    (status = 204, description = "Removed"),
    (status = "default", description = "Problem", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn remove_passkey(
    request: HttpRequest,
    context: web::Data<Context>,
    Then(Confirmed(who), PathId(id)): Then<Confirmed, PathId<PasskeyId>>,
) -> Result<HttpResponse, Problem> {
    let person = who.principal.person_id;
    let scene = scene(&request, &context, who.origin);
    context.database.transaction(move |connection| passkeys::remove(connection, &scene, person, id)).await?;
    context.sessions.forget(person);
    Ok(HttpResponse::NoContent().finish())
}
