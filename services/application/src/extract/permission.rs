//! Who may call a handler.
//!
//! | in the signature | who |
//! |---|---|
//! | [`SignedIn`] | everybody with a session or token, also before choosing a first password |
//! | [`Authenticated`] | the same with an own password |
//! | [`OwnAccount`] | the same, and not with an access token that may do less than the person |
//! | [`Confirmed`] | the same in a session that was confirmed within [`CONFIRMATION`] |
//! | [`AsOfNow<SignedIn>`](AsOfNow) | any of these, with the roles they have at this moment |
//! | [`InOrganisation<Member>`](InOrganisation), `<Administrator>`, `<Owner>` | that role in `{organisation_id}`, or more |
//! | [`OfInstallation`] | administrators of the organisation that runs the installation |
//! | [`InProduction<Library, Editor>`](InProduction) | that role in that module of `{production_id}`, or more |
//! | [`OfProduction`] | every member of `{production_id}`, and the administrators of its organisation |
//! | [`Within<AssetId, Library, Reader>`](super::Within) | that role in the production of `{asset_id}` |
//!
//! Without any role the answer is the one for something that does not exist; with too small a role it
//! is "forbidden". What an organisation withholds from people without a second factor is
//! "second-factor-required" exactly where they could do it with one, and else what it is for everybody; in the same
//! way "single-sign-on-required", and "own-sign-in-required" for those whom another organisation's provider let in.
//!
//! Whoever is let at something under support access is put on record here: see [`super::support`].

use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use chrono::{TimeDelta, Utc};
use kinora_core::permission::{Decision, Module, ModuleRole, OrganisationRole, ProductionRoles};
use kinora_core::{OrganisationId, ProductionId, SessionId};
use kinora_store::principals::{Principal, Proof};
use kinora_store::{Origin, productions};

use super::{Extraction, path_id, support};
use crate::context::{Caller, Context, origin};
use crate::error::{Problem, ProblemKind};
use crate::sessions::Credential;

/// The caller, or the answer that they must sign in.
fn caller(request: &HttpRequest) -> Result<Caller, Problem> {
    request.extensions().get::<Caller>().cloned().ok_or_else(|| ProblemKind::SignInRequired.into())
}

pub(super) fn require_own_password(principal: &Principal) -> Result<(), Problem> {
    if principal.password_change_required { Err(ProblemKind::PasswordChangeRequired.into()) } else { Ok(()) }
}

/// How long a confirmation of a session holds: signing in, or showing password or second factor again.
pub const CONFIRMATION: TimeDelta = TimeDelta::minutes(10);

/// Refuses whoever has not confirmed the session a short time ago.
///
/// # Errors
/// [`ProblemKind::SessionRequired`] with an access token, else [`ProblemKind::StepUpRequired`].
pub fn require_confirmed(principal: &Principal) -> Result<(), Problem> {
    if matches!(principal.proof, Proof::Token(_)) {
        return Err(ProblemKind::SessionRequired.into());
    }
    let is_fresh = principal.confirmed_at.is_some_and(|at| Utc::now() - at < CONFIRMATION);
    if is_fresh { Ok(()) } else { Err(ProblemKind::StepUpRequired.into()) }
}

/// Reads the caller again, unless that was done for this request already.
async fn read_again(request: &HttpRequest, caller: &Caller) -> Result<Option<Caller>, Problem> {
    if caller.is_fresh {
        return Ok(None);
    }
    let found = Context::of(request)?.sessions.read(caller.credential).await?;
    let principal = found.ok_or_else(|| Problem::from(ProblemKind::SignInRequired))?;
    let caller = Caller { principal, credential: caller.credential, is_fresh: true };
    request.extensions_mut().insert(caller.clone());
    Ok(Some(caller))
}

/// The caller and what `check` answers for them. A refusal is never taken from what was kept: the
/// caller is read again first.
pub(super) async fn require<T>(
    request: &HttpRequest,
    check: impl Fn(&Principal) -> Result<T, Problem>,
) -> Result<(Caller, T), Problem> {
    let caller = caller(request)?;
    match check(&caller.principal) {
        Ok(granted) => Ok((caller, granted)),
        Err(refusal) => match read_again(request, &caller).await? {
            Some(caller) => match check(&caller.principal) {
                Ok(granted) => Ok((caller, granted)),
                Err(refusal) => Err(refused(&caller.principal, refusal, check)),
            },
            None => Err(refused(&caller.principal, refusal, check)),
        },
    }
}

/// The answer to somebody whom `check` refuses: perhaps it would not, if they had a second factor or had come through
/// the organisation's identity provider.
fn refused<T>(
    principal: &Principal,
    refusal: Problem,
    check: impl Fn(&Principal) -> Result<T, Problem>,
) -> Problem {
    if principal.withheld.is_empty() {
        return refusal;
    }
    if check(&principal.with_second_factor()).is_ok() {
        return ProblemKind::SecondFactorRequired.into();
    }
    if check(&principal.with_own_sign_in()).is_ok() {
        return ProblemKind::OwnSignInRequired.into();
    }
    match check(&principal.with_everything()) {
        Ok(_) => ProblemKind::SingleSignOnRequired.into(),
        Err(refusal) => refusal,
    }
}

/// How a decision is answered.
pub(super) fn decided(decision: Decision) -> Result<(), Problem> {
    match decision {
        Decision::Allowed => Ok(()),
        Decision::Forbidden => Err(ProblemKind::Forbidden.into()),
        Decision::Invisible => Err(Problem::not_found()),
    }
}

/// Somebody who is signed in, perhaps still with a one-time password.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person with all roles.
    pub principal: Arc<Principal>,
    /// What they came with.
    pub credential: Credential,
    /// Where their changes come from.
    pub origin: Origin,
}

impl SignedIn {
    /// The session, if they did not come with an access token.
    ///
    /// # Errors
    /// [`ProblemKind::SessionRequired`].
    pub fn session(&self) -> Result<SessionId, Problem> {
        match self.principal.proof {
            Proof::Session(id) => Ok(id),
            Proof::Token(_) => Err(ProblemKind::SessionRequired.into()),
        }
    }
}

pub(super) fn signed_in(request: &HttpRequest, caller: Caller) -> SignedIn {
    let origin = origin(request, Some(&caller.principal));
    SignedIn { principal: caller.principal, credential: caller.credential, origin }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        std::future::ready(caller(request).map(|caller| signed_in(request, caller)))
    }
}

/// Somebody who is signed in with a password of their own.
#[derive(Clone, Debug)]
pub struct Authenticated(pub SignedIn);

/// Somebody who looks after their own account: its name, sessions, tokens and factors are no business of a token
/// that was made for less.
#[derive(Clone, Debug)]
pub struct OwnAccount(pub SignedIn);

/// Somebody who administers the organisation that runs this installation.
#[derive(Clone, Debug)]
pub struct OfInstallation(pub SignedIn);

/// Somebody in a session that was confirmed a short time ago, for what a stolen session must not be able to do.
#[derive(Clone, Debug)]
pub struct Confirmed(pub SignedIn);

/// Takes whoever is signed in and passes a check.
macro_rules! take_whoever_passes {
    ($($name:ident: $check:expr),+ $(,)?) => {$(
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Extraction<Self>;

            fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move {
                    let (caller, ()) = require(&request, $check).await?;
                    Ok(Self(signed_in(&request, caller)))
                })
            }
        }
    )+};
}

take_whoever_passes! {
    Authenticated: require_own_password,
    OwnAccount: |principal| {
        require_own_password(principal)?;
        if principal.is_limited { Err(ProblemKind::SessionRequired.into()) } else { Ok(()) }
    },
    OfInstallation: |principal| {
        require_own_password(principal)?;
        if principal.administers_installation() { Ok(()) } else { Err(Problem::not_found()) }
    },
    Confirmed: |principal| {
        require_own_password(principal)?;
        require_confirmed(principal)
    },
}

/// Whoever `A` lets in, read for this very request: for lists of what one has, where an answer from what was kept would
/// leave out what was just given.
#[derive(Clone, Debug)]
pub struct AsOfNow<A>(pub A);

impl<A: FromRequest<Error = Problem> + 'static> FromRequest for AsOfNow<A> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            read_again(&request, &caller(&request)?).await?;
            A::from_request(&request, &mut Payload::None).await.map(Self)
        })
    }
}

/// Refuses unless the caller's session was confirmed a short time ago; for handlers that find out only in
/// the middle whether it takes that.
///
/// # Errors
/// [`ProblemKind::StepUpRequired`]; [`ProblemKind::SessionRequired`] for an access token.
pub async fn confirmed(request: &HttpRequest) -> Result<(), Problem> {
    require(request, require_confirmed).await.map(drop)
}

/// A least role in an organisation.
pub trait OrganisationLevel: 'static {
    /// The role.
    const ROLE: OrganisationRole;
}

/// A least role in a module.
pub trait Level: 'static {
    /// The role.
    const ROLE: ModuleRole;
}

/// A module.
pub trait InModule: 'static {
    /// The module.
    const MODULE: Module;
}

macro_rules! levels {
    ($trait:ident, $constant:ident: $type:ident, [$($name:ident),+]) => {$(
        #[doc = concat!("Stands for [`", stringify!($type), "::", stringify!($name), "`] in signatures.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $trait for $name {
            const $constant: $type = $type::$name;
        }
    )+};
}

levels!(OrganisationLevel, ROLE: OrganisationRole, [Member, Administrator, Owner]);
levels!(Level, ROLE: ModuleRole, [Reader, Editor, Manager]);
levels!(InModule, MODULE: Module, [Office, Library, Subtitling, Budget]);

/// Somebody with at least the role `L` in the organisation `{organisation_id}`.
#[derive(Clone, Debug)]
pub struct InOrganisation<L> {
    /// Who.
    pub who: SignedIn,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The role in it.
    pub role: OrganisationRole,
    level: PhantomData<L>,
}

impl<L: OrganisationLevel> FromRequest for InOrganisation<L> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let organisation_id: Result<OrganisationId, Problem> = path_id(&request, "organisation_id");
            let (caller, (organisation_id, role)) = require(&request, |principal| {
                require_own_password(principal)?;
                let id = organisation_id.as_ref().map_err(|_| Problem::not_found())?;
                match principal.organisation_role(*id) {
                    None => Err(Problem::not_found()),
                    Some(role) if role < L::ROLE => Err(ProblemKind::Forbidden.into()),
                    Some(role) => Ok((*id, role)),
                }
            })
            .await?;
            Ok(Self { who: signed_in(&request, caller), organisation_id, role, level: PhantomData })
        })
    }
}

/// Somebody with at least the role `L` in the module `M` of the production `{production_id}`.
#[derive(Clone, Debug)]
pub struct InProduction<M, L> {
    /// Who.
    pub who: SignedIn,
    /// The production.
    pub production_id: ProductionId,
    /// The organisation that owns it.
    pub organisation_id: OrganisationId,
    /// All roles in the production.
    pub roles: ProductionRoles,
    level: PhantomData<(M, L)>,
}

impl<M: InModule, L: Level> FromRequest for InProduction<M, L> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let id: Result<ProductionId, Problem> = path_id(&request, "production_id");
            let (caller, (production_id, membership)) = require(&request, |principal| {
                require_own_password(principal)?;
                let id = *id.as_ref().map_err(|_| Problem::not_found())?;
                let membership = principal.productions.get(&id).ok_or_else(Problem::not_found)?;
                decided(membership.roles.decide(M::MODULE, L::ROLE))?;
                Ok((id, *membership))
            })
            .await?;
            Ok(Self {
                who: support::admit(&request, caller, production_id, None).await?,
                production_id,
                organisation_id: membership.organisation_id,
                roles: membership.roles,
                level: PhantomData,
            })
        })
    }
}

/// A member of the production `{production_id}`, or an administrator of its organisation: whoever may
/// know that it exists. Says nothing about what is in it.
#[derive(Clone, Debug)]
pub struct OfProduction {
    /// Who.
    pub who: SignedIn,
    /// The production.
    pub production_id: ProductionId,
    /// The organisation that owns it.
    pub organisation_id: OrganisationId,
    /// The roles in its modules; perhaps none, for an administrator.
    pub roles: ProductionRoles,
    /// The role in the organisation.
    pub organisation_role: Option<OrganisationRole>,
}

impl OfProduction {
    /// Whether they administer the organisation.
    #[must_use]
    pub fn administers(&self) -> bool {
        self.organisation_role.is_some_and(OrganisationRole::administers)
    }
}

impl FromRequest for OfProduction {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { of_production(&request).await })
    }
}

/// Whoever may see and decide who has which role in the production: administrators of its organisation
/// and managers of a module. Other members see the production, not who else was let into it.
#[derive(Clone, Debug)]
pub struct OfMemberships(pub OfProduction);

impl FromRequest for OfMemberships {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let access = of_production(&request).await?;
            let manages =
                Module::ALL.iter().any(|module| access.roles.role(*module) == Some(ModuleRole::Manager));
            if access.administers() || manages {
                Ok(Self(access))
            } else {
                Err(ProblemKind::Forbidden.into())
            }
        })
    }
}

async fn of_production(request: &HttpRequest) -> Result<OfProduction, Problem> {
    // Read anew, because administrators see productions that are in no list of theirs.
    let (caller, ()) = require(request, require_own_password).await?;
    let caller = read_again(request, &caller).await?.unwrap_or(caller);
    require_own_password(&caller.principal)?;
    let production_id: ProductionId = path_id(request, "production_id")?;
    let organisation_id = match caller.principal.productions.get(&production_id) {
        Some(membership) => membership.organisation_id,
        None => {
            let find = move |connection: &mut _| productions::find_organisation(connection, production_id);
            let owner = Context::of(request)?.database.read(find).await?;
            let (_, id) = require(request, |principal| {
                if let Some(membership) = principal.productions.get(&production_id) {
                    return Ok(membership.organisation_id);
                }
                owner
                    .filter(|id| principal.organisation_role(*id).is_some_and(OrganisationRole::administers))
                    .ok_or_else(Problem::not_found)
            })
            .await?;
            id
        }
    };
    Ok(OfProduction {
        production_id,
        organisation_id,
        roles: caller.principal.production_roles(production_id),
        organisation_role: caller.principal.organisation_role(organisation_id),
        who: support::admit(request, caller, production_id, None).await?,
    })
}
