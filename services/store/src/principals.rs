//! Who is calling: the person behind a session or an access token, with all their roles.
//!
//! A [`Principal`] is what finders take as the caller's scope. It is loaded with few short queries
//! and may be kept by the application for at most a second.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Uuid as SqlUuid};
use kinora_core::permission::{Decision, Module, ModuleRole, OrganisationRole, ProductionRoles, TokenScope};
use kinora_core::{OrganisationId, PersonId, ProductionId, SessionId, SupportGrantId, TokenId};
use uuid::Uuid;

use crate::schema::{
    access_tokens, installation, organisation_members, organisations, passkeys, people, production_members,
    productions, saml_connections, saml_identities, sessions, support_grants, totp_factors,
};
use crate::second_factors::{Methods, email_codes};
use crate::support::access::{self, Opened};
use crate::tokens::{self, ScopeColumns};
use crate::{Result, StoreError};

/// What a caller proved who they are with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A session: the cookie of a browser.
    Session(SessionId),
    /// An API access token.
    Token(TokenId),
}

/// A role in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationMembership {
    /// The organisation.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The role in it.
    pub role: OrganisationRole,
    /// Whether it is the one that runs this installation.
    pub runs_installation: bool,
}

/// Roles in a production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductionMembership {
    /// The organisation that owns the production.
    pub organisation_id: OrganisationId,
    /// The roles, at least one.
    pub roles: ProductionRoles,
    /// When the membership ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// They are no member: support access gives these roles. Whatever they do with them is to be on record before it
    /// is answered.
    pub support: Option<UnderSupport>,
}

/// That roles come from support access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderSupport {
    /// The grant.
    pub grant: SupportGrantId,
    /// Whether originals may be downloaded.
    pub originals: bool,
}

/// Support access to an organisation that holds.
#[derive(Clone, Debug)]
pub struct SupportAccess {
    /// The grant.
    pub grant: SupportGrantId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation: String,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What is missing for it to give anything.
    pub lack: Option<SupportLack>,
}

/// What somebody lacks to use support access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportLack {
    /// A second factor.
    SecondFactor,
    /// A session that began with their own password or passkey: the organisation knows nothing of the identity provider
    /// of another one.
    OwnSignIn,
}

/// A person who is calling.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The person.
    pub person_id: PersonId,
    /// The login, for the audit trail.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// Nothing but choosing a new password is allowed.
    pub password_change_required: bool,
    /// What they proved it with.
    pub proof: Proof,
    /// Until when it holds as it is: until the session or token ends, or the first membership does.
    pub expires_at: DateTime<Utc>,
    /// The second factors they have.
    pub methods: Methods,
    /// When they last proved themselves again in this session.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Their organisations, by name.
    pub organisations: Vec<OrganisationMembership>,
    /// Their productions that are not removed, and those that support access opens.
    pub productions: HashMap<ProductionId, ProductionMembership>,
    /// Support access that they have. Never with an access token.
    pub support: Vec<SupportAccess>,
    /// They came with an access token that may do less than they may, or are a service account, which does not look
    /// after itself: the roles here are what is left.
    pub is_limited: bool,
    /// Whether the session began at an organisation's identity provider.
    pub is_single_sign_on: bool,
    /// What they would have as well if they proved themselves as the organisations ask for it. Until
    /// then it is in none of the fields above, so that whoever does not know of this gives nothing away.
    pub withheld: Withheld,
}

/// What is kept from somebody, by what they lack.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    /// Until they have a second factor.
    pub second_factor: Places,
    /// Until they sign in through one of the organisation's connections.
    pub single_sign_on: Places,
    /// Until they sign in with their own password or passkey: what support access would open, and what asks for a second
    /// factor that they have and have not shown, because another organisation's provider let them in.
    pub own_sign_in: Places,
}

/// Organisations and productions.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Organisations, by name.
    pub organisations: Vec<OrganisationMembership>,
    /// Productions.
    pub productions: HashMap<ProductionId, ProductionMembership>,
}

impl Places {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.organisations.is_empty() && self.productions.is_empty()
    }
}

impl Withheld {
    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.second_factor.is_empty() && self.single_sign_on.is_empty() && self.own_sign_in.is_empty()
    }
}

impl Principal {
    /// Adds what support access opens, or would. What they are in by themselves stays as it is, and they are not looked at as
    /// somebody who helps out there.
    fn open(&mut self, opened: Opened, lack: Lack) {
        self.expires_at = self.expires_at.min(opened.ends_at);
        self.support.push(SupportAccess {
            grant: opened.id,
            organisation_id: opened.organisation_id,
            organisation: opened.organisation,
            ends_at: opened.ends_at,
            lack: match lack {
                Lack::SecondFactor => Some(SupportLack::SecondFactor),
                Lack::OwnSignIn => Some(SupportLack::OwnSignIn),
                Lack::Nothing | Lack::SingleSignOn => None,
            },
        });
        for (id, roles) in opened.productions {
            let Withheld { second_factor, single_sign_on, own_sign_in } = &self.withheld;
            let own = [&self.productions, &second_factor.productions, &single_sign_on.productions];
            if own.iter().any(|productions| productions.contains_key(&id))
                || own_sign_in.productions.contains_key(&id)
            {
                continue;
            }
            let membership = ProductionMembership {
                organisation_id: opened.organisation_id,
                roles,
                ends_at: Some(opened.ends_at),
                support: Some(UnderSupport { grant: opened.id, originals: opened.originals }),
            };
            let productions = match self.withheld.of(lack) {
                Some(places) => &mut places.productions,
                None => &mut self.productions,
            };
            productions.insert(id, membership);
        }
    }

    fn add(&mut self, places: Places) {
        self.organisations.extend(places.organisations);
        self.productions.extend(places.productions);
    }

    /// The same person as if they had a second factor: to tell them what they need one for.
    #[must_use]
    pub fn with_second_factor(&self) -> Self {
        let mut whole = self.clone();
        let places = std::mem::take(&mut whole.withheld.second_factor);
        whole.add(places);
        whole
    }

    /// The same person as if they had signed in with their own password or passkey.
    #[must_use]
    pub fn with_own_sign_in(&self) -> Self {
        let mut whole = self.clone();
        let places = std::mem::take(&mut whole.withheld.own_sign_in);
        whole.add(places);
        whole
    }

    /// The same person as if nothing were withheld.
    #[must_use]
    pub fn with_everything(&self) -> Self {
        let mut whole = self.with_second_factor().with_own_sign_in();
        let places = std::mem::take(&mut whole.withheld.single_sign_on);
        whole.add(places);
        whole
    }

    /// The role in an organisation.
    #[must_use]
    pub fn organisation_role(&self, id: OrganisationId) -> Option<OrganisationRole> {
        self.organisations.iter().find(|membership| membership.id == id).map(|membership| membership.role)
    }

    /// The roles in a production; none in any module if they are no member of it.
    #[must_use]
    pub fn production_roles(&self, id: ProductionId) -> ProductionRoles {
        self.productions.get(&id).map(|membership| membership.roles).unwrap_or_default()
    }

    /// Whether they administer the organisation that runs this installation.
    #[must_use]
    pub fn administers_installation(&self) -> bool {
        let runs = |membership: &OrganisationMembership| {
            membership.runs_installation && membership.role.administers()
        };
        self.organisations.iter().any(runs)
    }

    /// Whether they are a member of a production without belonging to the organisation that owns it.
    #[must_use]
    pub fn is_guest(&self, id: ProductionId) -> bool {
        self.productions.get(&id).is_some_and(|membership| {
            membership.support.is_none() && self.organisation_role(membership.organisation_id).is_none()
        })
    }

    /// The support access that gives them their roles in a production, if it is that.
    #[must_use]
    pub fn under_support(&self, id: ProductionId) -> Option<UnderSupport> {
        self.productions.get(&id).and_then(|membership| membership.support)
    }

    /// How to answer a request that needs at least `least` in `module` of a production.
    #[must_use]
    pub fn decide(&self, id: ProductionId, module: Module, least: ModuleRole) -> Decision {
        self.production_roles(id).decide(module, least)
    }

    /// The same as an error for finders.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without any role in the module, [`StoreError::Forbidden`] with one
    /// that is not enough.
    pub fn require(&self, id: ProductionId, module: Module, least: ModuleRole) -> Result<()> {
        match self.decide(id, module, least) {
            Decision::Allowed => Ok(()),
            Decision::Forbidden => Err(StoreError::Forbidden),
            Decision::Invisible => Err(StoreError::NotFound),
        }
    }

    /// The productions in which they have at least `least` in `module`, for lists and searches.
    #[must_use]
    pub fn productions_with(&self, module: Module, least: ModuleRole) -> Vec<Uuid> {
        let allowed =
            |membership: &ProductionMembership| membership.roles.decide(module, least) == Decision::Allowed;
        self.productions.iter().filter(|(_, membership)| allowed(membership)).map(|(id, _)| id.0).collect()
    }
}

/// How long use is not written down again after it was.
const USE_RESOLUTION: TimeDelta = TimeDelta::seconds(60);

/// Id, person, last seen, idle end, end, confirmed, by a code sent by mail; through a connection of which organisation, and
/// whether it began through any.
type SessionRow = (
    Uuid,
    Uuid,
    DateTime<Utc>,
    DateTime<Utc>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    bool,
    (Option<Uuid>, bool),
);

/// The organisation whose connection a session began through. One that is switched off proves nothing.
const THROUGH: &str = "(SELECT c.organisation_id FROM saml_sessions x JOIN saml_connections c \
     ON c.id = x.connection_id AND c.enabled WHERE x.session_id = sessions.id)";
/// Whether a session began through a connection.
const IS_THROUGH: &str = "EXISTS (SELECT FROM saml_sessions x WHERE x.session_id = sessions.id)";
/// Login, name, whether another password must be chosen; authenticator app, passkey, codes by mail that count; whether
/// somebody gave them support access.
type PersonRow = (String, String, bool, (bool, bool, bool), bool);
/// Id, person, last used, end, scope.
type TokenRow = (Uuid, Uuid, Option<DateTime<Utc>>, DateTime<Utc>, ScopeColumns);
/// Whether a token is a program's and not a person's.
const IS_OF_SERVICE_ACCOUNT: &str =
    "EXISTS (SELECT FROM service_accounts sa WHERE sa.person_id = access_tokens.person_id)";

/// The person behind a session, if it holds. Notes that it is in use, at most once a minute.
///
/// # Errors
/// If the database fails.
pub fn by_session(
    conn: &mut PgConnection,
    token_digest: &[u8],
    idle_limit: TimeDelta,
) -> Result<Option<Principal>> {
    let now = Utc::now();
    let found: Option<SessionRow> = sessions::table
        .filter(sessions::token_digest.eq(token_digest))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::idle_expires_at.gt(now))
        .select((
            sessions::id,
            sessions::person_id,
            sessions::last_seen_at,
            sessions::idle_expires_at,
            sessions::expires_at,
            sessions::confirmed_at,
            sessions::by_email_code,
            (sql::<Nullable<SqlUuid>>(THROUGH), sql::<Bool>(IS_THROUGH)),
        ))
        .first(conn)
        .optional()?;
    let Some(row) = found else { return Ok(None) };
    let (id, person_id, last_seen_at, mut idle_expires_at, expires_at, confirmed_at, by_email_code, provider) =
        row;
    let (through, is_through) = provider;
    let vouched_by = Vec::from_iter(through);
    if now - last_seen_at >= USE_RESOLUTION {
        idle_expires_at = (now + idle_limit).min(expires_at);
        diesel::update(sessions::table.find(id).filter(sessions::last_seen_at.eq(last_seen_at)))
            .set((sessions::last_seen_at.eq(now), sessions::idle_expires_at.eq(idle_expires_at)))
            .execute(conn)?;
    }
    let proof = Proof::Session(SessionId(id));
    let shown = Shown { proof, vouched_by, is_through, by_email_code, is_program: false };
    let found = load(conn, person_id, &shown, expires_at.min(idle_expires_at))?;
    Ok(found.map(|principal| Principal {
        confirmed_at,
        is_single_sign_on: is_through,
        // Whoever came through a provider has not used the password that is to be changed.
        password_change_required: principal.password_change_required && !is_through,
        ..principal
    }))
}

/// The person in whose session something goes on that was begun with it, if it holds: its token may be another one by now.
///
/// # Errors
/// If the database fails.
pub fn of_session(
    conn: &mut PgConnection,
    session: SessionId,
    idle_limit: TimeDelta,
) -> Result<Option<Principal>> {
    let digest: Option<Vec<u8>> =
        sessions::table.find(session.0).select(sessions::token_digest).first(conn).optional()?;
    digest.map_or(Ok(None), |digest| by_session(conn, &digest, idle_limit))
}

/// The person behind an API access token, if it holds. Notes that it is in use, at most once a minute.
///
/// # Errors
/// If the database fails.
pub fn by_token(conn: &mut PgConnection, token_digest: &[u8]) -> Result<Option<Principal>> {
    let now = Utc::now();
    let found: Option<(TokenRow, bool)> = access_tokens::table
        .filter(access_tokens::token_digest.eq(token_digest))
        .filter(access_tokens::revoked_at.is_null())
        .filter(access_tokens::expires_at.gt(now))
        .select((
            (
                access_tokens::id,
                access_tokens::person_id,
                access_tokens::last_used_at,
                access_tokens::expires_at,
                (access_tokens::most_role, access_tokens::modules, access_tokens::productions),
            ),
            sql::<Bool>(IS_OF_SERVICE_ACCOUNT),
        ))
        .first(conn)
        .optional()?;
    let Some(((id, person_id, last_used_at, expires_at, scope), is_service_account)) = found else {
        return Ok(None);
    };
    if last_used_at.is_none_or(|last| now - last >= USE_RESOLUTION) {
        diesel::update(access_tokens::table.find(id))
            .set(access_tokens::last_used_at.eq(now))
            .execute(conn)?;
    }
    let scope = tokens::read_scope(scope)?;
    let shown = Shown {
        proof: Proof::Token(TokenId(id)),
        vouched_by: organisations_with_identity(conn, person_id)?,
        is_through: false,
        by_email_code: false,
        is_program: is_service_account,
    };
    let principal = load(conn, person_id, &shown, expires_at)?;
    Ok(match scope {
        Some(scope) => principal.map(|principal| limited(principal, &scope)),
        // A program has no account to look after: its administrators do.
        None => principal.map(|principal| Principal { is_limited: is_service_account, ..principal }),
    })
}

/// The organisations whose providers know a person. A connection that is switched off knows nobody.
fn organisations_with_identity(conn: &mut PgConnection, person_id: Uuid) -> Result<Vec<Uuid>> {
    Ok(saml_identities::table
        .inner_join(saml_connections::table)
        .filter(saml_identities::person_id.eq(person_id))
        .filter(saml_connections::enabled)
        .select(saml_connections::organisation_id)
        .distinct()
        .load(conn)?)
}

/// What a token with this scope leaves of somebody: roles in productions, and to be a plain member of the
/// organisations that own those.
fn limited(mut principal: Principal, scope: &TokenScope) -> Principal {
    let Withheld { second_factor, single_sign_on, own_sign_in } = &mut principal.withheld;
    for (organisations, productions) in [
        (&mut principal.organisations, &mut principal.productions),
        (&mut second_factor.organisations, &mut second_factor.productions),
        (&mut single_sign_on.organisations, &mut single_sign_on.productions),
        (&mut own_sign_in.organisations, &mut own_sign_in.productions),
    ] {
        productions.retain(|id, membership| {
            membership.roles = scope.limit(*id, membership.roles);
            !membership.roles.is_empty()
        });
        organisations.retain(|organisation| {
            productions.values().any(|membership| membership.organisation_id == organisation.id)
        });
        for organisation in organisations {
            organisation.role = OrganisationRole::Member;
        }
    }
    Principal { is_limited: true, ..principal }
}

/// What somebody came with.
struct Shown {
    proof: Proof,
    /// The organisations whose own provider answers for the person: of a session the one through whose connection it
    /// began, of a token those whose connections know whose it is.
    vouched_by: Vec<Uuid>,
    /// Whether the session began through any connection, also one that is switched off now.
    is_through: bool,
    /// Whether it began with a code that was sent by mail: better factors were not shown then.
    by_email_code: bool,
    /// Whether it is a service account's token: a program has no factors.
    is_program: bool,
}

/// What an organisation asks of those who have roles in it.
#[derive(Clone, Copy)]
struct Demand {
    organisation: Uuid,
    second_factor: bool,
    single_sign_on: bool,
}

/// What somebody lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack {
    Nothing,
    SecondFactor,
    SingleSignOn,
    OwnSignIn,
}

impl Demand {
    /// What somebody lacks who has these factors; `is_exempt` says whether they may come without a provider if they
    /// have one, and none that they are a guest, of whom no provider knows.
    fn lack(self, shown: &Shown, methods: Methods, is_exempt: Option<bool>) -> Lack {
        // Whom the organisation's own provider vouches for has all that the organisation asks for.
        if shown.is_program || shown.vouched_by.contains(&self.organisation) {
            return Lack::Nothing;
        }
        // What somebody has they did not show to a provider: whoever runs that one could open with it what is others'.
        let has_strong = methods.any() && !shown.by_email_code && !shown.is_through;
        let has_code = methods.email_code && !shown.is_through;
        // A token cannot come through a provider. A factor it cannot show either, but whose it is can have one: without, it
        // would go on opening what is closed to them.
        let comes_in_person = matches!(shown.proof, Proof::Session(_));
        if self.single_sign_on
            && comes_in_person
            && is_exempt.is_some_and(|is_exempt| !(is_exempt && has_strong))
        {
            return Lack::SingleSignOn;
        }
        if !self.second_factor || has_strong || has_code {
            Lack::Nothing
        } else if shown.is_through && (methods.any() || methods.email_code) {
            Lack::OwnSignIn
        } else {
            Lack::SecondFactor
        }
    }
}

impl Withheld {
    fn of(&mut self, lack: Lack) -> Option<&mut Places> {
        match lack {
            Lack::Nothing => None,
            Lack::SecondFactor => Some(&mut self.second_factor),
            Lack::SingleSignOn => Some(&mut self.single_sign_on),
            Lack::OwnSignIn => Some(&mut self.own_sign_in),
        }
    }
}

fn load(
    conn: &mut PgConnection,
    person_id: Uuid,
    shown: &Shown,
    expires_at: DateTime<Utc>,
) -> Result<Option<Principal>> {
    // Before the queries: a membership that ends between them is not believed afterwards.
    let now = Utc::now();
    let is_supporter = support_grants::table
        .filter(support_grants::supporter_id.eq(people::id.nullable()))
        .filter(support_grants::ended_at.is_null())
        .filter(support_grants::ends_at.gt(now));
    let person: Option<PersonRow> = people::table
        .find(person_id)
        .filter(people::disabled_at.is_null())
        .select((
            people::login,
            people::display_name,
            people::password_change_required,
            (
                exists(totp_factors::table.filter(totp_factors::person_id.eq(people::id))),
                exists(passkeys::table.filter(passkeys::person_id.eq(people::id))),
                sql::<Bool>(email_codes::IS_USABLE),
            ),
            exists(is_supporter),
        ))
        .first(conn)
        .optional()?;
    let Some((login, display_name, password_change_required, factors, is_supporter)) = person else {
        return Ok(None);
    };
    let methods = Methods { authenticator: factors.0, passkey: factors.1, email_code: factors.2 };
    let (mut organisations, mut withheld) = (Vec::new(), Withheld::default());
    let mut exemptions = HashMap::new();
    for (membership, demand, is_exempt) in organisations_of(conn, person_id)? {
        exemptions.insert(demand.organisation, is_exempt);
        match withheld.of(demand.lack(shown, methods, Some(is_exempt))) {
            Some(places) => places.organisations.push(membership),
            None => organisations.push(membership),
        }
    }
    let mut productions = HashMap::new();
    let mut first_end: Option<DateTime<Utc>> = None;
    for (id, membership, demand) in productions_of(conn, person_id, now)? {
        first_end = [first_end, membership.ends_at].into_iter().flatten().min();
        let is_exempt = exemptions.get(&demand.organisation).copied();
        match withheld.of(demand.lack(shown, methods, is_exempt)) {
            Some(places) => drop(places.productions.insert(id, membership)),
            None => drop(productions.insert(id, membership)),
        }
    }
    let mut principal = Principal {
        person_id: PersonId(person_id),
        login,
        display_name,
        password_change_required,
        proof: shown.proof,
        expires_at: first_end.map_or(expires_at, |end| end.min(expires_at)),
        methods,
        confirmed_at: None,
        organisations,
        productions,
        support: Vec::new(),
        is_limited: false,
        is_single_sign_on: false,
        withheld,
    };
    // An access token does what members do; who helps out comes in person.
    if is_supporter && matches!(shown.proof, Proof::Session(_)) {
        let lack = support_lack(shown, methods);
        for opened in access::opened(conn, person_id, |id| exemptions.contains_key(&id), now)? {
            principal.open(opened, lack);
        }
    }
    Ok(Some(principal))
}

/// What somebody lacks to use support access at all, whatever the organisation asks of its own people.
fn support_lack(shown: &Shown, methods: Methods) -> Lack {
    // A code by mail is the weakest factor there is: it opens nothing that belongs to others.
    if !(methods.authenticator || methods.passkey) || shown.by_email_code {
        Lack::SecondFactor
    } else if shown.is_through {
        Lack::OwnSignIn
    } else {
        Lack::Nothing
    }
}

/// Organisations by name, with what each asks for and whether the person may come without a provider.
fn organisations_of(
    conn: &mut PgConnection,
    person_id: Uuid,
) -> Result<Vec<(OrganisationMembership, Demand, bool)>> {
    let runs_installation = diesel::dsl::exists(
        installation::table.filter(installation::organisation_id.eq(organisations::id.nullable())),
    );
    let rows: Vec<(Uuid, String, String, bool, bool, bool, bool)> = organisation_members::table
        .inner_join(organisations::table)
        .filter(organisation_members::person_id.eq(person_id))
        .order((organisations::name, organisations::id))
        .select((
            organisations::id,
            organisations::name,
            organisation_members::role,
            organisation_members::break_glass,
            organisations::second_factor_required,
            organisations::sso_required,
            runs_installation,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(organisation, name, role, break_glass, second_factor, single_sign_on, runs_installation)| {
            let role = organisation_role(&role)?;
            let is_exempt = break_glass && role == OrganisationRole::Owner;
            let id = OrganisationId(organisation);
            let membership = OrganisationMembership { id, name, role, runs_installation };
            Ok((membership, Demand { organisation, second_factor, single_sign_on }, is_exempt))
        })
        .collect()
}

/// The four role columns of a production membership.
pub(crate) type RoleColumns = (Option<String>, Option<String>, Option<String>, Option<String>);

/// Production, organisation, end, roles, whether a second factor and whether single sign-on is asked for.
type ProductionRow = (Uuid, Uuid, Option<DateTime<Utc>>, RoleColumns, bool, bool);

/// Productions with the roles, and what their organisation asks for.
fn productions_of(
    conn: &mut PgConnection,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<(ProductionId, ProductionMembership, Demand)>> {
    let rows: Vec<ProductionRow> = production_members::table
        .inner_join(productions::table.inner_join(organisations::table))
        .filter(production_members::person_id.eq(person_id))
        .filter(production_members::ends_at.is_null().or(production_members::ends_at.gt(now)))
        .filter(productions::removed_at.is_null())
        .select((
            productions::id,
            productions::organisation_id,
            production_members::ends_at,
            (
                production_members::office_role,
                production_members::library_role,
                production_members::subtitling_role,
                production_members::budget_role,
            ),
            organisations::second_factor_required,
            organisations::sso_required,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, organisation, ends_at, roles, second_factor, single_sign_on)| {
            let membership = ProductionMembership {
                organisation_id: OrganisationId(organisation),
                roles: production_roles(&roles)?,
                ends_at,
                support: None,
            };
            Ok((ProductionId(id), membership, Demand { organisation, second_factor, single_sign_on }))
        })
        .collect()
}

/// The role of that stored name.
pub(crate) fn organisation_role(name: &str) -> Result<OrganisationRole> {
    OrganisationRole::from_name(name)
        .ok_or_else(|| StoreError::NotUnderstood(format!("organisation role {name:?}")))
}

/// The roles of those stored names.
pub(crate) fn production_roles(columns: &RoleColumns) -> Result<ProductionRoles> {
    let role = |name: &Option<String>| match name {
        None => Ok(None),
        Some(name) => ModuleRole::from_name(name)
            .map(Some)
            .ok_or_else(|| StoreError::NotUnderstood(format!("module role {name:?}"))),
    };
    Ok(ProductionRoles {
        office: role(&columns.0)?,
        library: role(&columns.1)?,
        subtitling: role(&columns.2)?,
        budget: role(&columns.3)?,
    })
}

/// The role columns of those roles.
pub(crate) fn role_columns(roles: &ProductionRoles) -> RoleColumns {
    let name = |role: Option<ModuleRole>| role.map(|role| role.name().to_owned());
    (name(roles.office), name(roles.library), name(roles.subtitling), name(roles.budget))
}
