//! Connections to identity providers.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use kinora_core::{ConnectionId, OrganisationId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::domains;
use super::keys::{self, NewKey};
use crate::audit::{self, Act, Origin};
use crate::schema::{
    organisation_domains, organisations as organisation_rows, saml_attempts, saml_connections,
    saml_identities,
};
use crate::{Result, StoreError, organisations};

/// What connections are called in the audit trail.
pub(crate) const KIND: &str = "saml_connection";
/// Most connections of one organisation.
const MOST: i64 = 20;
/// How often metadata is fetched again.
const REFRESH: TimeDelta = TimeDelta::hours(24);
/// How soon after it could not be fetched.
const REFRESH_AFTER_FAILURE: TimeDelta = TimeDelta::hours(1);

/// A connection as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = saml_connections, check_for_backend(diesel::pg::Pg))]
pub struct SamlConnection {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organisation_id: Uuid,
    /// How its owners call it.
    pub name: String,
    /// Whether people sign in through it. One that is not enabled can be tested.
    pub enabled: bool,
    /// The provider's metadata as it was checked: what a signature covered, if one was asked for.
    pub metadata: Option<String>,
    /// The provider's name in it.
    pub entity_id: Option<String>,
    /// Where the metadata is fetched again from.
    pub metadata_url: Option<String>,
    /// When that went well last.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub fetch_tried_at: Option<DateTime<Utc>>,
    /// What has been wrong since it went well last: a sentence.
    pub fetch_error: Option<String>,
    /// Certificate (DER) that the metadata must be signed with; none: a signature is not asked for.
    pub metadata_signer: Option<Vec<u8>>,
    /// By how much the provider's clock may differ from ours, seconds.
    pub clock_skew_seconds: i32,
    /// Whether sign-ins may begin at the provider.
    pub allow_unsolicited: bool,
    /// Whether the provider is to ask for credentials every time (`ForceAuthn`).
    pub force_sign_in: bool,
    /// Ways of signing in that are asked for (`AuthnContextClassRef`); none: any.
    pub contexts: Vec<String>,
    /// The format of `NameID` that is asked for.
    pub name_id_format: Option<String>,
    /// How requests are sent, "redirect" or "post"; none: as the provider likes best.
    pub request_binding: Option<String>,
    /// Whether signing out ends the session at the other side too.
    pub single_logout: bool,
    /// The attribute that is the stable identity; none: the `NameID` is.
    pub subject_attribute: Option<String>,
    /// The attribute with the e-mail address.
    pub email_attribute: Option<String>,
    /// The attribute with the person's name.
    pub name_attribute: Option<String>,
    /// The attribute with the groups.
    pub groups_attribute: Option<String>,
    /// Whether people in none of the groups become members as well.
    pub admits_everyone: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub revision: i64,
}

impl SamlConnection {
    /// What the audit trail keeps of it.
    fn state(&self) -> Value {
        let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        json!({
            "name": self.name,
            "enabled": self.enabled,
            "entity_id": self.entity_id,
            "metadata_sha256": self.metadata.as_ref().map(|text| digest(text.as_bytes())),
            "metadata_url": self.metadata_url,
            "metadata_signer_sha256": self.metadata_signer.as_ref().map(|der| digest(der)),
            "clock_skew_seconds": self.clock_skew_seconds,
            "allow_unsolicited": self.allow_unsolicited,
            "force_sign_in": self.force_sign_in,
            "contexts": self.contexts,
            "name_id_format": self.name_id_format,
            "request_binding": self.request_binding,
            "single_logout": self.single_logout,
            "subject_attribute": self.subject_attribute,
            "email_attribute": self.email_attribute,
            "name_attribute": self.name_attribute,
            "groups_attribute": self.groups_attribute,
            "admits_everyone": self.admits_everyone,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The connection with this id, whoever asks: for the addresses of the protocol.
///
/// # Errors
/// If the database fails.
pub fn find(connection: &mut PgConnection, id: ConnectionId) -> Result<Option<SamlConnection>> {
    Ok(saml_connections::table.find(id.0).select(SamlConnection::as_select()).first(connection).optional()?)
}

/// The connection that people with addresses in `domain` sign in through, if that is a verified domain: the one that it
/// leads to, and else the oldest enabled one of its organisation. A connection that is switched off takes nobody, and
/// nobody is sent to another one instead.
///
/// # Errors
/// If the database fails.
pub fn for_domain(connection: &mut PgConnection, domain: &str) -> Result<Option<SamlConnection>> {
    let found: Option<(Uuid, Option<Uuid>)> = organisation_domains::table
        .filter(organisation_domains::domain.eq(domain.to_lowercase()))
        .filter(organisation_domains::verified_at.is_not_null())
        .select((organisation_domains::organisation_id, organisation_domains::connection_id))
        .first(connection)
        .optional()?;
    let Some((organisation, chosen)) = found else { return Ok(None) };
    let enabled = saml_connections::table
        .filter(saml_connections::organisation_id.eq(organisation))
        .filter(saml_connections::enabled)
        .order(saml_connections::id)
        .select(SamlConnection::as_select());
    let first = match chosen {
        Some(chosen) => enabled.filter(saml_connections::id.eq(chosen)).first(connection),
        None => enabled.first(connection),
    };
    Ok(first.optional()?)
}

/// The connections of an organisation, oldest first.
///
/// # Errors
/// If the database fails.
pub fn list(connection: &mut PgConnection, organisation: OrganisationId) -> Result<Vec<SamlConnection>> {
    Ok(saml_connections::table
        .filter(saml_connections::organisation_id.eq(organisation.0))
        .order(saml_connections::id)
        .select(SamlConnection::as_select())
        .load(connection)?)
}

/// A connection of an organisation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn find_in(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: ConnectionId,
) -> Result<SamlConnection> {
    Ok(saml_connections::table
        .find(id.0)
        .filter(saml_connections::organisation_id.eq(organisation.0))
        .select(SamlConnection::as_select())
        .first(connection)?)
}

/// The same, locked against other changes.
pub(crate) fn find_for_update(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    id: ConnectionId,
) -> Result<SamlConnection> {
    Ok(saml_connections::table
        .find(id.0)
        .filter(saml_connections::organisation_id.eq(organisation.0))
        .select(SamlConnection::as_select())
        // Not against rows that only refer to it: whoever signs in holds their account and writes such ones.
        .for_no_key_update()
        .first(connection)?)
}

/// Counts a change of something that belongs to a connection.
pub(super) fn touch(connection: &mut PgConnection, id: ConnectionId) -> Result<()> {
    diesel::update(saml_connections::table.find(id.0))
        .set((
            saml_connections::updated_at.eq(Utc::now()),
            saml_connections::revision.eq(saml_connections::revision + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Makes a connection that is not enabled and has no metadata yet, with a key of ours.
///
/// # Errors
/// [`StoreError::Conflict`] if the organisation has very many.
pub fn create(
    connection: &mut PgConnection,
    origin: &Origin,
    organisation: OrganisationId,
    (id, name): (ConnectionId, &str),
    key: &NewKey,
) -> Result<SamlConnection> {
    let _ = organisations::find_for_update(connection, organisation)?;
    let count: i64 = saml_connections::table
        .filter(saml_connections::organisation_id.eq(organisation.0))
        .count()
        .get_result(connection)?;
    if count >= MOST {
        return Err(StoreError::Conflict(format!("An organisation has at most {MOST} connections.")));
    }
    let made: SamlConnection = diesel::insert_into(saml_connections::table)
        .values((
            saml_connections::id.eq(id.0),
            saml_connections::organisation_id.eq(organisation.0),
            saml_connections::name.eq(name),
        ))
        .returning(SamlConnection::as_returning())
        .get_result(connection)?;
    keys::insert(connection, id, keys::SIGNING, key)?;
    let act = Act::new("saml_connection.created", KIND, id, name).in_organisation(organisation);
    audit::record(connection, origin, act.after(made.state()))?;
    Ok(made)
}

/// What is to be changed about a connection. `None` leaves it as it is; an inner `None` takes it away.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = saml_connections)]
pub struct ConnectionChange {
    /// Another name.
    pub name: Option<String>,
    /// Whether people sign in through it.
    pub enabled: Option<bool>,
    /// By how much clocks may differ, seconds.
    pub clock_skew_seconds: Option<i32>,
    /// Whether sign-ins may begin at the provider.
    pub allow_unsolicited: Option<bool>,
    /// Whether the provider is to ask for credentials every time.
    pub force_sign_in: Option<bool>,
    /// Ways of signing in that are asked for.
    pub contexts: Option<Vec<String>>,
    /// The format of `NameID` that is asked for.
    pub name_id_format: Option<Option<String>>,
    /// How requests are sent.
    pub request_binding: Option<Option<String>>,
    /// Whether signing out goes both ways.
    pub single_logout: Option<bool>,
    /// The attribute that is the stable identity.
    pub subject_attribute: Option<Option<String>>,
    /// The attribute with the e-mail address.
    pub email_attribute: Option<Option<String>>,
    /// The attribute with the name.
    pub name_attribute: Option<Option<String>>,
    /// The attribute with the groups.
    pub groups_attribute: Option<Option<String>>,
    /// Whether people in none of the groups become members.
    pub admits_everyone: Option<bool>,
}

/// Changes a connection. `is_expected` says whether the stored revision is one that the caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`]; [`StoreError::Conflict`] if it is to be enabled
/// without metadata, or is the last one of an organisation that requires single sign-on and is not to be enabled.
pub fn change(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    is_expected: impl FnOnce(i64) -> bool,
    change: ConnectionChange,
) -> Result<SamlConnection> {
    let requires = organisations::find_for_update(connection, organisation)?.sso_required;
    let stored = find_for_update(connection, organisation, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    if change.enabled == Some(true) && stored.metadata.is_none() {
        return Err(StoreError::Conflict(
            "Give Kinora the identity provider's metadata before you switch the connection on.".to_owned(),
        ));
    }
    // A new subject attribute means other names for the same people: what is known by the old ones means nothing.
    let names_people_anew =
        change.subject_attribute.as_ref().is_some_and(|attribute| *attribute != stored.subject_attribute);
    let changed: SamlConnection = diesel::update(saml_connections::table.find(id.0))
        .set((
            &change,
            saml_connections::updated_at.eq(Utc::now()),
            saml_connections::revision.eq(stored.revision + 1),
        ))
        .returning(SamlConnection::as_returning())
        .get_result(connection)?;
    if requires && stored.enabled && !changed.enabled {
        require_enabled(connection, organisation)?;
    }
    if names_people_anew {
        forget_identities(connection, id)?;
    }
    let act = Act::new("saml_connection.changed", KIND, id, &changed.name).in_organisation(organisation);
    audit::record(connection, origin, act.before(stored.state()).after(changed.state()))?;
    Ok(changed)
}

/// Refuses to leave an organisation that requires single sign-on without a way to sign in.
fn require_enabled(connection: &mut PgConnection, organisation: OrganisationId) -> Result<()> {
    if has_enabled(connection, organisation)? {
        return Ok(());
    }
    Err(StoreError::Conflict(
        "The organisation requires single sign-on, and this is its last connection that is switched on. \
         Take the requirement away first."
            .to_owned(),
    ))
}

fn has_enabled(connection: &mut PgConnection, organisation: OrganisationId) -> Result<bool> {
    let enabled = saml_connections::table
        .filter(saml_connections::organisation_id.eq(organisation.0))
        .filter(saml_connections::enabled);
    Ok(diesel::select(diesel::dsl::exists(enabled)).get_result(connection)?)
}

/// Whether an organisation has an enabled connection whose last test went well with the metadata that it has.
///
/// # Errors
/// If the database fails.
pub fn has_proven(connection: &mut PgConnection, organisation: OrganisationId) -> Result<bool> {
    for row in list(connection, organisation)?.into_iter().filter(|row| row.enabled) {
        let test = last_test(connection, &row)?;
        if test.is_some_and(|test| test.refusal.is_none() && test.is_current) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The outcome of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The attempt.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Why it was refused; none: it went well.
    pub refusal: Option<String>,
    /// Whether it was made with the metadata that the connection has now.
    pub is_current: bool,
}

/// The last test of a connection.
///
/// # Errors
/// If the database fails.
pub fn last_test(connection: &mut PgConnection, row: &SamlConnection) -> Result<Option<Test>> {
    let found = saml_attempts::table
        .filter(saml_attempts::connection_id.eq(row.id))
        .filter(saml_attempts::purpose.eq("test"))
        .order(saml_attempts::id.desc())
        .select((
            saml_attempts::id,
            saml_attempts::at,
            saml_attempts::refusal,
            saml_attempts::metadata_digest,
        ))
        .first::<(Uuid, DateTime<Utc>, Option<String>, Option<Vec<u8>>)>(connection)
        .optional()?;
    let current = row.metadata.as_ref().map(|text| Sha256::digest(text.as_bytes()).to_vec());
    Ok(found.map(|(id, at, refusal, digest)| Test { id, at, refusal, is_current: digest == current }))
}

/// Metadata that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The text.
    pub text: String,
    /// The provider's name in it.
    pub entity_id: String,
    /// Where it is fetched again from; none: it was pasted.
    pub url: Option<String>,
    /// Certificate (DER) that it must be signed with from now on.
    pub signer: Option<Vec<u8>>,
}

/// Gives a connection other metadata. People whom another provider has named are not known by those names any more.
/// `is_expected` says whether the stored revision is one that the caller has seen.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`].
pub fn set_metadata(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    is_expected: impl FnOnce(i64) -> bool,
    metadata: &Metadata,
) -> Result<SamlConnection> {
    let stored = find_for_update(connection, organisation, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    let now = Utc::now();
    let fetched = metadata.url.as_ref().map(|_| now);
    let changed: SamlConnection = diesel::update(saml_connections::table.find(id.0))
        .set((
            saml_connections::metadata.eq(&metadata.text),
            saml_connections::entity_id.eq(&metadata.entity_id),
            saml_connections::metadata_url.eq(&metadata.url),
            saml_connections::metadata_signer.eq(&metadata.signer),
            saml_connections::fetched_at.eq(fetched),
            saml_connections::fetch_tried_at.eq(fetched),
            saml_connections::fetch_error.eq(None::<String>),
            saml_connections::updated_at.eq(now),
            saml_connections::revision.eq(stored.revision + 1),
        ))
        .returning(SamlConnection::as_returning())
        .get_result(connection)?;
    if stored.entity_id.as_ref().is_some_and(|former| *former != metadata.entity_id) {
        forget_identities(connection, id)?;
    }
    let act = Act::new("saml_connection.metadata_set", KIND, id, &stored.name).in_organisation(organisation);
    audit::record(connection, origin, act.before(stored.state()).after(changed.state()))?;
    Ok(changed)
}

/// Whoever names people anew may call somebody else by a name that was in use.
fn forget_identities(connection: &mut PgConnection, id: ConnectionId) -> Result<()> {
    diesel::delete(saml_identities::table.filter(saml_identities::connection_id.eq(id.0)))
        .execute(connection)?;
    Ok(())
}

/// Removes a connection. Memberships that it gave stay, as if they had been given by hand.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::RevisionMismatch`]; [`StoreError::Conflict`] if it is the last one of an
/// organisation that requires single sign-on.
pub fn remove(
    connection: &mut PgConnection,
    origin: &Origin,
    (organisation, id): (OrganisationId, ConnectionId),
    is_expected: impl FnOnce(i64) -> bool,
) -> Result<()> {
    let requires = organisations::find_for_update(connection, organisation)?.sso_required;
    let stored = find_for_update(connection, organisation, id)?;
    if !is_expected(stored.revision) {
        return Err(StoreError::RevisionMismatch { current: stored.revision });
    }
    domains::lead_away(connection, id)?;
    diesel::delete(saml_connections::table.find(id.0)).execute(connection)?;
    if requires && stored.enabled {
        require_enabled(connection, organisation)?;
    }
    let act = Act::new("saml_connection.removed", KIND, id, &stored.name).in_organisation(organisation);
    audit::record(connection, origin, act.before(stored.state()))
}

/// Claims a connection whose metadata is to be fetched again: nobody else gets it until the next time.
///
/// # Errors
/// If the database fails.
pub fn claim_refresh(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<SamlConnection>> {
    connection.transaction(|connection| {
        let failed = saml_connections::fetch_error
            .is_not_null()
            .and(saml_connections::fetch_tried_at.lt(now - REFRESH_AFTER_FAILURE));
        let due: Option<Uuid> = saml_connections::table
            .filter(saml_connections::metadata_url.is_not_null())
            .filter(
                saml_connections::fetch_tried_at
                    .is_null()
                    .or(saml_connections::fetch_tried_at.lt(now - REFRESH))
                    .or(failed),
            )
            .order(saml_connections::fetch_tried_at.asc().nulls_first())
            .select(saml_connections::id)
            .for_update()
            .skip_locked()
            .first(connection)
            .optional()?;
        let Some(id) = due else { return Ok(None) };
        Ok(Some(
            diesel::update(saml_connections::table.find(id))
                .set(saml_connections::fetch_tried_at.eq(now))
                .returning(SamlConnection::as_returning())
                .get_result(connection)?,
        ))
    })
}

/// What came of fetching metadata again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// It is what it was.
    Same,
    /// Something newer that is no worse.
    Newer(String),
    /// It could not be had, or is not to be taken: a sentence. What is there goes on working.
    Refused(String),
}

/// Keeps what came of fetching the metadata of `read` again, unless its metadata was changed meanwhile.
///
/// # Errors
/// If the database fails.
pub fn finish_refresh(
    connection: &mut PgConnection,
    origin: &Origin,
    read: &SamlConnection,
    refreshed: &Refreshed,
    now: DateTime<Utc>,
) -> Result<()> {
    let (organisation, id) = (OrganisationId(read.organisation_id), ConnectionId(read.id));
    let stored = match find_for_update(connection, organisation, id) {
        Err(StoreError::NotFound) => return Ok(()),
        stored => stored?,
    };
    let is_same = stored.metadata == read.metadata
        && stored.metadata_url == read.metadata_url
        && stored.metadata_signer == read.metadata_signer;
    if !is_same {
        return Ok(());
    }
    let row = saml_connections::table.find(id.0);
    let went_well = (
        saml_connections::fetched_at.eq(now),
        saml_connections::fetch_tried_at.eq(now),
        saml_connections::fetch_error.eq(None::<String>),
    );
    match refreshed {
        Refreshed::Refused(why) => {
            let failed =
                (saml_connections::fetch_tried_at.eq(now), saml_connections::fetch_error.eq(why.as_str()));
            diesel::update(row).set(failed).execute(connection)?;
            Ok(())
        }
        Refreshed::Same => {
            diesel::update(row).set(went_well).execute(connection)?;
            Ok(())
        }
        Refreshed::Newer(text) => {
            let changed: SamlConnection = diesel::update(row)
                .set((
                    went_well,
                    saml_connections::metadata.eq(text),
                    saml_connections::updated_at.eq(now),
                    saml_connections::revision.eq(stored.revision + 1),
                ))
                .returning(SamlConnection::as_returning())
                .get_result(connection)?;
            let act = Act::new("saml_connection.metadata_refreshed", KIND, id, &stored.name)
                .in_organisation(organisation);
            audit::record(connection, origin, act.before(stored.state()).after(changed.state()))
        }
    }
}

/// Every connection with the name of its organisation, for looking after certificates.
///
/// # Errors
/// If the database fails.
pub fn list_all(connection: &mut PgConnection) -> Result<Vec<(SamlConnection, String)>> {
    Ok(saml_connections::table
        .inner_join(organisation_rows::table.on(organisation_rows::id.eq(saml_connections::organisation_id)))
        .order(saml_connections::id)
        .select((SamlConnection::as_select(), organisation_rows::name))
        .load(connection)?)
}
